"""The stays a faithful reader of all calendars would hold as live rows from a day on; it knows no reader."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from changeover_sandbox.world.model import Channel, EntryType, Listing, Moment, Stay, StayKind
from changeover_sandbox.world.view import Role, Sight, sights

_PLAIN = frozenset(
    {
        Channel.AIRBNB,
        Channel.BOOKING,
        Channel.VRBO,
        Channel.TRIPADVISOR,
        Channel.HOSPITABLE,
        Channel.LODGIFY,
        Channel.HOSTTOOLS,
    }
)
"""Calendars that do not say why nights are closed."""


@dataclass(frozen=True, slots=True)
class LiveStay:
    """One stay with the row it should be: its true dates, and the calendars that show it at this moment."""

    stay: Stay
    check_in: date
    check_out: date
    entry_type: EntryType
    block_type: str | None
    feeds: tuple[str, ...]


def truth(listing: Listing, stays: Iterable[Stay], moment: Moment) -> tuple[LiveStay, ...]:
    """The live stays of a house with check-out today or later that at least one of its calendars shows."""
    shown: dict[str, list[tuple[str, EntryType, Sight]]] = {}
    book = tuple(stays)
    for feed in listing.feeds:
        for sight in sights(feed, book, moment):
            if sight.check_out >= moment.day and sight.role is not Role.CANCELED:
                shown.setdefault(sight.stay.key, []).append((feed.name, sight.entry_type(feed), sight))
    # A mirror that has not heard of a cancellation yet does not make a stay live again.
    live = [_live(sightings) for sightings in shown.values() if not sightings[0][2].stay.now.canceled]
    return tuple(sorted(live, key=lambda row: (row.check_in, row.check_out, row.stay.key)))


def _live(sightings: list[tuple[str, EntryType, Sight]]) -> LiveStay:
    """A reservation wherever one calendar says so (R-52)."""
    stay = sightings[0][2].stay
    reserved = any(entry_type is EntryType.RESERVATION for _, entry_type, _ in sightings)
    first = sightings[0][2]
    check_in, check_out = (first.check_in, first.check_out) if stay.open_end else (stay.check_in, stay.check_out)
    entry_type = EntryType.RESERVATION if reserved else EntryType.BLOCK
    block_type = None if reserved else _block_type(stay)
    return LiveStay(stay, check_in, check_out, entry_type, block_type, tuple(name for name, _, _ in sightings))


def _block_type(stay: Stay) -> str | None:
    """Said by the words of the calendar the nights were closed in, unless it gives no reason (R-35, R-40)."""
    if stay.now.tentative:
        return "Unavailable"
    if stay.origin in _PLAIN:
        return None
    return {StayKind.OWNER: "Owner Stay", StayKind.MAINTENANCE: "Maintenance"}.get(stay.kind)
