"""Schedules and visits of jobs: moved, added and taken away (HC-59 … HC-66); when is not decided here."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from changeover.core.job import Visit
from changeover.core.job_schedule import MoveJob, MoveVisit, Unschedule
from changeover.housecallpro.client import HousecallPro, Object, checked_id
from changeover.housecallpro.errors import Json
from changeover.housecallpro.models import AppointmentModel, instant_text, parsed, parsed_all


def send(client: HousecallPro, job_id: str, change: MoveJob | MoveVisit | Unschedule) -> None:
    """Sends a change of `core.job_schedule`. What came of it is read from the job (HC-94)."""
    match change:
        case MoveJob():
            put(client, job_id, change)
        case MoveVisit():
            move_visit(client, job_id, change)
        case Unschedule(visit_id=""):
            delete(client, job_id)
        case Unschedule(visit_id=visit_id):
            delete_visit(client, job_id, visit_id)


def put(client: HousecallPro, job_id: str, change: MoveJob) -> None:
    """Sets the schedule of a job with at most one visit, and notifies nobody (HC-59 … HC-62)."""
    body: dict[str, Json] = {
        "start_time": instant_text(change.start),
        "end_time": instant_text(change.end),
        "arrival_window_in_minutes": change.window_minutes,
        "notify": False,
        "notify_pro": False,
    }
    if change.employee_id:  # an empty list might take the people away (HC-61)
        body["dispatched_employees"] = [{"employee_id": change.employee_id}]
    client.put(f"/jobs/{checked_id(job_id)}/schedule", body)


def delete(client: HousecallPro, job_id: str) -> None:
    """Takes the schedule away; the job stays (HC-63)."""
    client.delete(f"/jobs/{checked_id(job_id)}/schedule")


def dispatch(client: HousecallPro, job_id: str, employee_ids: Sequence[str]) -> None:
    """Assigns people, one or more; no rule uses it."""
    people: list[Json] = [{"employee_id": checked_id(each)} for each in employee_ids]
    client.put(f"/jobs/{checked_id(job_id)}/dispatch", {"dispatched_employees": people})


def visits(client: HousecallPro, job_id: str) -> tuple[Visit, ...]:
    """All visits of a job (HC-18)."""
    answer = client.get(f"/jobs/{checked_id(job_id)}/appointments")
    return tuple(each.visit() for each in parsed_all(AppointmentModel, answer.get("appointments")))


def add_visit(
    client: HousecallPro, job_id: str, start: datetime, end: datetime, employee_ids: Sequence[str], window: int = 0
) -> Visit:
    """Adds a visit. Once: raises Ambiguous where the end is unclear."""
    body = _visit(start, end, window, employee_ids)
    path = f"/jobs/{checked_id(job_id)}/appointments"
    return client.post(path, body, lambda answer: parsed(AppointmentModel, answer).visit())


def move_visit(client: HousecallPro, job_id: str, change: MoveVisit) -> None:
    """Moves one of several visits with its people (J-61)."""
    path = f"/jobs/{checked_id(job_id)}/appointments/{checked_id(change.visit_id)}"
    client.put(path, _visit(change.start, change.end, change.window_minutes, change.employee_ids))


def delete_visit(client: HousecallPro, job_id: str, visit_id: str) -> None:
    """Takes one of several visits away."""
    client.delete(f"/jobs/{checked_id(job_id)}/appointments/{checked_id(visit_id)}")


def _visit(start: datetime, end: datetime, window: int, employee_ids: Sequence[str]) -> Object:
    people: list[Json] = list(employee_ids)
    return {
        "start_time": instant_text(start),
        "end_time": instant_text(end),
        "arrival_window_minutes": window,
        "dispatched_employees_ids": people,
    }
