"""The stand-in as an application: who comes in, which check comes first, and that an answer means it is saved."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler

from changeover_sandbox.control import PREFIX, install_control
from changeover_sandbox.housecallpro import errors, routes_control, routes_jobs, routes_people
from changeover_sandbox.housecallpro.company import Account
from changeover_sandbox.housecallpro.context import DELIVERIES, STATE, company_of, state_of
from changeover_sandbox.housecallpro.deliveries import REPEAT_AFTER, Deliveries
from changeover_sandbox.housecallpro.limits import RateLimitedError
from changeover_sandbox.housecallpro.state import open_state

__all__ = ["Account", "create_app"]

MAX_BODY: Final = 16 * 1024 * 1024


def create_app(
    folder: Path | None,
    accounts: Sequence[Account],
    *,
    clock: Callable[[], float] = time.time,
    repeat_after: Sequence[float] = REPEAT_AFTER,
) -> web.Application:
    """A Housecall Pro server for these companies; with a folder its state outlives it (`sandbox.md`).

    Clients use its origin as their base URL. `clock` gives seconds after 1970; `repeat_after` are the pauses in
    seconds before a webhook that nobody accepted is sent again.
    """
    state = open_state(folder, accounts, clock)
    app = web.Application(middlewares=[_gate], client_max_size=MAX_BODY)
    app[STATE] = state
    app[DELIVERIES] = deliveries = Deliveries(clock, repeat_after)

    def reset() -> None:
        state.reset()
        deliveries.clear()

    install_control(
        app,
        reset=reset,
        rate_limit_answer=errors.rate_limit_answer,
        status_answer=errors.status_answer,
        html_answer=errors.html_answer,
    )
    for routes in (routes_control, routes_people, routes_jobs):
        routes.add_routes(app.router)
    app.on_cleanup.append(_close)
    return app


async def _close(app: web.Application) -> None:
    await app[DELIVERIES].stop()
    app[STATE].close()


@web.middleware
async def _gate(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let in, handle, save, answer: in this order, and a refusal in the service's words."""
    try:
        _let_in(request)
        response = await handler(request)
        for company, cause in state_of(request).flush():
            request.app[DELIVERIES].send(company, cause)
    except RateLimitedError as refusal:
        return refusal.response(refusal.headers)
    except errors.Refusal as refusal:
        return refusal.response()
    except web.HTTPException:
        raise
    except Exception:
        request.app.logger.exception("%s %s failed", request.method, request.path)
        return errors.status_answer(500)
    return response


def _let_in(request: web.Request) -> None:
    """Raise the refusal that the service would send before it looks at the request itself."""
    if request.match_info.http_exception is not None:
        raise errors.not_found()
    if not request.path.startswith(f"{PREFIX}/"):
        state, company = state_of(request), company_of(request)
        state.limits.admit(company.account.api_key, state.clock())
