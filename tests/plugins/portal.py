"""The portal's stand-in for tests: served by a thread of this process, filled, told to misbehave, asked what it saw."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import requests
from aiohttp import web

from changeover.sources.evolve.visit import Limits
from changeover_sandbox.evolve.app import create_app
from changeover_sandbox.evolve.state import Account

USER, PASSWORD = "partner@portal.example.test", "made-up-word"
OWNER = "Iris Vandermeer"
# Waits for a portal on this machine: long enough for a busy one, and short for what is known not to come.
BRISK = Limits(
    form=8, bookings=8, table=8, control=4, download=8, settle=0.5, refusal=0.3, pause=0, poll=0.03, last_word=0.1
)
HASTY = replace(BRISK, table=0.8, control=0.5, download=0.8)


@contextmanager
def served(folder: Path | None = None) -> Iterator[Portal]:
    """A portal with one account, until the block ends."""
    loop = asyncio.new_event_loop()
    runner = web.AppRunner(create_app(folder, [Account(USER, PASSWORD)]), access_log=None, shutdown_timeout=0.05)

    async def start() -> str:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{runner.addresses[0][1]}"

    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        with requests.Session() as http:
            http.trust_env = False
            yield Portal(asyncio.run_coroutine_threadsafe(start(), loop).result(10), http)
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


@dataclass(frozen=True)
class Portal:
    """The portal seen from outside: its control calls, and its real ones for those who are no browser."""

    url: str
    http: requests.Session

    def control(self, method: str, path: str, body: object = None) -> dict[str, object]:
        answer = self.http.request(method, f"{self.url}/_sandbox/{path}", json=body, timeout=10)
        answer.raise_for_status()
        return answer.json()

    def shows(self, tab1: Sequence[dict[str, str]] = (), tab2: Sequence[dict[str, str]] = ()) -> None:
        self.control("PUT", "bookings", {"tab1": list(tab1), "tab2": list(tab2)})

    def misbehaves(self, mode: str, **more: object) -> None:
        self.control("POST", "misbehaviour", {"mode": mode, **more})

    def behaves(self) -> None:
        self.control("DELETE", "misbehaviour")

    def requests(self, path: str = "", since: int = 0) -> list[dict[str, object]]:
        found = self.control("GET", f"requests?since={since}")["requests"]
        return [each for each in found if path in str(each["path"])]  # type: ignore[attr-defined]

    def mark(self) -> int:
        """The number of the next request, for `requests(since=…)`."""
        return int(str(self.control("GET", f"requests?since={2**40}")["next"]))

    def sign_in(self, user: str = USER, password: str = PASSWORD) -> requests.Response:
        return self.http.post(f"{self.url}/s/login", data={"username": user, "pw": password}, timeout=10)

    def get(self, path: str) -> requests.Response:
        return self.http.get(f"{self.url}{path}", timeout=10)


def tab1(number: int, check_in: date, nights: int = 3, listing: str = "510020", **cells: str) -> dict[str, str]:
    """A guest's row of Tab 1."""
    return {
        "Guest Name": "Lucian Pembroke",
        "Booking #": str(number),
        "Listing #": listing,
        "Check-In": check_in.isoformat(),
        "Check-Out": (check_in + timedelta(nights)).isoformat(),
        "Address": "12 E Example Ave, Mesa, AZ 85203",
        **cells,
    }


def tab2(
    number: int, check_in: date, nights: int = 3, guest: str = "Otis W.", status: str = "Booked", **cells: str
) -> dict[str, str]:
    """A row of Tab 2; the owner's own with `guest=OWNER`."""
    return {
        "Reservation": str(number),
        "Property Address": "12 E Example Ave, Mesa, AZ 85203",
        "Property Owner": OWNER,
        "Status": status,
        "Check-In ": check_in.isoformat(),
        "Check-Out": (check_in + timedelta(nights)).isoformat(),
        "Guest Name": guest,
        **cells,
    }
