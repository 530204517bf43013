"""A business that lives through everything at once, and the whole program that must keep its rows true.

Rules let guests book, change, cancel and come back, people edit and delete, calendars and the base fail, clocks jump
and processes die at any point of a run. After every run that nothing disturbed, the base must say exactly what is true.
"""

from __future__ import annotations

from datetime import timedelta

from stateful.jobs import PAUSE, Jobs
from stateful.model import SERVICE, Feed, Guest, share_a_night
from stateful.mortal import Fate, lease_expires
from stateful.proof import EXIT_FAILED, EXIT_LOCKED, EXIT_OK, EXIT_PARTIAL, EXIT_UNREACHABLE, HUMAN
from stateful.steps import PICK, among, between, either, step

KINDS = among("Reservation", "Reservation", "Reservation", "Block")
OUTAGES = among("html", "cut", "empty", "empty", "500", "slow")
FAULTS = among(
    ["drop-before", "", ""],
    ["drop-after-commit", "POST", "Reservations$"],
    ["drop-after-commit", "PATCH", ""],
    ["drop-after-commit", "", ""],
    ["truncate", "", ""],
    ["html", "", ""],
    ["status", "", "503"],
    ["status", "POST", "500"],
    ["status", "GET", "502"],
    ["status", "", "401"],
    ["rate-limit", "", ""],
)
OUTSIDE = ("begin", "committed", "request", "answered", "order", "ordered")  # of a transaction
HTTP_TOO_MANY = 429


