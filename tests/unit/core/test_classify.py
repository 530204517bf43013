"""What an event's words and dates make of it (P-30 … P-34, R-36, R-40)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from changeover.core.classify import (
    ClosedTest,
    Dialect,
    EventText,
    Meaning,
    Nights,
    PlatformWords,
    Signs,
    Verdict,
    Words,
    classify,
    normal,
    settle,
)
from changeover.core.stay import BlockType, EntryType, Kind

SIGNS = Signs(
    task=Words(("check-in", "cleaning")),
    task_endings=(" - cleaning",),
    task_categories=frozenset({"cleaning", "task"}),
    block=Words(("blocked", "block", "hold", "busy", "owner", "maintenance", "not available")),
    owner=("owner",),
    maintenance=("maintenance", "repair"),
    reservation=Words(("reserved", "booking")),
    reservation_endings=("- by hostaway",),
    channels=("airbnb",),
    channel_starts=("booking",),
    codes=("hm[a-z0-9]{8}",),
    shapes=(r"^[A-Z]{2}-[^-].*-[A-Za-z0-9]*[0-9][A-Za-z0-9]*-[^-]",),
    description_urls=(r"https?://\S*\breservations?\b",),
    description_labels=Words(("phone", "guest", "nights")),
)
GENERAL = Dialect(signs=SIGNS)
AIRBNB = Dialect(
    PlatformWords(
        "Airbnb",
        exact=((Words(("airbnb (not available)",)), Meaning.CLOSED), (Words(("reserved",)), Meaning.RESERVATION)),
        uid_prefixes=(("1418fb94e984-", Meaning.RESERVATION), ("7f662ec65913-", Meaning.CLOSED)),
        closed_tests=frozenset(ClosedTest),
    ),
    SIGNS,
)
BOOKING = Dialect(
    PlatformWords(
        "Booking.com",
        exact=(
            (Words(("closed - not available",)), Meaning.CLOSED),
            (Words(("closed - *",)), Meaning.RESERVATION),
        ),
        closed_tests=frozenset({ClosedTest.TAIL}),
        closed_means_setting=True,
    ),
    SIGNS,
)
GOOGLE = Dialect(PlatformWords("Google Calendar", transparent_is_normal=True), SIGNS)
TODAY = date(2026, 11, 1)
YEAR_AHEAD = TODAY + timedelta(days=365)


def kind(summary: str, dialect: Dialect = GENERAL, **more: object) -> Kind:
    return classify(EventText(summary=summary, **more), dialect).kind  # type: ignore[arg-type]


@pytest.mark.parametrize("after", ["", " x", "-x", "–x", ":x", "(x", ",x", "/x"])
def test_a_word_counts_before_each_of_the_marks_that_may_follow_it(after: str) -> None:
    assert kind(f"Blocked{after}") is Kind.BLOCK


@pytest.mark.parametrize("summary", ["Blockedx", "Blocked.", "Un-blocked", "Pat Block", "Jo McClean"])
def test_a_word_does_not_count_inside_a_text(summary: str) -> None:
    assert kind(summary) is Kind.UNKNOWN


def test_v25_a_guest_named_pat_block_stays_a_guest() -> None:
    assert kind("Reserved - Pat Block") is Kind.RESERVATION
    assert kind("Pat Block", description="Guest: Pat Block") is Kind.RESERVATION


@pytest.mark.parametrize("summary", ["Hold", "Busy", ""])
def test_v24_hold_busy_and_an_empty_summary_are_no_turnovers(summary: str) -> None:
    verdict = classify(EventText(summary=summary), GENERAL)
    assert verdict.kind is not Kind.RESERVATION
    assert verdict.kind.entry_type is EntryType.BLOCK


def test_the_summary_is_asked_before_the_description() -> None:
    assert kind("Blocked", description="no reservation HMTEST0001\nPhone: none") is Kind.BLOCK


def test_case_width_and_runs_of_blanks_do_not_matter() -> None:
    assert kind("  NOT   Ａvailable ") is Kind.BLOCK
    assert normal("  Ａ \t b ") == "a b"


@pytest.mark.parametrize(
    "summary",
    [
        "Pat (HMTEST0001)",
        "Pat hmtest0001",
        "Pat - by Hostaway",
        "Pat (Airbnb)",
        "Pat (Booking.com)",
        "AB-Pat Sample-GY4X-Loft",
    ],
)
def test_signs_of_a_guest_in_the_summary(summary: str) -> None:
    assert kind(summary) is Kind.RESERVATION


@pytest.mark.parametrize("summary", ["Pat (Friend)", "Pat Airbnb)", "ab-Pat-4X-Loft", "AB-Pat-XX-Loft", "HMTEST00011"])
def test_what_only_looks_like_a_sign_is_unknown(summary: str) -> None:
    assert kind(summary) is Kind.UNKNOWN


@pytest.mark.parametrize(
    "description",
    ["see https://x.example/reservations/1", "code HMTEST0001", "first\nNights: 4", "Phone (last 4): 0101"],
)
def test_signs_of_a_guest_in_the_description(description: str) -> None:
    assert kind("Pat", description=description) is Kind.RESERVATION


def test_a_description_without_a_sign_tells_nothing() -> None:
    assert kind("Pat", description="bring towels\nthe guest room is cold") is Kind.UNKNOWN


@pytest.mark.parametrize(
    ("summary", "categories", "same_day"),
    [("Check-in Pat", (), False), ("Pat - cleaning", (), False), ("Pat", ("Cleaning",), False), ("Pool", (), True)],
)
def test_tasks_are_told_by_words_category_or_a_single_day(summary: str, categories: tuple, same_day: bool) -> None:
    assert kind(summary, categories=categories, ends_same_day=same_day) is Kind.TASK


def test_a_block_with_the_word_owner_is_an_owner_stay_and_repairs_are_maintenance() -> None:
    assert classify(EventText("Blocked - owner"), GENERAL) == Verdict(Kind.OWNER_STAY, BlockType.OWNER_STAY)
    assert classify(EventText("Hold: repair"), GENERAL) == Verdict(Kind.BLOCK, BlockType.MAINTENANCE)
    assert classify(EventText("Blocked - Ownerson"), GENERAL) == Verdict(Kind.BLOCK, BlockType.EMPTY)


def test_status_and_method_cancel_whatever_the_words_say() -> None:
    for event in (EventText("Reserved", status="cancelled"), EventText("Reserved", method="CANCEL")):
        assert classify(event, GENERAL) == Verdict(Kind.RESERVATION, canceled=True)


def test_a_canceled_event_that_takes_no_time_is_canceled_all_the_same() -> None:
    assert classify(EventText("Reserved", status="CANCELLED", transparency="TRANSPARENT"), GENERAL).canceled


def test_tentative_is_an_unavailable_block() -> None:
    assert classify(EventText("Reserved", status="TENTATIVE"), GENERAL) == Verdict(Kind.BLOCK, BlockType.UNAVAILABLE)
    tentative = replace(GENERAL, platform=PlatformWords("VRBO", exact=((Words(("tentative",)), Meaning.TENTATIVE),)))
    assert classify(EventText("Tentative - Pat"), tentative) == Verdict(Kind.BLOCK, BlockType.UNAVAILABLE)


def test_an_event_that_takes_no_time_makes_no_row_except_on_google_calendars() -> None:
    event = EventText("Reserved", transparency="TRANSPARENT")
    assert classify(event, GENERAL) == Verdict(Kind.TASK, transparent=True)
    assert classify(event, GOOGLE) == Verdict(Kind.RESERVATION)


def test_words_of_the_feed_come_before_all_other_words() -> None:
    own = replace(GENERAL, own=((Words(("cleaning",)), Meaning.BLOCK), (Words(("family",)), Meaning.RESERVATION)))
    assert classify(EventText("Cleaning"), own).kind is Kind.BLOCK
    assert classify(EventText("Family"), own).kind is Kind.RESERVATION
    assert classify(EventText("Hold"), own).kind is Kind.BLOCK


def test_airbnb_uid_prefixes_decide_where_the_words_do_not() -> None:
    assert classify(EventText("???", uid="1418fb94e984-0@airbnb.com"), AIRBNB).kind is Kind.RESERVATION
    assert classify(EventText("???", uid="7f662ec65913-0@airbnb.com"), AIRBNB).closed
    assert classify(EventText("Reserved", uid="7f662ec65913-0@airbnb.com"), AIRBNB).kind is Kind.RESERVATION


def test_booking_names_a_guest_after_closed() -> None:
    assert classify(EventText("CLOSED - Pat"), BOOKING).kind is Kind.RESERVATION
    assert classify(EventText("CLOSED - Not available"), BOOKING).closed
    assert classify(EventText("CLOSED -"), BOOKING).kind is Kind.UNKNOWN


# --- closed nights by their dates


def closed(start: date, nights: int) -> Nights:
    return Nights(start, start + timedelta(days=nights), Verdict(Kind.BLOCK, closed=True))


def guest(start: date, nights: int, *, canceled: bool = False) -> Nights:
    return Nights(start, start + timedelta(days=nights), Verdict(Kind.RESERVATION, canceled=canceled))


def kinds(*events: Nights, dialect: Dialect = AIRBNB) -> list[Kind]:
    return [verdict.kind for verdict in settle(events, dialect, TODAY)]


@pytest.mark.parametrize("days_off", [-2, 0, 2])
def test_a_late_range_that_ends_a_year_ahead_is_the_window_tail(days_off: int) -> None:
    end = YEAR_AHEAD + timedelta(days=days_off)
    late = Nights(TODAY + timedelta(days=90), end, Verdict(Kind.BLOCK, closed=True))
    assert kinds(late) == kinds(late, dialect=BOOKING) == [Kind.WINDOW_TAIL]


def test_a_range_that_ends_otherwise_or_starts_early_is_no_tail() -> None:
    early = Nights(TODAY + timedelta(days=89), YEAR_AHEAD, Verdict(Kind.BLOCK, closed=True))
    short = Nights(TODAY + timedelta(days=90), YEAR_AHEAD - timedelta(days=3), Verdict(Kind.BLOCK, closed=True))
    assert settle([early, short], AIRBNB, TODAY) == [Verdict(Kind.BLOCK, open_end=True), Verdict(Kind.BLOCK)]


def test_notice_starts_today_and_lasts_two_nights_at_most() -> None:
    assert kinds(closed(TODAY, 2)) == [Kind.NOTICE]
    assert kinds(closed(TODAY, 3)) == [Kind.BLOCK]
    assert kinds(closed(TODAY, 2), dialect=BOOKING) == [Kind.BLOCK]


def test_preparation_lies_inside_a_stay_or_ends_on_its_arrival() -> None:
    stay = guest(date(2026, 11, 12), 4)
    assert kinds(stay, closed(date(2026, 11, 13), 2))[1] is Kind.PREP
    assert kinds(stay, closed(date(2026, 11, 10), 2))[1] is Kind.PREP
    assert kinds(stay, closed(date(2026, 11, 9), 3))[1] is Kind.BLOCK
    assert kinds(stay, closed(date(2026, 11, 10), 2), dialect=BOOKING)[1] is Kind.BLOCK


def test_a_gap_between_two_stays_is_an_owner_unless_preparation_is_set_on_both_sides() -> None:
    first, second = guest(date(2026, 11, 2), 4), guest(date(2026, 11, 8), 2)
    gap = closed(date(2026, 11, 6), 2)
    assert kinds(first, second, gap)[2] is Kind.BLOCK
    assert kinds(first, second, gap, closed(date(2026, 11, 1), 1))[2] is Kind.BLOCK, "of another length"
    third = guest(date(2026, 11, 20), 2)
    assert kinds(first, second, third, gap, closed(date(2026, 11, 18), 2))[3] is Kind.PREP


def test_a_canceled_stay_needs_no_preparation() -> None:
    assert kinds(guest(date(2026, 11, 12), 4, canceled=True), closed(date(2026, 11, 11), 1))[1] is Kind.BLOCK


def test_what_booking_closes_is_what_the_feed_says() -> None:
    events = [closed(date(2026, 11, 12), 2)]
    assert kinds(*events, dialect=BOOKING) == [Kind.BLOCK]
    assert kinds(*events, dialect=replace(BOOKING, closed_is_reservation=True)) == [Kind.RESERVATION]
    assert kinds(*events, dialect=replace(AIRBNB, closed_is_reservation=True)) == [Kind.BLOCK]


def test_a_closed_year_has_an_open_end_under_any_words() -> None:
    year = Nights(TODAY, YEAR_AHEAD, Verdict(Kind.OWNER_STAY, BlockType.OWNER_STAY))
    assert settle([year], GENERAL, TODAY) == [Verdict(Kind.OWNER_STAY, BlockType.OWNER_STAY, open_end=True)]
    stay = Nights(TODAY, YEAR_AHEAD, Verdict(Kind.RESERVATION))
    assert settle([stay], GENERAL, TODAY) == [Verdict(Kind.RESERVATION)]


def test_empty_word_lists_match_nothing() -> None:
    assert not Words().start("anything")
    assert classify(EventText("Reserved HMTEST0001 (x)", description="x"), Dialect()).kind is Kind.UNKNOWN
