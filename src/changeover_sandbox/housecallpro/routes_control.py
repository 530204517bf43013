"""The stand-in's own part of `/_sandbox`: what people do in the app and set in its pages; no client calls it."""

from typing import Annotated, Final, TypeVar
from urllib.parse import urlsplit

from aiohttp import web
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from changeover_sandbox.control import PREFIX
from changeover_sandbox.housecallpro import errors
from changeover_sandbox.housecallpro.actions import ACTION, act
from changeover_sandbox.housecallpro.bodies import Filled
from changeover_sandbox.housecallpro.business import Business, UnfitBusinessError, take_in
from changeover_sandbox.housecallpro.company import Company
from changeover_sandbox.housecallpro.context import DELIVERIES, state_of
from changeover_sandbox.housecallpro.errors import answer
from changeover_sandbox.housecallpro.ids import is_id, new_id
from changeover_sandbox.housecallpro.limits import Settings
from changeover_sandbox.housecallpro.model import Employee, Hook, JobType, Role
from changeover_sandbox.housecallpro.render import EXPANSIONS, employee_json, job_json, named_json

MAX_DELAY: Final = 600.0
M = TypeVar("M", bound=BaseModel)


def _http_url(text: str) -> str:
    parts = urlsplit(text)
    if text and not (parts.scheme in {"http", "https"} and parts.hostname):
        raise ValueError("is no http or https address")
    return text


