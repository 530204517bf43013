"""A patient in good health, of which a test changes what it is about."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from changeover.airtable.client import AirtableClient, Tries
from changeover.doctor.result import Patient
from changeover.settings import folders, load
from changeover.store import schema
from changeover.store.database import Database
from changeover.store.gate import Gate
from changeover.store.mirror import Record

NOW = datetime(2026, 3, 16, 15, 0, tzinfo=UTC)


@pytest.fixture
def record() -> Callable[..., Record]:
    def make(key: str, **fields: object) -> Record:
        return Record(key, NOW, {name.replace("_", " "): value for name, value in fields.items()})

    return make


@pytest.fixture
def patient(tmp_path: Path) -> Iterator[Patient]:
    config = tmp_path / "config"
    config.mkdir()
    env_file = config / "dev.env"
    env_file.write_text("AIRTABLE_API_KEY=patDEVmadeup01\nAIRTABLE_BASE_ID=appDEVDEVDEVDEVD1\n")
    env_file.chmod(0o600)
    settings = load("dev", {"CHANGEOVER_CONFIG": str(config), "CHANGEOVER_HOME": str(tmp_path / "var")})
    folders.create(settings)
    schema.migrate(settings.state_url)
    database = Database(settings.state_url)
    # Nobody listens there: these checks must not ask the base.
    client = AirtableClient(
        settings.airtable_base_id, "patDEVmadeup01", "http://127.0.0.1:9", Gate(database, "x"), tries=Tries(waits=())
    )
    yield Patient(settings, NOW, database, client, NOW, {})
    database.close()
