"""What every handler takes from a request: company, job, query, JSON body; it decides nothing."""

import json
from collections.abc import Mapping
from typing import Final, NoReturn, TypeVar

from aiohttp import web
from pydantic import BaseModel, ValidationError

from changeover_sandbox.housecallpro import errors, jobs
from changeover_sandbox.housecallpro.company import Company, Work
from changeover_sandbox.housecallpro.deliveries import Deliveries
from changeover_sandbox.housecallpro.model import Job
from changeover_sandbox.housecallpro.state import State

STATE: Final = web.AppKey("state", State)
DELIVERIES: Final = web.AppKey("deliveries", Deliveries)
JSON_TYPE: Final = "application/json"

M = TypeVar("M", bound=BaseModel)


def state_of(request: web.Request) -> State:
    """The stand-in's state."""
    return request.app[STATE]


def company_of(request: web.Request) -> Company:
    """The company whose key the request has; raises Refusal (HC-98)."""
    company = state_of(request).doors.get(request.headers.get("Authorization", ""))
    if company is None:
        raise errors.unauthorized()
    return company


def work_of(request: web.Request) -> Work:
    """A piece of work on this company at this instant."""
    return state_of(request).work(company_of(request))


def job_of(request: web.Request) -> Job:
    """The job in the path, for those who want a part of it; raises Refusal."""
    return jobs.with_parts(company_of(request), request.match_info["job"])


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


async def object_of(request: web.Request) -> Mapping[str, object]:
    """The body as a JSON object, empty when there is none or when it is not said to be JSON (HC-3); raises Refusal."""
    raw = await request.read()
    if not raw or request.content_type != JSON_TYPE:
        return {}
    try:
        body: object = json.loads(raw, parse_constant=_no_constant)
        json.dumps(body, ensure_ascii=False).encode()  # half a surrogate pair is no text
    except ValueError as exc:
        raise errors.invalid({"body": "is not JSON"}) from exc
    if not isinstance(body, Mapping):
        raise errors.invalid({"body": "is not an object"})
    return body


async def body_of(request: web.Request, form: type[M]) -> M:
    """The body in this form; raises Refusal (HC-101)."""
    try:
        return form.model_validate(await object_of(request))
    except ValidationError as exc:
        raise errors.invalid_body(exc) from exc
