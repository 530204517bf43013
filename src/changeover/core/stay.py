"""The vocabulary of stays: what a source shows and what the base holds; it carries values and decides nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo


class Status(StrEnum):
    """Status of a row: New and Modified are live, Old is history, Removed is gone."""

    NEW = "New"
    MODIFIED = "Modified"
    OLD = "Old"
    REMOVED = "Removed"

    def __init__(self, _word: str) -> None:
        self.live = self.name in ("NEW", "MODIFIED")  # no property: asked of every row many times over


class EntryType(StrEnum):
    """A guest's nights, or anything else that occupies the home."""

    RESERVATION = "Reservation"
    BLOCK = "Block"


class BlockType(StrEnum):
    """What kind of block a Block is, in the base's words; empty means nobody has said."""

    OWNER_STAY = "Owner Stay"
    OWNER_ARRIVAL = "Owner Arrival"
    MAINTENANCE = "Maintenance"
    UNAVAILABLE = "Unavailable"
    OTHER = "Other"
    UNKNOWN = "Unknown"
    EMPTY = ""


class Kind(StrEnum):
    """What an item of a source is (R-35). The last four never become a row."""

    RESERVATION = "reservation"
    OWNER_STAY = "owner stay"
    BLOCK = "block"
    UNKNOWN = "unknown"
    WINDOW_TAIL = "window tail"
    NOTICE = "notice"
    PREP = "prep"
    TASK = "task"

    def __init__(self, _word: str) -> None:
        # No properties: both are asked of every item of every source.
        self.makes_row = self.name in ("RESERVATION", "OWNER_STAY", "BLOCK", "UNKNOWN")
        self.entry_type = EntryType.RESERVATION if self.name == "RESERVATION" else EntryType.BLOCK


@dataclass(frozen=True, slots=True)
class Source:
    """Where stays come from. `key` is the feed's record id or a `csv_…` literal; `url` is what rows hold in ICS URL."""

    key: str
    url: str
    entry_source: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """What an iTrip report says beside the stay (R-26, R-27). None means the column was absent: it says nothing."""

    info: str | None = None
    next_guest: date | None = None
    says_next_guest: bool = False
    next_is_owner: bool = False


@dataclass(frozen=True, slots=True)
class Observation:
    """One item a source shows now (R-7): nights [check_in, check_out) of one property, under the source's bare uid."""

    uid: str
    property_id: str
    check_in: date
    check_out: date
    kind: Kind
    block_type: str = ""
    canceled: bool = False
    stable_uid: bool = True
    open_end: bool = False
    report: Report | None = None
    aliases: tuple[str, ...] = ()

    @property
    def entry_type(self) -> EntryType:
        return self.kind.entry_type


@dataclass(frozen=True, slots=True)
class Rejected:
    """An item that could not be used: where it stood, why, and its uid where that was readable (R-8)."""

    place: str
    reason: str
    uid: str | None = None
    property_id: str | None = None
    stable_uid: bool = True

    @property
    def still_seen(self) -> bool:
        """True when the stay behind it can be told by its uid, so the item counts as seen (R-8)."""
        return self.uid is not None and self.stable_uid


class WindowEdge(StrEnum):
    CHECK_IN = "check-in"
    CHECK_OUT = "check-out"


@dataclass(frozen=True, slots=True)
class Window:
    """What a source would show if it existed (R-3): stays whose check-in or check-out lies in [first, last]."""

    edge: WindowEdge
    first: date
    last: date

    def covers(self, check_in: date, check_out: date) -> bool:
        day = check_in if self.edge is WindowEdge.CHECK_IN else check_out
        return self.first <= day <= self.last


