"""The desk of a real process, with its pacing, its proof of the base and its reasons not to work."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from changeover import controller
from changeover.airtable.errors import SchemaDrift, Unavailable
from changeover.controller import RunRequest
from changeover.engine import watch
from changeover.engine.base import Base
from changeover.engine.jobs import adding, lining, reconciling, syncing
from changeover.engine.jobs.desk import JobDesk, NotSetUp, connect_hcp, job_rules, missing_settings, open_desk
from changeover.engine.jobs.failures import failure_of
from changeover.engine.jobs.office import CycleTools
from changeover.engine.jobs.operations import Action, perform
from changeover.engine.jobs.trying import Again
from changeover.engine.results import AutomationResult
from changeover.engine.rules import rule_book
from changeover.engine.stop import Stop, StopLevel
from changeover.engine.stopping import Interrupted, Reason, Stopping
from changeover.housecallpro.errors import Auth, Halted, Misrouted, RateLimited, Server, Validation
from changeover.store.runs import RunState
from plugins.job_house import BASE, House, text

STEPS = (reconciling.NAME, adding.NAME, syncing.NAME, lining.NAME)


def test_a_workers_desk_answers_a_click(house: House) -> None:
    desk = open_desk(house.desk.settings, house.desk.db, Stopping())

    answer = perform(desk, Action.DELETE, house.stay())

    assert (answer.code, answer.http) == ("not_found", 404)
    assert answer.to_stored() == {"http": 404, "after": None, "body": answer.to_json()}


def test_a_stopped_environment_refuses_clicks_and_says_why(house: House) -> None:
    """J-15, E-4: a pause lets people's clicks through."""
    stay = house.stay()
    found = {}
    for level in (StopLevel.PAUSE, StopLevel.READ_ONLY, StopLevel.FULL):
        house.desk.switch.set(Stop(level, "the bank is closed"))
        found[level] = perform(house.desk, Action.CREATE, stay)

    assert found[StopLevel.PAUSE].success
    assert [found[level].http for level in (StopLevel.READ_ONLY, StopLevel.FULL)] == [423, 423]
    assert found[StopLevel.FULL].error == "Changeover is stopped (level full: the bank is closed)."
    assert len(house.jobs()) == 1


def test_a_stop_between_two_calls_lets_no_write_out(house: House) -> None:
    """E-1."""
    stay = house.stay()
    switch = house.desk.switch

    def stop_then_look() -> object:
        switch.set(Stop(StopLevel.READ_ONLY))
        return house.desk.facts()

    desk = replace(house.desk, facts=stop_then_look)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(switch), "state", _later(type(switch).state, calls=2))
        answer = perform(desk, Action.CREATE, stay)

    assert (answer.code, answer.http) == ("stopped", 423)
    assert house.jobs() == []


def _later(state, calls: int):
    """The switch as it was, for so many questions."""
    asked = []

    def show(switch: object) -> Stop:
        asked.append(1)
        return Stop(StopLevel.NONE) if len(asked) <= calls else state(switch)

    return show


def test_a_process_that_is_to_end_leaves_the_click_to_the_next(house: House) -> None:
    """C-33."""
    stay, stopping = house.stay(), Stopping()
    desk = replace(house.desk, check_end=stopping.check)
    house.service.fault("status", method="GET", path="", value=401, times=None)
    stopping.ask(Reason.SIGNAL)

    with pytest.raises(Interrupted):
        perform(desk, Action.CREATE, stay)


def test_a_base_that_refuses_or_lacks_a_field_is_an_answer(house: House) -> None:
    """JX-38, AT-12."""
    stay = house.stay()

    def drifted() -> None:
        raise SchemaDrift("schema_drift", field="Sync Status")

    lacking = perform(replace(house.desk, facts=drifted), Action.CREATE, stay)
    house.break_airtable("rate-limit", method="GET", times=None, value="")
    limited = perform(house.desk, Action.CREATE, stay)

    assert (lacking.code, lacking.error) == (
        "airtable_error",
        'Airtable did not do this (schema_drift field "Sync Status"); '
        "it is done by itself as soon as that is put right.",
    )
    assert (lacking.again, limited.again) == (Again.ONCE_TAKEN, Again.LATER)
    assert (limited.code, limited.http, limited.after) == ("rate_limited", 429, 30)


def test_the_base_must_have_every_field_that_work_on_jobs_writes(house: House) -> None:
    tables = [
        {**table, "fields": [each for each in table["fields"] if each["name"] != "Sync Status"]} for table in _schema()
    ]
    house._control("POST", "schema", {"base_id": BASE, "tables": tables})

    with pytest.raises(SchemaDrift) as drift:
        house.desk.facts()

    assert drift.value.field == "Sync Status"


def _schema() -> list[dict]:
    from changeover_sandbox.seeding import read_schema

    return read_schema()


def test_a_workers_desk_lets_no_write_out_that_it_should_not(house: House) -> None:
    """C-33, E-1."""
    stopping = Stopping()
    desk = open_desk(house.desk.settings, house.desk.db, stopping)
    house.desk.switch.set(Stop(StopLevel.READ_ONLY))
    with pytest.raises(Halted):
        desk.hcp.put("/jobs/job_1/schedule", {})
    house.desk.switch.clear()
    stopping.ask(Reason.SIGNAL)
    with pytest.raises(Halted):
        desk.hcp.put("/jobs/job_1/schedule", {})


