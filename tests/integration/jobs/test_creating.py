"""A person presses Create Job: one job, priced, named and marked, whatever was there before (J-44 … J-58)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from changeover.core.job import Job
from changeover.engine.jobs import creating, making
from changeover.engine.jobs.operations import Action, Answer, perform
from changeover.engine.lease import LeaseLost
from changeover.housecallpro import line_items
from changeover.housecallpro.client import HousecallPro
from changeover.housecallpro.errors import Validation
from plugins.housecallpro import DEV
from plugins.job_house import AT_ONCE, House, text, with_settings

ANSWER = frozenset(
    {"success", "environment", "jobId", "appointmentId", "scheduledTime", "serviceName", "syncStatus", "syncDetails"}
)


def press(house: House, record_id: str, action: Action = Action.CREATE) -> Answer:
    return perform(house.desk, action, record_id)


def test_a_stay_gets_one_job_with_the_templates_lines_and_a_row_that_says_so(house: House) -> None:
    """J-52, JX-8: with its prices, and the row says all that was read."""
    stay = house.stay()

    answer = press(house, stay)

    assert answer.success, answer
    (job,) = house.jobs()
    row = house.row(stay)
    assert (row["Service Job ID"], row["Job Status"], row["Sync Status"]) == (job["id"], "Scheduled", "Synced")
    assert row["Service Appointment ID"] == job["schedule"]["appointments"][0]["id"] == answer.appointment_id
    assert job["schedule"]["scheduled_start"] == text(house.start()) == answer.scheduled_time
    assert [note["content"] for note in job["notes"]] == [f"Changeover ref {stay}"]
    lines = house.service.lines(job)
    assert [(line["name"], line["unit_price"], line["kind"]) for line in lines] == [
        ("Turnover STR Next Guest Unknown", 14500, "labor"),
        ("Linen", 2500, "materials"),
    ]
    written = ("Service Line Description", "Last Synced Service Line", "HCP Service Line Current")
    assert {row[name] for name in written} == {answer.service_name}
    assert row["Service Sync Details"].startswith("✅ Job created for ")
    assert row["Assignee"] == "Robin Example"
    assert "Schedule Sync Details" not in row
    body = answer.to_json()
    assert body["syncDetails"].startswith("Schedules in sync: ")
    assert body.keys() == ANSWER
    assert (body["success"], body["environment"], body["jobId"]) == (True, "dev", job["id"])


def test_a_creation_waits_for_nothing_where_the_appointment_is_there(house: House) -> None:
    """J-52, JX-7: no fixed sleep; the job is read, and read again only while it has no visit."""
    slept: list[float] = []
    hcp = house.desk.hcp
    patient = HousecallPro(house.service.url, DEV.api_key, replace(hcp.wiring, sleep=slept.append))

    answer = perform(replace(house.desk, hcp=patient, sleep=slept.append), Action.CREATE, house.stay())

    assert (answer.success, answer.appointment_id is not None) == (True, True)
    assert slept == []


def posted(house: House, since: int) -> dict:
    """The body that made a job."""
    made = house.service.control("GET", "/requests", since=since).json()["requests"]
    (body,) = [each["body"] for each in made if (each["method"], each["path"]) == ("POST", "/jobs")]
    return body


def test_a_job_is_ordered_with_what_the_rule_names_and_with_no_number(house: House) -> None:
    """J-49, JX-12: the service numbers its jobs itself."""
    stay = house.stay()
    since = house.mark()[1]

    assert press(house, stay).success

    settings = house.desk.settings
    assert posted(house, since) == {
        "customer_id": house.ids["customer"],
        "address_id": house.ids["address"],
        "schedule": {
            "scheduled_start": text(house.start()),
            "scheduled_end": text(house.start() + timedelta(hours=1)),
            "arrival_window": 0,
        },
        "assigned_employee_ids": [settings.hcp_employee_id],
        "line_items": [],
        "notes": f"Changeover ref {stay}",
        "job_fields": {"job_type_id": settings.hcp_str_next_guest_job_type_id},
    }


@pytest.mark.parametrize(
    ("service", "owner", "field", "setting"),
    [
        ("Turnover", False, "Turnover", "hcp_str_next_guest_job_type_id"),
        ("Deep Clean", False, "Turnover", "hcp_str_next_guest_job_type_id"),
        ("Turnover", True, "Turnover", "hcp_str_owner_job_type_id"),
        ("Return Laundry", True, "Return Laundry", "hcp_return_laundry_job_type_id"),
        ("Inspection", False, "Inspection", "hcp_inspection_job_type_id"),
    ],
)
def test_the_word_of_a_select_decides_template_type_and_line(
    house: House, service: str, owner: bool, field: str, setting: str
) -> None:
    """J-32, J-33, JX-2, JX-13: laundry is no turnover, and each of the four settings is the type of its own jobs."""
    for number, each in enumerate(("Return Laundry", "Inspection")):
        template = house.service.job(start=None)["id"]
        lines = [{"name": f"Template of {each}", "unit_price": 1000 + number}]
        house.service.ok("PUT", f"/jobs/{template}/line_items/bulk_update", {"line_items": lines})
        house.edit(house.ids["home"], "Properties", **{f"{each.replace(' ', '_')}_Job_Template_ID": template})
    stay = house.stay(Service_Type=service, Owner_Arriving=owner)

    assert press(house, stay).success

    job = house.job_of(stay)
    prices = {"Turnover": [14500, 2500], "Return Laundry": [1000], "Inspection": [1001]}
    assert [line["unit_price"] for line in house.service.lines(job)] == prices[field]
    assert job["job_fields"]["job_type"]["id"] == getattr(house.desk.settings, setting)
    flag = "OWNER ARRIVING - " if owner else ""
    assert house.service.lines(job)[0]["name"] == f"{flag}{service} STR Next Guest Unknown"


@pytest.mark.parametrize("lacking", [None, ""])
def test_a_job_type_that_is_not_set_is_the_next_guests_and_never_left_out(house: House, lacking: str | None) -> None:
    """J-8, JX-13."""
    names = ("hcp_str_owner_job_type_id", "hcp_return_laundry_job_type_id", "hcp_inspection_job_type_id")
    house = with_settings(house, **dict.fromkeys(names, lacking))
    template = house.ids["template"]
    both = {"Return_Laundry_Job_Template_ID": template, "Inspection_Job_Template_ID": template}
    house.edit(house.ids["home"], "Properties", **both)
    services = {"Turnover": True, "Return Laundry": False, "Inspection": False}
    for number, (service, owner) in enumerate(services.items()):
        since, stay = house.mark()[1], house.stay(days=3 + number, Service_Type=service, Owner_Arriving=owner)

        assert press(house, stay).success

        sent = posted(house, since)["job_fields"]
        assert sent == {"job_type_id": house.desk.settings.hcp_str_next_guest_job_type_id}


def test_a_creation_costs_five_calls_and_one_for_an_address_not_checked_that_day(house: House) -> None:
    """J-46, J-109: address and template are asked before anything is made."""
    first, second = house.stay(), house.stay(days=5)

    calls = house.hcp_calls(lambda: press(house, first))
    again = house.hcp_calls(lambda: press(house, second))

    job = house.row(first)["Service Job ID"]
    assert calls == [
        f"GET /customers/{house.ids['customer']}/addresses",
        f"GET /jobs/{house.ids['template']}/line_items",
        "GET /jobs",
        "POST /jobs",
        f"PUT /jobs/{job}/line_items/bulk_update",
        f"GET /jobs/{job}",
    ]
    assert len(again) == 5
    assert len(house.hcp_calls(lambda: press(house, first))) == 1


def test_a_refusal_asks_nothing_of_housecall_pro_and_writes_nothing(house: House) -> None:
    """J-16 … J-26, J-29, JX-10, JX-11: a person's name is no customer's id."""
    nameless = house.add("Customers", Full_Name="Nobody", HCP_Customer_ID="Casey Example")
    bare = house.add("Properties", Property_Name="Bare House")
    no_customer = house.add("Properties", Property_Name="Odd House", HCP_Customer_ID=[nameless])
    no_address = house.add("Properties", Property_Name="Lost House", HCP_Customer_ID=[house.ids["owner"]])
    templateless = house.home("Plain House", Turnover_Job_Template_ID="")
    cases = {
        house.stay(Status="Removed"): "not_eligible",
        house.stay(Service_Type="No Service"): "not_eligible",
        house.stay(Entry_Type="Block", Service_Type="Turnover", Ready_for_Job=None): "not_eligible",
        house.stay(Custom_Service_Time="soon"): "no_service_time",
        house.stay(days=-2): "not_eligible",
        house.stay(Property_ID=None): "no_property",
        house.stay(bare): "no_hcp_customer",
        house.stay(no_customer): "no_hcp_customer",
        house.stay(no_address): "no_hcp_address",
        house.stay(templateless): "no_template",
        "recSTAY0000000404": "not_found",
        "nonsense": "not_found",
    }
    mark = house.mark()

    answers = {record_id: press(house, record_id) for record_id in cases}

    base, hcp = house.calls(mark)
    assert {record_id: answer.code for record_id, answer in answers.items()} == cases
    assert hcp == []
    assert {each.split()[0] for each in base} == {"GET"}
    assert answers[list(cases)[8]].error == 'Property "Lost House" has no HCP Address ID.'
    assert all(answer.to_json()["success"] is False for answer in answers.values())


def test_a_home_that_was_completed_a_moment_ago_is_read_again_before_anything_is_refused(house: House) -> None:
    """AT-36."""
    stay = house.stay()
    house.refresh()
    house.edit(house.ids["home"], "Properties", HCP_Address_ID="")
    assert press(house, stay).code == "no_hcp_address"
    house.edit(house.ids["home"], "Properties", HCP_Address_ID=house.ids["address"])

    assert press(house, stay).success


def test_what_housecall_pro_does_not_know_is_refused_by_name(house: House) -> None:
    """J-27, J-28, J-46, JX-9: a deleted template makes no job."""
    stay = house.stay()
    house.edit(house.ids["home"], "Properties", HCP_Address_ID=f"adr_{7:032x}")
    wrong_address = press(house, stay)
    house.edit(house.ids["owner"], "Customers", HCP_Customer_ID=f"cus_{7:032x}")
    nobody = press(house, stay)
    house.edit(house.ids["owner"], "Customers", HCP_Customer_ID=house.ids["customer"])
    empty = house.service.job(start=None)["id"]
    house.edit(
        house.ids["home"], "Properties", HCP_Address_ID=house.ids["address"], Turnover_Job_Template_ID=f"job_{7:032x}"
    )
    gone = press(house, stay)
    house.edit(house.ids["home"], "Properties", Turnover_Job_Template_ID=empty)
    without_lines = press(house, stay)

    assert [wrong_address.code, nobody.code] == ["address_mismatch", "address_mismatch"]
    assert (wrong_address.http, gone.http) == (409, 422)
    assert [gone.code, without_lines.code] == ["no_template", "no_template"]
    assert "Service Job ID" not in house.row(stay)


def test_a_job_that_somebody_made_by_hand_is_linked_and_its_lines_are_left_alone(house: House) -> None:
    """J-47, J-91, JX-5."""
    stay = house.stay()
    job = house.hand_made(minute=30)
    house.service.ok("PUT", f"/jobs/{job['id']}/line_items/bulk_update", {"line_items": [{"name": "By hand"}]})

    calls = house.hcp_calls(lambda: press(house, stay))

    row = house.row(stay)
    assert row["Service Job ID"] == job["id"]
    assert row["Service Sync Details"].startswith("✅ Linked to HCP job for ")
    assert row["Sync Status"] == "Wrong Time"
    assert [line["name"] for line in house.service.lines(job)] == ["By hand"]
    assert all(call.startswith("GET") for call in calls)


def test_a_job_with_the_rows_marker_is_its_own_even_when_all_memory_is_lost(house: House) -> None:
    """J-58, J-86."""
    stay = house.stay()
    job = house.hand_made(hour=15, notes=f"Changeover ref {stay}")

    answer = press(house, stay)

    assert answer.job_id == job["id"]
    assert len(house.jobs()) == 1


def test_of_several_jobs_that_may_be_a_stays_only_a_person_can_say_which(house: House) -> None:
    """J-88, J-90."""
    stay = house.stay()
    jobs = {house.hand_made()["id"], house.hand_made(minute=45)["id"]}

    answer = press(house, stay)

    assert answer.code == "not_eligible"
    assert all(job in str(answer.error) for job in jobs)
    assert len(house.jobs()) == 2


def test_a_job_of_that_day_at_another_hour_is_no_obstacle_and_is_named(house: House) -> None:
    """J-89, J-90."""
    stay = house.stay()
    house.hand_made(hour=16)

    assert press(house, stay).success
    assert "; another HCP job exists that day - " in house.row(stay)["Service Sync Details"]
    assert len(house.jobs()) == 2


def test_a_job_of_another_home_of_that_customer_is_not_looked_at_twice(house: House) -> None:
    """JX-48: what one row has is no other's."""
    stay = house.stay()
    house.hand_made(days=3)
    house.edit(house.stay(days=3), Service_Job_ID=house.jobs()[0]["id"])
    house.refresh()

    assert press(house, stay).success
    assert len(house.jobs()) == 2


