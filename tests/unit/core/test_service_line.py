"""The line cleaners read (jobs.md J-36 … J-42)."""

from __future__ import annotations

import calendar
import itertools
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest

from changeover.airtable.job_rows import to_row
from changeover.core.grapheme import length
from changeover.core.job import ServiceType
from changeover.core.service_line import LineFacts, Room, clean, fitted, service_line
from changeover.core.stay import EntryType, Rules, Status, Stay
from changeover.core.turnover import with_flags
from changeover.store.mirror import Record
from plugins.job_world import row
from plugins.paper_base import PHOENIX, PaperBase, day

MARCH_9, MARCH_5 = date(2026, 3, 9), date(2026, 3, 5)
GUEST = LineFacts("Turnover", next_guest=MARCH_9)
BASE = "Turnover STR Next Guest March 9"


@pytest.mark.parametrize(
    ("facts", "limit", "line"),
    [
        (GUEST, 200, BASE),
        (
            LineFacts("Turnover", "Check hot tub", owner_arriving=True, long_term=True, next_guest=MARCH_5),
            200,
            "Check hot tub - OWNER ARRIVING - LONG TERM GUEST DEPARTING - Turnover STR Next Guest March 5",
        ),
        (
            LineFacts("Turnover", long_term=True, same_day=True, next_guest=MARCH_9),
            200,
            "LONG TERM GUEST DEPARTING - SAME DAY Turnover STR",
        ),
        (LineFacts("Return Laundry", "  \n\t "), 200, "Return Laundry STR Next Guest Unknown"),
        (LineFacts("Turnover", "a" * 200, next_guest=MARCH_9), 200, f"{'a' * 163}... - {BASE}"),
        (LineFacts("Turnover", "a" * 201, next_guest=MARCH_9), 255, f"{'a' * 197}... - {BASE}"),
    ],
)
def test_the_examples_of_the_rule_book(facts, limit, line):
    """J-39, J-40, J-41, J-42."""
    assert service_line(facts, limit) == line


@pytest.mark.parametrize("service", ServiceType)
def test_every_service_has_the_same_three_bases_and_a_date_without_zero_or_year(service):
    """J-40."""
    assert service_line(LineFacts(service, same_day=True, next_guest=MARCH_9), 200) == f"SAME DAY {service} STR"
    assert service_line(LineFacts(service), 200) == f"{service} STR Next Guest Unknown"
    dated = [service_line(LineFacts(service, next_guest=date(2027, month, 9)), 200) for month in range(1, 13)]
    assert dated == [f"{service} STR Next Guest {month} 9" for month in calendar.month_name[1:]]


@pytest.mark.parametrize(
    ("custom", "owner", "long_term", "parts"),
    [
        ("", False, True, ["LONG TERM GUEST DEPARTING", BASE]),
        ("", True, False, ["OWNER ARRIVING", BASE]),
        ("Hi - there", True, True, ["Hi - there", "OWNER ARRIVING", "LONG TERM GUEST DEPARTING", BASE]),
        ("Hi", False, False, ["Hi", BASE]),
    ],
)
def test_what_there_is_is_joined_in_one_order_and_what_is_not_leaves_no_trace(custom, owner, long_term, parts):
    """J-41."""
    facts = LineFacts("Turnover", custom, owner_arriving=owner, long_term=long_term, next_guest=MARCH_9)
    assert service_line(facts, 200) == " - ".join(parts)


def test_a_custom_text_of_200_characters_stays_whole_where_there_is_room():
    """J-38."""
    assert service_line(LineFacts("Turnover", "a" * 200, next_guest=MARCH_9), 255) == f"{'a' * 200} - {BASE}"


@pytest.mark.parametrize(
    ("custom", "cleaned"),
    [
        ("  two\r\n lines\tand\u00a0more ", "two lines and more"),
        ("e\u0301", "é"),
        ("a\u200bb\u00adc\ufeffd\u2066e\u2069f\ufffag\u180eh\u202ei", "abcdefghi"),
        ("bell\x07 \ud800half", "bell half"),
        ("x \u200b y", "x y"),
        ("👩‍👧 שלום नमस्ते", "👩‍👧 שלום नमस्ते"),
        ("\u200b\n", ""),
    ],
)
def test_custom_text_becomes_one_line_of_visible_characters(custom, cleaned):
    """J-36."""
    assert clean(custom) == cleaned
    assert clean(cleaned) == cleaned


def test_a_row_stays_long_by_dates_and_brings_all_its_facts():
    """J-39."""
    stayed = row(check_in=date(2026, 2, 18), custom_line="Hi", owner_arriving=True, same_day=True)
    assert LineFacts.of(stayed, 14) == LineFacts("Turnover", "Hi", True, True, True, MARCH_9)
    assert not LineFacts.of(row(check_in=stayed.check_in + timedelta(days=1)), 14).long_term
    assert not LineFacts.of(row(check_in=None), 14).long_term


def test_emoji_are_counted_as_people_see_them_and_code_points_are_counted_too():
    """J-42, JX-23: the cut falls between families, not inside one."""
    families = LineFacts("Turnover", "👩‍👩‍👧‍👦" * 60, next_guest=MARCH_9)
    line = service_line(families, 200)
    assert line == f"{'👩‍👩‍👧‍👦' * 31}... - {BASE}"
    assert length(line) < 200
    assert len(line) <= 255


def test_flags_and_base_are_never_shortened_and_a_custom_text_without_room_is_left_out():
    """J-42, JX-22: whatever is too long, the guest's date stays."""
    facts = LineFacts("Turnover", "Check hot tub", owner_arriving=True, next_guest=MARCH_9)
    assert service_line(facts, 20) == f"OWNER ARRIVING - {BASE}"
    assert service_line(LineFacts("Turnover", "Check", next_guest=MARCH_9), len(BASE) + 6) == BASE
    assert service_line(LineFacts("Turnover", "Check", next_guest=MARCH_9), len(BASE) + 7) == f"C... - {BASE}"


