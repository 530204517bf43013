"""Stores what came of a write: mirror, receipt, and the memories that were waiting for the row's id (AT-45, AT-53)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection

from changeover.airtable import cells, rows
from changeover.airtable.deliver.context import Delivery
from changeover.airtable.mirror import apply_answer
from changeover.core.stay import EntryType
from changeover.store import deliveries, holds, mirror, sightings, written_types
from changeover.store.deliveries import Entry, Method, Phase
from changeover.store.mirror import Record
from changeover.store.written_types import WrittenTypes


def store(context: Delivery, pairs: Sequence[tuple[Entry, Record]]) -> None:
    """In one transaction: the answers enter the mirror, the writes are done, a new row's id replaces its create key.

    Raises what `check_lease` raises; then nothing is stored and the writes stay marked, to be searched by the next
    holder of the lease.
    """
    with context.db.begin() as conn:
        context.check_lease(conn)
        apply_answer(conn, pairs[0][0].table, [record for _, record in pairs])
        deliveries.finish(conn, [(entry, record.id) for entry, record in pairs], context.clock())
        if pairs[0][0].table == rows.TABLE:
            _made(conn, [pair for pair in pairs if pair[0].phase is Phase.CREATE])
            _remember_types(conn, [pair for pair in pairs if pair[0].method is Method.UPDATE])


def _made(conn: Connection, pairs: Iterable[tuple[Entry, Record]]) -> None:
    dead = mirror.tombstones(conn, rows.TABLE)
    for entry, record in pairs:
        key = entry.dedupe_key or ""
        sightings.rename(conn, key, record.id)
        written_types.rename(conn, key, record.id)
        holds.rename(conn, key, record.id)
        uid = entry.fields.get(rows.UID)
        mirror.forget(conn, rows.TABLE, [each.id for each in dead if each.fields.get(rows.UID) == uid])


def _remember_types(conn: Connection, pairs: Sequence[tuple[Entry, Record]]) -> None:
    """What a sync wrote into the two fields that people may take over is remembered, so that it can tell (R-59)."""
    touching = [(entry, record) for entry, record in pairs if entry.fields.keys() & set(rows.TAKEN_OVER)]
    if not touching:
        return
    known = written_types.load_all(conn)
    written_types.save(conn, (_written(entry, record, known.get(record.id)) for entry, record in touching))


def _written(entry: Entry, record: Record, known: WrittenTypes | None) -> WrittenTypes:
    """A field this write did not touch keeps its memory; without one, the kind's default stands for it (AT-3)."""
    block = record.fields.get("Entry Type") == EntryType.BLOCK
    before = known or WrittenTypes(record.id, "Needs Review" if block else "Turnover", "")
    return WrittenTypes(
        record.id,
        cells.text(entry.fields[rows.SERVICE_TYPE]) if rows.SERVICE_TYPE in entry.fields else before.service_type,
        cells.text(entry.fields[rows.BLOCK_TYPE]) if rows.BLOCK_TYPE in entry.fields else before.block_type,
    )