class Business(Jobs):
    """What may happen, to guests, in calendars, in the base, to runs."""

    @step(4, essential=True, pick=PICK, start=between(0, 40), length=between(1, 9), kind=KINDS)
    def book(self, pick: int, start: int, length: int, kind: str) -> None:
        active = [each for each in self.truth.feeds if each.status == "Active" and not each.twin]
        if not active:
            return
        feed = active[pick % len(active)]
        nights = (self.today + timedelta(days=start), self.today + timedelta(days=start + length))
        if self.truth.free(feed.house, nights) and len(self.truth.listed(feed, self.today)) < 9:
            number = next(self.numbers)
            uid = f"{'1418fb94e984' if kind == 'Reservation' else 'block'}-{number}@airbnb.com"
            self.truth.guests.append(Guest(number, feed, nights, kind, uid))

    @step(pick=PICK, start=between(1, 20))
    def book_a_row_of_short_stays(self, pick: int, start: int) -> None:
        for number in range(7):
            self.book(pick, start + number, 1, "Reservation")

    @step(when=lambda self: self._guests(shown=True), pick=PICK, early=between(-2, 2), late=between(-2, 4))
    def change_dates(self, pick: int, early: int, late: int) -> None:
        found = self._guests(shown=True, deleted=False)
        if not found:
            return
        guest = found[pick % len(found)]
        check_in = guest.nights[0] if guest.nights[0] <= self.today else guest.nights[0] + timedelta(days=early)
        nights = (check_in, guest.nights[1] + timedelta(days=late))
        row = guest.row.nights if guest.row is not None else guest.nights
        possible = nights[0] < nights[1] and nights[1] > self.today and share_a_night(nights, row)
        ahead = nights[0] > self.today or nights[0] == guest.nights[0]
        settled = guest.row is None or (guest.row.house == guest.feed.house and guest.uid in guest.row.names)
        if possible and ahead and settled and self.truth.free(guest.feed.house, nights, guest):
            guest.nights = nights

    @step(when=lambda self: self._guests(shown=True, deleted=False), pick=PICK)
    def change_the_kind(self, pick: int) -> None:
        found = self._guests(shown=True, deleted=False)
        guest = found[pick % len(found)]
        if not guest.uid.startswith("1418fb94e984-"):  # such uids say what they are
            guest.kind = "Block" if guest.kind == "Reservation" else "Reservation"

    @step(when=lambda self: self._guests(shown=True), pick=PICK, outright=either())
    def cancel(self, pick: int, outright: bool) -> None:
        found = self._guests(shown=True)
        guest = found[pick % len(found)]
        guest.shown, guest.canceled = False, outright

    @step(pick=PICK)
    def cancel_a_whole_calendar(self, pick: int) -> None:
        feed = self.truth.feeds[pick % len(self.truth.feeds)]
        for guest in self._guests(shown=True):
            guest.shown = guest.shown and guest.feed is not feed

    @step(when=lambda self: self._guests(shown=False), pick=PICK)
    def come_back(self, pick: int) -> None:
        found = self._guests(shown=False)
        guest = found[pick % len(found)]
        same_house = guest.row is None or guest.row.house == guest.feed.house
        ahead = guest.nights[0] > self.today
        if same_house and ahead and self.truth.free(guest.feed.house, guest.nights, guest):
            guest.shown, guest.canceled = True, False

    @step(when=lambda self: self._guests(shown=True, live=True, deleted=False), pick=PICK)
    def give_a_new_uid(self, pick: int) -> None:
        """The same stay under another name: its row, with its stored UID, goes on (R-47)."""
        found = self._guests(shown=True, live=True, deleted=False)
        guest = found[pick % len(found)]
        if self._calm(guest.feed) and guest.row is not None and guest.row.nights == guest.nights:
            prefix = guest.uid.partition("-")[0]
            guest.uid = f"{prefix}-{next(self.numbers)}@airbnb.com"

    # -- what people do in the base ----------------------------------------------------------------------------------

    @step(when=lambda self: self._guests(known=True, deleted=False), pick=PICK, name=among(*HUMAN))
    def write_into_a_field_of_ones_own(self, pick: int, name: str) -> None:
        found = self._guests(known=True, deleted=False)
        row = found[pick % len(found)].row
        assert row is not None
        text = "11:30" if name == "Custom Service Time" else f"word {next(self.numbers)}"
        row.human[name] = text
        self.was_settled_before = False  # a custom time is worth a new Final Service Time
        self.base.edit("Reservations", row.record_id, {name: text})

    @step(
        when=lambda self: self._guests(known=True, deleted=False),
        pick=PICK,
        word=among("Deep Clean", "No Service", "Touchup"),
    )
    def choose_a_service_type(self, pick: int, word: str) -> None:
        found = self._guests(known=True, deleted=False)
        row = found[pick % len(found)].row
        assert row is not None
        row.service = word
        self.was_settled_before = False
        self.base.edit("Reservations", row.record_id, {"Service Type": word})

    @step(when=lambda self: not self.has_jobs and self._guests(known=True, deleted=False), pick=PICK)
    def make_a_job(self, pick: int) -> None:
        found = [g.row for g in self._guests(known=True, deleted=False) if g.row is not None and not g.row.job]
        if found:
            row = found[pick % len(found)]
            row.job = f"job_{next(self.numbers)}"
            self.was_settled_before = False
            self.base.edit("Reservations", row.record_id, {"Service Job ID": row.job, "Sync Status": "Synced"})

    @step(
        when=lambda self: self.was_settled_before and self._guests(known=True, live=True, deleted=False, shown=True),
        pick=PICK,
    )
    def delete_a_row(self, pick: int) -> None:
        """One that was read as it is: what nobody has ever read nobody can bring back."""
        found = self._guests(known=True, live=True, deleted=False, shown=True)
        row = found[pick % len(found)].row
        assert row is not None
        if not row.misses:  # else what nobody can count any more counts against the breaker
            row.deleted_at, row.was_deleted = self.now, True
            self.base.delete("Reservations", row.record_id)

    @step(pick=PICK, status=among("Active", "Active", "Inactive", "Remove"))
    def set_a_feed(self, pick: int, status: str) -> None:
        self.set_a_feed_to(self.truth.feeds[pick % len(self.truth.feeds)], status)

    def set_a_feed_to(self, feed: Feed, status: str) -> None:
        feed.status = status
        self.base.edit("ICS Feeds", feed.record_id, {"Feed Status": status})

    @step(when=lambda self: len(self.truth.feeds) < 8, pick=between(0, 1))
    def add_a_feed(self, pick: int) -> None:
        self._add_feed(self.houses[pick])

    @step(pick=PICK)
    def edit_an_address(self, pick: int) -> None:
        """Of a calendar that has been read: else nobody can know whose the rows of the old address are (R-71)."""
        feed = self.truth.feeds[pick % len(self.truth.feeds)]
        shows = any(guest.feed is feed for guest in (*self.truth.guests, *self.truth.twins))
        if feed.trusted is None and shows:
            return
        feed.name = f"calendar-{next(self.numbers)}"
        self.base.edit("ICS Feeds", feed.record_id, {"ICS URL": self.servers.address(feed.name)})

    @step(pick=PICK)
    def link_to_the_other_house(self, pick: int) -> None:
        plain = [each for each in self.truth.feeds if not each.twin]
        feed = plain[pick % len(plain)]
        (other,) = (house for house in self.houses if house != feed.house)
        mine = [each for each in self.truth.guests if each.feed is feed]
        if self._calm(feed) and all(self.truth.free(other, each.nights) for each in mine):
            feed.house = other
            self.base.edit("ICS Feeds", feed.record_id, {"Property Name": [other]})

    # -- what goes wrong ---------------------------------------------------------------------------------------------

    @step(3, essential=True, hours=among(1, 4, 4, 4, 13, 26))
    def time_passes(self, hours: int) -> None:
        self.time.shift(timedelta(hours=hours))

    @step(pick=PICK, outage=OUTAGES)
    def a_calendar_fails(self, pick: int, outage: str) -> None:
        self.truth.feeds[pick % len(self.truth.feeds)].outage = outage

    @step(when=lambda self: any(feed.outage for feed in self.truth.feeds))
    def calendars_answer_again(self) -> None:
        for feed in self.truth.feeds:
            feed.outage = ""

    @step(
        4,
        when=lambda self: self.since_a_run > PAUSE,
        essential=True,
        how=among("spoiled", "spoiled", "limited", "dies", "dies", "dies", "overtaken", "beside", "beside"),
        fault=FAULTS,
        times=among(1, 1, 2, 3, 6, None),
        at=between(1, 120),
    )
    def a_run_is_disturbed(self, how: str, fault: list[str], times: int | None, at: int) -> None:
        self.statistics[f"runs: {how}"] += 1
        match how:
            case "spoiled":
                self._run_on_a_spoiled_line(fault, times)
            case "limited":
                self._run_into_the_rate_limit(times)
            case "dies":
                self._disturbed(Fate(at * 3 if self.has_jobs else at))
                self.program.bury_the_dead()
            case "overtaken":
                self._be_overtaken_by_another_host(at)
            case _:
                self._start_a_second_run_meanwhile(at)

    def _run_on_a_spoiled_line(self, fault: list[str], times: int | None) -> None:
        mode, method, more = fault
        path, value = (more, None) if more.endswith("$") else ("", more or None)
        self.base.spoil(mode, method, path, times, value)
        self._disturbed(Fate())
        self.base.heal()

    def _run_into_the_rate_limit(self, times: int | None) -> None:
        """Refused at every request from some on, or a few times at each kind of them."""
        for method in ("GET", "POST", "PATCH"):
            self.base.spoil("rate-limit", method, "", times)
        self._disturbed(Fate())
        self.base.heal()

    @step(
        1,
        when=lambda self: self.since_a_run > PAUSE and not self.database_url,
        method=among("", "GET", "POST", "PATCH"),
    )
    def the_months_calls_are_used_up(self, method: str) -> None:
        """AT-51: one request is refused, it is not repeated, none follows; with calls again everything is delivered."""
        mark = self.base.mark()
        self.base.spoil("rate-limit", method, "", None, "billing")
        result = self._disturbed(Fate())
        refused = [each for each in self.base.calls(mark) if each["status"] == HTTP_TOO_MANY]
        assert len(refused) <= 1, refused
        if refused:
            self.statistics["months used up"] += 1
            assert result is not None
            told = refused[0]["method"] == "PATCH" and refused[0]["path"].endswith("/Automation")
            assert told or result.exit_code == EXIT_UNREACHABLE, result  # all was done where only that was refused
            mark = self.base.mark()
            again = self._disturbed(Fate())
            assert again is not None
            assert again.exit_code == EXIT_UNREACHABLE, again
            assert [each for each in self.base.calls(mark) if "/meta/" not in each["path"]] == []
        self.base.heal()
        self.time.shift(timedelta(hours=7))  # until the next question whether there are calls again
        self.clean_run()

    def _start_a_second_run_meanwhile(self, at: int) -> None:
        said: list[int] = []
        fate = Fate(at, lambda: said.append(self.program.run_beside().exit_code), OUTSIDE)
        self.clean_run(fate)
        assert set(said) <= {EXIT_LOCKED, EXIT_OK, EXIT_PARTIAL, EXIT_FAILED}, said  # before and after, it is free

    def _be_overtaken_by_another_host(self, at: int) -> None:
        """It stands still for over a minute, another host's run takes the lease: it must not write any more."""
        self._serve()
        before, said, earlier = self.program.plans(), [], []

        def overtake() -> None:
            if not self.program.bury_the_dead(hangs=True):
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

    @step(
        when=lambda self: not self.unsettled and any(g.row and g.row.held for g in self.truth.guests), approve=either()
    )
    def decide_what_is_held(self, approve: bool) -> None:
        self._decide(approve=approve)

    def approve_everything(self) -> None:
        if self.program.held():
            self._decide(approve=True)

    def _decide(self, *, approve: bool) -> None:
        self.statistics["decisions on held removals"] += 1
        for row in (g.row for g in self.truth.guests if g.row is not None and g.row.held):
            row.asked = approve
            if not approve:
                row.misses, row.since, row.gone, row.held, row.told, row.suspected = 0, None, False, False, 0, False
        now = self.now
        assert self.program.decide(approve=approve) is not None
        self.truth.commit(now, observed=False)
        self.was_settled_before = False

    @step(when=lambda self: not self.database_url and self._nothing_but_rows_matters())
    def lose_the_state_database(self) -> None:
        """It can be rebuilt: no stay, no job and no count is lost (B-7)."""
        self.statistics["databases lost"] += 1
        self.program.lose_database(self.template)
        self.state_was_lost = True
        self.forget_ties()
        self.full_at, self.was_settled_before = None, False
        for feed in self.truth.feeds:
            feed.trusted = feed.low = None
        for guest in self.truth.guests:
            row = guest.row
            if row is None:
                continue
            row.names = {guest.uid}
            row.misses, row.since = row.told, row.since if row.told else None
            row.wrote = SERVICE[row.kind]

    def _nothing_but_rows_matters(self) -> bool:
        """No alias, no hold, no old address, no deleted row, no file to read: those only the database knows."""
        plain = all(
            g.row.uid == f"{g.uid}_{g.row.house}"
            and g.row.url == g.feed.name
            and not g.row.gone
            and not g.row.deleted_at
            for g in self.truth.guests
            if g.row is not None
        )
        known = {"csv_itrip", *(self.servers.address(feed.name) for feed in self.truth.feeds)}
        apart = (cells["ICS URL"] for cells in self.base.rows().values() if self._is_apart(cells))
        here = any(g.row and g.row.live for g in self.truth.guests)
        waits = any(self._inbox.glob("*.csv"))  # whether it is an older one nobody would know any more
        return not self.unsettled and plain and here and known.issuperset(apart) and not waits

    @step(4, when=lambda self: self.since_a_run > PAUSE, essential=True, again=among(True, False, False))
    def run(self, again: bool) -> None:
        self.clean_run()
        if again:
            outcome = self.clean_run()
            self.statistics["second runs that had nothing to do"] += not outcome.touched
