"""The automation Sync Service Jobs: every row with a job says what Housecall Pro says (J-59, J-63 … J-69, J-71)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from changeover.airtable.errors import AirtableError
from changeover.core import job_match
from changeover.core.job import Gone, Home, Job, JobRow, JobStatus, SyncStatus
from changeover.core.job_status import status_of
from changeover.core.job_sync import Context, Followed, followed
from changeover.core.stay import Status
from changeover.engine import hook_alerts
from changeover.engine.jobs import alerts as job_alerts
from changeover.engine.jobs import cache, rows, scheduling, steps
from changeover.engine.jobs.alerts import RowSeen
from changeover.engine.jobs.claims import Busy, claim
from changeover.engine.jobs.failures import Breaker, failure_of
from changeover.engine.jobs.office import Office
from changeover.engine.jobs.rows import Draft, Refused
from changeover.engine.jobs.window import Window
from changeover.engine.outcome import Failure, Outcome, state_of
from changeover.engine.work import Done, Work
from changeover.housecallpro.errors import HcpError
from changeover.settings.model import OnRemoved
from changeover.store import jobs as store
from changeover.store.facts import Json
from changeover.store.jobs import CachedJob

NAME = "Sync Service Jobs"


@dataclass(frozen=True, slots=True)
class Seen:
    """A row with its job as read, and what the rules make of it."""

    row: JobRow
    job: Job | Gone
    found: Followed


@dataclass(slots=True)
class Verified:
    """What one run found: rows verified, those whose job could not be read or that could not be written."""

    seen: list[Seen] = field(default_factory=list)
    stale: int = 0
    unread: int = 0
    unscheduled: int = 0
    breaker: Breaker = field(default_factory=Breaker)
    failure: Failure | None = None

    @property
    def errors(self) -> int:
        return self.unread + self.breaker.errors

    def statuses(self) -> Counter[str]:
        return Counter(each.found.state.sync_status for each in self.seen if each.row.live)


def run(work: Work) -> Done:
    """One run of the automation. It writes to Housecall Pro only where ON_REMOVED says so (J-59, J-64)."""
    return steps.run(work, NAME, _run)


def _run(_work: Work, office: Office) -> Outcome:
    office.recovered()
    linked = _linked(office.rows())
    done = Verified()
    if linked:
        _verify(office, linked, done)
    counted = done.statuses()
    wrong_date, wrong_time = counted[SyncStatus.WRONG_DATE.value], counted[SyncStatus.WRONG_TIME.value]
    not_created = counted[SyncStatus.NOT_CREATED.value]
    verified = len(done.seen) + done.stale - done.breaker.errors
    total = len(done.seen) + done.stale + done.unread
    parts = {
        "wrong date": wrong_date,
        "wrong time": wrong_time,
        "not created": not_created,
        "unscheduled": done.unscheduled,
        "errors": done.errors,
    }
    counters: dict[str, Json] = {
        "verified": verified,
        "total": total,
        **{name.replace(" ", "_"): number for name, number in parts.items()},
    }
    text = steps.with_parts(f"{verified}/{total} jobs verified", parts)
    return Outcome(state_of(verified, done.errors), text, counters, done.breaker.first or done.failure)


def _linked(candidates: Sequence[JobRow]) -> list[JobRow]:
    """The rows with a job: of several live ones that carry it the served one (J-5), and Removed ones."""
    newest, _ = job_match.served(candidates)
    removed = [row for row in candidates if not row.live and row.job_id and row.job_id not in newest]
    return [*newest.values(), *removed]


def _verify(office: Office, linked: Sequence[JobRow], done: Verified) -> None:
    window, homes = office.window(), office.homes()
    with office.desk.db.read() as connection:
        known = store.all_cached(connection, (row.job_id for row in linked))
    for row in linked:
        _look_at(office, row, window, homes, known.get(row.job_id), done)
    if office.dry_run:
        return
    _write(office, done, known)
    if office.desk.settings.on_removed is OnRemoved.UNSCHEDULE:
        _take_away(office, done, known)


def _look_at(
    office: Office,
    row: JobRow,
    window: Window,
    homes: dict[str, Home],
    known: CachedJob | None,
    done: Verified,
) -> None:
    job = window.jobs.get(row.job_id)
    if job is None:
        error = window.unread.get(row.job_id)
        if error is not None or row.job_id in window.malformed:
            done.unread += 1
            done.failure = done.failure or _why(error, row)
        return  # an ended job of long ago (JX-36)
    if cache.is_older(job, known):
        done.stale += 1  # a webhook has brought a newer one meanwhile (J-76)
        return
    notify = office.desk.settings.on_removed is OnRemoved.NOTIFY
    found = followed(row, job, Context(office.desk.rules, homes.get(row.property_id), notify_removed=notify))
    done.seen.append(Seen(row, job, found))


def _why(error: HcpError | None, row: JobRow) -> Failure:
    if error is None:
        return Failure("not_found", f"the Service Job ID of row {row.record_id} is no id of Housecall Pro")
    return failure_of(error)


def _write(office: Office, done: Verified, known: dict[str, CachedJob]) -> None:
    """What differs, ten rows to a request; then what was seen is remembered, and alerts follow."""
    desk = office.desk
    drafts = [Draft(each.row, each.found.state) for each in done.seen]
    try:
        put = rows.put_all(desk, drafts)
    except AirtableError as error:
        done.breaker.broke(error)
        return
    for refused in put.refused.values():
        done.breaker.broke(refused)
    applied = [each for each in done.seen if each.row.record_id not in put.refused]
    entries = [(each, cache.entry(each.row, each.job, desk)) for each in applied]
    fresh = [entry for each, entry in entries if _is_new(entry, known.get(each.row.job_id))]
    with desk.db.begin() as connection:
        if desk.settings.takes_hooks:
            hook_alerts.polled(connection, desk.env, _changes(fresh, known), desk.clock())
        store.remember(connection, fresh)
        job_alerts.keep(
            connection, desk.env, [RowSeen(each.row, each.found) for each in applied], desk.rules, desk.clock()
        )


def _is_new(entry: CachedJob, known: CachedJob | None) -> bool:
    return known is None or (known.updated_at, known.record_id, dict(known.body)) != (
        entry.updated_at,
        entry.record_id,
        dict(entry.body),
    )


def _changes(fresh: Sequence[CachedJob], known: dict[str, CachedJob]) -> Iterator[datetime]:
    """When jobs changed that nobody has told us of: other than what was last applied, be it by a webhook or by us."""
    for entry in fresh:
        before = known.get(entry.job_id)
        if before is not None and before.updated_at is not None and entry.updated_at is not None:
            yield entry.updated_at


def _take_away(office: Office, done: Verified, known: dict[str, CachedJob]) -> None:
    """ON_REMOVED unschedule: a removed stay's job loses its schedule, once (J-64, JX-37)."""
    desk = office.desk
    for each in done.seen:
        before = known.get(each.row.job_id)
        once = before is not None and before.unscheduled_at is not None
        if once and each.row.live:
            with desk.db.begin() as connection:
                store.remember_unscheduled(connection, each.row.job_id, None)
        if once or each.row.status is not Status.REMOVED or not _has_schedule(each.job):
            continue
        try:
            with claim(desk.db, each.row.record_id, 0, desk.sleep):
                current = _current(office, each.row)
                scheduling.take_away(desk, current, office.homes().get(current.property_id))
            with desk.db.begin() as connection:
                store.remember_unscheduled(connection, each.row.job_id, desk.clock())
            done.unscheduled += 1
        except (Busy, Refused):
            continue
        except (HcpError, AirtableError) as error:
            if done.breaker.broke(error):
                return


def _has_schedule(job: Job | Gone) -> bool:
    if isinstance(job, Gone) or (job.start is None and not job.visits):
        return False
    return status_of(job) in (JobStatus.UNSCHEDULED, JobStatus.SCHEDULED)


def _current(office: Office, row: JobRow) -> JobRow:
    """The row with what this run has just written into it."""
    return next((each for each in office.rows() if each.record_id == row.record_id), row)
