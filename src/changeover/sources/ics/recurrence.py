"""The occurrences of a repeated event inside a window (R-41), bounded in number and in effort."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

from dateutil.rrule import rrulestr

from changeover.sources.ics.values import BadValue, Moment

MAX_OCCURRENCES = 400
_UNTIL = re.compile(r"(\d{8})(?:T(\d{6})(Z?))?")
_FREQUENCIES = frozenset({"DAILY", "WEEKLY", "MONTHLY", "YEARLY"})
_PARTS = frozenset({"FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYDAY", "BYMONTH"})
# With a daily or weekly rule these can match nothing, and the search for a match would then run to the year 9999.
_SLOW_PARTS = frozenset({"BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", "BYSETPOS"})
_SLOW_WITH = frozenset({"DAILY", "WEEKLY"})


def starts(rule: str, start: Moment, last: date) -> Iterator[Moment]:
    """The starts of a repeated event in their order, in its own zone, up to the day after `last`.

    Raises BadValue for a rule that cannot be read, or repeats more than daily: no stay does.
    """
    wall = start.replace(tzinfo=None) if isinstance(start, datetime) else datetime.combine(start, time.min)
    zone = start.tzinfo if isinstance(start, datetime) else None
    parts = _parts(rule)
    if "UNTIL" in parts:
        parts["UNTIL"] = _until(parts["UNTIL"], start)
    try:
        for each in rrulestr(";".join(f"{name}={value}" for name, value in parts.items()), dtstart=wall):
            if each.date() > last + timedelta(days=1):
                return
            yield each.replace(tzinfo=zone) if isinstance(start, datetime) else each.date()
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, OverflowError):
        raise BadValue("unreadable") from None


def _parts(rule: str) -> dict[str, str]:
    parts: dict[str, str] = {}
    for part in rule.upper().split(";"):
        name, found, value = part.strip().partition("=")
        if found and value:
            parts[name] = value.strip()
    frequency = parts.get("FREQ", "")
    allowed = _PARTS if frequency in _SLOW_WITH else _PARTS | _SLOW_PARTS
    if frequency not in _FREQUENCIES or not allowed.issuperset(parts):
        raise BadValue("unreadable")
    if any(int(parts[name]) < 1 for name in ("INTERVAL", "COUNT") if _is_number(parts, name)):
        raise BadValue("unreadable")
    return parts


def _is_number(parts: dict[str, str], name: str) -> bool:
    if name in parts and not parts[name].isdecimal():
        raise BadValue("unreadable")
    return name in parts


def _until(value: str, start: Moment) -> str:
    """UNTIL on the wall of the event's own zone; a bare day counts to its end."""
    found = _UNTIL.fullmatch(value)
    if found is None:
        raise BadValue("unreadable")
    day, clock, utc = found[1], found[2], found[3]
    if clock is None or not isinstance(start, datetime):
        return f"{day}T235959"
    if not utc or start.tzinfo is None:
        return f"{day}T{clock}"
    try:
        instant = datetime.strptime(f"{day}{clock}+0000", "%Y%m%d%H%M%S%z")
        return instant.astimezone(start.tzinfo).strftime("%Y%m%dT%H%M%S")
    except (ValueError, OverflowError):
        raise BadValue("unreadable") from None
