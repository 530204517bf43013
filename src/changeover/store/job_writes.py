"""Receipts of what work on jobs wrote, to rows and to jobs, with what was there before (B-9); it writes neither."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import Connection, delete, func, insert, select, update

from changeover.store.facts import Json
from changeover.store.tables import job_writes

_CHUNK: Final = 400


class WriteKind(StrEnum):
    """Cells of a row; a job that was made; a new job's lines; the name of its first line; its schedule."""

    ROW = "row"
    JOB = "job"
    LINES = "lines"
    NAME = "name"
    SCHEDULE = "schedule"


@dataclass(frozen=True, slots=True)
class JobWrite:
    """One write: the row it is for, the job ("" while it is being made), what was there and what was sent, by field."""

    kind: WriteKind
    record_id: str
    job_id: str
    before: Mapping[str, Json]
    after: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Receipt:
    """A stored write. `cause` is a run's id, or what else had it made; `refused` means that it was not applied."""

    id: int
    cause: str
    at: datetime
    write: JobWrite
    refused: bool


def add(connection: Connection, cause: str, writes: Sequence[JobWrite], at: datetime) -> list[int]:
    """Stores writes that are about to be made; their ids in the order given."""
    statement = insert(job_writes).returning(job_writes.c.id, sort_by_parameter_order=True)
    ids: list[int] = []
    for start in range(0, len(writes), _CHUNK):
        ids += connection.scalars(statement, [_row(cause, each, at) for each in writes[start : start + _CHUNK]])
    return ids


def refuse(connection: Connection, ids: Collection[int]) -> None:
    """Notes that these were not applied."""
    connection.execute(update(job_writes).where(job_writes.c.id.in_(ids)).values(refused=True))


def made(connection: Connection, record_id: str, job_id: str) -> None:
    """The job that was being made for a row has this id now; "" for none: it was not made."""
    where = (
        job_writes.c.kind == WriteKind.JOB,
        job_writes.c.record_id == record_id,
        job_writes.c.job_id == "",
        job_writes.c.refused.is_(False),
    )
    connection.execute(update(job_writes).where(*where).values(job_id=job_id, refused=not job_id))


def of(connection: Connection, cause: str) -> tuple[Receipt, ...]:
    """What a run, or whatever else, had written, in order."""
    query = select(job_writes).where(job_writes.c.cause == cause).order_by(job_writes.c.id)
    return tuple(
        Receipt(
            row.id,
            row.cause,
            row.at,
            JobWrite(WriteKind(row.kind), row.record_id, row.job_id, row.before, row.after),
            row.refused,
        )
        for row in connection.execute(query)
    )


def last_part(connection: Connection, record_id: str, job_id: str) -> str:
    """Our part of the name that was last sent for a job's line, as far as anybody knows; "" for none."""
    where = (
        job_writes.c.record_id == record_id,
        job_writes.c.job_id == job_id,
        job_writes.c.kind == WriteKind.NAME,
        job_writes.c.refused.is_(False),
    )
    query = select(job_writes.c.after).where(*where).order_by(job_writes.c.id.desc()).limit(1)
    part = (connection.scalar(query) or {}).get("part")
    return part if isinstance(part, str) else ""


def counts(connection: Connection, cause: str) -> dict[str, int]:
    """How many of each kind were applied, as far as anybody knows."""
    where = (job_writes.c.cause == cause, job_writes.c.refused.is_(False))
    query = select(job_writes.c.kind, func.count()).where(*where).group_by(job_writes.c.kind)
    return {kind: number for kind, number in connection.execute(query.order_by(job_writes.c.kind))}  # noqa: C416 # rows


def prune(connection: Connection, before: datetime) -> int:
    """Deletes receipts older than that (B-9: 90 days); answers how many."""
    return connection.execute(delete(job_writes).where(job_writes.c.at < before)).rowcount


def _row(cause: str, write: JobWrite, at: datetime) -> dict[str, object]:
    return {
        "cause": cause,
        "kind": str(write.kind),
        "record_id": write.record_id,
        "job_id": write.job_id,
        "before": dict(write.before),
        "after": dict(write.after),
        "at": at,
        "refused": False,
    }
