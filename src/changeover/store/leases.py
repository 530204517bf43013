"""The rows behind leases (C-30): who holds what until when, by the database's clock; it never judges who may."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, DateTime, Row, func, literal_column, select, update
from sqlalchemy.dialects import postgresql, sqlite

from changeover.store.tables import leases

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Holder:
    """A process in the middle of a run; `started` tells it from a later process with the same pid."""

    run: str
    host: str
    pid: int
    started: str


@dataclass(frozen=True, slots=True)
class LeaseRow:
    """A lease as it stands. A free one keeps its token, which only ever rises; its holder is None."""

    name: str
    holder: Holder | None
    heartbeat: datetime
    expires: datetime
    token: int


def database_now(connection: Connection) -> datetime:
    """The database's own clock, so that hosts whose clocks differ agree on what has expired.

    SQLite has none and takes the host's; it is never shared between hosts (K-4).
    """
    if connection.dialect.name == "sqlite":
        text = connection.scalar(select(func.strftime("%Y-%m-%dT%H:%M:%f", "now")))
        return datetime.fromisoformat(str(text)).replace(tzinfo=UTC)
    clock = literal_column("clock_timestamp()", DateTime(timezone=True))
    return connection.execute(select(clock)).scalar_one().astimezone(UTC)


def lock(connection: Connection, name: str) -> LeaseRow:
    """The lease's row, made where missing, kept from others until the transaction ends."""
    blank = {
        "name": name,
        "holder": "",
        "host": "",
        "pid": 0,
        "pid_started": "",
        "heartbeat": _EPOCH,
        "expires": _EPOCH,
        "token": 0,
    }
    insert = sqlite.insert(leases) if connection.dialect.name == "sqlite" else postgresql.insert(leases)
    connection.execute(insert.on_conflict_do_nothing(index_elements=["name"]), blank)
    return _lease(connection.execute(select(leases).where(leases.c.name == name).with_for_update()).one())


def look(connection: Connection, name: str) -> LeaseRow | None:
    """The lease's row as it stands, without waiting for anyone; None before its first taking."""
    row = connection.execute(select(leases).where(leases.c.name == name)).one_or_none()
    return None if row is None else _lease(row)


def take(connection: Connection, row: LeaseRow, holder: Holder, lasts: timedelta) -> int:
    """Gives a locked lease to a holder; returns its fencing token, one above the last."""
    now = database_now(connection)
    values = {
        "holder": holder.run,
        "host": holder.host,
        "pid": holder.pid,
        "pid_started": holder.started,
        "heartbeat": now,
        "expires": now + lasts,
        "token": row.token + 1,
    }
    connection.execute(update(leases).where(leases.c.name == row.name).values(values))
    return row.token + 1


def beat(connection: Connection, name: str, token: int, lasts: timedelta) -> bool:
    """Extends a lease; False when another has taken it."""
    now = database_now(connection)
    return _change(connection, name, token, {"heartbeat": now, "expires": now + lasts})


def free(connection: Connection, name: str, token: int) -> bool:
    """Gives a lease back; False when another has taken it."""
    return _change(connection, name, token, {"holder": "", "expires": database_now(connection)})


def _lease(row: Row[tuple[object, ...]]) -> LeaseRow:
    holder = Holder(row.holder, row.host, row.pid, row.pid_started) if row.holder else None
    return LeaseRow(row.name, holder, row.heartbeat, row.expires, row.token)


def _change(connection: Connection, name: str, token: int, values: dict[str, object]) -> bool:
    statement = update(leases).where(leases.c.name == name, leases.c.token == token).values(values)
    return connection.execute(statement).rowcount > 0
