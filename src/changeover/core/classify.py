"""What a calendar event is, by its words and its feed's other events (P-30 … P-34); it never reads dates from text."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from enum import StrEnum
from functools import cached_property

from changeover.core.stay import BlockType, Kind

_AFTER_WORD = r"(?=$|[ \-–:(,/])"  # P-31: what may follow a word at the start of a SUMMARY
_BLANKS = re.compile(r"\s+")
YEAR_AHEAD = timedelta(days=365)
_EDGE = timedelta(days=2)
_TAIL_STARTS_AFTER = timedelta(days=90)
_SHORT_NIGHTS = 2


class Meaning(StrEnum):
    """What a deciding word says. `CLOSED` is left to the dates (P-32)."""

    RESERVATION = "reservation"
    BLOCK = "block"
    TENTATIVE = "tentative"
    TASK = "task"
    CLOSED = "closed"


class ClosedTest(StrEnum):
    """The tests of P-32 that a platform's closed nights go through."""

    TAIL = "tail"
    NOTICE = "notice"
    PREP = "prep"


class Uids(StrEnum):
    """Whether a platform's uids name the same stay at the next download (P-35)."""

    STABLE = "stable"
    UNSTABLE = "unstable"
    UNSTABLE_BLOCKS = "unstable blocks"


def normal(text: str) -> str:
    """A text as words are compared: NFKC, without case, blanks collapsed (P-30)."""
    return _BLANKS.sub(" ", unicodedata.normalize("NFKC", text)).strip().casefold()


@dataclass(frozen=True)
class Words:
    """A list of words that count as a whole text or as its start (P-31); a word ending in ` *` needs more after it."""

    words: tuple[str, ...] = ()

    @cached_property
    def _pattern(self) -> re.Pattern[str] | None:
        longest_first = sorted((normal(word) for word in self.words), key=len, reverse=True)
        parts = [_one_word(word) for word in longest_first if word]
        return re.compile("|".join(parts)) if parts else None

    def start(self, text: str) -> bool:
        """Whether a text in normal form is one of the words or starts with one."""
        return self._pattern is not None and self._pattern.match(text) is not None


def _one_word(word: str) -> str:
    if word.endswith(" *"):
        return re.escape(word.removesuffix(" *")) + r" ?\S"
    return re.escape(word) + _AFTER_WORD


@dataclass(frozen=True)
class Signs:
    """The words and signs that hold for every feed (the table of P-30)."""

    task: Words = Words()
    task_endings: tuple[str, ...] = ()
    task_categories: frozenset[str] = frozenset()
    block: Words = Words()
    owner: tuple[str, ...] = ()
    maintenance: tuple[str, ...] = ()
    reservation: Words = Words()
    reservation_endings: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    channel_starts: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    shapes: tuple[str, ...] = ()
    description_urls: tuple[str, ...] = ()
    description_labels: Words = Words()

    @cached_property
    def _code(self) -> re.Pattern[str] | None:
        return re.compile("|".join(rf"\b(?:{code})\b" for code in self.codes), re.IGNORECASE) if self.codes else None

    @cached_property
    def _shapes(self) -> tuple[re.Pattern[str], ...]:
        return tuple(re.compile(shape) for shape in self.shapes)

    @cached_property
    def _urls(self) -> tuple[re.Pattern[str], ...]:
        return tuple(re.compile(url, re.IGNORECASE) for url in self.description_urls)

    def is_task(self, summary: str, categories: Iterable[str]) -> bool:
        """Whether an event is work at the home rather than a stay."""
        return (
            self.task.start(summary)
            or summary.endswith(self.task_endings)
            or any(normal(each) in self.task_categories for each in categories)
        )

    def is_reservation(self, summary: str, printed: str) -> bool:
        """Whether a SUMMARY bears a sign of a guest; `printed` keeps its case, for the shapes that depend on it."""
        return (
            self.reservation.start(summary)
            or self._has_code(summary)
            or summary.endswith(self.reservation_endings)
            or self._ends_in_channel(summary)
            or any(shape.search(printed) for shape in self._shapes)
        )

    def is_described_reservation(self, description: str) -> bool:
        """Whether a DESCRIPTION bears a sign of a guest."""
        if not description:
            return False
        return (
            self._has_code(description)
            or any(url.search(description) for url in self._urls)
            or any(self.description_labels.start(normal(line)) for line in description.splitlines())
        )

    def block_type(self, summary: str) -> BlockType:
        """The kind of block that whole words of a SUMMARY name; empty when they name none."""
        words = set(re.findall(r"\w+", summary))
        if words.intersection(self.owner):
            return BlockType.OWNER_STAY
        return BlockType.MAINTENANCE if words.intersection(self.maintenance) else BlockType.EMPTY

    def _has_code(self, text: str) -> bool:
        return self._code is not None and self._code.search(text) is not None

    def _ends_in_channel(self, summary: str) -> bool:
        opening = summary.rfind("(")
        if opening < 0 or not summary.endswith(")"):
            return False
        inside = summary[opening + 1 : -1].strip()
        return inside in self.channels or (bool(self.channel_starts) and inside.startswith(self.channel_starts))


