"""What each platform makes of the same stays, and how its calendar moves from one day to the next."""

from datetime import date, datetime, timedelta

import pytest

from changeover_sandbox.feeds.dialects import DIALECTS, Scene, vrbo
from changeover_sandbox.feeds.ical import Event, write
from changeover_sandbox.world import Channel, Feed, Listing, Moment, Stay, StayKind, Version, sights
from changeover_sandbox.world.model import Series

DAY = date(2026, 11, 10)


def _stay(
    number: int, first: int, last: int, kind: StayKind = StayKind.GUEST, origin: Channel = Channel.AIRBNB
) -> Stay:
    month = date(2026, 11, 1)
    version = Version(Moment(date(2026, 10, 1), 3), month + timedelta(days=first - 1), month + timedelta(days=last - 1))
    return Stay(f"0-{number}", kind, origin, "Zoë Ashdown", (version,))


def _show(
    platform: Channel, *stays: Stay, day: date = DAY, series: Series | None = None, **settings: object
) -> list[Event]:
    values: dict[str, object] = {
        "number": 0,
        "name": "f",
        "listing": 0,
        "platform": platform,
        "imports": True,
        "lag": 1,
    }
    feed = Feed(**(values | settings))  # type: ignore[arg-type]
    listing = Listing(0, "Quill", "1 N Ironwood Dr Mesa", 0, "A100", (Channel.AIRBNB,), platform, (feed,), series)
    scene = Scene(1, day, feed, listing, sights(feed, stays, Moment(day)))
    return list(DIALECTS[platform].events(scene))


def _nights(events: list[Event]) -> list[tuple[str, str]]:
    return [(f"{event.start:%m-%d}", f"{event.end:%m-%d}") for event in events]


def test_airbnb_tells_guests_from_closed_nights_by_summary_and_uid_prefix() -> None:
    guest, owner, other = (
        _stay(0, 12, 16),
        _stay(1, 20, 23, StayKind.OWNER),
        _stay(2, 25, 27, StayKind.GUEST, Channel.VRBO),
    )
    reserved, closed, imported = _show(Channel.AIRBNB, guest, owner, other)
    assert str(reserved.uid).startswith("1418fb94e984-")
    assert "HM" in reserved.description
    assert str(closed.uid).startswith("7f662ec65913-")
    assert str(imported.uid).startswith("6fec1092d3fa-")
    assert closed.summary == imported.summary == "Airbnb (Not available)"


def test_airbnbs_notice_starts_today_and_rolls_daily() -> None:
    today = _show(Channel.AIRBNB, _stay(0, 20, 23), notice=2)
    tomorrow = _show(Channel.AIRBNB, _stay(0, 20, 23), notice=2, day=DAY + timedelta(days=1))
    assert _nights(today)[0] == ("11-10", "11-12")
    assert _nights(tomorrow)[0] == ("11-11", "11-13")
    assert today[0].uid != tomorrow[0].uid
    assert today[1].uid == tomorrow[1].uid


def test_airbnbs_notice_ends_where_a_stay_begins() -> None:
    assert _nights(_show(Channel.AIRBNB, _stay(0, 11, 13), notice=2)) == [("11-10", "11-11"), ("11-11", "11-13")]
    assert _nights(_show(Channel.AIRBNB, _stay(0, 8, 13), notice=2)) == [("11-08", "11-13")]


def test_airbnb_closes_a_free_night_on_both_sides_of_a_stay() -> None:
    shown = _show(Channel.AIRBNB, _stay(0, 14, 17), _stay(1, 18, 20), prep=1)
    assert _nights(shown) == [
        ("11-13", "11-14"),
        ("11-14", "11-17"),
        ("11-17", "11-18"),
        ("11-18", "11-20"),
        ("11-20", "11-21"),
    ]


def test_airbnb_closes_no_night_after_a_stay_where_none_before_one_explains_it() -> None:
    assert _nights(_show(Channel.AIRBNB, _stay(0, 10, 13), prep=1)) == [("11-10", "11-13")]


def test_airbnbs_window_tail_moves_at_both_ends() -> None:
    (tail,) = _show(Channel.AIRBNB, window=270)
    assert (tail.start, tail.end) == (DAY + timedelta(days=270), DAY + timedelta(days=366))


