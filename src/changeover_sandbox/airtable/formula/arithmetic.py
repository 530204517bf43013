"""The numeric functions of formulas; they never see the row."""

import math
from collections.abc import Callable
from datetime import date
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, ROUND_UP, Decimal, localcontext
from typing import Final

from changeover_sandbox.airtable.formula.signature import MANY, Arguments, Function, Functions, items
from changeover_sandbox.airtable.formula.values import FormulaError, Value, as_instant, as_number

_NAN: Final = float("nan")
_DECIMAL: Final = 10
_ZERO: Final = Decimal(0)
_HALF: Final = Decimal("0.5")
_MAX_PLACES: Final = 300
_DIGITS: Final = 700  # enough for the largest number at the finest precision


def _plain(number: float) -> int | float:
    """A whole number as such: formulas know one kind of number only."""
    return int(number) if math.isfinite(number) and number == int(number) else number


def _numbers(arguments: Arguments) -> list[int | float]:
    """The numbers among the arguments, blanks left out; raises FormulaError for text."""
    return [as_number(item) for item in items(arguments) if item is not None and item != ""]


def _average(arguments: Arguments) -> Value:
    numbers = _numbers(arguments)
    return _plain(math.fsum(numbers) / len(numbers)) if numbers else _NAN


def _sum(arguments: Arguments) -> Value:
    return _plain(math.fsum(_numbers(arguments)))


def _extreme(choose: Callable[[list[float]], float]) -> Callable[[Arguments], Value]:
    """`MAX` and `MIN`, of numbers or of dates; of nothing they are 0."""

    def body(arguments: Arguments) -> Value:
        present = [item for item in items(arguments) if item is not None and item != ""]
        if not present or not all(isinstance(item, date) for item in present):
            return choose(_numbers(present)) if present else 0
        seconds = [moment.timestamp() for item in present if (moment := as_instant(item)) is not None]
        return present[seconds.index(choose(seconds))]

    return body


def _count(arguments: Arguments) -> Value:
    return sum(isinstance(item, int | float) and not isinstance(item, bool) for item in items(arguments))


def _count_present(arguments: Arguments) -> Value:
    return sum(item is not None and item != "" for item in items(arguments))


def _count_all(arguments: Arguments) -> Value:
    return sum(1 for _ in items(arguments))


def _rounded(value: float, step: Decimal, mode: str, shift: Decimal = _ZERO) -> int | float:
    """The value plus `shift` steps as a multiple of the step; decimal, so that 0.3 is three times 0.1."""
    if not math.isfinite(value):
        return value
    with localcontext() as context:
        context.prec = _DIGITS
        return _plain(float((Decimal(repr(value)) / step + shift).quantize(Decimal(1), mode) * step))


def _to_multiple(mode: str) -> Callable[[Arguments], Value]:
    """`CEILING` and `FLOOR`; the significance is 1 where none is given."""

    def body(arguments: Arguments) -> Value:
        significance = as_number(arguments[1]) if len(arguments) > 1 else 1
        if not significance or not math.isfinite(significance):
            return _NAN
        return _rounded(as_number(arguments[0]), abs(Decimal(repr(significance))), mode)

    return body


def _step(arguments: Arguments) -> Decimal:
    places = int(as_number(arguments[1])) if len(arguments) > 1 else 0
    if abs(places) > _MAX_PLACES:
        raise FormulaError("precision out of range")
    return Decimal(1).scaleb(-places)


def _to_places(mode: str) -> Callable[[Arguments], Value]:
    """`ROUNDUP` (away from zero) and `ROUNDDOWN` (towards it)."""
    return lambda arguments: _rounded(as_number(arguments[0]), _step(arguments), mode)


def _round(arguments: Arguments) -> Value:
    """To the nearest, a tie towards positive infinity."""
    return _rounded(as_number(arguments[0]), _step(arguments), ROUND_FLOOR, _HALF)


def _even(arguments: Arguments) -> Value:
    """The smallest even integer that is not less."""
    return 2 * math.ceil(_finite(arguments[0]) / 2)


def _odd(arguments: Arguments) -> Value:
    """The next odd integer away from zero."""
    value = _finite(arguments[0])
    size = 2 * math.ceil((abs(value) + 1) / 2) - 1
    return size if value >= 0 else -size


def _int(arguments: Arguments) -> Value:
    return math.floor(_finite(arguments[0]))


def _finite(value: Value) -> int | float:
    number = as_number(value)
    if not math.isfinite(number):
        raise FormulaError("not a finite number")
    return number


def _exp(arguments: Arguments) -> Value:
    try:
        return math.exp(as_number(arguments[0]))
    except OverflowError:
        return float("inf")


def _log(arguments: Arguments) -> Value:
    value, base = as_number(arguments[0]), as_number(arguments[1]) if len(arguments) > 1 else _DECIMAL
    try:
        return _plain(math.log10(value) if base == _DECIMAL else math.log(value, base))
    except (ValueError, ZeroDivisionError):
        return float("-inf") if value == 0 else _NAN


def _mod(arguments: Arguments) -> Value:
    """The remainder, with the sign of the divisor as in spreadsheets (for negative values unconfirmed)."""
    value, divisor = as_number(arguments[0]), as_number(arguments[1])
    return value % divisor if divisor else _NAN


def _power(arguments: Arguments) -> Value:
    base, power = as_number(arguments[0]), as_number(arguments[1])
    try:
        return _plain(math.pow(base, power))
    except OverflowError:
        return float("inf")
    except ValueError:
        return float("inf") if base == 0 else _NAN


def _sqrt(arguments: Arguments) -> Value:
    value = as_number(arguments[0])
    return _plain(math.sqrt(value)) if value >= 0 else _NAN


ARITHMETIC: Final[Functions] = {
    "ABS": Function(lambda a: abs(as_number(a[0])), 1, 1),
    "AVERAGE": Function(_average, 1, MANY),
    "CEILING": Function(_to_multiple(ROUND_CEILING), 1, 2),
    "COUNT": Function(_count, 1, MANY),
    "COUNTA": Function(_count_present, 1, MANY),
    "COUNTALL": Function(_count_all, 1, MANY),
    "EVEN": Function(_even, 1, 1),
    "EXP": Function(_exp, 1, 1),
    "FLOOR": Function(_to_multiple(ROUND_FLOOR), 1, 2),
    "INT": Function(_int, 1, 1),
    "LOG": Function(_log, 1, 2),
    "MAX": Function(_extreme(max), 1, MANY),
    "MIN": Function(_extreme(min), 1, MANY),
    "MOD": Function(_mod, 2, 2),
    "ODD": Function(_odd, 1, 1),
    "POWER": Function(_power, 2, 2),
    "ROUND": Function(_round, 1, 2),
    "ROUNDDOWN": Function(_to_places(ROUND_DOWN), 1, 2),
    "ROUNDUP": Function(_to_places(ROUND_UP), 1, 2),
    "SQRT": Function(_sqrt, 1, 1),
    "SUM": Function(_sum, 1, MANY),
}
