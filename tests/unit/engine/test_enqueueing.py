"""What is enqueued the quick way is what the engine of durable work enqueues by itself."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from changeover.engine import intake
from changeover.engine.enqueueing import enqueue

_OF_ITS_OWN = {
    "workflow_uuid",
    "created_at",
    "updated_at",
    "creator_xid",
    "retention_timestamp",
    "delay_until_epoch_ms",
}
WORK = [
    {"workflow_name": "mail.v1", "queue_name": "mails"},
    {"workflow_name": "hook.v1", "queue_name": "hooks", "queue_partition_key": "job_1", "delay_seconds": 1.0},
    {"workflow_name": "run.v1", "queue_name": "runs", "priority": 3, "attributes": {"kind": "cycle"}},
]


@pytest.fixture
def client(database):
    client = intake.client("dev", database)
    yield client
    client.destroy()


def rows(database, work_id):
    """All that is stored of a workflow but its id, its instants and its tokens."""
    schema = "" if database.sqlite else "dbos."
    found = []
    with database.read() as connection:
        for table in ("workflow_status", "workflow_input"):
            query = text(f"SELECT * FROM {schema}{table} WHERE workflow_uuid = :id")
            row = dict(connection.execute(query, {"id": work_id}).mappings().one())
            found.append({name: value for name, value in row.items() if name not in _OF_ITS_OWN})
    return found


@pytest.mark.parametrize("work", WORK)
def test_it_stores_what_the_library_stores_by_itself(database, client, work):
    with database.begin() as connection:
        client.enqueue_in_transaction(connection, work | {"workflow_id": "slow"}, "event-1", 2)
        for name in ("first", "again"):
            enqueue(connection, client, work | {"workflow_id": name}, "event-1", 2)
    assert rows(database, "slow") == rows(database, "first") == rows(database, "again")


def test_the_same_id_again_adds_nothing(database, client):
    with database.begin() as connection:
        for event in ("event-1", "event-2"):
            enqueue(connection, client, WORK[0] | {"workflow_id": "w"}, event)
    assert len(rows(database, "w")) == 2


def test_it_is_part_of_the_callers_transaction(database, client):
    with database.engine.connect() as connection:
        connection.begin()
        enqueue(connection, client, WORK[0] | {"workflow_id": "w"}, "event-1")
        connection.rollback()
    with database.read() as connection:
        table = "workflow_status" if database.sqlite else "dbos.workflow_status"
        assert connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one() == 0
