"""Feeds and base served by a thread of this process, and what people and bad lines may do to them."""

from __future__ import annotations

import asyncio
import http.client
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from aiohttp import web

from changeover_sandbox.airtable.app import Account
from changeover_sandbox.airtable.app import create_app as create_airtable
from changeover_sandbox.feeds.app import create_app as create_feeds

BASE, KEY = "appSTATEFUL000001", "patSTATEFUL000001.secretsecretsecret"
_SCHEMA = Path(__file__).parents[2] / "config" / "airtable_base.json"
OWN_COLUMN = {"name": "Our Notes", "type": "singleLineText"}  # a column the program knows nothing of


@dataclass
class StandIn:
    """One stand-in's control API, over one connection that is kept."""

    url: str
    _line: http.client.HTTPConnection = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._line = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=30)

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        self._line.request(method, f"/_sandbox/{path}", None if body is None else json.dumps(body))
        answer = self._line.getresponse()
        said = answer.read()
        assert answer.status < 400, said
        return json.loads(said)


class Feeds(StandIn):
    """The calendars' server."""

    def address(self, name: str) -> str:
        return f"{self.url}/ics/{name}.ics"

    def serve(self, name: str, body: str, status: int = 200, delay: float = 0.0, **headers: str) -> None:
        order = {"status": status, "body": body, "delay": delay, "headers": headers}
        self.call("PUT", f"feeds/{name}", order)


class Base(StandIn):
    """The Airtable stand-in."""

    def clear(self) -> None:
        """Empty tables of the whole schema, the environment's mark and one column of people's own."""
        self.call("POST", "reset", {})
        tables = json.loads(_SCHEMA.read_text())["tables"]
        next(each for each in tables if each["name"] == "Reservations")["fields"].append(OWN_COLUMN)
        self.call("POST", "schema", {"base_id": BASE, "tables": tables})
        self.call("POST", "limits", {"enforce": False, "requests_per_second": 1000, "penalty_seconds": 0.05})
        self.add("Environment", {"Name": "dev"})
        self.add("Automation", {"Name": "ICS Calendar", "Active": True})

    def add(self, table: str, *rows: Mapping[str, Any]) -> list[str]:
        records = [{"fields": row} for row in rows]
        return list(self.call("POST", "records", {"base_id": BASE, "table": table, "records": records})["ids"])

    def edit(self, table: str, record_id: str, fields: Mapping[str, Any]) -> None:
        records = [{"id": record_id, "fields": fields}]
        self.call("PATCH", "records", {"base_id": BASE, "table": table, "records": records})

    def delete(self, table: str, record_id: str) -> None:
        self.call("DELETE", "records", {"base_id": BASE, "table": table, "records": [{"id": record_id}]})

    def rows(self, table: str = "Reservations") -> dict[str, dict[str, Any]]:
        answer = self.call("GET", f"records?{urlencode({'base_id': BASE, 'table': table})}")
        return {each["id"]: each["fields"] for each in answer["records"]}

    def spoil(self, mode: str, method: str = "", path: str = "", times: int | None = 1, value: object = None) -> None:
        self.call("POST", "faults", {"mode": mode, "method": method, "path": path, "times": times, "value": value})

    def heal(self) -> None:
        self.call("DELETE", "faults")

    def mark(self) -> int:
        """The number of the next request."""
        return int(self.call("GET", f"requests?since={10**9}")["next"])

    def writes(self, since: int, table: str) -> list[dict[str, Any]]:
        """The writing requests to a table since a mark; a listing sent by POST is none."""
        calls = self.call("GET", f"requests?since={since}")["requests"]
        return [
            each
            for each in calls
            if each["method"] != "GET" and each["path"].rpartition("/")[2] == table.replace(" ", "%20")
        ]


@dataclass
class StandIns:
    """Both servers on loopback ports of their own."""

    base: Base = field(init=False)
    feeds: Feeds = field(init=False)

    def __post_init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        apps = create_airtable(None, [Account(BASE, KEY)]), create_feeds(None, None)
        self._runners = [web.AppRunner(app, access_log=None, shutdown_timeout=0.1) for app in apps]
        airtable, feeds = (self._do(self._start(runner)) for runner in self._runners)
        self.base, self.feeds = Base(airtable), Feeds(feeds)

    def close(self) -> None:
        for runner in self._runners:
            self._do(runner.cleanup())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _start(self, runner: web.AppRunner) -> str:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{runner.addresses[0][1]}"

    def _do(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)
