"""A property's timeline of live stays -> what the cleaner must know of each check-out, whatever one run has read."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from changeover.core.schedule import Unreadable, service_time
from changeover.core.stay import BlockType, EntryType, Rules, Stay

OWNER_NEXT_LINE = "Owner Stay (Next Checkin)"
_NO_ARRIVAL = (BlockType.MAINTENANCE, BlockType.UNAVAILABLE)


@dataclass(frozen=True, slots=True)
class Timeline:
    """The live stays of one property, every source's and people's, by check-in, guests first (R-83, R-86)."""

    stays: tuple[Stay, ...]
    arrivals: tuple[date, ...]
    guests: tuple[Stay, ...]
    guest_arrivals: tuple[date, ...]

    @classmethod
    def of(cls, stays: Iterable[Stay]) -> Timeline:
        ordered = tuple(sorted((stay for stay in stays if stay.live), key=_order))
        guests = tuple(stay for stay in ordered if stay.entry_type is EntryType.RESERVATION)
        return cls(ordered, tuple(s.check_in for s in ordered), guests, tuple(s.check_in for s in guests))

    def next_entry(self, stay: Stay) -> Stay | None:
        """The next to arrive from this check-out on: least check-in, a guest before a block of the same day (R-86)."""
        return _first_from(self.stays, self.arrivals, stay)

    def next_guest(self, stay: Stay) -> Stay | None:
        return _first_from(self.guests, self.guest_arrivals, stay)


def with_flags(
    stays: Sequence[Stay], rules: Rules, today: date, owner_next: Mapping[str, bool] | None = None
) -> dict[str, Stay]:
    """The stays of one property with flags, next guest and service time as they should be, by record id (R-83 … R-88).

    Only rows with check-out >= today that the program may write are returned. `owner_next` says by record id whether a
    report named the owner as the next tenant (R-26).
    """
    timeline = Timeline.of(stays)
    crowded = _overlapping(timeline.guests)
    return {
        stay.record_id: _flagged(stay, timeline, crowded, rules, owner_next or {})
        for stay in timeline.stays
        if stay.check_out >= today and not stay.kept_by_people
    }


def _flagged(
    stay: Stay, timeline: Timeline, crowded: frozenset[str], rules: Rules, owner_next: Mapping[str, bool]
) -> Stay:
    guest = stay.entry_type is EntryType.RESERVATION
    arriving_block = _owner_block(stay, timeline)
    owner = guest and (arriving_block is not None or says_owner_next(stay, owner_next))
    next_guest = timeline.next_guest(stay)
    same_day = guest and not owner and _same_day(stay, next_guest)
    overlapping = guest and stay.record_id in crowded
    long_term = guest and stay.nights >= rules.hours.long_term_nights
    next_date = _next_guest_date(stay, arriving_block if owner else None, next_guest)
    start = stay.final_service_time
    if rules.writes_service_time:
        start = _service_time(stay, rules, owner=owner, same_day=same_day)
    flags = (same_day, owner, overlapping, long_term, next_date, start)
    if flags == _flags(stay):
        return stay  # as most rows are in most runs
    return replace(
        stay,
        same_day=same_day,
        owner_arriving=owner,
        overlapping=overlapping,
        long_term=long_term,
        next_guest=next_date,
        final_service_time=start,
    )


def _flags(stay: Stay) -> tuple[bool, bool, bool, bool, date | None, datetime | None]:
    return (
        stay.same_day,
        stay.owner_arriving,
        stay.overlapping,
        stay.long_term,
        stay.next_guest,
        stay.final_service_time,
    )


def says_owner_next(stay: Stay, owner_next: Mapping[str, bool]) -> bool:
    """Whether a report says that the owner comes next: its next tenant, or the line in its stored text (R-26)."""
    if owner_next.get(stay.record_id, False):
        return True
    return bool(stay.itrip_info) and any(line.strip() == OWNER_NEXT_LINE for line in stay.itrip_info.splitlines())


def _owner_block(stay: Stay, timeline: Timeline) -> Stay | None:
    """The owner's block that follows within a day, when nothing else comes first (R-85)."""
    following = timeline.next_entry(stay)
    if following is None or following.entry_type is not EntryType.BLOCK or following.block_type in _NO_ARRIVAL:
        return None
    return following if following.check_in - stay.check_out <= timedelta(days=1) else None


def _same_day(stay: Stay, next_guest: Stay | None) -> bool:
    by_calendar = next_guest is not None and next_guest.check_in == stay.check_out
    return by_calendar or stay.itrip_next_guest == stay.check_out


def _next_guest_date(stay: Stay, owner_block: Stay | None, next_guest: Stay | None) -> date | None:
    """R-88: the report's date, else the arriving owner's, else the next guest's."""
    if stay.itrip_next_guest is not None:
        return stay.itrip_next_guest
    if owner_block is not None:
        return owner_block.check_in
    return None if next_guest is None else next_guest.check_in


def _overlapping(guests: Sequence[Stay]) -> frozenset[str]:
    """Record ids of guests who share a night with another guest; touching is no overlap (R-87).

    Rows of the very same nights are one stay (R-51), so they do not overlap each other. One pass in order of check-in
    finds everyone: who overlaps any earlier guest overlaps the one of them who leaves last.
    """
    crowded: set[tuple[date, date]] = set()
    last: tuple[date, date] | None = None
    for nights in sorted({(guest.check_in, guest.check_out) for guest in guests}):
        if last is not None and nights[0] < last[1]:
            crowded |= {nights, last}
        if last is None or nights[1] > last[1]:
            last = nights
    return frozenset(guest.record_id for guest in guests if (guest.check_in, guest.check_out) in crowded)


def _service_time(stay: Stay, rules: Rules, *, owner: bool, same_day: bool) -> datetime | None:
    start = service_time(
        stay.check_out,
        stay.custom_service_time,
        owner_arriving=owner,
        same_day=same_day,
        hours=rules.hours,
        zone=rules.zone,
    )
    return None if isinstance(start, Unreadable) else start


def _order(stay: Stay) -> tuple[date, bool, bool, date, str]:
    """By check-in; of one day guests first (R-86), then blocks that an owner may stand behind."""
    is_block = stay.entry_type is EntryType.BLOCK
    return stay.check_in, is_block, is_block and stay.block_type in _NO_ARRIVAL, stay.check_out, stay.record_id


def _first_from(stays: Sequence[Stay], arrivals: Sequence[date], leaving: Stay) -> Stay | None:
    first = bisect_left(arrivals, leaving.check_out)  # never itself, which arrived before it leaves
    return stays[first] if first < len(stays) else None