def test_booking_com_moves_a_running_stay_to_today_under_a_new_uid() -> None:
    stay = _stay(0, 8, 14, StayKind.GUEST, Channel.BOOKING)
    (today,), (tomorrow,) = _show(Channel.BOOKING, stay), _show(Channel.BOOKING, stay, day=DAY + timedelta(days=1))
    assert (today.start, tomorrow.start, today.end) == (DAY, DAY + timedelta(days=1), date(2026, 11, 14))
    assert today.uid != tomorrow.uid
    assert _show(Channel.BOOKING, stay, day=date(2026, 11, 14)) == []


def test_booking_com_keeps_the_uid_of_a_coming_stay() -> None:
    stay = _stay(0, 18, 24, StayKind.GUEST, Channel.BOOKING)
    assert _show(Channel.BOOKING, stay) == _show(Channel.BOOKING, stay, day=DAY + timedelta(days=1))


@pytest.mark.parametrize(("day", "opens"), [(DAY, date(2027, 6, 1)), (date(2026, 5, 20), date(2027, 1, 1))])
def test_booking_coms_closed_range_begins_with_a_month_and_ends_a_year_ahead(day: date, opens: date) -> None:
    (closed,) = _show(Channel.BOOKING, window=200, day=day)
    assert (closed.start, closed.end) == (opens, day + timedelta(days=365))


def test_vrbo_names_blocks_after_their_dates() -> None:
    assert vrbo.block_uid(date(2026, 11, 28), date(2026, 11, 30)) == "11282026-1128-2026-1130-112820261130"


def test_vrbo_speaks_the_sites_language() -> None:
    stays = _stay(0, 12, 15, StayKind.GUEST, Channel.VRBO), _stay(1, 20, 23, StayKind.OWNER, Channel.VRBO)
    assert [event.summary for event in _show(Channel.VRBO, *stays)] == ["Reserved - Zoë", "Blocked"]
    assert [event.summary for event in _show(Channel.VRBO, *stays, language="fr")] == ["Réservé - Zoë", "Indisponible"]


@pytest.mark.parametrize(("language", "words"), [("en", "Tentative - Zoë"), ("fr", "Provisoire - Zoë")])
def test_vrbo_marks_what_is_only_asked_for(language: str, words: str) -> None:
    asked = Version(Moment(date(2026, 11, 1), 2), date(2026, 11, 20), date(2026, 11, 23), tentative=True)
    (event,) = _show(Channel.VRBO, Stay("0-0", StayKind.GUEST, Channel.VRBO, "Zoë A", (asked,)), language=language)
    assert event.summary == words


MANAGED = {
    Channel.HOSTAWAY: {"Owner stay", "Maintenance", "Blocked"},
    Channel.GUESTY: {"Owner stay", "Maintenance", "Blocked by Guesty"},
    Channel.OWNERREZ: {"Block: Owner stay", "Block: Maintenance", "Block: Not available"},
    Channel.HOSPITABLE: {"Closed Period"},
    Channel.LODGIFY: {"Closed Period"},
    Channel.HOSTTOOLS: {"Closed Period"},
    Channel.SMOOBU: {"Blocked - owner", "Maintenance", "Blocked"},
    Channel.IGMS: {"Owner stay", "Maintenance", "Blocked"},
    Channel.TRIPADVISOR: {"Unavailable"},
    Channel.GOOGLE: {"Owner: family visit", "Maintenance - air conditioning", "Blocked"},
}


@pytest.mark.parametrize(("platform", "words"), MANAGED.items())
def test_closed_nights_carry_the_platforms_words(platform: Channel, words: set[str]) -> None:
    kinds = (StayKind.OWNER, StayKind.MAINTENANCE, StayKind.BLOCK)
    stays = [_stay(place, 12 + 5 * place, 15 + 5 * place, kind, platform) for place, kind in enumerate(kinds)]
    assert {event.summary for event in _show(platform, *stays)} == words


