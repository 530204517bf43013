"""The outside writes that were decided, with their receipts (AT-40, AT-45, AT-53); it sends nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Final

from sqlalchemy import ColumnElement, Connection, Row, delete, func, insert, or_, select, true, update

from changeover.store.mirror import Fields, chunks
from changeover.store.tables import deliveries

_CHUNK: Final = 400
_LOOK_AHEAD: Final = 60


class Phase(IntEnum):
    """The order in which writes go out (AT-41)."""

    HISTORY = 10
    CREATE = 20
    UPDATE = 30
    CRON = 40
    REPORT = 50


class Method(StrEnum):
    CREATE = "create"
    UPDATE = "update"


class State(StrEnum):
    """Pending, on the wire, done with a receipt, refused for good, or no longer wanted."""

    PENDING = "pending"
    SENDING = "sending"
    DONE = "done"
    FAILED = "failed"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Write:
    """One intended write of one record: absolute values of the fields that change (AT-42).

    An update has a record id, a create a dedupe key (AT-44). `previous` holds what the fields held (AT-53); `after` is
    the id of the delivery, a history copy, whose receipt must be there first.
    """

    phase: Phase
    table: str
    fields: Fields
    record_id: str | None = None
    dedupe_key: str | None = None
    previous: Fields = field(default_factory=dict)
    after: int | None = None

    @property
    def method(self) -> Method:
        return Method.CREATE if self.record_id is None else Method.UPDATE


@dataclass(frozen=True, slots=True)
class Entry:
    """A stored write."""

    id: int
    run_id: str
    phase: Phase
    table: str
    method: Method
    record_id: str | None
    dedupe_key: str | None
    fields: Fields
    previous: Fields
    state: State
    attempts: int
    created_at: datetime
    sent_at: datetime | None

    @property
    def subject(self) -> str:
        """How a person or an alert names it: the record, or the key of one that is not there yet."""
        return f"{self.table}:{self.record_id or self.dedupe_key}"


@dataclass(frozen=True, slots=True)
class Failure:
    """A write that was refused for good, and why."""

    table: str
    record_id: str | None
    dedupe_key: str | None
    code: str
    text: str


def add(conn: Connection, run_id: str, writes: Sequence[Write], now: datetime) -> list[int]:
    """Stores writes to be sent; answers their ids in the order given."""
    ids: list[int] = []
    statement = insert(deliveries).returning(deliveries.c.id, sort_by_parameter_order=True)
    for chunk in chunks(writes, _CHUNK):
        ids += conn.scalars(statement, [_row(run_id, each, now) for each in chunk])
    return ids


def open_keys(conn: Connection, keys: Iterable[str]) -> dict[str, int]:
    """Of these dedupe keys those of creates not finished yet, with their ids: they are not planned twice (AT-44)."""
    found: dict[str, int] = {}
    for chunk in chunks(keys, _CHUNK):
        statement = select(deliveries.c.dedupe_key, deliveries.c.id).where(
            deliveries.c.dedupe_key.in_(chunk), deliveries.c.state.in_(_OPEN)
        )
        found.update({row.dedupe_key: row.id for row in conn.execute(statement)})
    return found


def supersede(conn: Connection, phase: Phase, record_ids: Iterable[str], now: datetime) -> None:
    """Drops updates not yet sent of this phase: a newer one of the same record replaces them (C-41)."""
    for chunk in chunks(record_ids, _CHUNK):
        conn.execute(
            update(deliveries)
            .where(
                deliveries.c.record_id.in_(chunk),
                deliveries.c.phase == int(phase),
                deliveries.c.state == State.PENDING,
            )
            .values(state=State.DROPPED, error_code="superseded", done_at=now)
        )


def next_batch(conn: Connection, run_id: str | None, skip_tables: Collection[str], size: int) -> list[Entry]:
    """The next pending writes of one phase, table and method, each record once, in order (AT-41, AT-42)."""
    copies = deliveries.alias("copies")
    statement = (
        select(deliveries)
        .outerjoin(copies, copies.c.id == deliveries.c.after_id)
        .where(
            _of(run_id),
            deliveries.c.state == State.PENDING,
            deliveries.c.table_name.not_in(skip_tables),
            or_(deliveries.c.after_id.is_(None), copies.c.state == State.DONE),
        )
        .order_by(deliveries.c.phase, deliveries.c.id)
        .limit(_LOOK_AHEAD)
    )
    batch: list[Entry] = []
    for entry in map(_entry, conn.execute(statement)):
        first = batch[0] if batch else entry
        alike = (entry.phase, entry.table, entry.method) == (first.phase, first.table, first.method)
        again = entry.record_id is not None and any(entry.record_id == each.record_id for each in batch)
        if alike and not again:
            batch.append(entry)
        if len(batch) == size:
            break
    return batch


def claim(conn: Connection, entries: Sequence[Entry], now: datetime) -> list[Entry]:
    """Marks pending writes as on the wire before they are (AT-45); answers those nobody else took meanwhile."""
    statement = (
        update(deliveries)
        .where(deliveries.c.id.in_([each.id for each in entries]), deliveries.c.state == State.PENDING)
        .values(state=State.SENDING, sent_at=now, attempts=deliveries.c.attempts + 1)
        .returning(deliveries.c.id)
    )
    mine = set(conn.scalars(statement))
    return [each for each in entries if each.id in mine]


def sending(conn: Connection, run_id: str | None) -> list[Entry]:
    """Writes marked as on the wire, oldest first."""
    statement = select(deliveries).where(_of(run_id), deliveries.c.state == State.SENDING).order_by(deliveries.c.id)
    return [_entry(row) for row in conn.execute(statement)]


def release(conn: Connection, entries: Sequence[Entry]) -> None:
    """Takes the marks back: these were not applied, or do no harm when sent again."""
    if entries:
        ids = [each.id for each in entries]
        conn.execute(update(deliveries).where(deliveries.c.id.in_(ids)).values(state=State.PENDING, sent_at=None))


def leave_out(conn: Connection, entry: Entry, names: Collection[str], now: datetime) -> Entry | None:
    """Takes fields out of a write because a person changed them meanwhile (AT-43); None when nothing is left of it."""
    rest = {name: cell for name, cell in entry.fields.items() if name not in names}
    text = "left to people: " + ", ".join(sorted(names))
    values: dict[str, object] = {"fields": rest, "error_code": "kept_by_people", "error_text": text}
    if not rest:
        values |= {"state": State.DROPPED, "done_at": now}
    conn.execute(update(deliveries).where(deliveries.c.id == entry.id).values(**values))
    return replace(entry, fields=rest) if rest else None


def finish(conn: Connection, receipts: Iterable[tuple[Entry, str]], now: datetime) -> None:
    """Stores receipts: (write, record id)."""
    for entry, record_id in receipts:
        conn.execute(
            update(deliveries)
            .where(deliveries.c.id == entry.id)
            .values(state=State.DONE, record_id=record_id, done_at=now)
        )


def drop(conn: Connection, entry: Entry, code: str, now: datetime) -> None:
    """Ends a write that has no target any more."""
    _end(conn, entry, State.DROPPED, code, "", now)


def fail(conn: Connection, entry: Entry, code: str, text: str, now: datetime) -> None:
    """Sets a write aside for good, and with a history copy the update that would have needed it (AT-46, V-9)."""
    _end(conn, entry, State.FAILED, code, text, now)
    conn.execute(
        update(deliveries)
        .where(deliveries.c.after_id == entry.id, deliveries.c.state == State.PENDING)
        .values(state=State.FAILED, error_code="history_failed", error_text=text, done_at=now)
    )


def pending(conn: Connection, run_id: str | None = None) -> int:
    """How many writes are not finished, of one run or of all."""
    statement = select(func.count()).where(_of(run_id), deliveries.c.state.in_(_OPEN))
    return conn.execute(statement).scalar_one()


def open_runs(conn: Connection) -> tuple[str, ...]:
    """The runs that have unfinished writes, oldest first."""
    statement = (
        select(deliveries.c.run_id)
        .where(deliveries.c.state.in_(_OPEN))
        .group_by(deliveries.c.run_id)
        .order_by(func.min(deliveries.c.id))
    )
    return tuple(conn.scalars(statement))


def failed(conn: Connection, run_id: str) -> tuple[Failure, ...]:
    """What of a run was refused for good."""
    statement = (
        select(deliveries)
        .where(deliveries.c.run_id == run_id, deliveries.c.state == State.FAILED)
        .order_by(deliveries.c.id)
    )
    return tuple(
        Failure(row.table_name, row.record_id, row.dedupe_key, row.error_code or "", row.error_text or "")
        for row in conn.execute(statement)
    )


def last_done(conn: Connection, phase: Phase) -> dict[str, Fields]:
    """What was last written in a phase, by record id: to notice what something else has written since (C-51)."""
    statement = (
        select(deliveries.c.record_id, deliveries.c.fields)
        .where(deliveries.c.phase == int(phase), deliveries.c.state == State.DONE)
        .order_by(deliveries.c.id)
    )
    return {row.record_id: row.fields for row in conn.execute(statement)}


def done_since(conn: Connection, run_id: str, at: datetime) -> int:
    """How many of a run's writes got their receipt at or after an instant."""
    statement = select(func.count()).where(
        deliveries.c.run_id == run_id, deliveries.c.state == State.DONE, deliveries.c.done_at >= at
    )
    return conn.scalars(statement).one()


