"""What every handler takes from a request: state, base, table, record, JSON body; it decides nothing."""

import json
from collections.abc import Mapping
from typing import Final, NoReturn

from aiohttp import web

from changeover_sandbox.airtable import errors
from changeover_sandbox.airtable.computed import Reading
from changeover_sandbox.airtable.model import Base, Record, Table
from changeover_sandbox.airtable.records import Write
from changeover_sandbox.airtable.render import PLAIN, Renderer, Style
from changeover_sandbox.airtable.state import State, owner_of
from changeover_sandbox.control import credential_of

UPLOAD_HOST: Final = "content.airtable.com"
STATE: Final = web.AppKey("state", State)


def state_of(request: web.Request) -> State:
    """The stand-in's state."""
    return request.app[STATE]


def base_of(request: web.Request) -> Base:
    """The base in the path; raises ApiError when the token does not open it."""
    state, base_id = state_of(request), request.match_info["base"]
    if base_id not in state.tokens.get(credential_of(request), ()):
        raise errors.forbidden()
    return state.bases[base_id]


def table_of(request: web.Request) -> tuple[Base, Table]:
    """The base and the table in the path, by id or name; raises ApiError."""
    base = base_of(request)
    table = base.find_table(request.match_info["table"])
    if table is None:
        raise errors.forbidden()
    return base, table


def record_of(request: web.Request, table: Table) -> Record:
    """The record in the path; raises ApiError."""
    record = table.records.get(request.match_info["record"])
    if record is None:
        raise errors.not_found()
    return record


def reading_of(request: web.Request, base: Base) -> Reading:
    """A look at the base at this instant."""
    return state_of(request).reading(base, credential_of(request))


def write_of(request: web.Request, base: Base, table: Table, *, typecast: bool) -> Write:
    """A writing request at this instant."""
    return Write(base, table, state_of(request).now_ms(), owner_of(credential_of(request)), typecast)


def renderer_of(request: web.Request, base: Base, table: Table, style: Style = PLAIN) -> Renderer:
    """Renders whole records of the table for this request."""
    return Renderer(reading_of(request, base), table, origin_of(request), style)


def origin_of(request: web.Request) -> str:
    """The URL under which the client reached the stand-in, also where it took it for a proxy of the upload host."""
    if request.host != UPLOAD_HOST or request.transport is None:
        return f"{request.scheme}://{request.host}"
    address, port = request.transport.get_extra_info("sockname")[:2]
    return f"http://{address}:{port}"


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


async def json_of(request: web.Request) -> object:
    """The body as JSON, `{}` when it is empty; raises ApiError."""
    raw = await request.read()
    if not raw:
        return {}
    try:
        body: object = json.loads(raw, parse_constant=_no_constant)
    except ValueError as exc:
        raise errors.not_json() from exc
    return body


async def object_of(request: web.Request) -> Mapping[str, object]:
    """The body as a JSON object; raises ApiError."""
    body = await json_of(request)
    if not isinstance(body, Mapping):
        raise errors.invalid_request()
    return body


def answer(body: object, status: int = 200) -> web.Response:
    """A JSON answer."""
    return web.Response(text=errors.compact(body), status=status, content_type="application/json", charset="utf-8")
