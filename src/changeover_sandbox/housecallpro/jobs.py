"""What the public API does with a job as a whole: create, schedule, dispatch, lock, notes, tags (§7.3, §9); no HTTP."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from changeover_sandbox.housecallpro import errors
from changeover_sandbox.housecallpro.bodies import FirstLine, FirstSchedule, JobFields, NewJob, NewSchedule
from changeover_sandbox.housecallpro.company import Company, Event, Work
from changeover_sandbox.housecallpro.events import discarded, job_event, job_updated, people_events, visit_event
from changeover_sandbox.housecallpro.ids import new_id
from changeover_sandbox.housecallpro.model import CANCELED, COMPLETE, Job, Line, Note, Status, Tag, Visit

USUAL_LENGTH: Final = timedelta(hours=1)
"""How long a visit lasts whose end nobody said."""
YEARS: Final = range(1970, 2200)


def living(company: Company, job_id: str) -> Job:
    """The job for those who read it; one of another company or a deleted one is not found (HC-97, HC-104)."""
    job = company.jobs.get(job_id)
    if job is None or job.gone:
        raise errors.not_found("job")
    return job


def with_parts(company: Company, job_id: str) -> Job:
    """The job for those who want a part of it: what is under a deleted job is gone (HC-104)."""
    job = company.jobs.get(job_id)
    if job is None:
        raise errors.not_found("job")
    if job.gone:
        raise errors.gone()
    return job


def refuse_archived(job: Job, deed: str) -> None:
    """Nothing can be done to a canceled job (HC-22)."""
    if job.status in CANCELED:
        raise errors.archived(deed)


def refuse_fixed(job: Job, deed: str) -> None:
    """Nor can a canceled, completed or locked one be moved (HC-103)."""
    refuse_archived(job, deed)
    if job.locked_at is not None:
        raise errors.told(400, f"Can't {deed} a locked job")
    if job.status in COMPLETE:
        raise errors.told(400, f"Can't {deed} a completed job")


def refuse_begun(job: Job, deed: str) -> None:
    """Nor can the schedule of a started one be taken away (HC-103)."""
    refuse_fixed(job, deed)
    if job.status is Status.IN_PROGRESS:
        raise errors.told(400, f"Can't {deed} a started job")


def span(start: datetime, end: datetime | None, length: timedelta, attribute: str) -> tuple[datetime, datetime]:
    """Start and end in whole seconds; refused when the end is not after the start (HC-102)."""
    if any(one is not None and one.year not in YEARS for one in (start, end)):
        raise errors.invalid({attribute: "is out of range"})
    start = start.replace(microsecond=0)
    end = start + length if end is None else end.replace(microsecond=0)
    if end <= start:
        raise errors.invalid({attribute: "is not after the start"})
    return start, end


# -- creation ----------------------------------------------------------------------------------------------------------


def create(work: Work, order: NewJob) -> Job:
    """POST /jobs; what is wrong is refused in the order of HC-102."""
    company = work.company
    customer = company.customers.get(order.customer_id)
    if customer is None:
        raise errors.not_found("customer")
    if customer.address(order.address_id) is None:
        raise errors.not_found("address")
    people = company.people(order.assigned_employee_ids or (), "assigned_employee_ids")
    job_type_id = _job_type(company, order.job_fields)
    visits = _first_visits(order.schedule, people)
    job = Job(
        id=new_id("job"),
        invoice_number=_number(company, order.invoice_number),
        customer_id=customer.id,
        address_id=order.address_id,
        created_at=work.now,
        updated_at=work.now,
        status=Status.SCHEDULED if visits else Status.NEEDS_SCHEDULING,
        job_type_id=job_type_id,
        lead_source=order.lead_source,
        people=people,
        visits=visits,
        lines=[_first_line(index, one) for index, one in enumerate(order.line_items or ())],
        notes=[Note(new_id("nte"), order.notes)] if order.notes else [],
        tags=_tags(work, order.tags or ()),
    )
    work.save(job)
    work.tell(_created(company, job))
    return job


def _job_type(company: Company, fields: JobFields | None) -> str | None:
    if fields is None:
        return None
    if fields.job_type_id is not None and fields.job_type_id not in company.job_types:
        raise errors.invalid({"job_type_id": "is unknown"})
    if fields.business_unit_id is not None:
        raise errors.invalid({"business_unit_id": "is unknown"})
    return fields.job_type_id


def _first_visits(schedule: FirstSchedule | None, people: Sequence[str]) -> list[Visit]:
    if schedule is None or schedule.scheduled_start is None:
        return []
    start, end = span(schedule.scheduled_start, schedule.scheduled_end, USUAL_LENGTH, "scheduled_end")
    return [Visit(new_id("appt"), start, end, schedule.arrival_window or 0, list(people))]


def _number(company: Company, asked: int | None) -> str:
    if asked is None:
        return company.next_number()
    if str(asked) in company.numbers:
        raise errors.invalid({"invoice_number": "has already been taken"})
    return str(asked)


def _first_line(index: int, body: FirstLine) -> Line:
    return Line(
        id=new_id("rli"),
        order_index=index,
        name=body.name,
        description=body.description,
        unit_price=body.unit_price or 0,
        unit_cost=body.unit_cost or 0,
        quantity=1 if body.quantity is None else body.quantity,
    )


def _tags(work: Work, names: Sequence[str]) -> list[str]:
    """The ids of tags by name; the company gets those it does not have."""
    known = {tag.name: tag.id for tag in work.company.tags.values()}
    for name in dict.fromkeys(names):
        if name not in known:
            tag = Tag(new_id("tag"), work.now, name)
            work.company.keep(tag)
            known[name] = tag.id
    return list(dict.fromkeys(known[name] for name in names))


def _created(company: Company, job: Job) -> list[Event]:
    events = [job_event(company, job, "created")]
    for visit in job.visits:
        events += [visit_event(company, job, visit, "scheduled"), job_event(company, job, "scheduled")]
        events += people_events(company, job, visit, ())
    return events


# -- schedule ----------------------------------------------------------------------------------------------------------


def reschedule(work: Work, job: Job, order: NewSchedule) -> Visit:
    """PUT schedule (HC-59 to HC-64): the job's only visit, or its first one; unnamed people stay (HC-61)."""
    refuse_fixed(job, "schedule")
    if len(job.visits) > 1:
        raise errors.told(400, "job has multiple appointments")
    people: list[str] | None = None
    if order.dispatched_employees is not None:
        ids = [one.employee_id for one in order.dispatched_employees]
        people = work.company.people(ids, "dispatched_employees")
    visit = job.visits[0] if job.visits else None
    length = visit.length if visit else USUAL_LENGTH
    start, end = span(order.start_time, order.end_time, length, "end_time")
    company, before = work.company, job.assigned
    if people is None:
        people = before
    if visit is None:
        visit = Visit(new_id("appt"), start, end, order.arrival_window_in_minutes or 0, people)
        schedule_first(work, job, visit)
        return visit
    move(visit, start, end, order.arrival_window_in_minutes)
    visit.people = people
    work.save(job)
    changed = [*people_events(company, job, visit, before), visit_event(company, job, visit, "rescheduled")]
    work.tell([*changed, job_updated(company, job)])
    return visit


