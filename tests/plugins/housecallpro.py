"""A running Housecall Pro stand-in as a client and a tester see it, and a receiver of its webhooks."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
import requests
from aiohttp import web

from changeover_sandbox.housecallpro.app import Account, create_app

DEV = Account("11111111-2222-3333-4444-555555555555", "devkey-0123456789", "dev-secret", "dev", "Example Cleaning Dev")
PROD = Account("99999999-8888-7777-6666-555555555555", "Prodky-0123456789", "prod-secret", "prod", "Example Cleaning")
START = "2026-03-04T17:15:00Z"
END = "2026-03-04T18:15:00Z"
PLACE = {"street": "1 Example Rd", "city": "Mesa", "state": "AZ", "zip": "85201", "country": "US"}


@dataclass
class Clock:
    """The real time, or the instant at which a test stopped it, plus what it adds; `step` goes by at each look."""

    ahead: float = 0.0
    stopped_at: float | None = None
    step: float = 0.0

    def __call__(self) -> float:
        self.ahead += self.step
        return (time.time() if self.stopped_at is None else self.stopped_at) + self.ahead


class Server:
    """An application served by a thread of its own."""

    def __init__(self, app: web.Application) -> None:
        self._loop = asyncio.new_event_loop()
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.url: str = self._run(self._listen())

    def _run(self, work):
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _listen(self) -> str:
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    def stop(self) -> None:
        self._run(self._runner.cleanup())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()


def _session(account: Account) -> requests.Session:
    session = requests.Session()
    session.headers["Authorization"] = f"Token {account.api_key}"
    return session


@dataclass
class Service:
    """A stand-in; calls go out with the key of `account`."""

    url: str
    clock: Clock
    account: Account = DEV
    session: requests.Session = field(init=False)

    def __post_init__(self) -> None:
        self.session = _session(self.account)

    def as_(self, account: Account) -> Service:
        return Service(self.url, self.clock, account)

    def call(self, method: str, path: str, body: object = None, **more: object) -> requests.Response:
        return self.session.request(method, f"{self.url}{path}", json=body, timeout=10, **more)

    def ok(self, method: str, path: str, body: object = None, **params: object) -> dict:
        """The body of a call that must succeed."""
        answer = self.call(method, path, body, params=params)
        assert answer.ok, (method, path, answer.status_code, answer.text)
        return answer.json()

    def control(self, method: str, path: str, body: object = None, **params: object) -> requests.Response:
        return requests.request(method, f"{self.url}/_sandbox{path}", json=body, params=params, timeout=10)

    def fault(self, mode: str, **order: object) -> None:
        answer = self.control("POST", "/faults", {"mode": mode, "times": 1, **order})
        assert answer.status_code == 201, answer.text

    def act(self, job: dict, action: str, **more: object) -> requests.Response:
        return self.control("POST", f"/jobs/{job['id']}/actions", {"action": action, **more})

    # -- what a company has --------------------------------------------------------------------------------------------

    def customer(self, **more: object) -> dict:
        return self.ok("POST", "/customers", {"first_name": "Casey", "addresses": [PLACE], **more})

    def employee(self, first_name: str = "Robin", **more: object) -> dict:
        order = {"env": self.account.environment, "first_name": first_name, "last_name": "Example", **more}
        answer = self.control("POST", "/employees", order)
        assert answer.ok, answer.text
        return answer.json()

    def job_type(self, name: str) -> dict:
        return self.control("POST", "/job_types", {"env": self.account.environment, "name": name}).json()

    def job(self, start: str | None = START, end: str | None = END, **more: object) -> dict:
        """A new job of a new customer, unless `customer` says whose, with everything about it read again."""
        customer = more.pop("customer", None) or self.customer()
        order = {"customer_id": customer["id"], "address_id": customer["addresses"][0]["id"], **more}
        if start is not None:
            order["schedule"] = {"scheduled_start": start, "scheduled_end": end}
        return self.read(self.ok("POST", "/jobs", order))

    def read(self, job: dict) -> dict:
        return self.ok("GET", f"/jobs/{job['id']}", **{"expand[]": "appointments"})

    def visits(self, job: dict) -> list[dict]:
        return self.ok("GET", f"/jobs/{job['id']}/appointments")["appointments"]

    def lines(self, job: dict) -> list[dict]:
        """By their index."""
        data = self.ok("GET", f"/jobs/{job['id']}/line_items")["data"]
        return sorted(data, key=lambda line: line["order_index"])

    # -- webhooks ------------------------------------------------------------------------------------------------------

    def listen(self, url: str, **more: object) -> None:
        """Send webhooks there, when the ping has arrived."""
        answer = self.control("POST", "/webhooks", {"env": self.account.environment, "url": url, **more})
        assert answer.ok, answer.text
        self.settle()

    def settle(self) -> list[dict]:
        """Every post that was made, when no more are to be made."""
        self.until(lambda: self.control("GET", "/deliveries").json()["waiting"] == 0)
        return self.control("GET", "/deliveries").json()["deliveries"]

    def until(self, done: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 10
        while not done():
            assert time.monotonic() < deadline
            time.sleep(0.005)


@dataclass
class Post:
    """One request that a receiver got."""

    headers: dict[str, str]
    raw: bytes
    at: float

    @property
    def event(self) -> str:
        return self.body.get("event", "ping")

    @property
    def body(self) -> dict:
        return json.loads(self.raw)


class Receiver:
    """Takes webhooks, and answers each with the next status; the last one is given again and again."""

    def __init__(self) -> None:
        self.posts: list[Post] = []
        self.statuses: list[int] = [200]
        app = web.Application()
        app.router.add_post("/{path:.*}", self._take)
        self._server = Server(app)
        self.url = f"{self._server.url}/webhooks/hcp"
        self.stop = self._server.stop

    async def _take(self, request: web.Request) -> web.Response:
        self.posts.append(Post(dict(request.headers), await request.read(), time.monotonic()))
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        return web.Response(status=status, headers={"Location": "/elsewhere"})

    @property
    def events(self) -> list[str]:
        return [post.event for post in self.posts]

    def clear(self) -> None:
        self.posts.clear()
        self.statuses[:] = [200]


REPEAT_AFTER = (0.01, 0.02, 0.03)
"""The pauses of the stand-in that tests share: the service's would take half a minute."""


@pytest.fixture(scope="module")
def server() -> Iterator[Service]:
    """One stand-in for a module; what a test leaves behind is of no consequence to those who read only their own."""
    clock = Clock()
    running = Server(create_app(None, [DEV, PROD], clock=clock, repeat_after=REPEAT_AFTER))
    yield Service(running.url, clock)
    running.stop()


@pytest.fixture
def service(server: Service) -> Iterator[Service]:
    """The stand-in, with nothing in it."""
    server.control("POST", "/reset")
    server.control("POST", "/limits", {"enforce": True, "hourly": None, "requests_per_second": None})
    yield server
    server.clock.ahead, server.clock.stopped_at, server.clock.step = 0.0, None, 0.0


@pytest.fixture(scope="module")
def catching() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.stop()


@pytest.fixture
def receiver(catching: Receiver) -> Receiver:
    """A receiver that got nothing yet."""
    catching.clear()
    return catching
