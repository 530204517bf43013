"""The portal's own control calls: which bookings it shows and how it misbehaves; no page is served here."""

from collections.abc import Awaitable, Callable

from aiohttp import web
from pydantic import BaseModel, ConfigDict, ValidationError

from changeover_sandbox.control import PREFIX
from changeover_sandbox.evolve.bookings import UnknownColumnError
from changeover_sandbox.evolve.misbehaviour import Order
from changeover_sandbox.evolve.wiring import MISBEHAVIOUR, STATE

Call = Callable[[web.Request], Awaitable[web.Response]]


class Bookings(BaseModel):
    """`PUT /_sandbox/bookings`: each row's cells by column. Dates ISO or MM-DD-YYYY; Tab 1 shows the latter only."""

    model_config = ConfigDict(extra="forbid")

    tab1: list[dict[str, str]] = []
    tab2: list[dict[str, str]] = []


def add_orders(app: web.Application) -> None:
    routes = app.router
    routes.add_put(f"{PREFIX}/bookings", _refusing(_replace))
    routes.add_get(f"{PREFIX}/bookings", _show)
    routes.add_post(f"{PREFIX}/misbehaviour", _refusing(_misbehave))
    routes.add_get(f"{PREFIX}/misbehaviour", _list)
    routes.add_delete(f"{PREFIX}/misbehaviour", _behave)


def _refusing(call: Call) -> Call:
    """Turns what is wrong with an order's body into a 400 with the reason."""

    async def refuse(request: web.Request) -> web.Response:
        try:
            return await call(request)
        except ValidationError as exc:
            reasons = [f"{'.'.join(map(str, error['loc']))}: {error['msg']}" for error in exc.errors()]
            return web.json_response({"error": "; ".join(reasons)}, status=400)
        except UnknownColumnError as exc:
            return web.json_response({"error": str(exc)}, status=400)

    return refuse


async def _replace(request: web.Request) -> web.Response:
    bookings = Bookings.model_validate_json(await request.read())
    numbers = request.app[STATE].replace({1: bookings.tab1, 2: bookings.tab2})
    return web.json_response({f"tab{tab}": number for tab, number in numbers.items()})


async def _show(request: web.Request) -> web.Response:
    return web.json_response({f"tab{tab}": request.app[STATE].rows(tab) for tab in (1, 2)})


async def _misbehave(request: web.Request) -> web.Response:
    order = Order.model_validate_json(await request.read())
    request.app[MISBEHAVIOUR].orders.append(order)
    return web.json_response(order.model_dump(), status=201)


async def _list(request: web.Request) -> web.Response:
    return web.json_response({"misbehaviour": [each.model_dump() for each in request.app[MISBEHAVIOUR].orders]})


async def _behave(request: web.Request) -> web.Response:
    request.app[MISBEHAVIOUR].orders.clear()
    return web.json_response({"misbehaviour": []})
