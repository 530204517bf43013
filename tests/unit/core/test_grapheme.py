"""Where user-perceived characters begin and end (jobs.md J-37)."""

from __future__ import annotations

import pytest

from changeover.core.grapheme import graphemes, length

FAMILY = "👩‍👩‍👧‍👦"


@pytest.mark.parametrize(
    "whole",
    [
        "e\u0301",  # a letter and its accent
        "👍🏽",  # a hand and its skin
        "❤️",
        FAMILY,
        "🇺🇸",  # a pair of regional indicators
        "🏴\U000e0067\U000e0062\U000e007f",  # a flag written with tags
        "क्ष",  # a letter after a sign that binds
        "กำ",
        "한",
        "\u1112\u1161\u11ab",  # the same in pieces: leading, vowel, trailing
        "\u1100\u1100\uac00",  # leading before leading, and before a syllable
        "\uac00\u11a8",
        "\u0600\u0661",  # a sign that stands before its number
        "ｶﾞ",
    ],
)
def test_what_people_see_as_one_character_is_one(whole):
    assert graphemes(whole) == (whole,)
    assert length(f"a{whole}b") == 3


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", ()),
        ("ab", ("a", "b")),
        ("🇺🇸🇲🇽🇨", ("🇺🇸", "🇲🇽", "🇨")),
        ("한글", ("한", "글")),
        ("\uac00\u1100", ("\uac00", "\u1100")),  # a syllable does not take a leading consonant
        ("é1", ("é", "1")),
        ("👍👍", ("👍", "👍")),
        ("क1", ("क", "1")),
        ("x\u1161", ("x", "\u1161")),
    ],
)
def test_what_people_see_as_several_is_several(text, parts):
    assert graphemes(text) == parts
    assert length(text) == len(parts)
