"""Our line against what people made of it (jobs.md J-94 … J-103)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from changeover.core.job import JobState
from changeover.core.job_order import Line
from changeover.core.service_line import LineFacts
from changeover.core.service_line_merge import (
    Merged,
    Outcome,
    Question,
    confirmed,
    due,
    inside,
    merge,
    places,
    the_item,
)
from changeover.core.stay import Status
from plugins.job_world import JOB, row, state

FACTS = LineFacts("Turnover", next_guest=date(2026, 3, 9))
OURS = "Turnover STR Next Guest March 9"
OLD = "Turnover STR Next Guest Unknown"
TODAY = date(2026, 3, 4)
STANDS, WRITE, CONFLICT = Outcome.STANDS, Outcome.WRITE, Outcome.CONFLICT


@pytest.mark.parametrize(
    ("base", "theirs", "outcome", "rule", "name"),
    [
        ("", OURS, STANDS, "J-96", OURS),
        (OLD, OURS, STANDS, "J-96", OURS),
        ("", f"VIP! {OURS} (key at desk)", STANDS, "J-96", None),
        (OLD, f"VIP! {OURS}", STANDS, "J-96", None),
        ("Next Guest March 9", f"VIP! {OURS}", STANDS, "J-96", None),  # base within ours
        (OLD, OLD, WRITE, "J-97", OURS),
        (OLD, "", WRITE, "J-97", OURS),
        ("", "", WRITE, "J-97", OURS),
        (OLD, f"VIP! {OLD} (key at desk)", WRITE, "J-98", f"VIP! {OURS} (key at desk)"),
        (OLD, f"{OLD} - {OURS}", WRITE, "J-98", f"{OURS} - {OURS}"),  # our old part stands, so it is not settled
        ("", OLD, WRITE, "J-99", OURS),
        ("", f"OWNER ARRIVING - LONG TERM GUEST DEPARTING - {OLD}", WRITE, "J-99", OURS),
        ("", "SAME DAY Deep Clean STR", WRITE, "J-99", OURS),
        ("", "Ask Bob first", CONFLICT, "J-100", "Ask Bob first"),
        ("", f"Ask Bob - {OLD}", CONFLICT, "J-100", None),
        (OLD, "Ask Bob first", CONFLICT, "J-100", None),
        (OLD, f"{OLD} {OLD}", CONFLICT, "J-100", None),  # twice
        (OLD, f"x{OLD}", CONFLICT, "J-100", None),  # adjoining a letter
    ],
)
def test_the_first_case_that_fits_decides(base, theirs, outcome, rule, name):
    found = merge(Question(base, theirs, FACTS))
    assert (found.outcome, found.rule, found.name) == (outcome, rule, theirs if name is None else name)
    assert found.part == ("" if outcome is CONFLICT else OURS)


def test_a_button_takes_a_strange_line_over_only_while_we_have_none_of_our_own():
    """J-99, J-103."""
    assert merge(Question("", "Ask Bob first", FACTS, asked=True)) == Merged(WRITE, "J-99", OURS, OURS)
    assert merge(Question(OLD, "Ask Bob first", FACTS, asked=True)).outcome is CONFLICT


def test_our_custom_words_give_way_to_a_persons():
    """J-101."""
    facts = replace(FACTS, custom="abcdefghij")
    limit = len(OURS) + 13
    found = merge(Question(OLD, f"VIP! {OLD}", facts, limit))
    assert found == Merged(WRITE, "J-98", f"VIP! ab... - {OURS}", f"ab... - {OURS}")
    again = merge(Question(found.part, found.name, facts, limit))
    assert again == Merged(STANDS, "J-98", found.name, found.part)  # HC-94: the name would stay


def test_a_persons_words_that_leave_no_room_are_a_conflict():
    """J-101."""
    assert merge(Question(OLD, f"VIP! {OLD}", FACTS, len(OURS) + 4)).outcome is CONFLICT


@pytest.mark.parametrize(
    ("part", "text", "expected"),
    [
        ("", "anything", []),
        ("ab", "ab ab-ab", [0, 3, 6]),
        ("ab", "abc cab ab9", []),
        ("ab", "éab abé (ab)", [9]),
        ("-", "a - b -", [2, 6]),
        ("long", "lo", []),
    ],
)
def test_inside_means_without_adjoining_a_letter_or_digit(part, text, expected):
    assert places(part, text) == expected
    assert inside(part, text) is bool(expected)


@pytest.mark.parametrize(
    ("changed", "job", "reads"),
    [
        ({}, {}, True),
        ({}, {"line": OURS}, False),
        ({}, {"job_id": ""}, False),
        ({}, {"job_id": "old_job_1"}, False),
        ({}, {"status": "Completed"}, False),
        ({}, {"status": "Canceled"}, False),
        ({"status": Status.REMOVED}, {}, False),
        ({"check_out": TODAY - timedelta(days=1)}, {}, True),
        ({"check_out": TODAY - timedelta(days=2)}, {}, False),
        ({"check_out": None}, {}, False),
    ],
)
def test_lines_are_read_only_where_ours_is_not_confirmed_and_somebody_still_comes(changed, job, reads):
    """J-94."""
    asked = row(job=state(**job), **changed)
    assert due(asked, OURS, TODAY) is reads
    assert due(asked, OURS, TODAY, asked=True) is (reads or job.get("line") == OURS)
    assert not due(asked, OURS, TODAY, locked=True, asked=True)


def test_the_item_is_the_first_unless_only_another_one_has_our_part():
    """J-95."""
    first, second, third = (Line(name, order_index=place) for place, name in enumerate(("Clean", OLD, "Linen")))
    assert the_item([third, second, first], OLD) is second
    assert the_item([third, first], OLD) is first
    assert the_item([third, second, first], "") is first
    assert the_item([second, replace(second, order_index=5)], OLD) is second
    assert the_item([third, second, replace(third, name=OLD, order_index=9), first], OLD) is first
    assert the_item([], OLD) is None


def test_a_confirmed_line_is_stored_whole_and_as_placed():
    """J-102."""
    merged = Merged(WRITE, "J-98", f"VIP! {OURS}", OURS)
    after = confirmed(JobState(JOB), merged, f"abc - {OURS}")
    assert (after.line, after.last_line, after.hcp_line) == (f"abc - {OURS}", OURS, f"VIP! {OURS}")
    assert after.service_details == "Service line updated"
    quiet = confirmed(JobState(JOB, service_details="so far"), replace(merged, outcome=STANDS), OURS)
    assert quiet.service_details == "so far"


def test_a_conflict_stores_only_what_people_wrote():
    """J-100."""
    before = JobState(JOB, line="a", last_line="b")
    after = confirmed(before, Merged(CONFLICT, "J-100", "Ask Bob first"), OURS)
    text = "⚠️ Service line edited in HCP; not overwritten"
    assert after == replace(before, hcp_line="Ask Bob first", service_details=text)
