"""One hash over all that is stored of the base's rows and of what sources showed; equal means unchanged."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from sqlalchemy import Column, ColumnElement, Connection, String, Table, Text, cast, func, literal, select

from changeover.store.tables import feeds, holds, mirror_records, sightings, written_types

_ROWS = 2_000
_BETWEEN = literal("\x1f", String)  # in no stored text: JSON writes control characters otherwise


def digest(connection: Connection, tables: Sequence[str]) -> str:
    """SHA-256 of these tables of the mirror, tombstones included, and of sightings, holds and the like.

    The content itself is read, so that nobody who writes has to tell. Only when a stay was last seen is left out: that
    moves with every run.
    """
    found = hashlib.sha256()
    _add(found, connection, mirror_records, list(mirror_records.c), mirror_records.c.table_name.in_(tables))
    _add(found, connection, sightings, [column for column in sightings.c if column is not sightings.c.last_seen])
    _add(found, connection, written_types, list(written_types.c))
    _add(found, connection, holds, list(holds.c))
    _add(found, connection, feeds, [feeds.c.record_id, feeds.c.urls])
    return found.hexdigest()


def _add(
    found: hashlib._Hash,
    connection: Connection,
    table: Table,
    columns: Sequence[Column[object]],
    *where: ColumnElement[bool],
) -> None:
    """Each row as one text, put together by the database: very many rows pass here, and none is looked at."""
    first, *others = (func.coalesce(cast(column, Text), "") for column in columns)
    text: ColumnElement[str] = first
    for each in others:
        text = text + _BETWEEN + each
    query = select(text).where(*where).order_by(*table.primary_key)
    rows = connection.execute(query, execution_options={"yield_per": _ROWS})
    for some in rows.scalars().partitions():
        found.update("\x1e".join(some).encode("utf-8", "surrogatepass"))
        found.update(b"\x1e")
    found.update(b"\x1d")
