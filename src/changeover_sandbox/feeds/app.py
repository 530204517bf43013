"""The feeds stand-in over HTTP: `/ics/<name>.ics` as platforms serve it, with no validators but those given to it."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

from aiohttp import web

from changeover_sandbox.control import install_control
from changeover_sandbox.feeds.latency import Latency
from changeover_sandbox.feeds.orders import add_orders
from changeover_sandbox.feeds.state import Answer, FeedsState
from changeover_sandbox.feeds.wiring import LATENCY, STATE
from changeover_sandbox.world import World

_OFF_LIMITS = frozenset({"content-length", "transfer-encoding", "connection"})
"""Headers the server must write itself, or a client would wait for bytes that never come."""


def create_app(folder: Path | None, world: World | None) -> web.Application:
    """The server; `folder` None keeps nothing, `world` None serves only overridden feeds."""
    app = web.Application(client_max_size=32 * 1024 * 1024)
    state = FeedsState(folder, world)
    app[STATE] = state
    app[LATENCY] = Latency()

    def reset() -> None:
        state.reset()
        app[LATENCY].change(0.0, 0.0, 0)

    install_control(app, reset=reset)
    add_orders(app)
    app.router.add_get("/ics/{name}.ics", _serve)
    app.on_cleanup.append(_close)
    return app


async def _close(app: web.Application) -> None:
    app[STATE].close()


async def _serve(request: web.Request) -> web.Response:
    name = request.match_info["name"]
    state = request.app[STATE]
    if wait := request.app[LATENCY].of(name):
        await asyncio.sleep(wait)
    answer = state.overridden(name)
    if answer is not None:
        if answer.delay:
            await asyncio.sleep(answer.delay)
        return _overridden(request, answer)
    body = state.calendar(name, datetime.now(UTC))
    if body is None:
        return web.Response(status=404, text="Not found")
    return web.Response(body=body, content_type="text/calendar", charset="utf-8")


def _overridden(request: web.Request, answer: Answer) -> web.Response:
    headers = {key: value for key, value in answer.headers.items() if key.lower() not in _OFF_LIMITS}
    if answer.status == 200 and _unchanged(request.headers, headers):
        return web.Response(status=304, headers=headers)
    if not any(key.lower() == "content-type" for key in headers):
        headers["Content-Type"] = "text/calendar; charset=utf-8"
    return web.Response(status=answer.status, headers=headers, body=answer.body)


def _unchanged(asked: Mapping[str, str], has: Mapping[str, str]) -> bool:
    """Whether the client's validators name what it would get; an ETag decides before a date (RFC 9110 §13.2.2)."""
    validators = {key.lower(): value for key, value in has.items()}
    tags = asked.get("If-None-Match")
    if tags is not None:
        known = validators.get("etag", "").removeprefix("W/")
        return bool(known) and known in {tag.strip().removeprefix("W/") for tag in tags.split(",")}
    since, modified = asked.get("If-Modified-Since"), validators.get("last-modified")
    if since is None or modified is None:
        return False
    try:
        return parsedate_to_datetime(modified) <= parsedate_to_datetime(since)
    except (TypeError, ValueError):
        return False
