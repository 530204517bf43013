"""The switches of the control table as last read (C-13); it never says whether an automation may run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, select

from changeover.store.tables import automation_flags
from changeover.store.upsert import upsert


@dataclass(frozen=True, slots=True)
class Flag:
    """One automation's switch: `rows` is how many rows bear its name, `active` that all of them are ticked."""

    name: str
    record_id: str | None
    active: bool
    rows: int
    read_at: datetime


def replace_all(connection: Connection, flags: Iterable[Flag]) -> None:
    """Makes these the known switches; one that is not named is no longer known (C-12)."""
    connection.execute(delete(automation_flags))
    rows = (
        {"name": f.name, "record_id": f.record_id, "active": f.active, "rows": f.rows, "read_at": f.read_at}
        for f in flags
    )
    upsert(connection, automation_flags, rows)


def load_all(connection: Connection) -> tuple[Flag, ...]:
    rows = connection.execute(select(automation_flags).order_by(automation_flags.c.name))
    return tuple(Flag(row.name, row.record_id, row.active, row.rows, row.read_at) for row in rows)
