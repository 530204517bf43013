"""A row's job brought to the row's start, or its schedule taken away, because a person asked (J-60 … J-65)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from changeover.core import job_schedule, job_texts
from changeover.core.job import Gone, Home, Job, JobRow, SyncStatus
from changeover.core.job_eligibility import FOR_DELETION, FOR_UPDATE, Asked, Case, Check, Code, Refusal, no_job, refusal
from changeover.core.job_schedule import MoveVisit, Unmoved, Unschedule, same_minute
from changeover.core.job_status import compared_visit
from changeover.core.job_sync import Context, Followed, after_unscheduling, followed
from changeover.core.job_texts import Words
from changeover.engine.jobs import alerts as job_alerts
from changeover.engine.jobs import cache, receipts, rows
from changeover.engine.jobs.desk import JobDesk
from changeover.engine.jobs.rows import Refused
from changeover.housecallpro import jobs, schedule
from changeover.housecallpro.errors import Halted, HcpError, RateLimited
from changeover.settings.model import OnRemoved


class NotMoved(HcpError):
    """The schedule was written, or refused, and still is not as it should be (JM-6)."""


@dataclass(frozen=True, slots=True)
class Scheduled:
    """The row as it is written, its job as last read, and what to say of it; `said` carries no stamp."""

    row: JobRow
    job: Job | Gone
    said: str = ""


def update(desk: JobDesk, record_id: str) -> Scheduled:
    """J-60, J-61. Raises Refused, HcpError, AirtableError."""
    row, case = _asked(desk, record_id, FOR_UPDATE)
    start, home = case.start, case.home
    assert start is not None  # noqa: S101 - for the type checker: J-20 has looked
    job = jobs.look(desk.hcp, row.job_id)
    change = _allowed(lambda: job_schedule.move(row, job, start, home, desk.rules))
    if change is None or isinstance(job, Gone):
        return _kept(desk, row, job, home, "")
    wrong = _sent(desk, row, job, change)
    own = change.visit_id if isinstance(change, MoveVisit) else row.job.appointment_id
    again = jobs.settled(desk.hcp, job.id, lambda read: _starts(read, own, start))
    if isinstance(again, Job) and _starts(again, own, start):
        return _kept(desk, row, again, home, Words(desk.rules.zone).updated(start), written=True)
    reason = wrong.text if wrong is not None else "Housecall Pro still has another time"
    _failed(desk, row, again, home, reason)
    raise NotMoved(reason) from wrong


def delete(desk: JobDesk, record_id: str) -> Scheduled:
    """J-62, for Removed rows too. Raises Refused, HcpError, AirtableError."""
    row, case = _asked(desk, record_id, FOR_DELETION)
    return take_away(desk, row, case.home)


def take_away(desk: JobDesk, row: JobRow, home: Home | None) -> Scheduled:
    """Unschedules a row's job, or the row's own visit of several; nothing is sent where there is none (J-62)."""
    job = jobs.look(desk.hcp, row.job_id)
    if isinstance(job, Gone):
        return _kept(desk, row, job, home, "")
    change = _allowed(lambda: job_schedule.unschedule(row, job))
    if change is None:
        return _kept(desk, row, job, home, "")
    wrong = _sent(desk, row, job, change)
    again = jobs.settled(desk.hcp, job.id, lambda read: not _stands(read, change))
    if isinstance(again, Job) and _stands(again, change):
        reason = wrong.text if wrong is not None else "Housecall Pro still has its schedule"
        _failed(desk, row, again, home, reason)
        raise NotMoved(reason) from wrong
    if isinstance(again, Gone) or again.start is not None or again.visits:
        return _kept(desk, row, again, home, job_texts.SCHEDULE_DELETED)
    after = after_unscheduling(row)
    return _written(desk, row, again, Followed(after), job_texts.SCHEDULE_DELETED)


# -- asking ----------------------------------------------------------------------------------------------------------


def _asked(desk: JobDesk, record_id: str, checks: Sequence[Check]) -> tuple[JobRow, Case]:
    """The row afresh, if no rule forbids it. Raises Refused."""
    row = rows.fresh(desk, record_id)
    homes = rows.known_home(desk, row.property_id)
    case = Case(row, homes, desk.rules, Asked(automatic=False, now=desk.clock(), stop=desk.level))
    found = refusal(case, checks)
    if found is None and not row.job_id:
        found = no_job()
    if found is not None:
        raise Refused(found)
    return row, case


def _allowed(change: Callable[[], _Change | None]) -> _Change | None:
    try:
        return change()
    except Unmoved as unmoved:
        raise Refused(Refusal("J-60", Code(unmoved.code), unmoved.text)) from unmoved


_Change = job_schedule.MoveJob | MoveVisit | Unschedule


def _sent(desk: JobDesk, row: JobRow, job: Job, change: _Change) -> HcpError | None:
    """Sends a change; what went wrong is kept, as only the next read can tell what came of it (HC-94)."""
    try:
        with receipts.of(desk, [receipts.of_schedule(row.record_id, job, change)]):
            schedule.send(desk.hcp, job.id, change)
    except (RateLimited, Halted):
        raise  # nothing was applied
    except HcpError as error:
        return error
    return None


def _starts(job: Job, own: str, start: datetime) -> bool:
    visit = compared_visit(job, own, start)
    return visit is not None and visit.start is not None and same_minute(visit.start, start)


def _stands(job: Job, change: _Change) -> bool:
    """Whether what was to go is still there."""
    if isinstance(change, Unschedule) and change.visit_id:
        return any(visit.id == change.visit_id for visit in job.visits)
    return job.start is not None or bool(job.visits)


# -- writing ---------------------------------------------------------------------------------------------------------


def _context(desk: JobDesk, home: Home | None, *, written: bool = False) -> Context:
    notify = desk.settings.on_removed is OnRemoved.NOTIFY
    return Context(desk.rules, home, notify_removed=notify, written=written)


def _kept(
    desk: JobDesk, row: JobRow, job: Job | Gone, home: Home | None, said: str, *, written: bool = False
) -> Scheduled:
    """The row as the read says."""
    return _written(desk, row, job, followed(row, job, _context(desk, home, written=written)), said)


def _written(desk: JobDesk, row: JobRow, job: Job | Gone, found: Followed, said: str) -> Scheduled:
    state = replace(found.state, service_details=said) if said else found.state
    after = rows.put(desk, row, state)
    with desk.db.begin() as connection:
        cache.remember(connection, desk, after, job)
        job_alerts.keep(connection, desk.env, [job_alerts.RowSeen(after, found)], desk.rules, desk.clock())
    return Scheduled(after, job, said)


def _failed(desk: JobDesk, row: JobRow, job: Job | Gone, home: Home | None, reason: str) -> None:
    """JM-6: the write failed and the times still differ."""
    found = followed(row, job, _context(desk, home))
    if isinstance(job, Job):
        details = job_texts.update_failed(reason)
        state = replace(found.state, sync_status=SyncStatus.FAILED.value, schedule_details=details)
        found = replace(found, state=state)
    _written(desk, row, job, found, "")
