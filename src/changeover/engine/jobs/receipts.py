"""Keeps what work on jobs is about to write, and what is there now, so that it can be taken back (B-9)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields
from datetime import datetime
from typing import Final

from changeover.airtable import errors as airtable_errors
from changeover.core.job import Job
from changeover.core.job_order import JobOrder
from changeover.core.job_schedule import MoveJob, MoveVisit, Unschedule
from changeover.engine.jobs.desk import JobDesk
from changeover.housecallpro import errors as hcp_errors
from changeover.store import job_writes
from changeover.store.facts import Json
from changeover.store.job_writes import JobWrite, WriteKind

_NOT_APPLIED: Final = (
    hcp_errors.Fatal,
    hcp_errors.Rejected,
    hcp_errors.RateLimited,
    hcp_errors.Halted,
    hcp_errors.LeftAlone,
    airtable_errors.Fatal,
    airtable_errors.RateLimited,
    airtable_errors.Halted,
    airtable_errors.LeftAlone,
)


@contextmanager
def of(desk: JobDesk, writes: Sequence[JobWrite]) -> Iterator[None]:
    """Around writes that go out together. Those that surely were not applied are marked so; of the others nobody knows.

    Cut off in between, the receipt stands though perhaps nothing was written: whoever takes a write back looks first.
    """
    with desk.db.begin() as connection:
        ids = job_writes.add(connection, desk.cause, writes, desk.clock())
    try:
        yield
    except _NOT_APPLIED:
        with desk.db.begin() as connection:
            job_writes.refuse(connection, ids)
        raise


def of_order(order: JobOrder) -> JobWrite:
    """A job that is going to be made: its id is noted when it is known."""
    names = ("customer_id", "address_id", "job_type_id", "employee_id", "start", "end")
    return JobWrite(WriteKind.JOB, order.record_id, "", {}, {name: _json(getattr(order, name)) for name in names})


def of_schedule(record_id: str, job: Job, change: MoveJob | MoveVisit | Unschedule) -> JobWrite:
    """A change of a job's schedule, or of one of its visits."""
    visit_id = "" if isinstance(change, MoveJob) else change.visit_id
    visit = next((each for each in job.visits if each.id == visit_id), None)
    before: dict[str, Json] = {
        "visit_id": visit_id,
        "start": _json(job.start if visit is None else visit.start),
        "end": _json(job.end if visit is None else visit.end),
        "employee_ids": list(job.employee_ids if visit is None else visit.employee_ids),
    }
    return JobWrite(WriteKind.SCHEDULE, record_id, job.id, before, _values(change))


def _values(change: MoveJob | MoveVisit | Unschedule) -> Mapping[str, Json]:
    return {each.name: _json(getattr(change, each.name)) for each in fields(change)}


def _json(value: str | int | datetime | tuple[str, ...] | None) -> Json:
    if isinstance(value, datetime):
        return value.isoformat()
    return list(value) if isinstance(value, tuple) else value
