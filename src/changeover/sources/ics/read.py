"""From a whole body to what it shows of one home's stays: kinds, uids and what was rejected (R-35 … R-43)."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date

from changeover.core.classify import Dialect, Nights, Uids, Verdict, classify, settle
from changeover.core.stay import Kind, Observation, Rejected, Rules
from changeover.sources.ics.feeds import FeedConfig
from changeover.sources.ics.parse import Fault, Item, parse
from changeover.sources.ics.platforms import Platforms
from changeover.sources.ics.reading import Reading
from changeover.sources.ics.repair import Body

READER = 1  # raised with any change of reading, so that readings kept by an older release are not used again (P-36)
EFFORT_SECONDS = 10.0  # far above any real calendar: a stop for bodies made to keep a reader busy

_PRECEDENCE = (Kind.RESERVATION, Kind.OWNER_STAY, Kind.BLOCK, Kind.UNKNOWN)


@dataclass(frozen=True, slots=True)
class _Found:
    item: Item
    verdict: Verdict

    @property
    def is_stay(self) -> bool:
        return self.verdict.kind.makes_row and not self.verdict.canceled

    @property
    def rank(self) -> int:
        kind = self.verdict.kind
        return _PRECEDENCE.index(kind) if kind in _PRECEDENCE else len(_PRECEDENCE)


@dataclass(slots=True)
class _Effort:
    """Says when a body has been worked on for too long."""

    seconds: float
    started: float = field(default_factory=time.monotonic)

    def spent(self) -> bool:
        return time.monotonic() - self.started > self.seconds


def read(body: Body, feed: FeedConfig, platforms: Platforms, rules: Rules, today: date) -> Reading:
    """What a body shows of a feed's home on a day. Raises BrokenBody for one without bounds."""
    detected = platforms.detect(feed.host, body.prodid)
    platform = feed.entry_source if feed.entry_source in platforms.words else detected
    dialect = platforms.dialect(feed.record_id, platform, closed_is_reservation=feed.closed_is_reservation)
    parsed = parse(body, rules, today, _Effort(EFFORT_SECONDS).spent)
    found = _judge(parsed.items, dialect, today)
    return Reading(
        entry_source=feed.entry_source or detected,
        platform=platform,
        events=body.events,
        observations=_observations(found, dialect.platform.uids, feed.property_id),
        rejected=tuple(_rejected(fault, dialect, feed.property_id) for fault in parsed.faults),
        warnings=tuple(_warnings(body, found, parsed.unknown_zones)),
    )


def _judge(items: Sequence[Item], dialect: Dialect, today: date) -> list[_Found]:
    nights = [Nights(item.check_in, item.check_out, classify(item.text, dialect)) for item in items]
    return [_Found(item, verdict) for item, verdict in zip(items, settle(nights, dialect, today), strict=True)]


def _observations(found: Sequence[_Found], uids: Uids, property_id: str) -> tuple[Observation, ...]:
    by_uid: dict[str, list[_Found]] = defaultdict(list)
    for each in found:
        by_uid[each.item.uid].append(each)
    shown = [
        _observation(uid, each, uids, property_id) for group in by_uid.values() for uid, each in _tell_apart(group)
    ]
    return tuple(sorted(shown, key=lambda o: (o.check_in, o.check_out, o.uid)))


def _tell_apart(group: Sequence[_Found]) -> Iterator[tuple[str, _Found]]:
    """The events that share a uid, each under a uid of its own (R-42).

    Same nights are one; of different SEQUENCEs the highest stands; a stay leaves no room for a cancellation or a task
    under its uid, as those are relics of it.
    """
    if len(group) == 1:
        yield group[0].item.uid, group[0]
        return
    newest = max(each.item.sequence for each in group)
    left = [each for each in group if each.item.sequence == newest]
    left = [each for each in left if each.is_stay] or left
    by_nights: dict[tuple[date, date], _Found] = {}
    for each in sorted(left, key=lambda one: (one.item.check_in, one.item.check_out, one.rank)):
        by_nights.setdefault((each.item.check_in, each.item.check_out), each)
    yield from _numbered(list(by_nights.values()))


def _numbered(stays: Sequence[_Found]) -> Iterator[tuple[str, _Found]]:
    if len(stays) == 1:
        yield stays[0].item.uid, stays[0]
        return
    taken: set[str] = set()
    for each in stays:
        uid = f"{each.item.uid}#{each.item.check_in:%Y%m%d}"
        if uid in taken:  # two ends for one start: the second is told by its end as well
            uid = f"{uid}-{each.item.check_out:%Y%m%d}"
        taken.add(uid)
        yield uid, each


def _observation(uid: str, found: _Found, uids: Uids, property_id: str) -> Observation:
    verdict = found.verdict
    return Observation(
        uid=uid,
        property_id=property_id,
        check_in=found.item.check_in,
        check_out=found.item.check_out,
        kind=verdict.kind,
        block_type=str(verdict.block_type),
        canceled=verdict.canceled,
        stable_uid=found.item.named and _is_stable(uids, verdict.kind),
        open_end=verdict.open_end,
    )


def _is_stable(uids: Uids, kind: Kind) -> bool:
    """Whether the uid names the same stay at the next download (P-35)."""
    return uids is Uids.STABLE or (uids is Uids.UNSTABLE_BLOCKS and kind is Kind.RESERVATION)


def _rejected(fault: Fault, dialect: Dialect, property_id: str) -> Rejected:
    stable = _is_stable(dialect.platform.uids, classify(fault.text, dialect).kind)
    return Rejected(fault.place, fault.reason, fault.uid, property_id, stable)


def _warnings(body: Body, found: Sequence[_Found], unknown_zones: int) -> Iterator[str]:
    yield from body.notes
    if unknown_zones:
        yield f"{unknown_zones} events in an unknown time zone"
    if count := sum(each.verdict.transparent for each in found):
        yield f"{count} events that take no time"
