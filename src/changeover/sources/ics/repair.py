"""From a feed's bytes to whole calendars of clean lines (P-15 … P-20); it understands no value."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from operator import itemgetter
from typing import NamedTuple

NOT_A_CALENDAR = "not a calendar"
CUT_OFF = "cut off"
TOO_MUCH = "too many events"
MAX_EVENTS = 10_000

_BOM = b"\xef\xbb\xbf"
_BLANKS = b" \t\r\n\x00"
_LINE_END = re.compile(rb"[\r\n]+")
_FOLD = re.compile(rb"\n[ \t]")
_LINE = re.compile(r'([A-Za-z0-9-]+)((?:;[^":]*(?:"[^"]*"[^":]*)*)?):(.*)', re.DOTALL)
_PLAIN_HEAD = re.compile(r"[A-Z-]+(?:;VALUE=DATE)?")
_CALENDAR_NAMES = frozenset({"PRODID", "VERSION", "CALSCALE", "METHOD"})
_VOLATILE = frozenset({"DTSTAMP", "CREATED", "LAST-MODIFIED"})  # P-5, P-36


class Line(NamedTuple):
    """One unfolded line: its name in capitals, its parameters from the `;` on, its trimmed value."""

    name: str
    params: str
    value: str


class BrokenBody(ValueError):
    """A body that is no whole calendar (P-17): `cause` says so in words that are safe to show."""

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause


@dataclass(frozen=True, slots=True)
class Calendar:
    """One VCALENDAR: its own lines, its zones and its events, each as clean lines."""

    lines: tuple[Line, ...] = ()
    zones: tuple[tuple[Line, ...], ...] = ()
    events: tuple[tuple[Line, ...], ...] = ()

    def first(self, name: str) -> str:
        """The first value of a line of the calendar itself; empty when it has none."""
        return next((line.value for line in self.lines if line.name == name), "")


@dataclass(frozen=True, slots=True)
class Body:
    """All calendars of a body (P-18), and what was dropped from it, in words without any of its text."""

    calendars: tuple[Calendar, ...]
    notes: tuple[str, ...] = ()

    @property
    def events(self) -> int:
        return sum(len(calendar.events) for calendar in self.calendars)

    @property
    def prodid(self) -> str:
        return next((found for calendar in self.calendars if (found := calendar.first("PRODID"))), "")


@dataclass(slots=True)
class _Reader:
    """The state of reading a body's lines from the top."""

    calendars: list[Calendar] = field(default_factory=list)
    open: list[str] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    zones: list[tuple[Line, ...]] = field(default_factory=list)
    events: list[tuple[Line, ...]] = field(default_factory=list)
    block: list[Line] = field(default_factory=list)  # the event or zone being read
    collects: bool = False  # lines belong into the block now
    heads: dict[str, tuple[str, str]] = field(default_factory=dict)  # name and parameters of plain lines met before
    dropped_lines: int = 0
    dropped_parts: int = 0
    junk: int = 0


def repair(body: bytes, charset: str | None = None) -> Body:
    """The calendars of a body, checked to be whole (P-17). Raises BrokenBody with the cause.

    `charset` is the declared one, tried after UTF-8 (P-16).
    """
    reader = _Reader()
    texts = _decode(_unfold(body), charset).split("\n")
    if texts[0].strip().upper() != "BEGIN:VCALENDAR":
        raise BrokenBody(NOT_A_CALENDAR)
    for text in texts:
        _take(reader, text)
        if len(reader.events) > MAX_EVENTS:
            raise BrokenBody(TOO_MUCH)
    if reader.open:
        raise BrokenBody(CUT_OFF)
    return Body(tuple(reader.calendars), tuple(_notes(reader)))


