from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy.exc import SQLAlchemyError

from changeover.engine.stop import FACT, Stop, StopLevel, StopSwitch
from changeover.store import facts
from changeover.store.database import Database
from changeover.store.schema import migrate

NOW = datetime(2026, 3, 4, 15, tzinfo=UTC)


@pytest.fixture
def shared(postgres_url: str) -> Iterator[Database]:
    migrate(postgres_url)
    database = Database(postgres_url)
    yield database
    database.close()


def test_a_stop_set_on_one_host_holds_on_every_host(shared: Database, tmp_path: Path) -> None:
    here, there = StopSwitch(tmp_path / "here", shared), StopSwitch(tmp_path / "there", shared)
    assert here.set(Stop(StopLevel.READ_ONLY, "wrong rows", "Ana", NOW))
    assert there.state() == Stop(StopLevel.READ_ONLY, "wrong rows", "Ana", NOW)
    there.clear()
    assert there.state().level is StopLevel.NONE
    assert here.state().level is StopLevel.READ_ONLY  # its own file stands until someone lifts it there


def test_the_strictest_of_file_and_row_wins(shared: Database, tmp_path: Path) -> None:
    switch = StopSwitch(tmp_path, shared)
    switch.set(Stop(StopLevel.PAUSE))
    with shared.begin() as connection:
        facts.put(connection, FACT, {"level": "full"}, NOW)
    assert switch.state().level is StopLevel.FULL


def test_a_row_nobody_understands_stops_everything(shared: Database, tmp_path: Path) -> None:
    with shared.begin() as connection:
        facts.put(connection, FACT, {"level": "halt"}, NOW)
    assert StopSwitch(tmp_path, shared).state().level is StopLevel.FULL


def test_a_stop_needs_no_database_and_resuming_does(shared: Database, tmp_path: Path) -> None:
    away = Database(shared.url.replace("/t", "/gone"))
    switch = StopSwitch(tmp_path, away)
    assert switch.set(Stop(StopLevel.PAUSE)) is False
    assert (tmp_path / "stop.json").exists()
    assert switch.state() == Stop(StopLevel.FULL, "the database cannot be asked")
    with pytest.raises(SQLAlchemyError):
        switch.clear()
    assert (tmp_path / "stop.json").exists()
    away.close()


def test_on_sqlite_there_is_no_row(tmp_path: Path, migrated_sqlite: Path) -> None:
    database = Database(f"sqlite:///{migrated_sqlite}")
    switch = StopSwitch(tmp_path, database)
    switch.set(Stop(StopLevel.FULL))
    with database.read() as connection:
        assert facts.read(connection, FACT) is None
    switch.clear()
    database.close()
