"""What a company has: customers, people, jobs with visits and lines; it is neither served nor saved here."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import Final


class Status(StrEnum):
    """`work_status` as answers spell it (HC-57)."""

    NEEDS_SCHEDULING = "needs scheduling"
    SCHEDULED = "scheduled"
    IN_PROGRESS = "in progress"
    COMPLETE_RATED = "complete rated"
    COMPLETE_UNRATED = "complete unrated"
    USER_CANCELED = "user canceled"
    PRO_CANCELED = "pro canceled"


COMPLETE: Final = frozenset({Status.COMPLETE_RATED, Status.COMPLETE_UNRATED})
CANCELED: Final = frozenset({Status.USER_CANCELED, Status.PRO_CANCELED})


class Role(StrEnum):
    """What an employee is (HC-47)."""

    FIELD_TECH = "field tech"
    OFFICE_STAFF = "office staff"
    ADMIN = "admin"


class LineKind(StrEnum):
    """`kind` of a line item (HC-68)."""

    LABOR = "labor"
    MATERIALS = "materials"
    FIXED_GRATUITY = "fixed gratuity"
    FIXED_DISCOUNT = "fixed discount"
    PERCENT_DISCOUNT = "percent discount"


PRICED: Final = frozenset({LineKind.LABOR, LineKind.MATERIALS})


@dataclass(slots=True)
class Address:
    """A place of a customer; every part but the id may be missing (HC-14)."""

    id: str
    street: str | None = None
    street_line_2: str | None = None
    city: str | None = None
    state: str | None = None
    zip: str | None = None
    country: str | None = None
    latitude: str | float | None = None
    longitude: str | float | None = None


@dataclass(slots=True)
class Customer:
    """Whoever a job is done for."""

    id: str
    created_at: datetime
    updated_at: datetime
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    company: str | None = None
    mobile_number: str | None = None
    home_number: str | None = None
    work_number: str | None = None
    notifications_enabled: bool = True
    lead_source: str | None = None
    notes: str | None = None
    tags: list[str] = field(default_factory=list)
    addresses: list[Address] = field(default_factory=list)

    def address(self, address_id: str) -> Address | None:
        """One of this customer's addresses."""
        return next((one for one in self.addresses if one.id == address_id), None)


@dataclass(slots=True)
class Employee:
    """Somebody who may be sent to a job; inactive people stay in their old jobs (HC-47)."""

    id: str
    created_at: datetime
    first_name: str
    last_name: str
    active: bool = True
    email: str | None = None
    mobile_number: str | None = None
    role: Role = Role.FIELD_TECH
    tags: list[str] = field(default_factory=list)


@dataclass(slots=True)
class JobType:
    """A kind of job."""

    id: str
    created_at: datetime
    name: str


@dataclass(slots=True)
class Tag:
    """A word that jobs may carry."""

    id: str
    created_at: datetime
    name: str


@dataclass(slots=True)
class Note:
    """A remark on a job."""

    id: str
    content: str


@dataclass(slots=True)
class Visit:
    """An appointment: when somebody comes, and who; `window` is the arrival window in minutes."""

    id: str
    start: datetime
    end: datetime
    window: int
    people: list[str]

    @property
    def length(self) -> timedelta:
        return self.end - self.start


@dataclass(slots=True)
class Line:
    """A line item; prices in cents."""

    id: str
    order_index: int
    name: str
    description: str | None = None
    unit_price: int = 0
    unit_cost: int = 0
    quantity: int | float = 1
    kind: LineKind = LineKind.LABOR
    taxable: bool = True
    service_item_id: str | None = None
    service_item_type: str | None = None

    @property
    def amount(self) -> int:
        """Unit price times quantity in cents, rounded half up (HC-74)."""
        exact = self.unit_price * Decimal(str(self.quantity))
        return int(exact.quantize(Decimal(1), rounding=ROUND_HALF_UP))


@dataclass(slots=True)
class Job:
    """A job; `people` counts only while it has no visit, and `gone` is a deleted one (HC-104)."""

    id: str
    invoice_number: str
    customer_id: str
    address_id: str
    created_at: datetime
    updated_at: datetime
    status: Status = Status.NEEDS_SCHEDULING
    job_type_id: str | None = None
    lead_source: str | None = None
    people: list[str] = field(default_factory=list)
    visits: list[Visit] = field(default_factory=list)
    discarded: list[str] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    on_my_way_at: datetime | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    canceled_at: datetime | None = None
    deleted_at: datetime | None = None
    locked_at: datetime | None = None
    gone: bool = False

    @property
    def start(self) -> datetime | None:
        """The first visit's start (HC-44)."""
        return min((visit.start for visit in self.visits), default=None)

    @property
    def end(self) -> datetime | None:
        """The last visit's end (HC-44)."""
        return max((visit.end for visit in self.visits), default=None)

    @property
    def assigned(self) -> list[str]:
        """Whoever comes to any visit, each once."""
        if not self.visits:
            return list(self.people)
        return list(dict.fromkeys(person for visit in self.visits for person in visit.people))

    @property
    def total(self) -> int:
        """What labor and materials come to, in cents; what discounts and gratuities make of it is not known."""
        return sum(line.amount for line in self.lines if line.kind in PRICED)

    def visit(self, visit_id: str) -> Visit | None:
        """One of the job's visits."""
        return next((one for one in self.visits if one.id == visit_id), None)

    def line(self, line_id: str) -> Line | None:
        """One of the job's lines."""
        return next((one for one in self.lines if one.id == line_id), None)

    @property
    def first_line(self) -> Line | None:
        """The line with the lowest index (HC-69)."""
        return min(self.lines, key=lambda line: line.order_index, default=None)


@dataclass(slots=True)
class Hook:
    """Where and how the company's webhooks are sent; `secret` None is the company's own, `delay` is in seconds."""

    url: str = ""
    secret: str | None = None
    enabled: bool = True
    duplicate: bool = False
    reorder: bool = False
    delay: float = 0.0

    @property
    def active(self) -> bool:
        """Whether anything is sent at all."""
        return self.enabled and bool(self.url)