class _Order(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    env: str = "dev"


class HookOrder(_Order):
    """`POST /_sandbox/webhooks`: the settings from now on. Only an address that is left out stays as it was."""

    url: Annotated[str, AfterValidator(_http_url)] | None = None
    secret: str | None = None
    enabled: bool = True
    duplicate: bool = False
    reorder: bool = False
    delay: float = Field(default=0.0, ge=0, le=MAX_DELAY)


class EmployeeOrder(_Order):
    """`POST /_sandbox/employees`; what is left out of a known employee stays."""

    id: str | None = None
    first_name: Filled | None = None
    last_name: Filled | None = None
    active: bool | None = None
    email: str | None = None
    mobile_number: str | None = None
    role: Role | None = None
    tags: list[str] | None = None


class JobTypeOrder(_Order):
    """`POST /_sandbox/job_types`."""

    id: str | None = None
    name: Filled


def add_routes(router: web.UrlDispatcher) -> None:
    """Serve the control calls that only this stand-in has."""
    router.add_post(f"{PREFIX}/jobs/{{job}}/actions", act_on_job)
    router.add_get(f"{PREFIX}/webhooks", show_hooks)
    router.add_post(f"{PREFIX}/webhooks", change_hook)
    router.add_get(f"{PREFIX}/deliveries", list_deliveries)
    router.add_post(f"{PREFIX}/employees", keep_employee)
    router.add_post(f"{PREFIX}/job_types", keep_job_type)
    router.add_post(f"{PREFIX}/business", add_business)
    router.add_get(f"{PREFIX}/limits", show_limits)
    router.add_post(f"{PREFIX}/limits", change_limits)


def _wrong(why: str) -> errors.Refusal:
    return errors.Refusal(400, {"error": why})


def _reasons(exc: ValidationError) -> errors.Refusal:
    return _wrong("; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in exc.errors()))


async def _order(request: web.Request, form: type[M]) -> M:
    try:
        return form.model_validate_json(await request.read())
    except ValidationError as exc:
        raise _reasons(exc) from exc


def _company(request: web.Request, environment: str) -> Company:
    company = state_of(request).company_named(environment)
    if company is None:
        raise _wrong(f"env: there is no {environment}")
    return company


async def act_on_job(request: web.Request) -> web.Response:
    """What a person does with a job; the answer names the events it caused, whether or not they are sent (HC-110)."""
    state = state_of(request)
    found = state.job(request.match_info["job"])
    if found is None:
        raise errors.not_found("job")
    company, job = found
    try:
        action = ACTION.validate_json(await request.read())
    except ValidationError as exc:
        raise _reasons(exc) from exc
    act(state.work(company, action.at), job, action)
    events = [event.name for cause in company.causes for event in cause.events]
    return answer({"job": job_json(company, job, EXPANSIONS), "events": events})


def _hook_json(company: Company) -> dict[str, object]:
    hook = company.hook
    return {
        "env": company.account.environment,
        "url": hook.url,
        "enabled": hook.enabled,
        "duplicate": hook.duplicate,
        "reorder": hook.reorder,
        "delay": hook.delay,
    }


async def show_hooks(request: web.Request) -> web.Response:
    """Both companies' settings, without secrets."""
    return answer({"webhooks": [_hook_json(company) for company in state_of(request).companies]})


async def change_hook(request: web.Request) -> web.Response:
    """Where and how webhooks are sent; a saved address is pinged (HC-76, HC-112)."""
    order = await _order(request, HookOrder)
    company = _company(request, order.env)
    settings = order.model_dump(exclude={"env", "url"})
    company.keep(Hook(url=company.hook.url if order.url is None else order.url, **settings))
    if order.url:
        request.app[DELIVERIES].ping(company)
    return answer(_hook_json(company))


async def list_deliveries(request: web.Request) -> web.Response:
    """`?since=N`: every post of a webhook that was made, and how many are still to be made."""
    deliveries, since = request.app[DELIVERIES], request.query.get("since", "0")
    if not since.isdecimal():
        raise _wrong("since is a number")
    made = [one.as_json() for one in deliveries.log if one.n >= int(since)]
    return answer({"next": deliveries.next_n, "waiting": deliveries.waiting, "deliveries": made})


def _id(given: str | None, prefix: str) -> str:
    if given is None:
        return new_id(prefix)
    if not is_id(given, prefix):
        raise _wrong(f"id: is {prefix}_ and 32 hex digits")
    return given


async def keep_employee(request: web.Request) -> web.Response:
    """Create an employee, or change the one of this id (HC-111)."""
    order = await _order(request, EmployeeOrder)
    company = _company(request, order.env)
    given = order.model_dump(exclude={"env", "id"}, exclude_none=True)
    known = company.employees.get(order.id or "")
    if known is None:
        if order.first_name is None or order.last_name is None:
            raise _wrong("a new employee has first_name and last_name")
        known = Employee(id=_id(order.id, "pro"), created_at=state_of(request).now(), **given)
        status = 201
    else:
        status = 200
        for name, value in given.items():
            setattr(known, name, value)
    company.keep(known)
    return answer({**employee_json(known, company.account), "active": known.active}, status)


async def keep_job_type(request: web.Request) -> web.Response:
    """Create a job type, or rename the one of this id (HC-111)."""
    order = await _order(request, JobTypeOrder)
    company = _company(request, order.env)
    known = company.job_types.get(order.id or "")
    kind = known or JobType(_id(order.id, "jbt"), state_of(request).now(), order.name)
    kind.name = order.name
    company.keep(kind)
    return answer(named_json(kind), 201 if known is None else 200)


async def add_business(request: web.Request) -> web.Response:
    """Everything a company has had all along, with the ids it is to have (HC-111); the answer counts it."""
    order = await _order(request, Business)
    state = state_of(request)
    try:
        take_in(state.work(_company(request, order.env)), order)
    except UnfitBusinessError as exc:
        raise _wrong(str(exc)) from exc
    return answer({"customers": len(order.customers), "jobs": len(order.jobs)}, 201)


async def show_limits(request: web.Request) -> web.Response:
    """The limits in force."""
    return answer(state_of(request).limits.settings.model_dump())


async def change_limits(request: web.Request) -> web.Response:
    """`{"enforce"?, "hourly"?, "requests_per_second"?, "penalty_seconds"?}`; every key starts afresh (HC-108)."""
    order = await _order(request, Settings)
    limits = state_of(request).limits
    limits.change(limits.settings.model_copy(update=order.model_dump(exclude_unset=True)))
    return await show_limits(request)
