"""What an automation is handed for one run: clients, stores, rules and the means to stop; built once per cycle."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy import Connection

from changeover.core.plan import Plan
from changeover.core.stay import Rules
from changeover.engine.base import Base, Reread
from changeover.engine.jobs.office import Office
from changeover.engine.outcome import Failure, Outcome
from changeover.settings import Settings
from changeover.sources.csv.suppliers import Supplier
from changeover.sources.ics.platforms import Platforms
from changeover.store.database import Database


@dataclass(frozen=True, slots=True)
class Delivered:
    """How a delivery ended: what is still waiting, what was refused for good, and what stood in the way."""

    waiting: int = 0
    refused: int = 0
    failure: Failure | None = None


class ReadAgain(Protocol):
    """Brings tables of the mirror up to the base (AT-32); with `whole` all their rows are read (AT-36)."""

    def __call__(self, tables: Sequence[str], *, whole: bool = False) -> Reread: ...


@dataclass(frozen=True, slots=True)
class Work:
    """One automation's run (C-16). `now` is the business's clock; `deliver` sends what `run_id` has committed.

    `jobs` opens what the steps of jobs share in a cycle; it raises NotSetUp without Housecall Pro.

    `sleep` waits, and raises at once when the run is to end meanwhile; `asked_to_end` says so without waiting.
    """

    settings: Settings
    db: Database
    rules: Rules
    platforms: Platforms
    suppliers: Sequence[Supplier]
    base: Base
    run_id: str
    now: datetime
    dry_run: bool
    observe: bool
    read_again: ReadAgain
    still_ours: Callable[[Connection], None]
    deliver: Callable[[str], Delivered]
    calls: Callable[[], int]
    sleep: Callable[[float], None]
    jobs: Callable[[], Office]
    asked_to_end: Callable[[], bool]
    limit: int | None = None

    @property
    def env(self) -> str:
        return self.settings.environment


@dataclass(frozen=True, slots=True)
class Done:
    """An automation's outcome, with its plan where one was made."""

    outcome: Outcome
    plan: Plan | None = None
