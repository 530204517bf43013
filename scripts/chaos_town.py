"""Calendars whose truth is known, on stand-ins, and a comparison of the base with that truth; it breaks nothing."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from bench_world import TODAY, Business, call

SLOTS = 12  # a calendar's stays have places of their own, so that nobody ever overlaps
SLOT_DAYS = 10


@dataclass(slots=True)
class Stay:
    """One stay as it is in truth: its nights, whether it was canceled, and how often it has been moved."""

    uid: str
    calendar: int
    check_in: date
    nights: int = 3
    canceled: bool = False
    moves: int = 0
    job: str = ""


@dataclass(frozen=True, slots=True)
class Damage:
    """What a look at the base found wrong; all zero is the claim."""

    lost: int = 0
    doubled: int = 0
    ownerless: int = 0
    untrue: int = 0
    jobs_lost: int = 0
    versions_off: int = 0

    @property
    def any(self) -> bool:
        return any((self.lost, self.doubled, self.ownerless, self.untrue, self.jobs_lost, self.versions_off))


@dataclass(slots=True)
class Town:
    """Calendars of one business; `live_on` changes some stays and shows that in the calendars."""

    business: Business
    chance: random.Random
    stays: list[Stay] = field(default_factory=list)

    def live_on(self) -> None:
        """Someone books, many change their nights, someone cancels, in several calendars at once."""
        for calendar in range(self.business.feeds):
            mine = [each for each in self.stays if each.calendar == calendar]
            taken = {(each.check_in - TODAY).days // SLOT_DAYS for each in mine if not each.canceled}
            free = [slot for slot in range(1, SLOTS) if slot not in taken]
            if free and self.chance.random() < (0.9 if len(taken) < SLOTS // 2 else 0.3):
                self._book(calendar, self.chance.choice(free))
            for stay in mine:
                if not stay.canceled and self.chance.random() < 0.4:  # noqa: PLR2004 - a chance
                    stay.nights = self.chance.choice([n for n in range(1, 8) if n != stay.nights])
                    stay.moves += 1
                elif not stay.canceled and self.chance.random() < 0.05:  # noqa: PLR2004 - a chance
                    stay.canceled = True
        for calendar in range(self.business.feeds):
            self._publish(calendar)

    def give_jobs(self) -> None:
        """What the job side would write: some rows get a job id of their own."""
        rows = {str(cells.get("Reservation UID")): key for key, cells in self.rows().items() if _live(cells)}
        for stay in self.stays:
            key = rows.get(self._row_uid(stay))
            if key and not stay.job and not stay.canceled and self.chance.random() < 0.3:  # noqa: PLR2004 - a chance
                stay.job = f"job_{len(self.stays)}_{self.chance.getrandbits(40):x}"
                fields = {"Service Job ID": stay.job}
                self._order("records", {"records": [{"id": key, "fields": fields}]}, "PATCH")

    def damage(self) -> Damage:
        """Compares every row with the truth."""
        rows = list(self.rows().values())
        live = [cells for cells in rows if _live(cells)]
        count = Counter(str(cells.get("Reservation UID")) for cells in live)
        true = {self._row_uid(stay): stay for stay in self.stays if not stay.canceled}
        by_uid = {str(cells.get("Reservation UID")): cells for cells in live}
        history = sum(1 for cells in rows if cells.get("Status") == "Old")
        jobs = {str(cells["Service Job ID"]) for cells in rows if cells.get("Service Job ID")}
        return Damage(
            lost=len(true.keys() - count.keys()),
            doubled=sum(number - 1 for number in count.values()),
            ownerless=len(count.keys() - true.keys()),
            untrue=sum(not _says(by_uid[uid], stay) for uid, stay in true.items() if uid in by_uid),
            jobs_lost=sum(1 for stay in self.stays if stay.job and stay.job not in jobs),
            versions_off=abs(history - sum(stay.moves for stay in self.stays)),
        )

    def rows(self, table: str = "Reservations") -> dict[str, Mapping[str, Any]]:
        answer = call(f"{self.business.airtable}/_sandbox/records?base_id={self.business.base}&table={table}")
        return {str(each["id"]): each["fields"] for each in answer["records"]}

    def writes(self, since: int) -> Sequence[Mapping[str, Any]]:
        """The writing requests since a number, those still running too."""
        calls, _ = self.business.requests(since)
        return [each for each in calls if each["method"] in ("POST", "PATCH")]

    def spoil(self, mode: str, times: int | None, value: str | None = None, method: str = "") -> None:
        order = {"mode": mode, "method": method, "path": "", "times": times, "value": value}
        call(f"{self.business.airtable}/_sandbox/faults", order)

    def heal(self) -> None:
        call(f"{self.business.airtable}/_sandbox/faults", method="DELETE")

    def _book(self, calendar: int, slot: int) -> None:
        check_in = TODAY + timedelta(days=slot * SLOT_DAYS)
        uid = f"1418fb94e984-{calendar:04x}{len(self.stays):08x}@airbnb.com"
        self.stays.append(Stay(uid, calendar, check_in, self.chance.randint(1, 7)))

    def _publish(self, calendar: int) -> None:
        events = "".join(_event(each) for each in self.stays if each.calendar == calendar)
        head = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Airbnb Inc//Hosting Calendar 1.0//EN\r\n"
        order = {"body": f"{head}{events}END:VCALENDAR\r\n"}
        call(f"{self.business.calendars}/_sandbox/feeds/bench{calendar}", order, "PUT")

    def _row_uid(self, stay: Stay) -> str:
        return f"{stay.uid}_{self.business.homes[stay.calendar]}"

    def _order(self, path: str, body: Mapping[str, object], method: str) -> None:
        order = {"base_id": self.business.base, "table": "Reservations", **body}
        call(f"{self.business.airtable}/_sandbox/{path}", order, method)


def _live(cells: Mapping[str, Any]) -> bool:
    return cells.get("Status") in ("New", "Modified")


def _says(cells: Mapping[str, Any], stay: Stay) -> bool:
    nights = (stay.check_in.isoformat(), (stay.check_in + timedelta(days=stay.nights)).isoformat())
    return (cells.get("Check-in Date"), cells.get("Check-out Date")) == nights and cells.get(
        "Service Job ID", ""
    ) == stay.job


def _event(stay: Stay) -> str:
    return (
        f"BEGIN:VEVENT\r\nUID:{stay.uid}\r\nDTSTART;VALUE=DATE:{stay.check_in:%Y%m%d}\r\n"
        f"DTEND;VALUE=DATE:{stay.check_in + timedelta(days=stay.nights):%Y%m%d}\r\nSUMMARY:Reserved\r\n"
        f"{'STATUS:CANCELLED' + chr(13) + chr(10) if stay.canceled else ''}END:VEVENT\r\n"
    )
