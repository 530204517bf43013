"""Everything that work on jobs needs, built once per process: both services, rules, clock, stop; it does no work."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING, Final

from changeover.airtable import schema
from changeover.airtable.client import BATCH, AirtableClient
from changeover.airtable.errors import SchemaDrift
from changeover.airtable.schema import BaseSpec, SchemaFacts
from changeover.core.job import Gone, Job, JobRow, JobRules, JobTypes
from changeover.core.job_eligibility import Level
from changeover.engine.jobs.together import Together
from changeover.engine.rules import RuleBook, rule_book
from changeover.engine.stop import StopLevel, StopSwitch
from changeover.engine.stopping import Stopping
from changeover.housecallpro.client import HousecallPro, Tries, Wiring
from changeover.housecallpro.errors import Halted
from changeover.settings import Settings
from changeover.store.database import Database
from changeover.store.gate import Gate, Purpose
from changeover.store.hcp_gate import HcpGate
from changeover.store.hcp_gate import Purpose as HcpPurpose

if TYPE_CHECKING:
    from changeover.airtable.errors import AirtableError
    from changeover.engine.jobs.rows import Draft
    from changeover.housecallpro.errors import HcpError

NEEDED: Final = ("HCP_API_KEY", "HCP_STR_NEXT_GUEST_JOB_TYPE_ID")
_VERSION: Final = version("changeover")  # reading it takes a millisecond, and every click asks four times
_NEEDS_FIELDS: Final = "Sync Service Jobs"  # the automation whose fields every work on jobs writes (AT-12)


class NotSetUp(Exception):
    """Housecall Pro is not set up; `missing` names the settings that lack (J-8)."""

    def __init__(self, missing: tuple[str, ...]) -> None:
        super().__init__(f"not set: {', '.join(missing)}")
        self.missing = missing


@dataclass(frozen=True, slots=True)
class Pauses:
    """Seconds after which an unclear POST is looked for (J-53), a new job that seems gone is read again (J-81), and

    how long a button waits for another who is at work on its row.
    """

    unclear: tuple[float, ...] = (2, 10, 30)
    just_created: tuple[float, ...] = (5, 10, 15, 30)
    claim: float = 30.0
    click: float = 180.0


@dataclass(frozen=True, slots=True)
class Shared:
    """Calls that webhooks of several jobs share: jobs that are read, rows that are written (AT-24, HC-31)."""

    reads: Together[str, Job | Gone | HcpError] = field(default_factory=lambda: Together(_READ_AT_ONCE))
    puts: Together[Draft, JobRow | AirtableError] = field(default_factory=lambda: Together(BATCH))


_READ_AT_ONCE: Final = 50


@dataclass(frozen=True, slots=True)
class JobDesk:
    """Where jobs are worked on, for a worker or for a cycle. `facts` proves the base before the first write (AT-12).

    `purpose` is what calls to the base are counted as; calls to Housecall Pro are counted as what `hcp` is under.
    `cause` is under what writes are kept (B-9): a run's id, else the purpose of the calls.
    """

    settings: Settings
    db: Database
    airtable: AirtableClient
    hcp: HousecallPro
    rules: JobRules
    switch: StopSwitch
    facts: Callable[[], SchemaFacts]
    clock: Callable[[], datetime]
    sleep: Callable[[float], None]
    check_end: Callable[[], None] = lambda: None
    purpose: Purpose = Purpose.CLICK
    cause: str = ""
    pauses: Pauses = Pauses()
    shared: Shared = field(default_factory=Shared)

    @property
    def env(self) -> str:
        return self.settings.environment

    @property
    def level(self) -> Level:
        """How far the environment is stopped, in the rules' words (J-15)."""
        level = self.switch.state().level
        return Level.NONE if level is StopLevel.NONE else Level(level.value)

    def under(self, hcp: HcpPurpose, purpose: Purpose, seconds: float = float("inf")) -> JobDesk:
        """The same desk for another claim on the services (AT-24, HC-32), its calls ending within so many seconds."""
        return replace(self, hcp=self.hcp.under(hcp, seconds), purpose=purpose, cause=hcp.value)

    def check_reads(self) -> None:
        """Raises Halted where nothing outside may be asked (E-8)."""
        if not self.switch.state().reads:
            raise Halted


