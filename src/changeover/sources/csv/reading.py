"""One file of the inbox, read by its supplier's rules: what its rows show, and those set aside with line and reason."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from changeover.core.stay import Observation
from changeover.sources.csv.evolve import Guest, owners_row, shown_address, unknown_status
from changeover.sources.csv.inbox import InboxFile
from changeover.sources.csv.read import LINE, REASON, RawRow, RawTable, protect
from changeover.sources.csv.rows import BadRow, Columns, Reason, Row
from changeover.sources.csv.suppliers import Shape

Item: TypeAlias = Observation | Guest


class ReadRow(Protocol):
    """A supplier's rules for a row: what it shows, or None for nothing. Raises BadRow."""

    def __call__(self, uid: str, row: Row) -> Item | None: ...


@dataclass(frozen=True, slots=True)
class SetAside:
    """A row that was left out: where it began, why, its cells as they stood. `note` names homes, never a guest."""

    line: int
    reason: Reason
    cells: tuple[str, ...]
    uid: str | None = None
    note: str = ""

    @property
    def why(self) -> str:
        """The reason as people read it."""
        return f"{self.reason} — near: {self.note}" if self.note else str(self.reason)


@dataclass(frozen=True, slots=True)
class Reading:
    """A report as read. `rows` counts those that are not blank; `cut` were beyond the claimed window."""

    file: InboxFile
    table: RawTable
    items: tuple[Item, ...] = ()
    set_aside: tuple[SetAside, ...] = ()
    cut: int = 0
    odd_statuses: int = 0

    @property
    def rows(self) -> int:
        return len(self.table.rows)

    @property
    def empty(self) -> bool:
        """Only a header, which proves nothing (R-8)."""
        return not self.rows and self.table.broken_at is None


@dataclass
class _Found:
    items: dict[tuple[str, str], Item] = field(default_factory=dict)
    set_aside: list[SetAside] = field(default_factory=list)
    cut: int = 0
    odd_statuses: int = 0


def read_rows(file: InboxFile, table: RawTable, read_row: ReadRow) -> Reading:
    """Reads every row; of an id at one home the last counts (R-19), a bad row is set aside alone (R-18)."""
    columns, found = Columns.of(table), _Found()
    for raw in table.rows:
        uid: str | None = None
        try:
            row = columns.row(raw)
            uid = row.uid()
            _take(found, table, row, read_row(uid, row))
        except BadRow as bad:
            found.set_aside.append(SetAside(raw.line, bad.reason, raw.cells, uid, bad.note))
    if table.broken_at is not None:
        found.set_aside.append(SetAside(table.broken_at, Reason.UNREADABLE, (), None))
    return Reading(file, table, tuple(found.items.values()), tuple(found.set_aside), found.cut, found.odd_statuses)


def shown_addresses(table: RawTable) -> frozenset[tuple[str, str]]:
    """Every listing and address that a Tab 1 shows, in rows set aside too (R-33)."""
    columns = Columns.of(table)
    found = (_address(columns, raw) for raw in table.rows)
    return frozenset(each for each in found if each is not None)


def given_numbers(table: RawTable) -> Mapping[str, bool]:
    """Every number that a Tab 2 shows, in rows set aside too, and whether it is the owner's; the last row counts."""
    columns = Columns.of(table)
    found: dict[str, bool] = {}
    for raw in table.rows:
        with suppress(BadRow):
            row = columns.row(raw)
            found[row.uid()] = owners_row(row)
    return found


def rejected_rows(reading: Reading) -> str | None:
    """The file of its set-aside rows: the header plus `line` and `reason`, safe for a spreadsheet (R-18, X-8)."""
    if not reading.set_aside:
        return None
    rows = ((each.line, each.why, each.cells) for each in reading.set_aside)
    return rows_as_file(reading.table.header, rows)


def rows_as_file(header: Sequence[str], rows: Iterable[tuple[int, str, Sequence[str]]]) -> str:
    """Such a file from rows as (line, reason, cells); read again, the rows are as they stood in their report."""
    width, text = len(header), io.StringIO()
    writer = csv.writer(text)  # line ends CR LF: with any other it would leave a lone CR in a cell unquoted
    writer.writerow([*map(protect, header), LINE, REASON])
    for line, reason, raw in rows:
        cells = [protect(cell) for cell in raw]
        missing = [""] * (width - len(cells))
        writer.writerow([*cells[:width], *missing, str(line), reason, *cells[width:]])
    return text.getvalue()


def _take(found: _Found, table: RawTable, row: Row, item: Item | None) -> None:
    if item is None:
        found.cut += 1
        return
    owners_stay = table.supplier.shape is Shape.EVOLVE_TAB2 and isinstance(item, Observation)
    found.odd_statuses += owners_stay and unknown_status(row, table.supplier)
    place = item.property_id if isinstance(item, Observation) else ""
    found.items.pop((item.uid, place), None)
    found.items[item.uid, place] = item


def _address(columns: Columns, raw: RawRow) -> tuple[str, str] | None:
    try:
        return shown_address(columns.row(raw))
    except BadRow:
        return None
