"""The functions of formulas on text and arrays; they never see the row."""

import re
from functools import lru_cache
from typing import Final
from urllib.parse import quote

from changeover_sandbox.airtable.formula.signature import MANY, Arguments, Function, Functions, items, optional_text
from changeover_sandbox.airtable.formula.values import FormulaError, Value, as_number, as_text

MAX_TEXT: Final = 1_000_000


def _position(needle: str, text: str, arguments: Arguments) -> int:
    start = max(int(as_number(arguments[2])) - 1, 0) if arguments[2:] else 0
    return text.find(needle, start) + 1


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


def _replace(arguments: Arguments) -> Value:
    text, start, count = as_text(arguments[0]), _count(arguments[1]), _count(arguments[2])
    before = max(start - 1, 0)
    return text[:before] + as_text(arguments[3]) + text[before + count :]


def _rept(arguments: Arguments) -> Value:
    text, count = as_text(arguments[0]), _count(arguments[1])
    if len(text) * count > MAX_TEXT:
        raise FormulaError("the text is too long")
    return text * count


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


def concatenate(arguments: Arguments) -> Value:
    """The texts of all arguments, one after the other."""
    return "".join(as_text(argument) for argument in arguments)


_NOT_NUMERIC = re.compile(r"[^0-9.eE+-]")


def _value(arguments: Arguments) -> Value:
    if isinstance(arguments[0], int | float):
        return arguments[0]
    try:
        number = float(_NOT_NUMERIC.sub("", as_text(arguments[0])))
    except ValueError as exc:
        raise FormulaError("no number in the text") from exc
    return int(number) if number.is_integer() else number


# The service's expressions are RE2's: no look-around and no back-references.
_NOT_RE2: Final = re.compile(r"\(\?(?:=|!|<=|<!|P=|#)|(?<!\\)(?:\\\\)*\\[1-9]")
_DOLLAR: Final = re.compile(r"\$(?:\$|(\d+)|\{(\d+)\})")


@lru_cache(maxsize=1024)
def _regex(pattern: str) -> re.Pattern[str]:
    if _NOT_RE2.search(pattern):
        raise FormulaError("not an expression that the service knows")
    try:
        return re.compile(pattern)
    except re.error as exc:
        raise FormulaError("not a regular expression") from exc


def _regex_match(arguments: Arguments) -> Value:
    return _regex(as_text(arguments[1])).search(as_text(arguments[0])) is not None


def _regex_extract(arguments: Arguments) -> Value:
    """The first match; none is an error."""
    match = _regex(as_text(arguments[1])).search(as_text(arguments[0]))
    if match is None:
        raise FormulaError("nothing matches")
    return match[0]


def _regex_replace(arguments: Arguments) -> Value:
    """Every match becomes the replacement, in which `$1` is the first group."""
    template = as_text(arguments[2])

    def replacement(match: re.Match[str]) -> str:
        return _DOLLAR.sub(lambda group: _group(match, group), template)

    return _regex(as_text(arguments[1])).sub(replacement, as_text(arguments[0]))


def _group(match: re.Match[str], reference: re.Match[str]) -> str:
    number = reference[1] or reference[2]
    if number is None:
        return "$"
    return (match[int(number)] or "") if int(number) <= match.re.groups else ""


def _encode_url_component(arguments: Arguments) -> Value:
    return quote(as_text(arguments[0]), safe="-_.!~*'()")


def _as_array(value: Value) -> list[Value]:
    return value if isinstance(value, list) else [value]


def _arrayjoin(arguments: Arguments) -> Value:
    separator = optional_text(arguments, 1)
    return (", " if separator is None else separator).join(as_text(item) for item in _as_array(arguments[0]))


def _arraycompact(arguments: Arguments) -> Value:
    """Without blanks and empty texts; false stays."""
    return [item for item in items(arguments) if item is not None and item != ""]


def _arrayunique(arguments: Arguments) -> Value:
    found: list[Value] = []
    for item in items(arguments):
        if not any(type(item) is type(one) and item == one for one in found):
            found.append(item)
    return found


def _arrayslice(arguments: Arguments) -> Value:
    """From one place to another, both counted from 1 and included, negative ones from the end."""
    values = list(items(arguments[:1]))
    places = [int(as_number(place)) for place in arguments[1:]]
    first, last = (place + len(values) + 1 if place < 0 else place for place in [*places, len(values)][:2])
    return values[max(first - 1, 0) : max(last, 0)]


TEXTS: Final[Functions] = {
    "ARRAYCOMPACT": Function(_arraycompact, 1, MANY),
    "ARRAYFLATTEN": Function(lambda a: list(items(a)), 1, MANY),
    "ARRAYJOIN": Function(_arrayjoin, 1, 2),
    "ARRAYSLICE": Function(_arrayslice, 2, 3),
    "ARRAYUNIQUE": Function(_arrayunique, 1, MANY),
    "CONCATENATE": Function(concatenate, 1, MANY),
    "ENCODE_URL_COMPONENT": Function(_encode_url_component, 1, 1),
    "FIND": Function(_find, 2, 3),
    "LEFT": Function(lambda a: as_text(a[0])[: _count(a[1])], 2, 2),
    "LEN": Function(lambda a: len(as_text(a[0])), 1, 1),
    "LOWER": Function(lambda a: as_text(a[0]).lower(), 1, 1),
    "MID": Function(_mid, 3, 3),
    "REGEX_EXTRACT": Function(_regex_extract, 2, 2),
    "REGEX_MATCH": Function(_regex_match, 2, 2),
    "REGEX_REPLACE": Function(_regex_replace, 3, 3),
    "REPLACE": Function(_replace, 4, 4),
    "REPT": Function(_rept, 2, 2),
    "RIGHT": Function(_right, 2, 2),
    "SEARCH": Function(_search, 2, 3),
    "SUBSTITUTE": Function(_substitute, 3, 4),
    "T": Function(lambda a: a[0] if isinstance(a[0], str) else None, 1, 1),
    "TRIM": Function(lambda a: as_text(a[0]).strip(), 1, 1),
    "UPPER": Function(lambda a: as_text(a[0]).upper(), 1, 1),
    "VALUE": Function(_value, 1, 1),
}
