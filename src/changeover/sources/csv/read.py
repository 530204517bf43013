"""From the bytes of a file to its rows, whatever made them (R-11 … R-15); it knows no stay and loses no row."""

from __future__ import annotations

import codecs
import csv
import html
import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html.entities import html5

from changeover.sources.csv.suppliers import Supplier

MAX_BYTES = 10_000_000
MAX_ROWS = 20_000
DELIMITERS = (",", "\t", ";")
LINE, REASON = "line", "reason"  # the columns that a file of set-aside rows has besides

_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_NO_BREAK = str.maketrans({"\xa0": " ", "\u202f": " ", "\u2007": " ", "\ufeff": None})
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class WholeFile(Exception):
    """A file that cannot be used at all; `reason` is `unreadable` or `unknown_headers`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class RawRow:
    """A row as it stands: where it begins, its cells, and the reason it was once set aside for."""

    line: int
    cells: tuple[str, ...]
    reason: str = ""


@dataclass(frozen=True, slots=True)
class RawTable:
    """The rows of one report. `broken_at` is the line where quoting breaks (R-14), `rest` all text from there on.

    `returned` marks a file of rows that were set aside before: it shows only what was left out of a report.
    """

    supplier: Supplier
    header: tuple[str, ...]
    rows: tuple[RawRow, ...]
    broken_at: int | None = None
    rest: str = ""
    returned: bool = False


def read(raw: bytes, suppliers: Sequence[Supplier]) -> RawTable:
    """Reads a report. Raises WholeFile (R-11, R-13)."""
    rows, supplier, header = _open(raw, suppliers)
    returned = _is_returned(header)
    own = header[:-2] if returned else header
    found = tuple(_counted(rows.returned(len(own)) if returned else rows.plain()))
    return RawTable(supplier, own, found, rows.broken_at, rows.rest, returned)


def recognise(raw: bytes, suppliers: Sequence[Supplier]) -> Supplier | None:
    """Whose report a file is, by its header alone; None for nobody's."""
    try:
        return _open(raw, suppliers)[1]
    except WholeFile:
        return None


def key(header_cell: str) -> str:
    """A header cell as it is compared: letters and digits only, without case (R-12)."""
    return "".join(char for char in header_cell.casefold() if char.isalnum())


def clean(cell: str) -> str:
    """A cell as it is understood: entities decoded, no-break spaces as blanks, line ends LF, trimmed (R-15)."""
    if "&" in cell:
        cell = _ENTITY.sub(_character, cell)
    return cell.translate(_NO_BREAK).replace("\r\n", "\n").replace("\r", "\n").strip()


def _character(entity: re.Match[str]) -> str:
    """Whole names only: `html.unescape` would make `¬e;` of `&note;`."""
    text = entity[0]
    return html.unescape(text) if text[1] == "#" else html5.get(text[1:], text)


def protect(cell: str) -> str:
    """A cell from outside, made safe for a spreadsheet program that would take it for a formula (X-8)."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def _unprotect(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(_FORMULA) else cell


def _open(raw: bytes, suppliers: Sequence[Supplier]) -> tuple[_Rows, Supplier, tuple[str, ...]]:
    """The rows under the delimiter whose header fits a supplier, and that header. Raises WholeFile."""
    if len(raw) > MAX_BYTES:
        raise WholeFile("unreadable")
    text = _decode(raw)
    if "\0" in text:
        raise WholeFile("unreadable")
    lines = io.StringIO(text, newline="").readlines()
    for delimiter in DELIMITERS:
        rows = _Rows(lines, delimiter)
        header = rows.header()
        supplier = _supplier(header, suppliers)
        if supplier is not None:
            return rows, supplier, header
    raise WholeFile("unknown_headers")


def _decode(raw: bytes) -> str:
    """BOM, else UTF-8, else Windows-1252; what fits none of them costs its own cell, never the file (R-11)."""
    for bom, encoding in _BOMS:
        if raw.startswith(bom):
            return raw.decode(encoding, errors="replace")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("cp1252", errors="replace")


def _supplier(header: Sequence[str], suppliers: Sequence[Supplier]) -> Supplier | None:
    counted = Counter(key(cell) for cell in header)
    fits = [each for each in suppliers if all(counted[name] == 1 for name in each.signature)]
    return fits[0] if len(fits) == 1 else None


def _is_returned(header: Sequence[str]) -> bool:
    return tuple(clean(cell) for cell in header[-2:]) == (LINE, REASON)


def _counted(rows: Iterator[RawRow]) -> Iterator[RawRow]:
    for number, row in enumerate(rows, start=1):
        if number > MAX_ROWS:
            raise WholeFile("unreadable")
        yield row


class _Rows:
    """The rows of a text under one delimiter, blank ones left out, up to where quoting breaks."""

    def __init__(self, lines: Sequence[str], delimiter: str) -> None:
        self._lines = lines
        self._reader = csv.reader(lines, delimiter=delimiter, strict=True)
        self._rows = self._read()
        self.broken_at: int | None = None
        self.rest = ""

    def header(self) -> tuple[str, ...]:
        """The first row that is not blank; empty where there is none."""
        first = next(self._rows, None)
        return () if first is None else first.cells

    def plain(self) -> Iterator[RawRow]:
        return self._rows

    def returned(self, width: int) -> Iterator[RawRow]:
        """The rows of a file of set-aside rows as they stood in their report, with the reason they were left out for.

        One that was too short is so until something stands in its last cell; what was too long has its cells behind.
        """
        for row in self._rows:
            cells = tuple(map(_unprotect, (*row.cells[:width], *row.cells[width + 2 :])))
            reason = clean(row.cells[width + 1]) if len(row.cells) > width + 1 else ""
            if reason.startswith("short_row"):
                while cells and not clean(cells[-1]):
                    cells = cells[:-1]
            if any(map(clean, cells)):
                yield RawRow(row.line, cells, reason)

    def _read(self) -> Iterator[RawRow]:
        while True:
            done = self._reader.line_num
            try:
                cells = next(self._reader, None)
            except csv.Error:
                self.broken_at, self.rest = done + 1, "".join(self._lines[done:])
                return
            if cells is None:
                return
            if any(map(clean, cells)):
                yield RawRow(done + 1, tuple(cells))