@dataclass(frozen=True)
class PlatformWords:
    """What one platform's words mean before the general ones are asked; `name` is its Entry Source."""

    name: str = ""
    exact: tuple[tuple[Words, Meaning], ...] = ()
    uid_prefixes: tuple[tuple[str, Meaning], ...] = ()
    closed_tests: frozenset[ClosedTest] = frozenset()
    closed_means_setting: bool = False
    transparent_is_normal: bool = False
    uids: Uids = Uids.STABLE


@dataclass(frozen=True)
class Dialect:
    """All words that count for one feed: its own (P-30), its platform's and the general ones."""

    platform: PlatformWords = PlatformWords()
    signs: Signs = Signs()
    own: tuple[tuple[Words, Meaning], ...] = ()
    closed_is_reservation: bool = False


@dataclass(frozen=True, slots=True)
class EventText:
    """The parts of an event that decide its kind; none of them is kept (P-29)."""

    summary: str = ""
    description: str = ""
    uid: str = ""
    categories: tuple[str, ...] = ()
    status: str = ""
    transparency: str = ""
    method: str = ""
    ends_same_day: bool = False  # a timed event that ends on its own local day


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an event is. `closed` marks nights that only the dates can tell (P-32); `settle` clears it."""

    kind: Kind
    block_type: str = BlockType.EMPTY
    canceled: bool = False
    transparent: bool = False
    closed: bool = False
    open_end: bool = False


@dataclass(frozen=True, slots=True)
class Nights:
    """A classified event with its dates, as `settle` compares them."""

    check_in: date
    check_out: date
    verdict: Verdict

    @property
    def count(self) -> int:
        return (self.check_out - self.check_in).days


def classify(event: EventText, dialect: Dialect) -> Verdict:
    """What an event's own words say; the first sign in the order of P-30 decides."""
    status = event.status.upper()
    if status == "CANCELLED" or event.method.upper() == "CANCEL":
        return replace(_by_words(event, dialect), canceled=True)
    if event.transparency.upper() == "TRANSPARENT" and not dialect.platform.transparent_is_normal:
        # Not a stay, yet shown: as an item without row it keeps a row it fits from being missed.
        return Verdict(Kind.TASK, transparent=True)
    if status == "TENTATIVE":
        return Verdict(Kind.BLOCK, BlockType.UNAVAILABLE)
    return _by_words(event, dialect)


def _by_words(event: EventText, dialect: Dialect) -> Verdict:
    summary = normal(event.summary)
    meaning = _meaning(event, summary, dialect)
    if meaning is None:
        return Verdict(Kind.UNKNOWN, BlockType.UNKNOWN)
    if meaning is Meaning.BLOCK:
        return _block(summary, dialect.signs)
    return _PLAIN[meaning]


_PLAIN = {
    Meaning.RESERVATION: Verdict(Kind.RESERVATION),
    Meaning.TENTATIVE: Verdict(Kind.BLOCK, BlockType.UNAVAILABLE),
    Meaning.TASK: Verdict(Kind.TASK),
    Meaning.CLOSED: Verdict(Kind.BLOCK, closed=True),
}


def _block(summary: str, signs: Signs) -> Verdict:
    block_type = signs.block_type(summary)
    return Verdict(Kind.OWNER_STAY if block_type is BlockType.OWNER_STAY else Kind.BLOCK, block_type)


