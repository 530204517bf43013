"""What people asked for by button or API, one action at a time per row (J-105); it carries nothing out."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import Connection, Row, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from changeover.store.facts import Json
from changeover.store.tables import operations

_TRIES: Final = 3


class OperationState(StrEnum):
    """Under way, or answered."""

    OPEN = "open"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Operation:
    """One request on a row. `answer` is the API's answer as it was given, None while it is under way."""

    id: str
    action: str
    record_id: str
    state: OperationState
    requested_at: datetime
    who: str | None = None
    answer: Mapping[str, Json] | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """The operation whose answer is to be waited for; `joined`: it was under way already, nothing new is to begin."""

    id: str
    joined: bool


@dataclass(frozen=True, slots=True)
class Busy:
    """Another action is under way on the row."""

    action: str


def ask(
    connection: Connection,
    action: str,
    record_id: str,
    who: str | None,
    now: datetime,
    operation_id: str | None = None,
) -> Asked | Busy:
    """Opens an operation, joins the one that is the same, or says which other is in the way (J-105).

    Under a given id it is done once: asked again it is joined, ended or not (J-108).
    """
    for _ in range(_TRIES):
        if operation_id is not None and find(connection, operation_id) is not None:
            return Asked(operation_id, joined=True)
        new_id = operation_id or uuid.uuid4().hex
        if _opened(connection, new_id, action, record_id, who, now):
            return Asked(new_id, joined=False)
        found = open_of(connection, record_id)
        if found is not None:
            return Asked(found.id, joined=True) if found.action == action else Busy(found.action)
    return Busy(action)  # pragma: no cover - three others came and went within three statements


def answer(connection: Connection, operation_id: str, answer_json: Mapping[str, Json], now: datetime) -> bool:
    """Ends an operation with its answer; the first answer stands. False when it was ended already, or never was."""
    where = (operations.c.id == operation_id, operations.c.state == OperationState.OPEN)
    values = {"state": str(OperationState.DONE), "answer": dict(answer_json), "ended_at": now}
    return connection.execute(update(operations).where(*where).values(values)).rowcount > 0


def find(connection: Connection, operation_id: str) -> Operation | None:
    row = connection.execute(select(operations).where(operations.c.id == operation_id)).one_or_none()
    return None if row is None else _operation(row)


def open_of(connection: Connection, record_id: str) -> Operation | None:
    """What is under way on a row."""
    where = (operations.c.record_id == record_id, operations.c.state == OperationState.OPEN)
    row = connection.execute(select(operations).where(*where)).one_or_none()
    return None if row is None else _operation(row)


def waiting(connection: Connection, limit: int = 1000) -> tuple[Operation, ...]:
    """All that are under way, oldest first."""
    query = select(operations).where(operations.c.state == OperationState.OPEN)
    ordered = query.order_by(operations.c.requested_at, operations.c.id).limit(limit)
    return tuple(_operation(row) for row in connection.execute(ordered))


def recent(connection: Connection, limit: int = 100) -> tuple[Operation, ...]:
    """The newest first, ended or not."""
    query = select(operations).order_by(operations.c.requested_at.desc(), operations.c.id).limit(limit)
    return tuple(_operation(row) for row in connection.execute(query))


def prune(connection: Connection, ended_before: datetime) -> int:
    """Deletes what ended before an instant (F-3); returns how many."""
    return connection.execute(delete(operations).where(operations.c.ended_at < ended_before)).rowcount


def _opened(
    connection: Connection, operation_id: str, action: str, record_id: str, who: str | None, now: datetime
) -> bool:
    """One open operation per row: whoever is second inserts nothing."""
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    row = {
        "id": operation_id,
        "action": action,
        "record_id": record_id,
        "state": str(OperationState.OPEN),
        "requested_at": now,
        "who": who,
    }
    statement = insert(operations).values(row).on_conflict_do_nothing().returning(operations.c.id)
    return connection.execute(statement).scalar_one_or_none() is not None


def _operation(row: Row[tuple[object, ...]]) -> Operation:
    return Operation(
        id=row.id,
        action=row.action,
        record_id=row.record_id,
        state=OperationState(row.state),
        requested_at=row.requested_at,
        who=row.who,
        answer=row.answer,
        ended_at=row.ended_at,
    )
