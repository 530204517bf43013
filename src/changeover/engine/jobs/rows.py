"""Rows of the base for work on jobs: read afresh, written by record id, mirrored (J-1, AT-36); it decides nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from changeover.airtable import job_rows, mirror, rows
from changeover.airtable.client import BATCH
from changeover.airtable.directory import CUSTOMERS
from changeover.airtable.errors import AirtableError, NotFound, RowRejected
from changeover.airtable.job_rows import PROPERTIES
from changeover.airtable.schema import forget_what_an_error_spoils
from changeover.core.job import Home, JobRow, JobState, is_record_id
from changeover.core.job_eligibility import Code, Refusal, not_found
from changeover.core.job_texts import settled
from changeover.engine.jobs import receipts
from changeover.engine.jobs.desk import JobDesk
from changeover.ops import logging
from changeover.store import mirror as store
from changeover.store.job_writes import JobWrite, WriteKind

log = logging.get(__name__)

RESTS_ON_HOMES = frozenset({Code.NO_PROPERTY, Code.NO_HCP_CUSTOMER, Code.NO_HCP_ADDRESS, Code.NO_TEMPLATE})


class Refused(Exception):
    """A rule forbids it; nothing was written (J-29)."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.text)
        self.refusal = refusal


@dataclass(frozen=True, slots=True)
class Draft:
    """A row and its cells as they are to be; texts without stamp."""

    row: JobRow
    after: JobState


@dataclass(frozen=True, slots=True)
class _Cells:
    """A row's cells that change: as they are to be, and as they are."""

    row: JobRow
    cells: store.Fields
    before: store.Fields

    @property
    def receipt(self) -> JobWrite:
        job_id = str(self.cells.get(rows.JOB_ID) or self.row.job_id)
        return JobWrite(WriteKind.ROW, self.row.record_id, job_id, self.before, self.cells)


@dataclass(slots=True)
class Put:
    """What writing several rows came to: the rows as they are now, how many changed, those the base refused."""

    rows: dict[str, JobRow] = field(default_factory=dict)
    written: int = 0
    refused: dict[str, AirtableError] = field(default_factory=dict)


def fresh(desk: JobDesk, record_id: str) -> JobRow:
    """The row as it is in the base now (J-44). Raises Refused (J-16) and the client's errors."""
    if not is_record_id(record_id):
        raise Refused(not_found())
    desk.facts()
    try:
        record = desk.airtable.get(rows.TABLE, record_id, desk.purpose)
    except NotFound as error:
        with desk.db.begin() as connection:
            store.bury(connection, rows.TABLE, [record_id], desk.clock())
        raise Refused(not_found()) from error
    with desk.db.begin(lasting=False) as connection:
        mirror.apply_answer(connection, rows.TABLE, [record])
    return job_rows.to_row(record)


def known_home(desk: JobDesk, property_id: str) -> dict[str, Home]:
    """A row's property by its id, as the mirror has it; nothing where it has none."""
    with desk.db.read() as connection:
        found = job_rows.home(connection, property_id)
    return {} if found is None else {property_id: found}


def fresh_home(desk: JobDesk, property_id: str) -> dict[str, Home]:
    """The property of a row with its customer, read again: a job's address can never be changed (AT-36, HC-39)."""
    if not is_record_id(property_id):
        return {}
    facts = desk.facts()
    there = mirror.reread(desk.airtable, desk.db, facts, PROPERTIES, [property_id], desk.purpose)
    with desk.db.read() as connection:
        place = mirror.property_of(connection, property_id)
    if property_id not in there or place is None:
        return {}
    if place.customer:
        mirror.reread(desk.airtable, desk.db, facts, CUSTOMERS, [place.customer], desk.purpose)
    return known_home(desk, property_id)


def put(desk: JobDesk, row: JobRow, after: JobState) -> JobRow:
    """Writes what differs, in one update or none (J-1). The row as it is then. Raises the client's errors."""
    done = put_all(desk, [Draft(row, after)])
    for error in done.refused.values():
        raise error
    return done.rows[row.record_id]


def put_together(desk: JobDesk, row: JobRow, after: JobState) -> JobRow:
    """The same, in one request with what other threads of the desk write at that moment."""
    found = desk.shared.puts.ask(Draft(row, after), partial(_put_each, desk))
    if isinstance(found, AirtableError):
        raise found
    return found


def _put_each(desk: JobDesk, drafts: Sequence[Draft]) -> list[JobRow | AirtableError]:
    done = put_all(desk, drafts)
    return [done.refused.get(each.row.record_id) or done.rows[each.row.record_id] for each in drafts]


def put_all(desk: JobDesk, drafts: Sequence[Draft]) -> Put:
    """The same for several rows, ten to a request; a row that the base refuses holds up no other (AT-46)."""
    done, waiting = Put(), []
    for draft in drafts:
        before = job_rows.as_stored(draft.row.job)
        after = settled(before, job_rows.as_stored(draft.after), desk.clock(), desk.rules.zone)
        after = job_rows.as_stored(after)
        cells = job_rows.changed_cells(before, after)
        done.rows[draft.row.record_id] = replace(draft.row, job=after)
        if cells:
            waiting.append(_Cells(draft.row, cells, job_rows.changed_cells(after, before)))
    if waiting:
        desk.facts()
    for start in range(0, len(waiting), BATCH):
        _send(desk, waiting[start : start + BATCH], done)
    return done


def _send(desk: JobDesk, batch: Sequence[_Cells], done: Put) -> None:
    try:
        with receipts.of(desk, [each.receipt for each in batch]):
            cells = [(each.row.record_id, each.cells) for each in batch]
            records = desk.airtable.update(rows.TABLE, cells, desk.purpose)
    except RowRejected as error:
        if len(batch) > 1:
            for each in batch:
                _send(desk, [each], done)
            return
        _refuse(desk, batch[0].row, error, done)
        return
    except AirtableError as error:
        with desk.db.begin() as connection:
            forget_what_an_error_spoils(connection, error)
        raise
    with desk.db.begin(lasting=False) as connection:
        mirror.apply_answer(connection, rows.TABLE, records)
    done.written += len(records)
    log.info("rows.written", rows=len(records), fields=sorted({name for each in batch for name in each.cells}))


def _refuse(desk: JobDesk, row: JobRow, error: RowRejected, done: Put) -> None:
    done.rows[row.record_id] = row
    done.refused[row.record_id] = error
    log.warning("row.refused", record_id=row.record_id, code=error.code, field=error.field)
    if error.row_is_gone:
        with desk.db.begin() as connection:
            store.bury(connection, rows.TABLE, [row.record_id], desk.clock())
