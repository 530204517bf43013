"""What a new job is made of, its lines, and how it is found again (jobs.md J-31 … J-35, J-48 … J-55)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from changeover.core.job import marker
from changeover.core.job_order import Line, NotOrderable, complete, copied, made_of, order, shorter_line, total
from changeover.core.service_line import LineFacts
from plugins.job_world import ADDRESS, CUSTOMER, EMPLOYEE, END, NOW, ROW, RULES, START, TEMPLATE, case, home, job, row

NONE = frozenset()
TEMPLATE_LINES = (
    Line("Linen", id="rli_2", unit_price=1500, quantity=Decimal("2.5"), order_index=2, amount=3750),
    Line("Clean", id="rli_1", description="all rooms", unit_price=14500, unit_cost=9000, order_index=1, amount=14500),
)


def test_everything_of_a_job_is_resolved_before_a_call():
    """J-31 … J-34."""
    wanted = order(case())
    assert (wanted.customer_id, wanted.address_id, wanted.template_id) == (CUSTOMER, ADDRESS, TEMPLATE)
    assert (wanted.job_type_id, wanted.employee_id) == ("jbt_guest", EMPLOYEE)
    assert (wanted.start, wanted.end, wanted.window_minutes) == (START, END, 0)
    assert wanted.line == "Turnover STR Next Guest March 9"
    assert wanted.marker == marker(ROW)
    assert order(case()) == wanted


def test_an_owners_arrival_changes_type_start_and_line():
    wanted = order(case(row(owner_arriving=True)))
    assert wanted.job_type_id == "jbt_owner"
    assert wanted.start == START - timedelta(minutes=15)
    assert wanted.line.startswith("OWNER ARRIVING - ")


@pytest.mark.parametrize(
    "refused",
    [case(row(check_out=None)), case(at=home(customer_id=None)), replace(case(), homes={})],
)
def test_what_a_rule_refuses_cannot_be_ordered(refused):
    with pytest.raises(NotOrderable):
        order(refused)


def test_a_templates_lines_are_copied_by_order_without_ids_and_the_first_is_named():
    """J-51."""
    lines = copied(TEMPLATE_LINES, "Turnover STR Next Guest March 9")
    assert [line.name for line in lines] == ["Turnover STR Next Guest March 9", "Linen"]
    assert [line.id for line in lines] == ["", ""]
    assert (lines[0].description, lines[0].unit_price, lines[0].unit_cost) == ("all rooms", 14500, 9000)
    assert lines[1].quantity == Decimal("2.5")
    assert copied((), "anything") == ()


def test_a_job_is_complete_with_these_lines_and_no_others():
    """J-55."""
    wanted = copied(TEMPLATE_LINES, "Ours")
    there = tuple(replace(line, id=f"rli_{place}", amount=1, order_index=place) for place, line in enumerate(wanted))
    assert complete(there[::-1], wanted)
    assert not complete(there[:1], wanted)
    assert not complete((replace(there[0], unit_price=0), there[1]), wanted)
    assert not complete((replace(there[0], name="Clean"), there[1]), wanted)


def test_a_templates_total_is_the_sum_of_its_lines():
    """J-35."""
    assert total(TEMPLATE_LINES) == 18250


def test_a_name_refused_as_too_long_is_made_again_shorter():
    """J-51."""
    facts = LineFacts("Turnover", "é" * 200)
    assert len(shorter_line(facts, replace(RULES, line_limit=255))) == 200


def test_a_job_with_the_rows_marker_is_the_one_that_was_made():
    """J-53."""
    marked = job(id="job_marked", notes=(marker(ROW),), start=None, created=None)
    assert made_of([job(id="job_alike"), marked], order(case()), NOW, NONE) is marked


def test_of_two_jobs_with_the_marker_the_older_is_taken():
    young, old = (
        job(id=f"job_{hours}", notes=(marker(ROW),), created=NOW + timedelta(hours=hours)) for hours in (2, 1)
    )
    assert made_of([young, old], order(case()), NOW, NONE) is old


@pytest.mark.parametrize(
    "changed",
    [
        {"customer_id": "cus_9"},
        {"address_id": "adr_9"},
        {"start": START + timedelta(minutes=1)},
        {"start": None},
        {"created": NOW - timedelta(minutes=2, seconds=1)},
        {"created": None},
        {"notes": (marker("recSTAY0000000009"),)},
    ],
)
def test_without_a_marker_only_a_job_that_can_be_nothing_else_is_taken(changed):
    """J-53."""
    wanted = order(case())
    assert made_of([job()], wanted, NOW, NONE) == job()
    assert made_of([job(**changed)], wanted, NOW, NONE) is None


def test_a_job_that_a_row_has_is_never_taken():
    marked = job(notes=(marker(ROW),))
    assert made_of([marked], order(case()), NOW, frozenset({marked.id})) is None
