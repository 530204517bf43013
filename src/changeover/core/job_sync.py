"""Whether a row and its job agree, in words people read (J-59, J-63 … J-69); it writes to neither."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from changeover.core import job_texts
from changeover.core.job import Gone, Home, Job, JobRow, JobRules, JobState, JobStatus, SyncStatus, Visit
from changeover.core.job_schedule import elsewhere, same_minute, wanted_start
from changeover.core.job_status import compared_visit, news, projected, unscheduled
from changeover.core.job_texts import UPDATE_FAILED, Words, unstamped
from changeover.core.stay import Status

URGENT: Final = timedelta(hours=48)


@dataclass(frozen=True, slots=True)
class Context:
    """What a row is compared under. `home` None: its property is not known; `notify_removed`: ON_REMOVED is notify.

    `linked`: reconciliation has just linked the job. `written`: we have just written its schedule.
    """

    rules: JobRules
    home: Home | None = None
    notify_removed: bool = True
    linked: bool = False
    written: bool = False


@dataclass(frozen=True, slots=True)
class Followed:
    """A row's cells after a read, texts without stamp; `settled` stamps them.

    `unknown_status`: a word worth a warning (J-67). `removed_with_job`, `elsewhere`: alerts that are open (J-64, J-65).
    """

    state: JobState
    unknown_status: str = ""
    removed_with_job: bool = False
    elsewhere: bool = False


@dataclass(frozen=True, slots=True)
class _Verdict:
    status: str
    details: str = ""
    elsewhere: bool = False
    removed_with_job: bool = False
    service: str = ""  # what Service Sync Details is to say as well


def followed(row: JobRow, job: Job | Gone, context: Context) -> Followed:
    """Projection, Sync Status and both details of a row whose job was read (J-59, J-63 … J-69). Writes nothing to HCP.

    A read alone never says JM-5, JM-6 or JM-14: who wrote does, by replacing the text of the result.
    """
    visit = None if isinstance(job, Gone) else compared_visit(job, row.job.appointment_id, _near(row, context.rules))
    projection = projected(row.job, job, visit)
    verdict = _verdict(row, projection.state, job, visit, context)
    words = Words(context.rules.zone)
    said = verdict.service or news(row.job, projection.state, words) or row.job.service_details
    state = replace(
        projection.state, sync_status=verdict.status, schedule_details=verdict.details, service_details=said
    )
    return Followed(state, projection.unknown_status, verdict.removed_with_job, verdict.elsewhere)


def _verdict(row: JobRow, state: JobState, job: Job | Gone, visit: Visit | None, context: Context) -> _Verdict:
    if isinstance(job, Gone):
        return _Verdict(SyncStatus.NOT_CREATED.value, job_texts.DELETED, service=job_texts.DELETED)
    if state.status == JobStatus.CANCELED:
        return _canceled(row, job, context)
    if state.status in (JobStatus.IN_PROGRESS, JobStatus.COMPLETED):
        return _Verdict(state.sync_status)
    if row.status is Status.REMOVED:
        return _removed(row, state, context)
    if visit is None and "start" in job.absent:
        return _Verdict(state.sync_status, state.schedule_details)
    if visit is None or visit.start is None:
        return _Verdict(SyncStatus.NOT_CREATED.value, job_texts.NOT_SCHEDULED)
    if elsewhere(job, context.home):
        return _Verdict(SyncStatus.FAILED.value, job_texts.OTHER_ADDRESS, elsewhere=True)
    return _of_times(row, visit, visit.start, job, context)


def _canceled(row: JobRow, job: Job, context: Context) -> _Verdict:
    """JM-4 with the instant the service names; a text that stands is kept, as `updated` moves."""
    at = job.canceled_at or job.deleted_at
    standing = unstamped(row.job.schedule_details)
    if at is None and standing.startswith("Job canceled on "):
        return _Verdict(SyncStatus.NOT_CREATED.value, standing, service=standing)
    at = at or job.updated
    text = Words(context.rules.zone).canceled(at) if at is not None else "Job canceled"
    return _Verdict(SyncStatus.NOT_CREATED.value, text, service=text)


def _removed(row: JobRow, state: JobState, context: Context) -> _Verdict:
    """J-64. A job that was unscheduled after the stay had gone is settled; one that never had a start is not."""
    status = state.sync_status if state.scheduled is not None else SyncStatus.NOT_CREATED.value
    if not context.notify_removed:
        return _Verdict(status)
    if state.scheduled is not None:
        return _Verdict(status, Words(context.rules.zone).still_scheduled(state.scheduled), removed_with_job=True)
    settled = row.job.sync_status == SyncStatus.NOT_CREATED and not row.job.schedule_details
    if settled or row.job.scheduled is not None:
        return _Verdict(status)
    return _Verdict(status, job_texts.STILL_OPEN, removed_with_job=True)


def _of_times(row: JobRow, visit: Visit, theirs: datetime, job: Job, context: Context) -> _Verdict:
    ours = _near(row, context.rules)
    if ours is None:
        return _Verdict(row.job.sync_status, row.job.schedule_details)
    words = Words(context.rules.zone)
    known = len(job.visits) <= 1 or visit.id == row.job.appointment_id
    details = "" if known else words.several_visits(len(job.visits), theirs)
    if same_minute(ours, theirs):
        kept = row.job.sync_status == SyncStatus.MATCHED and not context.written
        return _Verdict((SyncStatus.MATCHED if context.linked or kept else SyncStatus.SYNCED).value, details)
    if row.job.sync_status == SyncStatus.FAILED and unstamped(row.job.schedule_details).startswith(UPDATE_FAILED):
        return _Verdict(SyncStatus.FAILED.value, row.job.schedule_details)
    if context.rules.local_day(ours) != context.rules.local_day(theirs):
        return _Verdict(SyncStatus.WRONG_DATE.value, details or words.wrong_date(ours, theirs))
    return _Verdict(SyncStatus.WRONG_TIME.value, details or words.wrong_time(ours, theirs))


def _near(row: JobRow, rules: JobRules) -> datetime | None:
    start = wanted_start(row, rules)
    return start if isinstance(start, datetime) else None


def urgent_mismatch(row: JobRow, state: JobState, now: datetime, rules: JobRules) -> bool:
    """Whether alert `schedule_mismatch` is open: times differ and one of the starts is within 48 h (J-63)."""
    if not row.live or state.sync_status not in (SyncStatus.WRONG_DATE, SyncStatus.WRONG_TIME):
        return False
    return any(start is not None and abs(start - now) <= URGENT for start in (_near(row, rules), state.scheduled))


def after_unscheduling(row: JobRow) -> JobState:
    """The cells of a row whose schedule was deleted by a click (J-62); texts without stamp."""
    return replace(
        unscheduled(row.job),
        sync_status=SyncStatus.NOT_CREATED.value,
        schedule_details=job_texts.NOT_SCHEDULED if row.live else "",
        service_details=job_texts.SCHEDULE_DELETED,
    )
