"""A business of new stays, cycle after cycle in one process, whose clock skips every wait; prints what it took as JSON.

The program is the real one from the controller down, and so are the stand-ins it calls over HTTP. Their clock and that
of the program's two gates is this machine's plus all the seconds that anybody was to wait: a wait costs no time here
but counts everywhere, so that hours of pacing and budget pass in minutes.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TypeVar
from unittest import mock

from aiohttp import web
from bench_office import RESERVATIONS, STEPS, Office
from bench_world import Business

from changeover import controller
from changeover.engine import cycle
from changeover.engine.jobs import desk
from changeover.engine.results import CycleResult, RunRequest
from changeover.engine.stopping import Stopping
from changeover.ops import logging
from changeover.ops.redaction import Redactor
from changeover.settings import Settings, load
from changeover.store import schema
from changeover.store.gate import Gate
from changeover.store.hcp_gate import HcpGate
from changeover_sandbox.airtable.app import Account
from changeover_sandbox.airtable.app import create_app as airtable_app
from changeover_sandbox.deployment import Folder, Order, Serving
from changeover_sandbox.housecallpro.app import Account as Company
from changeover_sandbox.housecallpro.app import create_app as hcp_app
from changeover_sandbox.launch import Wanted, up
from changeover_sandbox.process import Process

T = TypeVar("T")
HOMES = 150
HOURLY, A_SECOND = 1000, 5  # its own second nobody knows; our four are counted as they are sent, not as they arrive
BETWEEN = 65 * 60.0  # from one cycle to the next: by then the first one's calls are older than an hour
MOST_CYCLES = 40
REFUSED = 429


@dataclass(slots=True)
class Clock:
    """This machine's time and the waits that were skipped."""

    ahead: float = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead

    def skip(self, seconds: float) -> None:
        self.ahead += max(0.0, seconds)


class Skipping(Stopping):
    """Never waits."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock

    def sleep(self, seconds: float) -> None:
        self._clock.skip(seconds)
        self.check()


@dataclass(slots=True)
class Ran:
    """One cycle: how long by the moved clock, calls and refusals, rows written, and how it ended."""

    seconds: float
    hcp: int
    airtable: int
    refused: int
    writes: int
    states: list[str] = field(default_factory=list)


def main(stays: int) -> None:
    clock = Clock()
    with (
        tempfile.TemporaryDirectory(prefix="changeover-bench-") as place,
        stand_ins(Path(place), clock) as office,
        _moved_gates(clock),
    ):
        office.open(min(HOMES, stays))
        rows = office.add_stays(stays)
        office.limits(office.hcp, enforce=True, hourly=HOURLY, requests_per_second=A_SECOND)
        settings = _opened(office.made.folder)
        began, cycles = clock(), list[Ran]()
        while _without_job(office) and len(cycles) < MOST_CYCLES:
            clock.skip(began + len(cycles) * BETWEEN - clock())
            cycles.append(_ran(office, settings, clock))
        took = clock() - began
        clock.skip(BETWEEN)
        quiet = _ran(office, settings, clock)
        office.limits(office.hcp, enforce=False)
        without, jobs = _without_job(office), len(office.jobs()) - len(office.homes)
    found = {
        "cycles": [asdict(each) for each in cycles],
        "seconds": took,
        "without": without,
        "jobs": jobs,
        "rows": len(rows),
        "quiet": asdict(quiet),
    }
    sys.stdout.write(f"\n{json.dumps(found)}\n")


def _opened(folder: Path) -> Settings:
    settings = load("dev", {"CHANGEOVER_CONFIG": str(folder / "config"), "CHANGEOVER_HOME": str(folder / "var")})
    wanted = logging.Logging("bench", "dev", settings.folder / "logs", terminal_level="CRITICAL")
    logging.configure(wanted, Redactor(settings.secret_values))
    settings.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    schema.migrate(settings.state_url)
    return settings


@contextmanager
def _moved_gates(clock: Clock) -> Iterator[None]:
    """Both gates of the program count by this clock. Raises AttributeError where they are made elsewhere by now."""
    with (
        mock.patch.object(cycle, "Gate", partial(Gate, clock=clock)),
        mock.patch.object(desk, "HcpGate", partial(HcpGate, clock=clock)),
    ):
        yield


def _ran(office: Office, settings: Settings, clock: Clock) -> Ran:
    sides = office.made.airtable, office.hcp
    since, began = [office.next(each) for each in sides], clock()
    result = _cycle(settings, clock)
    base, hcp = (office.requests(side, each)[0] for side, each in zip(sides, since, strict=True))
    written = [each for each in base if each["method"] == "PATCH" and str(each["path"]).endswith(f"/{RESERVATIONS}")]
    refused = sum(each["status"] == REFUSED for each in (*base, *hcp))
    states = [f"{each.state} ({each.text})" for each in result.automations]
    return Ran(clock() - began, len(hcp), len(base), refused, len(written), states or [str(result.problem)])


def _cycle(settings: Settings, clock: Clock) -> CycleResult:
    at = datetime.fromtimestamp(clock(), UTC)
    return controller.run(settings, RunRequest(only=STEPS, at=at), Skipping(clock))


def _without_job(office: Office) -> int:
    return sum(not cells.get("Service Job ID") for cells in office.rows().values())


# -- the stand-ins -----------------------------------------------------------------------------------------------------


@contextmanager
def stand_ins(folder: Path, clock: Callable[[], float]) -> Iterator[Office]:
    """Airtable and Housecall Pro in threads of this process, by this clock, with their tables and settings."""
    order = Order.new(seed=1, feeds=0, day=datetime.now(UTC).date(), empty=True)
    place = Folder(folder)
    order.write(place.order)
    keys = order.credentials.items()
    bases = [Account(each.base_id, each.airtable_key, f"Changeover {env}") for env, each in keys]
    companies = [Company(each.hcp_company, each.hcp_key, each.hcp_webhook_secret, env, env) for env, each in keys]
    apps = {
        "airtable": airtable_app(None, bases, clock=clock),
        "housecallpro": hcp_app(None, companies, clock=clock),
    }
    servers = {name: _Server(app) for name, app in apps.items()}
    nowhere = dict.fromkeys(("evolve", "feeds", "cloudmailin"), 9)
    me = Process.current()
    ports = nowhere | {name: server.port for name, server in servers.items()}
    Serving(pid=me.pid, started=me.started, ports=ports).write(place.serving)
    try:
        yield Office(Business(folder, up(folder, Wanted(empty=True)), 0, 0))
    finally:
        for server in servers.values():
            server.stop()


class _Server:
    """An application in a thread of its own."""

    def __init__(self, app: web.Application) -> None:
        self._loop = asyncio.new_event_loop()
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.port: int = self._run(self._listen())

    def stop(self) -> None:
        self._run(self._runner.cleanup())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _run(self, work: Coroutine[object, object, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _listen(self) -> int:
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        return int(self._runner.addresses[0][1])


if __name__ == "__main__":
    main(int(sys.argv[1]))
