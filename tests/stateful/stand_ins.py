"""Feeds, base and company of this process, asked directly or served by a thread, and what people do to them."""

from __future__ import annotations

import asyncio
import http.client
import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from string import ascii_letters, digits
from typing import Any
from unittest import mock
from urllib.parse import urlencode, urlsplit

from aiohttp import web

from changeover_sandbox.airtable import ids
from changeover_sandbox.airtable.app import Account
from changeover_sandbox.airtable.app import create_app as create_airtable
from changeover_sandbox.feeds.app import create_app as create_feeds
from changeover_sandbox.housecallpro import ids as company_ids
from stateful import company
from stateful.company import Company
from stateful.stand_in import Asked, StandIn
from stateful.wires import Answered, DirectLine

BASE, KEY = "appSTATEFUL000001", "patSTATEFUL000001.secretsecretsecret"
_SCHEMA = Path(__file__).parents[2] / "config" / "airtable_base.json"
OWN_COLUMN = {"name": "Our Notes", "type": "singleLineText"}  # a column the program knows nothing of


class Wire:
    """A real connection, kept."""

    def __init__(self, url: str) -> None:
        self._line = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)

    def ask(self, method: str, url: str, headers: Mapping[str, str], body: bytes = b"") -> Answered:
        parts = urlsplit(url)
        self._line.request(method, f"{parts.path}?{parts.query}", body, dict(headers))
        answer = self._line.getresponse()
        return Answered(answer.status, dict(answer.getheaders()), answer.read())

    def close(self) -> None:
        self._line.close()


@dataclass
class Feeds(StandIn):
    """The calendars' server."""

    told: dict[str, Mapping[str, Any]] = field(default_factory=dict, repr=False)

    def address(self, name: str) -> str:
        return f"{self.url}/ics/{name}.ics"

    def serve(self, name: str, body: str, status: int = 200, delay: float = 0.0, **headers: str) -> None:
        """What a calendar answers from now on; told only when that has changed."""
        late = {"X-Late": str(delay)} if delay else {}
        waits = 0.0 if isinstance(self.line, DirectLine) else delay  # nobody waits for a line that knows the answer
        order = {"status": status, "body": body, "delay": waits, "headers": headers | late}
        if self.told.get(name) != order:
            self.told[name] = order
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

    def mark(self) -> int:
        """The number of the next request."""
        return int(self.call("GET", f"requests?since={10**9}")["next"])

    def calls(self, since: int) -> list[dict[str, Any]]:
        """All requests since a mark."""
        return list(self.call("GET", f"requests?since={since}")["requests"])

    def writes(self, since: int, table: str) -> list[dict[str, Any]]:
        """The writing requests to a table since a mark; a listing sent by POST is none."""
        return [
            each
            for each in self.calls(since)
            if each["method"] != "GET" and each["path"].rpartition("/")[2] == table.replace(" ", "%20")
        ]


@contextmanager
def same_ids(number: int) -> Iterator[None]:
    """Within, base and company give ids that follow from a seed: which of two comes first must be the same again."""
    chance = Random(number)

    class Seeded:
        @staticmethod
        def token_urlsafe(_: int) -> str:
            return "".join(chance.choices(ascii_letters + digits, k=32))

        @staticmethod
        def token_hex(length: int) -> str:
            return f"{chance.getrandbits(8 * length):0{2 * length}x}"

    with mock.patch.object(ids, "secrets", Seeded), mock.patch.object(company_ids, "secrets", Seeded):
        yield


class StandIns:
    """All stand-ins: asked directly in whatever thread asks, or, with `served`, on loopback ports of their own."""

    def __init__(self, *, served: bool = False) -> None:
        jobs = company.create()
        apps = create_airtable(None, [Account(BASE, KEY)]), create_feeds(None, None), jobs
        self.direct = None if served else tuple(DirectLine(app) for app in apps)
        self._server = _Server(apps) if served else None
        urls = self._server.urls if self._server else tuple(f"http://127.0.0.1:{port}" for port in (1, 2, 3))
        lines: Sequence[Asked] = self.direct or tuple(Wire(url) for url in urls)
        self.base, self.feeds = Base(urls[0], lines[0]), Feeds(urls[1], lines[1])
        self.company = Company(urls[2], lines[2], jobs)

    def close(self) -> None:
        for each in (self.base, self.feeds, self.company):
            each.line.close()
        if self._server:
            self._server.close()


class _Server:
    def __init__(self, apps: Sequence[web.Application]) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._runners = [web.AppRunner(app, access_log=None, shutdown_timeout=0.1) for app in apps]
        self.urls = tuple(self._do(self._start(runner)) for runner in self._runners)

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
