"""The portal over HTTP: sign-in, the page of both tables, their rows and exports; without a session no booking."""

import asyncio
from collections.abc import Sequence
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler

from changeover_sandbox.control import PREFIX, SIGN_IN_PAGE, install_control
from changeover_sandbox.evolve.bookings import COLUMNS, Days, export
from changeover_sandbox.evolve.misbehaviour import Misbehaviour, Mode
from changeover_sandbox.evolve.orders import add_orders
from changeover_sandbox.evolve.pages import SCRIPT, bookings_page, sign_in_page
from changeover_sandbox.evolve.state import Account, PortalState
from changeover_sandbox.evolve.wiring import MISBEHAVIOUR, STATE

BOOKINGS: Final = "/s/booking/Booking__c/Recent"
SIGN_IN: Final = "/s/login"
TABSET: Final = "tabset-3f1c7"
COOKIE: Final = "sid"
REFUSED: Final = "We can't log you in. Make sure your username and password are correct."
FOR_EVER: Final = 3600.0
_EXPORT_NAME: Final = "Booking_Export.csv"
_FIRST_NAMES: Final = (b"Guest Name,Booking #", b"Reservation,Property Address")


def create_app(folder: Path | None, accounts: Sequence[Account]) -> web.Application:
    """The server; `folder` None keeps nothing. The address to open is its root."""
    app = web.Application(client_max_size=32 * 1024 * 1024, middlewares=[_slow])
    app[STATE] = state = PortalState(folder, accounts)
    app[MISBEHAVIOUR] = misbehaviour = Misbehaviour()

    def reset() -> None:
        state.reset()
        misbehaviour.orders.clear()

    install_control(app, reset=reset, key_of=_session)
    add_orders(app)
    routes = app.router
    routes.add_get("/", _enter)
    routes.add_get("/s/", _enter)
    routes.add_get(SIGN_IN, _show_sign_in)
    routes.add_post(SIGN_IN, _sign_in)
    routes.add_get(BOOKINGS, _bookings)
    routes.add_get("/s/api/bookings", _rows)
    routes.add_get("/s/export", _export)
    routes.add_get(SCRIPT, _script)
    routes.add_get("/favicon.ico", _nothing)
    app.on_cleanup.append(_close)
    return app


@web.middleware
async def _slow(request: web.Request, handler: Handler) -> web.StreamResponse:
    if not request.path.startswith(f"{PREFIX}/"):
        await asyncio.sleep(request.app[MISBEHAVIOUR].seconds(Mode.SLOW))
    return await handler(request)


async def _close(app: web.Application) -> None:
    app[STATE].close()


# -- pages -------------------------------------------------------------------------------------------------------------


async def _enter(request: web.Request) -> web.Response:
    raise web.HTTPFound(f"{BOOKINGS}?{TABSET}=1" if _known(request) else SIGN_IN)


async def _show_sign_in(_request: web.Request) -> web.Response:
    return _html(sign_in_page())


async def _sign_in(request: web.Request) -> web.Response:
    form = await request.post()
    session = request.app[STATE].sign_in(str(form.get("username", "")), str(form.get("pw", "")))
    if session is None or request.app[MISBEHAVIOUR].take(Mode.REFUSED_SIGN_IN):
        return _html(sign_in_page(REFUSED))
    entered = web.Response(status=303, headers={"Location": f"{BOOKINGS}?{TABSET}=1"})
    entered.set_cookie(COOKIE, session, httponly=True, samesite="Lax")
    return entered


async def _bookings(request: web.Request) -> web.Response:
    if not _known(request):
        raise web.HTTPFound(SIGN_IN)
    return _html(bookings_page(changed=request.app[MISBEHAVIOUR].take(Mode.CHANGED_PAGE) is not None))


async def _script(_request: web.Request) -> web.Response:
    script = files("changeover_sandbox.evolve").joinpath("static/portal.js").read_text(encoding="utf-8")
    return web.Response(text=script, content_type="text/javascript")


async def _nothing(_request: web.Request) -> web.Response:
    return web.Response(status=204)


# -- rows and exports --------------------------------------------------------------------------------------------------


async def _rows(request: web.Request) -> web.Response:
    tab, days = _asked(request)
    misbehaviour = request.app[MISBEHAVIOUR]
    if misbehaviour.take(Mode.NEVER_LOADING, tab):
        await asyncio.sleep(FOR_EVER)
    rows = request.app[STATE].rows(tab, None if days and _stale(request, tab) else days)
    columns = COLUMNS[tab]
    return web.json_response({"columns": columns, "rows": [[row[name] for name in columns] for row in rows]})


async def _export(request: web.Request) -> web.StreamResponse:
    tab, days = _asked(request)
    misbehaviour = request.app[MISBEHAVIOUR]
    if misbehaviour.take(Mode.NO_FILE, tab):
        return web.Response(status=204)
    await asyncio.sleep(misbehaviour.seconds(Mode.LATE_FILE, tab))
    if misbehaviour.take(Mode.WRONG_TAB, tab):
        tab, days = 3 - tab, None
    rows = request.app[STATE].rows(tab, None if days and _stale(request, tab) else days)
    body = export(tab, rows)
    if misbehaviour.take(Mode.CHANGED_HEADER, tab):
        for names in _FIRST_NAMES:
            body = body.replace(names, b"Who,Where", 1)
    if misbehaviour.take(Mode.HTML_FILE, tab):
        body = SIGN_IN_PAGE.encode()
    if half := misbehaviour.take(Mode.HALF_FILE, tab):
        return await _half(request, body, half.value)
    return web.Response(body=body, headers=_as_download())


async def _half(request: web.Request, body: bytes, seconds: float) -> web.StreamResponse:
    """The first half of the file under the length of all of it, then nothing more."""
    cut = web.StreamResponse(headers=_as_download())
    cut.content_length = len(body)
    await cut.prepare(request)
    await cut.write(body[: len(body) // 2])
    await asyncio.sleep(seconds)
    if request.transport is not None:
        request.transport.close()
    return cut


def _as_download() -> dict[str, str]:
    return {"Content-Type": "text/csv; charset=utf-8", "Content-Disposition": f'attachment; filename="{_EXPORT_NAME}"'}


def _asked(request: web.Request) -> tuple[int, Days | None]:
    """Which table, and the range the browser worked out; a stranger and a malformed question get no further."""
    if request.app[MISBEHAVIOUR].take(Mode.SIGNED_OUT):
        request.app[STATE].sign_out(_session(request))
    if not _known(request):
        raise web.HTTPUnauthorized
    try:
        tab = int(request.query["tab"])
        first, last = (request.query.get(name) for name in ("from", "to"))
        days = Days(date.fromisoformat(first), date.fromisoformat(last)) if first and last else None
    except (KeyError, ValueError) as exc:
        raise web.HTTPBadRequest(text=str(exc)) from exc
    if tab not in COLUMNS:
        raise web.HTTPNotFound
    return tab, days


def _stale(request: web.Request, tab: int) -> bool:
    return request.app[MISBEHAVIOUR].take(Mode.STALE_FILTER, tab) is not None


def _session(request: web.Request) -> str:
    return request.cookies.get(COOKIE, "")


def _known(request: web.Request) -> bool:
    return request.app[STATE].signed_in(_session(request))


def _html(text: str) -> web.Response:
    return web.Response(text=text, content_type="text/html", headers={"Cache-Control": "no-store"})