def test_a_line_is_fitted_into_what_others_have_left_of_a_name():
    """J-101."""
    facts = LineFacts("Turnover", "abcdef", next_guest=MARCH_9)
    room = Room(limit=len(BASE) + 16, before="Bob: ", after=" ok!")
    assert fitted(facts, room) == f"a... - {BASE}"
    assert fitted(facts, Room(limit=len(BASE) + 9, before="Bob: ", after=" ok!")) == BASE
    assert fitted(facts, Room(limit=len(BASE) + 8, before="Bob: ", after=" ok!")) is None


def test_a_name_that_was_refused_gets_a_shorter_line():
    """J-51."""
    line = service_line(LineFacts("Turnover", "é" * 200, next_guest=MARCH_9), 255, 200)
    assert len(line) == 200
    assert line.endswith(f"... - {BASE}")


# -- whose date the line tells (J-43) ----------------------------------------------------------------------------------


def stay(base: PaperBase, check_in: int, check_out: int, **cells: object) -> Stay:
    return base.add_row(check_in=day(check_in), check_out=day(check_out), **cells)


def line_of(base: PaperBase, one: Stay) -> str:
    """The line of a row whose flags are what its property's timeline makes of them."""
    found = with_flags(list(base.stays.values()), Rules(PHOENIX), day(0))[one.record_id]
    facts = LineFacts("Turnover", "", found.owner_arriving, found.long_term, found.same_day, found.next_guest)
    return service_line(facts, 200)


@pytest.mark.parametrize("block_type", ["Maintenance", "Unavailable", "Owner Stay", ""])
def test_a_block_far_away_is_nobodys_next_guest(block_type):
    """J-43, JX-17."""
    base = PaperBase()
    leaving = stay(base, 10, 14)
    stay(base, 40, 50, entry_type=EntryType.BLOCK, block_type=block_type)
    assert line_of(base, leaving) == "Turnover STR Next Guest Unknown"
    stay(base, 60, 62)
    assert line_of(base, leaving) == "Turnover STR Next Guest April 30"


@pytest.mark.parametrize("gap", [0, 1])
def test_maintenance_right_after_a_guest_is_not_the_next_guest_and_an_owner_then_is(gap):
    """J-43, JX-17."""
    base = PaperBase()
    leaving = stay(base, 10, 14)
    blocked = stay(base, 14 + gap, 18, entry_type=EntryType.BLOCK, block_type="Maintenance")
    assert line_of(base, leaving) == "Turnover STR Next Guest Unknown"
    base.edit(blocked, block_type="Owner Stay")
    assert line_of(base, leaving) == f"OWNER ARRIVING - Turnover STR Next Guest March {15 + gap}"


@pytest.mark.parametrize("status", [Status.REMOVED, Status.OLD])
def test_a_stay_that_is_gone_is_nobodys_next_guest(status):
    """J-43, JX-18."""
    base = PaperBase()
    leaving = stay(base, 10, 14)
    stay(base, 14, 16, status=status)
    stay(base, 15, 16, status=status, entry_type=EntryType.BLOCK, block_type="Owner Stay")
    assert line_of(base, leaving) == "Turnover STR Next Guest Unknown"


@pytest.mark.parametrize("order", list(itertools.permutations((20, 17, 30))))
def test_the_next_guest_is_the_nearest_in_whatever_order_rows_come(order):
    """J-43, JX-19."""
    base = PaperBase()
    for check_in in order:
        stay(base, check_in, check_in + 2)
    assert line_of(base, stay(base, 10, 14)) == "Turnover STR Next Guest March 18"


@pytest.mark.parametrize("told", ["", "codes\n Owner Stay (Next Checkin)\nmore"], ids=["calendar", "report too"])
def test_the_suppliers_date_and_the_calendar_agree_on_one_line_that_stands(told):
    """J-43, JX-20: the supplier's date is told, the calendar's owner is said, neither is taken back."""
    base = PaperBase()
    leaving = stay(base, 10, 14, itrip_next_guest=day(16), itrip_info=told)
    stay(base, 15, 20, entry_type=EntryType.BLOCK, block_type="Owner Stay")
    stay(base, 20, 22)
    assert line_of(base, leaving) == "OWNER ARRIVING - Turnover STR Next Guest March 17"
    once = with_flags(list(base.stays.values()), Rules(PHOENIX), day(0))
    assert with_flags(list(once.values()), Rules(PHOENIX), day(0)) == once
    base.edit(leaving, itrip_next_guest=None)
    assert line_of(base, leaving) == "OWNER ARRIVING - Turnover STR Next Guest March 16"


@pytest.fixture
def somewhere(request, monkeypatch) -> Iterator[None]:
    """A process whose own clock is of another zone than the business."""
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("somewhere", ["Pacific/Honolulu", "UTC", "Pacific/Kiritimati"], indirect=True)
@pytest.mark.usefixtures("somewhere")
def test_a_date_of_the_base_is_that_date_wherever_the_program_runs():
    """J-43, JX-21: no zone can make a day of the calendar its neighbor."""
    fields = {"Next Guest Date": "2026-03-09", "Check-in Date": "2026-02-18", "Check-out Date": "2026-03-04"}
    read = to_row(Record("recSTAY0000000001", datetime(2026, 3, 1, tzinfo=UTC), fields))
    facts = LineFacts.of(read, 14)
    assert service_line(facts, 200) == f"LONG TERM GUEST DEPARTING - {BASE}"
