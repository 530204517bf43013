"""What is kept about jobs: those being made (J-48), those last read (J-76); it asks nobody and decides nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import Connection, Row, delete, select, update

from changeover.store.facts import Json
from changeover.store.mirror import chunks
from changeover.store.tables import job_cache, job_intents
from changeover.store.upsert import upsert

_CHUNK: Final = 400


class IntentState(StrEnum):
    """How far a creation got (J-53 … J-56): sent, perhaps; its id known; its id in the base; its lines confirmed."""

    POSTING = "posting"
    MADE = "made"
    NAMED = "named"
    LINED = "lined"


@dataclass(frozen=True, slots=True)
class Intent:
    """A creation that is not finished. `wanted` is the order with its lines; `attempts` counts what was sent."""

    record_id: str
    state: IntentState
    wanted: Mapping[str, Json]
    created_at: datetime
    posted_at: datetime
    job_id: str = ""
    attempts: int = 1
    error: str = ""


@dataclass(frozen=True, slots=True)
class CachedJob:
    """A job as it was last read and applied to a row. `updated_at` is the service's own, the order of its states."""

    job_id: str
    record_id: str = ""
    updated_at: datetime | None = None
    applied_at: datetime | None = None
    body: Mapping[str, Json] = field(default_factory=dict)
    unscheduled_at: datetime | None = None
    conflict: Mapping[str, Json] | None = None


# -- intents ---------------------------------------------------------------------------------------------------------


def save_intent(connection: Connection, intent: Intent) -> None:
    """Stores an intent over the earlier one of its row."""
    row = {
        "record_id": intent.record_id,
        "state": str(intent.state),
        "wanted": dict(intent.wanted),
        "job_id": intent.job_id or None,
        "created_at": intent.created_at,
        "posted_at": intent.posted_at,
        "attempts": intent.attempts,
        "error": intent.error or None,
    }
    upsert(connection, job_intents, [row])


def intent_of(connection: Connection, record_id: str) -> Intent | None:
    row = connection.execute(select(job_intents).where(job_intents.c.record_id == record_id)).one_or_none()
    return None if row is None else _intent(row)


def open_intents(connection: Connection) -> tuple[Intent, ...]:
    """All creations that are not finished, oldest first."""
    query = select(job_intents).order_by(job_intents.c.created_at, job_intents.c.record_id)
    return tuple(_intent(row) for row in connection.execute(query))


def drop_intent(connection: Connection, record_id: str) -> bool:
    """Ends a creation: its row says it all, or nothing was made."""
    return connection.execute(delete(job_intents).where(job_intents.c.record_id == record_id)).rowcount > 0


# -- the cache -------------------------------------------------------------------------------------------------------


def cached(connection: Connection, job_id: str) -> CachedJob | None:
    row = connection.execute(select(job_cache).where(job_cache.c.job_id == job_id)).one_or_none()
    return None if row is None else _cached(row)


def all_cached(connection: Connection, job_ids: Iterable[str]) -> dict[str, CachedJob]:
    """Those of these jobs that are known, by id."""
    found: dict[str, CachedJob] = {}
    for chunk in chunks(sorted(set(job_ids)), _CHUNK):
        for row in connection.execute(select(job_cache).where(job_cache.c.job_id.in_(chunk))):
            found[row.job_id] = _cached(row)
    return found


def remember(connection: Connection, jobs: Sequence[CachedJob]) -> int:
    """Stores what was read and applied; what else is remembered of a job stays. Returns how many."""
    rows = (
        {
            "job_id": each.job_id,
            "record_id": each.record_id or None,
            "updated_at": each.updated_at,
            "applied_at": each.applied_at,
            "body": dict(each.body),
        }
        for each in jobs
    )
    return upsert(connection, job_cache, rows)


def remember_unscheduled(connection: Connection, job_id: str, at: datetime | None) -> None:
    """Notes that a removed stay's job has lost its schedule by ON_REMOVED; None forgets it (J-64)."""
    _set(connection, job_id, "unscheduled_at", at)


def remember_conflict(connection: Connection, job_id: str, conflict: Mapping[str, Json] | None) -> None:
    """Notes which line of ours people's words stood against; None forgets it (J-100)."""
    _set(connection, job_id, "conflict", None if conflict is None else dict(conflict))


def forget_cached(connection: Connection, applied_before: datetime) -> int:
    """Drops jobs that nothing was heard of since an instant; returns how many."""
    return connection.execute(delete(job_cache).where(job_cache.c.applied_at < applied_before)).rowcount


def _set(connection: Connection, job_id: str, column: str, value: object) -> None:
    statement = update(job_cache).where(job_cache.c.job_id == job_id).values({column: value})
    if connection.execute(statement).rowcount == 0 and value is not None:
        upsert(connection, job_cache, [{"job_id": job_id, "body": {}, column: value}])


def _intent(row: Row[tuple[object, ...]]) -> Intent:
    return Intent(
        record_id=row.record_id,
        state=IntentState(row.state),
        wanted=row.wanted,
        created_at=row.created_at,
        posted_at=row.posted_at,
        job_id=row.job_id or "",
        attempts=row.attempts,
        error=row.error or "",
    )


def _cached(row: Row[tuple[object, ...]]) -> CachedJob:
    return CachedJob(
        job_id=row.job_id,
        record_id=row.record_id or "",
        updated_at=row.updated_at,
        applied_at=row.applied_at,
        body=row.body,
        unscheduled_at=row.unscheduled_at,
        conflict=row.conflict,
    )
