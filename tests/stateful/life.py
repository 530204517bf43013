"""A business in the middle of things: its servers, its program and its runs, quiet or disturbed; it decides nothing."""

from __future__ import annotations

import itertools
import json
import re
import shutil
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, ClassVar, Self
from zlib import crc32

import time_machine
from sqlalchemy import select

from changeover.engine.results import CycleResult
from changeover.store.tables import feeds as feed_table
from stateful.errands import Errands
from stateful.model import PHOENIX, Feed, Guest, Outcome, Truth
from stateful.mortal import Fate, MortalDatabase
from stateful.proof import EXIT_FAILED, EXIT_OK, EXIT_PARTIAL, Proof, Rows
from stateful.stand_ins import StandIns, same_ids

_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT|\d{1,2}:\d\d [AP]M")
EVERY = 3  # of so many lives one has a company that does the jobs
MORNING = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)  # 8:00 in Phoenix


@dataclass(frozen=True)
class Ways:
    """How lives are lived: over real lines or not, under the real durable engine or not, on which database."""

    served: bool = False
    durable: bool = False
    database: Callable[[], AbstractContextManager[str]] = nullcontext  # type: ignore[assignment]  # none: a file


def picture(rows: Rows) -> int:
    """All that rows say, but for the moments at which it was written."""
    plain = [[key, name, cell] for key, cells in sorted(rows.items()) for name, cell in sorted(cells.items())]
    return crc32(json.dumps([each for each in plain if not _INSTANT.search(str(each[2]))]).encode())


