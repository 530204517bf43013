"""The world around the program: stand-ins and their control, calendars as platforms serve them, a base for people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path

import requests
from pyairtable import Api, Table

from changeover_sandbox import seeding

ENVIRONMENTS = ("dev", "prod")
AUTOMATION = "ICS Calendar"
TODAY = date(2026, 3, 4)


def day(number: int) -> date:
    """March 4, 2026, the first day of every business, plus a number of days."""
    return TODAY + timedelta(days=number)


@dataclass(frozen=True)
class Sandbox:
    """The stand-ins' process: their addresses, the credentials of both environments, and their control APIs."""

    root: Path
    answer: Mapping[str, Mapping[str, object]]
    http: requests.Session

    def url(self, service: str) -> str:
        return str(self.answer[service]["url"])

    def keys(self, env: str) -> Mapping[str, str]:
        return self.answer["airtable"][env]  # type: ignore[return-value]

    def control(self, service: str, method: str, path: str, body: object = None) -> dict[str, object]:
        """One call of a stand-in's control API; its JSON answer."""
        answer = self.http.request(method, f"{self.url(service)}/_sandbox/{path}", json=body, timeout=30)
        answer.raise_for_status()
        return answer.json()

    def fault(
        self, mode: str, value: object = None, *, method: str = "", path: str = "", times: int | None = None
    ) -> None:
        """Spoils requests to Airtable: that many of this method and path, all for None."""
        order = {"method": method, "path": path, "mode": mode, "times": times, "value": value}
        self.control("airtable", "POST", "faults", order)

    def heal(self) -> None:
        self.control("airtable", "DELETE", "faults")

    def requests(self, service: str, since: int = 0) -> list[dict[str, object]]:
        return self.control(service, "GET", f"requests?since={since}")["requests"]  # type: ignore[return-value]

    def next_request(self, service: str) -> int:
        return int(str(self.control(service, "GET", f"requests?since={2**40}")["next"]))

    def begin(self, *, schema: bool = True) -> None:
        """Both bases with every table, their mark and the ticked automation; no feed, no limit, no fault."""
        self.control("airtable", "POST", "reset")
        self.control("feeds", "POST", "reset")
        self.control("airtable", "POST", "limits", {"enforce": False})
        if schema:
            for env in ENVIRONMENTS:
                base = seeding.Base(self.url("airtable"), self.keys(env)["base_id"])
                base.create(seeding.read_schema())
                base.add("Environment", [{"Name": env}])
                base.add("Automation", [{"Name": AUTOMATION, "Active": True}])


@dataclass
class Calendar:
    """One platform's calendar of a house: stays by uid, served as ICS text after every change."""

    sandbox: Sandbox
    name: str
    prodid: str = "-//Example//Calendar 1.0//EN"
    events: dict[str, str] = field(default_factory=dict)
    url: str = ""

    def stay(self, uid: str, check_in: int, check_out: int, summary: str = "Reserved", **more: str) -> Calendar:
        """Shows nights from day to day; the same uid again alters them. `more` gives further properties."""
        lines = [
            f"UID:{uid}",
            f"DTSTART;VALUE=DATE:{day(check_in):%Y%m%d}",
            f"DTEND;VALUE=DATE:{day(check_out):%Y%m%d}",
        ]
        return self.event(uid, *lines, f"SUMMARY:{summary}", *(f"{key}:{value}" for key, value in more.items()))

    def event(self, key: str, *lines: str) -> Calendar:
        """Shows an event of these very lines."""
        self.events[key] = "\r\n".join(("BEGIN:VEVENT", "DTSTAMP:20260304T000000Z", *lines, "END:VEVENT", ""))
        return self.publish()

    def drop(self, *uids: str) -> Calendar:
        """Shows these stays no more."""
        for uid in uids:
            del self.events[uid]
        return self.publish()

    def clear(self) -> Calendar:
        self.events.clear()
        return self.publish()

    @property
    def text(self) -> str:
        head = f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:{self.prodid}\r\n"
        return head + "".join(self.events.values()) + "END:VCALENDAR\r\n"

    def publish(self) -> Calendar:
        return self.answers(self.text)

    def answers(self, body: str = "", status: int = 200, **more: object) -> Calendar:
        """Answers anything at all until the next change or `publish`."""
        order = {"status": status, "body": body, **more}
        self.url = str(self.sandbox.control("feeds", "PUT", f"feeds/{self.name}", order)["url"])
        return self


