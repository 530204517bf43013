from __future__ import annotations

import stat
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy.exc import DBAPIError, StatementError

from changeover.store import facts
from changeover.store.database import Database, UnusableUrl
from changeover.store.tables import Instant

NOW = datetime(2026, 3, 4, 15, tzinfo=UTC)


class Broken(Exception):
    """A fault in the middle of a transaction."""


def test_a_failed_transaction_leaves_nothing(database: Database) -> None:
    def work() -> None:
        with database.begin() as connection:
            facts.put(connection, "half", 1, NOW)
            raise Broken

    with pytest.raises(Broken):
        work()
    with database.read() as connection:
        assert facts.read(connection, "half") is None


def test_a_reader_sees_one_state_and_never_waits_for_a_writer(database: Database) -> None:
    with database.begin() as connection:
        facts.put(connection, "n", 1, NOW)
    with database.read() as reader:
        assert facts.read(reader, "n") == facts.Fact("n", 1, NOW)
        with database.begin() as writer:
            facts.put(writer, "n", 2, NOW)
            with database.read() as other:
                assert facts.read(other, "n") == facts.Fact("n", 1, NOW)
        assert facts.read(reader, "n") == facts.Fact("n", 1, NOW)
    with database.read() as reader:
        assert facts.read(reader, "n") == facts.Fact("n", 2, NOW)


def test_a_writer_does_not_wait_longer_than_it_was_told(tmp_path: Path, migrated_sqlite: Path) -> None:
    path = tmp_path / "state.db"
    path.write_bytes(migrated_sqlite.read_bytes())
    slow, hasty = Database(f"sqlite:///{path}"), Database(f"sqlite:///{path}", busy_timeout_ms=1)
    with slow.begin(), pytest.raises(DBAPIError, match="locked"), hasty.begin():
        pass
    slow.close()
    hasty.close()


def test_nothing_done_in_a_read_is_kept(database: Database) -> None:
    try:
        with database.read() as connection:
            facts.put(connection, "sneaked", 1, NOW)
    except DBAPIError:
        assert not database.sqlite  # PostgreSQL refuses at once
    with database.read() as connection:
        assert facts.read(connection, "sneaked") is None


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("sqlite://", "in memory"),
        ("sqlite:///:memory:", "in memory"),
        ("sqlite:////tmp/x.db?mode=memory", "in memory"),
        ("sqlite:///state.db", "absolute"),
        ("postgresql://u:hunter2@db/x", "postgresql\\+psycopg"),
        ("mysql://u:hunter2@db/x", "postgresql\\+psycopg"),
        ("hunter2", "cannot be read"),
    ],
)
def test_a_url_that_cannot_work_is_refused_without_showing_it(url: str, reason: str) -> None:
    with pytest.raises(UnusableUrl, match=reason) as caught:
        Database(url)
    assert "hunter2" not in str(caught.value)


def test_an_existing_folder_keeps_its_rights(tmp_path: Path) -> None:
    folder = tmp_path / "shared"
    folder.mkdir()
    folder.chmod(0o770)
    Database(f"sqlite:///{folder}/state.db").close()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o770


def test_a_naive_instant_is_refused(database: Database) -> None:
    naive = datetime(2026, 3, 4, 15)  # noqa: DTZ001 - the point of the test
    with database.begin() as connection, pytest.raises(StatementError, match="naive"):
        facts.put(connection, "x", 1, naive)


def test_an_instant_comes_back_in_utc_whatever_zone_it_had(database: Database) -> None:
    phoenix = timezone(timedelta(hours=-7))
    with database.begin() as connection:
        facts.put(connection, "x", 1, NOW.astimezone(phoenix))
        found = facts.read(connection, "x")
    assert found is not None
    assert found.at == NOW
    assert found.at.tzinfo is UTC


def test_no_instant_is_no_instant(database: Database) -> None:
    dialect = database.engine.dialect
    assert Instant().process_bind_param(None, dialect) is None
    assert Instant().process_result_value(None, dialect) is None


def test_closing_ends_the_connections(database: Database) -> None:
    with database.begin() as connection:
        facts.put(connection, "x", 1, NOW)
    database.close()
    with database.read() as connection:  # opens anew
        assert facts.read(connection, "x") is not None
