"""The demo's front door: a real web server and worker, and a supplier's report that comes in by mail."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from urllib.request import Request, urlopen

from changeover_sandbox.world.reports import itrip_report, portal_rows
from changeover_sandbox.world.world import World

STARTS_WITHIN, ENDS_WITHIN = 60.0, 60.0
SEED = 1


class NotStarted(Exception):
    """A process of the demo did not come up; the message says what it printed."""


@dataclass
class House:
    """The web server and the worker of one demo, each a process of its own."""

    variables: Mapping[str, str]
    logs: Path
    started: list[tuple[subprocess.Popen[str], Path]] = field(default_factory=list)
    url: str = ""

    def open(self) -> None:
        """Starts both and waits until they say that they are ready. Raises NotStarted."""
        self.url = str(self._start("serve", "--bind", "127.0.0.1:0", "--json")["url"])
        self._start("worker", "--env", "dev", "--json")

    def close(self) -> None:
        """Asks both to end and waits for it."""
        for process, _ in self.started:
            process.terminate()
        for process, _ in self.started:
            try:
                process.wait(ENDS_WITHIN)
            except subprocess.TimeoutExpired:
                process.kill()
        self.started.clear()

    @property
    def pids(self) -> list[int]:
        return [process.pid for process, _ in self.started]

    def _start(self, *arguments: str) -> Mapping[str, object]:
        out, complaints = self.logs / f"{arguments[0]}.out", self.logs / f"{arguments[0]}.err"
        with out.open("w") as said, complaints.open("w") as complained:
            process = subprocess.Popen(  # noqa: S603 - our own program, no shell
                [sys.executable, "-m", "changeover.cli", *arguments],
                env=dict(self.variables),
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=complained,
                text=True,
                start_new_session=True,
            )
        self.started.append((process, out))
        deadline = time.monotonic() + STARTS_WITHIN
        while time.monotonic() < deadline and process.poll() is None:
            text = out.read_text()
            if text.endswith("}\n"):
                answer: Mapping[str, object] = json.loads(text)
                return answer
            time.sleep(0.1)
        raise NotStarted(f"changeover {' '.join(arguments)}: {complaints.read_text()}")


@dataclass
class Suppliers:
    """What the suppliers of the business know on a day, and their ways to tell."""

    world: World
    mailer: str
    portal: str
    user: str
    password: str

    @classmethod
    def of(
        cls, feeds: int, day: date, where: Mapping[str, Mapping[str, object]], settings: Mapping[str, str]
    ) -> Suppliers:
        keys = settings["CLOUDMAILIN_USER"], settings["CLOUDMAILIN_PASSWORD"]
        return cls(World(SEED, feeds, day), str(where["cloudmailin"]["url"]), str(where["evolve"]["url"]), *keys)

    def live_to(self, day: date) -> None:
        """Another day in the business; the portal shows it at once."""
        self.world.advance(day)
        rows = portal_rows(self.world)
        _send("PUT", f"{self.portal}/_sandbox/bookings", {"tab1": rows.tab1, "tab2": rows.tab2})

    def mail_the_report(self, door: str) -> Mapping[str, object]:
        """The mail of that morning, posted as the mail service posts it; answers what became of it."""
        report = base64.b64encode(itrip_report(self.world)).decode()
        name = "Checkouts Report.csv"
        order = {
            "target": f"{door}/webhooks/csv-email/dev",
            "format": "multipart",
            "from": "reports@itrip.example",
            "to": "reports@changeover.example",
            "subject": "Your Checkouts Report",
            "user": self.user,
            "password": self.password,
            "attachments": [{"file_name": name, "content_type": "text/csv", "content_base64": report}],
        }
        return _send("POST", f"{self.mailer}/_sandbox/send", order)

    def rows(self) -> int:
        """Stays in the report of the day."""
        return itrip_report(self.world).count(b"Work Order #")


def _send(method: str, url: str, body: object) -> Mapping[str, object]:
    request = Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"}, method=method)  # noqa: S310 - loopback
    with urlopen(request, timeout=60) as answer:  # noqa: S310 - a loopback address of our own sandbox
        found: Mapping[str, object] = json.load(answer)
    return found
