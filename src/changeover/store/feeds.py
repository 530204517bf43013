"""What is remembered of each calendar feed between runs (P-37); it knows no calendar."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, Text, cast, select

from changeover.store.database import Database
from changeover.store.tables import feeds
from changeover.store.upsert import upsert


@dataclass(frozen=True, slots=True)
class FeedState:
    """The memory of one feed.

    `reading` is what the last good body was read as on `read_on`, as JSON text. `body` (compressed) and `reading` are
    None where the stored ones stand. `trusted_count` and `low_count` are event counts (R-66); `urls` are newest first,
    so that rows made under an earlier URL stay the feed's (R-71). `failures` are those in a row.
    """

    record_id: str
    urls: tuple[str, ...] = ()
    etag: str | None = None
    last_modified: str | None = None
    raw_hash: str | None = None
    canonical_hash: str | None = None
    settings_hash: str | None = None
    read_on: date | None = None
    reading: str | None = None
    body: bytes | None = None
    trusted_count: int | None = None
    low_count: int | None = None
    last_success: datetime | None = None
    failures: int = 0


class StoredFeeds:
    """The memory of feeds in the state database. Bodies are read one at a time, when asked for."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._fetched: dict[str, FeedState] = {}
        self._never: Callable[[str], bool] = lambda _record_id: False

    def fetch_all(self) -> None:
        """Reads the states of all feeds at once, for a run that will ask for each; none is kept once asked for."""
        with self._database.read() as connection:
            rows = connection.execute(_STATE, execution_options={"yield_per": _FEEDS})
            self._fetched = {row.record_id: _state(row) for row in rows}
        known = frozenset(self._fetched)
        self._never = lambda record_id: record_id not in known

    def get(self, record_id: str) -> FeedState | None:
        """The state of a feed without its body; None for one never fetched."""
        fetched = self._fetched.pop(record_id, None)
        if fetched is not None or self._never(record_id):
            return fetched
        with self._database.read() as connection:
            row = connection.execute(_STATE.where(feeds.c.record_id == record_id)).one_or_none()
        return None if row is None else _state(row)

    def body(self, record_id: str) -> bytes | None:
        """The last good body of a feed, compressed."""
        with self._database.read() as connection:
            found: bytes | None = connection.execute(
                select(feeds.c.body).where(feeds.c.record_id == record_id)
            ).scalar_one_or_none()
        return found


def save(connection: Connection, states: Iterable[FeedState]) -> None:
    """Stores states in the caller's transaction; a body or a reading that is None leaves the stored one alone."""
    shapes: dict[tuple[bool, bool], list[FeedState]] = {}
    for state in states:
        shapes.setdefault((state.reading is not None, state.body is not None), []).append(state)
    for group in shapes.values():
        upsert(connection, feeds, (_row(state) for state in group))


def known_urls(connection: Connection) -> dict[str, str]:
    """The record id of the feed that each known URL belongs to, now or earlier (R-71); the newest URL wins."""
    rows = connection.execute(select(feeds.c.record_id, feeds.c.urls).order_by(feeds.c.record_id)).all()
    ranked = sorted((rank, row.record_id, url) for row in rows for rank, url in enumerate(row.urls))
    found: dict[str, str] = {}
    for _, record_id, url in ranked:
        found.setdefault(url, record_id)
    return found


_FEEDS = 500
# The reading is fetched as text: whoever needs it knows its form, and most runs need only a few.
_STATE = select(
    *(column for column in feeds.c if column.name not in ("body", "observations", "extra")),
    cast(feeds.c.observations, Text).label("observations"),
)


def _state(row: Row[*tuple[Any, ...]]) -> FeedState:
    return FeedState(
        record_id=row.record_id,
        urls=tuple(row.urls),
        etag=row.etag,
        last_modified=row.last_modified,
        raw_hash=row.raw_hash,
        canonical_hash=row.canonical_hash,
        settings_hash=row.settings_hash,
        read_on=row.read_on,
        reading=row.observations,
        trusted_count=row.trusted_count,
        low_count=row.low_count,
        last_success=row.last_success,
        failures=row.failures,
    )


def _row(state: FeedState) -> dict[str, object]:
    row: dict[str, object] = {
        "record_id": state.record_id,
        "urls": list(state.urls),
        "etag": state.etag,
        "last_modified": state.last_modified,
        "raw_hash": state.raw_hash,
        "canonical_hash": state.canonical_hash,
        "settings_hash": state.settings_hash,
        "read_on": state.read_on,
        "trusted_count": state.trusted_count,
        "low_count": state.low_count,
        "last_success": state.last_success,
        "failures": state.failures,
        "extra": {},
    }
    if state.reading is not None:
        row["observations"] = json.loads(state.reading)
    if state.body is not None:
        row["body"] = state.body
    return row
