"""For every seed and day: the world repeats itself exactly, and calendars show neither more nor less than it holds."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta, timezone

import icalendar
from dateutil.rrule import rrulestr
from hypothesis import given, settings
from hypothesis import strategies as st

from changeover_sandbox.feeds import events_of, template
from changeover_sandbox.world import Channel, Feed, Role, StayKind, World

START = date(2026, 11, 2)
AT = datetime(2026, 11, 2, 15, tzinfo=UTC)
PHOENIX = timezone(timedelta(hours=-7))
seeds = st.integers(min_value=0, max_value=2**32)
days = st.integers(min_value=0, max_value=40)


def _picture(world: World) -> list[object]:
    calendars = [events_of(world, feed) for feed in world.feeds]
    return [world.moment, world.feeds, *(world.stays(listing.number) for listing in world.listings), *calendars]


@settings(max_examples=15, deadline=None)
@given(seed=seeds, length=days)
def test_the_same_seed_and_days_give_the_same_world(seed: int, length: int) -> None:
    at_once, by_the_day = World(seed, 15, START), World(seed, 15, START)
    together = at_once.advance(START + timedelta(days=length))
    apart = [each for day in range(length + 1) for each in by_the_day.advance(START + timedelta(days=day))]
    assert together == apart
    assert _picture(at_once) == _picture(by_the_day)


@settings(max_examples=15, deadline=None)
@given(seed=seeds, length=days)
def test_two_guests_share_one_night_at_most_and_only_from_two_channels(seed: int, length: int) -> None:
    world = World(seed, 40, START)
    world.advance(START + timedelta(days=length))
    for listing in world.listings:
        live = [stay for stay in world.stays(listing.number) if not stay.now.canceled]
        assert all(stay.check_in < stay.check_out for stay in live)
        for first in live:
            for second in live:
                nights = (min(first.check_out, second.check_out) - max(first.check_in, second.check_in)).days
                if first.key < second.key and nights > 0:
                    assert nights == 1
                    assert first.kind is second.kind is StayKind.GUEST
                    assert first.origin is not second.origin


def _local(value: date | datetime) -> date:
    if not isinstance(value, datetime):
        return value
    return value.astimezone(PHOENIX).date() if value.tzinfo else value.date()


def _read(body: bytes) -> Counter[tuple[date, date]]:
    """The nights a reader finds: repeated visits apart, hours that end on their own day left out (R-37, R-38, R-41)."""
    found: Counter[tuple[date, date]] = Counter()
    for event in icalendar.Calendar.from_ical(body).events:
        assert not event.errors
        start, end = _local(event["DTSTART"].dt), _local(event["DTEND"].dt)
        if "RRULE" in event:
            first = datetime.combine(start, datetime.min.time())
            excluded = event.get("EXDATE", [])
            lists = excluded if isinstance(excluded, list) else [excluded]
            left_out = {_local(each.dt) for value in lists for each in value.dts}
            turns = rrulestr(event["RRULE"].to_ical().decode(), dtstart=first)
            found.update((turn.date(), turn.date() + (end - start)) for turn in turns if turn.date() not in left_out)
        elif start < end:
            found[start, end] += 1
    return found


def _shown(world: World, feed: Feed) -> Counter[tuple[date, date]]:
    today = world.moment.day
    nights: Counter[tuple[date, date]] = Counter()
    for sight in world.sights(feed):
        start = max(sight.check_in, today) if feed.platform is Channel.BOOKING else sight.check_in
        nights[start, sight.check_out] += 1
    return nights


@settings(max_examples=15, deadline=None)
@given(seed=seeds, length=days)
def test_every_calendar_parses_and_holds_exactly_what_its_house_shows(seed: int, length: int) -> None:
    world = World(seed, 26, START)
    world.advance(START + timedelta(days=length))
    for feed in world.feeds:
        shown = _shown(world, feed)
        extra = _read(template(world, feed).body(AT)) - shown
        assert shown - _read(template(world, feed).body(AT)) == Counter()
        assert all(_closed_by_rule(world, feed, *nights) for nights in extra)
        assert feed.platform in {Channel.AIRBNB, Channel.BOOKING} or not extra


def _closed_by_rule(world: World, feed: Feed, start: date, end: date) -> bool:
    """Notice, preparation nights or window tail as P-32 knows them, and never a night of a stay."""
    today, sights = world.moment.day, world.sights(feed)
    tail = end >= today + timedelta(days=363) and start >= today + timedelta(days=90)
    stays = [sight for sight in sights if sight.role is Role.GUEST]
    beside = any(end == sight.check_in or start == sight.check_out for sight in stays)
    taken = any(sight.check_in < end and start < sight.check_out for sight in sights)
    short = (end - start).days <= 2
    return not taken and (tail or (short and (start == today or beside)))


@settings(max_examples=15, deadline=None)
@given(seed=seeds)
def test_every_line_has_75_octets_at_most_and_ends_with_cr_lf(seed: int) -> None:
    world = World(seed, 26, START)
    for feed in world.feeds:
        body = template(world, feed).body(AT)
        assert body.count(b"\n") == body.count(b"\r\n")
        assert max(map(len, body.split(b"\r\n"))) <= 75


@settings(max_examples=15, deadline=None)
@given(seed=seeds, length=days)
def test_the_truth_is_what_the_calendars_show(seed: int, length: int) -> None:
    world = World(seed, 40, START)
    world.advance(START + timedelta(days=length))
    for listing in world.listings:
        shown = {sight.stay.key for feed in listing.feeds for sight in world.sights(feed)}
        rows = world.truth(listing.number)
        assert {row.stay.key for row in rows} <= shown
        assert all(row.check_out >= world.moment.day and row.feeds for row in rows)
