"""Moment's format letters, to write an instant and to read one (`DATETIME_FORMAT`, `DATETIME_PARSE`)."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from changeover_sandbox.airtable.formula import dates, locales
from changeover_sandbox.airtable.formula.locales import Locale
from changeover_sandbox.airtable.formula.values import FormulaError, parse_text

_LETTERS: Final = re.compile(
    r"\[([^\]]*)\]|YYYY|YY|Y|Qo|Q|MMMM|MMM|MM|Mo|M|DDDD|DDDo|DDD|DD|Do|D|dddd|ddd|dd|do|d|E|e|GGGG|gggg|WW|Wo|W|ww|wo|w"
    r"|HH|H|hh|h|kk|k|mm|m|ss|s|SSS|SS|S|A|a|ZZ|Z|z|X|x|LTS|LT|LLLL|LLL|LL|L|llll|lll|ll|l|."
)
# Whole formats in one word, in English as everywhere else.
_WHOLE: Final = {
    "LT": "h:mm A",
    "LTS": "h:mm:ss A",
    "L": "MM/DD/YYYY",
    "LL": "MMMM D, YYYY",
    "LLL": "MMMM D, YYYY h:mm A",
    "LLLL": "dddd, MMMM D, YYYY h:mm A",
    "l": "M/D/YYYY",
    "ll": "MMM D, YYYY",
    "lll": "MMM D, YYYY h:mm A",
    "llll": "ddd, MMM D, YYYY h:mm A",
}
_NOON: Final = 12
_DECEMBER: Final = 12
DEFAULT_FORMAT: Final = "YYYY-MM-DDTHH:mm:ssZ"


def _ordinal(number: int) -> str:
    suffix = "th" if number % 100 in {11, 12, 13} else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{suffix}"


def _sunday_first(moment: datetime) -> int:
    return (moment.weekday() + 1) % 7


def _quarter(moment: datetime) -> int:
    return (moment.month - 1) // 3 + 1


def _day_of_year(moment: datetime) -> int:
    return moment.timetuple().tm_yday


def _week(moment: datetime) -> int:
    return dates.week_of_year(moment.date(), monday_first=False)


def _week_year(moment: datetime) -> int:
    return moment.year + (moment.month == _DECEMBER and _week(moment) == 1)


def _offset(moment: datetime) -> str:
    return f"{moment:%z}"


_WRITE: Final[Mapping[str, Callable[[datetime, Locale], str]]] = {
    "YYYY": lambda t, _: f"{t.year:04d}",
    "YY": lambda t, _: f"{t.year % 100:02d}",
    "Y": lambda t, _: str(t.year),
    "Q": lambda t, _: str(_quarter(t)),
    "Qo": lambda t, _: _ordinal(_quarter(t)),
    "MMMM": lambda t, names: names.months[t.month - 1],
    "MMM": lambda t, names: names.short_months[t.month - 1],
    "MM": lambda t, _: f"{t.month:02d}",
    "Mo": lambda t, _: _ordinal(t.month),
    "M": lambda t, _: str(t.month),
    "DDDD": lambda t, _: f"{_day_of_year(t):03d}",
    "DDDo": lambda t, _: _ordinal(_day_of_year(t)),
    "DDD": lambda t, _: str(_day_of_year(t)),
    "DD": lambda t, _: f"{t.day:02d}",
    "Do": lambda t, _: _ordinal(t.day),
    "D": lambda t, _: str(t.day),
    "dddd": lambda t, names: names.days[_sunday_first(t)],
    "ddd": lambda t, names: names.short_days[_sunday_first(t)],
    "dd": lambda t, names: names.days[_sunday_first(t)][:2],
    "do": lambda t, _: _ordinal(_sunday_first(t)),
    "d": lambda t, _: str(_sunday_first(t)),
    "e": lambda t, _: str(_sunday_first(t)),
    "E": lambda t, _: str(t.isoweekday()),
    "GGGG": lambda t, _: f"{t.isocalendar().year:04d}",
    "gggg": lambda t, _: f"{_week_year(t):04d}",
    "WW": lambda t, _: f"{t.isocalendar().week:02d}",
    "Wo": lambda t, _: _ordinal(t.isocalendar().week),
    "W": lambda t, _: str(t.isocalendar().week),
    "ww": lambda t, _: f"{_week(t):02d}",
    "wo": lambda t, _: _ordinal(_week(t)),
    "w": lambda t, _: str(_week(t)),
    "HH": lambda t, _: f"{t.hour:02d}",
    "H": lambda t, _: str(t.hour),
    "hh": lambda t, _: f"{(t.hour - 1) % 12 + 1:02d}",
    "h": lambda t, _: str((t.hour - 1) % 12 + 1),
    "kk": lambda t, _: f"{(t.hour - 1) % 24 + 1:02d}",
    "k": lambda t, _: str((t.hour - 1) % 24 + 1),
    "mm": lambda t, _: f"{t.minute:02d}",
    "m": lambda t, _: str(t.minute),
    "ss": lambda t, _: f"{t.second:02d}",
    "s": lambda t, _: str(t.second),
    "SSS": lambda t, _: f"{t.microsecond // 1000:03d}",
    "SS": lambda t, _: f"{t.microsecond // 10_000:02d}",
    "S": lambda t, _: str(t.microsecond // 100_000),
    "A": lambda t, _: "AM" if t.hour < _NOON else "PM",
    "a": lambda t, _: "am" if t.hour < _NOON else "pm",
    "Z": lambda t, _: _offset(t)[:3] + ":" + _offset(t)[3:],
    "ZZ": lambda t, _: _offset(t),
    "z": lambda t, _: t.tzname() or "",
    "X": lambda t, _: str(int(t.timestamp())),
    "x": lambda t, _: str(int(t.timestamp() * 1000)),
}


def write(instant: datetime, pattern: str = DEFAULT_FORMAT) -> str:
    """The instant in its own zone and locale; letters in square brackets stand for themselves."""
    names = locales.of(instant)
    return _LETTERS.sub(lambda m: m[1] if m[1] is not None else _written(m[0], instant, names), pattern)


def _written(letters: str, instant: datetime, names: Locale) -> str:
    if letters in _WHOLE:
        return write(instant, _WHOLE[letters])
    writer = _WRITE.get(letters)
    return writer(instant, names) if writer else letters


_NAME: Final = r"(?P<month_name>[^\W\d_]+\.?)"
_READ: Final = {
    "YYYY": r"(?P<year>\d{4})",
    "YY": r"(?P<short_year>\d{2})",
    "MMMM": _NAME,
    "MMM": _NAME,
    "MM": r"(?P<month>\d{1,2})",
    "M": r"(?P<month>\d{1,2})",
    "DD": r"(?P<day>\d{1,2})",
    "D": r"(?P<day>\d{1,2})",
    "Do": r"(?P<day>\d{1,2})(?:st|nd|rd|th)",
    "dddd": r"[^\W\d_]+",
    "ddd": r"[^\W\d_]+\.?",
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
    "X": r"(?P<unix>-?\d+(?:\.\d+)?)",
    "x": r"(?P<unix_ms>-?\d+)",
}


@lru_cache(maxsize=1024)
def _reader(pattern: str) -> re.Pattern[str]:
    spelled = _LETTERS.sub(lambda m: _WHOLE.get(m[0], m[0]), pattern)
    return re.compile(
        _LETTERS.sub(lambda m: re.escape(m[1]) if m[1] is not None else _READ.get(m[0], re.escape(m[0])), spelled)
    )


def read(text: str, pattern: str | None, names: Locale) -> datetime:
    """ISO or `M/D/YYYY`, or by a pattern; no zone means UTC; raises FormulaError."""
    if pattern is None:
        return parse_text(text)
    try:
        match = _reader(pattern).fullmatch(text.strip())
        if match is None:
            raise FormulaError("the text does not have this format")
        return _assembled({name: part for name, part in match.groupdict().items() if part is not None}, names)
    except (KeyError, ValueError, OverflowError, re.error) as exc:
        raise FormulaError("not a date") from exc


def _assembled(parts: Mapping[str, str], names: Locale) -> datetime:
    if "unix" in parts:
        return datetime.fromtimestamp(float(parts["unix"]), UTC)
    if "unix_ms" in parts:
        return datetime.fromtimestamp(int(parts["unix_ms"]) / 1000, UTC)
    year = int(parts["year"]) if "year" in parts else 2000 + int(parts["short_year"])
    month = _month(parts["month_name"], names) if "month_name" in parts else int(parts.get("month", "1"))
    hour = int(parts.get("hour", "0"))
    if "half" in parts:
        hour = hour % 12 + (12 if parts["half"].lower() == "pm" else 0)
    clock = (hour, int(parts.get("minute", "0")), int(parts.get("second", "0")), int(parts.get("milli", "0")) * 1000)
    zone = datetime.strptime(parts["zone"].replace("Z", "+0000"), "%z").tzinfo if "zone" in parts else UTC
    return datetime(year, month, int(parts.get("day", "1")), *clock, tzinfo=zone).astimezone(UTC)


def _month(name: str, names: Locale) -> int:
    """The month of a full or short name, with or without the point; raises ValueError for another word."""
    wanted = name.lower().rstrip(".")
    for known in (names.months, names.short_months):
        plain = [one.lower().rstrip(".") for one in known]
        if wanted in plain:
            return plain.index(wanted) + 1
    raise ValueError("not a month")
