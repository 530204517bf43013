"""What a sync last wrote into the two fields that people may take over (R-59, AT-3); it never judges who owns them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, delete, select, update

from changeover.store.tables import written_types
from changeover.store.upsert import delete_keys, upsert


@dataclass(frozen=True, slots=True)
class WrittenTypes:
    """The last written values of one row; `record_id` is its create key until it exists."""

    record_id: str
    service_type: str
    block_type: str


def load_all(connection: Connection) -> dict[str, WrittenTypes]:
    """All of them by record id; a row that is absent was never written by a sync, or the memory is lost."""
    rows = connection.execute(select(written_types))
    return {row.record_id: WrittenTypes(row.record_id, row.service_type, row.block_type) for row in rows}


def save(connection: Connection, written: Iterable[WrittenTypes]) -> int:
    """Stores values over those of the same row; returns how many."""
    rows = ({"record_id": w.record_id, "service_type": w.service_type, "block_type": w.block_type} for w in written)
    return upsert(connection, written_types, rows)


def forget(connection: Connection, record_ids: Iterable[str]) -> int:
    """Drops rows by record id, known or not; returns how many were named."""
    return delete_keys(connection, written_types, ("record_id",), ((record_id,) for record_id in record_ids))


def rename(connection: Connection, create_key: str, record_id: str) -> bool:
    """Moves the memory of a create to the row it made (AT-45); True when there was one."""
    known = connection.execute(select(written_types.c.record_id).where(written_types.c.record_id == create_key)).first()
    if known is None:
        return False
    connection.execute(delete(written_types).where(written_types.c.record_id == record_id))
    connection.execute(update(written_types).where(written_types.c.record_id == create_key).values(record_id=record_id))
    return True
