"""The line cleaners read (jobs.md J-36 … J-42)."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from changeover.core.grapheme import length
from changeover.core.service_line import LineFacts, Room, clean, fitted, service_line
from plugins.job_world import row

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
    assert service_line(facts, limit) == line


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
    """J-42."""
    families = LineFacts("Turnover", "👩‍👩‍👧‍👦" * 60, next_guest=MARCH_9)
    line = service_line(families, 200)
    assert line == f"{'👩‍👩‍👧‍👦' * 31}... - {BASE}"
    assert length(line) < 200
    assert len(line) <= 255


def test_flags_and_base_are_never_shortened_and_a_custom_text_without_room_is_left_out():
    """J-42."""
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
