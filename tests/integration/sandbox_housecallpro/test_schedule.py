"""Schedule, people and appointments over the public API (HC-59 to HC-66, HC-103)."""

import pytest

from plugins.housecallpro import DEV, END, START

LATER, LATER_END = "2026-03-06T17:00:00Z", "2026-03-06T19:30:00Z"
MULTIPLE = {"error": {"message": "job has multiple appointments"}}
ARCHIVED = {"error": {"message": "Can't schedule an archived job"}}


def put(service, job: dict, **body: object):
    return service.call("PUT", f"/jobs/{job['id']}/schedule", {"start_time": LATER, **body})


def of(people: list[dict]) -> list[dict]:
    return [{"employee_id": one["id"]} for one in people]


def visit_body(start: str = LATER, end: str = LATER_END, people: list[str] | None = None) -> dict:
    return {"start_time": start, "end_time": end, "dispatched_employees_ids": people or []}


@pytest.fixture
def people(service) -> list[dict]:
    return [service.employee(name) for name in ("Robin", "Sasha", "Terry")]


@pytest.fixture
def several(service) -> dict:
    """A job of two visits."""
    job = service.job()
    service.ok("POST", f"/jobs/{job['id']}/appointments", visit_body())
    return service.read(job)


def test_an_unscheduled_job_gets_its_first_visit_with_those_who_were_assigned(service, people) -> None:
    job = service.job(start=None, assigned_employee_ids=[people[0]["id"]])
    answer = put(service, job, end_time=LATER_END, arrival_window_in_minutes=45, notify=False, notify_pro=False)
    assert answer.status_code == 200
    assert answer.json() == {"start_time": LATER, "end_time": LATER_END, "arrival_window_minutes": 45}
    read = service.read(job)
    assert read["work_status"] == "scheduled"
    assert read["schedule"]["appointments"][0]["dispatched_employees_ids"] == [people[0]["id"]]


def test_a_later_schedule_moves_the_visit_and_keeps_what_is_not_named(service, people) -> None:
    job = service.job(assigned_employee_ids=[people[0]["id"]])
    put(service, job, end_time=LATER_END, arrival_window_in_minutes=45)
    moved = put(service, job, start_time="2026-03-07T17:00:00Z").json()
    assert moved == {
        "start_time": "2026-03-07T17:00:00Z",
        "end_time": "2026-03-07T19:30:00Z",
        "arrival_window_minutes": 45,
    }
    visit = service.visits(job)[0]
    assert visit["id"] == job["schedule"]["appointments"][0]["id"]
    assert visit["dispatched_employees_ids"] == [people[0]["id"]]


def test_dispatched_employees_replace_the_people_and_an_empty_list_clears_them(service, people) -> None:
    job = service.job(assigned_employee_ids=[people[0]["id"]])
    put(service, job, dispatched_employees=of(people[1:]))
    assert [one["first_name"] for one in service.read(job)["assigned_employees"]] == ["Sasha", "Terry"]
    put(service, job, dispatched_employees=[])
    assert service.read(job)["assigned_employees"] == []


def test_people_and_appointments_are_answered_on_demand(service, people) -> None:
    job = service.job(start=None)
    expand = ["assigned_employees", "appointments"]
    answer = put(service, job, dispatched_employees=of(people[:1]), expand=expand).json()
    assert [one["id"] for one in answer["assigned_employees"]] == [people[0]["id"]]
    assert answer["appointments"] == service.visits(job)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"start_time": None}, "start_time"),
        ({"start_time": "2026-03-06T17:00:00"}, "start_time"),
        ({"end_time": LATER}, "end_time"),
        ({"end_time": START}, "end_time"),
        ({"arrival_window_in_minutes": "30"}, "arrival_window_in_minutes"),
        ({"notify": "no"}, "notify"),
        ({"dispatched_employees": [{"employee_id": "pro_x"}]}, "dispatched_employees"),
        ({"dispatched_employees": ["pro_x"]}, "dispatched_employees"),
        ({"dispatched_employees": [{}]}, "employee_id"),
    ],
)
def test_a_wrong_schedule_is_refused_and_nothing_moves(service, body: dict, told: str) -> None:
    job = service.job()
    answer = put(service, job, **body)
    assert (answer.status_code, told in answer.json()) == (400, True)
    assert service.read(job) == job


