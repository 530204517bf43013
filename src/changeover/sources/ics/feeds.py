"""From the rows of ICS Feeds to the feeds of a run, and what is wrong with each (R-70 … R-73); it fetches nothing."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache

from yarl import URL

_LABEL = re.compile(r"\w+")  # csv_itrip and the like: names of other sources, never fetched
_SCHEMES = frozenset({"http", "https", "webcal"})


class FeedStatus(StrEnum):
    """What people want of a feed; an empty cell is `INACTIVE`."""

    ACTIVE = "Active"
    INACTIVE = "Inactive"
    REMOVE = "Remove"


_STATUSES = {str(status): status for status in FeedStatus}


@dataclass(frozen=True, slots=True)
class FeedConfig:
    """One record of ICS Feeds. `url` is as written there, a secret (P-14); `problem` says why it must not be fetched.

    `entry_source` is the record's own field, empty where the platform is to be detected (R-75). `duplicate_of` is the
    record id of the feed that is fetched in its place.
    """

    record_id: str
    url: str
    property_id: str
    status: FeedStatus = FeedStatus.ACTIVE
    entry_source: str = ""
    closed_is_reservation: bool = False
    name: str = ""
    problem: str = ""
    duplicate_of: str = ""

    @property
    def host(self) -> str:
        """The host of the feed; all that may be said of its URL (P-14)."""
        return host_of(self.url)


@dataclass(frozen=True, slots=True)
class FeedRow:
    """A row of ICS Feeds as the mirror of the base holds it; absent cells are empty (AT-31)."""

    record_id: str
    url: str = ""
    status: str = ""
    property_ids: tuple[str, ...] = ()
    entry_source: str = ""
    closed_means: str = ""

    @classmethod
    def of(cls, record_id: str, fields: Mapping[str, object]) -> FeedRow:
        """A row from its cells by field name."""
        links = fields.get("Property Name")
        return cls(
            record_id=record_id,
            url=_text(fields, "ICS URL"),
            status=_text(fields, "Feed Status"),
            property_ids=tuple(map(str, links)) if isinstance(links, (list, tuple)) else (),
            entry_source=_text(fields, "Entry Source"),
            closed_means=_text(fields, "Closed Means"),
        )


def feed_configs(rows: Iterable[FeedRow], property_names: Mapping[str, str]) -> list[FeedConfig]:
    """The feeds among the rows, by record id. Labels of other sources are no feeds."""
    feeds = [_feed(row, property_names) for row in sorted(rows, key=lambda row: row.record_id) if not _is_label(row)]
    return list(_without_doubles(feeds))


@lru_cache(4096)  # a run asks several times for each
def fetch_url(url: str) -> URL:
    """The address a feed's URL stands for: `webcal` means https (P-11). Raises ValueError for a malformed one."""
    scheme = url.partition(":")[0].lower()
    parsed = URL(f"https{url[len('webcal') :]}" if scheme == "webcal" else url)
    if parsed.scheme not in ("http", "https") or not parsed.host or any(blank in url for blank in " \t\r\n"):
        raise ValueError("malformed URL")
    return parsed.with_fragment(None)


def host_of(url: str) -> str:
    """The host of a URL, empty for a malformed one."""
    try:
        return fetch_url(url).host or ""
    except ValueError:
        return ""


def _text(fields: Mapping[str, object], name: str) -> str:
    value = fields.get(name)
    return value.strip() if isinstance(value, str) else ""


def _is_label(row: FeedRow) -> bool:
    return _LABEL.fullmatch(row.url) is not None


def _feed(row: FeedRow, property_names: Mapping[str, str]) -> FeedConfig:
    status = _STATUSES.get(row.status, FeedStatus.INACTIVE)
    home = row.property_ids[0] if len(row.property_ids) == 1 else ""
    return FeedConfig(
        record_id=row.record_id,
        url=row.url,
        property_id=home,
        status=status,
        entry_source=row.entry_source,
        closed_is_reservation=row.closed_means == "Reservation",
        name=property_names.get(home, ""),
        problem=_problem(row) if status is FeedStatus.ACTIVE else "",
    )


def _problem(row: FeedRow) -> str:
    if not row.url:
        return "no URL"
    if row.url.partition(":")[0].lower() not in _SCHEMES:
        return "not a web address"
    if not host_of(row.url):
        return "malformed URL"
    if not row.property_ids:
        return "no property"
    return "several properties" if len(row.property_ids) > 1 else ""


def _without_doubles(feeds: Sequence[FeedConfig]) -> Iterator[FeedConfig]:
    """One URL on several active records: fetched once for one home, not at all for different ones (R-70)."""
    sharing: dict[URL, list[FeedConfig]] = defaultdict(list)
    for feed in feeds:
        if feed.status is FeedStatus.ACTIVE and feed.problem in ("", "no property", "several properties"):
            sharing[fetch_url(feed.url)].append(feed)
    doubles = {feed.record_id: group for group in sharing.values() if len(group) > 1 for feed in group}
    for feed in feeds:
        yield _double(feed, doubles[feed.record_id]) if feed.record_id in doubles and not feed.problem else feed


def _double(feed: FeedConfig, group: Sequence[FeedConfig]) -> FeedConfig:
    sound = [each for each in group if not each.problem]
    if len({each.property_id for each in sound}) > 1:
        others = ", ".join(each.record_id for each in sound if each is not feed)
        return replace(feed, problem=f"same URL as {others} of another property")
    return feed if feed is sound[0] else replace(feed, duplicate_of=sound[0].record_id)
