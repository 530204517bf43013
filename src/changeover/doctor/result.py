"""What a check found, as a value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from changeover.airtable.client import AirtableClient
from changeover.settings import Settings
from changeover.store.database import Database
from changeover.store.mirror import Record


class Level(StrEnum):
    """How a check ended, mildest first."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Result:
    """One line of the doctor: which check, how it ended, what was seen, what to do. No secret, no feed URL in it."""

    check: str
    level: Level
    text: str
    do: str = ""


def ok(check: str, text: str) -> Result:
    return Result(check, Level.OK, text)


def warn(check: str, text: str, do: str) -> Result:
    return Result(check, Level.WARN, text, do)


def fail(check: str, text: str, do: str) -> Result:
    return Result(check, Level.FAIL, text, do)


@dataclass(frozen=True, slots=True)
class Patient:
    """What the checks look at. `rows` is what the base answered, by table; empty when it could not be asked."""

    settings: Settings
    now: datetime
    database: Database
    client: AirtableClient
    base_clock: datetime | None
    rows: Mapping[str, tuple[Record, ...]]

    @property
    def ticked(self) -> frozenset[str]:
        """Names of the automations that are switched on: what they need may fail a check, the rest only warns."""
        automations = self.rows.get("Automation", ())
        names = {str(row.fields.get("Name", "")).strip() for row in automations if row.fields.get("Active") is True}
        return frozenset(names)
