"""The public API's calls for jobs and all their parts; what each does is written in modules of its own."""

from collections.abc import Sequence
from typing import Final

from aiohttp import web

from changeover_sandbox.housecallpro import jobs, lines, visits
from changeover_sandbox.housecallpro.bodies import (
    BulkLines,
    Dispatch,
    LineBody,
    NewJob,
    NewNote,
    NewSchedule,
    TagOnJob,
    VisitBody,
)
from changeover_sandbox.housecallpro.company import Company
from changeover_sandbox.housecallpro.context import body_of, company_of, job_of, work_of
from changeover_sandbox.housecallpro.errors import answer
from changeover_sandbox.housecallpro.ids import iso
from changeover_sandbox.housecallpro.listing import JOB_ORDER, JobFilter, Page, expansions, ordered
from changeover_sandbox.housecallpro.model import Job
from changeover_sandbox.housecallpro.render import (
    APPOINTMENTS,
    Json,
    job_json,
    line_json,
    lines_json,
    named_json,
    note_json,
    people_json,
    visit_json,
    visits_json,
)

PEOPLE: Final = "assigned_employees"
JOB: Final = "/jobs/{job}"


def add_routes(router: web.UrlDispatcher) -> None:
    """Serve /jobs; HEAD is no method of this API (HC-99)."""
    for path, handler in (
        ("/jobs", list_jobs),
        (JOB, show_job),
        (f"{JOB}/appointments", list_visits),
        (f"{JOB}/line_items", list_lines),
    ):
        router.add_get(path, handler, allow_head=False)
    router.add_post("/jobs", create_job)
    router.add_post(f"{JOB}/lock", lock_job)
    router.add_put(f"{JOB}/schedule", change_schedule)
    router.add_delete(f"{JOB}/schedule", erase_schedule)
    router.add_put(f"{JOB}/dispatch", dispatch_job)
    router.add_post(f"{JOB}/appointments", add_visit)
    router.add_put(f"{JOB}/appointments/{{visit}}", change_visit)
    router.add_delete(f"{JOB}/appointments/{{visit}}", discard_visit)
    router.add_post(f"{JOB}/line_items", add_line)
    router.add_put(f"{JOB}/line_items/bulk_update", update_lines)
    router.add_put(f"{JOB}/line_items/{{line}}", change_line)
    router.add_delete(f"{JOB}/line_items/{{line}}", drop_line)
    router.add_post(f"{JOB}/notes", add_note)
    router.add_delete(f"{JOB}/notes/{{note}}", drop_note)
    router.add_post(f"{JOB}/tags", add_tag)
    router.add_delete(f"{JOB}/tags/{{tag}}", drop_tag)


def _deleted(what: str) -> web.Response:
    return answer({"object": what, "deleted": True})


# -- jobs --------------------------------------------------------------------------------------------------------------


async def list_jobs(request: web.Request) -> web.Response:
    """GET /jobs."""
    company, query = company_of(request), request.query
    wanted, page, expand = JobFilter.of(query), Page.of(query), expansions(query)
    location = company.account.company_id
    found = ordered([job for job in company.jobs.values() if wanted.has(job, location)], query, JOB_ORDER)
    return answer(page.answer("jobs", found, lambda job: job_json(company, job, expand)))


async def create_job(request: web.Request) -> web.Response:
    """POST /jobs: the answer is without appointments (HC-51)."""
    work = work_of(request)
    return answer(job_json(work.company, jobs.create(work, await body_of(request, NewJob))), 201)


async def show_job(request: web.Request) -> web.Response:
    """GET /jobs/{id}."""
    company = company_of(request)
    job = jobs.living(company, request.match_info["job"])
    return answer(job_json(company, job, expansions(request.query)))


async def lock_job(request: web.Request) -> web.Response:
    """POST lock."""
    work, job = work_of(request), job_of(request)
    jobs.lock(work, job)
    return answer(job_json(work.company, job))


# -- schedule and people -----------------------------------------------------------------------------------------------


async def change_schedule(request: web.Request) -> web.Response:
    """PUT schedule: people and appointments only on demand (HC-59)."""
    work, job = work_of(request), job_of(request)
    order = await body_of(request, NewSchedule)
    visit = jobs.reschedule(work, job, order)
    shown: Json = {
        "start_time": iso(visit.start),
        "end_time": iso(visit.end),
        "arrival_window_minutes": visit.window,
    }
    return answer(shown | _schedule_parts(work.company, job, order.expand or ()))


