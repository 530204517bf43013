"""Brings a state database to the tables this release needs and says what is missing; it never drops data."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING

from sqlalchemy import inspect

from changeover.store import facts
from changeover.store.database import Database

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0007"
_ENGINE_FACT = "schema.durable_engine"


def migrate(url: str) -> None:
    """Creates or upgrades every table, ours and the durable engine's, which comes first (LB-4). Safe to repeat."""
    from alembic import command
    from dbos import DBOS

    database = Database(url)
    try:
        with database.read() as connection:
            connection.exec_driver_sql("SELECT 1")  # the file is in WAL mode before the engine opens it (LB-5)
        DBOS.migrate(url)
        with database.begin() as connection:
            config = alembic_config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            facts.put(connection, _ENGINE_FACT, _engine_version(), datetime.now(UTC))
    finally:
        database.close()


def pending(database: Database) -> tuple[str, ...]:
    """What `migrate` would still apply, in words; empty when this release can run on the database (C-22)."""
    with database.read() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return ("all tables",)
        found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
        if found != HEAD:
            return (f"tables {found} → {HEAD}",)
        engine = facts.read(connection, _ENGINE_FACT)
    wanted = _engine_version()
    if engine is None or engine.value != wanted:
        return (f"durable engine → {wanted}",)
    return ()


def is_new(database: Database) -> bool:
    """True for a database without any table of ours: the first start may migrate it without asking."""
    with database.read() as connection:
        return not inspect(connection).has_table("alembic_version")


def alembic_config() -> Config:
    """Alembic's configuration; the caller adds a connection to its attributes."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "changeover.store:migrations")
    return config


def _engine_version() -> str:
    # The engine keeps its own schema number where only its internals can read it; its release says the same.
    return f"dbos {version('dbos')}"
