"""A business of exact size for the benchmarks: N calendars of E stays each, seeded as if it had been run before."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

ROOT = Path(__file__).resolve().parents[1]
TODAY = datetime.now(UTC).astimezone().date()
NIGHTS, GAP = 3, 1  # forty stays of four days lie within the import window
SETTINGS = {"MAX_CONCURRENT_FEEDS": "20"}


@dataclass(frozen=True, slots=True)
class Ran:
    """One process: seconds on the wall, peak memory in MB, and what it printed."""

    seconds: float
    megabytes: float
    out: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(slots=True)
class Business:
    """The stand-ins with N calendars; `shift` moves the first stays of some calendars by a day."""

    folder: Path
    where: Mapping[str, Any]
    feeds: int
    events: int
    shifted: set[int] = field(default_factory=set)
    homes: list[str] = field(default_factory=list)

    @property
    def airtable(self) -> str:
        return str(self.where["airtable"]["url"])

    @property
    def calendars(self) -> str:
        return str(self.where["feeds"]["url"])

    @property
    def base(self) -> str:
        return str(self.where["airtable"]["dev"]["base_id"])

    def url(self, number: int) -> str:
        return f"{self.calendars}/ics/bench{number}.ics"

    def body(self, number: int) -> str:
        start = TODAY + timedelta(days=5)
        stays = [(start + timedelta(days=(NIGHTS + GAP) * n), n) for n in range(self.events)]
        late = 1 if number in self.shifted else 0
        return "".join(
            (
                "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Airbnb Inc//Hosting Calendar 1.0//EN\r\n",
                *(_event(number, n, day, NIGHTS + (late if n == 0 else 0)) for day, n in stays),
                "END:VCALENDAR\r\n",
            )
        )

    def publish(self, numbers: Sequence[int]) -> None:
        for number in numbers:
            call(f"{self.calendars}/_sandbox/feeds/bench{number}", {"body": self.body(number)}, "PUT")

    def shift(self, count: int) -> None:
        self.shifted = set(range(count))
        self.publish(range(count))

    def run(self, *options: str, env: Mapping[str, str] | None = None) -> Ran:
        return process(
            [sys.executable, str(ROOT / "src" / "run_automation_dev.py"), "--json", *options], self.variables(env or {})
        )

    def variables(self, more: Mapping[str, str]) -> dict[str, str]:
        places = {"CHANGEOVER_CONFIG": str(self.folder / "config"), "CHANGEOVER_HOME": str(self.folder / "var")}
        named = {f"{name}_DEV": value for name, value in {**SETTINGS, **more}.items()}
        return {**os.environ, **places, **named}

    def requests(self, since: int) -> tuple[list[Mapping[str, Any]], int]:
        found = call(f"{self.airtable}/_sandbox/requests?since={since}")
        return found["requests"], found["next"]

    def latency(self, median: float, sigma: float, seed: int) -> None:
        call(f"{self.calendars}/_sandbox/latency", {"median": median, "sigma": sigma, "seed": seed})


@contextmanager
def business(feeds: int, events: int, *, rows: bool = True) -> Iterator[Business]:
    """Raises the stand-ins; with `rows` the base already holds every stay, as after a first run."""
    folder = Path(tempfile.mkdtemp(prefix="changeover-bench-"))
    sandbox = [sys.executable, "-m", "changeover.cli", "sandbox"]
    where = json.loads(process([*sandbox, "up", "--dir", str(folder), "--empty"], dict(os.environ)).out)
    try:
        made = Business(folder, where, feeds, events)
        made.publish(range(feeds))
        _seed(made, rows=rows)
        yield made
    finally:
        process([*sandbox, "down", "--dir", str(folder)], dict(os.environ))
        subprocess.run(["rm", "-r", str(folder)], check=False)  # noqa: S603, S607 - a folder of our own making


def _seed(made: Business, *, rows: bool) -> None:
    homes = made.homes = _records(made, "Properties", [{"Property Name": f"House {n}"} for n in range(made.feeds)])
    urls: list[dict[str, object]] = [
        {"ICS URL": made.url(n), "Feed Status": "Active", "Property Name": [home]} for n, home in enumerate(homes)
    ]
    _records(made, "ICS Feeds", urls)
    _records(made, "Automation", [{"Name": "ICS Calendar", "Active": True}])
    if rows:
        _records(
            made, "Reservations", [_row(made, n, home, k) for n, home in enumerate(homes) for k in range(made.events)]
        )


def _row(made: Business, number: int, home: str, n: int) -> dict[str, object]:
    """A row as the program itself leaves it, so that a first run over it changes next to nothing."""
    check_in = TODAY + timedelta(days=5 + (NIGHTS + GAP) * n)
    check_out = check_in + timedelta(days=NIGHTS)
    following = {"Next Guest Date": _iso(check_out + timedelta(days=GAP))} if n + 1 < made.events else {}
    return {
        "Reservation UID": f"{_uid(number, n)}_{home}",
        "ICS URL": made.url(number),
        "Status": "New",
        "Entry Type": "Reservation",
        "Entry Source": "Airbnb",
        "Property ID": [home],
        "Check-in Date": _iso(check_in),
        "Check-out Date": _iso(check_out),
        "Service Type": "Turnover",
        "Sync Status": "Not Created",
        "Final Service Time": f"{check_out}T17:15:00.000Z",
        **following,
    }


def _records(made: Business, table: str, rows: list[dict[str, object]]) -> list[str]:
    ids: list[str] = []
    for start in range(0, len(rows), 5000):
        body = {
            "base_id": made.base,
            "table": table,
            "records": [{"fields": row} for row in rows[start : start + 5000]],
        }
        ids += call(f"{made.airtable}/_sandbox/records", body)["ids"]
    return ids


def _uid(number: int, n: int) -> str:
    return f"1418fb94e984-{number:012x}{n:020x}@airbnb.com"


def _event(number: int, n: int, day: date, nights: int) -> str:
    return (
        f"BEGIN:VEVENT\r\nDTSTAMP:20261101T101500Z\r\nDTSTART;VALUE=DATE:{day:%Y%m%d}\r\n"
        f"DTEND;VALUE=DATE:{day + timedelta(days=nights):%Y%m%d}\r\nSUMMARY:Reserved\r\nUID:{_uid(number, n)}\r\n"
        f"DESCRIPTION:Reservation URL: https://www.airbnb.com/hosting/reservations/de\r\n tails/HMTEST{n:04d}\r\n"
        "END:VEVENT\r\n"
    )


def _iso(day: date) -> str:
    return day.isoformat()


def call(url: str, body: object = None, method: str = "") -> Any:
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    request = Request(url, data, headers, method=method or ("GET" if data is None else "POST"))  # noqa: S310 - loopback
    with urlopen(request, timeout=300) as answer:  # noqa: S310 - loopback
        return json.load(answer)


def process(command: Sequence[str], variables: Mapping[str, str], accepted: tuple[int, ...] = (0, 2)) -> Ran:
    """Runs a program of ours, or a rival, to its end. Raises RuntimeError with what it said."""
    began = time.monotonic()
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as complaints:
        child = subprocess.Popen(command, env=dict(variables), stdout=out, stderr=complaints)  # noqa: S603
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.monotonic() - began
        out.seek(0)
        complaints.seek(0)
        text, complaint = out.read(), complaints.read()
    if child.returncode not in accepted:
        raise RuntimeError(f"{' '.join(command[:4])}… ended with {child.returncode}:\n{text}{complaint}")
    return Ran(seconds, usage.ru_maxrss / 1024, text)
