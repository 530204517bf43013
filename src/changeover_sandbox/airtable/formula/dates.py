"""Date arithmetic as formulas do it, always in UTC; it never reads a clock."""

import math
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Final

from dateutil.relativedelta import relativedelta

from changeover_sandbox.airtable.formula.values import FormulaError

# Moment's units: one-letter forms are case-sensitive (m = minute, M = month), words are not.
_SHORT: Final = {"ms": "millisecond", "s": "second", "m": "minute", "h": "hour", "d": "day", "w": "week"} | {
    "M": "month",
    "Q": "quarter",
    "y": "year",
}
_FIXED: Final = {
    "millisecond": timedelta(milliseconds=1),
    "second": timedelta(seconds=1),
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(weeks=1),
}
_MONTHS: Final = {"month": 1, "quarter": 3, "year": 12}


def unit_of(text: str) -> str:
    """The unit's full singular name; raises FormulaError for a word that is none."""
    unit = _SHORT.get(text) or text.lower().removesuffix("s")
    if unit not in _FIXED and unit not in _MONTHS:
        raise FormulaError("unknown unit")
    return unit


def add(start: datetime, count: float, unit: str) -> datetime:
    """`DATEADD`: months keep the day where the month has it."""
    start = start.astimezone(UTC)
    try:
        if unit in _FIXED:
            return start + count * _FIXED[unit]
        return start + relativedelta(months=int(count) * _MONTHS[unit])
    except (OverflowError, ValueError) as exc:
        raise FormulaError("date out of range") from exc


def difference(end: datetime, start: datetime, unit: str) -> int:
    """`DATETIME_DIFF`: whole units from start to end, cut towards zero."""
    if unit in _FIXED:
        return int((end - start) / _FIXED[unit])
    delta = relativedelta(end.astimezone(UTC), start.astimezone(UTC))
    return int((delta.years * 12 + delta.months) / _MONTHS[unit])


def floor(instant: datetime, unit: str) -> datetime:
    """The unit's first instant in UTC, for `IS_SAME`."""
    instant = instant.astimezone(UTC)
    day = instant.replace(hour=0, minute=0, second=0, microsecond=0)
    starts: dict[str, Callable[[], datetime]] = {
        "millisecond": lambda: instant.replace(microsecond=instant.microsecond // 1000 * 1000),
        "second": lambda: instant.replace(microsecond=0),
        "minute": lambda: instant.replace(second=0, microsecond=0),
        "hour": lambda: instant.replace(minute=0, second=0, microsecond=0),
        "day": lambda: day,
        "week": lambda: day - timedelta(days=(day.weekday() + 1) % 7),
        "month": lambda: day.replace(day=1),
        "quarter": lambda: day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1),
        "year": lambda: day.replace(month=1, day=1),
    }
    return starts[unit]()


def week_of_year(day: date, *, monday_first: bool) -> int:
    """`WEEKNUM`: the week that holds January 1 is the first, so the last days of a year may be in it too."""
    to_end = 6 - (day.weekday() if monday_first else (day.weekday() + 1) % 7)
    last = day + timedelta(days=to_end)
    return ((last - last.replace(month=1, day=1)).days // 7) + 1


_DAY_SECONDS: Final = 86_400.0
# A unit's seconds, from how many of it on the next unit is used, and its words for one and for several (Moment's).
_WORDS: Final = (
    (1.0, 45, "a few seconds", "seconds"),
    (60.0, 45, "a minute", "minutes"),
    (3_600.0, 22, "an hour", "hours"),
    (_DAY_SECONDS, 26, "a day", "days"),
    (_DAY_SECONDS * 146_097 / 4_800, 11, "a month", "months"),
    (_DAY_SECONDS * 146_097 / 400, math.inf, "a year", "years"),
)


def distance(span: timedelta) -> str:
    """`FROMNOW`, `TONOW`: a span in words, without its direction: `25 days`, `a month`."""
    seconds = abs(span.total_seconds())
    counts = [math.floor(seconds / size + 0.5) for size, *_ in _WORDS]
    found = next(place for place, (_, limit, _, _) in enumerate(_WORDS) if counts[place] < limit)
    _, _, one, several = _WORDS[found]
    return one if found == 0 or counts[found] <= 1 else f"{counts[found]} {several}"
