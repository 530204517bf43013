"""The service's JSON as typed values, whatever of it is null, absent or oddly shaped (HC-7 … HC-15); sends nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated, Final, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from changeover.core.job import Job, Visit
from changeover.core.job_order import Line
from changeover.housecallpro.client import Object
from changeover.housecallpro.errors import BadPayload, Json

M = TypeVar("M", bound=BaseModel)


def _text(value: Json) -> str:
    """A string; null is empty, a number is its digits (HC-8, HC-14)."""
    return "" if value is None else str(value)


def _maybe(value: Json) -> str | None:
    """A string or null; ids of line items may be anything (HC-7)."""
    return None if value is None else str(value)


def _instant(value: Json) -> datetime | None:
    """RFC 3339 with fractions and offsets; answers are UTC, so one without offset is too (HC-11)."""
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise ValueError("is no time")  # noqa: TRY004 - what pydantic reports
    instant = datetime.fromisoformat(value)
    return (instant if instant.tzinfo is not None else instant.replace(tzinfo=UTC)).astimezone(UTC)


def _cents(value: Json) -> int:
    """Whole cents, typed as number (HC-9)."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return 0
    return round(_number(value))


def _quantity(value: Json) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return Decimal(1)
    return _number(value)


def _number(value: float | str) -> Decimal:
    try:
        return Decimal(str(value))
    except InvalidOperation:
        raise ValueError("is no number") from None


def _list(value: Json) -> list[Json]:
    """A list; null is empty."""
    return value if isinstance(value, list) else []


def _notes(value: Json) -> list[Json]:
    """A job's notes: objects with content, or texts (HC-15)."""
    given: list[Json] = value if isinstance(value, list) else [value]
    found = [each.get("content") if isinstance(each, dict) else each for each in given]
    return [text for text in found if isinstance(text, str)]


Text = Annotated[str, BeforeValidator(_text)]
Maybe = Annotated[str | None, BeforeValidator(_maybe)]
Instant = Annotated[datetime | None, BeforeValidator(_instant)]
Cents = Annotated[int, BeforeValidator(_cents)]
Quantity = Annotated[Decimal, BeforeValidator(_quantity)]
Minutes = Annotated[int, BeforeValidator(_cents)]
Notes = Annotated[list[str], BeforeValidator(_notes)]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    def has(self, name: str) -> bool:
        """Whether the answer had this key at all (J-66)."""
        return name in self.model_fields_set


class Named(_Model):
    """Something with an id and a name: a tag, a job type."""

    id: str
    name: Text = ""


class Employee(_Model):
    """A person who may be assigned. The service lists active ones only (HC-47)."""

    id: Text = ""
    first_name: Text = ""
    last_name: Text = ""
    role: Text = ""

    @property
    def name(self) -> str:
        """`First Last`, of the parts that are not empty (J-66)."""
        return " ".join(part for part in (self.first_name.strip(), self.last_name.strip()) if part)


class Address(_Model):
    """An address; of a job it may be an object of nulls (HC-14)."""

    id: Text = ""
    street: Text = ""
    street_line_2: Text = ""
    city: Text = ""
    state: Text = ""
    zip: Text = ""

    @property
    def text(self) -> str:
        """All of it on one line."""
        parts = (self.street, self.street_line_2, self.city, self.state, self.zip)
        return " ".join(part.strip() for part in parts if part.strip())


class Customer(_Model):
    """A customer; phones, mails and notes are not read."""

    id: str
    first_name: Text = ""
    last_name: Text = ""
    company: Text = ""
    addresses: Annotated[list[Address], BeforeValidator(_list)] = Field(default_factory=list)


class Company(_Model):
    """The company of a key (HC-13)."""

    id: Text = ""
    name: Text = ""
    time_zone: Text = ""


class _Assigned(_Model):
    employee_id: Text = ""
    id: Text = ""


class AppointmentModel(_Model):
    """A visit, with its people as ids or as objects (HC-65, HC-85)."""

    id: Text = ""
    start_time: Instant = None
    end_time: Instant = None
    arrival_window_minutes: Minutes = 0
    dispatched_employees_ids: Annotated[list[str], BeforeValidator(_list)] = Field(default_factory=list)
    dispatched_employees: Annotated[list[_Assigned], BeforeValidator(_list)] = Field(default_factory=list)

    def visit(self) -> Visit:
        people = self.dispatched_employees_ids or [each.id or each.employee_id for each in self.dispatched_employees]
        return Visit(self.id, self.start_time, self.end_time, self.arrival_window_minutes, tuple(filter(None, people)))


class _Schedule(_Model):
    scheduled_start: Instant = None
    scheduled_end: Instant = None
    arrival_window: Minutes = 0
    appointments: Annotated[list[AppointmentModel], BeforeValidator(_list)] = Field(default_factory=list)