def test_the_status_is_what_the_last_read_says_and_not_what_was_ordered(house: House) -> None:
    """J-52, JX-15: a cleaner was quicker than we."""
    stay, put = house.stay(), making._lined

    def begin_first(bench: making.Bench, begun: making.Making, *, fresh: bool) -> making.Making:
        house.service.act({"id": begun.job_id}, "start")
        return put(bench, begun, fresh=fresh)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(making, "_lined", begin_first)
        assert press(house, stay).success

    assert house.row(stay)["Job Status"] == "In Progress"
    assert house.row(stay)["Job Started Time"]


# -- a row that has a job (J-57) -------------------------------------------------------------------------------------


def test_pressed_again_a_healthy_job_is_only_read(house: House) -> None:
    """J-45, J-57."""
    stay = house.stay()
    press(house, stay)
    house.service.act(house.job_of(stay), "start")

    calls = house.hcp_calls(lambda: press(house, stay))

    assert len(calls) == 1
    assert house.row(stay)["Job Status"] == "In Progress"
    assert len(house.jobs()) == 1


@pytest.mark.parametrize("action", ["cancel", "delete"])
def test_a_job_that_cannot_be_brought_back_is_replaced_and_named(house: House, action: str) -> None:
    """J-57, JX-6: revived by a call that exists, or not at all."""
    stay = house.stay()
    press(house, stay)
    old = house.job_of(stay)
    house.service.act(old, action)
    mark = house.mark()

    answer = press(house, stay)

    calls = house.calls(mark)[1]
    assert answer.success
    assert [call for call in calls if call.startswith("PUT") and old["id"] in call] == (
        [f"PUT /jobs/{old['id']}/schedule"] if action == "cancel" else []
    )
    assert answer.job_id != old["id"]
    assert f"it replaces {old['id']}" in house.row(stay)["Service Sync Details"]
    assert house.row(stay)["Job Status"] == "Scheduled"


