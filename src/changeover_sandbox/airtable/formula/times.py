"""The functions of formulas on dates and instants; they read no clock and never see the row."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from changeover_sandbox.airtable.formula import dates, locales, patterns, workdays
from changeover_sandbox.airtable.formula.signature import Arguments, Function, Functions, items, optional_text
from changeover_sandbox.airtable.formula.values import FormulaError, Value, as_instant, as_number, as_text

_DAY_UNITS: Final = frozenset({"day", "week", "month", "quarter", "year"})


def _instant(value: Value) -> datetime:
    instant = as_instant(value)
    if instant is None:
        raise FormulaError("a date is missing")
    return instant


def _is_day(value: Value) -> bool:
    return isinstance(value, date) and not isinstance(value, datetime)


def _datetime_parse(arguments: Arguments) -> Value:
    value = arguments[0]
    if isinstance(value, date) or value is None:
        return as_instant(value)
    return patterns.read(as_text(value), optional_text(arguments, 1), locales.find(optional_text(arguments, 2) or "en"))


def _datetime_format(arguments: Arguments) -> Value:
    instant = as_instant(arguments[0])
    return None if instant is None else patterns.write(instant, optional_text(arguments, 1) or patterns.DEFAULT_FORMAT)


def _dateadd(arguments: Arguments) -> Value:
    unit = dates.unit_of(as_text(arguments[2]))
    moved = dates.add(_instant(arguments[0]), as_number(arguments[1]), unit)
    return moved.date() if _is_day(arguments[0]) and unit in _DAY_UNITS else moved


def _datetime_diff(arguments: Arguments) -> Value:
    unit = dates.unit_of(optional_text(arguments, 2) or "second")
    return dates.difference(_instant(arguments[0]), _instant(arguments[1]), unit)


def _is_before(arguments: Arguments) -> Value:
    first, second = as_instant(arguments[0]), as_instant(arguments[1])
    return first is not None and second is not None and first < second


def _is_after(arguments: Arguments) -> Value:
    return _is_before((arguments[1], arguments[0]))


def _is_same(arguments: Arguments) -> Value:
    first, second = as_instant(arguments[0]), as_instant(arguments[1])
    if first is None or second is None:
        return first is second
    unit = optional_text(arguments, 2)
    if unit is None or unit == "exact":
        return first == second
    return dates.floor(first, dates.unit_of(unit)) == dates.floor(second, dates.unit_of(unit))


def _part(read: Callable[[datetime], Value]) -> Function:
    """A part of an instant, always in UTC: a zone that was set counts for DATETIME_FORMAT only; blank stays blank."""

    def body(arguments: Arguments) -> Value:
        instant = as_instant(arguments[0])
        return None if instant is None else read(instant.astimezone(UTC))

    return Function(body, 1, 1)


def _monday_first(arguments: Arguments) -> bool:
    start = (optional_text(arguments, 1) or "sunday").lower()
    if start not in {"sunday", "monday"}:
        raise FormulaError("a week starts on Sunday or Monday")
    return start == "monday"


def _weekday(arguments: Arguments) -> Value:
    instant, monday_first = as_instant(arguments[0]), _monday_first(arguments)
    if instant is None:
        return None
    return (instant.astimezone(UTC).weekday() + (0 if monday_first else 1)) % 7


def _weeknum(arguments: Arguments) -> Value:
    instant, monday_first = as_instant(arguments[0]), _monday_first(arguments)
    return None if instant is None else dates.week_of_year(instant.astimezone(UTC).date(), monday_first=monday_first)


def _set_timezone(arguments: Arguments) -> Value:
    instant = as_instant(arguments[0])
    try:
        zone = ZoneInfo(as_text(arguments[1]))
    except (ZoneInfoNotFoundError, ValueError, OSError) as exc:
        raise FormulaError("time zone is not known") from exc
    return None if instant is None else locales.tell(instant.astimezone(zone), locales.of(instant))


def _set_locale(arguments: Arguments) -> Value:
    instant, locale = as_instant(arguments[0]), locales.find(as_text(arguments[1]))
    return None if instant is None else locales.tell(instant, locale)


def _holidays(arguments: Arguments) -> frozenset[date]:
    """Days off: a text of ISO dates and commas, a date, or an array of either."""
    days: set[date] = set()
    for item in items(arguments[2:]):
        parts = item.split(",") if isinstance(item, str) else [item]
        days.update(_instant(part).astimezone(UTC).date() for part in parts if part and str(part).strip())
    return frozenset(days)


def _workday(arguments: Arguments) -> Value:
    start = _instant(arguments[0]).astimezone(UTC)
    moved = workdays.shift(start.date(), int(as_number(arguments[1])), _holidays(arguments))
    return moved if _is_day(arguments[0]) else datetime.combine(moved, start.timetz())


def _workday_diff(arguments: Arguments) -> Value:
    first, last = (_instant(one).astimezone(UTC).date() for one in arguments[:2])
    return workdays.between(first, last, _holidays(arguments))


TIMES: Final[Functions] = {
    "DATEADD": Function(_dateadd, 3, 3),
    "DATESTR": _part(lambda t: f"{t.year:04d}-{t.month:02d}-{t.day:02d}"),
    "DATETIME_DIFF": Function(_datetime_diff, 2, 3),
    "DATETIME_FORMAT": Function(_datetime_format, 1, 2),
    "DATETIME_PARSE": Function(_datetime_parse, 1, 3),
    "DAY": _part(lambda t: t.day),
    "HOUR": _part(lambda t: t.hour),
    "IS_AFTER": Function(_is_after, 2, 2),
    "IS_BEFORE": Function(_is_before, 2, 2),
    "IS_SAME": Function(_is_same, 2, 3),
    "MINUTE": _part(lambda t: t.minute),
    "MONTH": _part(lambda t: t.month),
    "SECOND": _part(lambda t: t.second),
    "SET_LOCALE": Function(_set_locale, 2, 2),
    "SET_TIMEZONE": Function(_set_timezone, 2, 2),
    "TIMESTR": _part(lambda t: f"{t:%H:%M:%S}"),
    "WEEKDAY": Function(_weekday, 1, 2),
    "WEEKNUM": Function(_weeknum, 1, 2),
    "WORKDAY": Function(_workday, 2, 3),
    "WORKDAY_DIFF": Function(_workday_diff, 2, 3),
    "YEAR": _part(lambda t: t.year),
}
