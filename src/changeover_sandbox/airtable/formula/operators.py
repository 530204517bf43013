"""Operators, and the functions that take nothing; they never see the row."""

from typing import Final

from changeover_sandbox.airtable.formula.signature import Arguments, Function, Functions
from changeover_sandbox.airtable.formula.texts import concatenate
from changeover_sandbox.airtable.formula.values import FormulaError, Value, as_number, equal, less


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


def _error(_arguments: Arguments) -> Value:
    raise FormulaError("ERROR() was called")


OPERATORS: Final[Functions] = {
    "=": Function(lambda a: equal(a[0], a[1]), 2, 2),
    "!=": Function(lambda a: not equal(a[0], a[1]), 2, 2),
    "<": Function(lambda a: less(a[0], a[1]), 2, 2),
    ">": Function(lambda a: less(a[1], a[0]), 2, 2),
    "<=": Function(lambda a: less(a[0], a[1]) or equal(a[0], a[1]), 2, 2),
    ">=": Function(lambda a: less(a[1], a[0]) or equal(a[0], a[1]), 2, 2),
    "&": Function(concatenate, 2, 2),
    "+": Function(_add, 2, 2),
    "-": Function(_subtract, 2, 2),
    "*": Function(_multiply, 2, 2),
    "/": Function(_divide, 2, 2),
    "negate": Function(lambda a: -as_number(a[0]), 1, 1),
    "TRUE": Function(lambda _: True, 0, 0),
    "FALSE": Function(lambda _: False, 0, 0),
    "BLANK": Function(lambda _: None, 0, 0),
    "ERROR": Function(_error, 0, 1),
}
