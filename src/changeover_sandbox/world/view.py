"""What one calendar shows of its house at a moment: which stays, as what, with which dates; never how it is written."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from changeover_sandbox.world.model import (
    GUEST_CHANNELS,
    MANAGERS,
    Channel,
    EntryType,
    Feed,
    Moment,
    Stay,
    StayKind,
    Version,
)


class Role(StrEnum):
    """What a stay is in a calendar; `imported`: closed nights copied from another channel's calendar."""

    GUEST = "guest"
    OWNER = "owner"
    MAINTENANCE = "maintenance"
    BLOCK = "block"
    IMPORTED = "imported"
    TENTATIVE = "tentative"
    CANCELED = "canceled"


PAST_DAYS: dict[Channel, int] = {
    Channel.AIRBNB: 0,
    Channel.BOOKING: -1,
    Channel.VRBO: 182,
    Channel.OWNERREZ: 60,
    Channel.GOOGLE: 200,
}
"""How many days after its check-out a stay is still shown (P-1, P-4); 30 where it is not known."""
TOLD_CANCELED = 3
"""OwnerRez tells a cancellation with STATUS:CANCELLED for some days; everywhere else a canceled stay vanishes (P-6)."""
_ROLES = {
    StayKind.GUEST: Role.GUEST,
    StayKind.OWNER: Role.OWNER,
    StayKind.MAINTENANCE: Role.MAINTENANCE,
    StayKind.BLOCK: Role.BLOCK,
}


@dataclass(frozen=True, slots=True)
class Sight:
    """A stay as seen in a calendar. `sequence` counts its alterations."""

    stay: Stay
    role: Role
    check_in: date
    check_out: date
    generation: int
    sequence: int

    def entry_type(self, feed: Feed) -> EntryType:
        """The type a reader can know from this calendar: Booking.com's closed nights are what its owner says (R-36)."""
        if feed.closed_means is not None:
            return feed.closed_means
        return EntryType.RESERVATION if self.role is Role.GUEST else EntryType.BLOCK


def sights(feed: Feed, stays: Iterable[Stay], moment: Moment) -> tuple[Sight, ...]:
    """Everything the calendar shows at the moment, in order of check-in."""
    seen = [sight for stay in stays for sight in _sight(feed, stay, moment)]
    return tuple(sorted(seen, key=lambda sight: (sight.check_in, sight.check_out, sight.stay.key)))


def _sight(feed: Feed, stay: Stay, moment: Moment) -> Iterator[Sight]:
    role, own = _role(feed, stay)
    if role is None:
        return
    place, version = _version(stay, moment, 0 if own else feed.lag)
    if version is None or (version.tentative and not own):
        return
    if version.canceled:
        told = (moment.day - version.since.day).days < TOLD_CANCELED and version.check_out > moment.day
        if feed.platform is not Channel.OWNERREZ or not told:
            return
        role = Role.CANCELED
    elif version.tentative:
        role = Role.TENTATIVE
    check_in, check_out = version.check_in, version.check_out
    if stay.open_end:
        # A closed year runs from today and ends a year ahead, every day anew (P-34).
        check_in, check_out = moment.day, moment.day + timedelta(days=365)
    if check_out < moment.day - timedelta(days=PAST_DAYS.get(feed.platform, 30)):
        return
    yield Sight(stay, role, check_in, check_out, version.generation, place)


def _role(feed: Feed, stay: Stay) -> tuple[Role | None, bool]:
    """What the stay is in this calendar, and whether it was made there."""
    own = stay.origin is feed.platform
    if own or (feed.platform in MANAGERS and stay.kind is not StayKind.GUEST):
        return _ROLES[stay.kind], own
    if feed.platform in MANAGERS:
        return Role.GUEST, False
    if feed.platform in GUEST_CHANNELS and feed.imports:
        return Role.IMPORTED, False
    return None, False


def _version(stay: Stay, moment: Moment, lag: int) -> tuple[int, Version | None]:
    """The newest version that has reached the calendar; at its own channel that is the newest of all."""
    for place in range(len(stay.versions) - 1, -1, -1):
        version = stay.versions[place]
        if not lag or moment.hours_after(version.since) >= lag:
            return place, version
    return 0, None
