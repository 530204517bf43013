"""What people do with a job in the app (HC-110): what each action needs, when it is possible, what it makes known."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from changeover_sandbox.housecallpro import errors, jobs, visits
from changeover_sandbox.housecallpro.bodies import Instant, LineName
from changeover_sandbox.housecallpro.company import Work
from changeover_sandbox.housecallpro.events import job_event, job_updated, visit_event
from changeover_sandbox.housecallpro.ids import new_id
from changeover_sandbox.housecallpro.model import COMPLETE, Job, Status, Visit

_OPEN: Final = frozenset({Status.NEEDS_SCHEDULING, Status.SCHEDULED, Status.IN_PROGRESS})
_SCHEDULED: Final = frozenset({Status.SCHEDULED, Status.IN_PROGRESS})


class _Action(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    at: Instant | None = None


class OnMyWay(_Action):
    action: Literal["on_my_way"]


class Start(_Action):
    action: Literal["start"]


class Complete(_Action):
    action: Literal["complete"]
    rated: bool = False


class Cancel(_Action):
    action: Literal["cancel"]
    by: Literal["pro", "user"] = "pro"


class Delete(_Action):
    action: Literal["delete"]


class Reschedule(_Action):
    action: Literal["reschedule"]
    start: Instant
    end: Instant | None = None
    appointment_id: str | None = None


class Assign(_Action):
    action: Literal["assign"]
    employee_ids: list[str] = Field(min_length=1)


class Unassign(_Action):
    action: Literal["unassign"]
    employee_ids: list[str] = Field(min_length=1)


class AddAppointment(_Action):
    action: Literal["add_appointment"]
    start: Instant
    end: Instant
    employee_ids: list[str] | None = None


class RenameLineItem(_Action):
    action: Literal["rename_line_item"]
    name: LineName
    line_item_id: str | None = None


Action = OnMyWay | Start | Complete | Cancel | Delete | Reschedule | Assign | Unassign | AddAppointment | RenameLineItem
ACTION: Final[TypeAdapter[Action]] = TypeAdapter(
    Annotated[Action, Field(discriminator="action")], config=ConfigDict(defer_build=True)
)


def act(work: Work, job: Job, action: Action) -> None:
    """Do it, save it and make it known; raises Refusal: 409 when the job's state forbids it."""
    if job.gone:
        raise _impossible("The job is deleted")
    _DEEDS[type(action)](work, job, action)


def _impossible(why: str) -> errors.Refusal:
    return errors.Refusal(409, {"error": why})


def _need(job: Job, possible: frozenset[Status]) -> None:
    if job.status not in possible:
        raise _impossible(f"The job is {job.status.value}")


def _progress(work: Work, job: Job, verb: str) -> None:
    work.save(job)
    work.tell([job_event(work.company, job, verb), job_updated(work.company, job)])


def _on_my_way(work: Work, job: Job, _action: OnMyWay) -> None:
    _need(job, _SCHEDULED)
    job.on_my_way_at = work.at
    _progress(work, job, "on_my_way")


def _start(work: Work, job: Job, _action: Start) -> None:
    _need(job, frozenset({Status.SCHEDULED}))
    job.started_at, job.status = work.at, Status.IN_PROGRESS
    _progress(work, job, "started")


def _complete(work: Work, job: Job, action: Complete) -> None:
    _need(job, _SCHEDULED)
    job.completed_at = work.at
    job.status = Status.COMPLETE_RATED if action.rated else Status.COMPLETE_UNRATED
    _progress(work, job, "completed")


def _cancel(work: Work, job: Job, action: Cancel) -> None:
    _need(job, _OPEN)
    if action.by == "user":
        job.status, job.canceled_at = Status.USER_CANCELED, work.at
    else:
        job.status, job.deleted_at = Status.PRO_CANCELED, work.at
    work.save(job)
    work.tell([job_event(work.company, job, "canceled")])


def _delete(work: Work, job: Job, _action: Delete) -> None:
    job.gone, job.deleted_at = True, work.at
    work.save(job)
    work.tell([job_event(work.company, job, "deleted")])


def _reschedule(work: Work, job: Job, action: Reschedule) -> None:
    _need(job, _OPEN)
    visit = _visit_meant(job, action.appointment_id)
    length = visit.length if visit else jobs.USUAL_LENGTH
    start, end = jobs.span(action.start, action.end, length, "end")
    if visit is None:
        jobs.schedule_first(work, job, Visit(new_id("appt"), start, end, 0, job.assigned))
        return
    jobs.move(visit, start, end, None)
    work.save(job)
    work.tell([visit_event(work.company, job, visit, "rescheduled"), job_updated(work.company, job)])


def _visit_meant(job: Job, visit_id: str | None) -> Visit | None:
    if visit_id is not None:
        visit = job.visit(visit_id)
        if visit is None:
            raise errors.invalid({"appointment_id": "is unknown"})
        return visit
    if len(job.visits) > 1:
        raise _impossible("The job has several appointments: appointment_id says which")
    return job.visits[0] if job.visits else None


def _assign(work: Work, job: Job, action: Assign) -> None:
    more = work.company.people(action.employee_ids, "employee_ids")
    _set_people(work, job, lambda people: list(dict.fromkeys([*people, *more])))


def _unassign(work: Work, job: Job, action: Unassign) -> None:
    if not set(action.employee_ids) <= set(job.assigned):
        raise _impossible("Not all of them are assigned")
    _set_people(work, job, lambda people: [one for one in people if one not in action.employee_ids])


def _set_people(work: Work, job: Job, changed: Callable[[list[str]], list[str]]) -> None:
    """Change who comes to each visit; every visit is also said to be rescheduled, to the time it has (HC-87)."""
    _need(job, _OPEN)
    events = jobs.assign(work, job, {one.id: changed(one.people) for one in job.visits}, changed(job.people))
    events += [visit_event(work.company, job, visit, "rescheduled") for visit in job.visits]
    work.tell([*events, job_updated(work.company, job)])


def _add_appointment(work: Work, job: Job, action: AddAppointment) -> None:
    _need(job, _OPEN)
    ids = job.assigned if action.employee_ids is None else work.company.people(action.employee_ids, "employee_ids")
    start, end = jobs.span(action.start, action.end, jobs.USUAL_LENGTH, "end")
    visits.append(work, job, Visit(new_id("appt"), start, end, 0, list(ids)))


def _rename_line_item(work: Work, job: Job, action: RenameLineItem) -> None:
    _need(job, _OPEN | COMPLETE)
    if job.locked_at is not None:
        raise _impossible("The job is locked")
    line = job.first_line if action.line_item_id is None else job.line(action.line_item_id)
    if line is None:
        raise _impossible("The job has no such line item")
    line.name = action.name
    work.save(job)
    work.tell([job_updated(work.company, job)])


_DEEDS: Final[Mapping[type[_Action], Callable[[Work, Job, Any], None]]] = {
    OnMyWay: _on_my_way,
    Start: _start,
    Complete: _complete,
    Cancel: _cancel,
    Delete: _delete,
    Reschedule: _reschedule,
    Assign: _assign,
    Unassign: _unassign,
    AddAppointment: _add_appointment,
    RenameLineItem: _rename_line_item,
}
