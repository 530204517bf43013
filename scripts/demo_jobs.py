"""The demo's jobs: stays become jobs in Housecall Pro, what cleaners do comes back, a canceled stay is flagged."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from demo_mail import NotStarted

STEPS = ("Job Reconciliation", "Add Service Jobs", "Sync Service Jobs", "Update Service Lines")
WITHIN = 30.0  # seconds until a change in Housecall Pro is seen in the base
TICKED = 3
SHOWN = ("Job Status", "Sync Status", "Schedule Sync Details", "Service Sync Details", "Assignee")
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Office:
    """The coordinator's hands: the base, the buttons' API, and the calendars and jobs of the outside world."""

    airtable: str
    base_id: str
    hcp: str
    feeds: str
    door: str
    key: str

    def take_webhooks(self) -> None:
        """Has Housecall Pro send its webhooks to the front door."""
        order = {"env": "dev", "url": f"{self.door}/webhooks/hcp-dev", "enabled": True}
        call("POST", f"{self.hcp}/_sandbox/webhooks", order)

    def rows(self) -> list[Row]:
        url = f"{self.airtable}/_sandbox/records?base_id={self.base_id}&table=Reservations"
        return [{"id": row["id"], **row["fields"]} for row in call("GET", url)["records"]]

    def row(self, record_id: str) -> Row:
        return next(row for row in self.rows() if row["id"] == record_id)

    def edit(self, record_ids: Sequence[str], **fields: object) -> None:
        """What a person types or ticks."""
        records = [{"id": each, "fields": fields} for each in record_ids]
        order = {"base_id": self.base_id, "table": "Reservations", "records": records}
        call("PATCH", f"{self.airtable}/_sandbox/records", order)

    def due(self, today: date) -> Iterator[Row]:
        """Guests' stays that end in some days and that one calendar shows, without a job, the next to leave first."""
        for row in sorted(self.rows(), key=lambda row: str(row.get("Check-out Date"))):
            leaves = date.fromisoformat(row["Check-out Date"])
            fits = row["Status"] in ("New", "Modified") and row["Entry Type"] == "Reservation"
            alone = not row.get("Also Seen In") and str(row.get("ICS URL")).startswith("http")
            if fits and alone and not row.get("Service Job ID") and leaves > today + timedelta(days=3):
                yield row

    def press(self, action: str, record_id: str) -> Row:
        """A button of the base: asks the API as its script does; the answer, good or bad."""
        answer: Row = call("POST", f"{self.door}/api/dev/{action}", {"recordId": record_id}, {"X-API-Key": self.key})
        return answer

    def act(self, job_id: str, action: str, **more: object) -> None:
        """What a person does in the Housecall Pro app."""
        call("POST", f"{self.hcp}/_sandbox/jobs/{job_id}/actions", {"action": action, **more})

    def cancel(self, row: Row) -> None:
        """The guest cancels: the calendar says so outright from now on."""
        name = str(row["ICS URL"]).rpartition("/")[2].removesuffix(".ics")
        with urlopen(str(row["ICS URL"]), timeout=30) as answer:  # noqa: S310 - a loopback address of our own sandbox
            body = answer.read().decode()
        nights = [str(row[name]).replace("-", "") for name in ("Check-in Date", "Check-out Date")]
        events = body.split("BEGIN:VEVENT")
        told = [_canceled(each) if all(map(each.__contains__, nights)) else each for each in events[1:]]
        calendar = "BEGIN:VEVENT".join([events[0], *told])
        order = {"body": calendar, "headers": {"Content-Type": "text/calendar"}}
        call("PUT", f"{self.feeds}/_sandbox/feeds/{name}", order)


def _canceled(event: str) -> str:
    lines = [line for line in event.split("\r\n") if not line.startswith("STATUS:")]
    return "\r\n".join([lines[0], "STATUS:CANCELLED", *lines[1:]])


def jobs(office: Office, today: date, run: Callable[..., object], say: Callable[[str], None]) -> None:
    """The whole way of some jobs. `run` runs these steps of a cycle and says what they did. Raises NotStarted."""
    office.take_webhooks()
    ready = [row["id"] for row, _ in zip(office.due(today), range(TICKED), strict=False)]
    office.edit(ready, **{"Ready for Job": True})
    say(f"  the coordinator ticks Ready for Job for {len(ready)} stays; the cycle makes their jobs:")
    run(*STEPS)
    pressed = next(office.due(today))
    began = time.monotonic()
    answer = office.press("create-job", pressed["id"])
    say(f"  … and clicks Create Job & Sync Status for one more: {time.monotonic() - began:.1f} s")
    say(f"    {answer.get('serviceName')} — {answer.get('syncDetails') or answer.get('error')}")
    made = [row for row in office.rows() if row["id"] in {*ready, pressed["id"]} and row.get("Service Job ID")]
    if len(made) < len(ready) + 1:
        raise NotStarted(f"{len(made)} of {len(ready) + 1} jobs were made")
    moved, done, canceled = made[0], made[1], made[2]
    start = datetime.fromisoformat(moved["Scheduled Service Time"]) + timedelta(hours=26)
    say("  a cleaner moves the first job by a day and completes the second:")
    office.act(moved["Service Job ID"], "reschedule", start=start.isoformat())
    office.act(done["Service Job ID"], "start")
    office.act(done["Service Job ID"], "complete")
    _seen(office, moved["id"], "Sync Status", "Wrong Date", say)
    _seen(office, done["id"], "Job Status", "Completed", say)
    say("  a guest whose job is made cancels; nothing is unscheduled without a person:")
    office.cancel(canceled)
    run("ICS Calendar", "Sync Service Jobs")
    _seen(office, canceled["id"], "Status", "Removed", say)


def _seen(office: Office, record_id: str, field: str, value: str, say: Callable[[str], None]) -> None:
    began = time.monotonic()
    while time.monotonic() - began < WITHIN:
        row = office.row(record_id)
        if row.get(field) == value:
            found = ", ".join(f"{name}: {row[name]}" for name in SHOWN if row.get(name))
            say(f"    {time.monotonic() - began:.1f} s later in the base — {found}")
            return
        time.sleep(0.2)
    raise NotStarted(f"{field} of {record_id} did not become {value} within {WITHIN:.0f} s")


def call(method: str, url: str, body: object = None, headers: Mapping[str, str] | None = None) -> Any:
    """One request of JSON to this machine; the answer, also a refusal's."""
    given = {"Content-Type": "application/json", **(headers or {})}
    request = Request(url, None if body is None else json.dumps(body).encode(), given, method=method)  # noqa: S310 - loopback
    try:
        with urlopen(request, timeout=60) as answer:  # noqa: S310 - a loopback address of our own sandbox
            return json.load(answer)
    except HTTPError as refusal:
        return json.load(refusal)
