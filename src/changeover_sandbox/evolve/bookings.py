"""The two tables of the portal: their columns, which rows a filter leaves, and an export's bytes; it serves nothing."""

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeAlias

Row: TypeAlias = Mapping[str, str]

TAB1 = (
    "Guest Name",
    "Booking #",
    "Listing #",
    "Check-In",
    "Check-Out",
    "Guest Email",
    "Guest Phone Number",
    "Date Booked",
    "# Adults",
    "# Children",
    "Pets?",
    "Address",
)
TAB2 = ("Reservation", "Property Address", "Property Owner", "Status", "Check-In ", "Check-Out", "Guest Name")
COLUMNS: Mapping[int, Sequence[str]] = {1: TAB1, 2: TAB2}
DATES_OF_TAB1 = ("Check-In", "Check-Out", "Date Booked")
BOM = "\ufeff"

_ISO = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_MONTH_FIRST = re.compile(r"([0-9]{2})-([0-9]{2})-([0-9]{4})")


class UnknownColumnError(ValueError):
    """A row has a cell the portal has no column for."""

    def __init__(self, tab: int, names: Iterable[str]) -> None:
        super().__init__(f"tab {tab} has no column {', '.join(sorted(names))}")


@dataclass(frozen=True, slots=True)
class Days:
    """A range of check-outs, both ends included, as the browser worked it out."""

    first: date
    last: date

    def has(self, row: Row) -> bool:
        day = day_of(row["Check-Out"])
        return day is not None and self.first <= day <= self.last


def complete(tab: int, row: Row) -> dict[str, str]:
    """The row with every column of its table, empty where nothing was given; UnknownColumnError."""
    columns = COLUMNS[tab]
    given = {_column(columns, name): cell for name, cell in row.items()}
    if unknown := given.keys() - set(columns):
        raise UnknownColumnError(tab, unknown)
    cells = {name: given.get(name, "") for name in columns}
    if tab == 1:
        cells |= {name: _as_tab1_writes(cells[name]) for name in DATES_OF_TAB1}
    return cells


def export(tab: int, rows: Iterable[Row]) -> bytes:
    """The downloaded file: UTF-8 with BOM."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS[tab], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return (BOM + text.getvalue()).encode()


def day_of(cell: str) -> date | None:
    """The day in a cell of either form; None for anything else."""
    iso, month_first = _ISO.match(cell), _MONTH_FIRST.match(cell)
    try:
        if iso:
            return date(*map(int, iso.groups()))
        if month_first:
            month, day, year = map(int, month_first.groups())
            return date(year, month, day)
    except ValueError:
        pass
    return None


def _column(columns: Sequence[str], name: str) -> str:
    """`Check-In` is understood where the column is called `Check-In ` with a blank."""
    return next((column for column in columns if column.strip() == name.strip()), name)


def _as_tab1_writes(cell: str) -> str:
    """Tab 1 has `MM-DD-YYYY`, Tab 2 whatever was entered."""
    day = day_of(cell)
    return cell if day is None else f"{day:%m-%d-%Y}"
