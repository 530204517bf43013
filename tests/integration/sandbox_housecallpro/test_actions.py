"""What people do in the app (HC-57, HC-110)."""

import pytest

from plugins.housecallpro import END, START

AT = "2026-03-04T18:02:11Z"
LATER, LATER_END = "2026-03-06T17:00:00Z", "2026-03-06T19:30:00Z"


def done(service, job: dict, action: str, **more: object) -> dict:
    answer = service.act(job, action, **more)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert set(told) == {"job", "events"}
    return told["job"]


def test_a_visit_takes_its_course(service) -> None:
    job = service.job()
    on_my_way = done(service, job, "on_my_way", at=AT)
    assert (on_my_way["work_status"], on_my_way["work_timestamps"]["on_my_way_at"]) == ("scheduled", AT)
    started = done(service, job, "start", at="2026-03-04T11:10:00-07:00")
    assert (started["work_status"], started["work_timestamps"]["started_at"]) == ("in progress", "2026-03-04T18:10:00Z")
    completed = done(service, job, "complete")
    assert completed["work_status"] == "complete unrated"
    assert completed["work_timestamps"]["completed_at"] == completed["updated_at"]
    assert service.read(job) == {key: value for key, value in completed.items() if key != "attachments"}


def test_a_job_may_be_completed_without_a_start_and_rated(service) -> None:
    assert done(service, service.job(), "complete", rated=True)["work_status"] == "complete rated"


def test_a_cancellation_is_the_pros_or_the_users(service) -> None:
    pro, user = service.job(), service.job(start=None)
    canceled = done(service, pro, "cancel", at=AT)
    assert (canceled["work_status"], canceled["deleted_at"], canceled["canceled_at"]) == ("pro canceled", AT, None)
    canceled = done(service, user, "cancel", by="user", at=AT)
    assert (canceled["work_status"], canceled["deleted_at"], canceled["canceled_at"]) == ("user canceled", None, AT)
    assert service.read(pro)["schedule"]["scheduled_start"] == START


def test_a_visit_is_moved_and_keeps_its_length(service) -> None:
    job = service.job()
    moved = done(service, job, "reschedule", start=LATER)["schedule"]
    assert (moved["scheduled_start"], moved["scheduled_end"]) == (LATER, "2026-03-06T18:00:00Z")
    assert done(service, job, "reschedule", start=LATER, end=LATER_END)["schedule"]["scheduled_end"] == LATER_END
    started = done(service, job, "start")
    assert done(service, started, "reschedule", start=START)["work_status"] == "in progress"


def test_an_unscheduled_job_is_scheduled(service) -> None:
    job = done(service, service.job(start=None), "reschedule", start=START)
    assert (job["work_status"], job["schedule"]["scheduled_end"]) == ("scheduled", END)


def test_of_several_visits_the_one_is_moved_that_is_named(service) -> None:
    job = done(service, service.job(), "add_appointment", start=LATER, end=LATER_END)
    first, second = (one["id"] for one in job["schedule"]["appointments"])
    moved = done(service, job, "reschedule", start="2026-03-08T17:00:00Z", appointment_id=first)
    assert [one["id"] for one in moved["schedule"]["appointments"]] == [second, first]
    assert service.act(job, "reschedule", start=LATER).status_code == 409
    assert service.act(job, "reschedule", start=LATER, appointment_id="appt_x").status_code == 400


def test_people_are_added_and_taken_away_at_every_visit(service) -> None:
    robin, sasha = service.employee("Robin"), service.employee("Sasha")
    job = service.job(assigned_employee_ids=[robin["id"]])
    both = done(service, job, "add_appointment", start=LATER, end=LATER_END)
    assert [one["dispatched_employees_ids"] for one in both["schedule"]["appointments"]] == [[robin["id"]]] * 2
    assigned = done(service, job, "assign", employee_ids=[sasha["id"], robin["id"]])
    assert [one["first_name"] for one in assigned["assigned_employees"]] == ["Robin", "Sasha"]
    left = done(service, job, "unassign", employee_ids=[robin["id"]])
    assert [one["dispatched_employees_ids"] for one in left["schedule"]["appointments"]] == [[sasha["id"]]] * 2
    assert service.act(job, "unassign", employee_ids=[robin["id"]]).status_code == 409
    assert service.act(job, "assign", employee_ids=["pro_x"]).status_code == 400


