"""A real HTTP server of calendars on loopback, and a memory of feeds in a real database."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from aiohttp import web

from changeover.core.stay import Rules
from changeover.sources.ics.feeds import FeedConfig, FeedRow, feed_configs
from changeover.sources.ics.fetch import FetchSettings
from changeover.sources.ics.observe import FeedResult, observe
from changeover.sources.ics.platforms import Platforms, load
from changeover.store.database import Database
from changeover.store.feeds import StoredFeeds, save

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
ROOT = Path(__file__).parents[4]
NOW = datetime(2026, 11, 1, 18, tzinfo=UTC)


@dataclass
class CalendarServer:
    """Answers each path as told, and keeps what it was asked."""

    port: int = 0
    handlers: dict[str, Handler] = field(default_factory=dict)
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.port}/{name}"

    def answers(self, name: str, body: bytes | str = b"", status: int = 200, **headers: str) -> str:
        """Serves a fixed answer; header names with `_` for `-`."""
        data = body.encode() if isinstance(body, str) else body
        sent = {name.replace("_", "-"): value for name, value in headers.items()}

        async def handle(request: web.Request) -> web.StreamResponse:
            return web.Response(body=data, status=status, headers=sent)

        return self.handled(name, handle)

    def handled(self, name: str, handler: Handler) -> str:
        self.handlers[name] = handler
        return self.url(name)

    def asked(self, name: str) -> int:
        return sum(path == name for path, _ in self.requests)

    async def dispatch(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        self.requests.append((name, dict(request.headers)))
        return await self.handlers[name](request)


@pytest.fixture
def server() -> Iterator[CalendarServer]:
    calendars = CalendarServer()
    loop = asyncio.new_event_loop()

    async def start() -> web.AppRunner:
        app = web.Application()
        app.router.add_get("/{name:.*}", calendars.dispatch)
        runner = web.AppRunner(app, shutdown_timeout=0, handler_cancellation=True)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        calendars.port = runner.addresses[0][1]
        return runner

    runner = loop.run_until_complete(start())
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    yield calendars
    asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(5)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(5)
    loop.close()


@pytest.fixture(scope="session")
def platforms() -> Platforms:
    return load(ROOT / "config" / "platforms.toml")


@pytest.fixture(scope="session")
def rules() -> Rules:
    return Rules(ZoneInfo("America/Phoenix"))


@pytest.fixture(scope="session")
def quick() -> FetchSettings:
    """The product's settings with short waits, for calendars on loopback."""
    return FetchSettings(
        allow_private=True, timeout_seconds=5, waits_seconds=(0.01,), start_jitter_seconds=0, user_agent="test"
    )


@pytest.fixture
def calendar() -> Callable[..., bytes]:
    def make(*events: str, prodid: str = "-//Example//EN", stamp: str = "20261101T120000Z") -> bytes:
        """Events as `uid start end summary`, all days."""
        lines = ["BEGIN:VCALENDAR", f"PRODID:{prodid}"]
        for event in events:
            uid, start, end, summary = event.split(" ", 3)
            lines += ["BEGIN:VEVENT", f"DTSTAMP:{stamp}", f"UID:{uid}", f"DTSTART:{start}", f"DTEND:{end}"]
            lines += [f"SUMMARY:{summary}", "END:VEVENT"]
        return "\r\n".join([*lines, "END:VCALENDAR", ""]).encode()

    return make


@pytest.fixture
def active() -> Callable[..., FeedConfig]:
    def make(
        url: str, record_id: str = "recFeed0000000001", home: str = "recHome0000000001", **more: str
    ) -> FeedConfig:
        (feed,) = feed_configs([FeedRow(record_id, url, "Active", (home,), **more)], {home: "Quill"})
        return feed

    return make


@dataclass
class Cycle:
    """Runs of `observe` against one state database, each saved as a run of the program would."""

    database: Database
    rules: Rules
    platforms: Platforms
    settings: FetchSettings

    def run(self, *feeds: FeedConfig, now: datetime = NOW, settings: FetchSettings | None = None) -> list[FeedResult]:
        results = asyncio.run(
            observe(
                feeds,
                StoredFeeds(self.database),
                now=now,
                rules=self.rules,
                settings=settings or self.settings,
                platforms=self.platforms,
            )
        )
        with self.database.begin() as connection:
            save(connection, [result.memory for result in results if result.memory is not None])
        return results

    def one(self, feed: FeedConfig, **more: object) -> FeedResult:
        (result,) = self.run(feed, **more)  # type: ignore[arg-type]
        return result


@pytest.fixture
def cycle(tmp_path: Path, rules: Rules, platforms: Platforms, quick: FetchSettings) -> Iterator[Cycle]:
    from changeover.store.tables import feeds

    database = Database(f"sqlite:///{tmp_path}/state.db")
    with database.begin() as connection:
        feeds.create(connection)
    yield Cycle(database, rules, platforms, quick)
    database.close()