def counts(conn: Connection, run_id: str) -> dict[str, int]:
    """How many of a run's writes have their receipt, by table."""
    where = (deliveries.c.run_id == run_id, deliveries.c.state == State.DONE)
    statement = select(deliveries.c.table_name, func.count()).where(*where).group_by(deliveries.c.table_name)
    return {table: number for table, number in conn.execute(statement.order_by(deliveries.c.table_name))}  # noqa: C416


def prune(conn: Connection, before: datetime) -> int:
    """Deletes receipts that ended before an instant (AT-53: 90 days); answers how many."""
    statement = delete(deliveries).where(deliveries.c.done_at < before, deliveries.c.state.not_in(_OPEN))
    return conn.execute(statement).rowcount


_OPEN: Final = (State.PENDING, State.SENDING)


def _of(run_id: str | None) -> ColumnElement[bool]:
    return true() if run_id is None else deliveries.c.run_id == run_id


def _end(conn: Connection, entry: Entry, state: State, code: str, text: str, now: datetime) -> None:
    conn.execute(
        update(deliveries)
        .where(deliveries.c.id == entry.id)
        .values(state=state, error_code=code, error_text=text, done_at=now)
    )


def _row(run_id: str, write: Write, now: datetime) -> dict[str, object]:
    return {
        "run_id": run_id,
        "phase": int(write.phase),
        "table_name": write.table,
        "method": str(write.method),
        "record_id": write.record_id,
        "dedupe_key": write.dedupe_key,
        "fields": dict(write.fields),
        "previous": dict(write.previous),
        "after_id": write.after,
        "state": State.PENDING,
        "attempts": 0,
        "created_at": now,
    }


def _entry(row: Row[tuple[object, ...]]) -> Entry:
    return Entry(
        id=row.id,
        run_id=row.run_id,
        phase=Phase(row.phase),
        table=row.table_name,
        method=Method(row.method),
        record_id=row.record_id,
        dedupe_key=row.dedupe_key,
        fields=row.fields,
        previous=row.previous,
        state=State(row.state),
        attempts=row.attempts,
        created_at=row.created_at,
        sent_at=row.sent_at,
    )
