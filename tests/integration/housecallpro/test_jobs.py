"""Jobs, their schedules, visits and lines against the stand-in (housecallpro.md §6, §7, §9, §10; jobs.md §7, §8)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from changeover.core.job import Gone as GoneJob
from changeover.core.job import JobTypes, Visit, marked_rows
from changeover.core.job_order import complete, copied, made_of, order
from changeover.core.job_schedule import MoveJob, MoveVisit, Unschedule
from changeover.core.job_status import JobStatus, status_of
from changeover.housecallpro import directory, jobs, line_items, schedule
from changeover.housecallpro.errors import Ambiguous, Auth, Gone, Misrouted, NotFound, Validation
from plugins.job_world import ROW, RULES, case, home

START = datetime(2026, 3, 4, 17, 15, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.fixture
def wanted(bench):
    """What the row of `job_world` is to get in a company that has everything it needs."""
    customer, person = bench.service.customer(), bench.service.employee()
    kind = bench.service.job_type("Turnover")
    rules = replace(RULES, types=JobTypes(kind["id"]), employee_id=person["id"])
    where = home(customer_id=customer["id"], address_id=customer["addresses"][0]["id"])
    return order(case(at=where, rules=rules))


def test_a_job_is_made_as_ordered_and_read_with_its_visit(bench, wanted):
    """J-49, HC-48, HC-49, HC-50, HC-51."""
    made = jobs.create(bench.client, wanted)
    sent = next(body for body in bench.bodies() if "customer_id" in body)
    assert set(sent) == {
        "customer_id", "address_id", "schedule", "assigned_employee_ids", "line_items", "notes", "job_fields"
    }  # fmt: skip
    assert set(sent["schedule"]) == {"scheduled_start", "scheduled_end", "arrival_window"}
    found = jobs.read(bench.client, made.id)
    assert (found.customer_id, found.address_id, found.job_type_id) == (
        wanted.customer_id,
        wanted.address_id,
        wanted.job_type_id,
    )
    assert (found.start, found.end, found.assignees) == (START, START + HOUR, ("Robin Example",))
    assert [(visit.start, visit.employee_ids) for visit in found.visits] == [(START, (wanted.employee_id,))]
    assert marked_rows(found) == {ROW}
    assert found.absent == frozenset()
    assert line_items.read(bench.client, made.id) == ()


def test_creating_a_job_never_creates_its_customer(bench, wanted):
    """HC-121, J-31."""
    customers = directory.customers(bench.client)
    with pytest.raises(NotFound, match="customer not found"):
        jobs.create(bench.client, replace(wanted, customer_id=f"cus_{9:032x}"))
    assert directory.customers(bench.client) == customers
    assert bench.service.ok("GET", "/jobs")["total_items"] == 0


def test_a_job_without_an_employee_is_nobodys(bench, wanted):
    """J-34."""
    assert jobs.read(bench.client, jobs.create(bench.client, replace(wanted, employee_id="")).id).assignees == ()


def test_an_unclear_creation_is_found_by_its_marker(bench, wanted):
    """J-53."""
    bench.service.fault("drop-after-commit", method="POST", path="^/jobs$")
    with pytest.raises(Ambiguous):
        jobs.create(bench.client, wanted)
    found = jobs.between(bench.client, START - DAY, START + DAY, customer_id=wanted.customer_id)
    assert len(found) == 1
    assert made_of(found, wanted, START, frozenset()) == found[0]


def test_a_window_shows_the_jobs_that_start_in_it_with_their_visits(bench):
    """HC-40, HC-44."""
    inside = bench.service.job()
    bench.service.job("2026-03-09T17:15:00Z", "2026-03-09T18:15:00Z")
    bench.service.job(None)
    bench.forget()
    found = jobs.between(bench.client, START - DAY, START + DAY)
    assert [job.id for job in found] == [inside["id"]]
    assert [visit.start for visit in found[0].visits] == [START]
    assert "page_size=200" in bench.queries()[0]
    assert "sort_by=created_at&sort_direction=asc" in bench.queries()[0]


def test_jobs_without_a_start_are_listed_on_their_own(bench):
    """HC-41."""
    bench.service.job()
    waiting = bench.service.job(None)
    found = jobs.unscheduled(bench.client)
    assert [(job.id, job.start, status_of(job)) for job in found] == [(waiting["id"], None, JobStatus.UNSCHEDULED)]


def test_a_deleted_job_is_gone_and_a_canceled_one_is_read(bench):
    """HC-104, J-67."""
    deleted, canceled = bench.service.job(), bench.service.job()
    bench.service.act(deleted, "delete")
    bench.service.act(canceled, "cancel", by="user")
    assert jobs.look(bench.client, deleted["id"]) == GoneJob(deleted["id"])
    assert status_of(jobs.look(bench.client, canceled["id"])) is JobStatus.CANCELED
    with pytest.raises(NotFound):
        jobs.read(bench.client, deleted["id"])
    with pytest.raises(Gone):
        line_items.read(bench.client, deleted["id"])


def test_an_answer_of_410_means_gone_as_well(bench):
    job = bench.service.job()
    bench.service.fault("status", value="410", path="^/jobs/job_")
    assert jobs.look(bench.client, job["id"]) == GoneJob(job["id"])


def test_no_job_counts_as_deleted_because_of_a_wrong_address_or_key(bench):
    """HC-92."""
    job = bench.service.job()
    with pytest.raises(Misrouted):
        jobs.look(bench.make(f"{bench.service.url}/v1"), job["id"])
    with pytest.raises(Auth):
        jobs.look(bench.make(api_key="wrong"), job["id"])
    bench.service.fault("status", value="404", path="^/jobs/job_")  # says nothing of a job, but the company is there
    assert jobs.look(bench.client, job["id"]) == GoneJob(job["id"])


def test_a_write_is_read_again_until_it_shows_at_most_three_times(bench):
    """HC-94."""
    job = bench.service.job()
    assert jobs.settled(bench.client, job["id"], lambda found: found.start == START).id == job["id"]
    assert bench.clock.slept == []
    bench.forget()
    assert jobs.settled(bench.client, job["id"], lambda found: found.start is None).start == START
    assert len(bench.calls()) == 3
    assert bench.clock.slept == [0.5, 1.5]
    bench.service.act(job, "delete")
    assert jobs.settled(bench.client, job["id"], lambda found: True) == GoneJob(job["id"])


def test_notes_and_tags_come_and_go(bench):
    job = bench.service.job()
    tag = directory.create_tag(bench.client, "VIP")
    note = jobs.add_note(bench.client, job["id"], "Gate is stiff")
    jobs.add_tag(bench.client, job["id"], tag.id)
    assert jobs.read(bench.client, job["id"]).notes == ("Gate is stiff",)
    assert bench.service.read(job)["tags"] == ["VIP"]
    jobs.delete_note(bench.client, job["id"], note)
    jobs.remove_tag(bench.client, job["id"], tag.id)
    assert jobs.read(bench.client, job["id"]).notes == ()
    assert bench.service.read(job)["tags"] == []


# -- schedules -------------------------------------------------------------------------------------------------------


def test_a_schedule_is_moved_without_notifying_anybody_and_keeps_its_people(bench):
    """HC-10, HC-60, HC-61."""
    person = bench.service.employee()
    job = bench.service.job(assigned_employee_ids=[person["id"]])
    bench.forget()
    schedule.send(bench.client, job["id"], MoveJob(START + HOUR, START + 2 * HOUR, 30))
    assert bench.bodies() == [
        {
            "start_time": "2026-03-04T18:15:00Z",
            "end_time": "2026-03-04T19:15:00Z",
            "arrival_window_in_minutes": 30,
            "notify": False,
            "notify_pro": False,
        }
    ]
    found = jobs.read(bench.client, job["id"])
    assert (found.start, found.window_minutes, found.assignees) == (START + HOUR, 30, ("Robin Example",))


def test_a_job_without_a_schedule_gets_one_with_the_employee(bench):
    """J-60, HC-118, HC-119: by the same PUT as a later one."""
    person, job = bench.service.employee(), bench.service.job(None)
    bench.forget()
    for start in (START + HOUR, START):
        schedule.send(bench.client, job["id"], MoveJob(start, start + HOUR, 0, person["id"]))
    assert bench.calls() == [("PUT", f"/jobs/{job['id']}/schedule", 200)] * 2
    found = jobs.read(bench.client, job["id"])
    assert (found.start, found.employee_ids) == (START, (person["id"],))


def test_a_schedule_is_taken_away_and_the_job_stays(bench):
    """HC-63."""
    job = bench.service.job()
    schedule.send(bench.client, job["id"], Unschedule())
    found = jobs.read(bench.client, job["id"])
    assert (found.start, found.visits, status_of(found)) == (None, (), JobStatus.UNSCHEDULED)


def test_one_of_several_visits_is_moved_with_its_people_and_taken_away(bench):
    """J-61, HC-62."""
    person, job = bench.service.employee(), bench.service.job()
    second = schedule.add_visit(bench.client, job["id"], START + DAY, START + DAY + HOUR, [person["id"]])
    assert (second.start, second.employee_ids) == (START + DAY, (person["id"],))
    with pytest.raises(Validation, match="multiple appointments"):
        schedule.put(bench.client, job["id"], MoveJob(START, START + HOUR, 0))
    later = MoveVisit(second.id, START + 2 * DAY, START + 2 * DAY + HOUR, 15, second.employee_ids)
    schedule.send(bench.client, job["id"], later)
    moved = next(visit for visit in schedule.visits(bench.client, job["id"]) if visit.id == second.id)
    assert moved == Visit(second.id, later.start, later.end, 15, second.employee_ids)
    schedule.send(bench.client, job["id"], Unschedule(second.id))
    assert [visit.start for visit in jobs.read(bench.client, job["id"]).visits] == [START]


def test_a_canceled_job_refuses_its_schedule_as_gone(bench):
    """HC-64, HC-92."""
    job = bench.service.job()
    bench.service.act(job, "cancel")
    with pytest.raises(Gone) as refusal:
        schedule.put(bench.client, job["id"], MoveJob(START, START + HOUR, 0))
    assert refusal.value.text == "Can't schedule an archived job"


def test_people_are_dispatched(bench):
    person, job = bench.service.employee(), bench.service.job()
    schedule.dispatch(bench.client, job["id"], [person["id"]])
    assert jobs.read(bench.client, job["id"]).employee_ids == (person["id"],)


# -- line items ------------------------------------------------------------------------------------------------------


@pytest.fixture
def template(bench):
    """A job whose lines are to be copied; they were made in the other order."""
    job = bench.service.job(None)
    items = [
        {"name": "Clean", "description": "all rooms", "unit_price": 14500, "unit_cost": 9000, "taxable": False},
        {"name": "Linen", "unit_price": 1500, "quantity": 2.5, "kind": "materials"},
        {"name": "Loyal customer", "unit_price": 500, "kind": "fixed discount"},
    ]
    bench.service.ok("PUT", f"/jobs/{job['id']}/line_items/bulk_update", {"line_items": items})
    return line_items.read(bench.client, job["id"])


def test_a_template_is_copied_whole_and_twice_gives_the_same(bench, template):
    """J-51, HC-36, HC-69, HC-72: by one call for all lines, and never line by line."""
    job = bench.service.job()
    bench.forget()
    wanted = copied(template, "Turnover STR Next Guest March 9")
    for _ in range(2):
        there = line_items.replace_all(bench.client, job["id"], wanted)
        assert complete(there, wanted)
        assert complete(line_items.read(bench.client, job["id"]), wanted)
    assert there[1].quantity == Decimal("2.5")
    assert (there[0].unit_price, there[0].unit_cost, there[0].taxable) == (14500, 9000, False)
    assert [method for method, _, _ in bench.calls()] == ["PUT", "GET", "PUT", "GET"]


def test_a_name_that_is_too_long_is_refused_by_name(bench, template):
    """J-51, HC-73."""
    job = bench.service.job()
    with pytest.raises(Validation) as refusal:
        line_items.replace_all(bench.client, job["id"], copied(template, "x" * 256))
    assert "name" in refusal.value.fields


def test_a_renamed_item_keeps_its_prices(bench, template):
    """JX-26, J-101, HC-71, HC-118, HC-120: the whole item goes out by PUT."""
    job = bench.service.job()
    first, *_ = line_items.replace_all(bench.client, job["id"], copied(template, "Old"))
    bench.forget()
    renamed = line_items.rename(bench.client, job["id"], first, "New")
    assert renamed == replace(first, name="New")
    assert bench.calls() == [("PUT", f"/jobs/{job['id']}/line_items/{first.id}", 200)]
    assert {"name", "unit_price", "unit_cost", "quantity", "kind", "taxable"} <= set(bench.bodies()[0])
    assert line_items.read(bench.client, job["id"])[0] == renamed


def test_an_item_is_deleted(bench, template):
    job = bench.service.job()
    first, *rest = line_items.replace_all(bench.client, job["id"], copied(template, "Old"))
    line_items.delete(bench.client, job["id"], first.id)
    assert [line.id for line in line_items.read(bench.client, job["id"])] == [line.id for line in rest]


def several(bench, wanted, number: int = 4) -> list[str]:
    return [jobs.create(bench.client, wanted).id for _ in range(number)]


def test_several_jobs_that_changed_just_now_are_read_by_one_call(bench, wanted):
    """J-76, HC-43."""
    ids = several(bench, wanted)
    bench.forget()
    found = jobs.look_at(bench.client, ids)
    assert [(each.id, len(each.visits)) for each in found] == [(each, 1) for each in ids]
    assert bench.calls() == [("GET", "/jobs", 200)]


def test_a_job_is_read_by_that_one_call_though_many_have_changed_since(bench, wanted):
    """J-76: webhooks that wait a while must not cost a call each, or they wait for ever longer."""
    ids = several(bench, wanted)
    several(bench, wanted, 60)
    bench.forget()
    assert [each.id for each in jobs.look_at(bench.client, ids)] == ids
    assert bench.calls() == [("GET", "/jobs", 200)]


def test_what_the_latest_do_not_show_is_read_by_itself_and_may_be_gone(bench, wanted):
    ids = several(bench, wanted)
    bench.service.act({"id": ids[1]}, "delete")
    bench.forget()
    found = jobs.look_at(bench.client, [*ids, "no id"])
    assert [type(each).__name__ for each in found] == ["Job", "Gone", "Job", "Job", "Validation"]
    assert [path for _, path, _ in bench.calls()] == ["/jobs", f"/jobs/{ids[1]}"]


def test_two_jobs_are_read_singly(bench, wanted):
    ids = several(bench, wanted, 2)
    bench.forget()
    assert [each.id for each in jobs.look_at(bench.client, ids)] == ids
    assert [path for _, path, _ in bench.calls()] == [f"/jobs/{each}" for each in ids]


def test_a_service_that_does_not_answer_is_said_once_for_all(bench, wanted):
    ids = several(bench, wanted)
    bench.service.fault("status", method="GET", path="^/jobs$", value=401)
    with pytest.raises(Auth):
        jobs.look_at(bench.client, ids)
