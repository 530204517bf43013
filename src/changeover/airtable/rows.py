"""Reservations cells to stays and back: the one place that knows which field is which attribute; it reads no base."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from sys import intern
from typing import Any, Final

from changeover.airtable import cells
from changeover.core.stay import EntryType, Status, Stay
from changeover.store.mirror import Cell, Fields, Record
from changeover.store.written_types import WrittenTypes

TABLE: Final = "Reservations"
STATUS: Final = "Status"
UID: Final = "Reservation UID"
URL: Final = "ICS URL"
PROPERTY: Final = "Property ID"
CHECK_IN: Final = "Check-in Date"
CHECK_OUT: Final = "Check-out Date"
SERVICE_TYPE: Final = "Service Type"
BLOCK_TYPE: Final = "Block Type"
JOB_ID: Final = "Service Job ID"
FINAL_SERVICE_TIME: Final = "Final Service Time"
PEOPLES_SOURCE: Final = "HCP"

TAKEN_OVER: Final = (SERVICE_TYPE, BLOCK_TYPE)  # human fields that a sync may fill (AT-3)

# Fields of people and of jobs: what a row restored after a deletion gets back from its tombstone (AT-35).
RESTORED: Final = (
    SERVICE_TYPE,
    BLOCK_TYPE,
    "Custom Service Time",
    "Custom Service Line Instructions",
    "Ready for Job",
    "Service Line Description",
    "Last Synced Service Line",
    "HCP Service Line Current",
    JOB_ID,
    "Service Appointment ID",
    "Job Creation Time",
    "Job Status",
    "Assignee",
    "On My Way Time",
    "Job Started Time",
    "Job Completed Time",
    "Scheduled Service Time",
    "Sync Status",
    "Schedule Sync Details",
    "Service Sync Details",
    "Sync Date and Time",
)


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that the rules cannot use: which and why. It is left as it is. `ours` is one that came from a source."""

    record_id: str
    reason: str
    ours: bool = False


@dataclass(frozen=True, slots=True)
class SourceIndex:
    """Which source a row's ICS URL stands for: the feed record's id, a `csv_…` literal, or an orphan (R-71)."""

    by_url: Mapping[str, str]

    @classmethod
    def of(cls, current: Iterable[tuple[str, str]], earlier: Iterable[tuple[str, str]] = ()) -> SourceIndex:
        """From (record id, URL) pairs, those of today and those the feeds had before; the lower record id wins."""
        by_url: dict[str, str] = {}
        for pairs in (sorted(current), sorted(earlier)):
            for record_id, url in pairs:
                if url:
                    by_url.setdefault(url, record_id)
        return cls(by_url)

    def key(self, url: str) -> str:
        """The source's key. A URL that no record has gives a key that shows nothing of it."""
        if url.startswith("csv_"):
            return url
        return self.by_url.get(url) or f"orphan:{hashlib.sha256(url.encode()).hexdigest()[:16]}"


class _NotUsable(ValueError):
    """A cell without which a row is no stay; the message is the reason."""


def to_stay(record: Record, sources: SourceIndex, written: Mapping[str, WrittenTypes]) -> Stay | BadRow:
    """A row as a stay. `written` is what a sync last wrote as Service Type and Block Type, by record id (AT-3)."""
    try:
        values = _values(record.fields)
    except _NotUsable as problem:
        return BadRow(record.id, str(problem), bool(record.fields.get(URL)))
    except ValueError:
        return BadRow(record.id, "unreadable_cell", bool(record.fields.get(URL)))
    if values["check_out"] <= values["check_in"]:
        return BadRow(record.id, "no_nights", bool(record.fields.get(URL)))
    wrote = written.get(record.id)
    url, entry_source = values["url"], values["entry_source"]
    return Stay(
        record_id=record.id,
        source=sources.key(url) if url and entry_source != PEOPLES_SOURCE else None,
        created=record.created,
        wrote_service_type=wrote.service_type if wrote else None,
        wrote_block_type=wrote.block_type if wrote else None,
        **values,
    )


def _values(fields: Fields) -> dict[str, Any]:  # every reader of a column answers its attribute's own type
    """A stay's attributes from its cells. Raises _NotUsable, ValueError."""
    values = {column.attribute: column.read(fields.get(column.field)) for column in _ALWAYS_READ}
    for name, cell in fields.items():
        column = _READ_WHERE_PRESENT.get(name)
        if column is not None:
            values[column.attribute] = column.read(cell)
    return values


def to_stays(
    records: Iterable[Record], sources: SourceIndex, written: Mapping[str, WrittenTypes]
) -> tuple[list[Stay], list[BadRow]]:
    """Live and Removed rows as stays, and those that cannot be used; history is left out."""
    stays: list[Stay] = []
    bad: list[BadRow] = []
    for record in records:
        if record.fields.get(STATUS) == Status.OLD:
            continue
        row = to_stay(record, sources, written)
        if isinstance(row, Stay):
            stays.append(row)
        else:
            bad.append(row)
    return stays, bad


