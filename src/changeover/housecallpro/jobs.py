"""Jobs: found, read, made, noted and tagged (HC-40 … HC-52); which of it is right is not decided here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Final
from urllib.parse import quote

from changeover.core.job import Gone as GoneJob
from changeover.core.job import Job
from changeover.core.job_order import JobOrder
from changeover.housecallpro import directory
from changeover.housecallpro.client import HousecallPro, Query, checked_id
from changeover.housecallpro.errors import BadPayload, Gone, HcpError, Json, Misrouted, NotFound, Rejected
from changeover.housecallpro.models import JobModel, Named, instant_text, parsed

EXPANDED: Final[Query] = (("expand[]", "appointments"),)
_STABLE: Final[Query] = (("sort_by", "created_at"), ("sort_direction", "asc"))
_SETTLING: Final = (0.0, 0.5, 1.5)


def read(client: HousecallPro, job_id: str) -> Job:
    """The truth about one job, with its visits (HC-46). Raises NotFound or Gone for one that is deleted."""
    return parsed(JobModel, client.get(f"/jobs/{checked_id(job_id)}", EXPANDED)).job()


def look(client: HousecallPro, job_id: str) -> Job | GoneJob:
    """A job, or that it is gone: by 404 or 410 and by nothing else (HC-92).

    An unknown path is 404 too. So a 404 that does not speak of a job counts only where the company itself is found;
    else Misrouted, and no job is taken for deleted because of a wrong address.
    """
    try:
        return read(client, job_id)
    except Gone:
        return GoneJob(job_id)
    except NotFound as error:
        if "job" not in error.message.lower():
            _prove_address(client)
        return GoneJob(job_id)


def look_at(client: HousecallPro, job_ids: Sequence[str]) -> list[Job | GoneJob | HcpError]:
    """Several jobs, each at its place, or why it cannot be read: by one call, if they are the latest to have changed.

    Those that a list of the latest changes does not show are read singly: nothing rests on the list's order. Raises
    HcpError where the service as a whole does not answer.
    """
    found: dict[str, Job | GoneJob | HcpError] = {}
    if len(set(job_ids)) > _FEW:
        found.update(_latest(client))
    for job_id in job_ids:
        if job_id not in found:
            found[job_id] = _look_alone(client, job_id)
    return [found[job_id] for job_id in job_ids]


_FEW: Final = 2


def _latest(client: HousecallPro) -> dict[str, Job]:
    """The jobs that changed last, a whole page: what waits longest has changed longest ago, behind all others."""
    query = [("sort_by", "updated_at"), ("sort_direction", "desc"), *EXPANDED]
    page = next(client.pages("/jobs", "jobs", query))
    found = {}
    for item in page:
        with suppress(BadPayload):  # whose form it is, its own read will say
            job = parsed(JobModel, item).job()
            found[job.id] = job
    return found


def _look_alone(client: HousecallPro, job_id: str) -> Job | GoneJob | HcpError:
    try:
        return look(client, job_id)
    except (BadPayload, Rejected) as error:
        return error


def _prove_address(client: HousecallPro) -> None:
    try:
        directory.company(client)
    except NotFound as error:
        raise Misrouted(status=error.status) from None


def between(client: HousecallPro, first: datetime, last: datetime, *, customer_id: str = "") -> tuple[Job, ...]:
    """The jobs that start within [first, last], with their visits; of one customer where it is named (HC-40, HC-44)."""
    window = [("scheduled_start_min", instant_text(first)), ("scheduled_start_max", instant_text(last))]
    whose = [("customer_id", checked_id(customer_id))] if customer_id else []
    return _all(client, [*window, *whose])


def unscheduled(client: HousecallPro) -> tuple[Job, ...]:
    """The jobs without a start, which are in no window (HC-41, HC-44)."""
    return _all(client, [("work_status[]", "unscheduled")])


def _all(client: HousecallPro, query: Query) -> tuple[Job, ...]:
    pages = client.pages("/jobs", "jobs", [*query, *_STABLE, *EXPANDED])
    return tuple(parsed(JobModel, item).job() for page in pages for item in page)


def create(client: HousecallPro, order: JobOrder) -> Job:
    """Makes a job without lines, marked with its row's id (J-49). Once: raises Ambiguous if the end is unclear (J-53).

    The answer does not reliably hold the visit: read again (HC-51).
    """
    people: list[Json] = [order.employee_id] if order.employee_id else []
    body: dict[str, Json] = {
        "customer_id": order.customer_id,
        "address_id": order.address_id,
        "schedule": {
            "scheduled_start": instant_text(order.start),
            "scheduled_end": instant_text(order.end),
            "arrival_window": order.window_minutes,
        },
        "assigned_employee_ids": people,
        "line_items": [],
        "notes": order.marker,
        "job_fields": {"job_type_id": order.job_type_id},
    }
    return client.post("/jobs", body, lambda answer: parsed(JobModel, answer).job())


def settled(client: HousecallPro, job_id: str, good: Callable[[Job], bool]) -> Job | GoneJob:
    """A job read again after a write, at most three times, until it is as it should (HC-94); the last read counts."""
    job: Job | GoneJob = GoneJob(job_id)
    for wait in _SETTLING:
        if wait:
            client.wiring.sleep(wait)
        job = look(client, job_id)
        if isinstance(job, GoneJob) or good(job):
            break
    return job


# -- set-up tools ----------------------------------------------------------------------------------------------------


def add_note(client: HousecallPro, job_id: str, content: str) -> str:
    """Adds a note; its id."""
    path = f"/jobs/{checked_id(job_id)}/notes"
    return client.post(path, {"content": content}, lambda answer: parsed(Named, answer).id)


def delete_note(client: HousecallPro, job_id: str, note_id: str) -> None:
    client.delete(f"/jobs/{checked_id(job_id)}/notes/{checked_id(note_id)}")


def add_tag(client: HousecallPro, job_id: str, tag_id: str) -> None:
    client.post(f"/jobs/{checked_id(job_id)}/tags", {"tag_id": tag_id}, lambda _: None)


def remove_tag(client: HousecallPro, job_id: str, tag_id: str) -> None:
    client.delete(f"/jobs/{checked_id(job_id)}/tags/{quote(tag_id, safe='')}")
