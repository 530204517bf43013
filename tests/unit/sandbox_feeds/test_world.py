"""The made-up business: its size, its names and what happens in it day by day."""

from collections import Counter
from datetime import date, timedelta

import pytest

from changeover_sandbox.world import Channel, EntryType, Moment, Role, Stay, StayKind, Version, World, sights
from changeover_sandbox.world.business import found
from changeover_sandbox.world.model import PLATFORMS, Feed

START = date(2026, 11, 2)


def test_the_default_business_has_the_measured_size() -> None:
    world = World(1, 246, START)
    rows = sum(len(world.truth(listing.number)) for listing in world.listings)
    assert (len(world.feeds), len(world.listings)) == (246, 190)
    assert 1200 < rows < 2000


@pytest.mark.parametrize("feeds", [0, 1, 2, 5, 13, 40, 246, 1000])
def test_there_are_exactly_as_many_feeds_as_asked_for(feeds: int) -> None:
    world = World(1, feeds, START)
    assert len(world.feeds) == feeds
    assert [feed.number for feed in world.feeds] == list(range(feeds))


def test_a_small_business_shows_every_platform() -> None:
    assert {feed.platform for feed in World(1, 20, START).feeds} == set(PLATFORMS)


def test_a_house_has_no_platform_twice_and_one_manager_at_most() -> None:
    for listing in World(3, 1000, START).listings:
        platforms = Counter(feed.platform for feed in listing.feeds)
        assert set(platforms.values()) == {1}


def test_names_of_houses_and_owners_are_never_used_twice() -> None:
    business = found(1, 4000, START)
    names = {
        " ".join("".join(c for c in listing.name.casefold() if c.isalnum() or c == " ").split())
        for listing in business.listings
    }
    assert len(names) == len(business.listings)
    assert len({customer.full_name for customer in business.customers}) == len(business.customers)


def test_feed_names_hold_a_secret_and_differ() -> None:
    names = [feed.name for feed in World(1, 246, START).feeds]
    assert len(set(names)) == 246
    assert all(len(name.rpartition("-")[2]) == 24 for name in names)


def test_another_seed_is_another_business() -> None:
    assert World(1, 20, START).feeds != World(2, 20, START).feeds


def test_days_bring_bookings_cancellations_changes_and_blocks() -> None:
    happened = World(1, 246, START).advance(START + timedelta(days=14))
    assert set(Counter(each.what for each in happened)) == {"booked", "blocked", "canceled", "changed"}


def test_time_never_runs_backwards() -> None:
    world = World(1, 5, START)
    world.advance(START, 20)
    with pytest.raises(ValueError, match="already at"):
        world.advance(START, 19)


def test_a_years_life_keeps_the_diaries_short() -> None:
    world = World(1, 30, START)
    world.advance(START + timedelta(days=365))
    assert all(stay.check_out >= date(2027, 4, 1) for listing in world.listings for stay in world.stays(listing.number))


def test_two_channels_now_and_then_sell_one_night_twice() -> None:
    world = World(1, 600, START)
    world.advance(START + timedelta(days=30))
    shared = 0
    for listing in world.listings:
        guests = [s for s in world.stays(listing.number) if s.kind is StayKind.GUEST and not s.now.canceled]
        shared += sum(
            a.check_in < b.check_in < a.check_out and a.origin is not b.origin for a in guests for b in guests
        )
    assert shared > 0


def test_a_closed_house_is_closed_for_a_year_from_every_day_on() -> None:
    world = World(1, 246, START)
    closed = next(listing for listing in world.listings if listing.closed)
    world.advance(START + timedelta(days=3))
    (live,) = world.truth(closed.number)
    assert (live.check_in, live.check_out) == (START + timedelta(days=3), START + timedelta(days=368))
    assert live.entry_type is EntryType.BLOCK
    assert live.stay.open_end


def test_an_unknown_feed_is_none() -> None:
    assert World(1, 5, START).feed("nobody") is None


def _feed(platform: Channel, **changes: object) -> Feed:
    values: dict[str, object] = {
        "number": 0,
        "name": "f",
        "listing": 0,
        "platform": platform,
        "imports": True,
        "lag": 4,
    }
    return Feed(**(values | changes))  # type: ignore[arg-type]


def _stay(kind: StayKind = StayKind.GUEST, origin: Channel = Channel.AIRBNB, *later: Version) -> Stay:
    first = Version(Moment(START, 2), date(2026, 11, 20), date(2026, 11, 23))
    return Stay("0-0", kind, origin, "Ada Ashdown", (first, *later))


def test_a_mirror_shows_a_booking_hours_late() -> None:
    vrbo, stay = _feed(Channel.VRBO), _stay()
    assert sights(vrbo, [stay], Moment(START, 5)) == ()
    (mirror,) = sights(vrbo, [stay], Moment(START, 6))
    assert mirror.role is Role.IMPORTED