def schedule_first(work: Work, job: Job, visit: Visit) -> None:
    """Give an unscheduled job its first visit."""
    company, before = work.company, job.assigned
    job.visits, job.status = [visit], Status.SCHEDULED
    work.save(job)
    begun = [visit_event(company, job, visit, "scheduled"), job_event(company, job, "scheduled")]
    work.tell([*begun, *people_events(company, job, visit, before), job_updated(company, job)])


def move(visit: Visit, start: datetime, end: datetime, window: int | None) -> None:
    """Another time; without a window it keeps its own."""
    visit.start, visit.end = start, end
    if window is not None:
        visit.window = window


def unschedule(work: Work, job: Job) -> None:
    """DELETE schedule (HC-63, HC-105): every visit is discarded and nobody is assigned, also where no visit was."""
    refuse_begun(job, "erase the schedule of")
    dropped, job.visits, job.people = job.visits, [], []
    job.discarded += [visit.id for visit in dropped]
    job.status = Status.NEEDS_SCHEDULING
    work.save(job)
    work.tell([*(discarded(job, visit) for visit in dropped), job_updated(work.company, job)])


def dispatch(work: Work, job: Job, ids: Sequence[str]) -> None:
    """PUT dispatch: these people, and no others, come to every visit."""
    refuse_fixed(job, "dispatch")
    people = work.company.people(ids, "dispatched_employees")
    events = assign(work, job, {visit.id: people for visit in job.visits}, people)
    work.tell([*events, job_updated(work.company, job)])


def assign(work: Work, job: Job, by_visit: dict[str, list[str]], others: list[str]) -> list[Event]:
    """Put people to visits, or to the job while it has none; saves, and answers what the appointments tell of it."""
    before = {visit.id: visit.people for visit in job.visits}
    job.people = list(others)
    for visit in job.visits:
        visit.people = list(by_visit[visit.id])
    work.save(job)
    return [event for visit in job.visits for event in people_events(work.company, job, visit, before[visit.id])]


# -- lock, notes, tags -------------------------------------------------------------------------------------------------


def _changed(work: Work, job: Job) -> None:
    work.save(job)
    work.tell([job_updated(work.company, job)])


def lock(work: Work, job: Job) -> None:
    """POST lock: its lines can be changed no more (HC-106)."""
    refuse_archived(job, "lock")
    job.locked_at = job.locked_at or work.now
    _changed(work, job)


def add_note(work: Work, job: Job, content: str) -> Note:
    """POST notes."""
    refuse_archived(job, "add a note to")
    note = Note(new_id("nte"), content)
    job.notes.append(note)
    _changed(work, job)
    return note


def drop_note(work: Work, job: Job, note_id: str) -> None:
    """DELETE of a note."""
    kept = [note for note in job.notes if note.id != note_id]
    if len(kept) == len(job.notes):
        raise errors.not_found("note")
    refuse_archived(job, "remove a note from")
    job.notes = kept
    _changed(work, job)


def add_tag(work: Work, job: Job, tag_id: str) -> None:
    """POST tags."""
    if tag_id not in work.company.tags:
        raise errors.not_found("tag")
    refuse_archived(job, "tag")
    job.tags = list(dict.fromkeys([*job.tags, tag_id]))
    _changed(work, job)


def drop_tag(work: Work, job: Job, tag_id: str) -> None:
    """DELETE of a tag from the job."""
    if tag_id not in job.tags:
        raise errors.not_found("tag")
    refuse_archived(job, "remove a tag from")
    job.tags.remove(tag_id)
    _changed(work, job)