def _meaning(event: EventText, summary: str, dialect: Dialect) -> Meaning | None:
    signs, platform = dialect.signs, dialect.platform
    if own := _first(summary, dialect.own):
        return own
    if event.ends_same_day or signs.is_task(summary, event.categories):
        return Meaning.TASK
    if exact := _first(summary, platform.exact):
        return exact
    if by_uid := next((meaning for prefix, meaning in platform.uid_prefixes if event.uid.startswith(prefix)), None):
        return by_uid
    if signs.block.start(summary):
        return Meaning.BLOCK
    printed = _BLANKS.sub(" ", event.summary).strip()
    is_guest = signs.is_reservation(summary, printed) or signs.is_described_reservation(event.description)
    return Meaning.RESERVATION if is_guest else None


def _first(summary: str, table: Sequence[tuple[Words, Meaning]]) -> Meaning | None:
    return next((meaning for words, meaning in table if words.start(summary)), None)


@dataclass(frozen=True)
class _Feed:
    """The guests' nights of a feed, as the preparation tests of P-32 ask for them."""

    guests: tuple[Nights, ...]
    arrivals: frozenset[date] = field(init=False)
    departures: frozenset[date] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "arrivals", frozenset(each.check_in for each in self.guests))
        object.__setattr__(self, "departures", frozenset(each.check_out for each in self.guests))

    def prepares_arrival(self, night: Nights) -> bool:
        """P-32 (b): ends on a guest's check-in and starts on no check-out."""
        return night.check_out in self.arrivals and night.check_in not in self.departures

    def lies_inside(self, night: Nights) -> bool:
        """P-32 (a)."""
        return any(g.check_in <= night.check_in and night.check_out <= g.check_out for g in self.guests)


def settle(events: Sequence[Nights], dialect: Dialect, today: date) -> list[Verdict]:
    """The final verdicts of a feed's events, in their order: closed nights by their dates (P-32), open ends (P-34).

    `today` is the business's date at the fetch.
    """
    tests = dialect.platform.closed_tests
    feed = _Feed(tuple(e for e in events if e.verdict.kind is Kind.RESERVATION and not e.verdict.canceled))
    short = [e for e in events if e.verdict.closed and e.count <= _SHORT_NIGHTS]
    before_arrival = frozenset(e.count for e in short if feed.prepares_arrival(e)) if ClosedTest.PREP in tests else None
    return [_settled(e, feed, before_arrival, dialect, today) for e in events]


def _settled(
    event: Nights, feed: _Feed, before_arrival: frozenset[int] | None, dialect: Dialect, today: date
) -> Verdict:
    verdict = event.verdict
    if verdict.closed:
        if kind := _closed_kind(event, feed, before_arrival, dialect.platform.closed_tests, today):
            return replace(verdict, kind=kind, closed=False)
        kind = Kind.RESERVATION if _is_guest(dialect) else Kind.BLOCK
        return replace(verdict, kind=kind, closed=False, open_end=_ends_a_year_ahead(event, today))
    is_block = verdict.kind in (Kind.BLOCK, Kind.OWNER_STAY, Kind.UNKNOWN)
    return replace(verdict, open_end=True) if is_block and _ends_a_year_ahead(event, today) else verdict


def _is_guest(dialect: Dialect) -> bool:
    return dialect.platform.closed_means_setting and dialect.closed_is_reservation


def _ends_a_year_ahead(event: Nights, today: date) -> bool:
    return abs(event.check_out - (today + YEAR_AHEAD)) <= _EDGE


def _closed_kind(
    event: Nights, feed: _Feed, before_arrival: frozenset[int] | None, tests: frozenset[ClosedTest], today: date
) -> Kind | None:
    """The kind without row that closed nights are by P-32; None for a block."""
    starts_late = event.check_in >= today + _TAIL_STARTS_AFTER
    if ClosedTest.TAIL in tests and starts_late and _ends_a_year_ahead(event, today):
        return Kind.WINDOW_TAIL
    if event.count > _SHORT_NIGHTS:
        return None
    if ClosedTest.NOTICE in tests and event.check_in == today:
        return Kind.NOTICE
    return Kind.PREP if before_arrival is not None and _is_prep(event, feed, before_arrival) else None


def _is_prep(event: Nights, feed: _Feed, before_arrival: frozenset[int]) -> bool:
    if feed.lies_inside(event) or feed.prepares_arrival(event):
        return True
    return event.check_in in feed.departures and event.count in before_arrival
