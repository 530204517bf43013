"""The one entry of suppliers' reports: files become a batch per supplier; it reads no disk and moves nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import Protocol

import structlog

from changeover.core.stay import Batch, Observation, Rejected, Rules, Window
from changeover.sources.csv import evolve, itrip
from changeover.sources.csv.evolve import Keys, TabTwo
from changeover.sources.csv.inbox import DONE, REJECTED, InboxFile, Move
from changeover.sources.csv.memory import Memory
from changeover.sources.csv.properties import AddressBook, PropertyDirectory
from changeover.sources.csv.read import RawTable, WholeFile, read
from changeover.sources.csv.reading import (
    Item,
    Reading,
    ReadRow,
    SetAside,
    given_numbers,
    read_rows,
    rejected_rows,
    shown_addresses,
)
from changeover.sources.csv.rows import Reason
from changeover.sources.csv.suppliers import Shape, Supplier

SUCCESS = "Success"
TOO_OLD = timedelta(hours=36)  # a report received before that proves nothing by what it lacks

log = structlog.get_logger(__name__)


class Disposition(StrEnum):
    """What became of a file (R-20, R-21)."""

    IMPORTED = "imported"
    EMPTY = "empty"
    SUPERSEDED = "superseded"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class FileResult:
    """How one file fared. `returned` marks a file of rows that were set aside before."""

    file: InboxFile
    disposition: Disposition
    move: Move
    cause: str = SUCCESS
    rows: int = 0
    set_aside: tuple[SetAside, ...] = ()
    header: tuple[str, ...] = ()
    returned: bool = False


@dataclass(frozen=True, slots=True)
class SupplierResult:
    """What one supplier's files gave. `supplier` is None for a file that nobody's header fits.

    `imported` is when the newest imported report was received, None where none was; `addresses` are those Tab 1 showed;
    `warnings` are texts for people, by file. `unfiltered` marks a report that shows more than it was asked for (R-81).
    """

    supplier: Supplier | None
    files: tuple[FileResult, ...]
    batch: Batch | None = None
    imported: datetime | None = None
    addresses: frozenset[tuple[str, str]] = frozenset()
    warnings: tuple[tuple[str, str], ...] = ()
    unfiltered: bool = False

    @property
    def cause(self) -> str:
        return next((each.cause for each in self.files if each.cause != SUCCESS), SUCCESS)

    @property
    def unknown_homes(self) -> bool:
        """Whether a row was set aside because no home fits it (AT-36)."""
        return any(row.reason is Reason.UNKNOWN_PROPERTY for each in self.files for row in each.set_aside)


@dataclass(frozen=True, slots=True)
class _Opened:
    file: InboxFile
    table: RawTable


@dataclass(frozen=True, slots=True)
class _Run:
    """What all suppliers of a run share."""

    directory: PropertyDirectory
    memory: Memory
    now: datetime
    rules: Rules
    suppliers: Mapping[Shape, Supplier]

    def day(self, file: InboxFile) -> date:
        """The report day of a file (R-21)."""
        return self.rules.today(file.received)

    def window(self, supplier: Supplier, file: InboxFile) -> Window:
        return supplier.window(self.day(file))


def observe(
    files: Iterable[InboxFile],
    directory: PropertyDirectory,
    memory: Memory,
    *,
    now: datetime,
    rules: Rules,
    suppliers: Sequence[Supplier],
) -> list[SupplierResult]:
    """A result per supplier that has a file waiting or a word to say, then one per file that is nobody's (R-6, R-13).

    No fault of a file or a row raises here or touches another one.
    """
    run = _Run(directory, memory, now, rules, {each.shape: each for each in suppliers})
    opened, nobodys = _open(files, suppliers)
    by_shape = {shape: sorted((o for o in opened if o.table.supplier.shape is shape), key=_age) for shape in Shape}
    results = [_itrip(run, by_shape[Shape.ITRIP]), *_evolve(run, by_shape)]
    found = [*(each for each in results if each.files or each.batch), *nobodys]
    for each in found:
        _log(each)
    return found


def _open(files: Iterable[InboxFile], suppliers: Sequence[Supplier]) -> tuple[list[_Opened], list[SupplierResult]]:
    opened, nobodys = [], []
    for file in files:
        try:
            opened.append(_Opened(file, read(file.raw, suppliers)))
        except WholeFile as unusable:
            move = Move(file.name, file.sha256, REJECTED, file.received)
            nobodys.append(SupplierResult(None, (FileResult(file, Disposition.REJECTED, move, unusable.reason),)))
    return opened, nobodys


def _age(opened: _Opened) -> tuple[datetime, str]:
    return opened.file.received, opened.file.name


# -- suppliers -------------------------------------------------------------------------------------------------------


def _itrip(run: _Run, opened: Sequence[_Opened]) -> SupplierResult:
    supplier = run.suppliers[Shape.ITRIP]
    read_row = partial(itrip.read_row, directory=run.directory)
    group = _Group.of(run, supplier, opened, lambda _: read_row)
    return group.result(_stays(group.items))


def _evolve(run: _Run, by_shape: Mapping[Shape, Sequence[_Opened]]) -> list[SupplierResult]:
    """Both tabs: Tab 1 first, whose addresses Tab 2 needs; then Tab 2 decides for both (R-23)."""
    one, two = run.suppliers[Shape.EVOLVE_TAB1], run.suppliers[Shape.EVOLVE_TAB2]
    read_tab1 = partial(evolve.read_tab1, directory=run.directory)
    first = _Group.of(run, one, by_shape[Shape.EVOLVE_TAB1], lambda _: read_tab1)
    shown = frozenset(pair for each in first.readings for pair in shown_addresses(each.table))
    book = AddressBook(run.memory.addresses, shown)

    def tab2(file: InboxFile) -> ReadRow:
        context = TabTwo(two, run.directory, book, run.memory, run.window(two, file), run.day(file))
        return partial(evolve.read_tab2, context=context)

    second = _Group.of(run, two, by_shape[Shape.EVOLVE_TAB2], tab2)
    telling = [each for each in second.readings if each.table.returned or each is second.newest]
    given = {uid: own for each in telling for uid, own in given_numbers(each.table).items()}
    tabs = evolve.settle(_stays(first.items), second.items, given, run.memory, Keys(one.key, two.key))
    result = replace(first.result(tabs.tab1, owners=tabs.owners), addresses=shown)
    return [result, second.result(tabs.tab2)]


def _stays(items: Iterable[Item]) -> tuple[Observation, ...]:
    return tuple(each for each in items if isinstance(each, Observation))


# -- all waiting files of one supplier -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Group:
    """One supplier's files, oldest first: read, and put together into what counts (R-21)."""

    run: _Run
    supplier: Supplier
    readings: tuple[Reading, ...]
    superseded: tuple[_Opened, ...]
    items: tuple[Item, ...]
    dropped: Mapping[str, int]

    @classmethod
    def of(cls, run: _Run, supplier: Supplier, opened: Sequence[_Opened], reader: _Reader) -> _Group:
        last = run.memory.imported.get(supplier.key)
        late: list[_Opened] = []
        current: list[_Opened] = []
        for each in opened:
            old = last is not None and each.file.received < last and not each.table.returned
            (late if old else current).append(each)
        readings = tuple(read_rows(each.file, each.table, reader(each.file)) for each in current)
        items, older = _newest_first(run, supplier, readings)
        dropped = {"superseded": older, "outside the window": sum(each.cut for each in readings)}
        return cls(run, supplier, readings, tuple(late), items, dropped)

    @property
    def newest(self) -> Reading | None:
        """The newest report with rows. A file of set-aside rows is none."""
        return _newest(self.readings)

    def result(self, observations: Sequence[Observation], *, owners: int = 0) -> SupplierResult:
        reports = [each for each in self.readings if not each.table.returned and not each.empty]
        return SupplierResult(
            supplier=self.supplier,
            files=(*map(_read_file, self.readings), *map(_superseded_file, self.superseded)),
            batch=self._batch(observations, owners),
            imported=max((each.file.received for each in reports), default=None),
            warnings=tuple(self._warnings()),
            unfiltered=self.newest is not None and self._unfiltered(self.newest),
        )

    def _batch(self, observations: Sequence[Observation], owners: int) -> Batch | None:
        if not self.readings and not observations:
            return None
        newest = self.newest
        return Batch(
            source=self.supplier.source,
            at=self.run.now,
            window=self.run.window(self.supplier, newest.file) if newest else self.supplier.window(self._today),
            fully_read=newest is not None and self._proves_absence(newest),
            observations=tuple(observations),
            rejected=tuple(_rejected(each, row) for each in self.readings for row in each.set_aside),
            dropped={name: n for name, n in {**self.dropped, "an owner's by Tab 2": owners}.items() if n},
            read=sum(each.rows for each in self.readings),
        )

    @property
    def _today(self) -> date:
        return self.run.rules.today(self.run.now)

    def _proves_absence(self, newest: Reading) -> bool:
        """R-8, R-81: the latest report has rows, is fresh, was filtered; rejected rows are the batch's to judge."""
        latest = next(each for each in reversed(self.readings) if not each.table.returned)
        fresh = self.run.now - newest.file.received <= TOO_OLD
        return latest is newest and fresh and not self._unfiltered(newest)

    def _unfiltered(self, reading: Reading) -> bool:
        days = self.supplier.filter_days
        if days is None:
            return False
        first, last = days.around(self.run.day(reading.file))
        return any(not first <= each.check_out <= last for each in reading.items)

    def _warnings(self) -> Iterable[tuple[str, str]]:
        for each in self.readings:
            name = each.file.name
            if each.empty:
                yield name, f"the report {name} has a header and no row"
            if each.odd_statuses:
                yield name, f"{each.odd_statuses} rows of {name} have a status we do not know; their stays stand"
            if not each.table.returned and self._unfiltered(each):
                yield name, f"the report {name} was exported without its filter: what it lacks counts as nothing"


