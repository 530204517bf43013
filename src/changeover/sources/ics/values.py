"""From an event's clean lines to its values (P-21, P-24 … P-28); it decides neither nights nor kind."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import cast

from icalendar import Event as ParsedEvent
from icalendar import Timezone

from changeover.core.classify import EventText
from changeover.sources.ics.repair import Line

Moment = date | datetime

_OWN_ZONE = "changeover.zone-of-a-feed"
_DAY = re.compile(r"[0-9]{8}")
_UTC = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})T([0-9]{2})([0-9]{2})([0-9]{2})Z")
_ESCAPED = re.compile(r"\\([\\;,Nn])")
_COMMA = re.compile(r"(?<!\\),")
_VALUE_IS_DATE = re.compile(r";VALUE=\"?DATE\"?(?=;|$)", re.IGNORECASE)
_TZID = re.compile(r";TZID=(?:\"([^\"]*)\"|([^;]*))", re.IGNORECASE)
# What icalendar raises for values that it cannot read, ours included.
_UNREADABLE = (ValueError, KeyError, TypeError, AttributeError, IndexError, OverflowError)


class BadValue(ValueError):
    """A value that cannot be read; `reason` is a word of R-17."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Values:
    """One event as printed. `duration` counts only without `end` (R-38); `unknown_zone` means a TZID told nothing."""

    text: EventText
    sequence: int
    start: Moment
    end: Moment | None
    duration: timedelta | None
    rule: str
    excluded: tuple[Moment, ...]
    replaces: Moment | None
    unknown_zone: bool


@dataclass(slots=True)
class Zones:
    """The time zones that a calendar itself defines; each is built when a TZID asks for it that nobody else knows."""

    blocks: Sequence[Sequence[Line]]
    _built: dict[str, tzinfo | None] = field(default_factory=dict)

    def get(self, tzid: str) -> tzinfo | None:
        if tzid not in self._built:
            self._built[tzid] = next((_zone(block) for block in self.blocks if _is_zone(block, tzid)), None)
        return self._built[tzid]


def _is_zone(block: Sequence[Line], tzid: str) -> bool:
    return any(line.name == "TZID" and line.value == tzid for line in block)


def _zone(block: Sequence[Line]) -> tzinfo | None:
    try:
        # Under a name of ours: icalendar remembers zones by name, and another feed may mean another one by the same.
        renamed = [line._replace(value=_OWN_ZONE) if line.name == "TZID" else line for line in block]
        component = cast("Timezone", Timezone.from_ical(_component("VTIMEZONE", renamed)))
        found: tzinfo = component.to_tz(lookup_tzid=False)
        found.utcoffset(datetime(2020, 1, 1))  # noqa: DTZ001 - asks for the offset at a wall time
    except _UNREADABLE:
        return None
    return found


def texts(lines: Sequence[Line], method: str) -> EventText:
    """The words of an event, unescaped and trimmed; the first of a repeated property counts (P-26)."""
    first = {name: value for name, _, value in reversed(lines)}
    lists = [line.value for line in lines if line.name == "CATEGORIES"] if "CATEGORIES" in first else ()
    categories = [unescape(part) for each in lists for part in _COMMA.split(each)]
    return EventText(
        summary=unescape(first.get("SUMMARY", "")),
        description=unescape(first.get("DESCRIPTION", "")),
        uid=unescape(first.get("UID", "")),
        categories=tuple(categories),
        status=first.get("STATUS", ""),
        transparency=first.get("TRANSP", ""),
        method=method,
    )


def unescape(text: str) -> str:
    """A TEXT value without its backslashes, trimmed; exactly what icalendar makes of it."""
    if "\\" not in text:
        return text
    return _ESCAPED.sub(lambda found: "\n" if found[1] in "Nn" else found[1], text).strip()


def values(lines: Sequence[Line], text: EventText, zones: Zones) -> Values:
    """All values of an event that are not words. Raises BadValue: no DTSTART, or one that is no date (R-39)."""
    first = {line[0]: line for line in reversed(lines)}
    exceptions = [line for line in lines if line.name == "EXDATE"] if "EXDATE" in first else ()
    excluded = [Line("EXDATE", line.params, part.strip()) for line in exceptions for part in line.value.split(",")]
    if "DTSTART" not in first:
        raise BadValue("missing_date")
    moments = _Moments(zones)
    start = moments.one(first["DTSTART"])
    end = moments.one(first["DTEND"]) if "DTEND" in first else None
    return Values(
        text=text,
        sequence=_number(first.get("SEQUENCE")),
        start=start,
        end=end,
        duration=_duration(first["DURATION"]) if end is None and "DURATION" in first else None,
        rule=first["RRULE"].value if "RRULE" in first else "",
        excluded=tuple(moments.one(line) for line in excluded if line.value),
        replaces=moments.one(first["RECURRENCE-ID"]) if "RECURRENCE-ID" in first else None,
        unknown_zone=moments.unknown_zone,
    )


@dataclass(slots=True)
class _Moments:
    zones: Zones
    unknown_zone: bool = False

    def one(self, line: Line) -> Moment:
        """The date or instant of a line; floating where nobody knows its zone (P-27)."""
        value = line.value[:8] if line.params and _VALUE_IS_DATE.search(line.params) else line.value
        if _DAY.fullmatch(value):
            return _day(value)
        if found := _UTC.fullmatch(value):
            return _instant(found)
        moment = _parsed(Line(line.name, line.params, value))
        if isinstance(moment, datetime) and moment.tzinfo is None and (tzid := _tzid(line.params)):
            zone = self.zones.get(tzid)
            if zone is not None:
                return moment.replace(tzinfo=zone)
            self.unknown_zone = True
        return moment


def _day(digits: str) -> date:
    try:
        return date.fromisoformat(digits)
    except ValueError:
        raise BadValue("bad_date") from None


def _instant(found: re.Match[str]) -> datetime:
    year, month, day, hour, minute, second = map(int, found.groups())
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        raise BadValue("bad_date") from None


def _tzid(params: str) -> str:
    found = _TZID.search(params)
    return (found[1] or found[2] or "").strip() if found else ""


def _parsed(line: Line) -> Moment:
    # One property at a time: asking the event for its start raises for what other properties say (P-24, P-25).
    moment = _property("DTSTART", line)
    if not isinstance(moment, date):  # a time, a period, a duration
        raise BadValue("bad_date")
    return moment


def _duration(line: Line) -> timedelta:
    found = _property("DURATION", line)
    if not isinstance(found, timedelta):
        raise BadValue("bad_date")
    return found


def _property(name: str, line: Line) -> object:
    try:
        event = ParsedEvent.from_ical(_component("VEVENT", [Line(name, line.params, line.value)]))
        return getattr(event[name], "dt", None)
    except _UNREADABLE:
        raise BadValue("bad_date") from None


def _component(name: str, lines: Iterable[Line]) -> str:
    return "\r\n".join(_printed(name, lines))


def _printed(name: str, lines: Iterable[Line]) -> Iterator[str]:
    yield f"BEGIN:{name}"
    for each, params, value in lines:
        yield f"{each}{params}:{value}"
    yield f"END:{name}"
    yield ""


def _number(line: Line | None) -> int:
    try:
        return int(line.value) if line is not None else 0
    except ValueError:
        return 0
