"""Bulk insert-or-update, insert and delete for both databases; it decides nothing about what is stored."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice

from sqlalchemy import Connection, Table, bindparam, delete
from sqlalchemy.dialects import postgresql, sqlite

Row = Mapping[str, object]

CHUNK = 5_000  # rows held in memory at a time; executemany has no limit on parameters


def upsert(connection: Connection, table: Table, rows: Iterable[Row]) -> int:
    """Inserts rows, or sets the given columns of those whose primary key exists; returns how many were given.

    All rows have the same columns, the primary key and others among them, and no key twice in one call.
    """
    count = 0
    for chunk in _chunks(rows):
        connection.execute(_statement(connection, table, tuple(chunk[0])), chunk)
        count += len(chunk)
    return count


def delete_keys(connection: Connection, table: Table, columns: Sequence[str], keys: Iterable[tuple[str, ...]]) -> int:
    """Deletes the rows whose columns equal one of the keys; returns how many keys were given."""
    where = [table.c[name] == bindparam(f"key_{name}") for name in columns]
    count = 0
    for chunk in _chunks({f"key_{n}": v for n, v in zip(columns, key, strict=True)} for key in keys):
        connection.execute(delete(table).where(*where), chunk)
        count += len(chunk)
    return count


def _statement(connection: Connection, table: Table, columns: tuple[str, ...]) -> sqlite.Insert | postgresql.Insert:
    keys = [column.name for column in table.primary_key]
    others = [name for name in columns if name not in keys]
    # The two dialects spell this alike, but share no class.
    insert = sqlite.insert(table) if connection.dialect.name == "sqlite" else postgresql.insert(table)
    return insert.on_conflict_do_update(index_elements=keys, set_={name: insert.excluded[name] for name in others})


def _chunks(rows: Iterable[Row]) -> Iterator[list[Row]]:
    remaining = iter(rows)
    while chunk := list(islice(remaining, CHUNK)):
        yield chunk
