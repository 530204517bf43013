"""What happened to a job, read from Housecall Pro and put into its row; it never writes there (J-76, J-77)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Final

from changeover.airtable import job_rows
from changeover.airtable.mirror import RESERVATIONS
from changeover.core.job import Gone, Job, JobRow, marked_rows
from changeover.core.job_match import served
from changeover.core.job_sync import Context, followed
from changeover.engine.jobs import alerts as job_alerts
from changeover.engine.jobs import cache, creating, rows
from changeover.engine.jobs.claims import Busy, claim
from changeover.engine.jobs.desk import JobDesk
from changeover.engine.jobs.making import Bench
from changeover.housecallpro import jobs
from changeover.housecallpro.client import Object
from changeover.housecallpro.errors import Halted, HcpError
from changeover.housecallpro.models import JobModel, parsed
from changeover.ops import logging
from changeover.settings.model import OnRemoved
from changeover.store import jobs as store
from changeover.store import mirror as mirror_store
from changeover.store.gate import Purpose
from changeover.store.hcp_gate import Purpose as HcpPurpose
from changeover.store.jobs import CachedJob

log = logging.get(__name__)

_CREATED: Final = "job.created"
_SECONDS: Final = 120.0
_JOBS: Final = "job."


class Effect(StrEnum):
    """What became of a job's events."""

    UPDATED = "updated"
    UNCHANGED = "unchanged"
    STALE = "stale"  # older than what was applied last, twice (J-76)
    UNMATCHED = "unmatched"  # no row has the job (J-82)
    LINKED = "linked"  # by its marker (J-82)
    NOTHING = "nothing"  # events that are none of a job's (J-80)


@dataclass(frozen=True, slots=True)
class Followed:
    """The effect, and the row it was on."""

    effect: Effect
    job_id: str
    record_id: str = ""


def follow(desk: JobDesk, job_id: str, events: Sequence[str], payload: Object | None = None) -> Followed:
    """All waiting events of a job: one read, at most one update of its row (J-76, J-80).

    `payload` is the newest job object among them; of it only the marker is looked at, where no row has the job (J-82).
    Raises the clients' HcpError and AirtableError for what may go better later, Halted under a stop (E-5).
    """
    if not any(event.startswith(_JOBS) for event in events):
        return Followed(Effect.NOTHING, job_id)
    desk.check_reads()
    desk = desk.under(HcpPurpose.WEBHOOK, Purpose.OTHER, _SECONDS)
    with logging.about(job_id=job_id):
        row = row_of(desk, job_id)
        done = _unmatched(desk, job_id, payload) if row is None else _applied(desk, row, events)
        log.info("job.followed", effect=done.effect, record_id=done.record_id, events=sorted(set(events)))
    return done


def row_of(desk: JobDesk, job_id: str) -> JobRow | None:
    """The row of a job, in the mirror: the live one that is served (J-5, J-79), else a Removed one (J-81)."""
    with desk.db.read() as connection:
        having = job_rows.having_job(connection, job_id)
    newest, _ = served(having)
    return newest.get(job_id) or next(iter(having), None)


def _applied(desk: JobDesk, row: JobRow, events: Sequence[str]) -> Followed:
    with desk.db.read() as connection:
        known = store.cached(connection, row.job_id)
    job = _read(desk, row.job_id, events)
    if cache.is_older(job, known):
        job = jobs.look(desk.hcp, row.job_id)
    if cache.is_older(job, known):
        return Followed(Effect.STALE, row.job_id, row.record_id)
    if not desk.switch.state().writes:
        _keep(desk, row, job)
        raise Halted  # the job cache is kept, the base waits (E-5)
    home = rows.known_home(desk, row.property_id).get(row.property_id)
    notify = desk.settings.on_removed is OnRemoved.NOTIFY
    found = followed(row, job, Context(desk.rules, home, notify_removed=notify))
    after = rows.put_together(desk, row, found.state)
    with desk.db.begin() as connection:
        cache.remember(connection, desk, after, job)
        job_alerts.keep(connection, desk.env, [job_alerts.RowSeen(after, found)], desk.rules, desk.clock())
    effect = Effect.UNCHANGED if after.job == job_rows.as_stored(row.job) else Effect.UPDATED
    return Followed(effect, row.job_id, row.record_id)


def _read(desk: JobDesk, job_id: str, events: Sequence[str]) -> Job | Gone:
    """The truth about the job. One that was just created may not be readable for a minute (J-81)."""
    job = desk.shared.reads.ask(job_id, partial(jobs.look_at, desk.hcp))
    if isinstance(job, HcpError):
        raise job
    for wait in desk.pauses.just_created if _CREATED in events else ():
        if isinstance(job, Job):
            break
        desk.sleep(wait)
        job = jobs.look(desk.hcp, job_id)
    return job


def _keep(desk: JobDesk, row: JobRow, job: Job | Gone) -> None:
    """Only what was seen; it counts as not applied, so that the same state is written once the stop is lifted."""
    with desk.db.begin() as connection:
        known = store.cached(connection, row.job_id) or CachedJob(row.job_id, row.record_id)
        seen = CachedJob(row.job_id, row.record_id, known.updated_at, known.applied_at, cache.body(job))
        store.remember(connection, [seen])


# -- a job that no row has (J-82) ------------------------------------------------------------------------------------


def _unmatched(desk: JobDesk, job_id: str, payload: Object | None) -> Followed:
    """Its payload is kept, and it is linked if its marker names a row that waits for it."""
    if payload is not None:
        with desk.db.begin() as connection:
            store.remember(connection, [CachedJob(job_id, body=dict(payload))])
    linked = next((row for row in _waiting_rows(desk, payload) if _linked(desk, row, job_id)), None)
    if linked is None:
        return Followed(Effect.UNMATCHED, job_id)
    return Followed(Effect.LINKED, job_id, linked.record_id)


def _waiting_rows(desk: JobDesk, payload: Object | None) -> list[JobRow]:
    """The live rows that the payload's marker names, without a job and without one being made."""
    try:
        marked = marked_rows(parsed(JobModel, payload).job()) if payload is not None else frozenset[str]()
    except HcpError:
        return []  # in a form that is not understood: only a hint is lost
    if len(marked) != 1:
        return []
    with desk.db.read() as connection:
        named = [job_rows.to_row(each) for each in mirror_store.find(connection, RESERVATIONS, sorted(marked)).values()]
        return [
            row for row in named if row.live and not row.job_id and store.intent_of(connection, row.record_id) is None
        ]


def _linked(desk: JobDesk, row: JobRow, job_id: str) -> bool:
    """Reads the job and links it, if it is the row's customer's (J-86) and nobody else is at work on the row."""
    job = jobs.look(desk.hcp, job_id)
    home = rows.known_home(desk, row.property_id).get(row.property_id)
    theirs = isinstance(job, Job) and home is not None and job.customer_id == home.customer_id
    if not isinstance(job, Job) or not theirs or row.record_id not in marked_rows(job):
        return False
    if not desk.switch.state().writes:
        raise Halted
    try:
        with claim(desk.db, row.record_id, 0, desk.sleep) as lease:
            again = rows.fresh(desk, row.record_id)
            if not again.live or again.job_id:
                return False
            creating.link(Bench(desk, lease, again, home), job)
    except (Busy, rows.Refused):
        return False
    return True
