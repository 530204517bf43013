"""Date arithmetic and Moment's format letters as formulas use them; it never reads a clock."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Final

from dateutil.relativedelta import relativedelta

from changeover_sandbox.airtable.formula.values import FormulaError, parse_iso

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
    delta = relativedelta(end, start)
    return int((delta.years * 12 + delta.months) / _MONTHS[unit])


def floor(instant: datetime, unit: str) -> datetime:
    """The unit's first instant in UTC, for `IS_SAME`."""
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


_LETTERS = re.compile(
    r"\[([^\]]*)\]|YYYY|YY|MMMM|MMM|MM|M|DD|Do|D|dddd|ddd|HH|H|hh|h|mm|m|ss|s|SSS|A|a|ZZ|Z|X|x|LL|L|."
)


def _ordinal(day: int) -> str:
    suffix = "th" if day in {11, 12, 13} else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
    return f"{day}{suffix}"


_WRITE: Final[dict[str, Callable[[datetime], str]]] = {
    "YYYY": lambda t: f"{t.year:04d}",
    "YY": lambda t: f"{t.year % 100:02d}",
    "MMMM": lambda t: f"{t:%B}",
    "MMM": lambda t: f"{t:%b}",
    "MM": lambda t: f"{t.month:02d}",
    "M": lambda t: str(t.month),
    "DD": lambda t: f"{t.day:02d}",
    "Do": lambda t: _ordinal(t.day),
    "D": lambda t: str(t.day),
    "dddd": lambda t: f"{t:%A}",
    "ddd": lambda t: f"{t:%a}",
    "HH": lambda t: f"{t.hour:02d}",
    "H": lambda t: str(t.hour),
    "hh": lambda t: f"{(t.hour - 1) % 12 + 1:02d}",
    "h": lambda t: str((t.hour - 1) % 12 + 1),
    "mm": lambda t: f"{t.minute:02d}",
    "m": lambda t: str(t.minute),
    "ss": lambda t: f"{t.second:02d}",
    "s": lambda t: str(t.second),
    "SSS": lambda t: f"{t.microsecond // 1000:03d}",
    "A": lambda t: f"{t:%p}",
    "a": lambda t: f"{t:%p}".lower(),
    "Z": lambda t: f"{t:%z}"[:3] + ":" + f"{t:%z}"[3:],
    "ZZ": lambda t: f"{t:%z}",
    "X": lambda t: str(int(t.timestamp())),
    "x": lambda t: str(int(t.timestamp() * 1000)),
    "L": lambda t: f"{t:%m/%d/%Y}",
    "LL": lambda t: f"{t:%B} {t.day}, {t.year}",
}
DEFAULT_FORMAT: Final = "YYYY-MM-DDTHH:mm:ssZ"


def write(instant: datetime, pattern: str = DEFAULT_FORMAT) -> str:
    """`DATETIME_FORMAT` in the zone the instant carries; letters in square brackets stand for themselves."""
    return _LETTERS.sub(lambda m: m[1] if m[1] is not None else _written(m[0], instant), pattern)


def _written(letters: str, instant: datetime) -> str:
    writer = _WRITE.get(letters)
    return writer(instant) if writer else letters


_READ: Final = {
    "YYYY": r"(?P<year>\d{4})",
    "YY": r"(?P<short_year>\d{2})",
    "MMMM": r"(?P<month_name>[A-Za-z]+)",
    "MMM": r"(?P<month_name>[A-Za-z]+)",
    "MM": r"(?P<month>\d{1,2})",
    "M": r"(?P<month>\d{1,2})",
    "DD": r"(?P<day>\d{1,2})",
    "D": r"(?P<day>\d{1,2})",
    "Do": r"(?P<day>\d{1,2})(?:st|nd|rd|th)",
    "HH": r"(?P<hour>\d{1,2})",
    "H": r"(?P<hour>\d{1,2})",
    "hh": r"(?P<hour>\d{1,2})",
    "h": r"(?P<hour>\d{1,2})",
    "mm": r"(?P<minute>\d{1,2})",
    "m": r"(?P<minute>\d{1,2})",
    "ss": r"(?P<second>\d{1,2})",
    "s": r"(?P<second>\d{1,2})",
    "SSS": r"(?P<milli>\d{3})",
    "A": r"(?P<half>[AaPp][Mm])",
    "a": r"(?P<half>[AaPp][Mm])",
    "Z": r"(?P<zone>Z|[+-]\d{2}:?\d{2})",
    "ZZ": r"(?P<zone>Z|[+-]\d{2}:?\d{2})",
}
_MONTH_NAMES: Final = tuple(f"{date(2000, month, 1):%b}".lower() for month in range(1, 13))


def read(text: str, pattern: str | None) -> datetime:
    """`DATETIME_PARSE`: ISO, or by a pattern of Moment's letters; no zone means UTC; raises FormulaError."""
    if pattern is None:
        return parse_iso(text)
    regex = _LETTERS.sub(lambda m: re.escape(m[1]) if m[1] is not None else _READ.get(m[0], re.escape(m[0])), pattern)
    try:
        match = re.fullmatch(regex, text.strip())
        if match is None:
            raise FormulaError("the text does not have this format")
        return _assembled({name: part for name, part in match.groupdict().items() if part is not None})
    except (KeyError, ValueError, re.error) as exc:
        raise FormulaError("not a date") from exc


def _assembled(parts: dict[str, str]) -> datetime:
    year = int(parts["year"]) if "year" in parts else 2000 + int(parts["short_year"])
    month = int(parts.get("month", "1"))
    if "month_name" in parts:
        month = _MONTH_NAMES.index(parts["month_name"][:3].lower()) + 1
    hour = int(parts.get("hour", "0"))
    if "half" in parts:
        hour = hour % 12 + (12 if parts["half"].lower() == "pm" else 0)
    clock = (hour, int(parts.get("minute", "0")), int(parts.get("second", "0")), int(parts.get("milli", "0")) * 1000)
    zone = datetime.strptime(parts["zone"].replace("Z", "+0000"), "%z").tzinfo if "zone" in parts else UTC
    return datetime(year, month, int(parts.get("day", "1")), *clock, tzinfo=zone).astimezone(UTC)
