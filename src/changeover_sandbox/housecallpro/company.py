"""One company: all it has, what a request changed of it, what its webhooks will tell; it knows no HTTP and no file."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from changeover_sandbox.housecallpro import errors
from changeover_sandbox.housecallpro.model import Customer, Employee, Hook, Job, JobType, Tag

Kept: TypeAlias = Customer | Employee | JobType | Tag | Job | Hook


@dataclass(frozen=True, slots=True)
class Account:
    """A company with its key and its webhook secret; `environment` names it in the control API (HC-97)."""

    company_id: str
    api_key: str = field(repr=False)
    webhook_secret: str = field(repr=False)
    environment: str
    name: str = "Example Cleaning"
    time_zone: str = "America/Phoenix"


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a webhook: its name, the key of its resource and the resource as it is now (HC-82)."""

    name: str
    key: str
    resource: dict[str, object]


@dataclass(frozen=True, slots=True)
class Cause:
    """What one request or action makes known, in order (HC-113)."""

    at: datetime
    events: Sequence[Event]


@dataclass(slots=True)
class Company:
    """Everything of one company, by id in order of creation."""

    account: Account
    customers: dict[str, Customer] = field(default_factory=dict)
    employees: dict[str, Employee] = field(default_factory=dict)
    job_types: dict[str, JobType] = field(default_factory=dict)
    tags: dict[str, Tag] = field(default_factory=dict)
    jobs: dict[str, Job] = field(default_factory=dict)
    hook: Hook = field(default_factory=Hook)
    numbers: set[str] = field(default_factory=set)
    changed: dict[int, Kept] = field(default_factory=dict)
    causes: list[Cause] = field(default_factory=list)

    def keep(self, thing: Kept) -> None:
        """Take a new or changed thing in; it is saved with the request."""
        match thing:
            case Customer():
                self.customers[thing.id] = thing
            case Employee():
                self.employees[thing.id] = thing
            case JobType():
                self.job_types[thing.id] = thing
            case Tag():
                self.tags[thing.id] = thing
            case Job():
                self.jobs[thing.id] = thing
                self.numbers.add(thing.invoice_number)
            case _:
                self.hook = thing
        self.changed[id(thing)] = thing

    def people(self, ids: Sequence[str], attribute: str) -> list[str]:
        """These ids, each once; refused when one is no active employee's (HC-102)."""
        for one in ids:
            employee = self.employees.get(one)
            if employee is None or not employee.active:
                raise errors.invalid({attribute: f"has an unknown employee {one}"})
        return list(dict.fromkeys(ids))

    def next_number(self) -> str:
        """The lowest invoice number above all that are in use (HC-50)."""
        return str(1 + max((int(one) for one in self.numbers), default=0))

    def empty(self) -> None:
        """Forget all but the account."""
        for held in (self.customers, self.employees, self.job_types, self.tags, self.jobs, self.numbers, self.changed):
            held.clear()
        self.causes.clear()
        self.hook = Hook()


@dataclass(frozen=True, slots=True)
class Work:
    """One request or action on a company: `now` is the clock's, `at` when it is said to have happened."""

    company: Company
    now: datetime
    at: datetime

    def save(self, job: Job) -> None:
        """Save the job as changed now (HC-107)."""
        job.updated_at = self.now
        self.company.keep(job)

    def tell(self, events: Sequence[Event]) -> None:
        """Make events known in this order, with the request."""
        self.company.causes.append(Cause(self.at, tuple(events)))
