"""The page about conformance lists every question that the tests write down, and what the stand-in does (§15)."""

from __future__ import annotations

import re
from pathlib import Path

from conformance.housecallpro.access import ACCOUNT, NEEDED, OPTIONAL, WEBHOOKS, WRITES, YES
from conformance.housecallpro.company import LABEL
from conformance.housecallpro.questions import QUESTIONS, Question

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "conformance.md").read_text()


def test_every_question_is_on_the_page_with_what_the_stand_in_does():
    rows = re.findall(r"^\| (HC-\d+) \| ([^|]+) \| ([^|]+) \|$", PAGE, re.MULTILINE)
    assert rows == [(each.rule, each.text, each.assumed) for each in QUESTIONS.values()]
    assert list(QUESTIONS) == list(Question)


def test_the_page_names_every_variable_and_what_is_left_behind():
    named = set(re.findall(r"\b(?:HCP|CONFORMANCE|CHANGEOVER)_[A-Z_]+", PAGE))
    assert named == {ACCOUNT, WRITES, WEBHOOKS, *NEEDED, *OPTIONAL}
    assert YES in PAGE
    assert LABEL in PAGE


def test_variables_of_tests_are_no_settings():
    example = (ROOT / ".env.example").read_text()
    assert "CONFORMANCE" not in example
