"""Single facts by name: verification results, daily marks, the stop switch; small JSON values and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from sqlalchemy import Connection, delete, func, select

from changeover.store.tables import facts
from changeover.store.upsert import upsert

Json: TypeAlias = "str | int | float | bool | Sequence[Json] | Mapping[str, Json] | None"


@dataclass(frozen=True, slots=True)
class Fact:
    """A value and the instant it was put down."""

    name: str
    value: Json
    at: datetime


def put(connection: Connection, name: str, value: Json, at: datetime) -> None:
    """Stores a fact over any earlier one of that name."""
    upsert(connection, facts, [{"name": name, "value": value, "at": at}])


def read(connection: Connection, name: str) -> Fact | None:
    row = connection.execute(select(facts).where(facts.c.name == name)).one_or_none()
    return None if row is None else Fact(row.name, row.value, row.at)


def latest(connection: Connection, prefix: str) -> datetime | None:
    """When a fact whose name begins so was last put down."""
    query = select(func.max(facts.c.at)).where(facts.c.name.startswith(prefix, autoescape=True))
    return connection.execute(query).scalar()


def forget(connection: Connection, name: str) -> bool:
    """Drops a fact; True when there was one."""
    return connection.execute(delete(facts).where(facts.c.name == name)).rowcount > 0
