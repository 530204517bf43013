"""The events of a cause (HC-82 to HC-87): what they are called and carry; who hears of them is decided elsewhere."""

from collections.abc import Sequence

from changeover_sandbox.housecallpro.company import Company, Event
from changeover_sandbox.housecallpro.model import Customer, Job, Visit
from changeover_sandbox.housecallpro.render import EXPANSIONS, customer_json, job_json, visit_event_json


def job_event(company: Company, job: Job, verb: str) -> Event:
    """`job.<verb>` with the whole job as it is now (HC-84)."""
    return Event(f"job.{verb}", "job", job_json(company, job, EXPANSIONS))


def job_updated(company: Company, job: Job) -> Event:
    """The event that nearly every cause ends with."""
    return job_event(company, job, "updated")


def customer_event(company: Company, customer: Customer, verb: str) -> Event:
    """`customer.<verb>`."""
    return Event(f"customer.{verb}", "customer", customer_json(customer, company.account))


def visit_event(company: Company, job: Job, visit: Visit, verb: str) -> Event:
    """`job.appointment.<verb>` with the appointment as it is now (HC-85)."""
    return _visit_event(company, job, visit, verb, visit.people)


def discarded(job: Job, visit: Visit) -> Event:
    """The appointment is no more: only its id and the job's (HC-86)."""
    return Event("job.appointment.appointment_discarded", "appointment", {"id": visit.id, "job_id": job.id})


def people_events(company: Company, job: Job, visit: Visit, before: Sequence[str]) -> list[Event]:
    """Who left the visit and who came to it; the first event lists those who left (HC-86), the second all who come."""
    left = [one for one in before if one not in visit.people]
    events = []
    if left:
        events.append(_visit_event(company, job, visit, "appointment_pros_unassigned", left))
    if any(one not in before for one in visit.people):
        events.append(visit_event(company, job, visit, "appointment_pros_assigned"))
    return events


def _visit_event(company: Company, job: Job, visit: Visit, verb: str, people: Sequence[str]) -> Event:
    return Event(f"job.appointment.{verb}", "appointment", visit_event_json(company, job, visit, people))
