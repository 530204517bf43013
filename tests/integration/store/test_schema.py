from __future__ import annotations

import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect

from changeover.store import facts, schema
from changeover.store.database import Database
from changeover.store.tables import metadata

NOW = datetime(2026, 3, 4, 15, tzinfo=UTC)


def test_the_revisions_make_exactly_the_tables_the_code_speaks_of(database: Database) -> None:
    with database.begin() as connection:
        options = {
            "compare_type": True,
            "include_name": lambda name, kind, _: kind != "table" or name in metadata.tables,
        }
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, metadata) == []


def test_the_head_named_in_the_code_is_the_last_revision() -> None:
    assert ScriptDirectory.from_config(schema.alembic_config()).get_current_head() == schema.HEAD


def test_a_new_postgres_database_is_brought_to_all_tables(postgres_url: str) -> None:
    database = Database(postgres_url)
    assert schema.is_new(database)
    assert schema.pending(database) == ("all tables",)
    schema.migrate(postgres_url)
    assert schema.pending(database) == ()
    with database.read() as connection:
        tables = inspect(connection)
        assert set(metadata.tables) <= set(tables.get_table_names())
        assert tables.has_table("workflow_status", schema="dbos")
    database.close()


def test_a_new_sqlite_file_is_private_and_in_wal_mode(tmp_path: Path) -> None:
    path = tmp_path / "prod" / "state.db"
    schema.migrate(f"sqlite:///{path}")
    database = Database(f"sqlite:///{path}")
    assert not schema.is_new(database)
    with database.read() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
        assert inspect(connection).has_table("workflow_status")
    for each in (path, *path.parent.glob("state.db-*")):
        assert stat.S_IMODE(each.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    database.close()


def test_migrating_again_changes_nothing(database: Database) -> None:
    with database.begin() as connection:
        facts.put(connection, "kept", {"n": 1}, NOW)
    schema.migrate(database.url)
    with database.read() as connection:
        kept = facts.read(connection, "kept")
    assert kept == facts.Fact("kept", {"n": 1}, NOW)
    assert schema.pending(database) == ()


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("UPDATE alembic_version SET version_num = '0000'", "tables 0000 → 0001"),
        ("DELETE FROM facts", "durable engine → dbos 3"),
        ("UPDATE facts SET value = '\"dbos 3.0.0\"'", "durable engine → dbos 3"),
    ],
)
def test_what_is_behind_is_named(database: Database, statement: str, expected: str) -> None:
    with database.begin() as connection:
        connection.exec_driver_sql(statement)
    (found,) = schema.pending(database)
    assert found.startswith(expected)
