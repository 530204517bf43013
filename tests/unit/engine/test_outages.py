"""A service that is left alone is asked how it is, and people are told when that lasts (C-65, A-11)."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from changeover.airtable import errors as airtable_errors
from changeover.core.plan import Alert, Level
from changeover.engine.outages import Outages, Service
from changeover.engine.stop import Stop, StopLevel, StopSwitch
from changeover.housecallpro import errors as hcp_errors
from changeover.store import alerts
from changeover.store.database import Database
from changeover.store.hcp_gate import HcpGate, Purpose

START = datetime(2026, 3, 4, 15, tzinfo=UTC)
KEY = "dev:hcp_down:housecallpro"


@dataclass
class Patient:
    """Housecall Pro, as long as `error` is None; every question goes through its gate."""

    database: Database
    switch: StopSwitch
    now: datetime = START
    error: Exception | None = None
    asked: int = 0
    gate: HcpGate = field(init=False)

    def __post_init__(self) -> None:
        self.gate = HcpGate(self.database, hourly_limit=1000, clock=self.seconds)
        service = Service("hcp_down", "housecallpro", "Housecall Pro", self.gate.circuit, self.ask)
        self.outages = Outages("dev", self.database, self.switch, [service], lambda: self.now)

    def seconds(self) -> float:
        return self.now.timestamp()

    def ask(self) -> None:
        self.asked += 1
        self.gate.admit(Purpose.CHECK)
        self.gate.circuit.heard(200 if self.error is None else None)
        if self.error is not None:
            raise self.error

    def falls_silent(self, error: Exception) -> None:
        self.error = error
        for _ in range(5):
            self.gate.admit(Purpose.WEBHOOK)
            self.gate.circuit.heard(503)
            self.now += timedelta(seconds=1)

    def look(self, after: timedelta = timedelta(seconds=30)) -> list[str]:
        """The open alerts after the worker has looked."""
        self.now += after
        self.outages.look()
        with self.database.read() as connection:
            return [each.key for each in alerts.standing(connection)]


@pytest.fixture
def patient(migrated_sqlite: Path, tmp_path: Path) -> Iterator[Patient]:
    shutil.copy(migrated_sqlite, tmp_path / "state.db")
    database = Database(f"sqlite:///{tmp_path / 'state.db'}")
    yield Patient(database, StopSwitch(tmp_path))
    database.close()


@pytest.mark.parametrize("error", [hcp_errors.Transport(), airtable_errors.Unavailable("timeout")])
def test_an_outage_of_five_minutes_is_one_alert_that_ends_with_it(patient: Patient, error: Exception) -> None:
    assert patient.look() == []
    patient.falls_silent(error)
    assert [patient.look() for _ in range(9)] == [[]] * 9
    assert [patient.look() for _ in range(3)] == [[KEY]] * 3
    with patient.database.read() as connection:
        alert = alerts.show(connection, KEY)
    assert alert is not None
    assert (alert.count, alert.level) == (1, Level.ERROR)
    assert alert.text.startswith("Housecall Pro has not answered since 2026-03-04 15:00 UTC")
    patient.error = None
    assert patient.look() == []
    assert patient.gate.circuit.state().opened_at is None


def test_a_service_that_is_well_is_not_asked(patient: Patient) -> None:
    patient.look()
    assert patient.asked == 0


def test_at_a_full_stop_nothing_is_asked(patient: Patient) -> None:
    """E-8."""
    patient.falls_silent(hcp_errors.Transport())
    patient.switch.set(Stop(StopLevel.FULL, "a drill"))
    assert patient.look(timedelta(minutes=6)) == [KEY]
    assert patient.asked == 0


def test_what_a_run_has_said_is_not_taken_back_here(patient: Patient) -> None:
    with patient.database.begin() as connection:
        told = Alert("hcp_down", "housecallpro", Level.ERROR, "it answers with pages")
        alerts.open_or_repeat(connection, "dev", told, START, "run-1")
    assert patient.look() == [KEY]
