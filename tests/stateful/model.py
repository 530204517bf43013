"""The truth: guests, calendars and the rows that must follow from them, by the rules of the specification alone.

Nothing of the program is imported: what a run must come to is worked out here once more, from R-48 … R-74.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone

PHOENIX = timezone(timedelta(hours=-7))
THRESHOLD, GRACE, SOON = 3, timedelta(hours=12), timedelta(days=2)
SERVICE = {"Reservation": "Turnover", "Block": "Needs Review"}
SUMMARY = {"Reservation": "Reserved", "Block": "Blocked"}
Nights = tuple[date, date]


def share_a_night(one: Nights, other: Nights) -> bool:
    return one[0] < other[1] and other[0] < one[1]


@dataclass(eq=False)
class Row:
    """What the live row of a guest must say, and what the program remembers of it."""

    uid: str
    url: str
    house: str
    nights: Nights
    kind: str
    service: str
    wrote: str
    live: bool = True
    versions: int = 0
    misses: int = 0
    told: int = 0  # Missing Count as the row shows it: a change of the row clears it, not the memory
    suspected: bool = False
    since: datetime | None = None
    gone: bool = False
    outright: bool = False
    held: bool = False
    asked: bool = False
    record_id: str = ""
    job: str = ""
    names: set[str] = field(default_factory=set)  # the uids it has been seen under
    human: dict[str, str] = field(default_factory=dict)
    deleted_at: datetime | None = None  # a person has deleted it and the program has not yet made it again
    was_deleted: bool = False

    @property
    def face(self) -> tuple[Nights, str, str, bool]:
        """What makes a version when it changes (R-57)."""
        return self.nights, self.kind, self.house, self.live


@dataclass(eq=False)
class Feed:
    """A calendar: its record as people keep it, how it answers, and what is remembered of its size (R-66)."""

    number: int
    record_id: str
    house: str
    name: str
    status: str = "Active"
    outage: str = ""  # "", "html", "cut", "empty", "500", "slow"
    tagged: bool = False
    trusted: int | None = None
    low: int | None = None
    twin: bool = False  # of the house that two calendars show: its rows are judged elsewhere


@dataclass(eq=False)
class Guest:
    """One true stay on one calendar."""

    number: int
    feed: Feed
    nights: Nights
    kind: str
    uid: str
    shown: bool = True
    canceled: bool = False  # still in the calendar, with STATUS:CANCELLED
    row: Row | None = None


@dataclass
class Outcome:
    """What a committed run came to: did any row change, did any feed disappoint."""

    touched: bool = False
    good: int = 0
    bad: int = 0
    held: bool = False


@dataclass
class Truth:
    """All houses at one moment."""

    feeds: list[Feed] = field(default_factory=list)
    guests: list[Guest] = field(default_factory=list)
    twins: list[Guest] = field(default_factory=list)  # what the calendars of the twin house show

    # -- what the calendars say --------------------------------------------------------------------------------------

    def listed(self, feed: Feed, today: date) -> list[Guest]:
        """Whom a calendar shows today: platforms drop what is over."""
        everybody = self.twins if feed.twin else self.guests
        return [g for g in everybody if g.feed is feed and (g.shown or g.canceled) and g.nights[1] >= today]

    def calendar(self, feed: Feed, today: date) -> str:
        lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Airbnb Inc//Hosting Calendar 1.0//EN"]
        for guest in [] if feed.outage == "empty" else self.listed(feed, today):
            lines += [
                "BEGIN:VEVENT",
                f"UID:{guest.uid}",
                f"DTSTART;VALUE=DATE:{guest.nights[0]:%Y%m%d}",
                f"DTEND;VALUE=DATE:{guest.nights[1]:%Y%m%d}",
                f"SUMMARY:{SUMMARY[guest.kind]}",
                *(["STATUS:CANCELLED"] if guest.canceled else []),
                "END:VEVENT",
            ]
        return "\r\n".join([*lines, "END:VCALENDAR", ""])

    # -- what a run must make of it ----------------------------------------------------------------------------------

    def commit(self, now: datetime, *, observed: bool = True) -> Outcome:
        """Applies one committed run."""
        today = now.astimezone(PHOENIX).date()
        before, outcome = self._picture(), Outcome()
        places = {id(row): (row, row.uid, row.house, row.versions) for guest in self._with_rows() if (row := guest.row)}
        was_live = {id(guest.row) for guest in self._with_rows() if guest.row and guest.row.live}
        due: dict[int, list[Row]] = {}
        for feed in sorted(self.feeds, key=lambda each: each.record_id) if observed else []:
            if feed.status == "Remove":
                self._retire(feed, today)
            elif feed.status == "Active":
                answered = feed.outage in ("", "empty")
                trusted = answered and self.remember(feed, today)
                outcome.good, outcome.bad = outcome.good + trusted, outcome.bad + (not trusted)
                if answered and not feed.twin:
                    due[feed.number] = self._follow(feed, today, now, trusted=trusted)
        for feed in self.feeds:
            self._remove(feed, due.get(feed.number, []), today)
        for row, uid, house, versions in places.values():
            if id(row) in was_live and not row.live:  # what goes does not move before: all else stays
                row.uid, row.house, row.versions = uid, house, versions
        outcome.held = any(g.row.held for g in self._with_rows())
        outcome.touched = before != self._picture()
        return outcome

    def remember(self, feed: Feed, today: date) -> bool:
        """Whether what it does not show may be believed (R-66)."""
        count = 0 if feed.outage == "empty" else len(self.listed(feed, today))
        known = feed.trusted
        shrunk = known is not None and known >= 1 and (count == 0 or (count * 2 < known and known - count > 3))
        if shrunk and not (feed.low is not None and count <= feed.low):
            feed.low = count
            return False
        feed.trusted, feed.low = count, None
        return True

    def _retire(self, feed: Feed, today: date) -> None:
        for guest in self._with_rows(feed):
            row = guest.row
            if row is not None and row.live and row.nights[1] > today and row.deleted_at is None:
                row.live, row.held = False, False
                row.gone, row.outright, row.misses, row.since = True, True, 0, None

    def _follow(self, feed: Feed, today: date, now: datetime, *, trusted: bool) -> list[Row]:
        """One answered calendar; returns the rows that are to be removed."""
        shows = [] if feed.outage == "empty" else self.listed(feed, today)
        before = {id(row): row.face for row in self._rows(feed)}
        self._relink(feed, today)
        for guest in shows:
            if not guest.canceled:
                self._see(guest, today)
        changed = {id(row) for row in self._rows(feed) if id(row) in before and before[id(row)] != row.face}
        for row in self._rows(feed):
            row.versions += id(row) in changed
        due = [
            row for guest in self._with_rows(feed) if (row := self._missed(guest, shows, today, now, trusted=trusted))
        ]
        for row in self._rows(feed):
            if row.deleted_at is not None:
                continue
            if trusted and (row.live or row.nights[1] >= today):
                row.url = feed.name
            if row.live and row.nights[1] >= today:
                row.told = 0 if id(row) in changed else THRESHOLD if row.gone else row.misses
                row.suspected = row.suspected and row.told > 0
        return due

    def _missed(self, guest: Guest, shows: list[Guest], today: date, now: datetime, *, trusted: bool) -> Row | None:
        """Counts a guest whom the calendar no longer shows, or shows as canceled; the row if it is to go."""
        row = guest.row
        if row is None or not row.live or row.deleted_at is not None:
            return None
        if guest.canceled and guest in shows and guest.uid in row.names:  # known by its uid only
            if row.nights[1] <= today:
                return None
            row.gone, row.outright, row.misses, row.since = True, True, 0, None
            return row
        shown = guest in shows and not guest.canceled
        if shown or not trusted or row.nights[0] <= today:
            return None
        row.misses, row.since = min(row.misses + 1, THRESHOLD), row.since or now
        row.gone = row.gone or (row.misses >= THRESHOLD and now - row.since >= GRACE)
        row.outright = row.misses < THRESHOLD
        row.suspected = row.suspected or row.nights[1] <= today + SOON
        return row if row.gone else None

    def _relink(self, feed: Feed, today: date) -> None:
        """Its live rows move to the house that the calendar belongs to now (R-74)."""
        for row in self._rows(feed):
            if row.live and row.house != feed.house and row.nights[1] >= today and not row.deleted_at:
                row.uid = f"{row.uid.removesuffix(f'_{row.house}')}_{feed.house}"
                row.house = feed.house

    def _see(self, guest: Guest, today: date) -> None:
        row = guest.row
        if row is not None and not row.live and guest.uid not in row.names:
            # the same nights under a new uid are a new stay; the old one is somebody else's past
            self.guests.append(
                Guest(-guest.number, guest.feed, row.nights, row.kind, min(row.names), shown=False, row=row)
            )
            row = None
        if row is None:
            service = SERVICE[guest.kind]
            guest.row = Row(
                f"{guest.uid}_{guest.feed.house}",
                guest.feed.name,
                guest.feed.house,
                guest.nights,
                guest.kind,
                service,
                service,
            )
            guest.row.names.add(guest.uid)
            return
        if row.deleted_at is not None:
            return
        check_in, check_out = guest.nights
        if row.nights[0] <= today and share_a_night(row.nights, guest.nights):
            check_in = row.nights[0]
        seen = ((check_in, check_out), guest.kind, guest.feed.house, True)
        if guest.uid not in row.names and ((check_in, check_out), guest.kind) != (row.nights, row.kind):
            row.uid = f"{guest.uid}_{row.house}"
        row.names.add(guest.uid)
        if seen != row.face:
            if row.house != guest.feed.house:
                row.uid = f"{row.uid.removesuffix(f'_{row.house}')}_{guest.feed.house}"
            if row.kind != guest.kind and row.service == row.wrote:
                row.service = row.wrote = SERVICE[guest.kind]
            row.nights, row.kind, row.house, row.live = seen
        row.misses, row.since, row.gone, row.outright, row.held = 0, None, False, False, False

    def _remove(self, feed: Feed, due: list[Row], today: date) -> None:
        """Removals, unless they are too many at once (R-69)."""
        mine = [g.row for g in self._with_rows(feed) if g.row is not None and g.row.live]
        for row in mine:
            row.held = row.held and row.gone and today < (row.nights[1] if row.outright else row.nights[0])
        due += [row for row in mine if row.asked and row.gone and row not in due]
        due = [row for row in due if today < (row.nights[1] if row.outright else row.nights[0])]
        waiting = {id(row) for row in mine if row.held and not row.asked}
        undecided = {id(row) for row in due if not row.asked} | waiting
        future = sum(1 for row in mine if row.nights[1] > today)
        breaks = len(undecided) > max(5, 0.2 * future)
        for row in due:
            if row.asked or not (breaks or id(row) in waiting):
                row.live, row.held = False, False
            else:
                row.held = True
        for row in mine:
            row.asked = False

    def _with_rows(self, feed: Feed | None = None) -> Iterator[Guest]:
        return (g for g in self.guests if g.row is not None and (feed is None or g.feed is feed))

    def _rows(self, feed: Feed) -> list[Row]:
        return [g.row for g in self.guests if g.row is not None and g.feed is feed]

    def _picture(self) -> list[object]:
        return [
            (
                r.uid,
                r.url,
                r.house,
                r.nights,
                r.kind,
                r.service,
                r.live,
                r.misses,
                r.versions,
                r.outright,
                r.gone,
                r.suspected,
            )
            for g in self.guests
            if (r := g.row) is not None
        ]

    # -- what people ask of it ---------------------------------------------------------------------------------------

    def free(self, house: str, nights: Nights, but: Guest | None = None) -> bool:
        """Whether no guest and no live row has a night of these."""
        for guest in self.guests:
            if guest is but:
                continue
            row = guest.row
            taken = [row.nights] if row is not None and row.live and row.house == house else []
            if (guest.shown or guest.canceled) and guest.feed.house == house:
                taken.append(guest.nights)
            if any(share_a_night(nights, each) for each in taken):
                return False
        return True