def to_cells(stay: Stay, *, final_service_time: bool = True) -> dict[str, Cell]:
    """All cells a sync may write of a stay, empty ones as null. Final Service Time only where it is a plain field."""
    return {
        column.field: column.write(getattr(stay, column.attribute))
        for column in _COLUMNS
        if column.write is not None and (final_service_time or column.field != FINAL_SERVICE_TIME)
    }


def changed_cells(before: Stay, after: Stay, *, final_service_time: bool = True) -> dict[str, Cell]:
    """Only the cells that differ, with their new values; an emptied one is null (AT-42)."""
    old = to_cells(before, final_service_time=final_service_time)
    new = to_cells(after, final_service_time=final_service_time)
    return {name: cell for name, cell in new.items() if not cells.same(cell, old[name])}


@dataclass(frozen=True, slots=True)
class _Column:
    field: str
    attribute: str
    read: Callable[[Cell], object]
    write: Callable[[Any], Cell] | None  # None: a person's or the job side's, never written here


def _text_cell(value: str) -> Cell:
    return value[: cells.LONGEST_TEXT] or None


def _day_cell(value: date | None) -> Cell:
    return None if value is None else value.isoformat()


def _instant_cell(value: datetime | None) -> Cell:
    return None if value is None else cells.instant_cell(value)


def _flag_cell(value: bool) -> Cell:  # a writer takes the attribute's value alone
    return value


def _number_cell(value: int) -> Cell:
    return value


def _link_cell(value: str) -> Cell:
    return [value] if value else None


def _shared(cell: Cell) -> str:
    """A text that many rows have, kept once for all of them."""
    return intern(cell) if isinstance(cell, str) else ""


def _status(cell: Cell) -> Status:
    found = _STATUSES.get(cells.text(cell))
    if found is None:
        raise _NotUsable("no_status")
    return found


def _entry_type(cell: Cell) -> EntryType:
    found = _ENTRY_TYPES.get(cells.text(cell))
    if found is None:
        raise _NotUsable("no_entry_type")
    return found


def _one_property(cell: Cell) -> str:
    found = cells.links(cell)
    if len(found) != 1:
        raise _NotUsable("several_properties" if found else "no_property")
    return intern(found[0])


def _needed_day(cell: Cell) -> date:
    found = cells.day(cell)
    if found is None:
        raise _NotUsable("no_dates")
    return found


_COLUMNS: Final[Sequence[_Column]] = (
    _Column(UID, "uid", cells.text, _text_cell),
    _Column(URL, "url", _shared, _text_cell),
    _Column(STATUS, "status", _status, _text_cell),
    _Column("Entry Type", "entry_type", _entry_type, _text_cell),
    _Column("Entry Source", "entry_source", _shared, _text_cell),
    _Column(PROPERTY, "property_id", _one_property, _link_cell),
    _Column(CHECK_IN, "check_in", _needed_day, _day_cell),
    _Column(CHECK_OUT, "check_out", _needed_day, _day_cell),
    _Column(SERVICE_TYPE, "service_type", _shared, _text_cell),
    _Column(BLOCK_TYPE, "block_type", _shared, _text_cell),
    _Column("Change Summary", "change_summary", cells.text, _text_cell),
    _Column("Also Seen In", "also_seen_in", cells.text, _text_cell),
    _Column("Last Updated", "last_updated", cells.instant, _instant_cell),
    _Column("Missing Count", "missing_count", cells.number, _number_cell),
    _Column("Missing Since", "missing_since", cells.instant, _instant_cell),
    _Column("Last Seen", "last_seen", cells.instant, _instant_cell),
    _Column("Suspected Cancel", "suspected_cancel", cells.flag, _flag_cell),
    _Column("iTrip Report Info", "itrip_info", cells.text, _text_cell),
    _Column("iTrip Next Guest Date", "itrip_next_guest", cells.day, _day_cell),
    _Column("Same-day Turnover", "same_day", cells.flag, _flag_cell),
    _Column("Overlapping Dates", "overlapping", cells.flag, _flag_cell),
    _Column("Owner Arriving", "owner_arriving", cells.flag, _flag_cell),
    _Column("Long Term Guest", "long_term", cells.flag, _flag_cell),
    _Column("Next Guest Date", "next_guest", cells.day, _day_cell),
    _Column(FINAL_SERVICE_TIME, "final_service_time", cells.instant, _instant_cell),
    _Column("Custom Service Time", "custom_service_time", cells.text, None),
    _Column(JOB_ID, "job_id", cells.text, None),
    _Column("Sync Status", "sync_status", _shared, _text_cell),
)
_NEEDED: Final = ("uid", "url", "status", "entry_type", "entry_source", "property_id", "check_in", "check_out")
_ALWAYS_READ: Final = tuple(column for column in _COLUMNS if column.attribute in _NEEDED)
_READ_WHERE_PRESENT: Final = {column.field: column for column in _COLUMNS if column.attribute not in _NEEDED}
_STATUSES: Final = {str(each): each for each in Status}
_ENTRY_TYPES: Final = {str(each): each for each in EntryType}
WRITTEN: Final = tuple(column.field for column in _COLUMNS if column.write is not None)