def test_its_own_channel_shows_a_booking_at_once() -> None:
    (sight,) = sights(_feed(Channel.AIRBNB), [_stay()], Moment(START, 0))
    assert sight.role is Role.GUEST


def test_a_mirror_shows_the_old_dates_until_it_has_heard_of_the_new_ones() -> None:
    changed = Version(Moment(date(2026, 11, 5), 3), date(2026, 11, 20), date(2026, 11, 25))
    stay = _stay(StayKind.GUEST, Channel.AIRBNB, changed)
    (late,) = sights(_feed(Channel.BOOKING), [stay], Moment(date(2026, 11, 5), 6))
    (known,) = sights(_feed(Channel.BOOKING), [stay], Moment(date(2026, 11, 5), 7))
    assert (late.check_out.day, known.check_out.day) == (23, 25)


def test_a_manager_shows_another_channels_guest_as_a_reservation() -> None:
    feed = _feed(Channel.HOSTAWAY)
    (sight,) = sights(feed, [_stay()], Moment(date(2026, 11, 3)))
    assert sight.entry_type(feed) is EntryType.RESERVATION


def test_an_owners_calendar_shows_no_guests() -> None:
    assert sights(_feed(Channel.GOOGLE), [_stay()], Moment(date(2026, 11, 3))) == ()


def test_a_calendar_that_imports_nothing_shows_its_own_stays_only() -> None:
    assert sights(_feed(Channel.VRBO, imports=False), [_stay()], Moment(date(2026, 11, 3))) == ()


def test_closed_nights_of_booking_com_are_what_their_owner_says() -> None:
    feed = _feed(Channel.BOOKING, closed_means=EntryType.RESERVATION)
    (sight,) = sights(feed, [_stay(StayKind.GUEST, Channel.BOOKING)], Moment(date(2026, 11, 3)))
    assert sight.entry_type(feed) is EntryType.RESERVATION


def test_a_canceled_stay_vanishes_and_ownerrez_tells_it_for_three_days() -> None:
    canceled = Version(Moment(date(2026, 11, 5), 3), date(2026, 11, 20), date(2026, 11, 23), canceled=True)
    stay = _stay(StayKind.GUEST, Channel.AIRBNB, canceled)
    day = Moment(date(2026, 11, 6))
    assert sights(_feed(Channel.AIRBNB), [stay], day) == ()
    (told,) = sights(_feed(Channel.OWNERREZ), [stay], day)
    assert told.role is Role.CANCELED
    assert sights(_feed(Channel.OWNERREZ), [stay], Moment(date(2026, 11, 8), 9)) == ()
    assert stay.canceled_on == date(2026, 11, 5)


def test_past_stays_leave_airbnb_soon_and_vrbo_late() -> None:
    airbnb, vrbo = _stay(), _stay(StayKind.GUEST, Channel.VRBO)
    day_after = Moment(date(2026, 11, 24))
    assert sights(_feed(Channel.AIRBNB), [airbnb], day_after) == ()
    assert len(sights(_feed(Channel.VRBO), [vrbo], Moment(date(2027, 5, 20)))) == 1
    assert sights(_feed(Channel.VRBO), [vrbo], Moment(date(2027, 6, 20))) == ()


def test_the_truth_holds_no_canceled_stay_though_a_mirror_still_shows_it() -> None:
    world = World(1, 246, START)
    happened = world.advance(START + timedelta(days=10), 0)
    canceled = {each.stay.key for each in happened if each.what == "canceled"}
    live = {row.stay.key for listing in world.listings for row in world.truth(listing.number)}
    assert canceled
    assert not canceled & live


def test_what_a_guest_asks_for_is_tentative_in_its_own_calendar_alone() -> None:
    asked = Version(Moment(START, 2), date(2026, 11, 20), date(2026, 11, 23), tentative=True)
    stay = Stay("0-0", StayKind.GUEST, Channel.VRBO, "Ada Ashdown", (asked,))
    vrbo, day = _feed(Channel.VRBO), Moment(date(2026, 11, 4))
    (sight,) = sights(vrbo, [stay], day)
    assert (sight.role, sight.entry_type(vrbo)) == (Role.TENTATIVE, EntryType.BLOCK)
    assert sights(_feed(Channel.AIRBNB), [stay], day) == ()


def test_what_was_asked_for_is_agreed_to_or_canceled_before_the_guest_arrives() -> None:
    world = World(1, 200, START)
    asked: set[str] = set()
    for day in range(1, 25):
        happened = world.advance(START + timedelta(days=day))
        asked |= {each.stay.key for each in happened if each.what == "booked" and each.stay.now.tentative}
        live = [row for listing in world.listings for row in world.truth(listing.number)]
        waiting = [row for row in live if row.stay.now.tentative]
        assert all(row.block_type == "Unavailable" for row in waiting)
        assert all(row.check_in > world.moment.day or row.stay.booked_on == world.moment.day for row in waiting)
    assert asked