GUESTS = {
    Channel.HOSTAWAY: "(airbnbOfficial) - by Hostaway",
    Channel.OWNERREZ: "Booking: Zoë Ashdown",
    Channel.HOSPITABLE: "Zoë Ashdown (HM",
    Channel.LODGIFY: "Booked (Z*** A***)",
    Channel.HOSTTOOLS: "Booked - Z. A.",
    Channel.SMOOBU: "Zoë Ashdown (Airbnb)",
    Channel.IGMS: "Zoë Ashdown",
}


@pytest.mark.parametrize(("platform", "words"), GUESTS.items())
def test_guests_carry_the_platforms_words(platform: Channel, words: str) -> None:
    assert any(words in event.summary for event in _show(platform, _stay(0, 12, 15)))


def test_guesty_writes_a_guest_in_two_ways_and_times_in_utc() -> None:
    shown = _show(Channel.GUESTY, *(_stay(place, 12 + 3 * place, 14 + 3 * place) for place in range(8)))
    assert {event.summary[:3] for event in shown} == {"Res", "GY-"}
    assert isinstance(shown[0].start, datetime)
    assert shown[0].start.isoformat() == "2026-11-12T23:00:00+00:00"


def test_hostaway_now_and_then_names_the_channel_alone() -> None:
    shown = _show(Channel.HOSTAWAY, *(_stay(place, 12 + 3 * place, 14 + 3 * place) for place in range(12)))
    assert {event.summary.startswith("(") for event in shown} == {True, False}


def test_smoobu_shows_a_guest_three_times() -> None:
    coming, leaving, stay = _show(Channel.SMOOBU, _stay(0, 12, 15))
    assert (coming.summary, leaving.summary) == ("Check-in Zoë Ashdown", "Check-out Zoë Ashdown")
    assert f"{coming.end:%H:%M}" == "16:00"
    assert (stay.start, stay.end) == (date(2026, 11, 12), date(2026, 11, 15))


def test_igms_adds_a_cleaning_that_ends_on_its_day() -> None:
    _, cleaning = _show(Channel.IGMS, _stay(0, 12, 15))
    assert cleaning.summary == "Zoë Ashdown - cleaning"
    assert cleaning.extra == ("CATEGORIES:CLEANING",)
    assert cleaning.start.day == cleaning.end.day == 15


def test_tripadvisor_puts_its_name_first() -> None:
    (event,) = _show(Channel.TRIPADVISOR, _stay(0, 12, 15, StayKind.GUEST, Channel.TRIPADVISOR))
    assert event.summary == "Tripadvisor Rentals: Zoë Ashdown"


def test_an_owners_visits_are_one_event_with_the_left_out_ones_named() -> None:
    series = Series(date(2026, 11, 6), 2, 1, 4)
    visits = [
        Stay(
            f"0-{n}",
            StayKind.OWNER,
            Channel.GOOGLE,
            "",
            (Version(Moment(date(2026, 10, 1), 2), day, day + timedelta(2)),),
            True,
        )
        for n, day in enumerate((date(2026, 11, 6), date(2026, 11, 13), date(2026, 11, 27)))
    ]
    (event,) = _show(Channel.GOOGLE, *visits, series=series)
    assert event.extra[:2] == ("RRULE:FREQ=WEEKLY;INTERVAL=1;COUNT=4", "EXDATE;VALUE=DATE:20261120")
    assert _show(Channel.GOOGLE, series=series) == []


def test_ownerrez_tells_a_cancellation_by_status() -> None:
    stay = _stay(0, 20, 23)
    canceled = Version(Moment(DAY, 3), stay.check_in, stay.check_out, canceled=True)
    (event,) = _show(
        Channel.OWNERREZ, Stay("0-0", StayKind.GUEST, Channel.OWNERREZ, "Ada A", (*stay.versions, canceled))
    )
    assert event.extra == ("SEQUENCE:1", "STATUS:CANCELLED")


@pytest.mark.parametrize("platform", DIALECTS)
def test_an_empty_calendar_is_valid(platform: Channel) -> None:
    dialect = DIALECTS[platform]
    body = write(dialect.header, dialect.order, _show(platform)).body(datetime(2026, 11, 10).astimezone())
    assert body.startswith(b"BEGIN:VCALENDAR\r\n")
    assert b"VEVENT" not in body