def canonical_hash(body: Body) -> str:
    """SHA-256 of what a body says, whatever the order, the folding and the instant of its making (P-36)."""
    parts: list[str] = []
    for calendar in body.calendars:
        method = calendar.first("METHOD")
        parts.extend(_printed(sorted(event, key=itemgetter(0)), method) for event in calendar.events)
        parts.extend(_printed(zone, "") for zone in calendar.zones)
        parts.append(_printed(sorted(calendar.lines), ""))
    parts.sort()
    return hashlib.sha256("\x1e".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


def _printed(lines: list[Line] | tuple[Line, ...], method: str) -> str:
    kept = [f"{name}{params}\x1f{value}" for name, params, value in lines if name not in _VOLATILE]
    return "\n".join((method, *kept))


def _unfold(body: bytes) -> bytes:
    """One line end for all, no blank lines, folds undone on the bytes, for a fold may cut a character (P-15)."""
    start = body.lstrip(_BLANKS)
    if start.startswith(_BOM):
        start = start[len(_BOM) :].lstrip(_BLANKS)
    return _FOLD.sub(b"", _LINE_END.sub(b"\n", start)).strip(_BLANKS)


def _decode(raw: bytes, charset: str | None) -> str:
    for encoding in ("utf-8", charset):
        if encoding:
            try:
                return raw.decode(encoding)
            except (LookupError, ValueError):  # an unknown charset, or bytes that are not in it
                continue
    return raw.decode("windows-1252", "replace")


def _take(reader: _Reader, text: str) -> None:
    head, colon, value = text.partition(":")
    known = reader.heads.get(head) if colon else None
    if known is None:
        match = _LINE.fullmatch(text.strip())
        if match is None:
            if not reader.open:
                raise BrokenBody(CUT_OFF)
            reader.junk += 1
            return
        known, value = (match[1].upper(), match[2]), match[3]
        if _PLAIN_HEAD.fullmatch(head):
            reader.heads[head] = known
    name, params = known
    if name == "BEGIN":
        _begin(reader, value.strip().upper())
    elif name == "END":
        _end(reader, value.strip().upper())
    elif reader.collects:
        reader.block.append(Line(name, params, value.strip()))
    else:
        _keep(reader, Line(name, params, value.strip()))


def _begin(reader: _Reader, name: str) -> None:
    inside = reader.open
    nested_event = name == "VEVENT" and len(inside) != 1
    if nested_event or (name == "VCALENDAR") != (not inside):
        # An END is missing above, or something follows the end: reading on could lose events.
        raise BrokenBody(CUT_OFF)
    inside.append(name)
    if len(inside) == 2 and name not in ("VEVENT", "VTIMEZONE"):  # noqa: PLR2004 - a part of the calendar itself
        reader.dropped_parts += 1
    if "VTIMEZONE" in inside and name != "VTIMEZONE":
        reader.block.append(Line("BEGIN", "", name))
    reader.collects = _collects(inside)


def _end(reader: _Reader, name: str) -> None:
    if not reader.open or reader.open.pop() != name:
        raise BrokenBody(CUT_OFF)
    if "VTIMEZONE" in reader.open:
        reader.block.append(Line("END", "", name))
    elif reader.open == ["VCALENDAR"]:
        if name in ("VEVENT", "VTIMEZONE"):
            (reader.events if name == "VEVENT" else reader.zones).append(tuple(reader.block))
        reader.block.clear()
    elif not reader.open:
        reader.calendars.append(Calendar(tuple(reader.lines), tuple(reader.zones), tuple(reader.events)))
        for part in (reader.lines, reader.zones, reader.events):
            part.clear()
    reader.collects = _collects(reader.open)


def _collects(inside: list[str]) -> bool:
    """Whether lines at this place are an event's own, or anything of a zone; those of an alarm are nobody's."""
    return len(inside) > 1 and (inside[1] == "VTIMEZONE" or inside[1:] == ["VEVENT"])


def _keep(reader: _Reader, line: Line) -> None:
    """A line that stands in no event and no zone."""
    if not reader.open:
        raise BrokenBody(CUT_OFF)
    if len(reader.open) == 1:
        if line.name in _CALENDAR_NAMES or line.name.startswith("X-WR-"):
            reader.lines.append(line)
        else:
            reader.dropped_lines += 1


def _notes(reader: _Reader) -> Iterator[str]:
    if reader.junk:
        yield f"{reader.junk} unreadable lines dropped"
    if reader.dropped_lines:
        yield f"{reader.dropped_lines} calendar lines dropped"
    if reader.dropped_parts:
        yield f"{reader.dropped_parts} parts that are no events dropped"
