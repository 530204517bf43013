"""What the public API's request bodies must look like (HC-101): unknown keys are ignored, wrong types are refused."""

from datetime import date, datetime
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from changeover_sandbox.housecallpro.ids import instant
from changeover_sandbox.housecallpro.model import LineKind

NAME_LIMIT: Final = 255
MAX_NUMBER: Final = 10**12
ITEM_TYPES: Final = ("market_place", "organizational", "pricebook_material")


def _whole(value: object) -> int:
    """A whole number, which may be written 14500.0 (HC-9)."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= MAX_NUMBER:
        raise ValueError("is not a number in range")
    if value != int(value):
        raise ValueError("is not a whole number")
    return int(value)


def _quantity(value: object) -> int | float:
    """A number with up to two decimals (HC-9)."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= MAX_NUMBER:
        raise ValueError("is not a quantity")
    if round(value, 2) != value:
        raise ValueError("has more than two decimals")
    return value


def _name(text: str) -> str:
    """A line item's name (HC-73)."""
    if not text.strip():
        raise ValueError("can't be blank")
    if len(text) > NAME_LIMIT:
        raise ValueError(f"is too long (maximum is {NAME_LIMIT} characters)")
    return text


def _filled(text: str) -> str:
    if not text.strip():
        raise ValueError("can't be blank")
    return text


def _one_of(choices: tuple[str, ...]) -> AfterValidator:
    def check(text: str) -> str:
        if text not in choices:
            raise ValueError(f"is not one of {', '.join(choices)}")
        return text

    return AfterValidator(check)


def _degrees(value: object) -> str | float | None:
    """Latitude and longitude come as strings or numbers (HC-15)."""
    if value is None or (isinstance(value, str | int | float) and not isinstance(value, bool)):
        return value
    raise ValueError("is neither a string nor a number")


def _day(value: object) -> date:
    if not isinstance(value, str):
        raise ValueError("is not a date")  # noqa: TRY004 - pydantic reports a ValueError
    return date.fromisoformat(value)


Instant = Annotated[datetime, BeforeValidator(instant)]
Cents = Annotated[int, BeforeValidator(_whole)]
Minutes = Annotated[int, BeforeValidator(_whole)]
Filled = Annotated[str, AfterValidator(_filled)]
LineName = Annotated[str, AfterValidator(_name)]
Degrees = Annotated[object, AfterValidator(_degrees)]


class Body(BaseModel):
    """A request body; null and absent are the same unless the API says otherwise."""

    # A form is built when the first body comes, not with the server that has to start.
    model_config = ConfigDict(strict=True, frozen=True, extra="ignore", defer_build=True)


class FirstSchedule(Body):
    """`schedule` of POST /jobs (HC-48)."""

    scheduled_start: Instant | None = None
    scheduled_end: Instant | None = None
    arrival_window: Minutes | None = None
    anytime: bool | None = None
    anytime_start_date: Annotated[date, BeforeValidator(_day)] | None = None

    @model_validator(mode="after")
    def _at_a_time(self) -> "FirstSchedule":
        if self.anytime:
            raise ValueError("with anytime is not known to this stand-in")
        if self.scheduled_end is not None and self.scheduled_start is None:
            raise ValueError("has an end without a start")
        return self


class FirstLine(Body):
    """A line of POST /jobs: no kind, no taxable (HC-49)."""

    name: LineName
    description: str | None = None
    unit_price: Cents | None = None
    unit_cost: Cents | None = None
    quantity: Annotated[int | float, BeforeValidator(_quantity)] | None = None


class JobFields(Body):
    """`job_fields` of POST /jobs."""

    job_type_id: str | None = None
    business_unit_id: str | None = None


class NewJob(Body):
    """POST /jobs (HC-48)."""

    customer_id: str
    address_id: str
    schedule: FirstSchedule | None = None
    assigned_employee_ids: list[str] | None = None
    line_items: list[FirstLine] | None = None
    tags: list[Filled] | None = None
    notes: str | None = None
    lead_source: str | None = None
    invoice_number: Annotated[int, BeforeValidator(_whole)] | None = None
    job_fields: JobFields | None = None


class Dispatched(Body):
    """One of `dispatched_employees`."""

    employee_id: str


class NewSchedule(Body):
    """PUT /jobs/{id}/schedule (HC-59)."""

    start_time: Instant
    end_time: Instant | None = None
    arrival_window_in_minutes: Minutes | None = None
    notify: bool | None = None
    notify_pro: bool | None = None
    dispatched_employees: list[Dispatched] | None = None
    expand: list[str] | None = None


class Dispatch(Body):
    """PUT /jobs/{id}/dispatch."""

    dispatched_employees: list[Dispatched]


class VisitBody(Body):
    """POST and PUT of an appointment (HC-66)."""

    start_time: Instant
    end_time: Instant
    dispatched_employees_ids: list[str]
    arrival_window_minutes: Minutes | None = None


class LineBody(Body):
    """A whole line item (HC-70); what is left out takes its default, as the reading to be afraid of (HC-71)."""

    name: LineName
    description: str | None = None
    unit_price: Cents | None = None
    unit_cost: Cents | None = None
    quantity: Annotated[int | float, BeforeValidator(_quantity)] | None = None
    kind: Annotated[str, _one_of(tuple(LineKind))] | None = None
    taxable: bool | None = None
    service_item_id: str | None = None
    service_item_type: Annotated[str, _one_of(ITEM_TYPES)] | None = None


class ListedLine(LineBody):
    """A line of bulk_update: with an id an existing one, without a new one (HC-72)."""

    id: str | None = None


class BulkLines(Body):
    """PUT /jobs/{id}/line_items/bulk_update (HC-72)."""

    line_items: list[ListedLine]
    append_line_items: bool | None = None


class NewNote(Body):
    """POST /jobs/{id}/notes."""

    content: Filled


class TagOnJob(Body):
    """POST /jobs/{id}/tags."""

    tag_id: str


class Named(Body):
    """POST and PUT of tags and job types."""

    name: Filled


class AddressInCustomer(Body):
    """An address that comes with a new customer; nothing of it is required."""

    street: str | None = None
    street_line_2: str | None = None
    city: str | None = None
    state: str | None = None
    zip: str | None = None
    country: str | None = None
    latitude: Degrees = None
    longitude: Degrees = None


class NewAddress(AddressInCustomer):
    """POST /customers/{id}/addresses (HC-55)."""

    street: Filled
    city: Filled
    state: Filled
    zip: Filled
    country: Filled


class CustomerBody(Body):
    """PUT /customers/{id}: what is left out stays."""

    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    company: str | None = None
    mobile_number: str | None = None
    home_number: str | None = None
    work_number: str | None = None
    notifications_enabled: bool | None = None
    lead_source: str | None = None
    notes: str | None = None
    tags: list[str] | None = None


class NewCustomer(CustomerBody):
    """POST /customers (HC-54)."""

    addresses: list[AddressInCustomer] = Field(default_factory=list)

    @model_validator(mode="after")
    def _somebody(self) -> "NewCustomer":
        if not any(
            (self.first_name, self.last_name, self.email, self.mobile_number, self.home_number, self.work_number)
        ):
            raise ValueError("needs one of first name, last name, email and phone number")
        return self
