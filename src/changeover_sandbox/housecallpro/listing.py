"""Pages and order of lists (HC-16 to HC-20, HC-100), and the filters of GET /jobs (HC-40 to HC-44); no HTTP."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Self, TypeVar

from multidict import MultiMapping

from changeover_sandbox.housecallpro import errors
from changeover_sandbox.housecallpro.ids import instant
from changeover_sandbox.housecallpro.model import CANCELED, COMPLETE, Job, Status
from changeover_sandbox.housecallpro.render import EXPANSIONS

PAGE_SIZE: Final = 10
MAX_PAGE_SIZE: Final = 200
FILTER_WORDS: Final[Mapping[str, frozenset[Status]]] = {
    "unscheduled": frozenset({Status.NEEDS_SCHEDULING}),
    "scheduled": frozenset({Status.SCHEDULED}),
    "in_progress": frozenset({Status.IN_PROGRESS}),
    "completed": COMPLETE,
    "canceled": CANCELED,
}
"""What the filter calls the statuses (HC-57)."""

T = TypeVar("T")
Query = MultiMapping[str]
Key = Callable[[T], Any]


def values(query: Query, name: str) -> list[str]:
    """An array in a query: with brackets or as a repeated plain name."""
    return [*query.getall(f"{name}[]", []), *query.getall(name, [])]


def choices(query: Query, name: str, known: frozenset[str] | Mapping[str, object]) -> list[str]:
    """The same where only some words are known; raises Refusal for another one."""
    given = values(query, name)
    if any(one not in known for one in given):
        raise errors.invalid({name: "is not known"})
    return given


def _number(query: Query, name: str, default: int) -> int:
    text = query.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit()) or int(text[:12]) < 1:
        raise errors.invalid({name: "is not a number from 1"})
    return int(text[:12])


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list is wanted."""

    number: int
    size: int

    @classmethod
    def of(cls, query: Query) -> Self:
        """Raises Refusal."""
        return cls(_number(query, "page", 1), min(_number(query, "page_size", PAGE_SIZE), MAX_PAGE_SIZE))

    def answer(self, plural: str, items: Sequence[T], render: Callable[[T], object]) -> dict[str, object]:
        """The list's body; only what is on the page is rendered."""
        first = (self.number - 1) * self.size
        return {
            "page": self.number,
            "page_size": self.size,
            "total_pages": -(-len(items) // self.size),
            "total_items": len(items),
            plural: [render(item) for item in items[first : first + self.size]],
        }


def ordered(items: Sequence[T], query: Query, keys: Mapping[str, Key[T]], default: str = "created_at") -> list[T]:
    """Sorted as the query says, newest first unless it does; equals keep the order of creation. Raises Refusal."""
    by, direction = query.get("sort_by", default), query.get("sort_direction", "desc")
    if by not in keys:
        raise errors.invalid({"sort_by": "is not known"})
    if direction not in {"asc", "desc"}:
        raise errors.invalid({"sort_direction": "is neither asc nor desc"})
    result = sorted(items, key=keys[by])
    return result[::-1] if direction == "desc" else result


JOB_ORDER: Final[Mapping[str, Key[Job]]] = {
    "created_at": lambda job: job.created_at,
    "updated_at": lambda job: job.updated_at,
    "invoice_number": lambda job: int(job.invoice_number),
    "id": lambda job: job.id,
    "description": lambda _job: "",
    "work_status": lambda job: job.status,
}


@dataclass(frozen=True, slots=True)
class JobFilter:
    """Which jobs are wanted; None is no condition. Bounds are inclusive (HC-40)."""

    statuses: frozenset[Status] | None
    employees: frozenset[str] | None
    locations: frozenset[str] | None
    customer_id: str | None
    start_min: datetime | None
    start_max: datetime | None
    end_min: datetime | None
    end_max: datetime | None

    @classmethod
    def of(cls, query: Query) -> Self:
        """Raises Refusal."""
        words = choices(query, "work_status", FILTER_WORDS)
        return cls(
            statuses=frozenset().union(*(FILTER_WORDS[word] for word in words)) if words else None,
            employees=frozenset(values(query, "employee_ids")) or None,
            locations=frozenset(values(query, "location_ids")) or None,
            customer_id=query.get("customer_id"),
            start_min=_bound(query, "scheduled_start_min"),
            start_max=_bound(query, "scheduled_start_max"),
            end_min=_bound(query, "scheduled_end_min"),
            end_max=_bound(query, "scheduled_end_max"),
        )

    def has(self, job: Job, location: str) -> bool:
        """Whether a job is wanted; the company is the only location there is."""
        return (
            not job.gone
            and (self.statuses is None or job.status in self.statuses)
            and (self.customer_id is None or job.customer_id == self.customer_id)
            and (self.employees is None or not self.employees.isdisjoint(job.assigned))
            and (self.locations is None or location in self.locations)
            and _within(job.start, self.start_min, self.start_max)
            and _within(job.end, self.end_min, self.end_max)
        )


def _bound(query: Query, name: str) -> datetime | None:
    text = query.get(name)
    if text is None:
        return None
    try:
        return instant(text)
    except ValueError as exc:
        raise errors.invalid({name: str(exc)}) from exc


def _within(moment: datetime | None, earliest: datetime | None, latest: datetime | None) -> bool:
    """A job without a start is in no window (HC-44)."""
    if earliest is None and latest is None:
        return True
    if moment is None:
        return False
    return (earliest is None or earliest <= moment) and (latest is None or moment <= latest)


def expansions(query: Query) -> frozenset[str]:
    """`expand[]`; raises Refusal for one that does not exist."""
    return frozenset(choices(query, "expand", EXPANSIONS))
