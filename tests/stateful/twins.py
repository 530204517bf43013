"""A house that two calendars show: copies that come, lag, differ and go; one row for each stay (R-51 … R-55).

What the row says in the meantime depends on who was read when, so it is judged by what must be true of it at any time,
and at the end of a life, when both calendars agree and have been read often enough, to the last cell.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Self

from stateful.life import MORNING, Life
from stateful.model import PHOENIX, Feed, Guest, Nights, share_a_night
from stateful.steps import PICK, among, between, either, step

SLOT_DAYS, SLOTS = 10, 15
CONVERGING_RUNS = 5  # three misses over twelve hours, and one more for a calendar that shrank
FIRST_DAY = MORNING.astimezone(PHOENIX).date()
Cells = dict[str, Any]


@dataclass(eq=False)
class Pair:
    """One stay, and how each of the two calendars shows it."""

    slot: int
    showings: list[Guest] = field(default_factory=list)
    tied: bool = False  # both have been read with the same nights, and have had a night in common ever since

    def shown(self) -> list[Guest]:
        return [each for each in self.showings if each.shown]

    @property
    def both(self) -> bool:
        """Whether both calendars show it, and show a common night (R-53)."""
        return len(self.shown()) == 2 and share_a_night(self.showings[0].nights, self.showings[1].nights)

    def look(self, read: Sequence[Guest]) -> None:
        """After a run that read these."""
        seen = all(each in read for each in self.showings)
        same = len({each.nights for each in self.showings}) == 1
        self.tied = self.tied or (self.both and seen and same)


class Twins(Life, ABC):
    """Steps and proof of the third house."""

    @abstractmethod
    def set_a_feed_to(self, feed: Feed, status: str) -> None: ...

    @abstractmethod
    def approve_everything(self) -> None: ...

    def __enter__(self) -> Self:
        super().__enter__()
        self.twin_house = self.base.add("Properties", {"Property Name": "Casa Twin"})[0]
        self.apart.add(self.twin_house)
        self.pairs: list[Pair] = []
        self.twin_jobs: set[str] = set()
        self._twin_feeds = [self._add_feed(self.twin_house) for _ in range(2)]
        for feed in self._twin_feeds:
            feed.twin = True
        return self

    def _nights(self, slot: int, start: int, length: int) -> Nights:
        check_in = FIRST_DAY + timedelta(days=slot * SLOT_DAYS + start)
        return check_in, check_in + timedelta(days=length)

    def _coming(self) -> list[Pair]:
        return [each for each in self.pairs if FIRST_DAY + timedelta(days=each.slot * SLOT_DAYS) > self.today]

    def _show(self, pair: Pair, feed: Feed, nights: Nights, kind: str) -> None:
        number = next(self.numbers)
        uid = f"{'1418fb94e984' if kind == 'Reservation' else 'block'}-{number}@airbnb.com"
        showing = Guest(number, feed, nights, kind, uid)
        pair.showings.append(showing)
        self.truth.twins.append(showing)

    # -- what may happen -----------------------------------------------------------------------------------------------

    @step(
        3,
        slot=between(1, SLOTS),
        start=between(0, 3),
        length=between(1, 5),
        first=between(0, 1),
        both=either(),
        kinds=among(
            ["Reservation", "Reservation"], ["Reservation", "Block"], ["Block", "Reservation"], ["Block", "Block"]
        ),
    )
    def book_in_the_twin_house(
        self, slot: int, start: int, length: int, first: int, both: bool, kinds: list[str]
    ) -> None:
        begins = FIRST_DAY + timedelta(days=slot * SLOT_DAYS)
        taken = any(pair.slot == slot for pair in self.pairs)
        if taken or begins <= self.today or begins > self.today + timedelta(days=150):
            return
        pair, feeds = Pair(slot), self._twin_feeds
        self.pairs.append(pair)
        for feed, kind in zip((feeds[first], feeds[1 - first]) if both else (feeds[first],), kinds, strict=False):
            self._show(pair, feed, self._nights(slot, start, length), kind)

    @step(when=lambda self: self._coming(), pick=PICK, kind=among("Reservation", "Reservation", "Block"))
    def copy_to_the_other_calendar(self, pick: int, kind: str) -> None:
        pair = self._coming()[pick % len(self._coming())]
        if len(pair.showings) == 1 and pair.shown():
            (other,) = (feed for feed in self._twin_feeds if feed is not pair.showings[0].feed)
            self._show(pair, other, pair.showings[0].nights, kind)

    @step(
        4, when=lambda self: self._coming(), pick=PICK, which=between(0, 1), start=between(0, 3), length=between(1, 5)
    )
    def change_in_one_calendar(self, pick: int, which: int, start: int, length: int) -> None:
        pair = self._coming()[pick % len(self._coming())]
        if pair.shown():
            pair.shown()[which % len(pair.shown())].nights = self._nights(pair.slot, start, length)
            pair.tied = pair.tied and pair.both

    @step(4, when=lambda self: self._coming(), pick=PICK, which=between(0, 1))
    def catch_up(self, pick: int, which: int) -> None:
        """One calendar copies what the other one says."""
        pair = self._coming()[pick % len(self._coming())]
        if pair.shown():
            nights = pair.shown()[which % len(pair.shown())].nights
            for each in pair.showings:
                each.nights = nights

    @step(when=lambda self: self._coming(), pick=PICK, which=between(0, 1), outright=either())
    def drop_from_one_calendar(self, pick: int, which: int, outright: bool) -> None:
        pair = self._coming()[pick % len(self._coming())]
        if pair.shown():
            gone = pair.shown()[which % len(pair.shown())]
            gone.shown, gone.canceled, pair.tied = False, outright, False

    @step(when=lambda self: self._coming(), pick=PICK)
    def drop_from_both_calendars(self, pick: int) -> None:
        pair = self._coming()[pick % len(self._coming())]
        pair.tied = False
        for each in pair.showings:
            each.shown = False

    @step(when=lambda self: self._coming(), pick=PICK)
    def show_again(self, pick: int) -> None:
        for each in self._coming()[pick % len(self._coming())].showings:
            each.shown, each.canceled = True, False

    @step(1, when=lambda self: not (self.has_jobs or self.unsettled) and self._coming(), pick=PICK)
    def make_a_job_in_the_twin_house(self, pick: int) -> None:
        rows = self._twin_rows(self.base.rows())
        free = sorted(key for key, cells in rows.items() if is_live(cells) and not cells.get("Service Job ID"))
        if free:
            job = f"job_{next(self.numbers)}"
            self.twin_jobs.add(job)
            self.was_settled_before = False
            self.base.edit("Reservations", free[pick % len(free)], {"Service Job ID": job, "Sync Status": "Synced"})

    # -- what must be true ---------------------------------------------------------------------------------------------

    def _twin_rows(self, rows: dict[str, Cells]) -> dict[str, Cells]:
        return {key: cells for key, cells in rows.items() if cells.get("Property ID") == [self.twin_house]}

    def check_apart(self, rows: dict[str, Cells]) -> None:
        """After every quiet run: no stay twice, none lost, no job lost, and nothing from nowhere."""
        here = self._twin_rows(rows)
        live = [cells for cells in here.values() if is_live(cells)]
        nights = Counter(nights_of(cells) for cells in live)
        assert all(count == 1 for count in nights.values()), f"two rows on the same nights: {live}"
        jobs = {cells["Service Job ID"] for cells in here.values() if cells.get("Service Job ID")}
        assert self.twin_jobs <= jobs, self.twin_jobs - jobs
        for pair in self.pairs:
            rows_of_it = sum(any(share_a_night(one, each.nights) for each in pair.showings) for one in nights)
            assert not (pair.tied and pair.both) or rows_of_it <= 1, ("two rows of one stay", pair, live)
            pair.look(list(self._read()))
        for each in self._read():
            covering = [one for one in nights if share_a_night(one, each.nights)]
            assert covering, f"lost: {each}"
        ever = {f"{each.uid}_{self.twin_house}" for each in self.truth.twins}
        assert {cells["Reservation UID"] for cells in live} <= ever

    def nothing_apart(self, rows: dict[str, Cells]) -> bool:
        agreed = [pair for pair in self.pairs if len({(each.nights, each.shown) for each in pair.showings}) == 1]
        shown = {pair.shown()[0].nights for pair in agreed if pair.shown()}
        calm = len(agreed) == len(self.pairs)
        return calm and {nights_of(cells) for cells in self._twin_rows(rows).values() if is_live(cells)} == shown

    def _read(self) -> Iterator[Guest]:
        """What a calendar that answered showed, and has been shown long enough to be ahead."""
        for feed in self._twin_feeds:
            if feed.status == "Active" and not feed.outage:
                yield from (each for each in self.truth.listed(feed, self.today) if each.shown and self._ahead(each))

    def _ahead(self, each: Guest) -> bool:
        return each.nights[0] > self.today

    def converge(self) -> None:
        """Everybody agrees and is read until nobody can be in doubt: then the rows are the stays, to the last."""
        self.come_to_rest()
        for _ in range(CONVERGING_RUNS):
            self.read_again()
            self.clean_run()
            self.time.shift(timedelta(hours=7))
        self.approve_everything()
        self.check_rest()

    def forget_ties(self) -> None:
        """Which calendar shows which row is remembered by the state database alone."""
        for pair in self.pairs:
            pair.tied = False

    def come_to_rest(self) -> None:
        for feed in self.truth.feeds:
            feed.outage = ""
        for feed in self._twin_feeds:
            self.set_a_feed_to(feed, "Active")
        for pair in self.pairs:
            for each in pair.showings[1:]:
                each.nights = pair.showings[0].nights

    def read_again(self) -> None:
        """What else is to come before the next run."""

    def check_rest(self) -> None:
        rows = [cells for cells in self._twin_rows(self.base.rows()).values() if is_live(cells)]
        said = Counter(nights_of(cells) for cells in rows if nights_of(cells)[0] > self.today)
        wanted = {pair.shown()[0].nights: pair for pair in self.pairs if pair.shown() and self._ahead(pair.shown()[0])}
        assert said == Counter(wanted.keys()), (said, wanted)
        for cells in rows:
            if nights_of(cells) in wanted:
                kinds = {each.kind for each in wanted[nights_of(cells)].shown()}
                assert cells["Entry Type"] == ("Reservation" if "Reservation" in kinds else "Block"), (cells, kinds)
        self.statistics["twin houses that came to rest"] += 1


def is_live(cells: Cells) -> bool:
    return cells.get("Status") in ("New", "Modified")


def nights_of(cells: Cells) -> Nights:
    return date.fromisoformat(cells["Check-in Date"]), date.fromisoformat(cells["Check-out Date"])
