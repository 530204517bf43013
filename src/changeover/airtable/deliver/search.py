"""Finds out what became of writes that were on the wire when something broke (AT-45, AT-48, AT-49)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from pyairtable.formulas import Field

from changeover.airtable import cells, rows
from changeover.airtable.deliver import receipts
from changeover.airtable.deliver.context import Delivery
from changeover.core.plan import Alert, Level
from changeover.core.stay import Status
from changeover.store import deliveries
from changeover.store.deliveries import Entry, Method, Phase, Write
from changeover.store.gate import Purpose
from changeover.store.mirror import Cell, Record, chunks

_KEYS_A_CALL = 10


def settle(context: Delivery, run_id: str | None) -> tuple[datetime | None, tuple[Alert, ...]]:
    """Clears the marks of an earlier attempt. Updates are simply sent again; creates are searched first.

    Waits by `context.sleep`. Answers the instant it still has to wait for when a wait was cut short, and alerts.
    Marks of other runs count only when no request can be on the wire any more: a worker may be sending just now.
    """
    with context.db.read() as conn:
        marked = deliveries.sending(conn, run_id)
    if not marked:
        return None, ()
    if run_id is None and not _wait(context, wire := max(map(_sent, marked)) + context.delays.on_the_wire):
        return wire, ()
    creates = [each for each in marked if each.method is Method.CREATE]
    with context.db.begin() as conn:
        context.check_lease(conn)
        deliveries.release(conn, [each for each in marked if each.method is Method.UPDATE])
    if not creates:
        return None, ()
    return _search_twice(context, creates)


def _search_twice(context: Delivery, creates: Sequence[Entry]) -> tuple[datetime | None, tuple[Alert, ...]]:
    sent = max(map(_sent, creates))
    first, last = sent + context.delays.search, sent + context.delays.search + context.delays.search_again
    alerts: list[Alert] = []
    for due in (first, last):
        if due is first and context.clock() >= last:
            continue  # long ago: one look is as good as two
        if not _wait(context, due):
            return due, tuple(alerts)
        creates = _search(context, creates, alerts)
        if not creates:
            return None, tuple(alerts)
    with context.db.begin() as conn:
        context.check_lease(conn)
        deliveries.release(conn, creates)
    return None, tuple(alerts)


def _search(context: Delivery, creates: Sequence[Entry], alerts: list[Alert]) -> list[Entry]:
    """Looks for the rows, ten keys a call; adopts those that are there. Answers the writes whose row is not."""
    missing: list[Entry] = []
    for table in dict.fromkeys(each.table for each in creates):
        for part in chunks((each for each in creates if each.table == table), _KEYS_A_CALL):
            found = _candidates(context, table, part)
            for entry in part:
                matches = sorted((each for each in found if _is_row_of(context, entry, each)), key=_rank)
                if not matches:
                    missing.append(entry)
                    continue
                receipts.store(context, [(entry, matches[0])])
                if entry.phase is Phase.CREATE and len(matches) > 1:
                    alerts += _retire(context, entry, matches[1:])
    return missing


def _candidates(context: Delivery, table: str, entries: Sequence[Entry]) -> tuple[Record, ...]:
    name = _key_field(table)
    values = {cells.text(each.fields.get(name)) for each in entries}
    conditions = [Field(name).eq(value) for value in sorted(values)]
    return tuple(context.client.read_any(table, conditions, Purpose.DELIVER).values())


def _key_field(table: str) -> str:
    return rows.UID if table == rows.TABLE else "ICS URL"


def _is_row_of(context: Delivery, entry: Entry, record: Record) -> bool:
    """By the dedupe key (AT-44); a history copy by every copied field."""
    if entry.phase is Phase.HISTORY:
        return cells.agree(entry.fields, record.fields, context.schema.copied(entry.table))
    names = _DEDUPE if entry.table == rows.TABLE else (_key_field(entry.table),)
    return cells.agree(entry.fields, record.fields, names)


_DEDUPE = (rows.UID, rows.URL, rows.STATUS, rows.CHECK_IN, rows.CHECK_OUT)


def _rank(record: Record) -> tuple[bool, datetime, str]:
    """The row with a job first, then the oldest (AT-49)."""
    return not record.fields.get(rows.JOB_ID), record.created, record.id


def _retire(context: Delivery, entry: Entry, extra: Sequence[Record]) -> list[Alert]:
    """Makes the rows that one create left too many Old (AT-49)."""
    old: dict[str, Cell] = {rows.STATUS: str(Status.OLD)}
    write = Write(Phase.UPDATE, rows.TABLE, old, previous={rows.STATUS: entry.fields.get(rows.STATUS)})
    with context.db.begin() as conn:
        context.check_lease(conn)
        deliveries.add(conn, entry.run_id, [replace(write, record_id=each.id) for each in extra], context.clock())
    return [
        Alert("duplicate_row", each.id, Level.ERROR, f"{each.id} came twice from one create and becomes Old")
        for each in extra
    ]


def _sent(entry: Entry) -> datetime:
    return entry.sent_at or entry.created_at


def _wait(context: Delivery, until: datetime) -> bool:
    """Waits; False when the wait was cut short."""
    rest = until - context.clock()
    if rest > timedelta(0):
        context.sleep(rest.total_seconds())
    return context.clock() >= until
