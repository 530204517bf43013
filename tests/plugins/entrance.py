"""The program's front door with a worker behind it, over a business in the stand-ins, under a clock that goes ahead."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
import time_machine
from pydantic import SecretStr
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

from changeover.core.job_action import Action
from changeover.engine import clicks, hooks, names
from changeover.engine.clicks import ClickDesk
from changeover.engine.hooks import HookDesk
from changeover.engine.jobs.following import Followed, follow
from changeover.engine.jobs.operations import Answer, perform
from changeover.housecallpro.client import HousecallPro, Object
from changeover.store import events, facts
from changeover.store.events import Event, EventKind, EventState
from changeover.web.keys import KEY_HEADER
from changeover.web.sites import Deployment
from plugins.asking import ENV, KEY, OTHER_KEY, Served, inbound, until
from plugins.hooks import PATHS, SECRETS, signed
from plugins.housecallpro import DEV, Service
from plugins.job_house import House, make_house


def now() -> datetime:
    return datetime.now(UTC)


class Worker:
    """Does what a worker's lines do, for clicks and webhooks: whatever is due by the clock, again and again."""

    def __init__(self, business: House) -> None:
        self.business, self.database = business, business.desk.db
        self.clicks = ClickDesk(ENV, self.database, self._perform, now)
        self.hooks = HookDesk(ENV, self.database, business.desk.switch, self._follow, now)
        self.paused, self._over = threading.Event(), threading.Event()
        self._begun = self._nothing_due_in = 0
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._beat()
        self._thread.start()

    def rest(self) -> None:
        """Waits until a look at everything that begins from now on has found nothing more that is due."""
        wanted = self._begun + 1
        until(lambda: self._nothing_due_in >= wanted)

    def go(self) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.wait(0.005):
            if self.paused.is_set():
                continue
            self._begun += 1
            if not self._works():
                self._beat()
                self._nothing_due_in = self._begun

    def _works(self) -> bool:
        """Whether there was anything that is not to be done later."""
        with self.database.read() as connection:
            asked = clicks.waiting(connection, now())
            told = events.recent(connection, 1000, kinds=(EventKind.HCP,), states=(EventState.RECEIVED,))
        due = [each.id for each in told if (at := each.payload.get("due")) is None or str(at) <= now().isoformat()]
        for operation_id in asked:
            clicks.work(self.clicks, operation_id)
        for event_id in due:
            hooks.work(self.hooks, event_id)
        return bool(asked or due)

    def _beat(self) -> None:
        with self.database.begin() as connection:
            facts.put(connection, f"{names.WORKER_BEAT}here", True, now())

    def _perform(self, action: Action, record_id: str) -> Answer:
        return perform(self.business.desk, action, record_id)

    def _follow(self, job_id: str, told: Any, payload: Object | None) -> Followed:
        return follow(self.business.desk, job_id, told, payload)


@dataclass
class Entrance:
    """What a person, a script and the service meet, and what has come of it."""

    business: House
    served: Served
    worker: Worker
    clock: time_machine.Coordinates

    # -- asking ------------------------------------------------------------------------------------------------------

    def post(self, path: str, body: object = None, key: str | None = KEY, env: str = ENV) -> requests.Response:
        shown = {} if key is None else {KEY_HEADER: key}
        return requests.post(f"{self.served.url}/api/{env}/{path}", json=body, headers=shown, timeout=30)

    def get(self, path: str) -> requests.Response:
        return requests.get(f"{self.served.url}/api/{ENV}/{path}", headers={KEY_HEADER: KEY}, timeout=30)

    def do(self, action: str, record_id: str) -> requests.Response:
        return self.post(action, {"recordId": record_id})

    def hook(self, body: bytes, headers: dict[str, str] | None = None) -> requests.Response:
        """A webhook for this environment, proven unless other headers are given."""
        given = signed(body, SECRETS[ENV], at=now().timestamp()) if headers is None else headers
        return requests.post(self.served.url + PATHS[ENV], data=body, headers=given, timeout=30)

    def tell(self, event: str, job: dict[str, Any]) -> requests.Response:
        """The service tells of a job as it is."""
        said = {"event": event, "event_occurred_at": now().isoformat(), "company_id": DEV.company_id, "job": job}
        return self.hook(json.dumps(said).encode())

    # -- a place of its own for each test ----------------------------------------------------------------------------

    def home(self, **cells: Any) -> str:
        """A property with customer and template of its own, so that no test meets another's jobs."""
        return self.business.home(f"House {len(self.business.ids)}", **cells)

    def stay(self, home: str | None = None, **cells: Any) -> str:
        return self.business.stay(home or self.home(), **cells)

    def made(self, **cells: Any) -> tuple[str, dict[str, Any]]:
        """A stay with its job."""
        stay = self.stay(**cells)
        assert self.do("create-job", stay).status_code == 200
        return stay, self.business.job_of(stay)

    # -- what has come of it -----------------------------------------------------------------------------------------

    def click(self, record_id: str) -> Event:
        """The event of the last click on a row."""
        return next(each for each in self.events(EventKind.CLICK) if each.payload["record_id"] == record_id)

    def events(self, kind: EventKind) -> tuple[Event, ...]:
        with self.business.desk.db.read() as connection:
            return events.recent(connection, 10_000, kinds=(kind,))

    def jobs_of(self, record_id: str) -> list[dict[str, Any]]:
        """The jobs that bear the row's marker."""
        marker = f"Changeover ref {record_id}"
        return [job for job in self.business.jobs() if marker in [note["content"] for note in job["notes"]]]

    def later(self, **time: float) -> None:
        """So much time goes by, in which the worker does what falls due."""
        self.clock.shift(timedelta(**time))
        self.worker.rest()

    @contextmanager
    def speaking_to(self, url: str) -> Iterator[None]:
        """Housecall Pro answers from elsewhere meanwhile."""
        desk = self.business.desk
        hcp = HousecallPro(url, DEV.api_key, desk.hcp.wiring)
        self.business.desk = replace(desk, hcp=hcp)
        try:
            yield
        finally:
            self.business.desk = desk


@contextmanager
def refusing(status: int, body: object) -> Iterator[str]:
    """A server that gives everybody this answer; its URL."""

    @Request.application
    def answer(_request: Request) -> Response:
        return Response(json.dumps(body), status, mimetype="application/json")

    server = make_server("127.0.0.1", 0, answer, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def entrance(
    job_servers: tuple[str, Service], migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Entrance]:
    """One business behind one server for all tests of a module. Its clock never goes back."""
    folder = tmp_path_factory.mktemp("entrance")
    with time_machine.travel(now(), tick=True) as clock:
        business = make_house(*job_servers, migrated_sqlite, folder)
        hook = {"hcp_webhook_secret": SecretStr(SECRETS[ENV]), "hcp_company_id": DEV.company_id}
        both = inbound(folder, **hook), inbound(folder, "prod", OTHER_KEY)
        both[1].folder.mkdir(parents=True)
        shutil.copy(migrated_sqlite, both[1].folder / "state.db")
        served, worker = Served(Deployment.open(both)), Worker(business)
        yield Entrance(business, served, worker, clock)
        worker.go()
        served.close()
        business.desk.db.close()
