"""Checks of what the program keeps itself: the state database, waiting writes, the stop switch (D-10, D-15)."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from changeover.doctor.result import Patient, Result, fail, ok, warn
from changeover.engine.stop import StopLevel, StopSwitch
from changeover.store import deliveries, holds, schema
from changeover.store.database import Database


def database(patient: Patient) -> Iterator[Result]:
    """D-10: it opens, is whole, and has the tables of this release."""
    try:
        whole = _whole(patient.database)
        missing = schema.pending(patient.database)
    except SQLAlchemyError:
        yield fail("database", "cannot be read", "see DATABASE_URL; losing it loses no stay (restore or start anew)")
        return
    if not whole:
        yield fail("database", "the file is damaged", "move it away: the next run makes it again from the base")
    elif missing:
        yield warn("database", f"to migrate: {', '.join(missing)}", "the next run does it")
    else:
        yield ok("database", "whole, and of this release")


def waiting(patient: Patient) -> Iterator[Result]:
    """D-10: writes that wait for delivery, and removals that wait for a person."""
    if schema.pending(patient.database):
        return
    with patient.database.read() as connection:
        writes, held = deliveries.pending(connection), len(holds.load_all(connection))
    if writes:
        yield warn("deliveries", f"{writes} writes wait", "the next run sends them")
    else:
        yield ok("deliveries", "nothing waits")
    if held:
        env = patient.settings.environment
        yield warn("held", f"{held} removals wait for a person", f"changeover held list --env {env}")


def stop(patient: Patient) -> Iterator[Result]:
    """D-15: the stop switch."""
    state = StopSwitch(patient.settings.folder, patient.database).state()
    if state.level is StopLevel.NONE:
        yield ok("stop", "not stopped")
    else:
        env = patient.settings.environment
        yield warn("stop", f"stopped ({state.level}) {state.why}".strip(), f"changeover resume --env {env}")


def _whole(database: Database) -> bool:
    with database.read() as connection:
        question = "PRAGMA quick_check" if database.sqlite else "SELECT 'ok'"
        return bool(connection.execute(text(question)).scalar() == "ok")
