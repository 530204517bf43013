"""A business that lives through everything at once, and the whole program that must keep its rows true.

Rules let guests book, change, cancel and come back, people edit and delete, calendars and the base fail, clocks jump and
processes die at any point of a run. After every run that nothing disturbed, the base must say exactly what is true.
"""

from __future__ import annotations

import itertools
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, ClassVar

import time_machine
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from sqlalchemy import select

from changeover import controller
from changeover.store.tables import feeds as feed_table

from stateful.model import PHOENIX, SERVICE, Feed, Guest, Outcome, Row, Truth, share_a_night
from stateful.program import Fate, MortalDatabase, Program, lease_expires
from stateful.stand_ins import StandIns

MORNING = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)  # 8:00 in Phoenix
KINDS = st.sampled_from(["Reservation", "Reservation", "Reservation", "Block"])
OUTAGES = st.sampled_from(["html", "cut", "empty", "empty", "500", "slow"])
FAULTS = st.sampled_from(
    [
        ("drop-before", "", ""),
        ("drop-after-commit", "POST", "Reservations$"),
        ("drop-after-commit", "PATCH", ""),
        ("drop-after-commit", "", ""),
        ("truncate", "", ""),
        ("html", "", ""),
        ("status", "", "503"),
        ("status", "POST", "500"),
        ("status", "GET", "502"),
        ("status", "", "401"),
        ("rate-limit", "", ""),
    ]
)
OUTSIDE = ("begin", "committed", "request", "answered")  # of a transaction
HUMAN = ("Custom Service Time", "Our Notes", "Custom Service Line Instructions")
KEPT_AFTER_DELETION = ("Custom Service Time", "Custom Service Line Instructions")
EXIT_OK, EXIT_PARTIAL, EXIT_FAILED, EXIT_LOCKED, EXIT_STOPPED = 0, 2, 3, 5, 6


