"""Which stays may get a job, and of the others why not (J-15 … J-30), before anything is asked of Housecall Pro."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from changeover.core.job import Group, Home, JobRow, JobRules, ServiceType
from changeover.core.job_schedule import wanted_start
from changeover.core.job_texts import NO_JOB
from changeover.core.schedule import FORMS
from changeover.core.stay import EntryType

_NO_JOB: Final = frozenset(
    {ServiceType.NEEDS_REVIEW, ServiceType.NO_SERVICE, ServiceType.CANCELED, ServiceType.OWNER_ARRIVAL}
)


class Code(StrEnum):
    """Why a request was refused, in the API's stable words."""

    STOPPED = "stopped"
    NOT_FOUND = "not_found"
    NOT_ELIGIBLE = "not_eligible"
    NO_SERVICE_TIME = "no_service_time"
    NO_PROPERTY = "no_property"
    NO_HCP_CUSTOMER = "no_hcp_customer"
    NO_HCP_ADDRESS = "no_hcp_address"
    NO_TEMPLATE = "no_template"
    ADDRESS_MISMATCH = "address_mismatch"
    MULTI_VISIT = "multi_visit"

    @property
    def http(self) -> int:
        """The status the code answers with."""
        return _HTTP.get(self, 422)


_HTTP: Final = {Code.STOPPED: 423, Code.NOT_FOUND: 404, Code.ADDRESS_MISMATCH: 409, Code.MULTI_VISIT: 409}


class Level(StrEnum):
    """How far the environment is stopped (J-15)."""

    NONE = ""
    PAUSE = "pause"
    READ_ONLY = "read-only"
    FULL = "full"


