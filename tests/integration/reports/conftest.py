from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest

from changeover.engine import reports
from changeover.store import events
from changeover.store.events import Event
from plugins.outsider import Business, Office, Ran, business, empty_state, sandbox

__all__ = ["business", "empty_state", "sandbox"]

GOLDEN = Path(__file__).parents[2] / "golden" / "csv"

ITRIP_HEADER = (
    'Checkin,Checkout,"Date Booked","Tenant Name","Tenant Phone","Property Name","Property Address","Property Owner",'
    'BR/BA,Size,"Next Booking","Next Tenant Name","Next Tenant Phone","Same Day?","Contractor Info","Reservation ID"'
)
HOMES = {
    "Saguaro Loft #40000001": "",
    "Mesquite Casita #40000002": "",
    "Palo Verde Cabin #40000003  Unit B": "",
    "Cholla Bungalow #40000004": "",
    "Quail Run Casita #40000005": "",
    "Ocotillo House #510020": "Iris Vandermeer",
    "Agave Retreat #510021": "Iris Vandermeer",
    "Ironwood Villa #510034": "Gideon Hartwell",
}
NAMES = ("Quillfeather", "Renwick", "Fenwick", "Fairbairn", "Vandermeer", "Pembroke", "Tolliver", "555-01", "guest1@")


@dataclass
class Bureau:
    """The business with its reports: what lies in the folders, and runs of both automations."""

    business: Business
    homes: dict[str, str]

    @property
    def office(self) -> Office:
        return self.business.office

    def folder(self, name: str) -> Path:
        path = self.business.data() / "csv" / name
        path.mkdir(parents=True, exist_ok=True)
        return path

    def names(self, folder: str) -> list[str]:
        return sorted(path.name for path in self.folder(folder).iterdir())

    def put(self, name: str, body: str | bytes, *, written: datetime | None = None) -> Path:
        path = self.folder("inbox") / name
        path.write_bytes(body if isinstance(body, bytes) else body.encode())
        instant = (written or self.business.now).timestamp()
        os.utime(path, (instant, instant))
        return path

    def golden(self, name: str) -> Path:
        return self.put(name, (GOLDEN / name).read_bytes())

    def report(self, *rows: str, name: str = "report.csv") -> Path:
        return self.put(name, "\n".join((ITRIP_HEADER, *rows, "")))

    def run(self, **request: object) -> Ran:
        return self.business.run(only=(reports.NAME,), **request)

    def cycle(self, **request: object) -> Ran:
        return self.business.run(**request)

    def rejected(self, name: str) -> list[dict[str, str]]:
        with (self.folder("rejected") / name).open(newline="") as file:
            return list(csv.DictReader(file))

    def events(self) -> tuple[Event, ...]:
        with self.business.reading() as connection:
            return events.recent(connection)

    def live(self, home: str = "") -> list[dict[str, object]]:
        return [row for row in self.office.live if not home or row["Property ID"] == [self.homes[home]]]


@pytest.fixture
def bureau(business: Business) -> Bureau:
    """A business with the homes of the samples, both automations ticked, on the samples' day."""
    business.now = datetime.fromisoformat("2026-03-10T08:00:00-07:00")
    office = business.office
    office.add("Automation", **{"Name": reports.NAME, "Active": True})
    people = {name: office.add("Customers", **{"Full Name": name}) for name in {*HOMES.values()} - {""}}
    homes = {
        home: office.add("Properties", **{"Property Name": home}, **({"HCP Customer ID": [people[of]]} if of else {}))
        for home, of in HOMES.items()
    }
    return Bureau(business, homes)


@pytest.fixture(autouse=True)
def _no_guest_is_named_in_a_log(capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    """Whatever a test here does: what the program says on a terminal names no guest, phone or code."""
    yield
    said = "".join(capfd.readouterr())
    assert [name for name in NAMES if name in said] == []
