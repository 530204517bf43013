"""When two names of people or homes are equal (R-24, R-31); it never says that names are alike."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

_APOSTROPHES = frozenset("'’‘ʼ`´")


def same_person(one: str, other: str) -> bool:
    """R-24: equal without case, punctuation, extra blanks and single letters between first and last.

    An empty name equals nothing.
    """
    return not person_forms(one).isdisjoint(person_forms(other))


def home_forms(name: str) -> frozenset[str]:
    """What a home's name is compared by, once it is not exactly equal (R-31): NFKC, no case, no punctuation.

    `Casa-Linda` may be meant as one word or as two: it has both forms. Names are equal when they share one.
    """
    return frozenset(form for form in (_plain(name, _left_out), _plain(name, _as_blank)) if form)


def person_forms(name: str) -> frozenset[str]:
    """What a person's name is compared by (R-24); names are equal when they share a form. Empty for an empty name."""
    return frozenset(_without_initials(form) for form in home_forms(name))


def _without_initials(name: str) -> str:
    words = name.split()
    return " ".join(word for n, word in enumerate(words) if len(word) > 1 or n in (0, len(words) - 1))


def _plain(text: str, instead: Callable[[str], str]) -> str:
    folded = unicodedata.normalize("NFKC", text).casefold()
    kept = (char if char.isalnum() or unicodedata.combining(char) else instead(char) for char in folded)
    return " ".join("".join(kept).split())


def _left_out(char: str) -> str:
    return " " if char.isspace() else ""


def _as_blank(char: str) -> str:
    return "" if char in _APOSTROPHES else " "
