"""Sends one batch of stored writes and stores what came of it; killed at any instant, nothing is lost or done twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from changeover.airtable import cells, rows
from changeover.airtable.client import BATCH
from changeover.airtable.deliver import receipts, search
from changeover.airtable.deliver.context import Delivery, Progress
from changeover.airtable.errors import (
    AirtableError,
    Ambiguous,
    BadRequest,
    BillingBlocked,
    Forbidden,
    Halted,
    NotFound,
    RateLimited,
    RowRejected,
    SchemaDrift,
    Unauthorized,
    Unavailable,
)
from changeover.airtable.schema import forget_what_an_error_spoils
from changeover.core.plan import Alert, Level
from changeover.store import deliveries, mirror
from changeover.store.deliveries import Entry, Method, Phase
from changeover.store.gate import Purpose
from changeover.store.mirror import Record

_TRIES: Final = 8  # C-64: then dead letter
_TRY_FOR: Final = timedelta(hours=6)


def send_next(context: Delivery, run_id: str | None) -> Progress:
    """Sends the next batch of a run, or of all for None: at most ten records, one table, one method (AT-41, AT-42).

    Waiting for slots, pauses and repeats happens in the client; waiting before an unclear create is searched happens
    here (AT-48). Errors of the base never come out of here: `Progress.stopped` says what is in the way. Raises what
    `check_lease` and `sleep` raise.
    """
    step = _Step(context)
    try:
        wait_until, found = search.settle(context, run_id)
        step.alerts += found
        if wait_until is None:
            step.batch(run_id)
    except AirtableError as error:  # a read that went wrong: nothing is on the wire
        wait_until = None
        step.stop(error, ())
    with context.db.read() as conn:
        left = deliveries.pending(conn, run_id)
    return Progress(left, step.sent, step.failed, wait_until, step.stopped if left else "", tuple(step.alerts))


@dataclass(slots=True)
class _Step:
    """One call of `send_next`."""

    context: Delivery
    sent: int = 0
    failed: int = 0
    stopped: str = ""
    alerts: list[Alert] = field(default_factory=list)

    def batch(self, run_id: str | None) -> None:
        context = self.context
        with context.db.read() as conn:
            entries = deliveries.next_batch(conn, run_id, list(context.stopped), BATCH)
        if not entries:
            self.stopped = next(iter(context.stopped.values()), "")
            return
        entries = self._respect_people(entries)
        with context.db.begin() as conn:
            context.check_lease(conn)
            mine = deliveries.claim(conn, entries, context.clock()) if entries else []
        parts = [mine] if mine else []
        while parts:
            part = parts.pop(0)
            if self.stopped:
                self._release(part)
            else:
                parts = self._send(part) + parts

    def _send(self, entries: Sequence[Entry]) -> list[list[Entry]]:
        """Sends these. Answers what is to be sent instead when one of them was refused (AT-46)."""
        context, table = self.context, entries[0].table
        try:
            if entries[0].method is Method.CREATE:
                records = context.client.create(table, [each.fields for each in entries], Purpose.DELIVER)
            else:
                updates = [(each.record_id or "", each.fields) for each in entries]
                records = context.client.update(table, updates, Purpose.DELIVER)
        except (RowRejected, BadRequest) as error:
            return self._without_the_bad_one(entries, error)
        except Ambiguous:
            return []  # they stay marked: the next step searches them
        except AirtableError as error:
            self.stop(error, entries)
            return []
        receipts.store(context, list(zip(entries, records, strict=True)))
        self.sent += len(entries)
        return []

    # -- refusals ----------------------------------------------------------------------------------------------------

    def _without_the_bad_one(self, entries: Sequence[Entry], error: RowRejected | BadRequest) -> list[list[Entry]]:
        if isinstance(error, RowRejected) and error.row_is_gone and error.record_id:
            gone = [each for each in entries if each.record_id == error.record_id]
            if gone:
                self._bury(gone)
                rest = [each for each in entries if each not in gone]
                return [rest] if rest else []
        if len(entries) == 1:
            self._fail(entries[0], error)
            return []
        half = (len(entries) + 1) // 2
        return [list(entries[:half]), list(entries[half:])]

    def _bury(self, gone: Sequence[Entry]) -> None:
        """The rows are not there any more: their writes end, the mirror learns it (AT-46)."""
        now = self.context.clock()
        with self.context.db.begin() as conn:
            self.context.check_lease(conn)
            mirror.bury(conn, gone[0].table, [each.record_id for each in gone if each.record_id], now)
            for entry in gone:
                deliveries.drop(conn, entry, "ROW_DOES_NOT_EXIST", now)

    def _fail(self, entry: Entry, error: AirtableError, code: str = "") -> None:
        text = str(error)
        with self.context.db.begin() as conn:
            self.context.check_lease(conn)
            deliveries.fail(conn, entry, code or error.code, text, self.context.clock())
        self.failed += 1
        self.alerts.append(Alert("dead_letter", entry.subject, Level.ERROR, f"{entry.subject} was not written: {text}"))

    def stop(self, error: AirtableError, entries: Sequence[Entry]) -> None:
        """Ends the sending for what is wrong with more than a row; what was claimed waits, nothing is dropped."""
        if isinstance(error, SchemaDrift | NotFound) or (isinstance(error, Forbidden) and error.locked):
            self._stop_table(error, entries)
        else:
            self.stopped = next((word for kind, word in _STOPS if isinstance(error, kind)), error.code)
            if isinstance(error, Unauthorized | Forbidden | BillingBlocked):
                self.alerts.append(_base_alert(error))
        with self.context.db.begin() as conn:
            forget_what_an_error_spoils(conn, error)
        self._release(entries, error)

    def _stop_table(self, error: AirtableError, entries: Sequence[Entry]) -> None:
        """Only this table's writes wait; the others go on (AT-46)."""
        table = entries[0].table if entries else rows.TABLE
        self.context.stopped[table] = "forbidden" if isinstance(error, Forbidden) else "schema_drift"
        subject = f"{table}·{error.field}" if error.field else table
        self.alerts.append(Alert("schema_drift", subject, Level.CRITICAL, f"{table} cannot be written: {error}"))

    def _release(self, entries: Sequence[Entry], error: AirtableError | None = None) -> None:
        now = self.context.clock()
        tired = [each for each in entries if isinstance(error, Unavailable) and _given_up(each, now - each.created_at)]
        for entry in tired:
            self._fail(entry, error or AirtableError("unavailable"), "dead_letter")
        with self.context.db.begin() as conn:
            self.context.check_lease(conn)
            deliveries.release(conn, [each for each in entries if each not in tired])

    # -- people's fields ---------------------------------------------------------------------------------------------

    def _respect_people(self, entries: list[Entry]) -> list[Entry]:
        """Reads Service Type and Block Type again; what a person changed since the plan is left alone (AT-43)."""
        touching = [each for each in entries if _touches_people(each)]
        if not touching:
            return entries
        ids = [each.record_id for each in touching if each.record_id]
        current = self.context.client.read_ids(rows.TABLE, ids, Purpose.DELIVER, fields=rows.TAKEN_OVER)
        kept: list[Entry] = []
        for entry in entries:
            if entry not in touching:
                kept.append(entry)
            elif (row := current.get(entry.record_id or "")) is None:
                self._bury([entry])
            elif (rest := self._without_taken_over(entry, row)) is not None:
                kept.append(rest)
        return kept

    def _without_taken_over(self, entry: Entry, row: Record) -> Entry | None:
        taken = {
            name
            for name in rows.TAKEN_OVER
            if name in entry.fields and not cells.same(row.fields.get(name), entry.previous.get(name))
        }
        if not taken:
            return entry
        with self.context.db.begin() as conn:
            self.context.check_lease(conn)
            return deliveries.leave_out(conn, entry, taken, self.context.clock())


_STOPS: Final[Sequence[tuple[type[AirtableError], str]]] = (
    (RateLimited, "rate_limited"),
    (BillingBlocked, "billing_blocked"),
    (Unauthorized, "credential_refused"),
    (Forbidden, "credential_refused"),
    (Halted, "halted"),
    (Unavailable, "unavailable"),
)


def _base_alert(error: AirtableError) -> Alert:
    if isinstance(error, BillingBlocked):
        return Alert("airtable_budget", "month", Level.CRITICAL, "The month's Airtable calls are used up: writes wait")
    return Alert("credential_refused", "airtable", Level.CRITICAL, "Airtable refuses our key or our right: writes wait")


def _touches_people(entry: Entry) -> bool:
    return (
        entry.table == rows.TABLE
        and entry.phase is Phase.UPDATE
        and any(name in entry.fields for name in rows.TAKEN_OVER)
    )


def _given_up(entry: Entry, age: timedelta) -> bool:
    return entry.attempts + 1 >= _TRIES and age > _TRY_FOR
