"""When a cleaning starts: from a row's flags or a person's words to an instant; it never asks what time it is now."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import lru_cache
from zoneinfo import ZoneInfo

from changeover.core.stay import ServiceHours

FORMS = "9:30 AM, 14:00, or a date (2026-03-12 or 3/12/2026) and a time"

_CLOCK = re.compile(r"(\d{1,2}):(\d{2})\s*([AaPp])\.?[Mm]\.?|(\d{1,2}):(\d{2})")
_PARTS = re.compile(r"(?:(?P<day>\S+) )?(?P<clock>\d.*)")
_ISO_DAY = re.compile(r"(\d{4})-(\d{2})-(\d{2})")
_US_DAY = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")
_NOON = 12


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A Custom Service Time in none of the known forms (J-12)."""

    text: str


def service_time(
    check_out: date,
    custom: str,
    *,
    owner_arriving: bool,
    same_day: bool,
    hours: ServiceHours,
    zone: ZoneInfo,
) -> datetime | Unreadable:
    """The start of the cleaning in UTC, to the minute (J-11, J-14): a person's word first, then the flags."""
    if custom.strip():
        return custom_time(custom, check_out, zone)
    wall = hours.owner_arriving if owner_arriving else hours.same_day if same_day else hours.default
    return _opening(check_out, wall, zone)


@lru_cache(4096)  # many homes change guests on one day
def _opening(day: date, wall: str, zone: ZoneInfo) -> datetime:
    return _instant(day, time.fromisoformat(wall), zone)


def custom_time(text: str, check_out: date, zone: ZoneInfo) -> datetime | Unreadable:
    """Reads a Custom Service Time in one of the forms of J-12; a time alone is on the check-out date."""
    words = " ".join(text.split())
    instant = _iso_instant(words)
    if instant is not None:
        return instant
    parts = _PARTS.fullmatch(words)
    if not parts:
        return Unreadable(text)
    day_text, clock_text = parts["day"], parts["clock"]
    day = _day(day_text) if day_text else check_out
    clock_time = _clock(clock_text)
    if day is None or clock_time is None:
        return Unreadable(text)
    try:
        return _instant(day, clock_time, zone)
    except OverflowError:  # the last day that Python knows
        return Unreadable(text)


def _iso_instant(words: str) -> datetime | None:
    try:
        instant = datetime.fromisoformat(words)
        if instant.tzinfo is not None:
            return instant.astimezone(UTC).replace(second=0, microsecond=0)
    except (ValueError, OverflowError):
        return None
    return None


def _day(text: str) -> date | None:
    iso, american = _ISO_DAY.fullmatch(text), _US_DAY.fullmatch(text)
    try:
        if iso:
            return date(int(iso[1]), int(iso[2]), int(iso[3]))
        if american:
            return date(int(american[3]), int(american[1]), int(american[2]))
    except ValueError:
        return None
    return None


def _clock(text: str) -> time | None:
    found = _CLOCK.fullmatch(text)
    if not found:
        return None
    try:
        if not found[3]:
            return time(int(found[4]), int(found[5]))
        hour = int(found[1])
        if not 1 <= hour <= _NOON:
            return None
        return time(hour % _NOON + (_NOON if found[3] in "Pp" else 0), int(found[2]))
    except ValueError:
        return None


def _instant(day: date, wall: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, wall, zone).astimezone(UTC)
