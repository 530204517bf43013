"""When a job should start, and what to send so that it does (J-11 … J-14, J-60 … J-62); it sends nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from changeover.core.job import Gone, Home, Job, JobRow, JobRules, JobStatus, Visit
from changeover.core.job_status import status_of
from changeover.core.schedule import Unreadable, service_time


def wanted_start(row: JobRow, rules: JobRules) -> datetime | Unreadable | None:
    """When the row wants its cleaning to start, in UTC (J-11, J-12); None without a check-out date."""
    if row.check_out is None:
        return None
    return service_time(
        row.check_out,
        row.custom_time,
        owner_arriving=row.owner_arriving,
        same_day=row.same_day,
        hours=rules.hours,
        zone=rules.zone,
    )


def same_minute(one: datetime, other: datetime) -> bool:
    """Whether two instants are equal to the minute, which is how precise times are here (J-14)."""
    return one.replace(second=0, microsecond=0) == other.replace(second=0, microsecond=0)


def elsewhere(job: Job, home: Home | None) -> bool:
    """Whether a job is at another customer or address than the row's property; what is unknown contradicts nothing."""
    if home is None:
        return False
    pairs = ((job.customer_id, home.customer_id), (job.address_id, home.address_id))
    return any(theirs and ours and theirs != ours for theirs, ours in pairs)


class Unmoved(Exception):
    """A schedule that cannot be changed; `code` is an API code, the message one plain sentence (J-60 … J-62)."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code, self.text = code, text


@dataclass(frozen=True, slots=True)
class MoveJob:
    """PUT schedule of a job with at most one visit; `employee_id` only where it had no schedule (J-60)."""

    start: datetime
    end: datetime
    window_minutes: int
    employee_id: str = ""


@dataclass(frozen=True, slots=True)
class MoveVisit:
    """PUT of one of several visits, with its people (J-61)."""

    visit_id: str
    start: datetime
    end: datetime
    window_minutes: int
    employee_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unschedule:
    """DELETE of the schedule, or of the one visit named (J-62)."""

    visit_id: str = ""


def move(
    row: JobRow, job: Job | Gone, start: datetime, home: Home | None, rules: JobRules
) -> MoveJob | MoveVisit | None:
    """What brings a job to a start; None when it is there already (J-60, J-61). Raises Unmoved."""
    job = _movable(job, JobStatus.IN_PROGRESS, JobStatus.COMPLETED, JobStatus.CANCELED)
    if elsewhere(job, home):
        raise Unmoved("address_mismatch", f"Job {job.id} is at another customer or address than the property.")
    if len(job.visits) > 1:
        return _move_visit(_own_visit(row, job), start, rules)
    if job.start is None:
        return MoveJob(start, start + rules.duration, rules.window_minutes, rules.employee_id)
    if same_minute(job.start, start):
        return None
    return MoveJob(start, start + _length(job.start, job.end, rules), job.window_minutes)


def revive(start: datetime, rules: JobRules) -> MoveJob:
    """What a button sends to a canceled job before it makes a new one (J-57)."""
    return MoveJob(start, start + rules.duration, rules.window_minutes, rules.employee_id)


def unschedule(row: JobRow, job: Job) -> Unschedule | None:
    """What takes a job's schedule away; None when there is none, or nobody will come anyway (J-62). Raises Unmoved."""
    _movable(job, JobStatus.IN_PROGRESS, JobStatus.COMPLETED)
    if status_of(job) is JobStatus.CANCELED:
        return None
    if len(job.visits) > 1:
        return Unschedule(_own_visit(row, job).id)
    return None if job.start is None and not job.visits else Unschedule()


def _movable(job: Job | Gone, *fixed: JobStatus) -> Job:
    if isinstance(job, Gone):
        raise Unmoved("not_eligible", f"Job {job.job_id} was deleted in HCP.")
    status = status_of(job)
    if status in fixed:
        raise Unmoved("not_eligible", f"Job {job.id} is {status}.")
    return job


def _own_visit(row: JobRow, job: Job) -> Visit:
    for visit in job.visits:
        if visit.id == row.job.appointment_id:
            return visit
    raise Unmoved("multi_visit", f"Job {job.id} has {len(job.visits)} appointments, and none of them is this row's.")


def _move_visit(visit: Visit, start: datetime, rules: JobRules) -> MoveVisit | None:
    if visit.start is not None and same_minute(visit.start, start):
        return None
    end = start + _length(visit.start, visit.end, rules)
    return MoveVisit(visit.id, start, end, visit.window_minutes, visit.employee_ids)


def _length(start: datetime | None, end: datetime | None, rules: JobRules) -> timedelta:
    """The present length, else the usual one (J-60)."""
    return end - start if start is not None and end is not None and end > start else rules.duration
