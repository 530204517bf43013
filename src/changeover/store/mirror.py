"""The stored copy of the base's records, its tombstones and its cursors (AT-30); it never talks to the base."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import TypeAlias, TypeVar

from sqlalchemy import Connection, delete, func, select, update

from changeover.store.tables import mirror_cursors, mirror_records
from changeover.store.upsert import upsert

Cell: TypeAlias = "str | int | float | bool | list[Cell] | dict[str, Cell] | None"
Fields: TypeAlias = Mapping[str, Cell]
T = TypeVar("T")

_CHUNK = 400  # rows a statement: well under the parameter limits of both databases


@dataclass(frozen=True, slots=True)
class Record:
    """One record as the API gives it: empty cells are absent (AT-15)."""

    id: str
    created: datetime
    fields: Fields


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a table has been read: `cursor` is the base's clock, `full_at` the last complete full refresh."""

    cursor: datetime
    full_at: datetime


def put(conn: Connection, table: str, records: Iterable[Record]) -> int:
    """Puts records into the mirror as they are now; one that was deleted lives again. Returns their number."""
    return upsert(
        conn,
        mirror_records,
        (
            {
                "table_name": table,
                "record_id": each.id,
                "created_time": each.created,
                "fields": dict(each.fields),
                "deleted_at": None,
            }
            for each in records
        ),
    )


def load(conn: Connection, table: str) -> tuple[Record, ...]:
    """The table's records, tombstones left out, oldest first."""
    return tuple(each(conn, table))


def each(conn: Connection, table: str) -> Iterator[Record]:
    """The same, one after the other: for tables that are large and of which little is kept."""
    return _records(conn, table, deleted=False)


def tombstones(conn: Connection, table: str) -> tuple[Record, ...]:
    """The records that people deleted, as they were last seen (AT-34)."""
    return tuple(_records(conn, table, deleted=True))


def find(conn: Connection, table: str, record_ids: Sequence[str]) -> dict[str, Record]:
    """Records by id, tombstones included."""
    found: dict[str, Record] = {}
    for chunk in chunks(record_ids, _CHUNK):
        statement = select(mirror_records).where(
            mirror_records.c.table_name == table, mirror_records.c.record_id.in_(chunk)
        )
        for row in conn.execute(statement):
            found[row.record_id] = Record(row.record_id, row.created_time, row.fields)
    return found


def with_text(conn: Connection, table: str, field: str, value: str) -> tuple[Record, ...]:
    """The records whose field is this text, tombstones left out, oldest first."""
    statement = (
        select(mirror_records)
        .where(mirror_records.c.table_name == table, mirror_records.c.deleted_at.is_(None))
        .where(mirror_records.c.fields[field].as_string() == value)
        .order_by(mirror_records.c.created_time, mirror_records.c.record_id)
    )
    return tuple(Record(row.record_id, row.created_time, row.fields) for row in conn.execute(statement))


def count(conn: Connection, table: str) -> int:
    """How many records of the table the mirror holds, tombstones left out."""
    statement = select(func.count()).where(mirror_records.c.table_name == table, mirror_records.c.deleted_at.is_(None))
    return conn.execute(statement).scalar_one()


def bury(conn: Connection, table: str, record_ids: Sequence[str], at: datetime) -> None:
    """Makes tombstones of records that the base has no more; a tombstone keeps its first date (AT-34)."""
    for chunk in chunks(record_ids, _CHUNK):
        conn.execute(
            update(mirror_records)
            .where(
                mirror_records.c.table_name == table,
                mirror_records.c.record_id.in_(chunk),
                mirror_records.c.deleted_at.is_(None),
            )
            .values(deleted_at=at)
        )


def forget(conn: Connection, table: str, record_ids: Sequence[str]) -> None:
    """Takes records out of the mirror without a trace: they are still in the base, or nobody needs them (AT-33)."""
    for chunk in chunks(record_ids, _CHUNK):
        conn.execute(
            delete(mirror_records).where(mirror_records.c.table_name == table, mirror_records.c.record_id.in_(chunk))
        )


def cursor(conn: Connection, table: str) -> Cursor | None:
    """How far the table has been read, None before the first complete refresh."""
    row = conn.execute(select(mirror_cursors).where(mirror_cursors.c.table_name == table)).one_or_none()
    return None if row is None else Cursor(row.cursor, row.full_at)


def save_cursor(conn: Connection, table: str, value: Cursor) -> None:
    """Stores how far a complete refresh has come."""
    upsert(conn, mirror_cursors, [{"table_name": table, "cursor": value.cursor, "full_at": value.full_at}])


def drop_cursors(conn: Connection) -> None:
    """Makes the next refresh of every table a full one: after a restore, drift or a billing block (AT-33)."""
    conn.execute(delete(mirror_cursors))


def chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """The items in lists of at most `size`."""
    rest = iter(items)
    while part := list(islice(rest, size)):
        yield part


def _records(conn: Connection, table: str, *, deleted: bool) -> Iterator[Record]:
    mark = mirror_records.c.deleted_at
    statement = (
        select(mirror_records.c.record_id, mirror_records.c.created_time, mirror_records.c.fields)
        .where(mirror_records.c.table_name == table, mark.is_not(None) if deleted else mark.is_(None))
        .order_by(mirror_records.c.created_time, mirror_records.c.record_id)
    )
    for record_id, created, fields in conn.execute(statement, execution_options={"yield_per": _CHUNK}):
        yield Record(record_id, created, fields)
