"""A company in the stand-in of Housecall Pro whose jobs have rows in the base, and the people who use its app."""

from __future__ import annotations

import random
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import SimpleQueue
from typing import Any
from urllib.error import HTTPError

import requests
from bench_world import TODAY, Business, call

STEP = "Sync Service Jobs"
ACTIONS = ("on_my_way", "start", "complete", "reschedule", "assign", "unassign", "rename_line_item")
TIMEOUT = 30


@dataclass(slots=True)
class Company:
    """Its jobs, each of a stay that has left or will."""

    made: Business
    chance: random.Random
    jobs: list[str] = field(default_factory=list)
    people: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return str(self.made.where["housecallpro"]["url"])

    @property
    def secret(self) -> str:
        return str(self.made.where["housecallpro"]["dev"]["webhook_secret"])

    def open(self, number: int) -> None:
        """So many jobs, and the rows that have them; the program's mirror knows them all."""
        with (self.made.folder / "config" / "dev.env").open("a") as settings:
            settings.write("HCP_HOURLY_LIMIT=10000000\n")
        place = {"street": "1 Example Rd", "city": "Mesa", "state": "AZ", "zip": "85201", "country": "US"}
        customer = self._ask("POST", "/customers", {"first_name": "Casey", "addresses": [place]})
        address = str(customer["addresses"][0]["id"])
        (owner,) = self._rows("Customers", [{"Full Name": "Casey Example", "HCP Customer ID": customer["id"]}])
        home: dict[str, object] = {
            "Property Name": "Cactus House",
            "HCP Customer ID": [owner],
            "HCP Address ID": address,
        }
        (place_id,) = self._rows("Properties", [home])
        self.jobs = [self._job(str(customer["id"]), address, n) for n in range(number)]
        self._rows("Reservations", [_stay(place_id, n, job) for n, job in enumerate(self.jobs)])
        self._rows("Automation", [{"Name": STEP, "Active": True}])
        for name in ("Robin", "Sage", "Jules"):
            order = {"env": "dev", "first_name": name, "last_name": "Example"}
            self.people.append(str(call(f"{self.url}/_sandbox/employees", order)["id"]))
        self.made.run("--only", STEP)

    def act(self) -> None:
        """Something that a person does in the app; what the job's state forbids is not done."""
        action, job = self.chance.choice(ACTIONS), self.chance.choice(self.jobs)
        start = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=self.chance.randint(1, 400))
        more: Mapping[str, Mapping[str, object]] = {
            "reschedule": {"start": start.isoformat(), "end": (start + timedelta(hours=1)).isoformat()},
            "assign": {"employee_ids": [self.chance.choice(self.people)]},
            "unassign": {"employee_ids": [self.chance.choice(self.people)]},
            "rename_line_item": {"name": f"Line {self.chance.random()}"},
        }
        with suppress(HTTPError):
            call(f"{self.url}/_sandbox/jobs/{job}/actions", {"action": action, **more.get(action, {})})

    def untrue(self) -> int:
        """Rows that a look at every job finds wrong; it mends them."""
        _, since = self.made.requests(0)
        self.made.run("--only", STEP)
        calls, _ = self.made.requests(since)
        return sum(each["method"] == "PATCH" and str(each["path"]).endswith("/Reservations") for each in calls)

    def _job(self, customer: str, address: str, number: int) -> str:
        start = datetime.combine(_leaves(number), datetime.min.time(), UTC) + timedelta(hours=17, minutes=15)
        times = {"scheduled_start": start.isoformat(), "scheduled_end": (start + timedelta(hours=1)).isoformat()}
        line = {"name": "Turnover", "unit_price": 14500, "quantity": 1}
        order = {"customer_id": customer, "address_id": address, "schedule": times, "line_items": [line]}
        return str(self._ask("POST", "/jobs", order)["id"])

    def _ask(self, method: str, path: str, body: object) -> Any:
        headers = {"Authorization": f"Token {self.made.where['housecallpro']['dev']['api_key']}"}
        answer = requests.request(method, f"{self.url}{path}", json=body, headers=headers, timeout=TIMEOUT)
        answer.raise_for_status()
        return answer.json()

    def _rows(self, table: str, rows: list[dict[str, object]]) -> list[str]:
        body = {"base_id": self.made.base, "table": table, "records": [{"fields": row} for row in rows]}
        return list(call(f"{self.made.airtable}/_sandbox/records", body)["ids"])


def _leaves(number: int) -> Any:
    return TODAY + timedelta(days=number % 100)


def _stay(home: str, number: int, job: str) -> dict[str, object]:
    leaves = _leaves(number)
    return {
        "Reservation UID": f"uid-{number}_{home}",
        "Status": "New",
        "Entry Type": "Reservation",
        "Entry Source": "Airbnb",
        "Property ID": [home],
        "Check-in Date": (leaves - timedelta(days=4)).isoformat(),
        "Check-out Date": leaves.isoformat(),
        "Service Type": "Turnover",
        "Service Job ID": job,
    }


class Post(ThreadingHTTPServer):
    """Takes the company's webhooks at once and hands their bodies on: whoever carries them repeats for as long."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Taker)
        self.bodies: SimpleQueue[bytes] = SimpleQueue()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def listen(self, company: Company) -> None:
        """Has the company send each webhook here twice, the events of a cause in reversed order."""
        order = {"env": "dev", "url": f"http://127.0.0.1:{self.server_port}/", "duplicate": True, "reorder": True}
        call(f"{company.url}/_sandbox/webhooks", order)

    def settle(self, company: Company) -> None:
        """Until the company has nothing more to send."""
        while call(f"{company.url}/_sandbox/deliveries")["waiting"]:
            threading.Event().wait(0.05)


class _Taker(BaseHTTPRequestHandler):
    server: Post

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Api-Signature"):
            self.server.bodies.put(body)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Says nothing."""
