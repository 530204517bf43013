"""What people ask for is one action at a time per row, on both databases (J-105)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from changeover.store import operations
from changeover.store.database import Database
from changeover.store.operations import Asked, Busy, OperationState

NOW = datetime(2026, 3, 4, 15, tzinfo=UTC)
STAY, OTHER = "recSTAY0000000001", "recSTAY0000000002"


def test_the_same_request_joins_and_another_is_busy(database: Database) -> None:
    with database.begin() as connection:
        first = operations.ask(connection, "create-job", STAY, "Casey", NOW)
    with database.begin() as connection:
        second = operations.ask(connection, "create-job", STAY, None, NOW)
        other = operations.ask(connection, "delete-schedule", STAY, None, NOW)
        elsewhere = operations.ask(connection, "create-job", OTHER, None, NOW)

    assert isinstance(first, Asked)
    assert not first.joined
    assert second == Asked(first.id, joined=True)
    assert other == Busy("create-job")
    assert isinstance(elsewhere, Asked)
    assert not elsewhere.joined


def test_an_answered_operation_makes_room_and_keeps_its_first_answer(database: Database) -> None:
    with database.begin() as connection:
        asked = operations.ask(connection, "create-job", STAY, "Casey", NOW)
        assert isinstance(asked, Asked)
        assert operations.answer(connection, asked.id, {"success": True}, NOW + timedelta(seconds=2))
        assert not operations.answer(connection, asked.id, {"success": False}, NOW + timedelta(seconds=3))
        assert not operations.answer(connection, "unknown", {}, NOW)
        again = operations.ask(connection, "create-job", STAY, None, NOW + timedelta(seconds=4))
    with database.read() as connection:
        done = operations.find(connection, asked.id)
        waiting = operations.waiting(connection)
        newest = operations.recent(connection, limit=1)

    assert isinstance(again, Asked)
    assert again.id != asked.id
    assert done == operations.Operation(
        asked.id, "create-job", STAY, OperationState.DONE, NOW, "Casey", {"success": True}, NOW + timedelta(seconds=2)
    )
    assert [each.id for each in waiting] == [each.id for each in newest] == [again.id]


def test_nothing_is_known_of_a_row_that_nobody_asked_for(database: Database) -> None:
    with database.read() as connection:
        assert operations.find(connection, "unknown") is None
        assert operations.open_of(connection, STAY) is None


def test_what_ended_long_ago_is_forgotten_and_what_is_under_way_is_not(database: Database) -> None:
    with database.begin() as connection:
        old = operations.ask(connection, "create-job", STAY, None, NOW)
        open_one = operations.ask(connection, "create-job", OTHER, None, NOW)
        assert isinstance(old, Asked)
        assert isinstance(open_one, Asked)
        operations.answer(connection, old.id, {}, NOW)

        assert operations.prune(connection, NOW + timedelta(days=30)) == 1
        assert operations.find(connection, old.id) is None
        assert operations.find(connection, open_one.id) is not None