class Takes(StrEnum):
    """What AUTO_CREATE_JOBS says (J-30)."""

    READY = "ready"
    ALL = "all"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why there is no job: the rule, the API's code, and one plain sentence that names what to repair (J-29)."""

    rule: str
    code: Code
    text: str


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asks, and under what: a person's button or the cycle by itself. `held`: rows under J-88 and J-89 (J-90)."""

    automatic: bool
    now: datetime
    stop: Level = Level.NONE
    held: Container[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Case:
    """A row with all that its rules look at."""

    row: JobRow
    homes: Mapping[str, Home]
    rules: JobRules
    asked: Asked

    @property
    def start(self) -> datetime | None:
        """When the row wants its cleaning to start; None where no rule can tell (J-20)."""
        start = wanted_start(self.row, self.rules)
        return start if isinstance(start, datetime) else None

    @property
    def home(self) -> Home | None:
        return self.homes.get(self.row.property_id)


Check = Callable[[Case], Refusal | None]


def _stopped(case: Case) -> Refusal | None:
    level = case.asked.stop
    if level in (Level.READ_ONLY, Level.FULL) or (case.asked.automatic and level is not Level.NONE):
        return Refusal("J-15", Code.STOPPED, f"Changeover is stopped (level {level}).")
    return None


def _status(case: Case) -> Refusal | None:
    if case.row.live:
        return None
    return Refusal("J-17", Code.NOT_ELIGIBLE, f"The row's Status is {case.row.status or 'empty'}, not New or Modified.")


def _service(case: Case) -> Refusal | None:
    if case.row.service_type not in _NO_JOB:
        return None
    return Refusal("J-18", Code.NOT_ELIGIBLE, f"Service Type {case.row.service_type} gets no job.")


def _block_service(case: Case) -> Refusal | None:
    if case.row.entry_type is not EntryType.BLOCK or case.row.service_type:
        return None
    return Refusal("J-19", Code.NOT_ELIGIBLE, "The block has no Service Type.")


def _block_tick(case: Case) -> Refusal | None:
    if case.row.entry_type is not EntryType.BLOCK or case.row.ready:
        return None
    return Refusal("J-19", Code.NOT_ELIGIBLE, "A block gets a job only when Ready for Job is ticked.")


def _service_time(case: Case) -> Refusal | None:
    if case.row.check_out is None:
        return Refusal("J-20", Code.NO_SERVICE_TIME, "The row has no Check-out Date.")
    if case.start is None:
        return Refusal("J-20", Code.NO_SERVICE_TIME, f"Custom Service Time cannot be read; it may be {FORMS}.")
    return None


def _past(case: Case) -> Refusal | None:
    start, rules = case.start, case.rules
    if start is None or rules.local_day(start) >= rules.local_day(case.asked.now):
        return None
    return Refusal("J-21", Code.NOT_ELIGIBLE, f"The service time lies in the past ({rules.local_day(start)}).")


def _property(case: Case) -> Refusal | None:
    if not case.row.property_id:
        return Refusal("J-22", Code.NO_PROPERTY, "The row has no Property ID.")
    if case.home is None:
        return Refusal("J-22", Code.NO_PROPERTY, "The row's Property ID names a property that does not exist.")
    return None


def _held(case: Case) -> Refusal | None:
    row, start = case.row, case.start
    if not case.asked.automatic:
        return None
    if row.suspected_cancel:
        return Refusal("J-23", Code.NOT_ELIGIBLE, "The stay may have been canceled (Suspected Cancel).")
    early = start is not None and row.check_out is not None and case.rules.local_day(start) < row.check_out
    if row.custom_time.strip() and early:
        return Refusal("J-23", Code.NOT_ELIGIBLE, "Custom Service Time lies before the Check-out Date.")
    if row.record_id in case.asked.held:
        return Refusal("J-23", Code.NOT_ELIGIBLE, "Housecall Pro has a job that may be this stay's.")
    return None


def _customer(case: Case) -> Refusal | None:
    home = case.home
    if home is None or (home.customer_id or "").startswith("cus_"):
        return None
    if home.customer_id is None:
        return Refusal("J-24", Code.NO_HCP_CUSTOMER, f'Property "{home.name}" has no HCP Customer ID.')
    text = f'The customer of property "{home.name}" has no HCP Customer ID that begins with cus_.'
    return Refusal("J-24", Code.NO_HCP_CUSTOMER, text)


def _address(case: Case) -> Refusal | None:
    home = case.home
    if home is None or home.address_id.startswith("adr_"):
        return None
    if not home.address_id:
        return Refusal("J-25", Code.NO_HCP_ADDRESS, f'Property "{home.name}" has no HCP Address ID.')
    return Refusal(
        "J-25", Code.NO_HCP_ADDRESS, f'The HCP Address ID of property "{home.name}" does not begin with adr_.'
    )


def _template(case: Case) -> Refusal | None:
    home, service = case.home, case.row.service
    if home is None or home.template(service).startswith("job_"):
        return None
    field = template_field(service)
    if not home.template(service):
        return Refusal("J-26", Code.NO_TEMPLATE, f'Property "{home.name}" has no {field}.')
    return Refusal("J-26", Code.NO_TEMPLATE, f'The {field} of property "{home.name}" does not begin with job_.')


ALL: Final[Sequence[Check]] = (
    _stopped, _status, _service, _block_service, _block_tick, _service_time, _past, _property, _held, _customer,
    _address, _template,
)  # fmt: skip
FOR_UPDATE: Final[Sequence[Check]] = ALL[: ALL.index(_past)]  # J-15 … J-20 (J-60)
FOR_DELETION: Final[Sequence[Check]] = (_stopped,)  # a Removed row's as well (J-62)
FOR_LINKING: Final[Sequence[Check]] = tuple(
    check for check in ALL if check not in (_stopped, _block_tick, _past, _held, _template)
)  # J-84


def refusal(case: Case, checks: Sequence[Check] = ALL) -> Refusal | None:
    """The first rule that forbids a job, None where all allow it (§4). Nothing is asked of Housecall Pro."""
    return next((found for check in checks if (found := check(case)) is not None), None)


def not_found() -> Refusal:
    """J-16: no such row in this environment's Reservations, or no id at all."""
    return Refusal("J-16", Code.NOT_FOUND, "There is no such row in Reservations.")


def no_job() -> Refusal:
    """J-60: there is nothing to move, to delete or to rename."""
    return Refusal("J-60", Code.NOT_FOUND, NO_JOB)


def ambiguous(job_ids: Iterable[str]) -> Refusal:
    """J-90: several jobs may be this stay's, or this one another's; a person decides by filling Service Job ID."""
    names = ", ".join(sorted(job_ids))
    text = f"Housecall Pro has jobs that may be this stay's ({names}); put the right one into Service Job ID."
    return Refusal("J-90", Code.NOT_ELIGIBLE, text)


def line_conflict() -> Refusal:
    """J-103: people have made a line of their own in Housecall Pro."""
    text = "The service line was edited in HCP; empty Last Synced Service Line and press again to replace it."
    return Refusal("J-103", Code.NOT_ELIGIBLE, text)


def address_mismatch(home: Home) -> Refusal:
    """J-27: what Housecall Pro knows of the customer contradicts the property."""
    text = f'The HCP Address ID of property "{home.name}" is not an address of its customer in Housecall Pro.'
    return Refusal("J-27", Code.ADDRESS_MISMATCH, text)


def template_unusable(home: Home, service: str) -> Refusal:
    """J-28: the template is gone or has no line items."""
    text = f'The {template_field(service)} of property "{home.name}" names a job that is gone or has no line items.'
    return Refusal("J-28", Code.NO_TEMPLATE, text)


def template_field(service: str) -> str:
    """The property's field that holds the template of a service (J-32)."""
    words = {Group.LAUNDRY: "Return Laundry", Group.INSPECTION: "Inspection", Group.TURNOVER: "Turnover"}
    return f"{words[Group.of(service)]} Job Template ID"


def taken_automatically(row: JobRow, takes: Takes) -> bool:
    """Whether the cycle looks at a row at all (J-30): only rows without a job, and blocks only with the tick."""
    if takes is Takes.OFF or row.job_id or not row.live:
        return False
    return row.ready or (takes is Takes.ALL and row.entry_type is not EntryType.BLOCK)
