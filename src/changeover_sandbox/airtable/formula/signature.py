"""What a formula function is: a body and how many arguments it takes; it holds no function itself."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from changeover_sandbox.airtable.formula.values import Value, as_text

Arguments: TypeAlias = Sequence[Value]
MANY: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Function:
    """A function's body and how many arguments it takes."""

    body: Callable[[Arguments], Value]
    least: int
    most: int


Functions: TypeAlias = Mapping[str, Function]


def optional_text(arguments: Arguments, index: int) -> str | None:
    """The text of an argument that may be missing."""
    return as_text(arguments[index]) if len(arguments) > index else None


def items(arguments: Arguments) -> Iterator[Value]:
    """All values, those inside of arrays one by one: a lookup counts as its items."""
    for argument in arguments:
        if isinstance(argument, list):
            yield from items(argument)
        else:
            yield argument