class Business(RuleBasedStateMachine):
    """The truth, the stand-ins that show it, and the program."""

    stand_ins: ClassVar[StandIns]
    template: ClassVar[Path]
    folder: ClassVar[Path]
    database_url: ClassVar[str] = ""
    durable: ClassVar[bool] = False
    statistics: ClassVar[Counter[str]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self.clock = time_machine.travel(MORNING, tick=True)
        self.time = self.clock.start()
        self.base, self.servers = self.stand_ins.base, self.stand_ins.feeds
        self.base.clear()
        place = Path(mkdtemp(dir=self.folder))
        self.program = Program.on(self.stand_ins, place, self.template, self.database_url)
        self.program.durable = self.durable
        self.truth = Truth()
        self.numbers = itertools.count(1)
        self.full_at: datetime | None = None  # the last run that read the base whole
        self.unsettled = False  # a run has failed since the last clean one

    @initialize()
    def begin(self) -> None:
        self.houses = self.base.add("Properties", *({"Property Name": f"Casa {n}"} for n in (1, 2)))
        for house in self.houses:
            self._add_feed(house)

    def teardown(self) -> None:
        try:
            if not self.broken:
                self.clean_run()
                self.time.shift(timedelta(hours=25))
                self.clean_run()
        finally:
            MortalDatabase.close_all()
            self.clock.stop()

    def check_invariants(self, settings: Any, output: Any, runtimes: Any) -> None:
        """Called by the runner after every step."""
        self.statistics["steps"] += 1
        super().check_invariants(settings, output, runtimes)

    # -- the truth ---------------------------------------------------------------------------------------------------

    @property
    def now(self) -> datetime:
        return datetime.now(UTC)

    @property
    def today(self) -> date:
        return self.now.astimezone(PHOENIX).date()

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

    @rule(pick=st.integers(0, 99), start=st.integers(0, 40), length=st.integers(1, 9), kind=KINDS)
    def book(self, pick: int, start: int, length: int, kind: str) -> None:
        active = [each for each in self.truth.feeds if each.status == "Active"]
        if not active:
            return
        feed = active[pick % len(active)]
        nights = (self.today + timedelta(days=start), self.today + timedelta(days=start + length))
        if self.truth.free(feed.house, nights) and len(self.truth.listed(feed, self.today)) < 9:
            number = next(self.numbers)
            uid = f"{'1418fb94e984' if kind == 'Reservation' else 'block'}-{number}@airbnb.com"
            self.truth.guests.append(Guest(number, feed, nights, kind, uid))

    @rule(pick=st.integers(0, 99), start=st.integers(1, 20))
    def book_a_row_of_short_stays(self, pick: int, start: int) -> None:
        for number in range(7):
            self.book(pick, start + number, 1, "Reservation")

    @precondition(lambda self: self._guests(shown=True))
    @rule(pick=st.integers(0, 99), early=st.integers(-2, 2), late=st.integers(-2, 4))
    def change_dates(self, pick: int, early: int, late: int) -> None:
        found = self._guests(shown=True, deleted=False)
        if not found:
            return
        guest = found[pick % len(found)]
        check_in = guest.nights[0] if guest.nights[0] <= self.today else guest.nights[0] + timedelta(days=early)
        nights = (check_in, guest.nights[1] + timedelta(days=late))
        row = guest.row.nights if guest.row is not None else guest.nights
        ahead = nights[0] > self.today or nights[0] == guest.nights[0]
        if nights[0] < nights[1] and nights[1] > self.today and ahead and share_a_night(nights, row):
            if guest.row is None or (guest.row.house == guest.feed.house and guest.uid in guest.row.names):
                if self.truth.free(guest.feed.house, nights, guest):
                    guest.nights = nights

    @precondition(lambda self: self._guests(shown=True, deleted=False))
    @rule(pick=st.integers(0, 99))
    def change_the_kind(self, pick: int) -> None:
        found = self._guests(shown=True, deleted=False)
        guest = found[pick % len(found)]
        if not guest.uid.startswith("1418fb94e984-"):  # such uids say what they are
            guest.kind = "Block" if guest.kind == "Reservation" else "Reservation"

    @precondition(lambda self: self._guests(shown=True))
    @rule(pick=st.integers(0, 99), outright=st.booleans())
    def cancel(self, pick: int, outright: bool) -> None:
        found = self._guests(shown=True)
        guest = found[pick % len(found)]
        guest.shown, guest.canceled = False, outright

    @rule(pick=st.integers(0, 99))
    def cancel_a_whole_calendar(self, pick: int) -> None:
        feed = self.truth.feeds[pick % len(self.truth.feeds)]
        for guest in self._guests(shown=True):
            guest.shown = guest.shown and guest.feed is not feed

    @precondition(lambda self: self._guests(shown=False))
    @rule(pick=st.integers(0, 99))
    def come_back(self, pick: int) -> None:
        found = self._guests(shown=False)
        guest = found[pick % len(found)]
        same_house = guest.row is None or guest.row.house == guest.feed.house
        ahead = guest.nights[0] > self.today
        if same_house and ahead and self.truth.free(guest.feed.house, guest.nights, guest):
            guest.shown, guest.canceled = True, False

    @precondition(lambda self: self._guests(shown=True, live=True, deleted=False))
    @rule(pick=st.integers(0, 99))
    def give_a_new_uid(self, pick: int) -> None:
        """The same stay under another name: its row, with its stored UID, goes on (R-47)."""
        found = self._guests(shown=True, live=True, deleted=False)
        guest = found[pick % len(found)]
        if self._calm(guest.feed) and guest.row is not None and guest.row.nights == guest.nights:
            prefix = guest.uid.partition("-")[0]
            guest.uid = f"{prefix}-{next(self.numbers)}@airbnb.com"

    # -- what people do in the base ----------------------------------------------------------------------------------

    @precondition(lambda self: self._guests(known=True, deleted=False))
    @rule(pick=st.integers(0, 99), name=st.sampled_from(HUMAN))
    def write_into_a_field_of_ones_own(self, pick: int, name: str) -> None:
        found = self._guests(known=True, deleted=False)
        row = found[pick % len(found)].row
        assert row is not None
        text = "11:30" if name == "Custom Service Time" else f"word {next(self.numbers)}"
        row.human[name] = text
        self.was_settled_before = False  # a custom time is worth a new Final Service Time
        self.base.edit("Reservations", row.record_id, {name: text})

    @precondition(lambda self: self._guests(known=True, deleted=False))
    @rule(pick=st.integers(0, 99), word=st.sampled_from(["Deep Clean", "No Service", "Touchup"]))
    def choose_a_service_type(self, pick: int, word: str) -> None:
        found = self._guests(known=True, deleted=False)
        row = found[pick % len(found)].row
        assert row is not None
        row.service = word
        self.was_settled_before = False
        self.base.edit("Reservations", row.record_id, {"Service Type": word})

    @precondition(lambda self: self._guests(known=True, deleted=False))
    @rule(pick=st.integers(0, 99))
    def make_a_job(self, pick: int) -> None:
        found = [g.row for g in self._guests(known=True, deleted=False) if g.row is not None and not g.row.job]
        if found:
            row = found[pick % len(found)]
            row.job = f"job_{next(self.numbers)}"
            self.was_settled_before = False
            self.base.edit("Reservations", row.record_id, {"Service Job ID": row.job, "Sync Status": "Synced"})

    @precondition(lambda self: self.was_settled_before and self._guests(known=True, live=True, deleted=False, shown=True))
    @rule(pick=st.integers(0, 99))
    def delete_a_row(self, pick: int) -> None:
        """One that was read as it is: what nobody has ever read nobody can bring back."""
        found = self._guests(known=True, live=True, deleted=False, shown=True)
        row = found[pick % len(found)].row
        assert row is not None
        row.deleted_at, row.was_deleted = self.now, True
        self.base.delete("Reservations", row.record_id)

    @rule(pick=st.integers(0, 99), status=st.sampled_from(["Active", "Active", "Inactive", "Remove"]))
    def set_a_feed(self, pick: int, status: str) -> None:
        feed = self.truth.feeds[pick % len(self.truth.feeds)]
        feed.status = status
        self.base.edit("ICS Feeds", feed.record_id, {"Feed Status": status})

    @precondition(lambda self: len(self.truth.feeds) < 5)
    @rule(pick=st.integers(0, 1))
    def add_a_feed(self, pick: int) -> None:
        self._add_feed(self.houses[pick])

    @rule(pick=st.integers(0, 99))
    def edit_an_address(self, pick: int) -> None:
        feed = self.truth.feeds[pick % len(self.truth.feeds)]
        feed.name = f"calendar-{next(self.numbers)}"
        self.base.edit("ICS Feeds", feed.record_id, {"ICS URL": self.servers.address(feed.name)})

    @rule(pick=st.integers(0, 99))
    def link_to_the_other_house(self, pick: int) -> None:
        feed = self.truth.feeds[pick % len(self.truth.feeds)]
        (other,) = (house for house in self.houses if house != feed.house)
        mine = [each for each in self.truth.guests if each.feed is feed]
        if self._calm(feed) and all(self.truth.free(other, each.nights) for each in mine):
            feed.house = other
            self.base.edit("ICS Feeds", feed.record_id, {"Property Name": [other]})

    # -- what goes wrong ---------------------------------------------------------------------------------------------

    @rule(hours=st.sampled_from([1, 4, 4, 4, 13, 26]))
    def time_passes(self, hours: int) -> None:
        self.time.shift(timedelta(hours=hours))

    @rule(pick=st.integers(0, 99), outage=OUTAGES)
    def a_calendar_fails(self, pick: int, outage: str) -> None:
        self.truth.feeds[pick % len(self.truth.feeds)].outage = outage

    @precondition(lambda self: any(feed.outage for feed in self.truth.feeds))
    @rule()
    def calendars_answer_again(self) -> None:
        for feed in self.truth.feeds:
            feed.outage = ""

    @rule(fault=FAULTS, times=st.sampled_from([1, 1, 2, 3, 6, None]))
    def run_with_a_spoiled_line(self, fault: tuple[str, str, str], times: int | None) -> None:
        mode, method, more = fault
        path, value = (more, None) if more.endswith("$") else ("", more or None)
        self.base.spoil(mode, method, path, times, value)
        self._disturbed(Fate())
        self.base.heal()

    @rule()
    def run_into_the_rate_limit(self) -> None:
        self.base.call("POST", "limits", {"enforce": True, "requests_per_second": 3, "penalty_seconds": 0.02})
        self._disturbed(Fate())
        self.base.call("POST", "limits", {"enforce": False})

    @rule(at=st.one_of(st.integers(1, 60), st.integers(1, 120)))
    def die_in_a_run(self, at: int) -> None:
        self._disturbed(Fate(at))
        self.program.bury_the_dead()

    @rule(at=st.integers(1, 60))
    def start_a_second_run_meanwhile(self, at: int) -> None:
        said: list[int] = []
        fate = Fate(at, lambda: said.append(self.program.run_beside().exit_code), OUTSIDE)
        self.clean_run(fate)
        assert set(said) <= {EXIT_LOCKED, EXIT_OK, EXIT_PARTIAL, EXIT_FAILED}, said  # before and after, it is free

    @rule(at=st.integers(1, 40))
    def be_overtaken_by_another_host(self, at: int) -> None:
        """A run stands still for over a minute; another host's takes the lease; the first one must not write any more."""
        self._serve()
        before, said, earlier = self.program.plans(), [], []

        def overtake() -> None:
            if not self.program.bury_the_dead():
                return  # it had not begun, or has ended
            earlier.append(self.program.plans() - before)
            lease_expires()
            said.append(self.program.run_beside().exit_code)

        now = self.now
        self._disturbed_as_is(Fate(at, overtake, ("begin",)))
        commits = self.program.plans() - before
        if said:
            assert said[0] in (EXIT_OK, EXIT_PARTIAL, EXIT_FAILED), said
            assert commits == earlier[0] + 1, "a run that lost its lease has committed a plan"
            self.statistics["overtaken runs"] += 1
        for _ in range(commits):
            self.truth.commit(now)

    @precondition(lambda self: not self.unsettled and any(g.row and g.row.held for g in self.truth.guests))
    @rule(approve=st.booleans())
    def decide_what_is_held(self, approve: bool) -> None:
        self.statistics["decisions on held removals"] += 1
        for row in (g.row for g in self.truth.guests if g.row is not None and g.row.held):
            row.asked = approve
            if not approve:
                row.misses, row.since, row.gone, row.held, row.told, row.suspected = 0, None, False, False, 0, False
        now = self.now
        assert self.program.decide(approve=approve) is not None
        self.truth.commit(now, observed=False)
        self.was_settled_before = False

    @precondition(lambda self: not self.database_url and self._nothing_but_rows_matters())
    @rule()
    def lose_the_state_database(self) -> None:
        """It can be rebuilt: no stay, no job and no count is lost (B-7)."""
        self.statistics["databases lost"] += 1
        self.program.lose_database(self.template)
        self.full_at, self.was_settled_before = None, False
        for feed in self.truth.feeds:
            feed.trusted = feed.low = None
        for row in (g.row for g in self.truth.guests if g.row is not None):
            row.misses, row.since = row.told, row.since if row.told else None
            row.wrote = SERVICE[row.kind]

    def _nothing_but_rows_matters(self) -> bool:
        """No alias, no hold, no old address and no deleted row: those only the database knows."""
        plain = all(
            g.row.uid == f"{g.uid}_{g.row.house}" and g.row.url == g.feed.name and not g.row.gone and not g.row.deleted_at
            for g in self.truth.guests
            if g.row is not None
        )
        return not self.unsettled and plain and any(g.row and g.row.live for g in self.truth.guests)

    # -- runs --------------------------------------------------------------------------------------------------------

    def _serve(self) -> None:
        for feed in self.truth.feeds:
            body = self.truth.calendar(feed, self.today)
            tag = {"ETag": f'"{abs(hash(body))}"'} if feed.tagged else {}
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

    def _disturbed(self, fate: Fate) -> None:
        """A run that something befalls: only what it committed counts."""
        self.statistics["disturbed runs"] += 1
        self.broken = True
        self._serve()
        if self._reads_whole():
            self.full_at = self.now  # perhaps: then nothing is expected of the next one
        before, now = self.program.plans(), self.now
        self.program.run(fate)
        self.unsettled, self.was_settled_before = True, False
        if self.program.plans() > before:
            self.statistics["committed although disturbed"] += 1
            self.truth.commit(now)
        else:
            self._recall_sizes()
        self.broken = False

    def _disturbed_as_is(self, fate: Fate) -> None:
        """A run whose effect on the truth the caller works out."""
        if self._reads_whole():
            self.full_at = self.now
        self.program.run(fate)
        self.unsettled, self.was_settled_before = True, False

    def _recall_sizes(self) -> None:
        """Without a plan, feeds as they were known before may have been asked and their sizes kept (C-5), or not."""
        with self.program.database() as database, database.read() as connection:
            stored = {row.record_id: row for row in connection.execute(select(feed_table))}
        for feed in self.truth.feeds:
            kept = stored.get(feed.record_id)
            feed.trusted, feed.low = (None, None) if kept is None else (kept.trusted_count, kept.low_count)

    @rule()
    def run(self) -> None:
        self.clean_run()
        outcome = self.clean_run()
        self.statistics["second runs that had nothing to do"] += not outcome.touched

    @rule()
    def run_once(self) -> None:
        self.clean_run()

    def clean_run(self, fate: Fate | None = None) -> Outcome:
        """A run that nothing disturbs: afterwards the base says what is true."""
        self.statistics["clean runs"] += 1
        self.broken = True  # until proved otherwise: the end of a broken business proves nothing more
        self._serve()
        whole = self._reads_whole()
        mark, before, now, pending = self.base.mark(), self.program.plans(), self.now, self.program.waiting()
        result = self.program.run(fate)
        assert result is not None
        assert result.exit_code in (EXIT_OK, EXIT_PARTIAL, EXIT_FAILED), (result.exit_code, result.problem, result.automations)
        plans = self.program.plans() - before
        assert plans >= 1, result
        outcome = Outcome()
        for _ in range(plans):  # a second process may have run before or after this one
            outcome = self.truth.commit(now)
        self.full_at = now if whole else self.full_at
        self.unsettled = False
        assert self.program.waiting() == 0
        rows = self.base.rows()
        self._find_again(rows, whole=whole)
        self._check_result(result, outcome)
        self._check_rows(rows)
        quiet = not outcome.touched and not pending and not any(g.row and g.row.was_deleted for g in self.truth.guests)
        if quiet and plans == 1 and self.was_settled_before:
            writes = self.base.writes(mark, "Reservations")
            assert writes == [], [(each["method"], each["body"]) for each in writes]
        self.was_settled_before, self.broken = True, False
        return outcome

    was_settled_before = False
    broken = False

    def _reads_whole(self) -> bool:
        """AT-33: the first run of a day that begins at 3:00, or after a day without any."""
        if self.full_at is None:
            return True
        local = self.now.astimezone(PHOENIX)
        began = local.replace(hour=3, minute=0, second=0, microsecond=0)
        began = began if began <= local else began - timedelta(days=1)
        return self.full_at < began

    # -- what must always hold ---------------------------------------------------------------------------------------

    def _check_result(self, result: Any, outcome: Outcome) -> None:
        """Counts and exit code are those of this run (C-20 … C-22)."""
        (automation,) = result.automations
        assert automation.counters["feeds_failing"] == outcome.bad, (automation, outcome)
        assert automation.counters["feeds"] == outcome.good + outcome.bad
        if outcome.bad and not outcome.good:
            assert result.exit_code == EXIT_FAILED
        elif outcome.bad or outcome.held:
            assert result.exit_code == EXIT_PARTIAL, (result, outcome)

    def _find_again(self, rows: dict[str, dict[str, Any]], *, whole: bool) -> None:
        """Gives rows of the truth the record ids they got, and finds those made again after a deletion (AT-35)."""
        live = {cells.get("Reservation UID"): key for key, cells in rows.items() if cells.get("Status") in ("New", "Modified")}
        any_state = {c.get("Reservation UID"): k for k, c in rows.items() if c.get("Status") != "Old"}
        for guest in self.truth.guests:
            row = guest.row
            if row is None:
                continue
            if row.deleted_at is not None:
                self._made_again(guest, row, rows, live, whole=whole)
            elif not row.record_id:
                row.record_id = any_state.get(row.uid, "")

    def _made_again(
        self, guest: Guest, row: Row, rows: dict[str, dict[str, Any]], live: dict[Any, str], *, whole: bool
    ) -> None:
        found = live.get(row.uid) or live.get(f"{guest.uid}_{guest.feed.house}")
        expected = guest.shown and guest.feed.status == "Active" and not guest.feed.outage and whole
        assert found or not expected, ("not made again", guest)
        if not found:
            return
        cells = rows[found]
        assert cells.get("Service Job ID", "") == row.job
        for name in KEPT_AFTER_DELETION:
            assert cells.get(name, "") == row.human.get(name, "")
        row.record_id, row.deleted_at = found, None
        row.human = {name: text for name, text in row.human.items() if name in KEPT_AFTER_DELETION}
        row.uid, row.live, row.house = cells["Reservation UID"], True, cells["Property ID"][0]
        row.nights = (date.fromisoformat(cells["Check-in Date"]), date.fromisoformat(cells["Check-out Date"]))
        row.kind, row.misses, row.since, row.gone, row.held = cells["Entry Type"], 0, None, False, False
        row.service = cells["Service Type"]
        self.statistics["rows made again"] += 1

    def _check_rows(self, rows: dict[str, dict[str, Any]]) -> None:
        history = Counter(c["Reservation UID"] for c in rows.values() if c.get("Status") == "Old")
        live = {key: cells for key, cells in rows.items() if cells.get("Status") in ("New", "Modified")}
        expected = {g.row.record_id: g for g in self.truth.guests if g.row and g.row.live and not g.row.deleted_at}
        assert live.keys() == expected.keys(), self._difference(live, expected)
        jobs = Counter(c["Service Job ID"] for c in live.values() if c.get("Service Job ID"))
        assert all(count == 1 for count in jobs.values()), jobs
        for guest in self.truth.guests:
            if guest.row is not None and guest.row.deleted_at is None:
                self._check_row(guest, guest.row, rows)
        known = Counter[str]()
        for guest in self.truth.guests:
            if guest.row is not None:
                known["versions"] += guest.row.versions
        if not any(g.row and g.row.was_deleted for g in self.truth.guests):
            assert sum(history.values()) == known["versions"], (history, known)
        self._check_flags(live)

    def _check_row(self, guest: Guest, row: Row, rows: dict[str, dict[str, Any]]) -> None:
        cells = rows[row.record_id]
        said = {
            "uid": cells["Reservation UID"],
            "property": cells["Property ID"],
            "nights": (cells["Check-in Date"], cells["Check-out Date"]),
            "kind": cells["Entry Type"],
            "service": cells.get("Service Type"),
            "job": cells.get("Service Job ID", ""),
            "live": cells["Status"] != "Removed",
            "human": {name: cells[name] for name in HUMAN if name in cells},
        }
        true = {
            "uid": row.uid,
            "property": [row.house],
            "nights": (row.nights[0].isoformat(), row.nights[1].isoformat()),
            "kind": row.kind,
            "service": row.service,
            "job": row.job,
            "live": row.live,
            "human": row.human,
        }
        if row.live:
            said["url"], true["url"] = cells["ICS URL"], self.servers.address(row.url)
            if row.nights[0] > self.today:
                said["misses"] = cells.get("Missing Count", 0)
                true["misses"] = row.told
        assert said == true, (guest, {name: (said[name], true[name]) for name in said if said[name] != true[name]})

    def _check_flags(self, live: dict[str, dict[str, Any]]) -> None:
        """Same-day Turnover where no block could mean an owner (R-84), and no overlap, as nobody overlaps."""
        if any(g.row and g.row.deleted_at for g in self.truth.guests):
            return
        for house in self.houses:
            here = [cells for cells in live.values() if cells["Property ID"] == [house]]
            arrivals = {cells["Check-in Date"] for cells in here if cells["Entry Type"] == "Reservation"}
            blocks = any(cells["Entry Type"] == "Block" for cells in here)
            for cells in here:
                assert "Overlapping Dates" not in cells
                if not blocks and cells["Check-out Date"] >= self.today.isoformat():
                    same_day = cells["Check-out Date"] in arrivals
                    assert cells.get("Same-day Turnover", False) is same_day, cells

    def _difference(self, live: dict[str, dict[str, Any]], expected: dict[str, Guest]) -> str:
        extra = {key: live[key] for key in live.keys() - expected.keys()}
        missing = {key: expected[key] for key in expected.keys() - live.keys()}
        return f"too many: {extra}\nmissing: {missing}"