def test_a_job_of_several_visits_refuses_a_schedule_of_its_own(service, several) -> None:
    answer = put(service, several)
    assert (answer.status_code, answer.json()) == (400, MULTIPLE)


def test_canceled_completed_and_locked_jobs_stay_where_they_are(service) -> None:
    canceled, completed, locked = (service.job() for _ in range(3))
    service.act(canceled, "cancel", by="user")
    service.act(completed, "complete")
    assert service.ok("POST", f"/jobs/{locked['id']}/lock")["locked_at"] is not None
    assert put(service, canceled).json() == ARCHIVED
    for job in (canceled, completed, locked):
        assert put(service, job).status_code == 400
        assert service.call("DELETE", f"/jobs/{job['id']}/schedule").status_code == 400
        assert service.call("PUT", f"/jobs/{job['id']}/dispatch", {"dispatched_employees": []}).status_code == 400
        assert service.call("POST", f"/jobs/{job['id']}/appointments", visit_body()).status_code == 400
        assert service.read(job)["schedule"]["scheduled_start"] == START


def test_erasing_the_schedule_keeps_the_job_and_frees_its_people(service, people, several) -> None:
    service.ok("PUT", f"/jobs/{several['id']}/dispatch", {"dispatched_employees": of(people)})
    answer = service.call("DELETE", f"/jobs/{several['id']}/schedule")
    assert (answer.status_code, answer.json()) == (200, {"object": "schedule", "deleted": True})
    read = service.read(several)
    assert (read["work_status"], read["assigned_employees"]) == ("needs scheduling", [])
    assert read["schedule"]["appointments"] == []
    again = service.call("DELETE", f"/jobs/{several['id']}/schedule")
    assert (again.status_code, service.read(several)["schedule"]) == (200, read["schedule"])


def test_erasing_no_schedule_frees_the_people_all_the_same(service, people) -> None:
    """HC-105, HC-107: it is a write like every other."""
    job = service.job(start=None, assigned_employee_ids=[one["id"] for one in people])
    service.clock.ahead += 1
    service.ok("DELETE", f"/jobs/{job['id']}/schedule")
    read = service.read(job)
    assert (read["work_status"], read["assigned_employees"]) == ("needs scheduling", [])
    assert read["updated_at"] > job["updated_at"]


@pytest.mark.parametrize("grant", [f"Token {DEV.api_key}", f"Bearer oauth-{DEV.api_key}"])
def test_a_company_key_schedules_and_dispatches_like_an_oauth_token(service, people, grant: str) -> None:
    """HC-6."""
    job = service.job()
    headers = {"Authorization": grant}
    moved = {"start_time": "2026-03-05T17:00:00Z"}
    assert service.call("PUT", f"/jobs/{job['id']}/schedule", moved, headers=headers).status_code == 200
    sent = service.call("PUT", f"/jobs/{job['id']}/dispatch", {"dispatched_employees": of(people)}, headers=headers)
    assert sent.status_code == 200
    read = service.read(job)
    assert read["schedule"]["scheduled_start"] == "2026-03-05T17:00:00Z"
    assert [one["id"] for one in read["assigned_employees"]] == [one["id"] for one in people]


def test_one_arrival_window_has_three_names(service) -> None:
    """HC-10: in minutes, under each of them."""
    job = service.job(start=None, schedule={"scheduled_start": START, "arrival_window": 30})
    assert job["schedule"]["arrival_window"] == 30
    assert service.visits(job)[0]["arrival_window_minutes"] == 30
    moved = put(service, job, arrival_window_in_minutes=45).json()
    assert moved["arrival_window_minutes"] == 45
    assert service.read(job)["schedule"]["arrival_window"] == 45


def test_a_started_job_keeps_its_schedule_but_may_be_moved(service) -> None:
    job = service.job()
    service.act(job, "start")
    assert service.call("DELETE", f"/jobs/{job['id']}/schedule").status_code == 400
    assert put(service, job).status_code == 200
    assert service.read(job)["work_status"] == "in progress"