class Life(Proof):
    """The truth, the stand-ins that show it, and the program. Entered, it begins; left, it is proved a last time."""

    stand_ins: ClassVar[StandIns]
    template: ClassVar[Path]
    folder: ClassVar[Path]
    ways: ClassVar[Ways]
    pictures: ClassVar[list[int]] = []  # what the base said after each quiet run, as one number

    def __init__(self, number: int) -> None:
        self.clock = time_machine.travel(MORNING, tick=True)
        self.time = self.clock.start()
        self.base, self.servers, self.company = self.stand_ins.base, self.stand_ins.feeds, self.stand_ins.company
        self.has_jobs = number % EVERY == 0
        self.lent = ExitStack()
        self.lent.callback(self.clock.stop)
        self.lent.callback(MortalDatabase.close_all)
        self.lent.enter_context(same_ids(number))
        self.base.clear()
        self.folder_here = Path(mkdtemp(dir=self.folder))
        self.database_url = self.lent.enter_context(self.ways.database()) or ""
        more = self.company.clear() if self.has_jobs else None
        self.program = Errands.on(self.stand_ins, self.folder_here, self.template, self.database_url, more)
        self.program.durable = self.ways.durable
        self.truth = Truth()
        self.numbers = itertools.count(1)
        self.full_at: datetime | None = None  # the last run that read the base whole
        self.unsettled = False  # a run has failed since the last clean one
        self.apart: set[str] = set()
        self.state_was_lost = False
        self.touched = False  # the base may have changed since it was last looked at

    def __enter__(self) -> Self:
        self.houses = self.base.add("Properties", *({"Property Name": f"Casa {n}"} for n in (1, 2)))
        for house in self.houses:
            self._add_feed(house)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        with self.lent:
            if kind is None:
                self.clean_run()
                self.time.shift(timedelta(hours=25))
                self.converge()
            shutil.rmtree(self.folder_here, ignore_errors=True)

    def take(self, name: str, arguments: Mapping[str, Any]) -> None:
        """One step, and what must hold after it, whatever it was."""
        getattr(self, name)(**arguments)
        self.statistics["steps"] += 1
        self.statistics["steps with jobs"] += self.has_jobs
        self.since_a_run += 1
        if self.touched:
            self.check_always(self.base.rows())
            self.touched = False

    # -- the truth ---------------------------------------------------------------------------------------------------

    def _add_feed(self, house: str) -> Feed:
        number = next(self.numbers)
        feed = Feed(number, "", house, f"calendar-{number}", tagged=number % 2 == 0)
        cells = {"ICS URL": self.servers.address(feed.name), "Feed Status": "Active", "Property Name": [house]}
        feed.record_id = self.base.add("ICS Feeds", cells)[0]
        self.truth.feeds.append(feed)
        return feed

    def _guests(self, **wanted: bool) -> list[Guest]:
        """Guests whose stay is not over, by: shown, canceled, row (there is one), live, known (its record id is)."""

        def facts(guest: Guest) -> dict[str, bool]:
            row = guest.row
            return {
                "shown": guest.shown,
                "canceled": guest.canceled,
                "row": row is not None,
                "live": row is not None and row.live,
                "known": row is not None and bool(row.record_id),
                "deleted": row is not None and row.deleted_at is not None,
                "ahead": guest.nights[0] > self.today,
            }

        current = [guest for guest in self.truth.guests if guest.nights[1] > self.today]
        return [guest for guest in current if all(facts(guest)[name] is value for name, value in wanted.items())]

    def _calm(self, feed: Feed) -> bool:
        """Every guest of the calendar has the live row it should, and nobody else has one."""
        mine = [each for each in self.truth.guests if each.feed is feed]
        plain = all(g.shown and g.row and g.row.live and not g.row.misses and g.row.deleted_at is None for g in mine)
        return not self.unsettled and plain and feed.status == "Active"

    # -- runs --------------------------------------------------------------------------------------------------------

    def _serve(self) -> None:
        for feed in self.truth.feeds:
            body = self.truth.calendar(feed, self.today)
            tag = {"ETag": f'"{crc32(body.encode())}"'} if feed.tagged else {}
            match feed.outage:
                case "html":
                    self.servers.serve(feed.name, "<html>Sign in</html>", **{"Content-Type": "text/html"})
                case "cut":
                    self.servers.serve(feed.name, body[: len(body) - 16])
                case "500":
                    self.servers.serve(feed.name, "", 500)
                case "slow":
                    self.servers.serve(feed.name, body, delay=1.0)
                case _:
                    self.servers.serve(feed.name, body, **tag)

    def _disturbed(self, fate: Fate) -> CycleResult | None:
        """A run that something befalls: only what it committed counts. None when it died."""
        self.statistics["disturbed runs"] += 1
        self._serve()
        if self._reads_whole():
            self.full_at = self.now  # perhaps: then nothing is expected of the next one
        before, now = self.program.plans(), self.now
        result = self.program.run(fate)
        self.since_a_run, self.touched = 0, True
        self.unsettled, self.was_settled_before = True, False
        if self.program.plans() > before:
            self.statistics["committed although disturbed"] += 1
            self.truth.commit(now)
        else:
            self._recall_sizes()
        return result

    def _disturbed_as_is(self, fate: Fate) -> None:
        """A run whose effect on the truth the caller works out."""
        if self._reads_whole():
            self.full_at = self.now
        self.program.run(fate)
        self.since_a_run, self.touched = 0, True
        self.unsettled, self.was_settled_before = True, False

    def _recall_sizes(self) -> None:
        """Without a plan, feeds as they were known before may have been asked and their sizes kept (C-5), or not."""
        with self.program.database() as database, database.read() as connection:
            stored = {row.record_id: row for row in connection.execute(select(feed_table))}
        for feed in self.truth.feeds:
            kept = stored.get(feed.record_id)
            feed.trusted, feed.low = (None, None) if kept is None else (kept.trusted_count, kept.low_count)

    def clean_run(self, fate: Fate | None = None) -> Outcome:
        """A run that nothing disturbs: afterwards the base says what is true."""
        self.statistics["clean runs"] += 1
        self._serve()
        whole, calm = self._reads_whole(), self.nothing_apart(self.base.rows())
        mark, before, now, pending = self.base.mark(), self.program.plans(), self.now, self.program.waiting()
        mark_of_jobs = self.company.mark()
        result = self.program.run(fate)
        self.since_a_run, self.touched = 0, True
        assert result is not None
        assert result.exit_code in (EXIT_OK, EXIT_PARTIAL, EXIT_FAILED), (
            result.exit_code,
            result.problem,
            result.automations,
        )
        plans = self.program.plans() - before
        assert 1 <= plans <= 2, result
        outcomes = [self.truth.commit(now) for _ in range(plans)]  # a second process may have run before or after
        self.full_at = now if whole else self.full_at
        self.unsettled = False
        assert self.program.waiting() == 0
        rows = self.base.rows()
        self.pictures.append(picture(rows))
        self._find_again(rows, whole=whole)
        outcome = outcomes[-1]
        self._check_result(result, outcomes)
        self._check_rows({key: cells for key, cells in rows.items() if not self._is_apart(cells)})
        self.check_apart(rows)
        self.check_jobs(rows, result)
        quiet = not outcome.touched and not pending and not any(g.row and g.row.was_deleted for g in self.truth.guests)
        if quiet and plans == 1 and self.was_settled_before:
            self._check_nothing_written(self.base.writes(mark, "Reservations"), rows, calm=calm)
            assert not calm or not self.company.writes(mark_of_jobs), self.company.writes(mark_of_jobs)
        self.was_settled_before = True
        return outcome

    def _check_nothing_written(self, writes: list[dict[str, Any]], rows: Rows, *, calm: bool) -> None:
        """Unchanged inputs, no write (§8.2): to no house, or to none but those whose calendars differ."""
        written = [record for each in writes for record in each["body"]["records"]]
        written = [each for each in written if not self.nobodys_business(rows.get(each.get("id"), {}))]
        here = [each for each in written if calm or not self._is_apart(rows.get(each.get("id"), each["fields"]))]
        assert here == [], here
        self.statistics["runs that wrote nothing"] += 1

    def nothing_apart(self, rows: Rows) -> bool:
        """Whether no house that other eyes judge can have had anything to write."""
        raise NotImplementedError

    was_settled_before = False
    since_a_run = 0

    def _reads_whole(self) -> bool:
        """AT-33: the first run of a day that begins at 3:00, or after a day without any."""
        if self.full_at is None:
            return True
        local = self.now.astimezone(PHOENIX)
        began = local.replace(hour=3, minute=0, second=0, microsecond=0)
        began = began if began <= local else began - timedelta(days=1)
        return self.full_at < began
