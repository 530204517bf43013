"""Buttons and API over a business in the stand-ins: a server to ask, and a clerk that does what a worker does."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
import requests
from werkzeug.serving import make_server

from changeover.core.job_action import Action
from changeover.engine import clicks, names
from changeover.engine.clicks import ClickDesk
from changeover.engine.jobs.operations import Answer, perform
from changeover.settings.inbound import Inbound
from changeover.store import facts, operations
from changeover.store.database import Database
from changeover.web.app import create_app
from changeover.web.keys import KEY_HEADER, button_token
from changeover.web.sites import Deployment
from plugins.housecallpro import Service
from plugins.job_house import House, make_house

KEY, OTHER_KEY = "dev-api-key-0001", "prd-api-key-0001"
ENV = "dev"
TOKEN = button_token(KEY, ENV)
HIDDEN = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)">')
STAY = "recSTAY0000000001"


def inbound(folder: Path, env: str = ENV, key: str = KEY, **more: object) -> Inbound:
    return Inbound(environment=env, home=folder / "var", api_key=key, **more)


class Served:
    """An application on a port of its own."""

    def __init__(self, deployment: Deployment) -> None:
        self.deployment = deployment
        self._server = make_server("127.0.0.1", 0, create_app(deployment), threaded=True)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self.deployment.stopping.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self.deployment.close()


@dataclass
class Clerk:
    """Works what was asked for, as a worker's line does; while it is at its desk, a worker counts as alive."""

    database: Database
    act: Callable[[Action, str], Answer]
    asked: list[tuple[str, str]] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.desk = ClickDesk(ENV, self.database, self._perform, lambda: datetime.now(UTC))
        with self.database.begin() as connection:
            facts.put(connection, f"{names.WORKER_BEAT}here", True, datetime.now(UTC))
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def go(self) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.wait(0.005):
            with self.database.read() as connection:
                waiting = operations.waiting(connection)
            for each in waiting:
                clicks.work(self.desk, each.id)

    def _perform(self, action: Action, record_id: str) -> Answer:
        self.asked.append((action, record_id))
        return self.act(action, record_id)


@dataclass
class Counter:
    """Where people ask: the business, its server, its clerk."""

    business: House
    served: Served
    clerk: Clerk

    @property
    def url(self) -> str:
        return self.served.url

    def post(self, path: str, body: object = None, key: str | None = KEY, **headers: str) -> requests.Response:
        given = headers if key is None else {KEY_HEADER: key, **headers}
        return requests.post(f"{self.url}/api/{ENV}/{path}", json=body, headers=given, timeout=30)

    def do(self, action: str, record_id: str) -> requests.Response:
        return self.post(action, {"recordId": record_id})

    def link(self, action: str, record_id: str, token: str = TOKEN) -> str:
        return f"{self.url}/button/{ENV}/{action}?record={record_id}&token={token}"


def fields_of(page: str) -> dict[str, str]:
    """What a page's form would send."""
    return dict(HIDDEN.findall(page))


def until(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def open_counter(job_servers: tuple[str, Service], store: Path, folder: Path) -> Counter:
    airtable, service = job_servers
    business = make_house(airtable, service, store, folder)
    business.home()
    business.refresh()
    served = Served(Deployment.open([inbound(folder)]))
    return Counter(business, served, Clerk(business.desk.db, partial(perform, business.desk)))


@pytest.fixture(scope="module")
def counter(
    job_servers: tuple[str, Service], migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Counter]:
    """One business and its server for all tests of a module; each makes stays of its own."""
    counter = open_counter(job_servers, migrated_sqlite, tmp_path_factory.mktemp("counter"))
    yield counter
    counter.clerk.go()
    counter.served.close()
    counter.business.desk.db.close()
