"""What each source last showed of each stay, with its misses (R-54); loads and keeps them and counts nothing itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, Row, delete, exists, select, update

from changeover.core.stay import Kind, Sighting
from changeover.store.tables import sightings
from changeover.store.upsert import delete_keys, upsert

_KEY = ("source", "record_id")
_BATCH = 10_000


def load_all(connection: Connection) -> tuple[Sighting, ...]:
    """Every sighting, ordered by source and record id, so that equal databases give equal inputs."""
    query = select(sightings).order_by(sightings.c.source, sightings.c.record_id)
    rows = connection.execute(query, execution_options={"yield_per": _BATCH})
    return tuple(_sighting(row) for row in rows)


def save(connection: Connection, changed: Iterable[Sighting]) -> int:
    """Stores sightings over those of the same source and row; returns how many."""
    return upsert(connection, sightings, (_row(each) for each in changed))


def forget(connection: Connection, keys: Iterable[tuple[str, str]]) -> int:
    """Drops (source, record id) pairs, known or not; returns how many were named."""
    return delete_keys(connection, sightings, _KEY, keys)


def rename(connection: Connection, create_key: str, record_id: str) -> int:
    """Gives the sightings of a created row its record id, once the receipt has arrived (AT-45); returns how many moved.

    Where a source has a sighting under that id already (an adopted row), the create's one is newer and takes its place.
    """
    newer = sightings.alias("newer")
    replaced = exists().where(newer.c.source == sightings.c.source, newer.c.record_id == create_key)
    connection.execute(delete(sightings).where(sightings.c.record_id == record_id, replaced))
    moved = update(sightings).where(sightings.c.record_id == create_key).values(record_id=record_id)
    return connection.execute(moved).rowcount


def _sighting(row: Row[tuple[object, ...]]) -> Sighting:
    return Sighting(
        source=row.source,
        record_id=row.record_id,
        uids=tuple(row.uids),
        check_in=row.check_in,
        check_out=row.check_out,
        kind=Kind(row.kind),
        entry_source=row.entry_source,
        block_type=row.block_type,
        misses=row.misses,
        missing_since=row.missing_since,
        last_seen=row.last_seen,
        gone=row.gone,
        next_is_owner=row.next_is_owner,
    )


def _row(sighting: Sighting) -> Mapping[str, object]:
    return {
        "source": sighting.source,
        "record_id": sighting.record_id,
        "uids": list(sighting.uids),
        "check_in": sighting.check_in,
        "check_out": sighting.check_out,
        "kind": str(sighting.kind),
        "entry_source": sighting.entry_source,
        "block_type": sighting.block_type,
        "misses": sighting.misses,
        "missing_since": sighting.missing_since,
        "last_seen": sighting.last_seen,
        "gone": sighting.gone,
        "next_is_owner": sighting.next_is_owner,
    }
