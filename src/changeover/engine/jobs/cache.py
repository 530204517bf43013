"""What was last read of jobs, beside the base: so that no older state overwrites a newer one (J-76); it asks nobody."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection

from changeover.airtable import job_rows
from changeover.core.job import Gone, Job, JobRow
from changeover.engine.jobs.desk import JobDesk
from changeover.store import jobs as store
from changeover.store.facts import Json
from changeover.store.jobs import CachedJob


def taken(desk: JobDesk, but: str = "") -> frozenset[str]:
    """The jobs that rows have already, Removed ones too, or that are being made for one; `but` for this row's own."""
    with desk.db.read() as connection:
        on_rows = {row.job_id for row in job_rows.mirrored(connection) if row.job_id}
        being_made = {each.job_id for each in store.open_intents(connection) if each.job_id and each.record_id != but}
    return frozenset(on_rows | being_made)


def entry(row: JobRow, job: Job | Gone, desk: JobDesk) -> CachedJob:
    """A job as applied to its row now."""
    updated = job.updated if isinstance(job, Job) else None
    return CachedJob(
        job_id=row.job_id, record_id=row.record_id, updated_at=updated, applied_at=desk.clock(), body=body(job)
    )


def remember(connection: Connection, desk: JobDesk, row: JobRow, job: Job | Gone) -> None:
    """Stores that a job was applied to its row."""
    if row.job_id:
        store.remember(connection, [entry(row, job, desk)])


def is_older(job: Job | Gone, known: CachedJob | None) -> bool:
    """Whether a read is older than the one that was last applied (J-76); a job that is gone is never older."""
    if known is None or known.updated_at is None or isinstance(job, Gone) or job.updated is None:
        return False
    return job.updated < known.updated_at


def body(job: Job | Gone) -> Mapping[str, Json]:
    """What is kept of a job for people to look at: no name of a customer and no phone."""
    if isinstance(job, Gone):
        return {"gone": True}
    return {
        "work_status": job.work_status,
        "start": None if job.start is None else job.start.isoformat(),
        "end": None if job.end is None else job.end.isoformat(),
        "customer_id": job.customer_id,
        "address_id": job.address_id,
        "job_type_id": job.job_type_id,
        "total_cents": job.total_cents,
        "locked": job.locked_at is not None,
    }
