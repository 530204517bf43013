"""A running Airtable stand-in on an ephemeral port, with a clock that tests may turn."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import requests
from aiohttp import web
from pyairtable import Api, Base, Table

from changeover_sandbox.airtable.app import Account, create_app

DEV = Account("appDevBase0000001", "patDev.secret", "Dev")
PROD = Account("appProdBase000001", "prdKey.secret", "Prod")


@dataclass
class Clock:
    """The real time, or the instant at which a test stopped it, plus what the test adds."""

    ahead: float = 0.0
    stopped_at: float | None = None

    def __call__(self) -> float:
        return (time.time() if self.stopped_at is None else self.stopped_at) + self.ahead


class Server:
    """An application served by a thread of its own."""

    def __init__(self, app: web.Application) -> None:
        self._loop = asyncio.new_event_loop()
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.port: int = self._run(self._listen())

    def _run(self, work):
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _listen(self) -> int:
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        return int(self._runner.addresses[0][1])

    def stop(self) -> None:
        self._run(self._runner.cleanup())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()


@dataclass
class Sandbox:
    """A stand-in as a client and a tester see it."""

    url: str
    clock: Clock
    key: str = DEV.api_key
    base_id: str = DEV.base_id
    api: Api = field(init=False)

    def __post_init__(self) -> None:
        self.api = Api(self.key, endpoint_url=self.url, retry_strategy=None, timeout=(5, 10))

    @property
    def base(self) -> Base:
        return self.api.base(self.base_id)

    def table(self, name: str) -> Table:
        return self.base.table(name)

    def call(self, method: str, path: str, json: object = None, **more: object) -> requests.Response:
        """A raw request below the base; the token is right unless `headers` say otherwise."""
        headers = more.pop("headers", {"Authorization": f"Bearer {self.key}"})
        url = f"{self.url}/v0/{self.base_id}{path}"
        return requests.request(method, url, json=json, headers=headers, timeout=10, **more)

    def control(self, method: str, path: str, json: object = None, **params: object) -> requests.Response:
        return requests.request(method, f"{self.url}/_sandbox{path}", json=json, params=params, timeout=30)

    def seed(self, table: str, *rows: Mapping[str, object]) -> list[str]:
        order = {"base_id": self.base_id, "table": table, "records": [{"fields": row} for row in rows]}
        answer = self.control("POST", "/records", order)
        assert answer.status_code == 201, answer.text
        return answer.json()["ids"]

    def fault(self, mode: str, **order: object) -> None:
        answer = self.control("POST", "/faults", {"mode": mode, "method": "POST", "path": "/v0/.*", **order})
        assert answer.status_code == 201, answer.text


CHOICES = {"choices": [{"name": "New"}, {"name": "Modified"}, {"name": "Old"}]}
STAMP = {"timeZone": "America/Phoenix", "dateFormat": {"name": "iso"}, "timeFormat": {"name": "12hour"}}
TABLES = [
    {
        "name": "Homes",
        "fields": [{"name": "Name", "type": "singleLineText"}, {"name": "Note", "type": "multilineText"}],
    },
    {
        "name": "Stays",
        "fields": [
            {"name": "UID", "type": "singleLineText"},
            {"name": "Home", "type": "multipleRecordLinks", "options": {"linkedTable": "Homes"}},
            {"name": "Status", "type": "singleSelect", "options": CHOICES},
            {"name": "Check-in", "type": "date", "options": {"dateFormat": {"name": "iso"}}},
            {"name": "Seen", "type": "dateTime", "options": STAMP},
            {"name": "Count", "type": "number", "options": {"precision": 0}},
            {"name": "Ready", "type": "checkbox", "options": {"icon": "check", "color": "greenBright"}},
            {"name": "Tags", "type": "multipleSelects", "options": {"choices": [{"name": "a"}, {"name": "b"}]}},
            {"name": "Info", "type": "multilineText"},
            {"name": "Files", "type": "multipleAttachments", "options": {"isReversed": False}},
        ],
    },
]

Start = Callable[[Path | None], Sandbox]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start a stand-in, empty or from a folder; a second start on a folder stops the first."""
    servers: list[Server] = []

    def run(folder: Path | None) -> Sandbox:
        while servers:
            servers.pop().stop()
        clock = Clock()
        servers.append(Server(create_app(folder, [DEV, PROD], clock=clock)))
        return Sandbox(f"http://127.0.0.1:{servers[-1].port}", clock)

    yield run
    while servers:
        servers.pop().stop()


@pytest.fixture
def empty(start: Start) -> Sandbox:
    """A stand-in whose bases hold nothing, its limits switched off."""
    sandbox = start(None)
    sandbox.control("POST", "/limits", {"enforce": False})
    return sandbox


@pytest.fixture
def sandbox(empty: Sandbox) -> Sandbox:
    """A stand-in with the tables Homes and Stays, its limits switched off."""
    loaded = empty.control("POST", "/schema", {"base_id": DEV.base_id, "tables": TABLES})
    assert loaded.status_code == 200, loaded.text
    return empty


@pytest.fixture
def tables() -> list[dict[str, object]]:
    """The tables that `sandbox` has, in the shape in which they were loaded."""
    return TABLES


@pytest.fixture
def serve() -> Iterator[Callable[[web.Application], str]]:
    """Serve any application, such as a webhook's receiver; the answer is its URL."""
    servers: list[Server] = []

    def run(app: web.Application) -> str:
        servers.append(Server(app))
        return f"http://127.0.0.1:{servers[-1].port}"

    yield run
    for server in servers:
        server.stop()
