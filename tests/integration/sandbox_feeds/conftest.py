"""A feeds stand-in on a loopback port, served by a thread."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import date
from pathlib import Path

import pytest
from aiohttp import web

from changeover_sandbox.feeds.app import create_app
from changeover_sandbox.world import World

START = date(2026, 11, 2)


@contextmanager
def _served(app: web.Application) -> Iterator[str]:
    loop = asyncio.new_event_loop()
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)

    async def start() -> str:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{runner.addresses[0][1]}"

    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield asyncio.run_coroutine_threadsafe(start(), loop).result(10)
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


@pytest.fixture
def serve() -> Iterator[Callable[[Path | None, World | None], str]]:
    """Starts a stand-in and gives its url; all are stopped at the test's end."""
    with ExitStack() as running:
        yield lambda folder, world: running.enter_context(_served(create_app(folder, world)))


@pytest.fixture
def world() -> World:
    """The world the stand-in of `url` shows, to compare with."""
    return World(5, 26, START)


@pytest.fixture
def url(serve: Callable[[Path | None, World | None], str]) -> str:
    return serve(None, World(5, 26, START))


@pytest.fixture
def restartable(tmp_path: Path) -> Callable[[World | None], AbstractContextManager[str]]:
    """The same stand-in again and again over one folder: a context for each of its lives."""
    return lambda world: _served(create_app(tmp_path, world))
