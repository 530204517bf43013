"""How formula values compare and what passes a filter (AT-20)."""

import math
from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest

from changeover_sandbox.airtable.formula import FormulaError, Value, as_text, truthy
from changeover_sandbox.airtable.formula.values import as_instant, as_number

Evaluate = Callable[..., Value]
NOON = datetime(2026, 3, 4, 12, 0, 0, 250_000, tzinfo=UTC)


@pytest.mark.parametrize("value", [None, 0, 0.0, False, "", [], float("nan")])
def test_nothing_false_zero_empty_and_nan_do_not_pass(value: Value) -> None:
    assert not truthy(value)


@pytest.mark.parametrize("value", [1, -1, True, "0", "false", ["a"], float("inf"), date(2026, 1, 1)])
def test_everything_else_passes(value: Value) -> None:
    assert truthy(value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (True, "1"),
        (False, "0"),
        (3, "3"),
        (3.0, "3"),
        (2.5, "2.5"),
        (math.nan, "NaN"),
        (math.inf, "Infinity"),
        (-math.inf, "-Infinity"),
        (["Home 1", "Home 2"], "Home 1, Home 2"),
        (date(2026, 3, 4), "2026-03-04"),
        (NOON, "2026-03-04T12:00:00.250Z"),
    ],
)
def test_a_value_has_one_text(value: Value, text: str) -> None:
    assert as_text(value) == text


@pytest.mark.parametrize(
    ("formula", "cells", "result"),
    [
        ("{a}='Tidy'", {"a": "Tidy"}, True),
        ("{a}='tidy'", {"a": "Tidy"}, False),
        ("{a}=''", {"a": None}, True),
        ("{a}=BLANK()", {"a": None}, True),
        ("{a}=BLANK()", {"a": 0}, True),
        ("{a}=BLANK()", {"a": "x"}, False),
        ("BLANK()={a}", {"a": []}, True),
        ("{a}=BLANK()", {"a": date(2026, 3, 4)}, False),
        ("{a}!=BLANK()", {"a": date(2026, 3, 4)}, True),
        ("{a}=0", {"a": None}, True),
        ("{a}='3'", {"a": 3}, True),
        ("{a}=3", {"a": 3.0}, True),
        ("{a}=TRUE()", {"a": True}, True),
        ("{a}=1", {"a": True}, True),
        ("{a}=FALSE()", {"a": None}, True),
        ("{a}='Home 1, Home 2'", {"a": ["Home 1", "Home 2"]}, True),
        ("{a}='recHome0000000001'", {"a": ["Home 1"]}, False),
        ("{a}=5", {"a": [5]}, True),
        ("{a}=DATETIME_PARSE('2026-03-04')", {"a": date(2026, 3, 4)}, True),
        ("{a}='2026-03-04'", {"a": date(2026, 3, 4)}, False),
        ("{a}<3", {"a": 2}, True),
        ("{a}<=3", {"a": 3}, True),
        ("{a}>3", {"a": 3}, False),
        ("{a}>=3", {"a": 3}, True),
        ("{a}>=TODAY()", {"a": date(2026, 3, 4)}, True),
        ("{a}>TODAY()", {"a": date(2026, 3, 4)}, False),
        ("{a}<TODAY()", {"a": None}, False),
        ("{a}<NOW()", {"a": NOON}, True),
    ],
)
def test_comparisons_follow_the_kinds_of_both_sides(
    evaluate: Evaluate, formula: str, cells: dict[str, Value], result: bool
) -> None:
    assert evaluate(formula, cells) is result


@pytest.mark.parametrize("formula", ["{a}<3", "{a}+1", "TODAY()<{a}", "-{a}", "TODAY()<3"])
def test_text_is_in_no_order_and_in_no_sum(evaluate: Evaluate, formula: str) -> None:
    with pytest.raises(FormulaError):
        evaluate(formula, {"a": "Tidy"})


def test_a_number_comes_from_blank_ticks_and_arrays_of_one() -> None:
    assert [as_number(None), as_number(True), as_number([4]), as_number(2.5)] == [0, 1, 4, 2.5]


def test_an_instant_comes_from_dates_text_and_arrays_of_one() -> None:
    midnight = datetime(2026, 3, 4, tzinfo=UTC)
    assert [as_instant(date(2026, 3, 4)), as_instant("2026-03-04"), as_instant([NOON])] == [midnight, midnight, NOON]
    assert [as_instant(None), as_instant(""), as_instant([])] == [None, None, None]


@pytest.mark.parametrize("value", [7, "soon", "2026-02-30", ["a", "b"]])
def test_what_is_no_date_is_an_error(value: Value) -> None:
    with pytest.raises(FormulaError):
        as_instant(value)
