"""A report's whole way: mail service, gunicorn, worker, inbox, cycle, base; and every bad one's, beside it."""

from __future__ import annotations

import base64
import json
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta

import pytest
import requests

from changeover.store import events
from changeover.store.events import Event, EventKind, EventState
from plugins.mailbag import HOME, itrip_report, itrip_row, zipped
from plugins.outsider import PROGRAM, Business

LATER = date.today() + timedelta(days=30)  # noqa: DTZ011 - beyond what a report claims to show, whatever the zone


def report(*numbers: int, home: str = HOME) -> bytes:
    """A report of these stays, each on nights of its own."""
    return itrip_report(*(itrip_row(each, LATER + timedelta(days=4 * each), home=home) for each in numbers))


# What is in the mail, the state its event ends in, and the folder in which a file of it ends, if it had any.
BAD: Mapping[str, tuple[dict[str, bytes], str, str]] = {
    "no attachment": ({}, "needs_attention", ""),
    "a spreadsheet": ({"report.xlsx": zipped({"xl/workbook.xml": b"<x/>"})}, "needs_attention", ""),
    "a page that calls itself CSV": ({"page.csv": b"<!DOCTYPE html><html><body>Hi</body></html>"}, "done", "rejected"),
    "an empty file": ({"empty.csv": b""}, "done", "rejected"),
    "an unknown supplier": ({"unknown.csv": b"Name,Arrival\nQuill,2026-03-04\n"}, "done", "rejected"),
    "a header and no row": ({"header.csv": report()}, "done", "done"),
    "a path for a name": ({"../../../etc/path.csv": report(5, home="No Such House")}, "done", "done"),
}
# Good ones in the forms that suppliers use, each with a stay of its own.
GOOD: Mapping[str, tuple[dict[str, bytes], str]] = {
    "a zip": ({"zipped.zip": zipped({"in/zipped.csv": report(3)})}, "raw"),
    "UTF-16": ({"wide.csv": report(4).decode().encode("utf-16")}, "json"),
    "CSV": ({"good.csv": report(1, 2)}, "multipart"),
}


@dataclass
class Town:
    """The business with its front door open: a web server, a worker, and the mail service of the sandbox."""

    business: Business
    url: str
    sent: int = 0

    def mail(self, files: Mapping[str, bytes], form: str = "multipart", sender: str = "reports@itrip.example") -> str:
        """What became of a mail, as its sender learns it."""
        self.sent += 1
        order = {
            "target": f"{self.url}/webhooks/csv-email",
            "format": form,
            "from": sender,
            "to": "dev@inbox.example",
            "subject": "Your Checkouts Report",
            "message_id": f"<{self.sent}@itrip.example>",
            "user": "mail-service",
            "password": "dev-word",
            "attachments": [
                {"file_name": name, "content_type": "text/csv", "content_base64": base64.b64encode(content).decode()}
                for name, content in files.items()
            ],
        }
        return str(self.business.sandbox.control("cloudmailin", "POST", "send", order)["outcome"])

    def said(self, *line: str) -> dict[str, object]:
        done = self.business.command(*line, "--env", "dev", "--json")
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)

    def mails(self) -> list[Event]:
        """The events of mails, in the order in which they came."""
        with self.business.reading() as connection:
            return list(events.recent(connection, kinds=[EventKind.MAIL]))[::-1]

    def files(self, folder: str) -> str:
        return "\n".join(sorted(path.name for path in (self.business.data() / "csv" / folder).iterdir()))


@pytest.fixture
def town(business: Business) -> Iterator[Town]:
    business.office.add("Automation", **{"Name": "CSV Files", "Active": True})
    business.office.home(HOME)
    business.set("dev", CLOUDMAILIN_USER="mail-service", CLOUDMAILIN_PASSWORD="dev-word", AIRTABLE_MONTHLY_LIMIT="0")
    business.set("prod", CLOUDMAILIN_USER="other", CLOUDMAILIN_PASSWORD="prod-word")
    business._prepare("dev")
    with running(business, "serve", "--bind", "127.0.0.1:0") as served, running(business, "worker", "--env", "dev"):
        yield Town(business, str(served["url"]))


@contextmanager
def running(business: Business, *line: str) -> Iterator[dict[str, object]]:
    """A process of the program, from its word that it is ready until it has ended in order, as it is asked to."""
    process = subprocess.Popen(
        [PROGRAM, *line, "--json"], env=business.environment(), stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        yield json.loads(process.stdout.readline())
        process.terminate()
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait()


def until_worked(town: Town) -> list[Event]:
    """The mails, once none of them waits and the inbox is empty."""
    for _ in range(600):
        mails = town.mails()
        if not town.files("inbox") and EventState.RECEIVED not in [each.state for each in mails]:
            return mails
        threading.Event().wait(0.1)
    raise AssertionError(town.files("inbox"), town.mails())


def until_stays(town: Town, number: int) -> list[str]:
    """The ids of the live rows' stays, once there are so many or it has taken too long."""
    for _ in range(300):
        stays = sorted(str(row["Reservation UID"]).partition("_")[0] for row in town.business.office.live)
        if len(stays) >= number:
            break
        threading.Event().wait(0.1)
    return stays


def test_what_arrives_is_in_the_base_a_moment_later_and_bad_mails_cost_only_themselves(town: Town) -> None:
    """V-39, V-42 and CM-19 … CM-22, end to end: each bad mail is acknowledged, told, kept, and hinders no other."""
    assert requests.get(f"{town.url}/readyz", timeout=10).json() == {"ready": True, "reasons": []}
    assert {town.mail(files) for files, _, _ in BAD.values()} == {"delivered"}
    mails = until_worked(town)
    assert [each.state for each in mails] == [state for _, state, _ in BAD.values()]
    for files, _, folder in BAD.values():
        for name in files:
            stem = name.rpartition("/")[2].partition(".")[0]
            assert not folder or f"_{stem}.csv" in town.files(folder), (stem, town.files("done"))
    assert not list(town.business.folder.rglob("path.csv"))
    for files, form in GOOD.values():
        assert town.mail(files, form) == "delivered"
        assert until_worked(town)[-1].state == "done"
    assert until_stays(town, 4) == ["7000001", "7000002", "7000003", "7000004"]
    _is_repaired(town, mails[0])


def _is_repaired(town: Town, unread: Event) -> None:
    """A row whose home was missing goes in once the home is there; a mail can be worked again."""
    (row,) = town.said("events", "list", "--kind", "csv_row")["events"]  # type: ignore[misc]
    assert "unknown_property" in str(row["summary"])
    town.business.office.home("No Such House")
    town.said("events", "replay", str(row["id"]))
    assert town.said("events", "replay", unread.id)["mails"] == [unread.id]
    assert town.mail({"again.csv": report(1)}) == "delivered"
    assert until_worked(town)[0].state == "needs_attention"
    assert until_stays(town, 5) == [f"700000{number}" for number in range(1, 6)]
