"""The stand-in as an application: who comes in, which check comes first, and that an answer means it is saved."""

import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler

from changeover_sandbox.airtable import (
    deliveries,
    errors,
    routes_control,
    routes_extras,
    routes_meta,
    routes_records,
)
from changeover_sandbox.airtable.context import STATE, origin_of, state_of
from changeover_sandbox.airtable.deliveries import DELIVERIES, Deliveries
from changeover_sandbox.airtable.render import FILES_PATH
from changeover_sandbox.airtable.state import Account, State, open_state
from changeover_sandbox.control import PREFIX, Fault, FaultMode, credential_of, install_control

__all__ = ["Account", "create_app"]

MAX_URL: Final = 16_000
MAX_BODY: Final = 8 * 1024 * 1024
MAX_SEED: Final = 512 * 1024 * 1024
# The program's own limit on a request line must not hide the service's.
HANDLER_LIMITS: Final = {"max_line_size": 4 * MAX_URL, "max_field_size": 4 * MAX_URL}
_BASE_IN_PATH: Final = re.compile(r"/v0/(?:meta/bases/|bases/)?(app[^/]*)")


def create_app(
    folder: Path | None, accounts: Sequence[Account], *, clock: Callable[[], float] = time.time
) -> web.Application:
    """An Airtable-compatible server for these accounts; with a folder its state outlives it (`sandbox.md`).

    Clients use its origin as their endpoint URL; they append `/v0/…` themselves. `clock` gives seconds after 1970.
    """
    state = open_state(folder, accounts, clock)
    app = web.Application(middlewares=[_gate], handler_args=HANDLER_LIMITS, client_max_size=MAX_SEED)
    app[STATE] = state
    app[DELIVERIES] = Deliveries()
    install_control(
        app,
        reset=state.reset,
        rate_limit_answer=errors.rate_limit_answer,
        status_answer=errors.status_answer,
        exempt=_knows_no_bill,
    )
    for routes in (routes_control, routes_meta, routes_extras, routes_records):
        routes.add_routes(app.router)
    app.on_cleanup.append(_close)
    return app


def _knows_no_bill(fault: Fault, path: str) -> bool:
    """The monthly cap never touches `/meta` (airtable.md §2.4)."""
    return fault.mode is FaultMode.RATE_LIMIT and fault.value == "billing" and path.startswith("/v0/meta/")


async def _close(app: web.Application) -> None:
    await app[DELIVERIES].stop()
    app[STATE].close()


@web.middleware
async def _gate(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let in, handle, save, answer: in this order, and a refusal in the service's words."""
    state = state_of(request)
    try:
        if not request.path.startswith((f"{PREFIX}/", f"{FILES_PATH}/")):
            _let_in(request, state)
        response = await handler(request)
        deliveries.begin(request.app, state.flush(credential_of(request)))
    except errors.ApiError as refusal:
        return refusal.response()
    except (web.HTTPNotFound, web.HTTPMethodNotAllowed):
        return errors.not_found().response()
    except web.HTTPException:
        raise
    except Exception:
        request.app.logger.exception("%s %s failed", request.method, request.path)
        return errors.status_answer(500)
    return response


def _let_in(request: web.Request, state: State) -> None:
    """Raise the refusal that the service would send before it looks at the request itself."""
    if len(origin_of(request)) + len(request.raw_path) >= MAX_URL:
        raise errors.uri_too_long()
    token = credential_of(request)
    if token not in state.tokens:
        raise errors.unauthenticated()
    if (request.content_length or 0) > MAX_BODY:
        raise errors.too_large()
    match = _BASE_IN_PATH.match(request.path)
    base_id = match[1] if match else None
    if base_id is not None and base_id not in state.tokens[token]:
        raise errors.forbidden()
    state.limits.admit(base_id, token, state.clock(), metered=not request.path.startswith("/v0/meta/"))
