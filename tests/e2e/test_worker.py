"""The worker as a process: a stored mail becomes rows of the base, whenever it is killed, and it ends in order."""

from __future__ import annotations

import json
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta

import pytest

from changeover.engine import reports
from changeover.store import events
from changeover.store.database import Database
from changeover.store.events import Event
from plugins.mailbag import HOME, File, Letter, Post, itrip_report, itrip_row, post_office
from plugins.outsider import PROGRAM, Business

SOON = date.today() + timedelta(days=3)  # noqa: DTZ011 - a stay in some days, whatever the zone


@dataclass
class Company:
    """A business with a home, whose reports come by mail."""

    business: Business
    db: Database
    post: Post
    workers: list[subprocess.Popen[str]] = field(default_factory=list)

    def start(self) -> subprocess.Popen[str]:
        """A worker that takes work."""
        line = [PROGRAM, "worker", "--env", "dev", "--json"]
        worker = subprocess.Popen(line, env=self.business.environment(), stdout=subprocess.PIPE, text=True)
        self.workers.append(worker)
        assert worker.stdout is not None
        assert json.loads(worker.stdout.readline())["state"] == "ready"
        return worker

    def take(self, number: int) -> str:
        """A report of so many stays, one for each day from tomorrow's on."""
        rows = [itrip_row(each, SOON + timedelta(days=each), nights=1) for each in range(1, number + 1)]
        return self.post.take(Letter([File(itrip_report(*rows))], message_id=f"<m{number}@itrip.example>"))

    def mails(self) -> list[Event]:
        with self.db.read() as connection:
            return list(events.recent(connection, kinds=[events.EventKind.MAIL]))

    def names(self, folder: str) -> list[str]:
        return sorted(path.name for path in (self.business.data() / "csv" / folder).iterdir())

    def stays(self) -> list[str]:
        """The ids of the live rows' stays, by check-in."""
        return [str(row["Reservation UID"]).partition("_")[0] for row in self.business.office.live]


def until(true: Callable[[], bool], seconds: float = 60) -> bool:
    """Whether it becomes true in time."""
    for _ in range(int(seconds / 0.05)):
        if true():
            return True
        threading.Event().wait(0.05)
    return False


@pytest.fixture
def company(business: Business) -> Iterator[Company]:
    business.office.add("Automation", **{"Name": reports.NAME, "Active": True})
    business.office.home(HOME)
    business.set("dev", AIRTABLE_MONTHLY_LIMIT="0")
    business._prepare("dev")
    db = business.db
    with post_office("dev", business.data(), db) as post:
        found = Company(business, db, post)
        yield found
        for worker in found.workers:
            worker.kill()
            worker.communicate()
    db.close()


def test_a_mail_becomes_rows_and_the_worker_ends_in_order(company: Company) -> None:
    worker = company.start()
    company.take(2)
    assert until(lambda: company.stays() == ["7000001", "7000002"])
    assert until(lambda: company.names("inbox") == [])
    (mail,) = company.mails()
    assert (mail.state, mail.payload["files"]) == ("done", company.names("done"))
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(60) == 0
    (run,) = company.business.runs()
    assert (run.automation, run.trigger, run.counters["files"]) == (reports.NAME, "mail", 1)
    assert company.business.alerts() == {}


def test_a_worker_killed_again_and_again_imports_every_report_once(company: Company) -> None:
    """CM-9, F-2: nothing is lost, nothing is done twice."""
    taken = 0
    for moments in (1, 10):
        worker = company.start()
        for _ in range(3):
            taken += 1
            company.take(taken)
        for _ in range(moments):
            company.business.pause()
        worker.kill()
    company.start()
    assert until(lambda: {mail.state for mail in company.mails()} == {"done"} and company.names("inbox") == [])
    files = [name for mail in company.mails() for name in mail.payload["files"]]
    assert (len(files), company.names("done")) == (taken, sorted(files))
    company.take(taken + 1)
    assert until(lambda: len(company.stays()) == taken + 1), company.stays()
    assert len({*company.stays()}) == taken + 1