def test_an_unscheduled_job_may_have_people(service) -> None:
    robin = service.employee()
    job = done(service, service.job(start=None), "assign", employee_ids=[robin["id"]])
    assert [one["id"] for one in job["assigned_employees"]] == [robin["id"]]
    assert done(service, job, "unassign", employee_ids=[robin["id"]])["assigned_employees"] == []


def test_a_further_visit_may_have_people_of_its_own(service) -> None:
    robin = service.employee()
    job = done(service, service.job(), "add_appointment", start=LATER, end=LATER_END, employee_ids=[robin["id"]])
    assert [one["dispatched_employees_ids"] for one in job["schedule"]["appointments"]] == [[], [robin["id"]]]
    assert done(service, service.job(start=None), "add_appointment", start=START, end=END)["work_status"] == "scheduled"


def test_the_first_line_is_renamed_unless_another_is_meant(service) -> None:
    """HC-69, HC-110."""
    job = service.job(line_items=[{"name": "A", "unit_price": 7}, {"name": "B"}])
    done(service, job, "rename_line_item", name="First")
    second = service.lines(job)[1]
    done(service, job, "rename_line_item", name="Second", line_item_id=second["id"])
    assert [(one["name"], one["unit_price"]) for one in service.lines(job)] == [("First", 7), ("Second", 0)]
    assert service.act(job, "rename_line_item", name="x" * 256).status_code == 400
    assert service.act(job, "rename_line_item", name="A", line_item_id="rli_x").status_code == 409
    assert service.act(service.job(), "rename_line_item", name="A").status_code == 409
    service.ok("POST", f"/jobs/{job['id']}/lock")
    assert service.act(job, "rename_line_item", name="A").status_code == 409


_BEGUN = {"on_my_way", "start", "complete"}
_OVER = {*_BEGUN, "cancel", "reschedule", "assign", "add_appointment"}
FORBIDDEN = {
    "unscheduled": _BEGUN,
    "started": {"start"},
    "completed": _OVER,
    "canceled": {*_OVER, "rename_line_item"},
    "deleted": {*_OVER, "rename_line_item", "delete"},
}
BEFORE = {"unscheduled": None, "started": "start", "completed": "complete", "canceled": "cancel", "deleted": "delete"}


@pytest.mark.parametrize("state", FORBIDDEN)
def test_what_a_jobs_state_forbids_is_a_conflict_and_changes_nothing(service, state: str) -> None:
    robin = service.employee()
    job = service.job(START if state != "unscheduled" else None, line_items=[{"name": "A"}])
    if BEFORE[state]:
        done(service, job, BEFORE[state])
    needs = {
        "reschedule": {"start": LATER},
        "assign": {"employee_ids": [robin["id"]]},
        "add_appointment": {"start": LATER, "end": LATER_END},
        "rename_line_item": {"name": "B"},
    }
    before = service.ok("GET", "/jobs")
    for action in sorted(FORBIDDEN[state]):
        answer = service.act(job, action, **needs.get(action, {}))
        assert (answer.status_code, "error" in answer.json()) == (409, True), action
    assert service.ok("GET", "/jobs") == before


def test_a_job_of_any_state_can_be_deleted(service) -> None:
    job = service.job()
    done(service, job, "cancel")
    assert done(service, job, "delete", at=AT)["deleted_at"] == AT


@pytest.mark.parametrize(
    "order",
    [
        {},
        {"action": "explode"},
        {"action": "start", "at": "2026-03-04T18:00:00"},
        {"action": "start", "rated": True},
        {"action": "cancel", "by": "guest"},
        {"action": "reschedule"},
        {"action": "reschedule", "start": LATER, "end": START},
        {"action": "assign"},
        {"action": "assign", "employee_ids": []},
        {"action": "add_appointment", "start": LATER},
        {"action": "rename_line_item", "name": " "},
        ["start"],
    ],
)
def test_an_action_that_cannot_be_meant_is_refused(service, order: object) -> None:
    job = service.job(line_items=[{"name": "A"}])
    assert service.control("POST", f"/jobs/{job['id']}/actions", order).status_code == 400
    assert service.read(job) == job


def test_nobody_can_act_on_a_job_that_is_not_there(service) -> None:
    assert service.act({"id": "job_x"}, "start").status_code == 404
