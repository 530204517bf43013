"""Every failure that must never come back has a test which says its number, so that none can silently vanish."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[2]
RULES = TESTS.parent / "docs" / "rules"
CELL = re.compile(r"\| (V-\d+|Z-\d+) \| ([^|]+?) (?=\|)")
IN_A_ROW = re.compile(r"(JX-\d+) ([^|]+?)(?= · JX-| \|)")  # several share a cell

# The part of operations that a cycle over calendars can get wrong.
OF_CYCLES = tuple(f"Z-{number}" for number in (*range(1, 9), 10, 11, 12, 13, 17, 22, 23, 24, 25, 26, 37, 44))


def numbered(page: str, letter: str) -> dict[str, str]:
    """The numbers of a page's last table, each with its failure."""
    text = (RULES / page).read_text(encoding="utf-8").partition("Never again")[2]
    cells = IN_A_ROW if letter == "JX" else CELL
    return {number: failure for number, failure in cells.findall(text) if number.startswith(letter)}


@cache
def named() -> frozenset[str]:
    """Every number in the docstring of a test."""
    return frozenset(number for path in TESTS.rglob("test_*.py") for number in _in_docstrings(path))


def _in_docstrings(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            yield from re.findall(r"\b(?:JX|V|Z)-\d+\b", ast.get_docstring(node) or "")


def test_the_pages_list_what_must_never_come_back() -> None:
    stays, operations = numbered("reservations.md", "V"), numbered("operations.md", "Z")
    assert set(stays) == {f"V-{number}" for number in range(1, 49)}
    assert set(numbered("jobs.md", "JX")) == {f"JX-{number}" for number in range(1, 57)}
    assert numbered("jobs.md", "JX")["JX-22"] == "whole-line cut removed the guest date"
    assert set(OF_CYCLES) <= set(operations)


@pytest.mark.parametrize("number", sorted(numbered("reservations.md", "V")))
def test_every_failure_of_stays_has_a_test_that_says_its_number(number: str) -> None:
    assert number in named(), numbered("reservations.md", "V")[number]


@pytest.mark.parametrize("number", OF_CYCLES)
def test_every_failure_of_cycles_has_a_test_that_says_its_number(number: str) -> None:
    assert number in named(), numbered("operations.md", "Z")[number]


@pytest.mark.parametrize("number", sorted(numbered("jobs.md", "JX")))
def test_every_failure_of_jobs_has_a_test_that_says_its_number(number: str) -> None:
    assert number in named(), numbered("jobs.md", "JX")[number]