def missing_settings(settings: Settings) -> tuple[str, ...]:
    """The settings without which no work on jobs is possible (J-8)."""
    return tuple(name for name in NEEDED if not getattr(settings, name.lower()))


def job_rules(settings: Settings, book: RuleBook) -> JobRules:
    """The rules in effect (J-7 … J-9). Raises NotSetUp."""
    next_guest = settings.hcp_str_next_guest_job_type_id
    if missing_settings(settings) or next_guest is None:
        raise NotSetUp(missing_settings(settings))
    types = JobTypes(
        next_guest=next_guest,
        owner=settings.hcp_str_owner_job_type_id or "",
        laundry=settings.hcp_return_laundry_job_type_id or "",
        inspection=settings.hcp_inspection_job_type_id or "",
    )
    return JobRules(
        zone=settings.zone,
        types=types,
        hours=book.rules.hours,
        duration=book.service.duration,
        window_minutes=book.service.window_minutes,
        employee_id=settings.hcp_employee_id or "",
        line_limit=settings.service_line_limit,
    )


def connect_hcp(
    settings: Settings,
    db: Database,
    sleep: Callable[[float], None],
    guard: Callable[[], None],
    tries: Tries = Tries(),
) -> HousecallPro:
    """The client of the environment's company, its gate shared with every process of the environment (HC-32)."""
    if settings.hcp_api_key is None:
        raise NotSetUp(missing_settings(settings))
    gate = HcpGate(db, hourly_limit=settings.hcp_hourly_limit, sleep=sleep)
    wiring = Wiring(gate, guard=guard, tries=tries, sleep=sleep)
    return HousecallPro(settings.hcp_base_url, settings.hcp_api_key.get_secret_value(), wiring)


def open_desk(settings: Settings, db: Database, stopping: Stopping) -> JobDesk:
    """The desk of a worker. Raises NotSetUp, BadRules."""
    book = rule_book(settings)
    rules = job_rules(settings, book)
    switch = StopSwitch(settings.folder, db)

    def may_write() -> None:
        stopping.check()
        switch.check_writes()

    airtable = AirtableClient(
        settings.airtable_base_id,
        settings.airtable_api_key.get_secret_value(),
        settings.airtable_endpoint_url,
        Gate(db, settings.airtable_base_id, sleep=stopping.sleep),
        guard=may_write,
        sleep=stopping.sleep,
    )
    return JobDesk(
        settings=settings,
        db=db,
        airtable=airtable,
        hcp=connect_hcp(settings, db, stopping.sleep, may_write),
        rules=rules,
        switch=switch,
        facts=Proof(airtable, db, book.spec, settings.environment),
        clock=now_utc,
        sleep=stopping.sleep,
        check_end=stopping.check,
    )


@dataclass(frozen=True, slots=True)
class Proof:
    """The base's marker and schema, proven before a write and remembered for a day (AT-12)."""

    airtable: AirtableClient
    db: Database
    spec: BaseSpec
    env: str

    def __call__(self) -> SchemaFacts:
        """Raises WrongBase, and SchemaDrift for a field that work on jobs needs and the base lacks (JX-38)."""
        found = schema.verify(self.airtable, self.db, self.spec, self.env, now=now_utc(), version=_VERSION)
        lacking = found.blocked.get(_NEEDS_FIELDS, ())
        if lacking:
            raise SchemaDrift("schema_drift", field=lacking[0].field or lacking[0].table)
        return found.facts


def now_utc() -> datetime:
    return datetime.now(UTC)
