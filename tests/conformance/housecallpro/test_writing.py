"""What the program relies on when it writes: all of it on jobs of the test customer, in a year's time."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from changeover.core.job import Visit, marked_rows
from changeover.core.job_order import Line, complete
from changeover.core.job_schedule import MoveJob, MoveVisit, Unschedule
from changeover.core.job_status import JobStatus, status_of
from changeover.housecallpro import jobs, line_items, schedule
from changeover.housecallpro.errors import Ambiguous, NotFound, Rejected, Validation
from changeover.housecallpro.models import JobModel, instant_text, parsed
from conformance.housecallpro.company import HOUR, LABEL, LINES, NOBODY, body_of, outcome, tried
from conformance.housecallpro.questions import Question

DAY = timedelta(days=1)


def at(ours, later=timedelta(0)) -> MoveJob:
    """To so much after the time that was ordered."""
    return MoveJob(ours.ordered.start + later, ours.ordered.end + later, 0)


# -- creating ----------------------------------------------------------------------------------------------------------


def test_a_job_is_made_as_ordered(ours, observe):
    """HC-48, HC-51, HC-116: a second read shows all of it, whatever the answer to its creation showed."""
    wanted, found = ours.ordered, ours.read()
    observe(Question.NEW_VISIT, "no" if "visits" in ours.answer.absent or not ours.answer.visits else "yes")
    assert found.id == ours.answer.id
    assert (found.customer_id, found.address_id) == (wanted.customer_id, wanted.address_id)
    assert (found.job_type_id, found.start, found.end) == (wanted.job_type_id, wanted.start, wanted.end)
    assert status_of(found) is JobStatus.SCHEDULED
    assert [(visit.start, visit.end) for visit in found.visits] == [(wanted.start, wanted.end)]


def test_the_marker_is_found_in_a_list(ours):
    """HC-40, J-49, J-53: in a window that begins and ends with the start, among the jobs of the customer."""
    start, customer = ours.ordered.start, ours.ordered.customer_id
    found = jobs.between(ours.company.client, start, start, customer_id=customer)
    assert [job.id for job in found if ours.ordered.record_id in marked_rows(job)] == [ours.id]
    around = jobs.between(ours.company.client, start + HOUR, start + DAY, customer_id=customer)
    assert ours.id not in {job.id for job in around}


def test_a_job_without_a_schedule_waits_for_one(ours, observe):
    """HC-44, HC-49, HC-51, HC-101: what POST /jobs does not know, it does not take for anything."""
    body = {
        "customer_id": ours.ordered.customer_id,
        "address_id": ours.ordered.address_id,
        "notes": LABEL,
        "work_status": "in progress",
        "start_time": instant_text(ours.ordered.start),
        "line_items": [{"name": LABEL, "unit_price": 100, "kind": "materials", "taxable": False}],
    }
    answer = ours.company.ask("POST", "/jobs", body=body)
    assert outcome(answer) == "accepted"
    made = parsed(JobModel, answer.json()).job()
    ours.company.made.append(made.id)
    found, line = ours.company.find(made.id), line_items.read(ours.company.client, made.id)[0]
    effects = {
        "work_status": status_of(found) is not JobStatus.UNSCHEDULED,
        "start_time": found.start is not None,
        "kind": line.kind != "labor",
        "taxable": not line.taxable,
    }
    observe(Question.IGNORED_KEYS, ", ".join(name for name, had in effects.items() if had) or "none")
    assert (line.name, line.unit_price) == (LABEL, 100)
    if found.start is None:
        assert made.id in {job.id for job in jobs.unscheduled(ours.company.client)}


def test_an_address_that_is_not_there_is_refused(ours, observe):
    """HC-102, J-53: and where it is not, or its end is unclear, the job is found by its marker."""
    client, record = ours.company.client, ours.ordered.record_id.replace("TEST", "NONE")
    wrong = replace(ours.ordered, record_id=record, address_id=f"adr_{NOBODY}")
    try:
        seen = tried(lambda: ours.company.make(wrong))
    except Ambiguous:
        seen = "unclear"
    observe(Question.WRONG_ADDRESS, seen)
    found = jobs.between(client, wrong.start, wrong.start, customer_id=wrong.customer_id)
    marked = [job.id for job in found if record in marked_rows(job)]
    ours.company.made.extend(set(marked) - set(ours.company.made))
    assert len(marked) == (seen == "accepted") or seen == "unclear"


# -- schedule ----------------------------------------------------------------------------------------------------------


def test_a_schedule_is_moved_and_its_window_has_three_names(ours, observe):
    """HC-6, HC-10, HC-59, HC-119."""
    moved = replace(at(ours, HOUR), window_minutes=45)
    observe(Question.COMPANY_KEY, tried(lambda: schedule.put(ours.company.client, ours.id, moved)))
    found = ours.read()
    assert (found.start, found.end, found.window_minutes) == (moved.start, moved.end, 45)
    assert [visit.window_minutes for visit in schedule.visits(ours.company.client, ours.id)] == [45]
    assert status_of(found) is JobStatus.SCHEDULED


def test_a_schedule_is_taken_away_and_given_again(ours):
    """HC-44, HC-63, HC-119."""
    client, before = ours.company.client, ours.read()
    schedule.send(client, ours.id, Unschedule())
    found = ours.read()
    assert (found.start, found.visits, status_of(found)) == (None, (), JobStatus.UNSCHEDULED)
    assert (found.notes, found.address_id) == (before.notes, before.address_id)
    schedule.send(client, ours.id, at(ours))
    again = ours.read()
    assert (again.start, len(again.visits), status_of(again)) == (ours.ordered.start, 1, JobStatus.SCHEDULED)


def test_a_time_without_an_offset(ours, observe):
    """HC-12: our client never sends one."""
    moved = ours.ordered.start + 2 * HOUR
    body = {"start_time": f"{moved:%Y-%m-%dT%H:%M:%S}", "end_time": f"{moved + HOUR:%Y-%m-%dT%H:%M:%S}"}
    answer = ours.ask("PUT", "/schedule", {**body, "notify": False, "notify_pro": False})
    start = ours.read().start
    apart = f"{(start - moved).total_seconds() / 3600:+g} h" if start else "unscheduled"
    observe(Question.TIME_WITHOUT_OFFSET, outcome(answer) if answer.status_code >= 400 else f"UTC {apart}")
    assert answer.status_code < 500


def test_people_stay_where_a_schedule_does_not_name_them(ours, person, observe):
    """HC-61, HC-63."""
    client = ours.company.client
    schedule.dispatch(client, ours.id, [person])
    schedule.put(client, ours.id, at(ours, HOUR))
    assert ours.read().employee_ids == (person,)
    nobody = {"start_time": instant_text(ours.ordered.start), "end_time": instant_text(ours.ordered.end)}
    ours.ask("PUT", "/schedule", {**nobody, "dispatched_employees": [], "notify": False, "notify_pro": False})
    observe(Question.NO_PEOPLE, "kept" if ours.read().employee_ids else "cleared")
    schedule.put(client, ours.id, replace(at(ours), employee_id=person))
    assert ours.read().employee_ids == (person,)
    schedule.delete(client, ours.id)
    observe(Question.PEOPLE_UNSCHEDULED, "kept" if ours.read().employee_ids else "removed")


def test_one_of_two_visits_is_moved_and_taken_away(ours, person, observe):
    """HC-18, HC-62, HC-65, HC-66."""
    client, start = ours.company.client, ours.ordered.start
    second = schedule.add_visit(client, ours.id, start + DAY, start + DAY + HOUR, [person])
    assert {visit.start for visit in ours.read().visits} == {start, start + DAY}
    observe(Question.SEVERAL_VISITS, tried(lambda: schedule.put(client, ours.id, at(ours, HOUR))))
    schedule.send(client, ours.id, MoveVisit(second.id, start + 2 * DAY, start + 2 * DAY + HOUR, 15, (person,)))
    moved = next(visit for visit in schedule.visits(client, ours.id) if visit.id == second.id)
    assert moved == Visit(second.id, start + 2 * DAY, start + 2 * DAY + HOUR, 15, (person,))
    schedule.send(client, ours.id, Unschedule(second.id))
    assert second.id not in {visit.id for visit in ours.read().visits}
    with pytest.raises(Rejected):
        schedule.delete_visit(client, ours.id, second.id)


# -- lines -------------------------------------------------------------------------------------------------------------


def test_lines_are_set_as_a_whole_and_what_is_not_listed_goes(ours, observe):
    """HC-67 … HC-72, HC-74."""
    client = ours.company.client
    fewer = (replace(LINES[0], name=LABEL.lower(), quantity=Decimal("1.5")), LINES[1])
    for _ in range(2):
        there = line_items.replace_all(client, ours.id, fewer)
        assert complete(there, fewer)
        assert complete(ours.lines(), fewer)
    assert [line.amount for line in there] == [21750, 1500]
    observe(Question.LINE_IDS, ", ".join(sorted({line.id.partition("_")[0] + "_" for line in there})))
    kept = line_items.replace_all(client, ours.id, [there[1]])
    assert [(line.id, line.name) for line in kept] == [(there[1].id, "Linen")]


def test_lines_may_be_added_to_those_that_are_there(ours):
    """HC-72."""
    body = {"line_items": [{"name": "Extra", "unit_price": 100}], "append_line_items": True}
    assert outcome(ours.ask("PUT", "/line_items/bulk_update", body)) == "accepted"
    assert [line.name for line in ours.lines()] == [*(line.name for line in LINES), "Extra"]


def test_a_line_is_renamed_as_a_whole(ours):
    """HC-71, HC-120: everything else of it is sent as it was read, and is as it was."""
    first = ours.lines()[0]
    renamed = line_items.rename(ours.company.client, ours.id, first, f"{LABEL} 2")
    assert replace(renamed, name=LABEL) == first
    assert ours.lines()[0] == renamed


def test_a_line_of_which_something_is_left_out(ours, observe):
    """HC-71: which is why the whole of it is sent."""
    first = ours.lines()[0]
    nameless = ours.ask("PUT", f"/line_items/{first.id}", {"unit_price": 1})
    assert ours.lines()[0].unit_price in {first.unit_price, 1}
    assert outcome(nameless) == "accepted" or nameless.status_code in {400, 422}
    answer = ours.ask("PUT", f"/line_items/{first.id}", {"name": "Bare"})
    assert outcome(answer) == "accepted"
    observe(Question.OMITTED, f"price {ours.lines()[0].unit_price}")


def test_a_name_that_is_too_long_is_refused_by_name(ours, observe):
    """HC-22, HC-27, HC-73, J-51: or it is kept whole; a name that is silently cut would be written again and again."""
    seen = [f"{length} {_named(ours, LABEL.ljust(length, 'x'))}" for length in (255, 256)]
    observe(Question.LONGEST_NAME, ", ".join(seen))


def _named(ours, name: str) -> str:
    """What becomes of a first line of this name."""
    fields = {"name": ""}
    try:
        line_items.replace_all(ours.company.client, ours.id, [Line(name)])
        seen, kept = "kept", name
    except Validation as error:
        seen, fields, kept = f"refused ({error.status})", error.fields, ours.lines()[0].name
    assert "name" in fields
    assert ours.lines()[0].name == kept
    return seen


def test_a_line_is_deleted_and_then_not_found(ours):
    """HC-25: and there is no GET of one."""
    first = ours.lines()[0]
    assert ours.ask("GET", f"/line_items/{first.id}").status_code == 404
    line_items.delete(ours.company.client, ours.id, first.id)
    assert [line.name for line in ours.lines()] == ["Linen"]
    with pytest.raises(NotFound):
        line_items.rename(ours.company.client, ours.id, first, "Anything")


# -- the rest ----------------------------------------------------------------------------------------------------------


def test_a_change_moves_the_time_of_the_last_change(ours, observe):
    """HC-43, HC-107: the program looks for what changed by it, and reads every job of its own all the same."""
    job, client = ours.read(), ours.company.client
    ours.company.pass_a_second()
    schedule.put(client, ours.id, at(ours, HOUR))
    moved = ours.read()
    observe(Question.VISIT_UPDATES, "yes" if moved.updated > job.updated else "no")
    ours.company.pass_a_second()
    line_items.rename(client, ours.id, ours.lines()[0], f"{LABEL} 3")
    observe(Question.LINE_UPDATES, "yes" if ours.read().updated > moved.updated else "no")


def test_notes_come_and_go(ours):
    """HC-15: the marker stays."""
    note = jobs.add_note(ours.company.client, ours.id, "Gate is stiff")
    assert "Gate is stiff" in ours.read().notes
    jobs.delete_note(ours.company.client, ours.id, note)
    found = ours.read()
    assert "Gate is stiff" not in found.notes
    assert ours.ordered.record_id in marked_rows(found)


@pytest.mark.parametrize("body", [{}, {"line_items": [{"unit_price": 100}]}])
def test_a_body_that_lacks_something_is_refused_and_changes_nothing(ours, body):
    """HC-22, HC-27."""
    answer = ours.ask("PUT", "/line_items/bulk_update", body)
    assert answer.status_code in {400, 422}
    assert body_of(answer) != {}
    assert complete(ours.lines(), LINES)


@pytest.mark.parametrize(
    ("method", "part"),
    [
        ("PATCH", ""),
        ("PUT", ""),
        ("PUT", "/cancel"),
        ("POST", "/cancel"),
        ("PUT", "/reschedule"),
        ("POST", "/schedule"),
        ("PATCH", "/schedule"),
        ("GET", "/schedule"),
    ],
)
def test_a_job_has_no_other_way_to_be_changed(ours, method, part):
    """HC-38, HC-39, HC-118."""
    assert ours.ask(method, part, {}).status_code == 404
    assert status_of(ours.read()) is JobStatus.SCHEDULED


def test_a_job_cannot_be_deleted(ours, observe):
    """HC-39, JX-55. Could it be, it would be this one."""
    observe(Question.DELETING, outcome(ours.ask("DELETE")))
    assert ours.read().id == ours.id


# -- jobs in other states ----------------------------------------------------------------------------------------------


def test_a_completed_job_and_its_schedule(writer, completed_job, observe):
    """HC-103, J-57."""
    start = completed_job.start or writer.order().start
    moved = MoveJob(start, start + HOUR, completed_job.window_minutes)
    observe(Question.COMPLETED, tried(lambda: schedule.put(writer.client, completed_job.id, moved)))
    assert status_of(writer.find(completed_job.id)) is not None


def test_a_canceled_job_and_its_schedule(writer, canceled_job, observe):
    """HC-64, HC-92, HC-103: it is read as canceled, and moving it is refused, or says what it is afterwards."""
    assert status_of(canceled_job) is JobStatus.CANCELED
    start = canceled_job.start or writer.order().start
    moved = MoveJob(start, start + HOUR, canceled_job.window_minutes)
    seen = tried(lambda: schedule.put(writer.client, canceled_job.id, moved))
    after = status_of(writer.find(canceled_job.id))
    observe(Question.CANCELED, seen if seen != "accepted" else f"accepted, then {after}")
    assert after is not None


def test_a_started_job_and_its_schedule(writer, started_job, observe):
    """HC-103."""
    assert status_of(started_job) is JobStatus.IN_PROGRESS
    observe(Question.STARTED, tried(lambda: schedule.delete(writer.client, started_job.id)))
    assert status_of(writer.find(started_job.id)) is not None


def test_the_lines_of_a_canceled_job_are_read_and_lost_by_no_refusal(writer, canceled_job):
    """HC-22, HC-104."""
    lines = line_items.read(writer.client, canceled_job.id)
    seen = tried(lambda: line_items.replace_all(writer.client, canceled_job.id, lines))
    assert line_items.read(writer.client, canceled_job.id) == lines, seen
