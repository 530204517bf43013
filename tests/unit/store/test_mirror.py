"""The stored copy of the base, on both databases."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection

from changeover.store import mirror
from changeover.store.database import Database
from changeover.store.mirror import Cursor, Record

NOW = datetime(2026, 3, 4, 15, tzinfo=UTC)
TABLE = "Reservations"


@pytest.fixture
def conn(database: Database) -> Iterator[Connection]:
    with database.begin() as connection:
        yield connection


def record(number: int, **fields: str) -> Record:
    return Record(f"rec{number:014}", NOW + timedelta(minutes=number), fields)


def test_records_are_kept_as_they_are_now_oldest_first(conn: Connection) -> None:
    assert mirror.put(conn, TABLE, [record(2, Status="New"), record(1, Status="Old")]) == 2
    mirror.put(conn, TABLE, [record(2, Status="Modified")])
    mirror.put(conn, "Properties", [record(3)])
    assert mirror.load(conn, TABLE) == (record(1, Status="Old"), record(2, Status="Modified"))
    assert mirror.count(conn, TABLE) == 2
    assert mirror.put(conn, TABLE, []) == 0


def test_a_deleted_record_becomes_a_tombstone_and_may_come_back(conn: Connection) -> None:
    mirror.put(conn, TABLE, [record(1), record(2)])
    mirror.bury(conn, TABLE, [record(1).id], NOW)
    assert mirror.load(conn, TABLE) == (record(2),)
    assert mirror.tombstones(conn, TABLE) == (record(1),)
    assert mirror.find(conn, TABLE, [record(1).id, "recNOBODY"]) == {record(1).id: record(1)}
    mirror.put(conn, TABLE, [record(1)])
    assert mirror.tombstones(conn, TABLE) == ()


def test_a_record_that_leaves_the_horizon_leaves_no_trace(conn: Connection) -> None:
    mirror.put(conn, TABLE, [record(1)])
    mirror.forget(conn, TABLE, [record(1).id])
    assert mirror.load(conn, TABLE) == mirror.tombstones(conn, TABLE) == ()


def test_cursors_are_kept_by_table_until_all_are_dropped(conn: Connection) -> None:
    assert mirror.cursor(conn, TABLE) is None
    mirror.save_cursor(conn, TABLE, Cursor(NOW, NOW))
    later = Cursor(NOW + timedelta(hours=1), NOW)
    mirror.save_cursor(conn, TABLE, later)
    assert mirror.cursor(conn, TABLE) == later
    mirror.drop_cursors(conn)
    assert mirror.cursor(conn, TABLE) is None


def test_thousands_of_records_fit_through_one_call(conn: Connection) -> None:
    many = [record(number, Status="New") for number in range(2_500)]
    mirror.put(conn, TABLE, many)
    assert mirror.load(conn, TABLE) == tuple(many)
    assert len(mirror.find(conn, TABLE, [each.id for each in many])) == 2_500