def test_dispatch_sends_the_same_people_to_every_visit(service, people, several) -> None:
    body = {"dispatched_employees": of(people[:2])}
    answer = service.ok("PUT", f"/jobs/{several['id']}/dispatch", body)
    assert [one["first_name"] for one in answer["assigned_employees"]] == ["Robin", "Sasha"]
    ids = [one["id"] for one in people[:2]]
    assert [one["dispatched_employees_ids"] for one in service.visits(several)] == [ids, ids]
    assert service.call("PUT", f"/jobs/{several['id']}/dispatch", {}).status_code == 400


def test_an_unscheduled_job_may_be_dispatched(service, people) -> None:
    job = service.job(start=None)
    service.ok("PUT", f"/jobs/{job['id']}/dispatch", {"dispatched_employees": of(people[:1])})
    assert [one["id"] for one in service.read(job)["assigned_employees"]] == [people[0]["id"]]


# -- appointments ------------------------------------------------------------------------------------------------------


def test_an_appointment_is_added_moved_and_discarded(service, people) -> None:
    job = service.job()
    first = service.visits(job)[0]
    body = visit_body(people=[people[1]["id"]]) | {"arrival_window_minutes": 15, "notify": True}
    answer = service.call("POST", f"/jobs/{job['id']}/appointments", body)
    second = answer.json()
    assert answer.status_code == 201
    assert second == {
        "id": second["id"],
        "start_date": "2026-03-06",
        "start_time": LATER,
        "end_time": LATER_END,
        "anytime": False,
        "arrival_window_minutes": 15,
        "dispatched_employees_ids": [people[1]["id"]],
    }
    path = f"/jobs/{job['id']}/appointments/{second['id']}"
    moved = service.ok("PUT", path, visit_body("2026-03-02T17:00:00Z", "2026-03-02T18:00:00Z", [people[2]["id"]]))
    assert moved["arrival_window_minutes"] == 15
    assert [one["id"] for one in service.visits(job)] == [second["id"], first["id"]]
    assert service.read(job)["schedule"]["arrival_window"] == 15
    assert service.call("DELETE", path).json() == {"object": "appointment", "deleted": True}
    assert [one["id"] for one in service.visits(job)] == [first["id"]]
    for method in ("PUT", "DELETE"):
        gone = service.call(method, path, visit_body())
        assert (gone.status_code, gone.content) == (410, b"")
    unknown = service.call("DELETE", f"/jobs/{job['id']}/appointments/appt_x")
    assert (unknown.status_code, unknown.json()) == (404, {"error": {"message": "appointment not found"}})


def test_the_first_appointment_schedules_a_job_and_without_the_last_it_needs_scheduling(service, people) -> None:
    job = service.job(start=None)
    made = service.ok("POST", f"/jobs/{job['id']}/appointments", visit_body(people=[people[0]["id"]]))
    assert service.read(job)["work_status"] == "scheduled"
    service.ok("DELETE", f"/jobs/{job['id']}/appointments/{made['id']}")
    read = service.read(job)
    assert (read["work_status"], read["assigned_employees"]) == ("needs scheduling", [])


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"start_time": LATER, "end_time": LATER_END}, "dispatched_employees_ids"),
        ({"start_time": LATER, "dispatched_employees_ids": []}, "end_time"),
        ({"end_time": LATER, "dispatched_employees_ids": []}, "start_time"),
        (visit_body(end=START), "end_time"),
        (visit_body(people=["pro_x"]), "dispatched_employees_ids"),
    ],
)
def test_a_wrong_appointment_is_refused(service, body: dict, told: str) -> None:
    job = service.job()
    path = f"/jobs/{job['id']}/appointments"
    for answer in (
        service.call("POST", path, body),
        service.call("PUT", f"{path}/{service.visits(job)[0]['id']}", body),
    ):
        assert (answer.status_code, told in answer.json()) == (400, True)
    assert service.read(job) == job


def test_a_started_job_keeps_its_appointments(service) -> None:
    job = service.job(START, END)
    service.act(job, "start")
    path = f"/jobs/{job['id']}/appointments/{service.visits(job)[0]['id']}"
    assert service.call("DELETE", path).status_code == 400
    assert service.ok("PUT", path, visit_body())["start_time"] == LATER
