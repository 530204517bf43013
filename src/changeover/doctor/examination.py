"""Runs the checks in order; one that breaks is a failed line, never the end of the examination."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from changeover.airtable.client import AirtableClient
from changeover.airtable.errors import AirtableError
from changeover.doctor import jobs, machine, outside, portal, state
from changeover.doctor.base import connected
from changeover.doctor.result import Patient, Result, fail
from changeover.ops import logging
from changeover.settings import Settings
from changeover.store.gate import Purpose
from changeover.store.mirror import Record

Check = Callable[[Patient], Iterator[Result]]
CHECKS: tuple[Check, ...] = (
    machine.settings,
    machine.secrets,
    machine.files,
    machine.folders,
    machine.disk_space,
    machine.memory,
    machine.clock,
    machine.schedule,
    state.database,
    state.waiting,
    state.stop,
    outside.base,
    outside.automations,
    outside.feeds,
    outside.reservations,
    outside.budget,
    portal.settings,
    portal.browser,
    jobs.company,
    jobs.homes,
)
_TABLES = ("Environment", "Automation", "ICS Feeds")
log = logging.get(__name__)


def examine(settings: Settings) -> list[Result]:
    """Every check's lines. The base is asked in a handful of calls, for reading only."""
    with connected(settings) as (client, database):
        rows, clock = _rows(client)
        patient = Patient(settings, datetime.now(UTC), database, client, clock, rows)
        return [result for check in CHECKS for result in _results(check, patient)]


def _rows(client: AirtableClient) -> tuple[dict[str, tuple[Record, ...]], datetime | None]:
    """The small tables as they are now; a table that cannot be read is left out, the schema check says why."""
    found: dict[str, tuple[Record, ...]] = {}
    clock: datetime | None = None
    for table in _TABLES:
        try:
            reading = client.read(table, Purpose.CHECK)
        except AirtableError:
            continue
        found[table], clock = reading.records, reading.at or clock
    return found, clock


def _results(check: Check, patient: Patient) -> list[Result]:
    try:
        return list(check(patient))
    except Exception:
        log.exception("doctor.check_failed", check=check.__name__)
        return [fail(check.__name__, "the check itself failed", "see the log file of the process cli")]
