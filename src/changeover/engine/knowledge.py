"""What is known before anything is observed: the base's rows as stays, the sources, what the state remembers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from changeover.airtable import mirror, rows
from changeover.airtable.mirror import Feed, Property
from changeover.airtable.rows import BadRow, SourceIndex
from changeover.core.plan import Alert, Level
from changeover.core.stay import Known, Sighting, Source, Stay
from changeover.sources.ics.feeds import FeedStatus, fetch_url
from changeover.store import feeds as feed_store
from changeover.store import holds, sightings, written_types

# Files and the portal are sources of their own whether or not anything arrives from them today.
FILE_SOURCES = (
    Source("csv_itrip", "csv_itrip", "iTrip", "iTrip report"),
    Source("csv_evolve", "csv_evolve", "Evolve", "Evolve Tab 1"),
    Source("csv_evolve_blocks", "csv_evolve_blocks", "Evolve", "Evolve Tab 2"),
)


@dataclass(frozen=True, slots=True)
class Places:
    """Feeds and homes as people filled them, and the feed of each URL, now or earlier; few beside the rows."""

    feeds: tuple[Feed, ...]
    properties: Mapping[str, Property]
    known_urls: Mapping[str, str]

    @property
    def property_names(self) -> dict[str, str]:
        return {key: home.name for key, home in self.properties.items()}

    @property
    def feed_names(self) -> dict[str, str]:
        """What people call each feed, by record id."""
        return {feed.record_id: feed_name(feed, self.properties) for feed in self.feeds}


@dataclass(frozen=True, slots=True)
class Knowledge:
    """The known stays, where they are, and the rows nobody can use."""

    known: Known
    places: Places
    bad_rows: tuple[BadRow, ...]

    @property
    def properties(self) -> Mapping[str, Property]:
        return self.places.properties

    @property
    def alerts(self) -> tuple[Alert, ...]:
        return tuple(
            Alert("unusable_row", bad.record_id, Level.WARNING, f"row {bad.record_id} cannot be used: {bad.reason}")
            for bad in self.bad_rows
        )


def places(connection: Connection) -> Places:
    """Reads which feeds and homes there are."""
    return Places(
        feeds=mirror.feeds(connection),
        properties={home.record_id: home for home in mirror.properties(connection)},
        known_urls=feed_store.known_urls(connection),
    )


def load(connection: Connection) -> Knowledge:
    """Reads mirror and memory in one consistent transaction."""
    around = places(connection)
    speaks_for = spokesmen(around.feeds, around.known_urls)
    index = SourceIndex.of(
        ((speaks_for[feed.record_id], feed.url) for feed in around.feeds),
        ((speaks_for.get(key, key), url) for url, key in around.known_urls.items()),
    )
    speakers = [feed for feed in around.feeds if speaks_for[feed.record_id] == feed.record_id]
    written = written_types.load_all(connection)
    stays, bad = rows.to_stays(mirror.reservations(connection), index, written)
    said = sightings.load_all(connection)
    known = Known(
        stays=tuple(stays),
        sightings=tuple(_said_by(said, speaks_for)),
        tombstones=tuple(_deleted(connection, index, written)),
        holds=tuple(
            replace(held.hold, source=speaks_for.get(held.hold.source, held.hold.source))
            for held in holds.load_all(connection)
        ),
        sources={source.key: source for source in (*FILE_SOURCES, *_feed_sources(speakers, around.properties))},
        property_names=around.property_names,
        entered_anew=frozenset(speaks_for[each.source] for each in said if _is_older(each, speaks_for)),
    )
    # A row without ICS URL is people's own, in whatever state they left it.
    return Knowledge(known, around, tuple(each for each in bad if each.ours))


def feed_name(feed: Feed, properties: Mapping[str, Property]) -> str:
    """What people call a feed: its home, else its record. Never its URL (P-14)."""
    names = [properties[key].name for key in feed.properties if key in properties]
    return names[0] if len(names) == 1 else f"feed {feed.record_id}"


def spokesmen(feeds: Sequence[Feed], known_urls: Mapping[str, str]) -> dict[str, str]:
    """By record, the one that speaks for its calendar: of several with one URL the active one, else the first (R-70).

    Else a calendar entered twice would have a second voice that never says that a stay is gone. `known_urls` are the
    records that had a URL before: a record deleted and entered anew goes on as the new one.
    """
    sharing: dict[object, list[Feed]] = defaultdict(list)
    for feed in feeds:
        sharing[_address(feed)].append(feed)
    speaks_for = {feed.record_id: min(group, key=_precedence).record_id for group in sharing.values() for feed in group}
    now_at = {feed.url: speaks_for[feed.record_id] for feed in feeds if feed.url}
    deleted = {key: now_at[url] for url, key in known_urls.items() if key not in speaks_for and url in now_at}
    return deleted | speaks_for


def _address(feed: Feed) -> object:
    try:
        return fetch_url(feed.url)
    except ValueError:
        return feed.record_id


def _precedence(feed: Feed) -> tuple[bool, bool, str]:
    return feed.status != FeedStatus.ACTIVE, len(feed.properties) != 1, feed.record_id


def _said_by(stored: Iterable[Sighting], speaks_for: Mapping[str, str]) -> Iterable[Sighting]:
    """What every record was seen to show, under the record that now speaks for it, whose own word comes first."""
    found: dict[tuple[str, str], Sighting] = {}
    older: list[Sighting] = []
    for each in stored:
        if _is_older(each, speaks_for):
            older.append(replace(each, source=speaks_for[each.source]))
        else:
            found[each.source, each.record_id] = each
    for each in older:
        found.setdefault((each.source, each.record_id), each)
    return found.values()


def _is_older(each: Sighting, speaks_for: Mapping[str, str]) -> bool:
    """Whether it was stored under a record that has a spokesman now."""
    return speaks_for.get(each.source, each.source) != each.source


def _feed_sources(feeds: Iterable[Feed], properties: Mapping[str, Property]) -> Iterable[Source]:
    return (
        Source(feed.record_id, feed.url, feed.entry_source or "Other", feed_name(feed, properties)) for feed in feeds
    )


def _deleted(
    connection: Connection, index: SourceIndex, written: Mapping[str, written_types.WrittenTypes]
) -> Iterable[Stay]:
    stays, _ = rows.to_stays(mirror.tombstones(connection), index, written)
    return (stay for stay in stays if stay.live)
