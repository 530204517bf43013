"""Reservations cells to what the job rules see and back (J-1, J-2); it decides nothing and reads no base."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Connection

from changeover.airtable import cells, mirror, rows
from changeover.airtable.directory import CUSTOMERS
from changeover.core.job import Home, JobRow, JobState
from changeover.core.stay import EntryType, Status
from changeover.store import mirror as store
from changeover.store.mirror import Cell, Fields, Record

PROPERTIES: Final = "Properties"
HCP_CUSTOMER: Final = "HCP Customer ID"


@dataclass(frozen=True, slots=True)
class _Column:
    field: str
    attribute: str
    read: Callable[[Cell], object]
    write: Callable[[Any], Cell]


def _text_cell(value: str) -> Cell:
    return value[: cells.LONGEST_TEXT] or None


def _instant_cell(value: datetime | None) -> Cell:
    return None if value is None else cells.instant_cell(value)


def _instant(cell: Cell) -> datetime | None:
    """A dateTime; what a person's own column may hold instead counts as empty."""
    try:
        return cells.instant(cell)
    except ValueError:
        return None


def _day(cell: Cell) -> date | None:
    try:
        return cells.day(cell)
    except ValueError:
        return None


_COLUMNS: Final[Sequence[_Column]] = (
    _Column(rows.JOB_ID, "job_id", lambda cell: cells.text(cell).strip(), _text_cell),
    _Column("Service Appointment ID", "appointment_id", cells.text, _text_cell),
    _Column("Job Creation Time", "created", _instant, _instant_cell),
    _Column("Job Status", "status", cells.text, _text_cell),
    _Column("Scheduled Service Time", "scheduled", _instant, _instant_cell),
    _Column("Assignee", "assignee", cells.text, _text_cell),
    _Column("On My Way Time", "on_my_way", _instant, _instant_cell),
    _Column("Job Started Time", "started", _instant, _instant_cell),
    _Column("Job Completed Time", "completed", _instant, _instant_cell),
    _Column("Sync Status", "sync_status", cells.text, _text_cell),
    _Column("Schedule Sync Details", "schedule_details", cells.text, _text_cell),
    _Column("Service Sync Details", "service_details", cells.text, _text_cell),
    _Column("Sync Date and Time", "synced", _instant, _instant_cell),
    _Column("Service Line Description", "line", cells.text, _text_cell),
    _Column("Last Synced Service Line", "last_line", cells.text, _text_cell),
    _Column("HCP Service Line Current", "hcp_line", cells.text, _text_cell),
)
JOB_FIELDS: Final = tuple(column.field for column in _COLUMNS)
_STATUSES: Final = {str(each): each for each in Status}
_ENTRY_TYPES: Final = {str(each): each for each in EntryType}


def to_row(record: Record) -> JobRow:
    """A row as the job rules see it; a cell that cannot be read is empty, and the rule that needs it says so."""
    given = record.fields
    return JobRow(
        record_id=record.id,
        status=_STATUSES.get(cells.text(given.get(rows.STATUS))),
        entry_type=_ENTRY_TYPES.get(cells.text(given.get("Entry Type"))),
        service_type=cells.text(given.get(rows.SERVICE_TYPE)),
        property_id=next(iter(cells.links(given.get(rows.PROPERTY))), ""),
        check_in=_day(given.get(rows.CHECK_IN)),
        check_out=_day(given.get(rows.CHECK_OUT)),
        ready=cells.flag(given.get("Ready for Job")),
        same_day=cells.flag(given.get("Same-day Turnover")),
        owner_arriving=cells.flag(given.get("Owner Arriving")),
        suspected_cancel=cells.flag(given.get("Suspected Cancel")),
        next_guest=_day(given.get("Next Guest Date")),
        custom_time=cells.text(given.get("Custom Service Time")),
        custom_line=cells.text(given.get("Custom Service Line Instructions")),
        modified=_instant(given.get("Last Updated")) or record.created,
        job=_state(given),
    )


def _state(given: Fields) -> JobState:
    values: dict[str, Any] = {column.attribute: column.read(given.get(column.field)) for column in _COLUMNS}
    return JobState(**values)


def as_stored(state: JobState) -> JobState:
    """The state as it will come back from the base, which keeps milliseconds: so that equal stays equal (J-1)."""
    whole: dict[str, Any] = {
        each.name: value.replace(microsecond=value.microsecond // 1000 * 1000)
        for each in fields(state)
        if isinstance(value := getattr(state, each.name), datetime)
    }
    return replace(state, **whole)


def changed_cells(before: JobState, after: JobState) -> dict[str, Cell]:
    """Only the cells that differ, with their new values; an emptied one is null (J-1, AT-42)."""
    return {
        column.field: column.write(new)
        for column in _COLUMNS
        if (new := getattr(after, column.attribute)) != getattr(before, column.attribute)
    }


def mirrored(connection: Connection) -> Iterator[JobRow]:
    """The rows that take part in anything here: live and Removed ones, no history (J-4)."""
    for record in mirror.reservations(connection):
        status = record.fields.get(rows.STATUS)
        if status != Status.OLD and status is not None:
            yield to_row(record)


def homes(connection: Connection) -> dict[str, Home]:
    """The properties as jobs need them, by record id; of several linked customers the first counts (J-24)."""
    customers = {each.id: _customer_id(each) for each in store.load(connection, CUSTOMERS)}
    return {each.record_id: _home(each, customers) for each in mirror.properties(connection)}


def home(connection: Connection, property_id: str) -> Home | None:
    """One property as jobs need it; None where the mirror has none of this id."""
    found = mirror.property_of(connection, property_id)
    if found is None:
        return None
    customers = store.find(connection, CUSTOMERS, [found.customer] if found.customer else [])
    return _home(found, {key: _customer_id(each) for key, each in customers.items()})


def home_of(record: Record, customers: Iterable[Record]) -> Home:
    """A property's record as jobs need it, with the records of customers at hand."""
    return _home(mirror.to_property(record), {each.id: _customer_id(each) for each in customers})


def having_job(connection: Connection, job_id: str) -> list[JobRow]:
    """The rows that take part and name this job (J-79)."""
    found = [to_row(each) for each in store.with_text(connection, rows.TABLE, rows.JOB_ID, job_id)]
    return [row for row in found if row.status not in (None, Status.OLD)]


def _home(place: mirror.Property, customers: Mapping[str, str]) -> Home:
    return Home(
        record_id=place.record_id,
        name=place.name,
        customer_id=customers.get(place.customer, "") if place.customer else None,
        address_id=place.address_id.strip(),
        address=place.address,
        turnover_template=place.turnover_template.strip(),
        laundry_template=place.laundry_template.strip(),
        inspection_template=place.inspection_template.strip(),
    )


def _customer_id(record: Record) -> str:
    """A customer's HCP id; a record's own id in its place is a mistake and counts as empty (airtable.md §1.2)."""
    found = cells.text(record.fields.get(HCP_CUSTOMER)).strip()
    return "" if found.startswith("rec") else found
