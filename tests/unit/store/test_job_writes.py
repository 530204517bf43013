"""Receipts of what work on jobs wrote, on both databases (operations.md B-9)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from changeover.store import job_writes
from changeover.store.database import Database
from changeover.store.job_writes import JobWrite, WriteKind

AT = datetime(2026, 3, 4, 15, tzinfo=UTC)
ROW, OTHER = "recSTAY0000000001", "recSTAY0000000002"
JOB = f"job_{1:032x}"


def test_receipts_are_kept_by_cause_counted_and_forgotten_after_their_time(database: Database) -> None:
    cells = JobWrite(WriteKind.ROW, ROW, JOB, {"Assignee": None}, {"Assignee": "Robin Example"})
    name = JobWrite(WriteKind.NAME, ROW, JOB, {"name": "a"}, {"name": "b"})
    with database.begin() as connection:
        first, second = job_writes.add(connection, "run-1", [cells, name], AT)
        job_writes.add(connection, "run-2", [cells] * 450, AT + timedelta(days=1))
        job_writes.refuse(connection, [second])
    with database.read() as connection:
        found = job_writes.of(connection, "run-1")
        assert [(each.id, each.write, each.refused, each.at) for each in found] == [
            (first, cells, False, AT),
            (second, name, True, AT),
        ]
        assert job_writes.counts(connection, "run-1") == {"row": 1}
        assert job_writes.counts(connection, "run-2") == {"row": 450}
        assert job_writes.counts(connection, "run-3") == {}
    with database.begin() as connection:
        assert job_writes.prune(connection, AT + timedelta(hours=1)) == 2
        assert job_writes.of(connection, "run-1") == ()


def test_a_job_that_is_being_made_gets_its_id_or_was_not_made(database: Database) -> None:
    with database.begin() as connection:
        for record_id in (ROW, OTHER):
            job_writes.add(connection, "run-1", [JobWrite(WriteKind.JOB, record_id, "", {}, {"start": "x"})], AT)
        job_writes.made(connection, ROW, JOB)
        job_writes.made(connection, OTHER, "")
        job_writes.made(connection, OTHER, JOB)  # what was not made stays so
        found = job_writes.of(connection, "run-1")
    assert [(each.write.record_id, each.write.job_id, each.refused) for each in found] == [
        (ROW, JOB, False),
        (OTHER, "", True),
    ]
