"""Takes in what a company has had all along, in one piece, all of it or nothing; no webhook ever tells of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import Annotated, Final

from pydantic import AfterValidator, ConfigDict, Field

from changeover_sandbox.housecallpro.bodies import (
    AddressInCustomer,
    Body,
    CustomerBody,
    Filled,
    FirstSchedule,
    LineBody,
)
from changeover_sandbox.housecallpro.company import Company, Kept, Work
from changeover_sandbox.housecallpro.ids import is_id, new_id
from changeover_sandbox.housecallpro.jobs import USUAL_LENGTH, span
from changeover_sandbox.housecallpro.lines import line_of
from changeover_sandbox.housecallpro.model import Address, Customer, Employee, Job, JobType, Note, Status, Visit

_FORM: Final = ConfigDict(strict=True, frozen=True, extra="forbid", defer_build=True)
"""Of a control call nothing is ignored."""


class UnfitBusinessError(ValueError):
    """It names what is not there, or brings what is; the message says which."""


def _id_of(prefix: str) -> AfterValidator:
    def check(text: str) -> str:
        if not is_id(text, prefix):
            raise ValueError(f"is {prefix}_ and 32 hex digits")
        return text

    return AfterValidator(check)


class GivenEmployee(Body):
    """Somebody of the company."""

    model_config = _FORM

    id: Annotated[str, _id_of("pro")]
    first_name: Filled
    last_name: Filled
    active: bool = True


class GivenJobType(Body):
    """A kind of job."""

    model_config = _FORM

    id: Annotated[str, _id_of("jbt")]
    name: Filled


class GivenAddress(AddressInCustomer):
    """A place with its id."""

    model_config = _FORM

    id: Annotated[str, _id_of("adr")]


class GivenCustomer(CustomerBody):
    """A customer with all places."""

    model_config = _FORM

    id: Annotated[str, _id_of("cus")]
    addresses: list[GivenAddress] = Field(default_factory=list)


class GivenJob(Body):
    """A job with its lines; without a schedule it waits for one, as templates do for ever."""

    model_config = _FORM

    id: Annotated[str, _id_of("job")]
    customer_id: str
    address_id: str
    schedule: FirstSchedule | None = None
    assigned_employee_ids: list[str] = Field(default_factory=list)
    job_type_id: str | None = None
    line_items: list[LineBody] = Field(default_factory=list)
    notes: str | None = None


class Business(Body):
    """`POST /_sandbox/business`: added to what the company of `env` has already."""

    model_config = _FORM

    env: str = "dev"
    employees: list[GivenEmployee] = Field(default_factory=list)
    job_types: list[GivenJobType] = Field(default_factory=list)
    customers: list[GivenCustomer] = Field(default_factory=list)
    jobs: list[GivenJob] = Field(default_factory=list)


def take_in(work: Work, business: Business) -> None:
    """Raises UnfitBusinessError or Refusal before anything is kept."""
    company, now = work.company, work.now
    employees = [Employee(one.id, now, one.first_name, one.last_name, active=one.active) for one in business.employees]
    job_types = [JobType(one.id, now, one.name) for one in business.job_types]
    customers = [_customer(one, now) for one in business.customers]
    given: list[Employee | JobType | Customer | GivenJob] = [*employees, *job_types, *customers, *business.jobs]
    _refuse_known(company, [one.id for one in given])
    known = _Known(
        company.employees | {one.id: one for one in employees},
        company.job_types | {one.id: one for one in job_types},
        company.customers | {one.id: one for one in customers},
    )
    jobs = [
        known.job(one, str(n), now) for n, one in zip(count(int(company.next_number())), business.jobs, strict=False)
    ]
    things: list[Kept] = [*employees, *job_types, *customers, *jobs]
    for thing in things:
        company.keep(thing)


def _refuse_known(company: Company, ids: list[str]) -> None:
    seen = {*company.employees, *company.job_types, *company.customers, *company.jobs}
    for one in ids:
        if one in seen:
            raise UnfitBusinessError(f"{one} is there already")
        seen.add(one)


@dataclass(frozen=True, slots=True)
class _Known:
    """Whom and what jobs may name."""

    employees: Mapping[str, Employee]
    job_types: Mapping[str, JobType]
    customers: Mapping[str, Customer]

    def job(self, given: GivenJob, number: str, now: datetime) -> Job:
        customer = self.customers.get(given.customer_id)
        people = given.assigned_employee_ids
        if customer is None or customer.address(given.address_id) is None:
            raise UnfitBusinessError(f"{given.id}: there is no such customer with this address")
        if given.job_type_id is not None and given.job_type_id not in self.job_types:
            raise UnfitBusinessError(f"{given.id}: there is no such job type")
        if not self.employees.keys() >= set(people):
            raise UnfitBusinessError(f"{given.id}: there is no such employee")
        visits = _visits(given)
        return Job(
            id=given.id,
            invoice_number=number,
            customer_id=customer.id,
            address_id=given.address_id,
            created_at=now,
            updated_at=now,
            status=Status.SCHEDULED if visits else Status.NEEDS_SCHEDULING,
            job_type_id=given.job_type_id,
            people=list(people),
            visits=visits,
            lines=[line_of(new_id("rli"), index, one) for index, one in enumerate(given.line_items)],
            notes=[Note(new_id("nte"), given.notes)] if given.notes else [],
        )


def _visits(given: GivenJob) -> list[Visit]:
    schedule = given.schedule
    if schedule is None or schedule.scheduled_start is None:
        return []
    start, end = span(schedule.scheduled_start, schedule.scheduled_end, USUAL_LENGTH, "scheduled_end")
    return [Visit(new_id("appt"), start, end, schedule.arrival_window or 0, list(given.assigned_employee_ids))]


def _customer(given: GivenCustomer, now: datetime) -> Customer:
    fields = given.model_dump(exclude={"id", "addresses"}, exclude_none=True)
    addresses = [Address(**one.model_dump()) for one in given.addresses]
    return Customer(given.id, now, now, **fields, addresses=addresses)
