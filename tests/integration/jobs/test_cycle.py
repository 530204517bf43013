"""The four steps of a cycle against both services: what they do once, they do not do again (J-59 … J-110)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from math import ceil

import pytest

from changeover.core.plan import Alert, Level
from changeover.engine.base import Base
from changeover.engine.jobs import adding, lining, reconciling, syncing
from changeover.engine.jobs.desk import NotSetUp
from changeover.engine.jobs.operations import Action, perform
from changeover.engine.jobs.reconciling import reconcile
from changeover.engine.outcome import Failure
from changeover.settings.model import AutoCreateJobs, OnRemoved
from changeover.store import alerts
from changeover.store.runs import RunState
from plugins.job_house import Cycle, House, text, with_settings


def made(house: House, **cells: object) -> str:
    stay = house.stay(**cells)
    assert perform(house.desk, Action.CREATE, stay).success
    return stay


def writes(house: House, mark: tuple[int, int]) -> list[str]:
    base, hcp = house.calls(mark)
    return [each for each in (*base, *hcp) if not each.startswith("GET")]


def test_a_cycle_makes_the_jobs_that_are_due_and_a_second_one_changes_nothing(house: House) -> None:
    """J-83, J-109: quiet, it reads the window and the jobs without a start, and nothing else."""
    stay = house.stay()
    house.stay(days=9, Ready_for_Job=None)

    first = house.cycle()

    assert [each.text for each in first] == [
        "0/2 unlinked stays linked",
        "1 jobs created",
        "1/1 jobs verified",
        "0/0 lines updated",
    ]
    (job,) = house.jobs()
    assert house.row(stay)["Service Job ID"] == job["id"]
    mark = house.mark()
    again = house.cycle()
    assert [each.text for each in again] == [
        "0/1 unlinked stays linked",
        "0 jobs created",
        "1/1 jobs verified",
        "0/0 lines updated",
    ]
    assert writes(house, mark) == []
    assert house.calls(mark)[1] == ["GET /jobs", "GET /jobs"]
    assert all(each.state is RunState.SUCCEEDED for each in (*first, *again))


def test_a_dry_run_writes_nothing_anywhere(house: House) -> None:
    """C-34, JX-27."""
    house.stay()
    house.stay(days=5)
    house.hand_made(days=5)
    mark = house.mark()

    outcomes = house.cycle(dry_run=True)

    assert writes(house, mark) == []
    assert outcomes[0].text == "1/2 unlinked stays would be linked"
    assert outcomes[1].counters["would_create"] == 1


# -- Job Reconciliation (§11) ----------------------------------------------------------------------------------------


def test_jobs_made_by_hand_are_linked_before_any_is_made(house: House) -> None:
    """J-83, J-91, JX-5, JX-47: an evening job is of its local day."""
    early, late = house.stay(), house.stay(days=6, Custom_Service_Time="6:30 PM")
    jobs = [house.hand_made(), house.hand_made(days=6, hour=18, minute=45)]
    mark = house.mark()

    found = house.cycle()

    assert [each.text for each in found[:2]] == ["2/2 unlinked stays linked", "0 jobs created"]
    assert [house.row(stay)["Service Job ID"] for stay in (early, late)] == [job["id"] for job in jobs]
    assert house.row(early)["Sync Status"] == "Matched"
    assert house.row(early)["Service Sync Details"].startswith("✅ Linked to HCP job for ")
    assert [call for call in house.calls(mark)[1] if call.startswith("POST")] == []
    house.cycle()
    assert house.row(early)["Sync Status"] == "Matched"


def test_a_single_job_is_linked_as_many_are(house: House) -> None:
    """JX-46, JX-49: the step does it, and no batch is too small for it."""
    stay = house.stay()
    job = house.hand_made()

    house.cycle(reconciling)

    assert house.row(stay)["Service Job ID"] == job["id"]


def test_one_job_is_never_linked_to_two_rows(house: House) -> None:
    """J-87, J-88, JX-48."""
    rows = [house.stay(), house.stay()]
    house.hand_made()

    for _ in range(2):
        house.cycle(reconciling)

    assert [house.row(each).get("Service Job ID") for each in rows] == [None, None]


def test_unclear_pairs_are_reported_and_held_from_creation(house: House) -> None:
    """J-88, J-89, J-90, J-93."""
    ambiguous, suggested = house.stay(), house.stay(days=6)
    several = sorted(job["id"] for job in (house.hand_made(), house.hand_made(minute=40)))
    near = house.hand_made(days=6, hour=15)

    cycle = Cycle(house)
    reconciliation, created, *_ = cycle.run()
    told = reconcile(cycle.office, execute=False).to_json(execute=False, limit=2)

    assert reconciliation.text == "0/2 unlinked stays linked — unclear 2"
    assert created.text == "0 jobs created — not eligible 2"
    assert created.counters["not_eligible"] == {"not_eligible": 2}
    assert told["mode"] == "dry_run"
    assert told["summary"] == {
        "total": 2,
        "matched": 0,
        "ambiguous": 1,
        "suggested": 1,
        "unmatched": 0,
        "orphans": 0,
        "dangling": 0,
        "duplicates": 0,
    }
    details = reconcile(cycle.office, execute=False).to_json(execute=True)["details"]
    assert len(told["details"]) == 2
    assert {(each["recordId"], each["jobId"], each["confidence"]) for each in details} == {
        *((ambiguous, job, "ambiguous") for job in several),
        (suggested, near["id"], "suggested"),
    }


def test_what_is_odd_is_an_alert_until_it_is_gone(house: House) -> None:
    """J-5, J-92."""
    types = {"job_fields": {"job_type_id": house.desk.settings.hcp_str_next_guest_job_type_id}}
    orphan, twin = house.hand_made(days=9, **types), house.hand_made(days=9, hour=12, **types)
    lost = house.stay(Service_Job_ID=f"job_{5:032x}", Job_Status="Scheduled")
    house.stay(days=12, Service_Job_ID="no id at all")
    house.edit(made(house, days=15), Last_Updated="2026-01-02T00:00:00.000Z")
    shared = house.job_of(list(house.ids.values())[-1])["id"]
    house.stay(days=15, Service_Job_ID=shared, Last_Updated="2026-01-01T00:00:00.000Z")

    results = house.cycle(reconciling, syncing)

    found = house.alerts()
    assert {rule for rule, _ in found} == {"job_orphan", "job_dangling", "job_duplicates", "job_on_two_rows"}
    assert ("job_orphan", orphan["id"]) in found
    assert ("job_on_two_rows", shared) in found
    assert house.row(lost)["Job Status"] == "Canceled"
    assert house.row(lost)["Service Job ID"] == f"job_{5:032x}"
    assert results[1].counters["errors"] == 1
    for job in (orphan, twin):
        house.service.act(job, "cancel")
    house.cycle(reconciling)
    assert {rule for rule, _ in house.alerts()} == {"job_dangling", "job_on_two_rows"}


def test_a_template_is_nobodys_job(house: House) -> None:
    """J-84."""
    house.service.act({"id": house.ids["template"]}, "reschedule", start=text(house.start()))
    house.stay()

    assert house.cycle(reconciling)[0].text == "0/1 unlinked stays linked"


def test_a_row_somebody_is_at_work_on_is_not_linked_now(house: House) -> None:
    from changeover.engine.jobs.claims import claim

    stay = house.stay()
    house.hand_made()

    with claim(house.desk.db, stay, 0, house.desk.sleep):
        house.cycle(reconciling)

    assert "Service Job ID" not in house.row(stay)


def test_links_that_the_base_refuses_are_errors_of_the_run(house: House) -> None:
    house.stay()
    house.hand_made()
    house.break_airtable(times=None, value=503)

    outcome = house.cycle(reconciling)[0]

    assert (outcome.state, outcome.text) == (RunState.PARTIAL, "0/1 unlinked stays linked — errors 1")
    house.heal()
    assert house.cycle(reconciling)[0].text == "1/1 unlinked stays linked"


def test_a_row_that_a_person_was_quicker_with_keeps_their_job(house: House) -> None:
    stay = house.stay()
    house.hand_made()
    cycle = Cycle(house)
    cycle.office.window()
    house.edit(stay, Service_Job_ID=f"job_{5:032x}")

    cycle.run(reconciling)

    assert house.row(stay)["Service Job ID"] == f"job_{5:032x}"


def test_a_budget_that_is_used_up_leaves_the_steps_waiting(house: House) -> None:
    """J-110."""
    made(house)
    spent = sum(house.desk.hcp.wiring.gate.state().last_hour.values())

    outcome = with_settings(house, hcp_hourly_limit=spent).cycle(syncing)[0]

    assert outcome.state is RunState.PARTIAL
    assert outcome.text.startswith("Sync Service Jobs waits — ")


def test_a_template_that_costs_something_else_than_last_time_is_noted(house: House) -> None:
    """J-35, JX-9."""
    for days in (3, 5, 7):
        house.stay(days=days)
        if days == 7:
            lines = [{"name": "Template name", "unit_price": 20000}]
            house.service.ok("PUT", f"/jobs/{house.ids['template']}/line_items/bulk_update", {"line_items": lines})
        noted = house.cycle(adding)[0].counters["changed_templates"]
        assert noted == (1 if days == 7 else 0)


def test_at_most_so_many_are_linked_as_was_said(house: House) -> None:
    for days in (3, 5):
        house.stay(days=days)
        house.hand_made(days=days)
    cycle = Cycle(house)

    assert reconcile(cycle.office, execute=True, limit=1).linked == 1
    assert house.cycle(reconciling)[0].text == "1/1 unlinked stays linked"


# -- Add Service Jobs ------------------------------------------------------------------------------------------------


def test_who_gets_a_job_by_itself_is_a_setting(house: House) -> None:
    """J-30."""
    ticked, plain = house.stay(), house.stay(days=5, Ready_for_Job=None)
    block = house.stay(days=7, Entry_Type="Block", Ready_for_Job=None)

    off = with_settings(house, auto_create_jobs=AutoCreateJobs.OFF).cycle(adding)[0]
    every = with_settings(house, auto_create_jobs=AutoCreateJobs.ALL).cycle(adding)[0]

    assert off.text == "0 jobs created"
    assert every.text == "2 jobs created"
    assert house.row(ticked)["Service Job ID"] != house.row(plain)["Service Job ID"]
    assert "Service Job ID" not in house.row(block)


def test_rows_that_may_not_have_one_are_counted_by_code_and_cost_no_call(house: House) -> None:
    """J-23, J-30, J-109."""
    house.stay(Suspected_Cancel=True)
    house.stay(days=5, Custom_Service_Time=f"{house.today.isoformat()} 10:00 AM")
    house.stay(days=-1)
    house.stay(house.add("Properties", Property_Name="Bare House"), days=4)
    mark = house.mark()

    outcome = house.cycle(adding)[0]

    assert outcome.text == "0 jobs created — not eligible 4"
    assert outcome.counters["not_eligible"] == {"no_hcp_customer": 1, "not_eligible": 3}
    assert outcome.state is RunState.SUCCEEDED
    assert house.calls(mark)[1] == []


def test_a_row_unticked_since_the_cycle_began_gets_no_job(house: House) -> None:
    """J-44."""
    stay = house.stay()
    cycle = Cycle(house)
    house.edit(stay, Ready_for_Job=False)

    assert cycle.run(adding)[0].text == "0 jobs created"
    assert house.jobs() == []


def test_a_creation_in_a_cycle_costs_four_calls_and_an_address(house: House) -> None:
    """J-109."""
    house.stay()
    house.cycle(adding)
    house.stay(days=5)
    cycle = Cycle(house)
    cycle.run(reconciling)

    calls = house.hcp_calls(lambda: cycle.run(adding))

    assert len(calls) == 4
    assert [call for call in calls if call == "GET /jobs"] == []


def test_without_reconciliation_a_job_made_by_hand_is_linked_all_the_same(house: House) -> None:
    """J-47."""
    stay = house.stay()
    job = house.hand_made()

    assert house.cycle(adding)[0].counters["linked"] == 1
    assert house.row(stay)["Service Job ID"] == job["id"]


def test_a_stay_beyond_the_window_is_looked_for_by_itself(house: House) -> None:
    far = house.stay(days=200)
    job = house.hand_made(days=200)

    house.cycle(reconciling, adding)

    assert house.row(far)["Service Job ID"] == job["id"]


def test_the_next_to_start_come_first_when_the_hour_runs_short(house: House) -> None:
    """J-110."""
    later, sooner = house.stay(days=6), house.stay(days=2)
    house.cycle(reconciling)
    spent = sum(house.desk.hcp.wiring.gate.state().last_hour.values())
    short = with_settings(house, hcp_hourly_limit=ceil((spent + 12) / 0.8))

    outcome = short.cycle(reconciling, adding)[1]

    assert outcome.text == "1 jobs created — waiting for the hourly budget 1"
    assert outcome.state is RunState.PARTIAL
    assert outcome.failure is not None
    assert outcome.failure.code == "rate_limited"
    assert "Service Job ID" in house.row(sooner)
    assert "Service Job ID" not in house.row(later)
    assert house.cycle(adding)[0].text == "1 jobs created"


def test_one_that_fails_holds_up_no_other(house: House) -> None:
    """J-27, C-16."""
    unlucky, fine = house.stay(days=4), house.stay(days=6)
    mistaken = house.stay(house.home("Other House", HCP_Address_ID=f"adr_{9:032x}"), days=2)
    house.service.fault("status", method="GET", path="line_items$", value=409)

    outcome = house.cycle(adding)[0]

    assert outcome.text == "1 jobs created — not eligible 1 — errors 1"
    assert outcome.state is RunState.PARTIAL
    assert [each for each in (mistaken, unlucky, fine) if "Service Job ID" in house.row(each)] == [fine]


def test_a_key_that_is_refused_ends_the_step(house: House) -> None:
    for days in (2, 4):
        house.stay(days=days)
    cycle = Cycle(house)
    cycle.run(reconciling)
    house.service.fault("status", method="GET", path="addresses$", value=401, times=None)

    mark = house.mark()
    outcome = cycle.run(adding)[0]

    assert outcome.state is RunState.FAILED
    assert outcome.failure == Failure(
        "hcp_credential_refused", "Housecall Pro does not accept HCP_API_KEY", configuration=True
    )
    assert len(house.calls(mark)[1]) == 1


# -- Sync Service Jobs -----------------------------------------------------------------------------------------------


def test_every_event_that_was_lost_is_made_good(house: House) -> None:
    """J-71."""
    stays = {action: made(house, days=2 + number) for number, action in enumerate(("start", "cancel", "delete"))}
    moved = made(house, days=8)
    for action, stay in stays.items():
        house.service.act(house.job_of(stay), action)
    house.service.act(house.job_of(moved), "reschedule", start=text(house.start(9)))
    mark = house.mark()

    outcome = house.cycle(syncing)[0]

    assert outcome.text == "4/4 jobs verified — wrong date 1 — not created 2"
    assert [house.row(stay)["Job Status"] for stay in stays.values()] == ["In Progress", "Canceled", "Canceled"]
    assert house.row(moved)["Sync Status"] == "Wrong Date"
    assert len([each for each in writes(house, mark) if each.startswith("PATCH")]) == 1
    mark = house.mark()
    house.cycle(syncing)
    assert house.calls(mark)[1] == ["GET /jobs", "GET /jobs"]
    assert writes(house, mark) == []


def test_a_job_outside_the_window_is_read_by_itself_and_a_dead_one_no_more(house: House) -> None:
    """J-71, JX-36."""
    stay = made(house)
    job = house.job_of(stay)
    house.service.act(job, "reschedule", start=text(house.start(300)))

    first = house.hcp_calls(lambda: house.cycle(syncing))
    house.edit(stay, Job_Status="Completed")
    second = house.hcp_calls(lambda: house.cycle(syncing))

    assert f"GET /jobs/{job['id']}" in first
    assert f"GET /jobs/{job['id']}" not in second


def test_jobs_that_cannot_be_read_are_errors_and_no_row_is_touched(house: House) -> None:
    """HC-92, C-65."""
    stays = [house.stay(days=2 + number, Service_Job_ID=f"job_{number:032x}") for number in range(7)]
    house.service.fault("status", method="GET", path="jobs/job_", value=503, times=None)
    mark = house.mark()

    outcome = house.cycle(syncing)[0]

    assert outcome.state is RunState.FAILED
    assert "0/7 jobs verified — errors 7" in outcome.text
    assert sum("jobs/job_" in call for call in house.calls(mark)[1]) == 5
    assert all("Job Status" not in house.row(stay) for stay in stays)


def test_a_removed_stay_is_an_alert_until_its_job_is_settled(house: House) -> None:
    """J-64, JX-33, JX-37."""
    stay = made(house)
    house.edit(stay, Status="Removed")
    mark = house.mark()
    house.cycle(syncing)
    assert house.row(stay)["Schedule Sync Details"].startswith("⚠️ Stay removed but HCP job is still scheduled for ")
    assert ("removed_with_job", stay) in house.alerts()
    assert all(call.startswith("GET") for call in house.calls(mark)[1])

    house.edit(stay, Status="Modified")
    house.cycle(syncing)

    assert "Schedule Sync Details" not in house.row(stay)
    assert house.alerts() == []


def test_where_the_setting_says_so_a_removed_stays_job_loses_its_schedule_once(house: House) -> None:
    """J-64: a person who schedules it again has the last word."""
    house = with_settings(house, on_removed=OnRemoved.UNSCHEDULE)
    stay = made(house)
    job = house.job_of(stay)
    house.edit(stay, Status="Removed")

    assert house.cycle(syncing)[0].text == "1/1 jobs verified — unscheduled 1"
    assert house.service.read(job)["work_status"] == "needs scheduling"
    house.service.act(job, "reschedule", start=text(house.start(4)))
    assert house.cycle(syncing)[0].text == "1/1 jobs verified"
    assert house.service.read(job)["work_status"] == "scheduled"
    house.edit(stay, Status="Modified")
    house.cycle(syncing)
    house.edit(stay, Status="Removed")
    assert house.cycle(syncing)[0].counters["unscheduled"] == 1


def test_a_removed_stays_job_that_is_busy_or_fails_is_tried_again(house: House) -> None:
    from changeover.engine.jobs.claims import claim

    house = with_settings(house, on_removed=OnRemoved.UNSCHEDULE)
    stays = [made(house, days=2 + number) for number in range(2)]
    for stay in stays:
        house.edit(stay, Status="Removed")
    house.service.fault("status", method="GET", path="jobs/job_", value=401, times=None)
    with claim(house.desk.db, stays[0], 0, house.desk.sleep):
        assert house.cycle(syncing)[0].counters["errors"] == 1
    house.heal()
    started = house.job_of(stays[0])
    house.service.act(started, "start")

    assert house.cycle(syncing)[0].counters["unscheduled"] == 1
    assert house.cycle(syncing)[0].counters["unscheduled"] == 0


def test_a_job_at_another_address_is_failed_and_an_alert(house: House) -> None:
    """J-65."""
    stay = made(house)
    house.edit(stay, Property_ID=[house.home("Other House")])

    house.cycle(syncing)

    assert house.row(stay)["Sync Status"] == "Failed"
    assert house.row(stay)["Schedule Sync Details"].startswith("⚠️ HCP job is at another address than the property - ")
    assert ("job_elsewhere", stay) in house.alerts()


def test_a_row_the_base_refuses_holds_up_no_other(house: House) -> None:
    """AT-46."""
    stays = [made(house, days=2 + number) for number in range(2)]
    for stay in stays:
        house.service.act(house.job_of(stay), "start")
    cycle = Cycle(house)
    house.remove(stays[0])

    outcome = cycle.run(syncing)[0]

    assert outcome.text == "1/2 jobs verified — errors 1"
    assert house.row(stays[1])["Job Status"] == "In Progress"


def test_a_base_that_is_down_makes_the_step_fail(house: House) -> None:
    stay = made(house)
    house.service.act(house.job_of(stay), "start")
    cycle = Cycle(house)
    house.break_airtable(times=None, value=503)

    outcome = cycle.run(syncing)[0]

    assert outcome.state is RunState.FAILED
    assert outcome.failure is not None
    assert outcome.failure.unreachable


# -- what must be there first ----------------------------------------------------------------------------------------


def test_without_housecall_pro_a_ticked_step_fails_and_names_the_settings(house: House) -> None:
    def not_set_up() -> None:
        raise NotSetUp(("HCP_API_KEY",))

    work = Cycle(house).work(jobs=not_set_up)

    for step in (reconciling, adding, syncing, lining):
        outcome = step.run(work).outcome
        assert outcome.state is RunState.FAILED
        assert outcome.text == "Housecall Pro is not set up — not set: HCP_API_KEY — run run-00000000000000000001"
        assert outcome.failure is not None
        assert outcome.failure.configuration


def test_a_base_that_cannot_be_read_or_a_decision_carried_out_begins_no_work_on_jobs(house: House) -> None:
    """C-5."""
    cycle = Cycle(house)
    down = Failure("airtable_error", "Airtable does not answer", unreachable=True)

    failed = adding.run(cycle.work(base=Base(failure=down))).outcome
    skipped = adding.run(cycle.work(observe=False)).outcome

    assert (failed.state, failed.failure) == (RunState.FAILED, down)
    assert skipped.state is RunState.SUCCEEDED


def test_a_service_that_is_down_fails_every_step_after_one_try(house: House) -> None:
    """J-71, C-26."""
    made(house)
    house.stay(days=5)
    house.service.fault("status", method="GET", path="^/jobs$", value=503, times=None)
    mark = house.mark()

    outcomes = house.cycle(reconciling, adding, syncing)

    assert {each.state for each in outcomes} == {RunState.FAILED}
    assert all(each.failure is not None and each.failure.unreachable for each in outcomes)
    assert len(house.calls(mark)[1]) == 2


def test_homes_that_cannot_be_read_again_stop_creation(house: House) -> None:
    """AT-36."""
    house.stay()
    cycle = Cycle(house)
    down = Failure("airtable_error", "Airtable does not answer", unreachable=True)
    cycle.office._read_again = lambda _tables: down
    cycle.office._homes_are_fresh = False

    outcome = cycle.run(adding)[0]

    assert (outcome.state, outcome.failure) == (RunState.FAILED, down)


def test_an_alert_of_another_row_stands(house: House) -> None:
    made(house)
    other = Alert("removed_with_job", "recOTHER000000001", Level.ERROR, "another")
    with house.desk.db.begin() as connection:
        alerts.open_or_repeat(connection, "dev", other, house.desk.clock())

    house.cycle(syncing)

    assert house.alerts() == [("removed_with_job", "recOTHER000000001")]


def test_a_status_nobody_knows_is_a_warning_and_changes_nothing(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """J-67."""
    stay = made(house)
    cycle = Cycle(house)
    window = cycle.office.window()
    job_id = house.row(stay)["Service Job ID"]
    odd = replace(window.jobs[job_id], work_status="on hold", updated=house.desk.clock() + timedelta(minutes=1))
    window.jobs[job_id] = odd

    cycle.run(syncing)

    assert house.row(stay)["Job Status"] == "Scheduled"
    assert ("job_status_unknown", "on hold") in house.alerts()