def test_a_canceled_job_that_takes_a_schedule_lives_on(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """J-57: the stand-in never revives one; a service that does is as good (HC-64)."""
    stay = house.stay()
    press(house, stay)
    old = house.job_of(stay)
    house.service.act(old, "cancel")
    sent = []

    def settled(_client: object, job_id: str, good: object) -> Job:
        return Job(job_id, work_status="scheduled", start=sent[0].start, customer_id=house.ids["customer"])

    monkeypatch.setattr(creating.schedule, "send", lambda _client, _id, change: sent.append(change))
    monkeypatch.setattr(creating.jobs, "settled", settled)

    answer = press(house, stay)

    assert (answer.job_id, answer.sync_status) == (old["id"], "Synced")
    assert house.row(stay)["Service Sync Details"].startswith("✅ Schedule updated successfully.")


# -- what a creation meets -------------------------------------------------------------------------------------------


def test_an_employee_who_left_is_assigned_nothing_and_said_once(house: House) -> None:
    """J-34, JX-14."""
    stay = house.stay()
    house.service.employee(id=house.desk.settings.hcp_employee_id, active=False)

    assert press(house, stay).success
    (job,) = house.jobs()
    assert job["assigned_employees"] == []
    assert ("employee_inactive", house.desk.settings.hcp_employee_id) in house.alerts()


def test_a_refused_creation_leaves_nothing_behind(house: House) -> None:
    stay = house.stay()
    house.service.fault("status", method="POST", path="^/jobs$", value=422)

    answer = press(house, stay)

    assert (answer.code, answer.http) == ("hcp_error", 502)
    assert press(house, stay).success
    assert len(house.jobs()) == 1


def test_a_name_that_is_too_long_is_fitted_once_more(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """J-51."""
    stay = house.stay(Custom_Service_Line_Instructions="é" * 190)
    house = with_settings(house, service_line_limit=240)
    replace_all = line_items.replace_all

    def strict(client: object, job_id: str, lines: tuple) -> object:
        if len(lines[0].name) > 200:
            raise Validation("name is too long", fields={"name": "is too long"})
        return replace_all(client, job_id, lines)

    monkeypatch.setattr(making.line_items, "replace_all", strict)

    assert press(house, stay).success
    row = house.row(stay)
    assert len(row["Service Line Description"]) > 200
    assert len(row["Last Synced Service Line"]) <= 200
    assert house.service.lines(house.job_of(stay))[0]["name"] == row["Last Synced Service Line"]


def test_lines_that_are_refused_for_good_are_no_success_and_are_tried_each_cycle(house: House) -> None:
    """J-55, J-58, JX-8."""
    stay = house.stay()
    house.service.fault("status", method="PUT", path="bulk_update", value=409, times=2)

    answer = press(house, stay)

    row = house.row(stay)
    assert answer.code == "hcp_error"
    assert row["Service Job ID"]
    assert row["Service Sync Details"].startswith("❌ Job created, line items missing: ")
    house.cycle()
    house.heal()
    house.cycle()
    assert house.row(stay)["Service Sync Details"].startswith("✅ Job created for ")
    assert [line["unit_price"] for line in house.service.lines(house.job_of(stay))] == [14500, 2500]
    assert len(house.jobs()) == 1


def test_other_lines_than_those_sent_are_no_confirmation(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    stay = house.stay()
    monkeypatch.setattr(making.line_items, "replace_all", lambda *_: ())

    assert press(house, stay).code == "hcp_error"
    monkeypatch.undo()
    assert press(house, stay).success
    assert len(house.jobs()) == 1


def test_a_job_deleted_before_it_had_lines_is_said_to_be_deleted(house: House) -> None:
    stay = house.stay()
    house.service.fault("status", method="PUT", path="bulk_update", value=410)
    put = making._lined

    def delete_first(bench: making.Bench, begun: making.Making, *, fresh: bool) -> making.Making:
        house.service.act({"id": begun.job_id}, "delete")
        return put(bench, begun, fresh=fresh)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(making, "_lined", delete_first)
        press(house, stay)

    row = house.row(stay)
    assert (row["Job Status"], row["Sync Status"]) == ("Canceled", "Not Created")
    assert row["Service Sync Details"].startswith("Job deleted in HCP")


# -- two at once -----------------------------------------------------------------------------------------------------


def test_two_who_press_at_once_get_one_job(house: House) -> None:
    """JX-4."""
    stay = house.stay()
    desk = replace(house.desk, pauses=replace(AT_ONCE, claim=10.0))
    house.refresh()

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda _: perform(desk, Action.CREATE, stay), range(2)))

    assert [answer.success for answer in answers] == [True, True]
    assert len({answer.job_id for answer in answers}) == 1
    assert len(house.jobs()) == 1


def test_another_who_is_at_work_on_the_row_makes_it_busy(house: House) -> None:
    stay = house.stay()

    with creating_under_way(house, stay):
        answer = press(house, stay)
        cycle = house.cycle()

    assert (answer.code, answer.http) == ("busy", 409)
    assert cycle[1].text == "0 jobs created"
    assert house.jobs() == []


def creating_under_way(house: House, record_id: str):
    from changeover.engine.jobs.claims import claim

    return claim(house.desk.db, record_id, 0, house.desk.sleep)


def test_a_row_that_is_taken_over_meanwhile_is_busy(house: House) -> None:
    """C-30: who was thought to be dead changes nothing any more."""
    stay = house.stay()

    def lost(*_: object, **__: object) -> None:
        raise LeaseLost("taken")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(making.Bench, "save", lost)
        answer = press(house, stay)
        cycle = house.cycle()

    assert answer.code == "busy"
    assert cycle[1].text == "0 jobs created"
    assert house.jobs() == []


def test_a_persons_own_job_id_ends_a_creation_that_is_not_finished(house: House) -> None:
    """J-45."""
    stay = house.stay()
    house.service.fault("status", method="PUT", path="bulk_update", value=409)
    press(house, stay)
    own = house.hand_made(hour=16)
    house.edit(stay, Service_Job_ID=own["id"])

    answer = press(house, stay)

    assert answer.job_id == own["id"]
    assert house.service.lines(own) == []


def test_the_clock_of_a_creation_is_the_business_s(house: House) -> None:
    """JX-39: a wall time of the base is Phoenix's, on the wire it is UTC."""
    stay = house.stay(Custom_Service_Time="6:30 PM")

    answer = press(house, stay)

    assert answer.scheduled_time == text(house.start(hour=18, minute=30))
    read = datetime.fromisoformat(house.row(stay)["Scheduled Service Time"])
    assert read == house.start(hour=18, minute=30)
    assert house.start(hour=18, minute=30) - house.start(hour=0, minute=0) == timedelta(hours=18, minutes=30)
