"""What a service of the made-up business consists of: the line items of its template, with prices; it makes no job."""

import random
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Final

_MATERIALS: Final = "materials"
_STEP: Final = 500
"""Prices of the first line rise by so many cents."""


class Service(StrEnum):
    """What a home may have a template for (J-32)."""

    TURNOVER = "turnover"
    LAUNDRY = "laundry"
    INSPECTION = "inspection"


@dataclass(frozen=True, slots=True)
class Item:
    """A line item as the stand-in takes it; prices in cents."""

    name: str
    unit_price: int
    description: str | None = None
    unit_cost: int = 0
    quantity: int | float = 1
    kind: str = "labor"
    taxable: bool = True


_FIRST: Final[Mapping[Service, tuple[str, int, int]]] = {
    Service.TURNOVER: ("Turnover STR", 9500, 30),
    Service.LAUNDRY: ("Return Laundry STR", 4500, 8),
    Service.INSPECTION: ("Inspection STR", 6000, 6),
}
"""Name, lowest price and how many steps above it."""
_FURTHER: Final[Mapping[Service, tuple[Item, ...]]] = {
    Service.TURNOVER: (
        Item("Linens washed and pressed", 3500, "Beds and baths"),
        Item("Restocking", 1250, "Paper, soap, coffee", 640, 2, _MATERIALS),
        Item("Hot tub checked", 2500, taxable=False),
        Item("Oven and fridge, by the hour", 4200, quantity=1.5),
        Item("Pillow protectors", 475, None, 290, 4, _MATERIALS),
    ),
    Service.LAUNDRY: (
        Item("Linen bags", 300, None, 120, 2, _MATERIALS),
        Item("Way there and back", 1500, taxable=False),
    ),
    Service.INSPECTION: (
        Item("Photographs of every room", 0, "Sent to the owner"),
        Item("Batteries", 225, "Locks and smoke alarms", 110, 4, _MATERIALS),
    ),
}
MOST_FURTHER: Final = 3


def first_line(service: Service, draw: random.Random) -> dict[str, object]:
    """The line that cleaners read."""
    name, lowest, steps = _FIRST[service]
    return asdict(Item(name, lowest + _STEP * draw.randint(0, steps)))


def template_lines(service: Service, draw: random.Random) -> list[dict[str, object]]:
    """Two to four lines, the one that cleaners read first."""
    further = _FURTHER[service]
    chosen = draw.sample(further, draw.randint(1, min(MOST_FURTHER, len(further))))
    return [first_line(service, draw), *map(asdict, chosen)]
