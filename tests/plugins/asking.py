"""Buttons and API over a business in the stand-ins: a server to ask, and a clerk that does what a worker does."""

from __future__ import annotations

import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
import requests
from flask.testing import FlaskClient
from werkzeug.serving import make_server
from werkzeug.test import TestResponse

from changeover.core.job_action import Action
from changeover.engine import clicks, names
from changeover.engine.clicks import ClickDesk
from changeover.engine.jobs.operations import Answer, perform
from changeover.engine.stop import StopSwitch
from changeover.settings.inbound import Inbound
from changeover.store import facts, operations, tables
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
Front = tuple[Path, Deployment, Database]


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


@dataclass
class Desk:
    """The application by itself, over an empty store; a clerk answers as it is told, if one is there."""

    folder: Path
    deployment: Deployment
    client: FlaskClient
    database: Database
    clerk: Clerk | None = None

    def hire(self, act: Callable[[Action, str], Answer] | None = None) -> Clerk:
        self.clerk = Clerk(self.database, act or done)
        return self.clerk

    @property
    def switch(self) -> StopSwitch:
        return StopSwitch(self.folder / "var" / ENV)

    def post(self, path: str, body: object = None, key: str | None = KEY, **headers: str) -> TestResponse:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        shown = {} if key is None else {KEY_HEADER: key}
        return self.client.post(f"/api/{ENV}/{path}", json=body, headers=shown | given)

    def do(self, action: str = "create-job", record_id: str = STAY, **more: str) -> TestResponse:
        return self.post(action, {"recordId": record_id}, **more)

    def get(self, path: str, key: str = KEY) -> TestResponse:
        return self.client.get(f"/api/{ENV}/{path}", headers={KEY_HEADER: key})

    def operations(self) -> tuple[operations.Operation, ...]:
        with self.database.read() as connection:
            return operations.recent(connection)


def done(_action: Action, record_id: str) -> Answer:
    """What all went well looks like."""
    return Answer(True, ENV, job_id=f"job_of_{record_id}", sync_status="Synced", sync_details="<b>in sync</b>")


@pytest.fixture(scope="module")
def front(
    migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Path, Deployment, Database]]:
    """Both environments, opened once for all tests of a module."""
    folder = tmp_path_factory.mktemp("front")
    both = [inbound(folder), inbound(folder, "prod", OTHER_KEY)]
    for each in both:
        each.folder.mkdir(parents=True)
        shutil.copy(migrated_sqlite, each.folder / "state.db")
    deployment, database = Deployment.open(both), Database(both[0].state_url)
    yield folder, deployment, database
    deployment.close()
    database.close()


@pytest.fixture
def desk(front: Front) -> Iterator[Desk]:
    """The same with nothing in it, and nobody counted."""
    folder, deployment, database = front
    with database.begin() as connection:
        for table in (tables.operations, tables.runs, tables.plans, tables.facts, tables.mirror_records):
            connection.execute(table.delete())
    desk = Desk(folder, deployment, create_app(deployment).test_client(), database)
    yield desk
    if desk.clerk is not None:
        desk.clerk.go()
    desk.switch.clear()
    deployment.stopping.clear()
