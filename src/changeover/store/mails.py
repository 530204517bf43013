"""The rows of mails that came in (CM-8, step 6): entered once for the same bytes; what is in them is not looked at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import islice

from sqlalchemy import Connection, select
from sqlalchemy.dialects import postgresql, sqlite

from changeover.store.events import EventKind, EventState
from changeover.store.facts import Json
from changeover.store.tables import events

_AT_ONCE = 400

# Built once, as building takes longer than executing. The two dialects spell this alike, but share no class.
_ENTER = {
    name: insert(events).on_conflict_do_nothing().returning(events.c.id)
    for name, insert in (("sqlite", sqlite.insert), ("postgresql", postgresql.insert))
}


def event_id(sha256: str) -> str:
    """The id of the mail whose bytes have this digest: the same bytes are the same mail."""
    return f"mail-{sha256[:32]}"


def receive(connection: Connection, payload: Mapping[str, Json], received_at: datetime) -> bool:
    """Enters a mail by its payload (`sha256`, `content_type`, `path`, `size`); False when it is entered already."""
    row = {
        "id": event_id(str(payload["sha256"])),
        "kind": str(EventKind.MAIL),
        "state": str(EventState.RECEIVED),
        "received_at": received_at,
        "summary": f"{payload['size']} bytes",
        "payload": dict(payload),
    }
    return connection.execute(_ENTER[connection.dialect.name], row).first() is not None


def paths(connection: Connection, ids: Iterable[str]) -> dict[str, str]:
    """By event id, where the mail's file lies, relative to the data folder; mails that are not entered are left out."""
    remaining, found = iter(sorted(set(ids))), dict[str, str]()
    while chunk := list(islice(remaining, _AT_ONCE)):
        query = select(events.c.id, events.c.payload).where(events.c.id.in_(chunk))
        found |= {row.id: str(row.payload["path"]) for row in connection.execute(query)}
    return found
