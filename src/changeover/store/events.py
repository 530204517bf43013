"""What came from outside and how it ended: rows set aside, files (R-18), mails (CM-11), webhooks; it judges nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, Row, delete, select, update

from changeover.store.facts import Json
from changeover.store.tables import events
from changeover.store.upsert import delete_keys, upsert

_AT_ONCE = 400


class EventKind(StrEnum):
    """A row of a report that was set aside, a file of which nothing could be used, a mail, a webhook, a click."""

    CSV_ROW = "csv_row"
    CSV_FILE = "csv_file"
    MAIL = "mail"
    HCP = "hcp"
    CLICK = "click"


class EventState(StrEnum):
    """How far it got. Rows and files: waiting for a person; imported after all; overtaken or put away.

    Mails (CM-11): stored and not worked yet; worked; a copy of another; not for us by policy; of doubtful origin;
    of no use to the program; given up.

    Webhooks too are received, done or failed; or of another company (J-74), of no known form (J-73), of a job that no
    row has (J-82). So are clicks; or refused by a rule (§4), or overtaken by a later one on the same row.
    """

    WAITING = "waiting"
    IMPORTED = "imported"
    SUPERSEDED = "superseded"
    RECEIVED = "received"
    DONE = "done"
    DUPLICATE = "duplicate"
    IGNORED = "ignored"
    HELD = "held"
    NEEDS_ATTENTION = "needs_attention"
    FAILED = "failed"
    REJECTED = "rejected"
    FOREIGN = "foreign"
    UNMATCHED = "unmatched"


@dataclass(frozen=True, slots=True)
class Event:
    """One such thing. `summary` names no guest; `payload` is the thing itself and may."""

    id: str
    kind: EventKind
    state: EventState
    received_at: datetime
    summary: str
    payload: Mapping[str, Json]
    ended_at: datetime | None = None

    def number(self, name: str, default: int = 0) -> int:
        """What its payload counts under a name."""
        value = self.payload.get(name)
        return value if isinstance(value, int) else default


def put(connection: Connection, found: Iterable[Event]) -> int:
    """Stores events over those of the same id; returns how many."""
    return upsert(connection, events, (_row(each) for each in {each.id: each for each in found}.values()))


def waiting(connection: Connection) -> tuple[Event, ...]:
    """All events that still wait, oldest first."""
    query = select(events).where(events.c.state == EventState.WAITING).order_by(events.c.received_at, events.c.id)
    return tuple(_event(row) for row in connection.execute(query))


def recent(
    connection: Connection,
    limit: int = 100,
    *,
    kinds: Collection[EventKind] = (),
    states: Collection[EventState] = (),
) -> tuple[Event, ...]:
    """The newest events, newest first; of these kinds and in these states, of any where none is named."""
    query = select(events).order_by(events.c.received_at.desc(), events.c.id).limit(limit)
    if kinds:
        query = query.where(events.c.kind.in_(kinds))
    if states:
        query = query.where(events.c.state.in_(states))
    return tuple(_event(row) for row in connection.execute(query))


def find(connection: Connection, ids: Iterable[str]) -> tuple[Event, ...]:
    """The events of these ids that there are, in order of id."""
    wanted = sorted(set(ids))
    found: list[Event] = []
    for start in range(0, len(wanted), _AT_ONCE):
        query = select(events).where(events.c.id.in_(wanted[start : start + _AT_ONCE])).order_by(events.c.id)
        found += (_event(row) for row in connection.execute(query))
    return tuple(found)


def finish(connection: Connection, ids: Iterable[str], state: EventState, at: datetime) -> None:
    """Ends events in a state."""
    for event_id in sorted(set(ids)):
        connection.execute(update(events).where(events.c.id == event_id).values(state=state, ended_at=at))


def ended(
    connection: Connection, kind: EventKind, states: Collection[EventState], before: datetime, limit: int = 1000
) -> tuple[Event, ...]:
    """What ended in one of these states before an instant, the longest ago first."""
    where = (events.c.kind == kind, events.c.state.in_(states), events.c.ended_at < before)
    query = select(events).where(*where).order_by(events.c.ended_at, events.c.id).limit(limit)
    return tuple(_event(row) for row in connection.execute(query))


def drop(connection: Connection, ids: Iterable[str]) -> None:
    """Deletes events."""
    delete_keys(connection, events, ["id"], ((event_id,) for event_id in sorted(set(ids))))


def prune(
    connection: Connection,
    ended_before: datetime,
    received_before: datetime,
    *,
    kinds: Collection[EventKind] = (EventKind.CSV_ROW, EventKind.CSV_FILE),
) -> int:
    """Deletes what ended, or was received, before these instants (F-3); returns how many.

    A mail is not among them unless asked for: its row goes after its file, or the file would be taken in again (CM-9).
    """
    old = (events.c.ended_at < ended_before) | (events.c.received_at < received_before)
    return connection.execute(delete(events).where(events.c.kind.in_(kinds), old)).rowcount


def _event(row: Row[tuple[object, ...]]) -> Event:
    return Event(
        id=row.id,
        kind=EventKind(row.kind),
        state=EventState(row.state),
        received_at=row.received_at,
        summary=row.summary,
        payload=row.payload,
        ended_at=row.ended_at,
    )


def _row(event: Event) -> Mapping[str, object]:
    return {
        "id": event.id,
        "kind": str(event.kind),
        "state": str(event.state),
        "received_at": event.received_at,
        "ended_at": event.ended_at,
        "summary": event.summary,
        "payload": dict(event.payload),
    }
