"""Syntax tree to a function of a row; it never looks at records other than through the row it is given."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol, TypeAlias

from changeover_sandbox.airtable.formula import dates
from changeover_sandbox.airtable.formula.functions import FUNCTIONS
from changeover_sandbox.airtable.formula.parse import Call, Literal, Node, Reference, parse
from changeover_sandbox.airtable.formula.signature import MANY, Function
from changeover_sandbox.airtable.formula.values import (
    FormulaError,
    InvalidFormulaError,
    Value,
    as_instant,
    equal,
    truthy,
)


class Row(Protocol):
    """What a formula may ask of the record it runs on."""

    @property
    def id(self) -> str:
        """The record id."""

    @property
    def created_at(self) -> datetime:
        """The instant of creation, aware."""

    @property
    def now(self) -> datetime:
        """The instant the request runs at, aware UTC."""

    def cell(self, field_id: str) -> Value:
        """The cell's value as formulas see it: a link as the texts of the linked primary fields."""

    def modified_at(self, field_ids: Sequence[str]) -> datetime:
        """The last change of any of these fields, or of any field that people write when there are none."""


class Scope(Protocol):
    """Where field names are resolved."""

    def field_id(self, name: str) -> str | None:
        """The id of the field with this exact name or id."""


Formula: TypeAlias = Callable[[Row], Value]


def compile_formula(text: str, scope: Scope) -> Formula:
    """A function of a row; raises InvalidFormulaError here and FormulaError when it is called."""
    try:
        return _compile(parse(text), scope)
    except RecursionError as exc:
        raise InvalidFormulaError("The formula is too deep.") from exc


def _compile(node: Node, scope: Scope) -> Formula:
    match node:
        case Literal(value):
            return lambda _row: value
        case Reference(name):
            field_id = _resolved(name, scope)
            return lambda row: row.cell(field_id)
        case Call(name, arguments):
            return _compile_call(name, arguments, scope)


def _resolved(name: str, scope: Scope) -> str:
    field_id = scope.field_id(name)
    if field_id is None:
        raise InvalidFormulaError(f"Unknown field names: {name.lower()}")
    return field_id


def _compile_call(name: str, arguments: Sequence[Node], scope: Scope) -> Formula:
    if name in FUNCTIONS:
        return _plain_call(name, FUNCTIONS[name], [_compile(argument, scope) for argument in arguments])
    if name not in _SPECIAL:
        raise InvalidFormulaError(f"Unknown function names: {name}")
    special = _SPECIAL[name]
    if not special.least <= len(arguments) <= special.most:
        raise InvalidFormulaError(f"Invalid arguments for function {name}.")
    return special.build(arguments, scope)


def _plain_call(name: str, function: Function, arguments: Sequence[Formula]) -> Formula:
    if not function.least <= len(arguments) <= function.most:
        raise InvalidFormulaError(f"Invalid arguments for function {name}.")
    body = function.body
    match arguments:
        case [only]:
            return lambda row: body((only(row),))
        case [first, second]:
            return lambda row: body((first(row), second(row)))
    return lambda row: body([argument(row) for argument in arguments])


def _and(arguments: Sequence[Node], scope: Scope) -> Formula:
    tests = [_compile(argument, scope) for argument in arguments]
    return lambda row: all(truthy(test(row)) for test in tests)


def _or(arguments: Sequence[Node], scope: Scope) -> Formula:
    tests = _alternatives(arguments, scope)
    return lambda row: any(truthy(test(row)) for test in tests)


def _alternatives(arguments: Sequence[Node], scope: Scope) -> list[Formula]:
    """The tests of an OR; a run of `X='…'` on one X becomes a single look into a set: clients send hundreds of ids."""
    wanted: dict[Node, set[str]] = {}
    rest: list[Formula] = []
    for argument in arguments:
        match argument:
            case Call("=", (subject, Literal(str() as text))):
                wanted.setdefault(subject, set()).add(text)
            case _:
                rest.append(_compile(argument, scope))
    return [_one_of(_compile(subject, scope), texts) for subject, texts in wanted.items()] + rest