def _schedule_parts(company: Company, job: Job, wanted: Sequence[str]) -> Json:
    parts: Json = {}
    if PEOPLE in wanted:
        parts[PEOPLE] = people_json(company, job.assigned)
    if APPOINTMENTS in wanted:
        parts[APPOINTMENTS] = visits_json(job, company.account)
    return parts


async def erase_schedule(request: web.Request) -> web.Response:
    """DELETE schedule."""
    jobs.unschedule(work_of(request), job_of(request))
    return _deleted("schedule")


async def dispatch_job(request: web.Request) -> web.Response:
    """PUT dispatch."""
    work, job = work_of(request), job_of(request)
    order = await body_of(request, Dispatch)
    jobs.dispatch(work, job, [one.employee_id for one in order.dispatched_employees])
    return answer({PEOPLE: people_json(work.company, job.assigned)})


# -- appointments ------------------------------------------------------------------------------------------------------


async def list_visits(request: web.Request) -> web.Response:
    """GET appointments: not paged (HC-18)."""
    return answer({APPOINTMENTS: visits_json(job_of(request), company_of(request).account)})


async def add_visit(request: web.Request) -> web.Response:
    """POST of an appointment."""
    work, job = work_of(request), job_of(request)
    visit = visits.add(work, job, await body_of(request, VisitBody))
    return answer(visit_json(visit, work.company.account), 201)


async def change_visit(request: web.Request) -> web.Response:
    """PUT of an appointment."""
    work, job = work_of(request), job_of(request)
    visit = visits.found(job, request.match_info["visit"])
    visits.change(work, job, visit, await body_of(request, VisitBody))
    return answer(visit_json(visit, work.company.account))


async def discard_visit(request: web.Request) -> web.Response:
    """DELETE of an appointment."""
    job = job_of(request)
    visits.discard(work_of(request), job, visits.found(job, request.match_info["visit"]))
    return _deleted("appointment")


# -- line items --------------------------------------------------------------------------------------------------------


async def list_lines(request: web.Request) -> web.Response:
    """GET line items: not paged, in no order (HC-18, HC-69)."""
    return answer(lines_json(job_of(request)))


async def add_line(request: web.Request) -> web.Response:
    """POST of a line item."""
    work, job = work_of(request), job_of(request)
    return answer(line_json(lines.add(work, job, await body_of(request, LineBody))), 201)


async def update_lines(request: web.Request) -> web.Response:
    """PUT bulk_update: the answer is the full set (HC-72)."""
    work, job = work_of(request), job_of(request)
    lines.update_all(work, job, await body_of(request, BulkLines))
    shown = lines_json(job)
    return answer({"url": shown["url"], "data": shown["data"]})


async def change_line(request: web.Request) -> web.Response:
    """PUT of a line item."""
    work, job = work_of(request), job_of(request)
    line = lines.found(job, request.match_info["line"])
    return answer(line_json(lines.change(work, job, line, await body_of(request, LineBody))))


async def drop_line(request: web.Request) -> web.Response:
    """DELETE of a line item."""
    job = job_of(request)
    lines.drop(work_of(request), job, lines.found(job, request.match_info["line"]))
    return _deleted("line_item")


# -- notes and tags ----------------------------------------------------------------------------------------------------


async def add_note(request: web.Request) -> web.Response:
    """POST of a note."""
    work, job = work_of(request), job_of(request)
    return answer(note_json(jobs.add_note(work, job, (await body_of(request, NewNote)).content)), 201)


async def drop_note(request: web.Request) -> web.Response:
    """DELETE of a note."""
    jobs.drop_note(work_of(request), job_of(request), request.match_info["note"])
    return _deleted("note")


async def add_tag(request: web.Request) -> web.Response:
    """POST of a tag: the answer names all that the job has."""
    work, job = work_of(request), job_of(request)
    jobs.add_tag(work, job, (await body_of(request, TagOnJob)).tag_id)
    return _tags(work.company, job, 201)


async def drop_tag(request: web.Request) -> web.Response:
    """DELETE of a tag from the job."""
    work, job = work_of(request), job_of(request)
    jobs.drop_tag(work, job, request.match_info["tag"])
    return _tags(work.company, job, 200)


def _tags(company: Company, job: Job, status: int) -> web.Response:
    return answer({"tags": [named_json(company.tags[one]) for one in job.tags]}, status)