def test_the_schedule_file_says_when_how_long_and_how_late(house: House, tmp_path: Path) -> None:
    """J-9."""
    settings = house.desk.settings
    said = (
        'default = "11:30"\nsame_day = "09:00"\nowner_arriving = "08:00"\n'
        "duration_minutes = 90\narrival_window_minutes = 30\nlong_term_nights = 3\n"
    )
    settings.config.mkdir(exist_ok=True)
    (settings.config / "schedule.toml").write_text(said)
    house.desk = replace(house.desk, rules=job_rules(settings, rule_book(settings)))
    stays = house.stay(), house.stay(days=4, **{"Same-day_Turnover": True}), house.stay(days=5, Owner_Arriving=True)

    for each in stays:
        assert perform(house.desk, Action.CREATE, each).success

    hours = [(11, 30), (9, 0), (8, 0)]
    for number, (each, (hour, minute)) in enumerate(zip(stays, hours, strict=True)):
        start, schedule = house.start(3 + number, hour, minute), house.job_of(each)["schedule"]
        end = text(start + timedelta(minutes=90))
        assert (schedule["scheduled_start"], schedule["scheduled_end"]) == (text(start), end)
        assert schedule["arrival_window"] == 30
        assert "LONG TERM GUEST DEPARTING" in house.row(each)["Service Line Description"]


def test_without_its_settings_there_is_no_desk(house: House, tmp_path: Path) -> None:
    """J-8."""
    bare = house.desk.settings.model_copy(update={"hcp_api_key": None, "hcp_str_next_guest_job_type_id": None})

    assert missing_settings(bare) == ("HCP_API_KEY", "HCP_STR_NEXT_GUEST_JOB_TYPE_ID")
    with pytest.raises(NotSetUp, match="not set: HCP_API_KEY, HCP_STR_NEXT_GUEST_JOB_TYPE_ID"):
        open_desk(bare, house.desk.db, Stopping())
    with pytest.raises(NotSetUp):
        connect_hcp(bare, house.desk.db, house.desk.sleep, lambda: None)


def test_an_office_without_a_proven_base_writes_nothing(house: House) -> None:
    settings, desk = house.desk.settings, house.desk
    tools = CycleTools(settings, desk.db, rule_book(settings), desk.airtable, lambda: None, Stopping())
    office = tools.open(Base(), lambda *_, **__: None, desk.clock(), dry_run=False)

    with pytest.raises(SchemaDrift):
        office.desk.facts()


@pytest.mark.parametrize(
    ("error", "code", "unreachable", "configuration"),
    [
        (Auth(status=401), "hcp_credential_refused", False, True),
        (Misrouted(status=404), "hcp_error", False, True),
        (RateLimited(), "rate_limited", True, False),
        (Server(status=503), "hcp_down", True, False),
        (Validation("no"), "hcp_error", False, False),
        (Halted(), "hcp_error", False, False),
        (Unavailable("HTTP 503"), "airtable_error", True, False),
    ],
)
def test_an_error_of_a_service_is_a_failure_with_its_word(
    error: Exception, code: str, unreachable: bool, configuration: bool
) -> None:
    found = failure_of(error)

    assert (found.code, found.unreachable, found.configuration) == (code, unreachable, configuration)


def test_a_real_cycle_runs_the_steps_of_jobs_in_their_order(house: House) -> None:
    """C-2, J-83, JX-46: linked, made, verified, named, under one lease."""
    linked, made = house.stay(), house.stay(days=6)
    job = house.hand_made()
    house.desk.db.close()
    (house.desk.settings.folder / "state.db").unlink()

    result = controller.run(house.desk.settings, RunRequest(only=STEPS))

    assert [each.name for each in result.automations] == list(STEPS)
    assert [each.state for each in result.automations] == [RunState.SUCCEEDED] * 4
    assert house.row(linked)["Service Job ID"] == job["id"]
    assert house.row(made)["Job Status"] == "Scheduled"
    assert result.exit_code == 0


def test_a_real_cycle_without_housecall_pro_fails_and_names_the_settings(house: House) -> None:
    settings = house.desk.settings.model_copy(update={"hcp_api_key": None})
    (settings.folder / "state.db").unlink()

    result = controller.run(settings, RunRequest(only=(adding.NAME,)))

    assert result.automations[0].error_text == "not set: HCP_API_KEY"
    assert result.exit_code == 4


def _ended(desk: JobDesk, *results: AutomationResult) -> None:
    with desk.db.begin() as connection:
        watch.keep(connection, watch.Ended("dev", "run-1", desk.clock(), Base(), results, 0))


def _result(desk: JobDesk, code: str | None, **counters: int) -> AutomationResult:
    state = RunState.FAILED if code else RunState.SUCCEEDED
    return AutomationResult("run-1", adding.NAME, state, "", dict(counters), code, code, desk.clock(), 1.0)


@pytest.mark.parametrize(
    ("code", "alert"), [("hcp_credential_refused", "credential_refused"), ("hcp_down", "hcp_down")]
)
def test_what_stands_in_the_way_is_an_alert_until_housecall_pro_answers_again(
    house: House, code: str, alert: str
) -> None:
    """A-11, A-13; a cycle that did not ask it knows nothing of it."""
    desk = house.desk
    seen = []
    for result in (_result(desk, code), _result(desk, None), _result(desk, None, hcp_calls=2)):
        _ended(desk, result)
        seen.append((alert, "housecallpro") in house.alerts())

    assert seen == [True, True, False]