def _one_of(subject: Formula, texts: set[str]) -> Formula:
    def test(row: Row) -> Value:
        value = subject(row)
        return value in texts if isinstance(value, str) else any(equal(value, text) for text in texts)

    return test


def _xor(arguments: Sequence[Node], scope: Scope) -> Formula:
    tests = [_compile(argument, scope) for argument in arguments]
    return lambda row: sum(truthy(test(row)) for test in tests) % 2 == 1


def _not(arguments: Sequence[Node], scope: Scope) -> Formula:
    test = _compile(arguments[0], scope)
    return lambda row: not truthy(test(row))


def _if(arguments: Sequence[Node], scope: Scope) -> Formula:
    test, then, *rest = (_compile(argument, scope) for argument in arguments)
    otherwise = rest[0] if rest else _compile(Call("BLANK", ()), scope)
    return lambda row: then(row) if truthy(test(row)) else otherwise(row)


def _switch(arguments: Sequence[Node], scope: Scope) -> Formula:
    subject, *branches = (_compile(argument, scope) for argument in arguments)
    default = branches.pop() if len(branches) % 2 else None
    pairs = list(zip(branches[::2], branches[1::2], strict=True))

    def choose(row: Row) -> Value:
        value = subject(row)
        for pattern, result in pairs:
            if equal(value, pattern(row)):
                return result(row)
        return default(row) if default else None

    return choose


def _iserror(arguments: Sequence[Node], scope: Scope) -> Formula:
    attempt = _compile(arguments[0], scope)

    def test(row: Row) -> Value:
        try:
            attempt(row)
        except FormulaError:
            return True
        return False

    return test


def _record_id(_arguments: Sequence[Node], _scope: Scope) -> Formula:
    return lambda row: row.id


def _created_time(_arguments: Sequence[Node], _scope: Scope) -> Formula:
    return lambda row: row.created_at


def _last_modified_time(arguments: Sequence[Node], scope: Scope) -> Formula:
    names = [argument.name for argument in arguments if isinstance(argument, Reference)]
    if len(names) != len(arguments):
        raise InvalidFormulaError("Invalid arguments for function LAST_MODIFIED_TIME.")
    field_ids = tuple(_resolved(name, scope) for name in names)
    return lambda row: row.modified_at(field_ids)


def _now(_arguments: Sequence[Node], _scope: Scope) -> Formula:
    return lambda row: row.now


def _today(_arguments: Sequence[Node], _scope: Scope) -> Formula:
    return lambda row: row.now.date()


def _distance(arguments: Sequence[Node], scope: Scope) -> Formula:
    """`FROMNOW` and `TONOW`: how far a date is from now, in words, whichever comes first."""
    moment = _compile(arguments[0], scope)

    def words(row: Row) -> Value:
        instant = as_instant(moment(row))
        return None if instant is None else dates.distance(instant - row.now)

    return words


@dataclass(frozen=True, slots=True)
class _Special:
    """A function that decides itself what to evaluate, or that looks at the row."""

    build: Callable[[Sequence[Node], Scope], Formula]
    least: int
    most: int


_SPECIAL: Final[dict[str, _Special]] = {
    "AND": _Special(_and, 1, MANY),
    "OR": _Special(_or, 1, MANY),
    "XOR": _Special(_xor, 1, MANY),
    "NOT": _Special(_not, 1, 1),
    "IF": _Special(_if, 2, 3),
    "SWITCH": _Special(_switch, 2, MANY),
    "ISERROR": _Special(_iserror, 1, 1),
    "RECORD_ID": _Special(_record_id, 0, 0),
    "CREATED_TIME": _Special(_created_time, 0, 0),
    "LAST_MODIFIED_TIME": _Special(_last_modified_time, 0, MANY),
    "NOW": _Special(_now, 0, 0),
    "TODAY": _Special(_today, 0, 0),
    "FROMNOW": _Special(_distance, 1, 1),
    "TONOW": _Special(_distance, 1, 1),
}
