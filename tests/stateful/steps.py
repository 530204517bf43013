"""Steps of a life that is drawn from a seed: what may happen when, with which arguments, how often; it takes none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

Json = bool | int | str | list[Any] | None
Draw = Callable[[Random], Json]
Condition = Callable[[Any], Any]
_MARK = "__step__"


def among(*values: Json) -> Draw:
    """One of these; one that is named twice comes twice as often."""
    return lambda chance: chance.choice(values)


def between(low: int, high: int) -> Draw:
    """A whole number, both ends included."""
    return lambda chance: chance.randint(low, high)


def either() -> Draw:
    return lambda chance: chance.random() < 0.5


PICK = between(0, 99)  # of so many as there are, modulo


@dataclass(frozen=True)
class Step:
    """One thing that may happen; `weight` says how often, beside the others that may happen at that moment."""

    name: str
    weight: int
    when: Condition
    draws: Mapping[str, Draw]
    essential: bool = False

    def drawn(self, chance: Random) -> dict[str, Json]:
        return {name: draw(chance) for name, draw in self.draws.items()}


def step(
    weight: int = 2, *, when: Condition = lambda _: True, essential: bool = False, **draws: Draw
) -> Callable[[Any], Any]:
    """Makes a method a step; its arguments are drawn, so that they can be written down and had again."""

    def mark(method: Any) -> Any:
        setattr(method, _MARK, Step(method.__name__, weight, when, draws, essential))
        return method

    return mark


def steps_of(kind: type) -> Mapping[str, Step]:
    """The steps of a class, by name and in alphabetical order, so that a seed always means the same."""
    marked = (getattr(getattr(kind, name), _MARK, None) for name in sorted(dir(kind)))
    return {each.name: each for each in marked if each is not None}
