"""Webhooks as they came in (J-72, J-75): each entered once with its raw bytes, repeats counted; it reads none."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from changeover.store import events, facts
from changeover.store.events import Event, EventKind, EventState
from changeover.store.mirror import chunks
from changeover.store.tables import events as event_rows
from changeover.store.tables import hooks

_CHUNK = 400
_REFUSED = "hooks.refused"


def event_id(dedupe_key: str) -> str:
    """The id of the event with this dedupe key: repeats are the same event (J-75)."""
    return f"hcp-{dedupe_key[:32]}"


def receive(connection: Connection, event: Event, job_id: str, body: bytes) -> bool:
    """Enters a webhook, `job_id` "" when no job is to be read for it; False when it is there, its repeat counted."""
    row = {"event_id": event.id, "job_id": job_id or None, "body": body, "repeats": 0}
    # The two dialects spell this alike, but share no class.
    insert = sqlite.insert(hooks) if connection.dialect.name == "sqlite" else postgresql.insert(hooks)
    entered = insert.values(row).on_conflict_do_update(
        index_elements=[hooks.c.event_id], set_={"repeats": hooks.c.repeats + 1}
    )
    if connection.execute(entered.returning(hooks.c.repeats)).scalar_one():
        return False
    events.put(connection, [event])
    return True


def waiting(connection: Connection, job_id: str) -> tuple[Event, ...]:
    """The webhooks about a job that are not worked yet, in the order in which they came."""
    query = select(hooks.c.event_id).join(event_rows, event_rows.c.id == hooks.c.event_id)
    where = (hooks.c.job_id == job_id, event_rows.c.state == EventState.RECEIVED)
    ids = connection.execute(query.where(*where)).scalars().all()
    return tuple(sorted(events.find(connection, ids), key=lambda each: (each.received_at, each.id)))


def job_of(connection: Connection, event_id: str) -> str:
    """The job that a webhook is about; "" for none, or when there is no such webhook."""
    return connection.execute(select(hooks.c.job_id).where(hooks.c.event_id == event_id)).scalar() or ""


def body(connection: Connection, event_id: str) -> bytes | None:
    """The raw bytes; None when there is no such webhook, or it has outlived its time."""
    found: bytes | None = connection.execute(select(hooks.c.body).where(hooks.c.event_id == event_id)).scalar()
    return found


def repeats(connection: Connection, ids: Iterable[str]) -> dict[str, int]:
    """How often each of these came again, those that did."""
    found: dict[str, int] = {}
    for chunk in chunks(sorted(set(ids)), _CHUNK):
        query = select(hooks.c.event_id, hooks.c.repeats).where(hooks.c.event_id.in_(chunk), hooks.c.repeats > 0)
        found |= {row.event_id: row.repeats for row in connection.execute(query)}
    return found


def drop(connection: Connection, ids: Iterable[str]) -> None:
    """Deletes webhooks, bytes and events."""
    for chunk in chunks(sorted(set(ids)), _CHUNK):
        connection.execute(delete(hooks).where(hooks.c.event_id.in_(chunk)))
        events.drop(connection, chunk)


def of(event: Event) -> bool:
    """Whether an event is a webhook."""
    return event.kind is EventKind.HCP


def count_refused(connection: Connection, number: int, at: datetime) -> None:
    """Adds to the number of those that nobody has proven (J-72)."""
    facts.put(connection, _REFUSED, refused(connection) + number, at)


def refused(connection: Connection) -> int:
    """How many nobody has proven, ever."""
    fact = facts.read(connection, _REFUSED)
    return fact.value if fact is not None and isinstance(fact.value, int) else 0
