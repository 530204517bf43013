"""A house that a supplier reports on, and a calendar beside: files that come late, twice, old, with unreadable rows.

Judged like the twin house: by what must be true after each quiet run, and to the last stay once a life is at rest.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Self

from stateful.model import PHOENIX, Guest, Nights, share_a_night
from stateful.proof import Rows
from stateful.steps import PICK, among, between, either, step
from stateful.twins import Twins, is_live, nights_of

HEADER = (
    'Checkin,Checkout,"Date Booked","Tenant Name","Tenant Phone","Property Name","Property Address","Property Owner",'
    'BR/BA,Size,"Next Booking","Next Tenant Name","Next Tenant Phone","Same Day?","Contractor Info","Reservation ID"'
)
HOUSE, OTHER_HOUSE = "Casa Report #40000001", "Casa Other #40000002"
UNREADABLE = {
    "unknown house": "2026-03-05,2026-03-07,,Ada Quill,,Nowhere Cabin,,Marlow Fenwick,,,,,,No,,6000001",
    "bad date": f"13-04-2026,2026-04-20,,Ada Quill,,{HOUSE},,Marlow Fenwick,,,,,,No,,6000002",
    "no nights": f"2026-03-07,2026-03-07,,Ada Quill,,{HOUSE},,Marlow Fenwick,,,,,,No,,6000003",
}
SHOWN_AHEAD = 9  # days from today on at which a stay may begin: the report looks 14 days ahead


@dataclass(eq=False)
class Reported:
    """One stay of the house: as the supplier knows it, and as the calendar shows it, if it does."""

    number: int
    nights: Nights
    owner: bool
    reported: bool = True
    copy: Guest | None = None

    def line(self) -> str:
        tenant = "Marlow Fenwick" if self.owner else "Ada Quill"
        nights = f"{self.nights[0]} 16:00:00,{self.nights[1]} 10:00:00"
        return f"{nights},,{tenant},,{HOUSE},,Marlow Fenwick,,,,,,No,,{self.number}"


class Reports(Twins):
    """Steps and proof of the fourth house."""

    def __enter__(self) -> Self:
        super().__enter__()
        self.report_house = self.base.add("Properties", {"Property Name": HOUSE})[0]
        self.base.add("Automation", {"Name": "CSV Files", "Active": True})
        self.apart |= {self.report_house, *self.base.add("Properties", {"Property Name": OTHER_HOUSE})}
        self.beside = self._add_feed(self.report_house)
        self.beside.twin = True
        self.stays: list[Reported] = []
        self.told: dict[int, Nights] = {}  # what the newest report shows
        self.files = self.files_read = 0
        self.newest: datetime | None = None  # when a report with a row that could be read came last
        return self

    @property
    def _inbox(self) -> Path:
        path = self.program.settings.folder / "csv" / "inbox"
        path.mkdir(parents=True, exist_ok=True)
        return path

    def _current(self) -> list[Reported]:
        return [each for each in self.stays if each.nights[0] > self.today]

    def _free_there(self, nights: Nights, but: Reported | None = None) -> bool:
        return not any(
            share_a_night(nights, taken)
            for each in self.stays
            if each is not but
            for taken in (each.nights, *((each.copy.nights,) if each.copy else ()))
        )

    # -- what may happen -----------------------------------------------------------------------------------------------

    @step(3, start=between(1, SHOWN_AHEAD), length=between(1, 4), owner=among(False, False, False, True))
    def book_with_the_supplier(self, start: int, length: int, owner: bool) -> None:
        nights = (self.today + timedelta(days=start), self.today + timedelta(days=start + length))
        if self._free_there(nights):
            self.stays.append(Reported(7_000_000 + next(self.numbers), nights, owner))

    @step(when=lambda self: self._current(), pick=PICK, late=between(-1, 2))
    def change_with_the_supplier(self, pick: int, late: int) -> None:
        stay = self._current()[pick % len(self._current())]
        nights = (stay.nights[0], stay.nights[1] + timedelta(days=late))
        if nights[0] < nights[1] <= self.today + timedelta(days=14) and self._free_there(nights, stay):
            stay.nights = nights

    @step(when=lambda self: self._current(), pick=PICK)
    def cancel_with_the_supplier(self, pick: int) -> None:
        self._current()[pick % len(self._current())].reported = False

    @step(when=lambda self: self._current(), pick=PICK, block=either())
    def copy_into_the_calendar(self, pick: int, block: bool) -> None:
        stay = self._current()[pick % len(self._current())]
        if stay.copy is None and stay.reported:
            number, kind = next(self.numbers), "Block" if block or stay.owner else "Reservation"
            uid = f"{'block' if kind == 'Block' else '1418fb94e984'}-{number}@airbnb.com"
            stay.copy = Guest(number, self.beside, stay.nights, kind, uid)
            self.truth.twins.append(stay.copy)

    @step(when=lambda self: self._current(), pick=PICK)
    def drop_from_the_calendar_beside(self, pick: int) -> None:
        copy = self._current()[pick % len(self._current())].copy
        if copy is not None:
            copy.shown = False

    @step(3, flaw=among("", "", "", *UNREADABLE), again=among(False, False, True))
    def a_report_comes(self, flaw: str, again: bool) -> None:
        """`again`: the same file comes under another name as well."""
        lines = [each.line() for each in self._on_the_report()]
        self.told = {each.number: each.nights for each in self._on_the_report()}
        self._put([*lines, *([UNREADABLE[flaw]] if flaw else [])])
        self.newest = self.now if lines else self.newest
        if again and not flaw:
            self._put(lines)

    @step(1, when=lambda self: self.newest and not self.state_was_lost, days=between(1, 3))
    def an_older_report_comes_late(self, days: int) -> None:
        """Of before the newest one: it shows a house full of guests who have long canceled (R-21)."""
        day = self.today + timedelta(days=5)
        assert self.newest is not None
        ghost = Reported(6_500_000 + days, (day, day + timedelta(days=2)), owner=False)
        self._put([ghost.line()], self.newest - timedelta(days=days))

    @step(1)
    def a_report_without_rows_comes(self) -> None:
        self._put([])

    def _on_the_report(self) -> list[Reported]:
        last = self.today + timedelta(days=14)
        return [each for each in self.stays if each.reported and self.today <= each.nights[1] <= last]

    def _put(self, lines: list[str], received: datetime | None = None) -> None:
        self.time.shift(timedelta(seconds=2))  # no two files of one moment
        self.files += 1
        received = (received or self.now).astimezone(PHOENIX)
        path = self._inbox / f"{received:%Y%m%d_%H%M%S}_report_{self.files}.csv"
        path.write_text("\n".join((HEADER, *lines, "")))

    # -- what must be true ---------------------------------------------------------------------------------------------

    def check_apart(self, rows: Rows) -> None:
        super().check_apart(rows)
        live = [cells for cells in rows.values() if cells.get("Property ID") == [self.report_house] and is_live(cells)]
        nights = Counter(nights_of(cells) for cells in live)
        assert all(count == 1 for count in nights.values()), f"two rows on the same nights: {live}"
        assert not list(self._inbox.glob("*.csv")), "a file was left in the inbox"
        for number, told in self.told.items():
            assert any(share_a_night(one, told) for one in nights) or told[1] <= self.today, f"lost: {number}"
        ever = {f"{each.number}_{self.report_house}" for each in self.stays}
        ever |= {f"{each.uid}_{self.report_house}" for each in self.truth.twins}
        assert {cells["Reservation UID"] for cells in live} <= ever

    def nothing_apart(self, rows: Rows) -> bool:
        """No file since the run before, and every row's stay as the supplier and the calendar show it."""
        new, self.files_read = self.files > self.files_read, self.files
        agreed = {each.nights for each in self.stays if each.reported and self._copied(each)}
        live = {
            nights_of(cells)
            for cells in rows.values()
            if cells.get("Property ID") == [self.report_house] and is_live(cells)
        }
        return super().nothing_apart(rows) and not new and live == agreed

    @staticmethod
    def _copied(stay: Reported) -> bool:
        return stay.copy is None or (stay.copy.shown and stay.copy.nights == stay.nights)

    def come_to_rest(self) -> None:
        super().come_to_rest()
        self.set_a_feed_to(self.beside, "Active")
        for each in self.stays:
            if each.copy is not None:
                each.copy.nights = each.nights

    def read_again(self) -> None:
        super().read_again()
        self.told = {each.number: each.nights for each in self._on_the_report()}
        day = self.today + timedelta(days=5)
        other = Reported(6_900_000, (day, day + timedelta(days=1)), owner=False).line().replace(HOUSE, OTHER_HOUSE)
        self._put([*(each.line() for each in self._on_the_report()), other])  # without rows it proves nothing

    def check_rest(self) -> None:
        super().check_rest()
        rows = [cells for cells in self.base.rows().values() if cells.get("Property ID") == [self.report_house]]
        last = self.today + timedelta(days=14)
        said = Counter(
            nights_of(cells)
            for cells in rows
            if is_live(cells) and self.today < nights_of(cells)[0] and nights_of(cells)[1] <= last
        )
        wanted = Counter(
            each.nights
            for each in self.stays
            if (each.reported or (each.copy and each.copy.shown))
            and self.today < each.nights[0]
            and each.nights[1] <= last
        )
        assert said == wanted, (said, wanted)
        self.statistics["report houses that came to rest"] += 1
