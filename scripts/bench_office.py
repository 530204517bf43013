"""A business with homes, stays and jobs by the thousand in both stand-ins, put there without a call of the program."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import requests
from bench_program import settings_of
from bench_world import TODAY, Business, call

STEPS = ("Job Reconciliation", "Add Service Jobs", "Sync Service Jobs", "Update Service Lines")
RESERVATIONS = "Reservations"
EVERY_DAYS, NIGHTS = 4, 3  # a home's stays follow each other so
ZONE = ZoneInfo("America/Phoenix")
STARTS = time(10, 15)
_TIMEOUT = 60
_LINES = (
    {"name": "Turnover", "unit_price": 14500, "quantity": 1, "kind": "labor"},
    {"name": "Linen", "unit_price": 2500, "unit_cost": 900, "quantity": 2, "kind": "materials"},
)


@dataclass(slots=True)
class Office:
    """The homes, each with a customer, an address and a template, and what was added; `keys` are the settings."""

    made: Business
    keys: Mapping[str, str] = field(init=False)
    homes: list[str] = field(default_factory=list)
    people: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.keys = settings_of(self.made.folder)

    @property
    def hcp(self) -> str:
        return str(self.made.where["housecallpro"]["url"])

    def open(self, homes: int) -> None:
        """So many homes, three people, and the steps of jobs switched on."""
        people = [{"id": f"pro_{n:032x}", "first_name": f"Robin{n}", "last_name": "Example"} for n in range(3)]
        order = {
            "env": "dev",
            "employees": people,
            "customers": [_customer(n) for n in range(homes)],
            "jobs": [self._template(n) for n in range(homes)],
        }
        call(f"{self.hcp}/_sandbox/business", order)
        self.people = [str(each["id"]) for each in people]
        owners = self.add(
            "Customers", [{"Full Name": f"Casey {n}", "HCP Customer ID": _id("cus", n)} for n in range(homes)]
        )
        rows = [_home(n, owner) for n, owner in enumerate(owners)]
        self.homes = self.add("Properties", rows)
        self.add("Automation", [{"Name": step, "Active": True} for step in STEPS])

    def add_stays(self, number: int, jobs: Sequence[str] = ()) -> list[str]:
        """So many stays ready for a job, home after home, the next to leave first; or with these jobs. Their rows."""
        rows = [_stay(self.homes[n % len(self.homes)], n, self.leaves(n)) for n in range(number)]
        for row, job in zip(rows, jobs, strict=False):
            row["Service Job ID"] = job
        return self.add(RESERVATIONS, rows)

    def add_jobs(self, number: int) -> list[str]:
        """The jobs that so many stays should have."""
        jobs = [self._job(n) for n in range(number)]
        call(f"{self.hcp}/_sandbox/business", {"env": "dev", "jobs": jobs})
        return [str(each["id"]) for each in jobs]

    def leaves(self, number: int) -> date:
        """When the guest of a stay leaves."""
        return TODAY + timedelta(days=2 + EVERY_DAYS * (number // len(self.homes)))

    def starts(self, number: int) -> datetime:
        return datetime.combine(self.leaves(number), STARTS, ZONE).astimezone(UTC)

    def add(self, table: str, rows: Sequence[Mapping[str, object]]) -> list[str]:
        body = {"base_id": self.made.base, "table": table, "records": [{"fields": row} for row in rows]}
        return list(call(f"{self.made.airtable}/_sandbox/records", body)["ids"])

    def rows(self) -> dict[str, Mapping[str, Any]]:
        """The reservations by record id."""
        found = call(f"{self.made.airtable}/_sandbox/records?base_id={self.made.base}&table={RESERVATIONS}")
        return {str(each["id"]): each["fields"] for each in found["records"]}

    def jobs(self) -> list[Mapping[str, Any]]:
        """All jobs of the company, as its own API lists them."""
        headers, found, page = {"Authorization": f"Token {self.keys['HCP_API_KEY']}"}, [], 1
        while True:
            asked: dict[str, str | int] = {
                "page": page,
                "page_size": 200,
                "sort_by": "created_at",
                "sort_direction": "asc",
            }
            answer = requests.get(f"{self.hcp}/jobs", params=asked, headers=headers, timeout=_TIMEOUT)
            answer.raise_for_status()
            found += answer.json()["jobs"]
            if page >= int(answer.json()["total_pages"]):
                return found
            page += 1

    def requests(self, url: str, since: int) -> tuple[list[Mapping[str, Any]], int]:
        """What a stand-in was asked from a number on, and the number after."""
        found = call(f"{url}/_sandbox/requests?since={since}")
        return found["requests"], int(found["next"])

    def next(self, url: str) -> int:
        return self.requests(url, 10**9)[1]

    def limits(self, url: str, **limits: object) -> None:
        call(f"{url}/_sandbox/limits", limits)

    def _template(self, number: int) -> dict[str, object]:
        return {
            "id": _id("job", 10**9 + number),
            **_whose(number),
            "job_type_id": self.keys["HCP_STR_NEXT_GUEST_JOB_TYPE_ID"],
            "line_items": list(_LINES),
        }

    def _job(self, number: int) -> dict[str, object]:
        start = self.starts(number)
        return {
            "id": _id("job", number),
            **_whose(number % len(self.homes)),
            "schedule": {
                "scheduled_start": start.isoformat(),
                "scheduled_end": (start + timedelta(hours=1)).isoformat(),
            },
            "job_type_id": self.keys["HCP_STR_NEXT_GUEST_JOB_TYPE_ID"],
            "line_items": list(_LINES),
        }


def _id(prefix: str, number: int) -> str:
    return f"{prefix}_{number:032x}"


def _whose(home: int) -> dict[str, str]:
    return {"customer_id": _id("cus", home), "address_id": _id("adr", home)}


def _customer(number: int) -> dict[str, object]:
    place = {"street": f"{number} Example Rd", "city": "Mesa", "state": "AZ", "zip": "85201", "country": "US"}
    address = {"id": _id("adr", number), **place}
    return {"id": _id("cus", number), "first_name": "Casey", "last_name": f"Example{number}", "addresses": [address]}


def _home(number: int, owner: str) -> dict[str, object]:
    return {
        "Property Name": f"Home {number}",
        "HCP Customer ID": [owner],
        "HCP Address ID": _id("adr", number),
        "Turnover Job Template ID": _id("job", 10**9 + number),
    }


def _stay(home: str, number: int, leaves: date) -> dict[str, object]:
    return {
        "Reservation UID": f"uid-{number}_{home}",
        "Status": "New",
        "Entry Type": "Reservation",
        "Entry Source": "Airbnb",
        "Property ID": [home],
        "Check-in Date": (leaves - timedelta(days=NIGHTS)).isoformat(),
        "Check-out Date": leaves.isoformat(),
        "Service Type": "Turnover",
        "Sync Status": "Not Created",
        "Ready for Job": True,
    }
