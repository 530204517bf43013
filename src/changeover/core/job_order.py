"""What a new job is made of: everything resolved from row, property and settings before a call (J-31 … J-34, J-48)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from changeover.core.job import Job, JobRules, marked_rows, marker
from changeover.core.job_eligibility import Case
from changeover.core.job_schedule import same_minute
from changeover.core.service_line import LineFacts, service_line

CLOCKS_APART = timedelta(minutes=2)
NAME_REFUSED_LIMIT = 200  # code points of the second attempt (J-51)


@dataclass(frozen=True, slots=True)
class Line:
    """A line item; `id` is empty for one that is not made yet. Prices in cents, `quantity` with up to two decimals."""

    name: str
    id: str = ""
    description: str = ""
    unit_price: int = 0
    unit_cost: int = 0
    quantity: Decimal = Decimal(1)
    kind: str = "labor"
    taxable: bool = True
    service_item_id: str | None = None
    service_item_type: str | None = None
    unit_of_measure: str | None = None
    amount: int = 0
    order_index: int = 0


@dataclass(frozen=True, slots=True)
class JobOrder:
    """The intent of J-48 but for its lines: where, when, who and what. The same row gives the same order."""

    record_id: str
    customer_id: str
    address_id: str
    template_id: str
    job_type_id: str
    employee_id: str
    start: datetime
    end: datetime
    window_minutes: int
    facts: LineFacts
    line: str

    @property
    def marker(self) -> str:
        """The note that makes the job findable (J-49)."""
        return marker(self.record_id)


class NotOrderable(ValueError):
    """A case that a rule refuses was ordered all the same: our own mistake."""


def order(case: Case) -> JobOrder:
    """What a case that no rule refuses is to get (J-31 … J-34). Raises NotOrderable for one that a rule refuses."""
    row, home, rules, start = case.row, case.home, case.rules, case.start
    if home is None or start is None or home.customer_id is None:
        raise NotOrderable(row.record_id)
    facts = LineFacts.of(row, rules.hours.long_term_nights)
    return JobOrder(
        record_id=row.record_id,
        customer_id=home.customer_id,
        address_id=home.address_id,
        template_id=home.template(row.service),
        job_type_id=rules.types.of(row.service, owner_arriving=row.owner_arriving),
        employee_id=rules.employee_id,
        start=start,
        end=start + rules.duration,
        window_minutes=rules.window_minutes,
        facts=facts,
        line=service_line(facts, rules.line_limit),
    )


def shorter_line(facts: LineFacts, rules: JobRules) -> str:
    """The line for a name that was refused as too long (J-51)."""
    return service_line(facts, rules.line_limit, NAME_REFUSED_LIMIT)


def copied(template: Iterable[Line], name: str) -> tuple[Line, ...]:
    """A template's lines for a new job, by order, without ids, the first one with the given name (J-51)."""
    ordered = in_order(template)
    fresh = [replace(line, id="", unit_of_measure=None, amount=0, order_index=0) for line in ordered]
    return tuple(replace(line, name=name) if place == 0 else line for place, line in enumerate(fresh))


def in_order(lines: Iterable[Line]) -> tuple[Line, ...]:
    """Lines by `order_index`, the first being the service line; the array's order means nothing (HC-69)."""
    return tuple(sorted(lines, key=lambda line: line.order_index))


def complete(lines: Sequence[Line], wanted: Sequence[Line]) -> bool:
    """Whether a job has the lines it was to get, those and no others (J-55); ids and amounts are the service's."""
    return called_otherwise(lines, wanted) == ""


def called_otherwise(lines: Sequence[Line], wanted: Sequence[Line]) -> str | None:
    """What a person calls the first of the lines that a job was to get, "" where nobody does; None: they are others."""
    if copied(lines, "") != copied(wanted, ""):
        return None
    ours, theirs = next(iter(wanted), None), next(iter(in_order(lines)), None)
    return "" if ours is None or theirs is None or theirs.name == ours.name else theirs.name


def total(lines: Iterable[Line]) -> int:
    """A template's total in cents, to be noticed when it changes (J-35)."""
    return sum(line.amount for line in lines)


def made_of(jobs: Iterable[Job], wanted: JobOrder, since: datetime, taken: frozenset[str]) -> Job | None:
    """The job that an unclear POST has made: by marker, else an unlinked one that can be nothing else (J-53).

    `taken` are the job ids that rows have already; `since` is when the intent was stored, by our clock: the service's
    may be a little behind, and a job overlooked would be made twice.
    """
    free = [job for job in jobs if job.id not in taken]
    marked = [job for job in free if wanted.record_id in marked_rows(job)]
    alike = [job for job in free if not marked_rows(job) and _alike(job, wanted, since)]
    return min(marked or alike, key=lambda job: (job.created is None, job.created, job.id), default=None)


def _alike(job: Job, wanted: JobOrder, since: datetime) -> bool:
    return (
        (job.customer_id, job.address_id) == (wanted.customer_id, wanted.address_id)
        and job.start is not None
        and same_minute(job.start, wanted.start)
        and job.created is not None
        and job.created >= since - CLOCKS_APART
    )
