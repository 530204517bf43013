"""The stays of one house: adds, changes and cancels them and knows which nights are free; it never draws a number."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from changeover_sandbox.world.model import (
    Channel,
    Happened,
    Happening,
    Listing,
    Moment,
    Stay,
    StayKind,
    Version,
)

KEPT = timedelta(days=200)
"""Past stays no calendar shows any more are forgotten: the longest memory is VRBO's six months (P-4)."""


@dataclass(slots=True)
class Diary:
    listing: Listing
    stays: dict[str, Stay] = field(default_factory=dict)
    written: int = 0

    def live(self) -> Iterator[Stay]:
        return (stay for stay in self.stays.values() if not stay.now.canceled)

    def free(self, check_in: date, check_out: date, but: str = "") -> bool:
        """True when no live stay except `but` has a night in [check_in, check_out)."""
        return not any(
            stay.check_in < check_out and check_in < stay.check_out and stay.key != but for stay in self.live()
        )

    def upcoming(self, day: date, kinds: Iterable[StayKind]) -> list[Stay]:
        """Live stays of these kinds that begin after the day, in order of check-in."""
        wanted = frozenset(kinds)
        found = [stay for stay in self.live() if stay.check_in > day and stay.kind in wanted]
        return sorted(found, key=lambda stay: (stay.check_in, stay.key))

    def running(self, day: date) -> list[Stay]:
        """Guests who have arrived and stay another night at least."""
        return [s for s in self.live() if s.kind is StayKind.GUEST and s.check_in <= day < s.check_out - timedelta(1)]

    def book(self, kind: StayKind, origin: Channel, guest: str, version: Version, *, series: bool = False) -> Happening:
        """Writes a new stay down."""
        key = f"{self.listing.number}-{self.written}"
        self.written += 1
        stay = Stay(key, kind, origin, guest, (version,), series=series)
        self.stays[key] = stay
        what = Happened.BOOKED if kind is StayKind.GUEST else Happened.BLOCKED
        return Happening(version.since.day, what, self.listing.number, stay)

    def cancel(self, stay: Stay, since: Moment) -> Happening:
        return self._next(stay, replace(stay.now, since=since, canceled=True), Happened.CANCELED)

    def change(self, stay: Stay, version: Version) -> Happening:
        return self._next(stay, version, Happened.CHANGED)

    def forget(self, day: date) -> None:
        old = [key for key, stay in self.stays.items() if stay.check_out < day - KEPT and not stay.open_end]
        for key in old:
            del self.stays[key]

    def _next(self, stay: Stay, version: Version, what: Happened) -> Happening:
        changed = replace(stay, versions=(*stay.versions, version))
        self.stays[stay.key] = changed
        return Happening(version.since.day, what, self.listing.number, changed)
