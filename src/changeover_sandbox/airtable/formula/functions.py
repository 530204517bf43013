"""The functions of tier 1 that look only at their arguments; they never see the row."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Final

from changeover_sandbox.airtable.formula import dates
from changeover_sandbox.airtable.formula.values import (
    FormulaError,
    Value,
    as_instant,
    as_number,
    as_text,
    equal,
    less,
)

Arguments = Sequence[Value]


@dataclass(frozen=True, slots=True)
class Function:
    """A function's body and how many arguments it takes."""

    body: Callable[[Arguments], Value]
    least: int
    most: int


def _instant(value: Value) -> datetime:
    instant = as_instant(value)
    if instant is None:
        raise FormulaError("a date is missing")
    return instant


def _optional_text(arguments: Arguments, index: int) -> str | None:
    return as_text(arguments[index]) if len(arguments) > index else None


def _add(arguments: Arguments) -> Value:
    return as_number(arguments[0]) + as_number(arguments[1])


def _subtract(arguments: Arguments) -> Value:
    return as_number(arguments[0]) - as_number(arguments[1])


def _multiply(arguments: Arguments) -> Value:
    return as_number(arguments[0]) * as_number(arguments[1])


def _divide(arguments: Arguments) -> Value:
    left, right = as_number(arguments[0]), as_number(arguments[1])
    if right == 0:
        return float("nan") if left == 0 else float("inf") * (1 if left > 0 else -1)
    return left / right


def _datetime_parse(arguments: Arguments) -> Value:
    value = arguments[0]
    if isinstance(value, date) or value is None:
        return as_instant(value)
    if (_optional_text(arguments, 2) or "en") not in {"en", "en-us", "en-US"}:
        raise FormulaError("locale is not known")
    return dates.read(as_text(value), _optional_text(arguments, 1))


def _datetime_format(arguments: Arguments) -> Value:
    instant = as_instant(arguments[0])
    return None if instant is None else dates.write(instant, _optional_text(arguments, 1) or dates.DEFAULT_FORMAT)


def _datestr(arguments: Arguments) -> Value:
    instant = as_instant(arguments[0])
    return None if instant is None else dates.write(instant, "YYYY-MM-DD")


def _dateadd(arguments: Arguments) -> Value:
    unit = dates.unit_of(as_text(arguments[2]))
    moved = dates.add(_instant(arguments[0]), as_number(arguments[1]), unit)
    is_day = isinstance(arguments[0], date) and not isinstance(arguments[0], datetime)
    return moved.date() if is_day and unit in {"day", "week", "month", "quarter", "year"} else moved


def _datetime_diff(arguments: Arguments) -> Value:
    unit = dates.unit_of(_optional_text(arguments, 2) or "second")
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
    unit = _optional_text(arguments, 2)
    if unit is None or unit == "exact":
        return first == second
    return dates.floor(first, dates.unit_of(unit)) == dates.floor(second, dates.unit_of(unit))


def _position(needle: str, haystack: str, arguments: Arguments) -> int:
    start = int(as_number(arguments[2])) if arguments[2:] else 0
    return haystack.find(needle, max(start - 1, 0)) + 1


def _find(arguments: Arguments) -> Value:
    return _position(as_text(arguments[0]), as_text(arguments[1]), arguments)


def _search(arguments: Arguments) -> Value:
    return _position(as_text(arguments[0]).lower(), as_text(arguments[1]).lower(), arguments) or None


def _count(value: Value) -> int:
    count = int(as_number(value))
    if count < 0:
        raise FormulaError("a count is not negative")
    return count


def _right(arguments: Arguments) -> Value:
    text, count = as_text(arguments[0]), _count(arguments[1])
    return text[max(len(text) - count, 0) :]


def _mid(arguments: Arguments) -> Value:
    start = max(int(as_number(arguments[1])) - 1, 0)
    return as_text(arguments[0])[start : start + _count(arguments[2])]


