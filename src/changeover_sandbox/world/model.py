"""The words of the made-up business as frozen values; nothing here decides or draws anything."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class Channel(StrEnum):
    """Where a stay is made and, for all but the last two, whose calendar a feed is."""

    AIRBNB = "airbnb"
    BOOKING = "booking"
    VRBO = "vrbo"
    HOSTAWAY = "hostaway"
    GUESTY = "guesty"
    OWNERREZ = "ownerrez"
    HOSPITABLE = "hospitable"
    LODGIFY = "lodgify"
    HOSTTOOLS = "hosttools"
    SMOOBU = "smoobu"
    IGMS = "igms"
    TRIPADVISOR = "tripadvisor"
    GOOGLE = "google"
    EXPEDIA = "expedia"
    DIRECT = "direct"


GUEST_CHANNELS = (Channel.AIRBNB, Channel.BOOKING, Channel.VRBO, Channel.TRIPADVISOR)
MANAGERS = frozenset(
    {
        Channel.HOSTAWAY,
        Channel.GUESTY,
        Channel.OWNERREZ,
        Channel.HOSPITABLE,
        Channel.LODGIFY,
        Channel.HOSTTOOLS,
        Channel.SMOOBU,
        Channel.IGMS,
    }
)
"""Property managers' software: it holds the bookings of every channel of a house and shows each as a reservation."""

PLATFORMS = tuple(channel for channel in Channel if channel not in {Channel.EXPEDIA, Channel.DIRECT})


class StayKind(StrEnum):
    GUEST = "guest"
    OWNER = "owner"
    MAINTENANCE = "maintenance"
    BLOCK = "block"


class EntryType(StrEnum):
    """What a row of the stay says (R-35)."""

    RESERVATION = "Reservation"
    BLOCK = "Block"


class Happened(StrEnum):
    BOOKED = "booked"
    BLOCKED = "blocked"
    CANCELED = "canceled"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True, order=True)
class Moment:
    """A day of the business and a full hour of it, local time."""

    day: date
    hour: int = 8

    def hours_after(self, earlier: "Moment") -> int:
        return (self.day - earlier.day).days * 24 + self.hour - earlier.hour


@dataclass(frozen=True, slots=True)
class Version:
    """A stay as it stands from `since` on.

    `generation` counts the identities (UIDs) a channel has given it (P-1); `tentative`: asked for, not yet agreed.
    """

    since: Moment
    check_in: date
    check_out: date
    canceled: bool = False
    generation: int = 0
    tentative: bool = False


@dataclass(frozen=True, slots=True)
class Stay:
    """Nights of one house with everything that ever happened to them; the last version is the present."""

    key: str
    kind: StayKind
    origin: Channel
    guest: str
    versions: tuple[Version, ...]
    series: bool = False
    open_end: bool = False

    @property
    def now(self) -> Version:
        return self.versions[-1]

    @property
    def check_in(self) -> date:
        return self.now.check_in

    @property
    def check_out(self) -> date:
        return self.now.check_out

    @property
    def booked_on(self) -> date:
        return self.versions[0].since.day

    @property
    def canceled_on(self) -> date | None:
        return self.now.since.day if self.now.canceled else None


@dataclass(frozen=True, slots=True)
class Customer:
    """An owner of houses, billed for the cleaning."""

    number: int
    first_name: str
    last_name: str

    @property
    def full_name(self) -> str:
        return f"{self.first_name} {self.last_name}"


@dataclass(frozen=True, slots=True)
class Series:
    """An owner's repeated visit: `count` visits of `nights`, `every` weeks apart."""

    first: date
    nights: int
    every: int
    count: int


@dataclass(frozen=True, slots=True)
class Feed:
    """One calendar of one house on one platform.

    `imports`: shows other channels' stays as closed nights, `lag` hours late (P-6). `notice`, `prep`: nights Airbnb
    closes from today on and around stays; `window`: days it can be booked ahead, None = no limit (P-2).
    """

    number: int
    name: str
    listing: int
    platform: Channel
    imports: bool
    lag: int
    notice: int = 0
    prep: int = 0
    window: int | None = None
    language: str = "en"
    closed_means: EntryType | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """A house. `channels` are where its guests book; `closes_in` is where its owner closes nights."""

    number: int
    name: str
    address: str
    customer: int
    unit: str
    channels: tuple[Channel, ...]
    closes_in: Channel
    feeds: tuple[Feed, ...]
    series: Series | None = None
    closed: bool = False

    @property
    def postal_address(self) -> str:
        """`10 N Quartz Ct Mesa` with its commas, state and a ZIP."""
        street, _, town = self.address.rpartition(" ")
        return f"{street}, {town}, AZ {85200 + self.number % 100}"


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that happened to a stay on a day."""

    day: date
    what: Happened
    listing: int
    stay: Stay
