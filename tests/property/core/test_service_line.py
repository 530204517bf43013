"""The service line for any words people may type (jobs.md J-36 … J-42, J-96 … J-102)."""

from __future__ import annotations

from datetime import date
from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st

from changeover.core.grapheme import graphemes, length
from changeover.core.service_line import DOTS, JOIN, LineFacts, clean, service_line
from changeover.core.service_line_merge import Outcome, Question, confirmed, merge
from plugins.job_world import state
from plugins.property_depth import DEPTH

PIECES = st.sampled_from(
    [
        "a",
        " ",
        "\n",
        "é",
        "e\u0301",
        "👩‍👧",
        "👍🏽",
        "🇺🇸",
        "🇲",
        "한",
        "\u1112\u1161",
        "क्ष",
        "กำ",
        "\u200b",
        "\u200d",
        "\u0600",
        " - ",
        "...",
        "STR",
        "9",
    ]
)
TEXTS = st.text(max_size=60) | st.lists(PIECES, max_size=120).map("".join) | st.text("ab ", max_size=300)
FACTS = st.builds(
    LineFacts,
    st.sampled_from(["Turnover", "Return Laundry", "Move-out Clean"]),
    TEXTS,
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.none() | st.dates(date(2026, 1, 1), date(2027, 12, 31)),
)
LIMITS = st.integers(20, 300)


@DEPTH
@given(TEXTS)
def test_characters_joined_are_the_text_and_none_is_empty(text):
    parts = graphemes(text)
    assert "".join(parts) == text
    assert all(parts)
    assert length(text) == len(parts)


@DEPTH
@given(TEXTS)
def test_cleaned_text_is_one_trimmed_line_and_cleaning_again_changes_nothing(text):
    cleaned = clean(text)
    assert clean(cleaned) == cleaned
    assert cleaned == " ".join(cleaned.split())
    assert cleaned.isprintable() or not cleaned.isascii()


@DEPTH
@given(FACTS, LIMITS)
def test_flags_and_base_always_end_the_line_and_only_they_may_pass_the_limit(facts, limit):
    """J-41, J-42, JX-22: the date is in the base, and the base ends every line."""
    line = service_line(facts, limit)
    assert line.endswith(facts.fixed)
    assert line == facts.fixed or (length(line) <= limit and len(line) <= 255)
    assert service_line(facts, limit) == line


@DEPTH
@given(FACTS, LIMITS)
def test_no_character_is_ever_split(facts, limit):
    """J-37, JX-23."""
    custom = clean(facts.custom)
    given_part = service_line(facts, limit).removesuffix(facts.fixed).removesuffix(JOIN)
    boundaries = {0, *accumulate(map(len, graphemes(custom)))}
    assert given_part == custom or len(given_part.removesuffix(DOTS)) in boundaries
    assert custom.startswith(given_part) or custom.startswith(given_part.removesuffix(DOTS))


@DEPTH
@given(FACTS, st.integers(20, 299))
def test_more_room_never_gives_less_of_the_custom_text(facts, limit):
    assert len(service_line(facts, limit)) <= len(service_line(facts, limit + 1))


@DEPTH
@given(FACTS, FACTS, TEXTS, TEXTS, st.booleans(), LIMITS)
def test_a_line_once_written_stands_and_a_persons_words_around_it_survive(before, now, left, right, asked, limit):
    base = service_line(before, limit)
    theirs = f"{left} {base} {right}"
    found = merge(Question(base, theirs, now, limit, asked=asked))
    if found.outcome is Outcome.CONFLICT:
        assert found.name == theirs
        return
    if found.rule == "J-98":
        assert found.name.startswith(f"{left} ")
        assert found.name.endswith(f" {right}")
    again = merge(Question(found.part, found.name, now, limit, asked=asked))
    assert again.outcome is not Outcome.WRITE
    assert again.name == found.name
    stored = confirmed(state(), found, found.part)
    assert confirmed(stored, again, found.part).hcp_line == stored.hcp_line
