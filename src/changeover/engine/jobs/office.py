"""The jobs of one cycle: what the four steps share, read once (J-71); each step itself is a module of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from changeover.airtable import job_rows, mirror
from changeover.airtable.client import AirtableClient
from changeover.airtable.directory import CUSTOMERS
from changeover.airtable.errors import SchemaDrift
from changeover.airtable.job_rows import PROPERTIES
from changeover.airtable.schema import SchemaFacts
from changeover.core import job_match
from changeover.core.job import Home, Job, JobRow
from changeover.core.job_eligibility import Asked
from changeover.core.job_match import Matching
from changeover.engine.base import Base, Reread
from changeover.engine.jobs import cache, creating, recovering
from changeover.engine.jobs.desk import JobDesk, connect_hcp, job_rules, now_utc
from changeover.engine.jobs.recovering import Recovered
from changeover.engine.jobs.window import Window, read_window
from changeover.engine.outcome import Failure
from changeover.engine.rules import RuleBook
from changeover.engine.stop import StopSwitch
from changeover.engine.stopping import Stopping
from changeover.housecallpro.errors import HcpError
from changeover.settings import Settings
from changeover.store import jobs as store
from changeover.store import mirror as mirror_store
from changeover.store.database import Database
from changeover.store.gate import Purpose
from changeover.store.hcp_gate import Purpose as HcpPurpose

HOMES = (PROPERTIES, CUSTOMERS)
ReadAgain = Callable[[Sequence[str]], Failure | None]


class Office:
    """One cycle's desk, with its window, its open intents gone on with, and homes as fresh as they have to be.

    `read_again` brings tables of the mirror up to the base. With `dry_run` nothing is written anywhere (C-34, JX-27).
    """

    def __init__(self, desk: JobDesk, read_again: ReadAgain, *, dry_run: bool) -> None:
        self.desk = desk.under(HcpPurpose.CYCLE, Purpose.DELIVER)
        self.dry_run = dry_run
        self._read_again = read_again
        self._window: Window | HcpError | None = None
        self._recovered: Recovered | None = None
        self._homes_are_fresh = False

    def is_for(self, run_id: str) -> None:
        """What is written from here on is this run's (B-9)."""
        self.desk = replace(self.desk, cause=run_id)

    # -- what is read once -------------------------------------------------------------------------------------------

    def window(self) -> Window:
        """The cycle's read of Housecall Pro. Raises HcpError, the same again where it failed before."""
        if self._window is None:
            try:
                self._window = read_window(self.desk, self.rows())
            except HcpError as error:
                self._window = error
        if isinstance(self._window, HcpError):
            raise self._window
        return self._window

    def recovered(self) -> Recovered:
        """Open creations, gone on with before all else (J-53 … J-56)."""
        if self._recovered is None:
            self._recovered = Recovered() if self.dry_run else recovering.recover(self.desk)
            if isinstance(self._window, Window):
                self._window.jobs.update(self._recovered.jobs)
        return self._recovered

    def rows(self) -> list[JobRow]:
        """The rows that take part, as the mirror has them now."""
        with self.desk.db.read() as connection:
            return list(job_rows.mirrored(connection))

    def afresh(self, record_ids: Sequence[str]) -> dict[str, JobRow]:
        """Those of these rows that exist, as they are in the base now (J-44); one call for a hundred."""
        if not record_ids:
            return {}
        desk = self.desk
        there = mirror.reread(desk.airtable, desk.db, desk.facts(), mirror.RESERVATIONS, record_ids, desk.purpose)
        return {row.record_id: row for row in self.rows() if row.record_id in there}

    def homes(self) -> dict[str, Home]:
        with self.desk.db.read() as connection:
            return job_rows.homes(connection)

    def freshen_homes(self, *, only_if_unknown: bool = False) -> Failure | None:
        """Homes and customers read again, once a cycle (AT-32, AT-36); with `only_if_unknown` a day's age will do."""
        if self._homes_are_fresh or (only_if_unknown and self._homes_are_known()):
            return None
        failure = self._read_again(HOMES)
        self._homes_are_fresh = failure is None
        return failure

    def _homes_are_known(self) -> bool:
        began = mirror.Horizon(self.desk.rules.zone).day_began(self.desk.clock())
        with self.desk.db.read() as connection:
            cursors = [mirror_store.cursor(connection, table) for table in HOMES]
        return all(each is not None and each.full_at >= began for each in cursors)

    def being_made(self) -> set[str]:
        """Rows with an open creation."""
        with self.desk.db.read() as connection:
            return {each.record_id for each in store.open_intents(connection)}

    # -- matching (§11) ----------------------------------------------------------------------------------------------

    def asked(self) -> Asked:
        return Asked(automatic=True, now=self.desk.clock(), stop=self.desk.level)

    def free_jobs(self) -> tuple[Job, ...]:
        """The jobs of the window that may be linked (J-84)."""
        templates = frozenset(each for home in self.homes().values() for each in creating.templates_of(home))
        return job_match.candidates(self.window().alive, taken=cache.taken(self.desk), templates=templates)

    def matching(self) -> Matching:
        """Live rows without a job against free jobs, as things stand now."""
        return job_match.match(creating.open_stays(self.desk, self.asked()), self.free_jobs(), self.desk.rules)


class ReadsAgain(Protocol):
    """Brings tables of the mirror up to the base."""

    def __call__(self, tables: Sequence[str], *, whole: bool = False) -> Reread: ...


@dataclass(frozen=True, slots=True)
class CycleTools:
    """What a cycle has already and shares with its office: the lease stands behind `may_write`."""

    settings: Settings
    db: Database
    book: RuleBook
    airtable: AirtableClient
    may_write: Callable[[], None]
    stopping: Stopping

    def open(self, base: Base, read_again: ReadsAgain, at: datetime | None, *, dry_run: bool) -> Office:
        """The office of a cycle. `at` sets the business's clock in a rehearsal. Raises NotSetUp."""
        rules = job_rules(self.settings, self.book)
        desk = JobDesk(
            settings=self.settings,
            db=self.db,
            airtable=self.airtable,
            hcp=connect_hcp(self.settings, self.db, self.stopping.sleep, self.may_write),
            rules=rules,
            switch=StopSwitch(self.settings.folder, self.db),
            facts=lambda: base.facts or _unproven(),
            clock=now_utc if at is None else lambda: at,
            sleep=self.stopping.sleep,
            check_end=self.stopping.check,
        )
        return Office(desk, lambda tables: read_again(tables).failure, dry_run=dry_run)


def _unproven() -> SchemaFacts:
    """A step of jobs does not begin on a base that failed; should one, it writes nothing."""
    raise SchemaDrift("schema_drift")