@dataclass(frozen=True, slots=True)
class Batch:
    """Everything one source said in one run (R-6).

    `fully_read` is False for what failed, was cut or is suspect. `retired` means the people of the base have ended the
    source: all its future stays are gone (R-73). `property_id` is set for a source of a single home.
    """

    source: Source
    at: datetime
    window: Window | None
    fully_read: bool
    observations: tuple[Observation, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    dropped: dict[str, int] = field(default_factory=dict)
    read: int = 0
    property_id: str | None = None
    retired: bool = False

    @property
    def complete(self) -> bool:
        """True when absence from this batch may count as evidence (R-8)."""
        return self.fully_read and all(item.still_seen for item in self.rejected)


@dataclass(frozen=True, slots=True)
class Stay:
    """One row of the base as the rules see it. `source` is a Source.key, or None for a row that people keep."""

    record_id: str
    uid: str
    source: str | None
    url: str
    property_id: str
    check_in: date
    check_out: date
    entry_type: EntryType
    status: Status
    entry_source: str
    created: datetime
    service_type: str = ""
    block_type: str = ""
    change_summary: str = ""
    also_seen_in: str = ""
    last_updated: datetime | None = None
    missing_count: int = 0
    missing_since: datetime | None = None
    last_seen: datetime | None = None
    suspected_cancel: bool = False
    itrip_info: str = ""
    itrip_next_guest: date | None = None
    same_day: bool = False
    overlapping: bool = False
    owner_arriving: bool = False
    long_term: bool = False
    next_guest: date | None = None
    final_service_time: datetime | None = None
    custom_service_time: str = ""
    job_id: str = ""
    sync_status: str = ""
    wrote_service_type: str | None = None
    wrote_block_type: str | None = None

    @property
    def live(self) -> bool:
        return self.status.live

    @property
    def nights(self) -> int:
        return (self.check_out - self.check_in).days

    @property
    def kept_by_people(self) -> bool:
        """A row without ICS URL, or one that came from HCP: never changed or removed here."""
        return self.source is None


@dataclass(frozen=True, slots=True)
class Sighting:
    """What one source last showed of one stay, and how often it has been absent there since (R-53, R-54).

    `uids` are bare, newest first; older ones are aliases. `record_id` names the row, or its create key until it exists.
    `gone` is set when the source has said for good that the stay is gone: misses enough over enough time, an explicit
    cancellation, or its retirement. `next_is_owner` keeps what an iTrip report said of the next tenant (R-26).
    """

    source: str
    record_id: str
    uids: tuple[str, ...]
    check_in: date
    check_out: date
    kind: Kind
    entry_source: str
    block_type: str = ""
    misses: int = 0
    missing_since: datetime | None = None
    last_seen: datetime | None = None
    gone: bool = False
    next_is_owner: bool = False


class Decision(StrEnum):
    """A person's word on a held removal."""

    WAITING = "waiting"
    APPROVED = "approved"
    REJECTED = "rejected"


class HoldReason(StrEnum):
    """Why a removal is held: too many at once (R-69), or a second live row of a stay that has a job (R-55)."""

    MISSING = "missing"
    DUPLICATE = "duplicate"


@dataclass(frozen=True, slots=True)
class Hold:
    """A removal that waits for a person (R-69)."""

    source: str
    record_id: str
    property_id: str
    check_in: date
    check_out: date
    since: datetime
    decision: Decision = Decision.WAITING
    reason: HoldReason = HoldReason.MISSING


@dataclass(frozen=True, slots=True)
class ServiceHours:
    """When cleanings start, as local wall time "HH:MM" (J-9), and what counts as a long stay."""

    default: str = "10:15"
    same_day: str = "10:00"
    owner_arriving: str = "10:00"
    long_term_nights: int = 14


@dataclass(frozen=True, slots=True)
class Rules:
    """The settings the rules depend on."""

    zone: ZoneInfo
    lookback_days: int = 60
    lookahead_days: int = 180
    missing_threshold: int = 3
    missing_grace: timedelta = timedelta(hours=12)
    hours: ServiceHours = ServiceHours()
    writes_service_time: bool = True  # False where the base computes Final Service Time itself

    def today(self, now: datetime) -> date:
        """The business's date at an instant (R-1)."""
        return now.astimezone(self.zone).date()

    def importable(self, check_in: date, check_out: date, today: date) -> bool:
        """Whether nights lie inside the import window (R-4)."""
        return check_out >= today - timedelta(days=self.lookback_days) and check_in <= today + timedelta(
            days=self.lookahead_days
        )


@dataclass(frozen=True, slots=True)
class Known:
    """All that is known before a batch arrives.

    `stays` are the live and Removed rows; `tombstones` live rows that a person deleted; `sources` every source the base
    names, fetched or not, by key. `entered_anew` are the sources of which some sightings are stored under an older key.
    """

    stays: tuple[Stay, ...] = ()
    sightings: tuple[Sighting, ...] = ()
    tombstones: tuple[Stay, ...] = ()
    holds: tuple[Hold, ...] = ()
    sources: dict[str, Source] = field(default_factory=dict)
    property_names: dict[str, str] = field(default_factory=dict)
    entered_anew: frozenset[str] = frozenset()
