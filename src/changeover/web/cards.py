"""A row as a button's page shows it, from the copy of the base that cycles keep; it asks no base and shows no guest."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlalchemy import Connection

from changeover.airtable import cells, rows
from changeover.core.job_texts import Words
from changeover.core.service_line import MONTHS
from changeover.store import mirror
from changeover.store.mirror import Cell, Fields

_HOMES: Final = "Properties"


@dataclass(frozen=True, slots=True)
class Line:
    """One thing about the row, with its name."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Card:
    """What is shown. `lines` is empty for a row that no cycle has read yet."""

    title: str
    lines: tuple[Line, ...] = ()


def card(connection: Connection, record_id: str, words: Words) -> Card:
    """The row's card; a row that was deleted, or is not known yet, has only its id."""
    record = mirror.find(connection, rows.TABLE, [record_id]).get(record_id)
    if record is None:
        return Card(f"Row {record_id}")
    given = record.fields
    home = _home(connection, given)
    stay = f"{_day(given.get(rows.CHECK_IN))} → {_day(given.get(rows.CHECK_OUT))}"
    told = {
        "Stay": stay,
        "Status": cells.text(given.get(rows.STATUS)),
        "Service": cells.text(given.get(rows.SERVICE_TYPE)),
        "Service time": _moment(given.get(rows.FINAL_SERVICE_TIME), words),
        "Job": cells.text(given.get("Job Status")) or ("known" if given.get(rows.JOB_ID) else "none"),
        "Job id": cells.text(given.get(rows.JOB_ID)),
        "Scheduled": _moment(given.get("Scheduled Service Time"), words),
        "Assignee": cells.text(given.get("Assignee")),
        "Sync Status": cells.text(given.get("Sync Status")),
        "Details": cells.text(given.get("Schedule Sync Details")),
    }
    return Card(home or f"Row {record_id}", tuple(Line(name, value) for name, value in told.items() if value))


def moment(text: str, words: Words) -> str:
    """`March 4 at 10:15 AM` of an ISO instant; nothing of anything else."""
    return _moment(text, words)


def _home(connection: Connection, given: Fields) -> str:
    property_id = next(iter(cells.links(given.get(rows.PROPERTY))), "")
    home = mirror.find(connection, _HOMES, [property_id]).get(property_id) if property_id else None
    return "" if home is None else cells.text(home.fields.get("Property Name"))


def _moment(cell: Cell, words: Words) -> str:
    try:
        found: datetime | None = cells.instant(cell)
    except ValueError:
        return ""
    return "" if found is None else words.moment(found)


def _day(cell: Cell) -> str:
    try:
        found: date | None = cells.day(cell)
    except ValueError:
        found = None
    return "?" if found is None else f"{MONTHS[found.month - 1]} {found.day}"
