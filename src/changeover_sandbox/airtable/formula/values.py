"""The values formulas work on, and how one kind is read as another (AT-20); it never parses formula text."""

import math
import re
from datetime import UTC, date, datetime, time
from functools import lru_cache
from typing import Final, TypeAlias

Value: TypeAlias = "bool | int | float | str | date | datetime | list[Value] | None"


class InvalidFormulaError(Exception):
    """The formula cannot be understood: unknown field or function, wrong number of arguments, broken syntax."""


class FormulaError(Exception):
    """A formula that is fine has no value for this row: Airtable's `#ERROR!`."""


def truthy(value: Value) -> bool:
    """A row passes a filter unless the result is 0, false, empty text, NaN, an empty array or blank (AT-20)."""
    if isinstance(value, float) and math.isnan(value):
        return False
    return bool(value)


def as_text(value: Value) -> str:
    """The text of a value; an array, hence a link or lookup, is its items joined by comma and blank."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, int | float):
        return number_text(value)
    if isinstance(value, list):
        return ", ".join(as_text(item) for item in value)
    return instant_text(value) if isinstance(value, datetime) else value.isoformat()


def number_text(number: float) -> str:
    """A number as Airtable writes it: no point where nothing follows it."""
    if math.isnan(number):
        return "NaN"
    if math.isinf(number):
        return "Infinity" if number > 0 else "-Infinity"
    return str(int(number)) if number == int(number) else repr(number)


def instant_text(instant: datetime) -> str:
    """ISO, UTC, milliseconds, Z: how every instant leaves the API (AT-13)."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{instant.microsecond // 1000:03d}Z"


def as_number(value: Value) -> int | float:
    """The number in arithmetic: blank is 0, a tick is 1, a one-item array is its item; raises FormulaError."""
    if value is None:
        return 0
    if isinstance(value, int | float):
        return value
    if isinstance(value, list) and len(value) == 1:
        return as_number(value[0])
    raise FormulaError("not a number")


def as_instant(value: Value) -> datetime | None:
    """The instant a date function works on; a date is its midnight in UTC, text is read as ISO; blank stays None."""
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime.combine(value, time(), UTC)
    if isinstance(value, list) and len(value) == 1:
        return as_instant(value[0])
    if value is None or value in ("", []):
        return None
    if isinstance(value, str):
        return parse_text(value)
    raise FormulaError("not a date")


ISO = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,6}))?)?\s*(Z|[+-]\d{2}:?\d{2})?)?", re.ASCII
)


@lru_cache(maxsize=65_536)
def parse_iso(text: str) -> datetime:
    """Read ISO text; without a zone it is UTC (AT-20); raises FormulaError."""
    match = ISO.fullmatch(text.strip())
    if match is None:
        raise FormulaError("not a date")
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    try:
        offset = datetime.strptime(zone.replace("Z", "+0000"), "%z").tzinfo if zone else UTC
        micro = int((fraction or "0").ljust(6, "0"))
        clock = (int(hour or 0), int(minute or 0), int(second or 0), micro)
        return datetime(int(year), int(month), int(day), *clock, tzinfo=offset).astimezone(UTC)
    except (ValueError, OverflowError) as exc:
        raise FormulaError("not a date") from exc


_US: Final = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})(?: +(\d{1,2}):(\d{2})(?: *([AaPp])[Mm])?)?", re.ASCII)


@lru_cache(maxsize=65_536)
def parse_text(text: str) -> datetime:
    """Read a date written in a formula: ISO, or month first with slashes as in the reference; raises FormulaError."""
    match = _US.fullmatch(text.strip())
    if match is None:
        return parse_iso(text)
    month, day, year, hour, minute, half = match.groups()
    clock = int(hour or 0) % 12 + (12 if half in {"p", "P"} else 0) if half else int(hour or 0)
    try:
        return datetime(int(year), int(month), int(day), clock, int(minute or 0), tzinfo=UTC)
    except ValueError as exc:
        raise FormulaError("not a date") from exc


def equal(left: Value, right: Value) -> bool:
    """Airtable's `=`: blank equals "", 0 and an unticked box; a number equals its text; a date never equals text."""
    left, right = _plain(left), _plain(right)
    if left is None or right is None:
        other = right if left is None else left
        return other is None or (not isinstance(other, date) and not other)
    if isinstance(left, date) or isinstance(right, date):
        return isinstance(left, date) and isinstance(right, date) and as_instant(left) == as_instant(right)
    if isinstance(left, str) or isinstance(right, str):
        return as_text(left) == as_text(right)
    return left == right


def less(left: Value, right: Value) -> bool:
    """Airtable's `<` between numbers or between dates; a blank date is in no order; raises FormulaError for text."""
    left, right = _plain(left), _plain(right)
    if isinstance(left, date) or isinstance(right, date):
        if left is None or right is None:
            return False
        if not (isinstance(left, date) and isinstance(right, date)):
            raise FormulaError("a date compares with a date")
        first, second = as_instant(left), as_instant(right)
        return first is not None and second is not None and first < second
    return as_number(left) < as_number(right)


def _plain(value: Value) -> Value:
    """An array compares as its text (AT-20), an array of one number as the number."""
    if not isinstance(value, list):
        return value
    if len(value) == 1 and not isinstance(value[0], str):
        return value[0]
    return as_text(value) if value else None
