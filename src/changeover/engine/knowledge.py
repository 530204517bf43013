"""What is known before anything is observed: the base's rows as stays, the sources, what the state remembers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from changeover.airtable import mirror, rows
from changeover.airtable.mirror import Feed, Property
from changeover.airtable.rows import BadRow, SourceIndex
from changeover.core.plan import Alert, Level
from changeover.core.stay import Known, Source, Stay
from changeover.store import feeds as feed_store
from changeover.store import holds, sightings, written_types

# Files and the portal are sources of their own whether or not anything arrives from them today.
FILE_SOURCES = (
    Source("csv_itrip", "csv_itrip", "iTrip", "iTrip report"),
    Source("csv_evolve", "csv_evolve", "Evolve", "Evolve Tab 1"),
    Source("csv_evolve_blocks", "csv_evolve_blocks", "Evolve", "Evolve Tab 2"),
)


@dataclass(frozen=True, slots=True)
class Knowledge:
    """The known stays, and what stands around them: feeds and homes as people filled them, rows nobody can use."""

    known: Known
    feeds: tuple[Feed, ...]
    properties: Mapping[str, Property]
    bad_rows: tuple[BadRow, ...]

    @property
    def alerts(self) -> tuple[Alert, ...]:
        return tuple(
            Alert("unusable_row", bad.record_id, Level.WARNING, f"row {bad.record_id} cannot be used: {bad.reason}")
            for bad in self.bad_rows
        )


def load(connection: Connection) -> Knowledge:
    """Reads mirror and memory in one consistent transaction."""
    feeds = mirror.feeds(connection)
    properties = {home.record_id: home for home in mirror.properties(connection)}
    index = SourceIndex.of(
        ((feed.record_id, feed.url) for feed in feeds),
        ((key, url) for url, key in feed_store.known_urls(connection).items()),
    )
    written = written_types.load_all(connection)
    records = mirror.reservations(connection)
    stays, bad = rows.to_stays(records, index, written)
    from_a_source = {record.id for record in records if record.fields.get(rows.URL)}
    known = Known(
        stays=tuple(stays),
        sightings=sightings.load_all(connection),
        tombstones=tuple(_deleted(connection, index, written)),
        holds=tuple(held.hold for held in holds.load_all(connection)),
        sources={source.key: source for source in (*FILE_SOURCES, *_feed_sources(feeds, properties))},
        property_names={key: home.name for key, home in properties.items()},
    )
    # A row without ICS URL is people's own, in whatever state they left it.
    return Knowledge(known, feeds, properties, tuple(each for each in bad if each.record_id in from_a_source))


def feed_name(feed: Feed, properties: Mapping[str, Property]) -> str:
    """What people call a feed: its home, else its record. Never its URL (P-14)."""
    names = [properties[key].name for key in feed.properties if key in properties]
    return names[0] if len(names) == 1 else f"feed {feed.record_id}"


def _feed_sources(feeds: Iterable[Feed], properties: Mapping[str, Property]) -> Iterable[Source]:
    return (
        Source(feed.record_id, feed.url, feed.entry_source or "Other", feed_name(feed, properties)) for feed in feeds
    )


def _deleted(
    connection: Connection, index: SourceIndex, written: Mapping[str, written_types.WrittenTypes]
) -> Iterable[Stay]:
    stays, _ = rows.to_stays(mirror.tombstones(connection), index, written)
    return (stay for stay in stays if stay.live)