class _Timestamps(_Model):
    on_my_way_at: Instant = None
    started_at: Instant = None
    completed_at: Instant = None


class _Id(_Model):
    id: Text = ""


class _JobFields(_Model):
    job_type: _Id | None = None


class JobModel(_Model):
    """A job of a list, a read or a webhook (§7.2)."""

    id: str
    customer: _Id | None = None
    address: Address | None = None
    notes: Notes = Field(default_factory=list)
    note: Text = ""
    work_status: str | None = None
    work_timestamps: _Timestamps | None = None
    schedule: _Schedule | None = None
    assigned_employees: Annotated[list[Employee], BeforeValidator(_list)] = Field(default_factory=list)
    job_fields: _JobFields | None = None
    total_amount: Cents = 0
    canceled_at: Instant = None
    deleted_at: Instant = None
    locked_at: Instant = None
    created_at: Instant = None
    updated_at: Instant = None

    def job(self) -> Job:
        """As the rules know it; what the answer did not have is named as absent (J-66)."""
        schedule, times = self.schedule or _Schedule(), self.work_timestamps or _Timestamps()
        address, fields = self.address or Address(), self.job_fields or _JobFields()
        return Job(
            id=self.id,
            customer_id=self.customer.id if self.customer else "",
            address_id=address.id,
            address=address.text,
            work_status=self.work_status,
            start=schedule.scheduled_start,
            end=schedule.scheduled_end,
            window_minutes=schedule.arrival_window,
            visits=tuple(each.visit() for each in schedule.appointments if each.id),
            assignees=tuple(each.name for each in self.assigned_employees),
            employee_ids=tuple(each.id for each in self.assigned_employees if each.id),
            job_type_id=fields.job_type.id or None if fields.job_type else None,
            notes=tuple(filter(None, [*self.notes, self.note])),
            on_my_way=times.on_my_way_at,
            started=times.started_at,
            completed=times.completed_at,
            canceled_at=self.canceled_at,
            deleted_at=self.deleted_at,
            locked_at=self.locked_at,
            created=self.created_at,
            updated=self.updated_at,
            total_cents=self.total_amount,
            absent=self._absent(),
        )

    def _absent(self) -> frozenset[str]:
        """Null is a value: it empties. A null object empties all that would stand in it."""
        schedule, times = self.schedule, self.work_timestamps
        present = {
            "work_status": self.has("work_status"),
            "start": self.has("schedule") and (schedule is None or schedule.has("scheduled_start")),
            "visits": self.has("schedule") and (schedule is None or schedule.has("appointments")),
            "assignees": self.has("assigned_employees"),
            "on_my_way": self.has("work_timestamps") and (times is None or times.has("on_my_way_at")),
            "started": self.has("work_timestamps") and (times is None or times.has("started_at")),
            "completed": self.has("work_timestamps") and (times is None or times.has("completed_at")),
        }
        return frozenset(name for name, there in present.items() if not there)


class LineModel(_Model):
    """A line item (HC-67)."""

    id: Text = ""
    name: Text = ""
    description: Text = ""
    unit_price: Cents = 0
    unit_cost: Cents = 0
    unit_of_measure: Maybe = None
    quantity: Quantity = Decimal(1)
    kind: Text = ""
    taxable: bool | None = None
    amount: Cents = 0
    order_index: Minutes = 0
    service_item_id: Maybe = None
    service_item_type: Maybe = None

    def line(self) -> Line:
        return Line(
            name=self.name,
            id=self.id,
            description=self.description,
            unit_price=self.unit_price,
            unit_cost=self.unit_cost,
            quantity=self.quantity,
            kind=self.kind or "labor",
            taxable=self.taxable is not False,
            service_item_id=self.service_item_id,
            service_item_type=self.service_item_type,
            unit_of_measure=self.unit_of_measure,
            amount=self.amount,
            order_index=self.order_index,
        )


def parsed(model: type[M], body: Json | Object) -> M:
    """A body as a model. Raises BadPayload; nothing of the body gets into the error (HC-91)."""
    try:
        return model.model_validate(body)
    except ValidationError as error:
        names = sorted({".".join(map(str, each["loc"])) for each in error.errors()})
        message = f"Not as expected: {', '.join(names)[:_NAMED]}"
    raise BadPayload(message)


def parsed_all(model: type[M], items: Json | Sequence[Object]) -> list[M]:
    """A list of bodies as models. Raises BadPayload for what is no list."""
    if not isinstance(items, list):
        raise BadPayload("The answer holds no list.")
    return [parsed(model, item) for item in items]


_NAMED: Final = 200


def instant_text(value: datetime) -> str:
    """An aware instant as requests carry it, always in UTC (HC-11, HC-12)."""
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def quantity_number(value: Decimal) -> int | float:
    """A quantity as requests carry it: whole where it is, else with two decimals (HC-9)."""
    return int(value) if value == value.to_integral_value() else float(round(value, 2))
