"""The program's own layers in this process: quick where it would wait, and mortal at any point where it writes."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, Self
from unittest import mock

import structlog
from sqlalchemy import create_engine, func, select

from changeover import controller, rulefiles
from changeover.airtable.deliver import Delivery
from changeover.engine import calendars, cycle, delivering, lease, opening, reports
from changeover.engine.durable import Durable
from changeover.engine.jobs import adding, lining, office, reconciling, syncing
from changeover.engine.jobs import desk as job_desk
from changeover.engine.jobs.desk import JobDesk, Pauses
from changeover.engine.results import CycleResult, RunRequest
from changeover.engine.rules import RuleBook, rule_book
from changeover.settings import Settings, load
from changeover.sources.ics import fetch as fetch_module
from changeover.sources.ics.fetch import FetchSettings
from changeover.store import deliveries, holds
from changeover.store import jobs as job_store
from changeover.store import schema as store_schema
from changeover.store.database import Database
from changeover.store.gate import Gate
from changeover.store.leases import Holder
from changeover.store.tables import metadata, plans, runs
from stateful.mortal import (
    AT_ONCE,
    QUICK,
    Fate,
    Here,
    Killed,
    MortalClient,
    MortalCompany,
    MortalDatabase,
    QuickGate,
    Straight,
    WatchedLease,
)
from stateful.stand_ins import BASE, KEY, StandIns
from stateful.wires import CalendarSession, DirectLine

FEED_TIMEOUT = 0.25
LIVED = (calendars.NAME, reports.NAME)  # the steps that these businesses have something for
JOBS = (reconciling.NAME, adding.NAME, syncing.NAME, lining.NAME)
VERSION = version("changeover")
NO_PAUSES = Pauses(unclear=(0.0, 0.0, 0.0), just_created=(0.0,), claim=0.0)


@dataclass
class Program:
    """One environment's program: its folder, its database, and runs that may be cut short."""

    settings: Settings
    direct: tuple[DirectLine, ...] | None = None
    dead: set[str] = field(default_factory=set)
    durable: bool = False
    jobs: bool = False
    watch: Callable[[], AbstractContextManager[None]] = nullcontext  # stands around whatever the program does

    @classmethod
    def on(
        cls, stand_ins: StandIns, folder: Path, template: Path, database_url: str, more: Mapping[str, str] | None = None
    ) -> Self:
        """The program of one environment; `more` are the settings of a company that does its jobs."""
        config = folder / "config"
        config.mkdir(parents=True)
        lines = {
            "AIRTABLE_API_KEY": KEY,
            "AIRTABLE_BASE_ID": BASE,
            "AIRTABLE_ENDPOINT_URL": stand_ins.base.url,
            "ALLOW_PRIVATE_FEEDS": "true",
            "DATABASE_URL": database_url,
            **(more or {}),
        }
        (config / "dev.env").write_text("".join(f"{name}={value}\n" for name, value in lines.items() if value))
        place = {"CHANGEOVER_CONFIG": str(config), "CHANGEOVER_HOME": str(folder / "var")}
        program = cls(load("dev", place), stand_ins.direct, jobs=more is not None)
        if not database_url:
            program.settings.folder.mkdir(mode=0o700, parents=True)
            shutil.copy(template, program.settings.folder / "state.db")
        return program

    def run(self, fate: Fate | None = None, **request: Any) -> CycleResult | None:
        """One run; None when it died."""
        only = (*LIVED, *JOBS) if self.jobs else LIVED
        with self.watch(), self.seams(fate or Fate()):
            try:
                return controller.run(self.settings, RunRequest(**{"only": only} | request))
            except Killed:
                return None

    def decide(self, *, approve: bool) -> CycleResult | None:
        """A person's word on all held removals, carried out at once."""
        with self.watch(), self.seams(Fate()):
            return controller.decide_holds(self.settings, None, approve=approve, who="coordinator").result

    def lose_database(self, template: Path) -> None:
        """The state database is gone; an empty one stands in its place."""
        MortalDatabase.close_all()
        for path in self.settings.folder.glob("state.db*"):
            path.unlink()
        shutil.copy(template, self.settings.folder / "state.db")

    def run_beside(self, **request: Any) -> CycleResult:
        """A whole run of another process, while one of ours stands still."""
        box: list[CycleResult | None] = []
        thread = threading.Thread(target=lambda: box.append(self.run(**request)))
        thread.start()
        thread.join(60)
        (result,) = box
        assert result is not None
        return result

    @contextmanager
    def seams(self, fate: Fate) -> Iterator[None]:
        """Within, the program's parts are quick, and mortal as a fate says."""
        before, Here.fate = Here.fate, fate
        fetch = partial(
            FetchSettings,
            waits_seconds=(0.0,),
            start_jitter_seconds=0.0,
            user_agent="Changeover/0 (+https://x.example)",
        )
        names: tuple[tuple[Any, str, Any], ...] = (
            (opening, "Database", MortalDatabase),
            (controller, "Lease", WatchedLease),
            (cycle, "AirtableClient", MortalClient),
            (cycle, "Gate", partial(Gate, pacing=QUICK)),
            (delivering, "Delivery", partial(Delivery, delays=AT_ONCE)),
            (delivering, "Durable", Durable if self.durable else Straight),
            (
                calendars,
                "FetchSettings",
                lambda **more: fetch(**(more | {"timeout_seconds": FEED_TIMEOUT, "attempts": 2})),
            ),
            (lease, "is_gone", self._is_gone),
            (opening, "rule_book", _rule_book),
            (store_schema, "pending", lambda _: False),
            (cycle, "version", lambda _: VERSION),
            (rulefiles, "digest", lambda _: "unchanged"),
            *self._lines(),
            *(self._desks() if self.jobs else ()),
        )
        with ExitStack() as stack:
            for module, name, value in names:
                stack.enter_context(mock.patch.object(module, name, value))
            try:
                yield
            finally:
                Here.fate = before

    def _lines(self) -> tuple[tuple[Any, str, Any], ...]:
        """The seams of stand-ins that are asked without a socket."""
        if self.direct is None:
            return ()
        airtable, calendars_line, company = self.direct
        session = type("Session", (CalendarSession,), {"line": calendars_line})
        return (
            (Here, "airtable", airtable),
            (Here, "company", company),
            (fetch_module, "ClientSession", session),
            (fetch_module, "TCPConnector", lambda **_: None),
        )

    @staticmethod
    def _desks() -> tuple[tuple[Any, str, Any], ...]:
        """The seams of work on jobs, of a cycle and of a worker."""
        patient = partial(JobDesk, pauses=NO_PAUSES)
        return (
            (job_desk, "AirtableClient", MortalClient),
            (job_desk, "Gate", partial(Gate, pacing=QUICK)),
            (job_desk, "HcpGate", QuickGate),
            (job_desk, "HousecallPro", MortalCompany),
            (job_desk, "JobDesk", patient),
            (job_desk, "rule_book", _rule_book),
            (job_desk, "version", lambda _: VERSION),
            (office, "JobDesk", patient),
        )

    def _is_gone(self, holder: Holder) -> bool:
        return holder.run in self.dead

    def bury_the_dead(self, *, hangs: bool = False) -> bool:
        """Whoever holds the lease now has died with its process; False when nobody living does.

        One that only `hangs` keeps the rows that it is at work on.
        """
        leases = metadata.tables["leases"]
        with self.database() as database, database.read() as connection:
            holders = {row.name: row.holder for row in connection.execute(select(leases.c.name, leases.c.holder))}
        cycle_of = holders.get(controller.LEASE, "")
        living = bool(cycle_of) and cycle_of not in self.dead
        self.dead |= {cycle_of} if hangs else {each for each in holders.values() if each}
        return living

    @contextmanager
    def database(self) -> Iterator[Database]:
        with self.seams(Fate()):
            yield MortalDatabase(self.settings.state_url)

    def waiting(self) -> int:
        """Writes that are not finished."""
        with self.database() as database, database.read() as connection:
            return deliveries.pending(connection)

    def being_made(self) -> set[str]:
        """The rows whose job is being made, or may be."""
        with self.database() as database, database.read() as connection:
            return {each.record_id for each in job_store.open_intents(connection)}

    def held(self) -> int:
        """Removals that wait for a person."""
        with self.database() as database, database.read() as connection:
            return len(holds.load_all(connection))

    def plans(self) -> int:
        """How many plans of the calendars have been committed."""
        count = select(func.count()).select_from(plans.join(runs, runs.c.id == plans.c.run_id))
        with self.database() as database, database.read() as connection:
            return int(connection.scalar(count.where(runs.c.automation == calendars.NAME)) or 0)


_books: dict[Path, RuleBook] = {}


def _rule_book(settings: Settings) -> RuleBook:
    """The rule files do not change meanwhile: they are read once."""
    return _books.setdefault(settings.config, _books.get(settings.config) or rule_book(settings))


def template(folder: Path) -> Path:
    """A migrated state database, to be copied."""
    path = folder / "template.db"
    store_schema.migrate(f"sqlite:///{path}")
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()
    return path


def be_quiet() -> None:
    """Thousands of runs must not fill the terminal."""
    structlog.configure(processors=[_drop])


def _drop(*_: Any) -> Any:
    raise structlog.DropEvent
