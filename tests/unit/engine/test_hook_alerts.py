"""Webhooks that have stopped coming although jobs change (A-9)."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from changeover.engine import hook_alerts
from changeover.store import alerts, events
from changeover.store.database import Database
from changeover.store.events import Event, EventKind, EventState

START = datetime(2026, 3, 4, 15, tzinfo=UTC)
HOUR = timedelta(hours=1)


@dataclass
class Cycles:
    database: Database
    number: int = 0

    def at(self, when: datetime, *changes: datetime) -> bool:
        """A cycle that finds jobs changed then; whether the alert is open after it."""
        with self.database.begin() as connection:
            hook_alerts.polled(connection, "dev", changes, when)
            return [each.key for each in alerts.standing(connection)] == ["dev:webhooks_silent:housecallpro"]

    def webhook(self, when: datetime, state: EventState = EventState.DONE) -> None:
        self.number += 1
        with self.database.begin() as connection:
            events.put(connection, [Event(f"hcp-{self.number}", EventKind.HCP, state, when, "", {}, when)])


@pytest.fixture
def cycles(migrated_sqlite: Path, tmp_path: Path) -> Iterator[Cycles]:
    shutil.copy(migrated_sqlite, tmp_path / "state.db")
    database = Database(f"sqlite:///{tmp_path / 'state.db'}")
    yield Cycles(database)
    database.close()


def test_a_day_without_a_webhook_is_silence_only_when_jobs_have_changed(cycles: Cycles) -> None:
    cycles.webhook(START)
    assert not cycles.at(START + 12 * HOUR, START + 11 * HOUR)
    assert cycles.at(START + 24 * HOUR)
    assert cycles.at(START + 28 * HOUR)
    with cycles.database.read() as connection:
        (alert,) = alerts.standing(connection)
    assert alert.count == 1
    assert alert.text.startswith("no webhook of Housecall Pro since 2026-03-04 15:00 UTC, although jobs have changed")


def test_a_quiet_weekend_is_no_silence(cycles: Cycles) -> None:
    cycles.webhook(START)
    assert not cycles.at(START + HOUR, START - HOUR)
    assert not cycles.at(START + 72 * HOUR)


def test_a_change_of_just_now_may_still_be_told(cycles: Cycles) -> None:
    cycles.webhook(START)
    change = START + 40 * HOUR
    assert not cycles.at(change + timedelta(minutes=4), change)
    assert cycles.at(change + 4 * HOUR)


def test_where_none_has_ever_come_the_day_counts_from_the_first_cycle(cycles: Cycles) -> None:
    assert not cycles.at(START, START - HOUR)
    assert not cycles.at(START + 20 * HOUR, START + 19 * HOUR)
    assert cycles.at(START + 24 * HOUR)


def test_the_next_webhook_ends_it(cycles: Cycles) -> None:
    cycles.webhook(START)
    assert cycles.at(START + 30 * HOUR, START + 20 * HOUR)
    cycles.webhook(START + 31 * HOUR)
    assert not cycles.at(START + 32 * HOUR)
    assert cycles.at(START + 60 * HOUR, START + 59 * HOUR)
    with cycles.database.begin() as connection:
        hook_alerts.came(connection, "dev", START + 61 * HOUR)
        assert alerts.standing(connection) == ()


@pytest.mark.parametrize("state", [EventState.FOREIGN, EventState.REJECTED])
def test_what_is_not_our_companys_is_no_webhook_of_it(cycles: Cycles, state: EventState) -> None:
    cycles.webhook(START)
    cycles.webhook(START + 23 * HOUR, state)
    assert cycles.at(START + 25 * HOUR, START + 22 * HOUR)