def _substitute(arguments: Arguments) -> Value:
    text, old, new = (as_text(argument) for argument in arguments[:3])
    if not old:
        return text
    if not arguments[3:]:
        return text.replace(old, new)
    pieces, which = text.split(old), int(as_number(arguments[3]))
    if not 1 <= which < len(pieces):
        return text
    return old.join(pieces[:which]) + new + old.join(pieces[which:])


def _concatenate(arguments: Arguments) -> Value:
    return "".join(as_text(argument) for argument in arguments)


def _arrayjoin(arguments: Arguments) -> Value:
    separator = _optional_text(arguments, 1)
    items = arguments[0] if isinstance(arguments[0], list) else [arguments[0]]
    return (", " if separator is None else separator).join(as_text(item) for item in items)


_NOT_NUMERIC = re.compile(r"[^0-9.eE+-]")


def _value(arguments: Arguments) -> Value:
    if isinstance(arguments[0], int | float):
        return arguments[0]
    try:
        number = float(_NOT_NUMERIC.sub("", as_text(arguments[0])))
    except ValueError as exc:
        raise FormulaError("no number in the text") from exc
    return int(number) if number.is_integer() else number


@lru_cache(maxsize=1024)
def _regex(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error as exc:
        raise FormulaError("not a regular expression") from exc


def _regex_match(arguments: Arguments) -> Value:
    return _regex(as_text(arguments[1])).search(as_text(arguments[0])) is not None


FUNCTIONS: Final[dict[str, Function]] = {
    "=": Function(lambda a: equal(a[0], a[1]), 2, 2),
    "!=": Function(lambda a: not equal(a[0], a[1]), 2, 2),
    "<": Function(lambda a: less(a[0], a[1]), 2, 2),
    ">": Function(lambda a: less(a[1], a[0]), 2, 2),
    "<=": Function(lambda a: less(a[0], a[1]) or equal(a[0], a[1]), 2, 2),
    ">=": Function(lambda a: less(a[1], a[0]) or equal(a[0], a[1]), 2, 2),
    "&": Function(_concatenate, 2, 2),
    "+": Function(_add, 2, 2),
    "-": Function(_subtract, 2, 2),
    "*": Function(_multiply, 2, 2),
    "/": Function(_divide, 2, 2),
    "negate": Function(lambda a: -as_number(a[0]), 1, 1),
    "TRUE": Function(lambda _: True, 0, 0),
    "FALSE": Function(lambda _: False, 0, 0),
    "BLANK": Function(lambda _: None, 0, 0),
    "DATETIME_PARSE": Function(_datetime_parse, 1, 3),
    "DATETIME_FORMAT": Function(_datetime_format, 1, 2),
    "DATESTR": Function(_datestr, 1, 1),
    "DATEADD": Function(_dateadd, 3, 3),
    "DATETIME_DIFF": Function(_datetime_diff, 2, 3),
    "IS_BEFORE": Function(_is_before, 2, 2),
    "IS_AFTER": Function(_is_after, 2, 2),
    "IS_SAME": Function(_is_same, 2, 3),
    "FIND": Function(_find, 2, 3),
    "SEARCH": Function(_search, 2, 3),
    "LOWER": Function(lambda a: as_text(a[0]).lower(), 1, 1),
    "UPPER": Function(lambda a: as_text(a[0]).upper(), 1, 1),
    "TRIM": Function(lambda a: as_text(a[0]).strip(), 1, 1),
    "LEN": Function(lambda a: len(as_text(a[0])), 1, 1),
    "LEFT": Function(lambda a: as_text(a[0])[: _count(a[1])], 2, 2),
    "RIGHT": Function(_right, 2, 2),
    "MID": Function(_mid, 3, 3),
    "SUBSTITUTE": Function(_substitute, 3, 4),
    "CONCATENATE": Function(_concatenate, 1, 1_000_000),
    "ARRAYJOIN": Function(_arrayjoin, 1, 2),
    "VALUE": Function(_value, 1, 1),
    "T": Function(lambda a: a[0] if isinstance(a[0], str) else None, 1, 1),
    "REGEX_MATCH": Function(_regex_match, 2, 2),
}
