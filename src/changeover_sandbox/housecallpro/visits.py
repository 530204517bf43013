"""What the public API does with single appointments of a job (HC-65, HC-66); no HTTP."""

from changeover_sandbox.housecallpro import errors
from changeover_sandbox.housecallpro.bodies import VisitBody
from changeover_sandbox.housecallpro.company import Work
from changeover_sandbox.housecallpro.events import discarded, job_updated, people_events, visit_event
from changeover_sandbox.housecallpro.ids import new_id
from changeover_sandbox.housecallpro.jobs import USUAL_LENGTH, move, refuse_begun, refuse_fixed, span
from changeover_sandbox.housecallpro.model import Job, Status, Visit


def found(job: Job, visit_id: str) -> Visit:
    """One of the job's appointments; a discarded one is gone (HC-26)."""
    visit = job.visit(visit_id)
    if visit is not None:
        return visit
    raise errors.gone() if visit_id in job.discarded else errors.not_found("appointment")


def add(work: Work, job: Job, body: VisitBody) -> Visit:
    """POST: one more visit, or the first."""
    refuse_fixed(job, "schedule")
    people = work.company.people(body.dispatched_employees_ids, "dispatched_employees_ids")
    start, end = span(body.start_time, body.end_time, USUAL_LENGTH, "end_time")
    visit = Visit(new_id("appt"), start, end, body.arrival_window_minutes or 0, people)
    append(work, job, visit)
    return visit


def append(work: Work, job: Job, visit: Visit) -> None:
    """Add a visit and make it known."""
    job.visits.append(visit)
    if job.status is Status.NEEDS_SCHEDULING:
        job.status = Status.SCHEDULED
    work.save(job)
    work.tell([visit_event(work.company, job, visit, "scheduled"), job_updated(work.company, job)])


def change(work: Work, job: Job, visit: Visit, body: VisitBody) -> None:
    """PUT: time and people of one visit."""
    refuse_fixed(job, "schedule")
    people = work.company.people(body.dispatched_employees_ids, "dispatched_employees_ids")
    start, end = span(body.start_time, body.end_time, USUAL_LENGTH, "end_time")
    before, visit.people = visit.people, people
    move(visit, start, end, body.arrival_window_minutes)
    work.save(job)
    events = [*people_events(work.company, job, visit, before), visit_event(work.company, job, visit, "rescheduled")]
    work.tell([*events, job_updated(work.company, job)])


def discard(work: Work, job: Job, visit: Visit) -> None:
    """DELETE: one visit less; with the last one the job is unscheduled and nobody is assigned."""
    refuse_begun(job, "discard an appointment of")
    job.visits.remove(visit)
    job.discarded.append(visit.id)
    if not job.visits:
        job.status, job.people = Status.NEEDS_SCHEDULING, []
    work.save(job)
    work.tell([discarded(job, visit), job_updated(work.company, job)])
