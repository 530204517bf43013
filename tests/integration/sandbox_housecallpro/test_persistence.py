"""What was answered outlives the stand-in (sandbox.md)."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from changeover_sandbox.housecallpro.app import create_app
from plugins.housecallpro import DEV, PROD, Clock, Server, Service

VISIT = {"start_time": "2026-03-06T17:00:00Z", "end_time": "2026-03-06T18:00:00Z", "dispatched_employees_ids": []}


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[], Service]]:
    """Start a stand-in on the test's folder; a second start stops the first."""
    running: list[Server] = []

    def run() -> Service:
        while running:
            running.pop().stop()
        clock = Clock()
        running.append(Server(create_app(tmp_path / "hcp", [DEV, PROD], clock=clock)))
        return Service(running[-1].url, clock)

    yield run
    while running:
        running.pop().stop()


def everything(service: Service) -> list[object]:
    jobs = service.ok("GET", "/jobs?expand[]=appointments&page_size=200")
    paths = ("/customers", "/employees", "/job_fields/job_types", "/tags")
    lines = [service.lines(job) for job in jobs["jobs"]]
    return [jobs, lines, *(service.ok("GET", path) for path in paths), service.control("GET", "/webhooks").json()]


def test_all_is_as_it_was_after_a_restart(start, receiver) -> None:
    service = start()
    robin, kind = service.employee(), service.job_type("STR")
    service.employee("Gone", active=False)
    job = service.job(
        assigned_employee_ids=[robin["id"]],
        job_fields={"job_type_id": kind["id"]},
        line_items=[{"name": "A", "quantity": 1.25}, {"name": "B"}],
        tags=["Pool"],
        notes="N",
    )
    unscheduled = service.job(start=None, invoice_number=70)
    deleted = service.job()
    service.act(job, "start", at="2026-03-04T18:02:11.5Z")
    service.act(deleted, "delete")
    discarded = service.ok("POST", f"/jobs/{job['id']}/appointments", VISIT)["id"]
    service.act(unscheduled, "reschedule", start="2026-03-08T17:00:00Z")
    unscheduled_visit = service.visits(unscheduled)[0]["id"]
    service.ok("DELETE", f"/jobs/{unscheduled['id']}/appointments/{unscheduled_visit}")
    service.listen(receiver.url, secret="s", delay=0.1)
    other = service.as_(PROD)
    other.customer(first_name="Prod")
    before = everything(service), everything(other)

    again = start()
    assert (everything(again), everything(again.as_(PROD))) == before
    assert again.job()["invoice_number"] == "72"
    assert again.call("GET", f"/jobs/{deleted['id']}").status_code == 404
    assert again.call("GET", f"/jobs/{deleted['id']}/line_items").status_code == 410
    assert again.call("DELETE", f"/jobs/{unscheduled['id']}/appointments/{unscheduled_visit}").status_code == 410
    assert discarded in [one["id"] for one in again.visits(job)]


def test_a_reset_empties_the_folder_too_and_keys_stay(start) -> None:
    service = start()
    service.job()
    assert service.control("POST", "/reset").json() == {"reset": True}
    assert service.ok("GET", "/jobs")["total_items"] == 0
    again = start()
    assert (again.ok("GET", "/jobs")["total_items"], again.ok("GET", "/customers")["total_items"]) == (0, 0)
    assert again.job()["invoice_number"] == "1"
