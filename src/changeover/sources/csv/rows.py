"""What all suppliers' rows have in common: cells by meaning, ids, nights, and why a row is set aside (R-15 … R-17)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from changeover.sources.csv.dates import read_date
from changeover.sources.csv.read import RawRow, RawTable, clean, key

MOST_NIGHTS = 400
_FRACTION = re.compile(r"([0-9]+)\.0+")


class Reason(StrEnum):
    """Why a row is set aside (R-17). `unreadable` is the rest of a file whose quoting broke (R-14)."""

    MISSING_ID = "missing_id"
    MISSING_DATE = "missing_date"
    BAD_DATE = "bad_date"
    NO_NIGHTS = "no_nights"
    TOO_LONG = "too_long"
    SHORT_ROW = "short_row"
    EXTRA_CELLS = "extra_cells"
    UNKNOWN_PROPERTY = "unknown_property"
    AMBIGUOUS_PROPERTY = "ambiguous_property"
    UNREADABLE = "unreadable"


class BadRow(Exception):
    """A row that is set aside alone (R-18). `note` is for people and names homes only; no cell is in the message."""

    def __init__(self, reason: Reason, note: str = "") -> None:
        super().__init__(str(reason))
        self.reason, self.note = reason, note


@dataclass(frozen=True, slots=True)
class Columns:
    """Where each meaning of a supplier's columns stands in a file. One that stands there twice says nothing."""

    width: int
    places: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, table: RawTable) -> Columns:
        keys = [key(cell) for cell in table.header]
        places = {
            meaning: keys.index(name) for meaning, name in table.supplier.columns.items() if keys.count(name) == 1
        }
        return cls(len(keys), places)

    def row(self, raw: RawRow) -> Row:
        """The row by meaning. Raises BadRow: cells that may have moved are not trusted, its id included."""
        if len(raw.cells) < self.width:
            raise BadRow(Reason.SHORT_ROW)
        if len(raw.cells) > self.width:
            raise BadRow(Reason.EXTRA_CELLS)
        return Row(raw.cells, self.places)


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a report by the meaning of its cells."""

    cells: Sequence[str]
    places: Mapping[str, int]

    def maybe(self, meaning: str) -> str | None:
        """A cell, empty where it is; None where the file has no such column, which says nothing (R-15)."""
        place = self.places.get(meaning)
        return None if place is None else clean(self.cells[place])

    def text(self, meaning: str) -> str:
        return self.maybe(meaning) or ""

    def number(self, meaning: str) -> str:
        """An id: text, never a number; `7001.0` is what a spreadsheet makes of `7001` (R-15)."""
        return _FRACTION.sub(r"\1", text) if _FRACTION.fullmatch(text := self.text(meaning)) else text

    def uid(self) -> str:
        """The row's id. Raises BadRow."""
        if found := self.number("id"):
            return found
        raise BadRow(Reason.MISSING_ID)

    def nights(self) -> tuple[date, date]:
        """Check-in and check-out, 1 to 400 nights apart. Raises BadRow."""
        check_in, check_out = self._day("check_in"), self._day("check_out")
        if check_out <= check_in:
            raise BadRow(Reason.NO_NIGHTS)
        if (check_out - check_in).days > MOST_NIGHTS:
            raise BadRow(Reason.TOO_LONG)
        return check_in, check_out

    def _day(self, meaning: str) -> date:
        text = self.text(meaning)
        if not text:
            raise BadRow(Reason.MISSING_DATE)
        try:
            return read_date(text)
        except ValueError:
            raise BadRow(Reason.BAD_DATE) from None
