"""What each source last showed of each stay, with its misses (R-54); loads and keeps them and counts nothing itself."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import fields
from datetime import datetime
from sys import intern
from typing import Any

from sqlalchemy import Connection, Row, delete, exists, select, update

from changeover.core.recollection import Seen
from changeover.core.stay import Kind, Sighting
from changeover.store.mirror import chunks
from changeover.store.tables import sightings
from changeover.store.upsert import delete_keys, upsert

_KEY = ("source", "record_id")
_BATCH = 10_000
_SOURCES = 500  # a statement: well under the parameter limits of both databases


def load_all(connection: Connection) -> tuple[Sighting, ...]:
    """Every sighting, ordered by source and record id, so that equal databases give equal inputs."""
    query = select(*_COLUMNS).order_by(sightings.c.source, sightings.c.record_id)
    rows = connection.execute(query, execution_options={"yield_per": _BATCH})
    return tuple(map(_sighting, rows))


def save(connection: Connection, changed: Iterable[Sighting]) -> int:
    """Stores sightings over those of the same source and row; returns how many."""
    return upsert(connection, sightings, (_row(each) for each in changed))


def see_again(connection: Connection, seen: Iterable[Seen]) -> int:
    """Moves the last sight of whatever a source merely showed again; returns how many sightings moved."""
    by_step: dict[tuple[datetime, datetime], list[str]] = defaultdict(list)
    for each in seen:
        by_step[each.before, each.at].append(each.source)
    moved = 0
    for (before, at), sources in by_step.items():
        for some in chunks(sources, _SOURCES):
            of_these = (sightings.c.last_seen == before, sightings.c.source.in_(some))
            moved += connection.execute(update(sightings).where(*of_these).values(last_seen=at)).rowcount
    return moved


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


_COLUMNS = tuple(sightings.c[each.name] for each in fields(Sighting))
_KINDS = {str(each): each for each in Kind}


def _sighting(row: Row[*tuple[Any, ...]]) -> Sighting:
    source, record_id, uids, check_in, check_out, kind, entry_source, *rest = row
    # A few words for very many rows: each is kept once.
    return Sighting(
        intern(source), record_id, tuple(uids), check_in, check_out, _KINDS[kind], intern(entry_source), *rest
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