class _Reader(Protocol):
    """The rules for rows of one file; they may depend on its day."""

    def __call__(self, file: InboxFile) -> ReadRow: ...


def _newest(readings: Sequence[Reading]) -> Reading | None:
    return next((each for each in reversed(readings) if not each.table.returned and not each.empty), None)


def _newest_first(run: _Run, supplier: Supplier, readings: Sequence[Reading]) -> tuple[tuple[Item, ...], int]:
    """Of an id its newest rows; an id of older files only outside the newest one's claimed window (R-21).

    A row that comes back from `rejected` counts unless its source has shown its id since.
    """
    newest = _newest(readings)
    window = run.window(supplier, newest.file) if newest else None
    taken: dict[str, Reading] = {}
    items: list[Item] = []
    older = 0
    for reading in reversed(readings):
        for item in reading.items:
            claimed = window is not None and reading is not newest and window.covers(item.check_in, item.check_out)
            late = reading.table.returned and run.memory.shown_since(supplier.key, item.uid, reading.file.received)
            if claimed or late or taken.setdefault(item.uid, reading) is not reading:
                older += 1
            else:
                items.append(item)
    return tuple(items), older


def _read_file(reading: Reading) -> FileResult:
    move = Move(reading.file.name, reading.file.sha256, DONE, reading.file.received, rejected_rows(reading))
    return FileResult(
        file=reading.file,
        disposition=Disposition.EMPTY if reading.empty else Disposition.IMPORTED,
        rows=reading.rows,
        set_aside=reading.set_aside,
        header=reading.table.header,
        returned=reading.table.returned,
        move=move,
    )


def _superseded_file(opened: _Opened) -> FileResult:
    move = Move(opened.file.name, opened.file.sha256, DONE, opened.file.received)
    return FileResult(opened.file, Disposition.SUPERSEDED, move, rows=len(opened.table.rows))


def _rejected(reading: Reading, row: SetAside) -> Rejected:
    """Its place is a line of a file, told by the file's digest: its name is a sender's."""
    return Rejected(f"{reading.file.sha256[:8]} line {row.line}", str(row.reason), row.uid)


def _log(result: SupplierResult) -> None:
    for each in result.files:
        log.info(
            "report.read",
            file=each.file.name,
            source=result.supplier.key if result.supplier else None,
            outcome=str(each.disposition),
            cause=each.cause,
            rows=each.rows,
            set_aside=len(each.set_aside),
        )
