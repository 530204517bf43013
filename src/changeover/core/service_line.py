"""The line cleaners read, as a pure function of a row (J-36 … J-43); it knows nothing of what Housecall Pro shows."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from changeover.core.grapheme import graphemes, length
from changeover.core.job import JobRow

JOIN: Final = " - "
DOTS: Final = "..."
OWNER: Final = "OWNER ARRIVING"
LONG_TERM: Final = "LONG TERM GUEST DEPARTING"
CODE_POINTS: Final = 255  # what a name in Housecall Pro holds (HC-73)
MONTHS: Final = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip

_CUSTOM_LIMIT: Final = 200
_MERGED_AT_JOINS: Final = 2  # characters that may be one with their neighbor's where texts are joined
_DROPPED_CATEGORIES: Final = frozenset({"Cc", "Cs"})
_DROPPED: Final = (
    frozenset({0x00AD, 0x180E, 0x200B, 0xFEFF})
    | frozenset(range(0x202A, 0x202F))
    | frozenset(range(0x2060, 0x2070))
    | frozenset(range(0xFFF9, 0xFFFC))
)


@dataclass(frozen=True, slots=True)
class LineFacts:
    """All that a service line is made of."""

    service: str
    custom: str = ""
    owner_arriving: bool = False
    long_term: bool = False
    same_day: bool = False
    next_guest: date | None = None

    @classmethod
    def of(cls, row: JobRow, long_term_nights: int) -> LineFacts:
        """A row's facts; a long stay is counted in dates, not in hours (J-39)."""
        nights = (row.check_out - row.check_in).days if row.check_in and row.check_out else 0
        return cls(
            row.service, row.custom_line, row.owner_arriving, nights >= long_term_nights, row.same_day, row.next_guest
        )

    @property
    def fixed(self) -> str:
        """Flags and base, which are never shortened (J-39, J-40, J-42)."""
        flags = [word for word, applies in ((OWNER, self.owner_arriving), (LONG_TERM, self.long_term)) if applies]
        return JOIN.join([*flags, self._base()])

    def _base(self) -> str:
        if self.same_day:
            return f"SAME DAY {self.service} STR"
        guest = self.next_guest
        when = "Unknown" if guest is None else f"{MONTHS[guest.month - 1]} {guest.day}"
        return f"{self.service} STR Next Guest {when}"


@dataclass(frozen=True, slots=True)
class Room:
    """How long a name may be, in user-perceived characters and in code points (J-42), and what else stands in it."""

    limit: int = 200
    code_points: int = CODE_POINTS
    before: str = ""
    after: str = ""

    def holds(self, line: str) -> bool:
        """Whether a line fits, together with what stands around it."""
        whole = f"{self.before}{line}{self.after}"
        return len(whole) <= self.code_points and length(whole) <= self.limit


def service_line(facts: LineFacts, limit: int = 200, code_points: int = CODE_POINTS) -> str:
    """The name of the job's first line item (J-36 … J-42)."""
    room = Room(limit, code_points)
    return fitted(facts, room) or facts.fixed


def fitted(facts: LineFacts, room: Room) -> str | None:
    """The line with as much of the custom text as there is room for; None where not even flags and base fit (J-101)."""
    custom = clean(facts.custom)
    whole = JOIN.join(part for part in (_custom_part(custom), facts.fixed) if part)
    if room.holds(whole):
        return whole
    return _shortened(graphemes(custom), facts.fixed, room) or (facts.fixed if room.holds(facts.fixed) else None)


def clean(text: str) -> str:
    """Custom text as one line of visible characters (J-36). Cleaning twice changes nothing more."""
    visible = "".join(" " if char.isspace() else char for char in text if char.isspace() or not _dropped(char))
    return " ".join(unicodedata.normalize("NFC", visible).split())


def _dropped(char: str) -> bool:
    return ord(char) in _DROPPED or unicodedata.category(char) in _DROPPED_CATEGORIES


def _custom_part(custom: str) -> str:
    """J-38: up to 200 characters as they are, else the first 197 and three periods."""
    if length(custom) <= _CUSTOM_LIMIT:
        return custom
    return "".join(graphemes(custom)[: _CUSTOM_LIMIT - len(DOTS)]) + DOTS


def _shortened(custom: Sequence[str], fixed: str, room: Room) -> str | None:
    """The line with the most characters of the custom text that fit, at least one; None where none fits (J-42)."""
    rest = f"{DOTS}{JOIN}{fixed}"
    spare = room.limit - length(f"{room.before}{rest}{room.after}") + _MERGED_AT_JOINS
    most = min(len(custom) - 1, _CUSTOM_LIMIT - len(DOTS), spare)
    for count in range(most, 0, -1):
        line = f"{''.join(custom[:count])}{rest}"
        if room.holds(line):
            return line
    return None
