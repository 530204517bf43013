"""A house, its guests and its calendars over many days: every guest has one row and one job for life.

The truth is a list of guests who never share a night, each booked on one calendar; others copy the nights as blocks,
late or never. Calendars fail, are cut, give new uids, are retired and linked anew; people edit and delete rows; the
state database is lost. Whatever happens, after every run each guest whom a calendar shows has exactly one live row.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from changeover.core.plan import Plan, Verb
from changeover.core.stay import Batch, Decision, EntryType, Kind, Observation, Rejected, Source, Status, Stay
from plugins.paper_base import AIRBNB, BOOKING, CASA, LOFT, VRBO, PaperBase
from plugins.property_depth import DEPTH

SOURCES = (AIRBNB, BOOKING, VRBO)
BY_KEY = {source.key: source for source in SOURCES}
sources = st.sampled_from(SOURCES)
gaps = st.sampled_from([4, 4, 4, 4, 12, 30, 100])
lengths = st.integers(1, 6)
Nights = tuple[date, date]


def share_a_night(one: Nights, other: Nights) -> bool:
    return one[0] < other[1] and other[0] < one[1]


@dataclass(eq=False)
class Guest:
    """One true stay: where it was booked, and which nights each other calendar has copied so far."""

    number: int
    own: Source
    nights: Nights
    copies: dict[str, Nights] = field(default_factory=dict)
    tied: set[str] = field(default_factory=set)  # calendars whose copy has been seen with the right nights
    version: int = 0
    canceled: bool = False
    renamed: bool = False  # its uid is new and no run has seen it
    unreadable: bool = False
    record_id: str = ""
    job_id: str = ""

    @property
    def lagging(self) -> bool:
        return any(nights != self.nights for nights in self.copies.values())


class House(RuleBasedStateMachine):
    """The truth, the calendars' view of it, and the base that must follow."""

    def __init__(self) -> None:
        super().__init__()
        self.base = PaperBase()
        self.home = CASA
        self.guests: list[Guest] = []
        self.down: dict[str, str] = {}  # source key → "silent", "empty" or "cut" in the next run
        self.retired: set[str] = set()
        self.moving = False
        self.downloads = 0
        self.jobs = 0

    # -- the truth ---------------------------------------------------------------------------------------------------

    @property
    def today(self) -> date:
        return self.base.rules.today(self.base.now)

    def present(self) -> list[Guest]:
        return [each for each in self.guests if not each.canceled and each.nights[1] > self.today]

    def free(self, nights: Nights, but: Guest | None = None) -> bool:
        """Whether nobody, no copy and no row of somebody else has these nights."""
        taken = [each.nights for each in self.guests if each is not but and not each.canceled]
        taken += [copy for each in self.guests if each is not but for copy in each.copies.values()]
        taken += [(r.check_in, r.check_out) for r in self.base.live if but is None or r.record_id != but.record_id]
        return not any(share_a_night(nights, other) for other in taken)

    @precondition(lambda self: len(self.guests) < 14)
    @rule(source=sources, start=st.integers(1, 40), length=lengths, copied=st.sets(sources))
    def book(self, source: Source, start: int, length: int, copied: set[Source]) -> None:
        nights = (self.today + timedelta(days=start), self.today + timedelta(days=start + length))
        if self.free(nights):
            guest = Guest(len(self.guests), source, nights)
            guest.copies = {each.key: nights for each in copied if each is not source}
            self.guests.append(guest)

    @precondition(lambda self: len(self.guests) < 7)
    @rule(source=sources, start=st.integers(1, 5))
    def book_a_week_of_single_nights(self, source: Source, start: int) -> None:
        for number in range(start, start + 7):
            self.book(source, number, 1, set())

    @precondition(lambda self: self.present())
    @rule(data=st.data(), early=st.integers(-2, 2), late=st.integers(-2, 4), copied=st.sets(sources))
    def change_dates(self, data: st.DataObject, early: int, late: int, copied: set[Source]) -> None:
        """New nights that share one with every version still shown; each copy follows now or later."""
        guest = data.draw(st.sampled_from(self.present()))
        check_in = guest.nights[0] if guest.nights[0] <= self.today else guest.nights[0] - timedelta(days=early)
        nights = (check_in, guest.nights[1] + timedelta(days=late))
        if nights[0] >= nights[1] or nights[0] < min(self.today, guest.nights[0]) or nights[1] <= self.today:
            return
        shown = [guest.nights, *guest.copies.values()]
        row = self.base.stays.get(guest.record_id)
        if row is not None and row.live:
            shown.append((row.check_in, row.check_out))
        if guest.own.key in self.retired or not self.free(nights, guest):
            return
        if not all(share_a_night(nights, other) for other in shown):
            return
        guest.nights = nights
        known = {key: copy for key, copy in guest.copies.items() if key in guest.tied}
        guest.copies = {key: nights if BY_KEY[key] in copied else copy for key, copy in known.items()}

    @precondition(lambda self: any(each.lagging for each in self.guests))
    @rule()
    def copies_catch_up(self) -> None:
        for guest in self.guests:
            guest.copies = {} if guest.canceled else dict.fromkeys(guest.copies, guest.nights)

    @precondition(lambda self: self.present())
    @rule(data=st.data(), source=sources)
    def another_calendar_copies(self, data: st.DataObject, source: Source) -> None:
        guest = data.draw(st.sampled_from(self.present()))
        row = self.base.stays.get(guest.record_id)
        current = row is not None and (row.check_in, row.check_out) == guest.nights
        if source is not guest.own and current and row is not None and row.live and not self.retired:
            guest.copies.setdefault(source.key, guest.nights)

    @precondition(lambda self: self.present())
    @rule(data=st.data(), at_once=st.booleans())
    def cancel(self, data: st.DataObject, at_once: bool) -> None:
        guest = data.draw(st.sampled_from(self.present()))
        guest.canceled = True
        guest.copies = {} if at_once else guest.copies

    @precondition(lambda self: len(self.present()) > 5)
    @rule(source=sources)
    def cancel_a_whole_calendar(self, source: Source) -> None:
        for guest in self.present():
            if guest.own is source:
                guest.canceled, guest.copies = True, {}

    @precondition(lambda self: any(each.canceled and not each.copies for each in self.guests))
    @rule(data=st.data())
    def book_the_nights_of_a_canceled_guest(self, data: st.DataObject) -> None:
        """The same nights, the same calendar, another guest, before the old row has gone."""
        old = data.draw(st.sampled_from([each for each in self.guests if each.canceled and not each.copies]))
        others = [each for each in self.guests if not each.canceled]
        shown = [each.nights for each in others] + [copy for each in others for copy in each.copies.values()]
        shown += [(row.check_in, row.check_out) for row in self.base.live if row.record_id != old.record_id]
        if old.nights[0] > self.today and not any(share_a_night(old.nights, nights) for nights in shown):
            self.guests.append(Guest(len(self.guests), old.own, old.nights))

    # -- the calendars -----------------------------------------------------------------------------------------------

    @precondition(lambda self: self.present())
    @rule(data=st.data())
    def give_a_new_uid(self, data: st.DataObject) -> None:
        guest = data.draw(st.sampled_from(self.present()))
        if guest.own.key not in self.retired and self.row_is_live(guest) and not self.base.tombstones:
            guest.version += 1
            guest.renamed = True

    @precondition(lambda self: self.present())
    @rule(data=st.data())
    def spoil_an_event(self, data: st.DataObject) -> None:
        guest = data.draw(st.sampled_from(self.present()))
        guest.unreadable = guest.own is not BOOKING and guest.version == 0 and bool(guest.record_id)

    @rule(source=sources, how=st.sampled_from(["silent", "empty", "cut"]))
    def fail(self, source: Source, how: str) -> None:
        self.down[source.key] = how

    @rule(source=sources)
    def retire(self, source: Source) -> None:
        if not self.moving and all(self.up_to_date(each) for each in self.present() if each.record_id):
            self.retired.add(source.key)

    @precondition(lambda self: self.retired)
    @rule()
    def take_up_again(self) -> None:
        self.retired.clear()

    @precondition(lambda self: not self.retired)
    @rule()
    def link_to_the_other_house(self) -> None:
        """All calendars of the house at once, while they agree and all rows live."""
        calm = all(self.up_to_date(each) for each in self.present())
        ghosts = any(each.canceled and each.copies for each in self.guests)
        busy = ghosts or self.down or self.moving or self.base.tombstones
        if calm and not busy:
            self.home = LOFT if self.home == CASA else CASA
            self.moving = True

    # -- people and misfortune ---------------------------------------------------------------------------------------

    def row_is_live(self, guest: Guest) -> bool:
        return guest.record_id in self.base.stays and self.base.stays[guest.record_id].live

    def up_to_date(self, guest: Guest) -> bool:
        """Whether the base has seen all that has happened to this guest, and every calendar agrees."""
        row = self.base.stays.get(guest.record_id)
        unread = guest.lagging or guest.renamed or not guest.tied >= set(guest.copies)
        if row is None or not row.live or unread:
            return False
        return row.check_out == guest.nights[1] and (row.check_in == guest.nights[0] or row.check_in <= self.today)

    def bears_its_uid(self, guest: Guest) -> bool:
        """Whether the row itself names the uid that is shown now, and every copy of it has been read."""
        plain = self.base.stays[guest.record_id].uid.startswith(f"{guest.number}.{guest.version}@")
        return plain and guest.tied >= set(guest.copies)

    def rows_of_guests(self) -> list[Guest]:
        return [each for each in self.present() if self.row_is_live(each)]

    @precondition(lambda self: self.rows_of_guests())
    @rule(data=st.data())
    def a_person_orders_a_deep_clean(self, data: st.DataObject) -> None:
        guest = data.draw(st.sampled_from(self.rows_of_guests()))
        self.base.edit(self.base.stays[guest.record_id], service_type="Deep Clean", custom_service_time="9:00 AM")

    @precondition(lambda self: self.rows_of_guests())
    @rule(data=st.data())
    def a_person_sets_a_row_removed(self, data: st.DataObject) -> None:
        guest = data.draw(st.sampled_from(self.rows_of_guests()))
        known = guest.own is not BOOKING and guest.own.key not in self.retired and not self.moving
        if known and self.bears_its_uid(guest):
            self.base.edit(self.base.stays[guest.record_id], status=Status.REMOVED)

    @precondition(lambda self: self.rows_of_guests())
    @rule(data=st.data())
    def a_person_deletes_a_row(self, data: st.DataObject) -> None:
        guest = data.draw(st.sampled_from(self.rows_of_guests()))
        known = guest.own is not BOOKING and guest.own.key not in self.retired and not self.moving
        if known and self.bears_its_uid(guest) and not guest.lagging:
            self.base.delete(self.base.stays[guest.record_id])

    @rule(start=st.integers(1, 40), length=lengths)
    def a_person_adds_a_row(self, start: int, length: int) -> None:
        nights = (self.today + timedelta(days=start), self.today + timedelta(days=start + length))
        if self.free(nights):
            row = {"check_in": nights[0], "check_out": nights[1], "property_id": self.home}
            self.base.add_row(source=None, url="", uid="", service_type="", **row)

    @rule()
    def lose_the_state(self) -> None:
        """Possible whenever rows and calendars agree; what only the state knows is then gone."""
        settled = all(self.up_to_date(each) for each in self.present())
        if settled and not self.down and not self.retired and not self.base.tombstones:
            self.base.lose_the_state_database()

    @precondition(lambda self: self.base.holds)
    @rule(decision=st.sampled_from([Decision.APPROVED, Decision.REJECTED]))
    def decide(self, decision: Decision) -> None:
        self.base.decide(decision)

    # -- runs --------------------------------------------------------------------------------------------------------

    def shown_by(self, source: Source) -> list[tuple[Guest, Observation]]:
        """What a calendar shows today. Booking.com gives new uids every time and lets running stays begin today."""
        self.downloads += 1
        shown = []
        for guest in self.guests:
            own = guest.own is source and not guest.canceled
            nights = guest.nights if own else guest.copies.get(source.key)
            if nights is None or nights[1] < self.today:
                continue
            check_in = (
                max(nights[0], min(self.today, nights[1] - timedelta(days=1))) if source is BOOKING else nights[0]
            )
            number = self.downloads if source is BOOKING else guest.version if own else 0
            item = Observation(
                uid=f"{guest.number}.{number}@{source.entry_source}",
                property_id=self.home,
                check_in=check_in,
                check_out=nights[1],
                kind=Kind.RESERVATION if own else Kind.BLOCK,
                stable_uid=source is not BOOKING,
            )
            shown.append((guest, item))
        return shown

    def batch(self, source: Source) -> Batch | None:
        state = self.down.get(source.key)
        if source.key in self.retired:
            return self.base.batch(source, home=self.home, retired=True)
        if state == "silent" and not self.moving:  # a calendar that was linked anew is always asked
            return None
        shown = self.shown_by(source) if state in (None, "cut") else []
        shown = shown[: len(shown) // 2] if state == "cut" else shown
        bad = [item for guest, item in shown if guest.unreadable and guest.own is source]
        rejected = tuple(Rejected("event", "bad_date", item.uid, self.home) for item in bad)
        items = [item for _, item in shown if item not in bad]
        return self.base.batch(source, *items, home=self.home, fully_read=state is None, rejected=rejected)

    def run(self, hours: float) -> None:
        read = {source.key for source in SOURCES if source.key not in self.down and source.key not in self.retired}
        before = dict(self.base.stays)
        batches = [batch for batch in map(self.batch, SOURCES) if batch is not None]
        plan = self.base.run(*batches, hours=0)
        self.follow_restored_rows(plan)
        self.check_guests(read)
        self.check_rows(plan, before)
        for guest in self.guests:
            guest.tied |= {key for key, nights in guest.copies.items() if key in read and nights == guest.nights}
            guest.tied &= set(guest.copies)
            guest.renamed &= guest.own.key not in read or guest.unreadable
        self.give_jobs()
        self.base.now += timedelta(hours=hours)
        self.down.clear()
        self.moving = False
        for guest in self.guests:
            guest.unreadable = False

    @rule(hours=gaps)
    def a_cycle(self, hours: float) -> None:
        self.run(hours)

    @rule(hours=gaps)
    def two_cycles(self, hours: float) -> None:
        self.run(4)
        self.run(hours)

    def follow_restored_rows(self, plan: Plan) -> None:
        rows = {stay.uid: stay.record_id for stay in self.base.live}
        for change in plan.changes:
            for guest in self.guests:
                if change.restores is not None and guest.record_id == change.restores:
                    guest.record_id = rows[change.after.uid]

    def check_guests(self, read: set[str]) -> None:
        for guest in self.present():
            rows = self.rows_on(guest.nights)
            if guest.own.key in read and not guest.unreadable and guest.nights[0] <= self.today + timedelta(days=180):
                assert len(rows) == 1, f"{guest} has {rows}"
                self.check_row(guest, rows[0])
            if guest.record_id and guest.own.key not in self.retired and guest.record_id in self.base.stays:
                assert len(rows) <= 1

    def rows_on(self, nights: Nights) -> list[Stay]:
        ours = [stay for stay in self.base.live if not stay.kept_by_people and stay.property_id == self.home]
        return [stay for stay in ours if share_a_night((stay.check_in, stay.check_out), nights)]

    def check_row(self, guest: Guest, row: Stay) -> None:
        """The row says what the guest's own calendar says, and is the row and the job it has always been."""
        assert (row.source, row.entry_type) == (guest.own.key, EntryType.RESERVATION), f"{guest} has {row}"
        assert row.check_out == guest.nights[1]
        assert row.check_in == guest.nights[0] or row.check_in <= self.today
        guest.record_id = guest.record_id or row.record_id
        assert row.record_id == guest.record_id, f"{guest} has {row}"
        guest.job_id = guest.job_id or row.job_id
        assert row.job_id == guest.job_id

    def check_rows(self, plan: Plan, before: dict[str, Stay]) -> None:
        for change in plan.changes:
            old = change.before
            if old is None:
                continue
            assert change.after.job_id == old.job_id
            assert old.service_type != "Deep Clean" or change.after.service_type == "Deep Clean"
            assert change.after.custom_service_time == old.custom_service_time
            absent = change.verb is Verb.REMOVE and change.after.change_summary.startswith("Not seen")
            assert not (absent and old.check_in <= self.today)
        for key, stay in before.items():
            assert key in self.base.stays or stay.status is Status.OLD
            assert not stay.kept_by_people or self.base.stays[key] == stay

    def give_jobs(self) -> None:
        for stay in self.base.live:
            if stay.entry_type is EntryType.RESERVATION and not stay.kept_by_people and not stay.job_id:
                self.jobs += 1
                self.base.edit(stay, job_id=f"job_{self.jobs}")
        for guest in self.guests:
            row = self.base.stays.get(guest.record_id)
            guest.job_id = guest.job_id or (row.job_id if row else "")

    @invariant()
    def no_job_serves_two_rows(self) -> None:
        jobs = [stay.job_id for stay in self.base.live if stay.job_id]
        assert len(jobs) == len(set(jobs))

    def teardown(self) -> None:
        """When all is calm again the base shows who is coming and nobody else, and then it rests."""
        self.retired.clear()
        self.down.clear()
        for guest in self.guests:
            guest.copies = {} if guest.canceled else dict.fromkeys(guest.copies, guest.nights)
        for _ in range(6):
            self.base.decide(Decision.APPROVED)
            self.run(4)
        coming = {each.nights for each in self.present() if each.nights[0] > self.today}
        rows = {(row.check_in, row.check_out) for row in self.base.live if row.check_in > self.today and row.source}
        assert rows == coming
        batches = [batch for batch in map(self.batch, SOURCES) if batch is not None]
        assert not self.base.run(*batches).changes


TestHouse = House.TestCase
TestHouse.settings = DEPTH