@dataclass
class Office:
    """One environment's base as its people use it."""

    sandbox: Sandbox
    env: str = "dev"

    @cached_property
    def api(self) -> Api:
        return Api(self.sandbox.keys(self.env)["api_key"], endpoint_url=self.sandbox.url("airtable"))

    @property
    def base_id(self) -> str:
        return self.sandbox.keys(self.env)["base_id"]

    def table(self, name: str) -> Table:
        return self.api.table(self.base_id, name)

    def add(self, table: str, **fields: object) -> str:
        return self.table(table).create(fields)["id"]

    def edit(self, table: str, record_id: str, **fields: object) -> None:
        self.table(table).update(record_id, fields)

    def home(self, name: str) -> str:
        return self.add("Properties", **{"Property Name": name})

    def feed(self, calendar: Calendar | str, *homes: str, status: str = "Active", **fields: object) -> str:
        url = calendar if isinstance(calendar, str) else calendar.url
        return self.add("ICS Feeds", **{"ICS URL": url, "Feed Status": status, "Property Name": list(homes)}, **fields)

    def records(self, table: str = "Reservations") -> list[dict[str, object]]:
        """Rows as their fields, with `id`, by check-in, check-out and name of whatever stands in them."""
        found = [{"id": each["id"], **each["fields"]} for each in self.table(table).all()]
        return sorted(
            found, key=lambda row: (str(row.get("Check-in Date")), str(row.get("Check-out Date")), str(row["id"]))
        )

    def rows(self, *statuses: str) -> list[dict[str, object]]:
        return [row for row in self.records() if row.get("Status") in statuses]

    @property
    def live(self) -> list[dict[str, object]]:
        return self.rows("New", "Modified")

    @property
    def nights(self) -> list[tuple[int, int]]:
        """The live rows' nights as numbers of days, for comparing at a glance."""
        return [(number(row["Check-in Date"]), number(row["Check-out Date"])) for row in self.live]

    @property
    def only(self) -> dict[str, object]:
        (row,) = self.live
        return row

    def row(self, record_id: object) -> dict[str, object]:
        return next(row for row in self.records() if row["id"] == record_id)

    def automation(self, name: str = AUTOMATION) -> dict[str, object]:
        return next(row for row in self.records("Automation") if row["Name"] == name)

    def tick(self, active: bool, name: str = AUTOMATION) -> None:
        self.edit("Automation", str(self.automation(name)["id"]), Active=active)

    def cron(self, url: str) -> dict[str, object]:
        return next(row for row in self.records("ICS Cron") if row["ICS URL"] == url)

    def schema(self) -> list[dict[str, object]]:
        return self.api.request("GET", f"{self.sandbox.url('airtable')}/v0/meta/bases/{self.base_id}/tables")["tables"]

    def field_ids(self, table: str, name: str) -> tuple[str, str]:
        """Ids of a table and a field of it."""
        found = next(each for each in self.schema() if each["name"] == table)
        return str(found["id"]), next(str(each["id"]) for each in found["fields"] if each["name"] == name)  # type: ignore[attr-defined,index,union-attr]

    def rename_field(self, table: str, name: str, new: str) -> None:
        table_id, field_id = self.field_ids(table, name)
        url = f"{self.sandbox.url('airtable')}/v0/meta/bases/{self.base_id}/tables/{table_id}/fields/{field_id}"
        self.api.request("PATCH", url, json={"name": new})


def number(cell: object) -> int:
    """An ISO date as a number of days from the business's first."""
    return (date.fromisoformat(str(cell)) - TODAY).days
