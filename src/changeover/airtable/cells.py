"""How values stand in cells and come back out of them (airtable.md §2.3); it knows types of fields and no table."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Final

from changeover.store.mirror import Cell, Fields

LONGEST_TEXT: Final = 100_000

COMPUTED: Final = frozenset(
    {
        "formula",
        "rollup",
        "count",
        "multipleLookupValues",
        "autoNumber",
        "createdTime",
        "lastModifiedTime",
        "createdBy",
        "lastModifiedBy",
        "button",
        "externalSyncSource",
        "aiText",
    }
)


def text(cell: Cell) -> str:
    """A text, select or link-free cell as text; absent, and whatever is no text, is empty."""
    return cell if isinstance(cell, str) else ""


def flag(cell: Cell) -> bool:
    """A checkbox: ticked is true, anything else is not."""
    return cell is True


def number(cell: Cell) -> int:
    """A whole number; absent is 0."""
    return int(cell) if isinstance(cell, int | float) and not isinstance(cell, bool) else 0


def links(cell: Cell) -> tuple[str, ...]:
    """The record ids of a link cell."""
    return tuple(each for each in cell if isinstance(each, str)) if isinstance(cell, list) else ()


def day(cell: Cell) -> date | None:
    """A date cell. Raises ValueError for what is no date."""
    return date.fromisoformat(cell) if isinstance(cell, str) and cell else None


def instant(cell: Cell) -> datetime | None:
    """A dateTime cell in UTC. Raises ValueError for what is no instant; a formula's error counts as empty."""
    return datetime.fromisoformat(cell).astimezone(UTC) if isinstance(cell, str) and cell else None


def instant_cell(value: datetime) -> str:
    """An aware instant as the base writes it itself: `2026-03-04T17:15:00.000Z`."""
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def same(one: Cell, other: Cell) -> bool:
    """Whether two cells hold the same: absent, "", [], false and null are all empty (AT-15)."""
    return (writable(one) or None) == (writable(other) or None)


def writable(cell: Cell) -> Cell:
    """A cell as it may be written back: a collaborator is read with name and address and written by id alone."""
    if isinstance(cell, dict) and "id" in cell and "email" in cell:
        return {"id": cell["id"]}
    if isinstance(cell, list):
        return [writable(each) for each in cell]
    return cell


def empty(cell: Cell) -> bool:
    """Whether the base would not return the cell at all. 0 is a value."""
    return cell in (None, "", [], False) and (cell != 0 or isinstance(cell, bool))


def compact(fields: Fields) -> dict[str, Cell]:
    """The fields that are not empty: what a new row needs to be sent."""
    return {name: cell for name, cell in fields.items() if not empty(cell)}


def agree(one: Fields, other: Fields, names: Iterable[str]) -> bool:
    """Whether two records hold the same in all these fields."""
    return all(same(one.get(name), other.get(name)) for name in names)
