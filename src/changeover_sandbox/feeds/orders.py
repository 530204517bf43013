"""The feeds' own control calls: override, let days pass, tell the truth, slow down; no calendar is served here."""

from base64 import b64decode
from collections.abc import Awaitable, Callable
from datetime import date

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from changeover_sandbox.control import PREFIX
from changeover_sandbox.feeds.state import Answer
from changeover_sandbox.feeds.wiring import LATENCY, STATE
from changeover_sandbox.world import Happening, Listing, LiveStay, World

Order = Callable[[web.Request], Awaitable[web.Response]]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class FeedOrder(_Body):
    """`PUT /_sandbox/feeds/<name>`; `body_base64` for bytes that are no text."""

    status: int = Field(default=200, ge=200, le=599)
    headers: dict[str, str] = Field(default_factory=dict)
    body: str = ""
    body_base64: str | None = None
    delay: float = Field(default=0.0, ge=0, le=600)


class DayOrder(_Body):
    date: date
    hour: int = Field(default=8, ge=0, le=23)


class WorldOrder(_Body):
    """`POST /_sandbox/world`: a new business in the place of the present one."""

    seed: int
    feeds: int = Field(ge=0, le=100_000)
    date: date


class LatencyOrder(_Body):
    median: float = Field(default=0.0, ge=0, le=60)
    sigma: float = Field(default=0.0, ge=0, le=5)
    seed: int = 0


def add_orders(app: web.Application) -> None:
    routes = app.router
    routes.add_get(f"{PREFIX}/feeds", _list_feeds)
    routes.add_put(f"{PREFIX}/feeds/{{name}}", _refusing(_override))
    routes.add_delete(f"{PREFIX}/feeds/{{name}}", _restore)
    routes.add_post(f"{PREFIX}/day", _refusing(_advance))
    routes.add_post(f"{PREFIX}/world", _refusing(_found))
    routes.add_get(f"{PREFIX}/truth", _truth)
    routes.add_post(f"{PREFIX}/latency", _refusing(_slow_down))


def _refusing(order: Order) -> Order:
    """Turns what is wrong with an order's body into a 400 with the reason."""

    async def refuse(request: web.Request) -> web.Response:
        try:
            return await order(request)
        except ValidationError as exc:
            reasons = [f"{'.'.join(map(str, error['loc']))}: {error['msg']}" for error in exc.errors()]
            return web.json_response({"error": "; ".join(reasons)}, status=400)
        except (ValueError, LookupError) as exc:
            return web.json_response({"error": str(exc)}, status=400)

    return refuse


def _url(request: web.Request, name: str) -> str:
    return f"http://{request.host}/ics/{name}.ics"


async def _list_feeds(request: web.Request) -> web.Response:
    """Every calendar of the world with its house, for whoever fills a base."""
    world = request.app[STATE].world
    if world is None:
        return web.json_response({"feeds": []})
    feeds = [
        {
            "name": feed.name,
            "url": _url(request, feed.name),
            "platform": feed.platform,
            "listing": feed.listing,
            "property": world.listings[feed.listing].name,
            "closed_means": feed.closed_means,
        }
        for feed in world.feeds
    ]
    return web.json_response({"feeds": feeds})


async def _override(request: web.Request) -> web.Response:
    name = request.match_info["name"].removesuffix(".ics")
    order = FeedOrder.model_validate_json(await request.read())
    body = order.body.encode() if order.body_base64 is None else b64decode(order.body_base64, validate=True)
    request.app[STATE].override(name, Answer(order.status, order.headers, body, order.delay))
    return web.json_response({"url": _url(request, name)})


async def _restore(request: web.Request) -> web.Response:
    name = request.match_info["name"].removesuffix(".ics")
    return web.json_response({"restored": request.app[STATE].restore(name), "url": _url(request, name)})


async def _advance(request: web.Request) -> web.Response:
    order = DayOrder.model_validate_json(await request.read())
    happened = request.app[STATE].advance(order.date, order.hour)
    world = request.app[STATE].world
    summary: dict[str, object] = {"date": order.date.isoformat(), "hour": order.hour}
    for what in ("booked", "blocked", "canceled", "changed"):
        summary[what] = [_happening(world, each) for each in happened if world and each.what == what]
    return web.json_response(summary)


def _happening(world: World, happening: Happening) -> dict[str, object]:
    stay = happening.stay
    return {
        "day": happening.day.isoformat(),
        "property": world.listings[happening.listing].name,
        "kind": stay.kind,
        "origin": stay.origin,
        "stay": stay.key,
        "check_in": stay.check_in.isoformat(),
        "check_out": stay.check_out.isoformat(),
    }


async def _found(request: web.Request) -> web.Response:
    order = WorldOrder.model_validate_json(await request.read())
    request.app[STATE].found(World(order.seed, order.feeds, order.date))
    return web.json_response({"feeds": order.feeds, "date": order.date.isoformat()})


async def _truth(request: web.Request) -> web.Response:
    """Per house the stays that should be live rows from the world's day on."""
    world = request.app[STATE].world
    if world is None:
        return web.json_response({"date": None, "listings": []})
    listings = [_listing(listing, world.truth(listing.number)) for listing in world.listings]
    return web.json_response({"date": world.moment.day.isoformat(), "hour": world.moment.hour, "listings": listings})


def _listing(listing: Listing, stays: tuple[LiveStay, ...]) -> dict[str, object]:
    return {
        "listing": listing.number,
        "property": listing.name,
        "feeds": [{"name": feed.name, "platform": feed.platform} for feed in listing.feeds],
        "stays": [_live_stay(live) for live in stays],
    }


def _live_stay(live: LiveStay) -> dict[str, object]:
    return {
        "stay": live.stay.key,
        "kind": live.stay.kind,
        "origin": live.stay.origin,
        "check_in": live.check_in.isoformat(),
        "check_out": live.check_out.isoformat(),
        "entry_type": live.entry_type,
        "block_type": live.block_type,
        "open_end": live.stay.open_end,
        "feeds": list(live.feeds),
    }


async def _slow_down(request: web.Request) -> web.Response:
    order = LatencyOrder.model_validate_json(await request.read())
    request.app[LATENCY].change(order.median, order.sigma, order.seed)
    return web.json_response(order.model_dump())
