"""From what Housecall Pro says of a job to the cells of its row (J-66, J-67); it compares no times."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from changeover.core import job_texts
from changeover.core.job import Gone, Job, JobState, JobStatus, Visit
from changeover.core.job_texts import Words

_WORDS: Final = {
    "needs scheduling": JobStatus.UNSCHEDULED,
    "unscheduled": JobStatus.UNSCHEDULED,
    "scheduled": JobStatus.SCHEDULED,
    "in progress": JobStatus.IN_PROGRESS,
    "complete rated": JobStatus.COMPLETED,
    "complete unrated": JobStatus.COMPLETED,
    "completed": JobStatus.COMPLETED,
    "user canceled": JobStatus.CANCELED,
    "pro canceled": JobStatus.CANCELED,
    "canceled": JobStatus.CANCELED,
    "deleted": JobStatus.CANCELED,
}


@dataclass(frozen=True, slots=True)
class Projection:
    """A row's cells as a read says; `unknown_status` is the word that nobody knows, worth one warning (J-67)."""

    state: JobState
    unknown_status: str = ""


def status_of(job: Job | Gone) -> JobStatus | None:
    """A job's status by its whole word (J-67); None where the word is null or unknown: the row's stays unchanged."""
    if isinstance(job, Gone):
        return JobStatus.CANCELED
    word = (job.work_status or "").strip().lower().replace("_", " ")
    status = _WORDS.get(word)
    if job.deleted_at is not None and status is not JobStatus.COMPLETED:
        return JobStatus.CANCELED
    dated = job.start is not None or "start" in job.absent or any(visit.start for visit in job.visits)
    if status is JobStatus.SCHEDULED and not dated:
        return JobStatus.UNSCHEDULED
    return status


def compared_visit(job: Job, own_id: str, near: datetime | None) -> Visit | None:
    """The visit that counts for a row: its own, else the one nearest to its start; None without a start (J-61)."""
    dated = [visit for visit in job.visits if visit.start is not None]
    if len(job.visits) <= 1 and job.start is not None:
        return Visit(dated[0].id if dated else "", job.start, job.end, job.window_minutes)
    own = next((visit for visit in dated if visit.id == own_id), None)
    return own or min(dated, key=lambda visit: (_distance(visit.start, near), visit.id), default=None)


def _distance(start: datetime | None, near: datetime | None) -> timedelta:
    return timedelta(0) if start is None or near is None else abs(start - near)


def projected(state: JobState, job: Job | Gone, visit: Visit | None) -> Projection:
    """The cells after a full read (J-66): null empties, an absent key leaves; the job id always stays (J-62, JM-13).

    `visit` is the one that counts for the row. The appointment id is the job's only visit; of several, the row's own
    stays while the job still has it, and no other is stored (J-61).
    """
    status = status_of(job)
    if isinstance(job, Gone):
        return Projection(replace(state, status=JobStatus.CANCELED.value))
    after = replace(
        state,
        created=state.created or job.created,
        status=state.status if status is None else status.value,
        scheduled=state.scheduled if visit is None and "start" in job.absent else _minute(visit),
        appointment_id=state.appointment_id if "visits" in job.absent else _appointment(state, job),
        assignee=state.assignee if "assignees" in job.absent else job_texts.assignee(job.assignees),
        on_my_way=state.on_my_way if "on_my_way" in job.absent else job.on_my_way,
        started=state.started if "started" in job.absent else job.started,
        completed=state.completed if "completed" in job.absent else job.completed,
    )
    unknown = status is None and "work_status" not in job.absent
    return Projection(after, (job.work_status or "null") if unknown else "")


def _minute(visit: Visit | None) -> datetime | None:
    """A visit's start to the minute, which is how precise times are here (J-14); never 1970."""
    return None if visit is None or visit.start is None else visit.start.replace(second=0, microsecond=0)


def unscheduled(state: JobState) -> JobState:
    """The cells of a row whose job has lost its schedule; the job id stays (J-62)."""
    return replace(
        state,
        status=JobStatus.UNSCHEDULED.value,
        scheduled=None,
        appointment_id="",
        assignee="",
        on_my_way=None,
        started=None,
        completed=None,
    )


def news(before: JobState, after: JobState, words: Words) -> str:
    """What a read brought that people want to know (JM-15): the job's progress before its people; empty for nothing."""
    if after.status != before.status:
        if after.status == JobStatus.IN_PROGRESS:
            return job_texts.IN_PROGRESS
        if after.status == JobStatus.COMPLETED and after.completed is not None:
            return words.completed(after.completed)
    return job_texts.assigned(after.assignee) if after.assignee != before.assignee else ""


def _appointment(state: JobState, job: Job) -> str:
    if len(job.visits) == 1:
        return job.visits[0].id
    return state.appointment_id if any(visit.id == state.appointment_id for visit in job.visits) else ""
