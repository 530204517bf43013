"""Where one user-perceived character ends and the next begins (J-37); it changes no text."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

Ranges = tuple[tuple[int, int], ...]

_JOINER: Final = "\u200d"
_MARKS: Final = frozenset({"Mn", "Me", "Mc"})
_VIRAMA: Final = 9  # the combining class of signs that bind the next letter
_ALSO_EXTEND: Final[Ranges] = (
    (0x200C, 0x200D),
    (0x0E33, 0x0E33),
    (0x0EB3, 0x0EB3),
    (0xFF9E, 0xFF9F),
    (0x1F3FB, 0x1F3FF),
    (0xE0020, 0xE007F),
)
_PREPENDED: Final[Ranges] = (
    (0x0600, 0x0605),
    (0x06DD, 0x06DD),
    (0x070F, 0x070F),
    (0x0890, 0x0891),
    (0x08E2, 0x08E2),
    (0x0D4E, 0x0D4E),
    (0x110BD, 0x110BD),
    (0x110CD, 0x110CD),
)
_FLAG_LETTERS: Final[Ranges] = ((0x1F1E6, 0x1F1FF),)
_LEADING: Final[Ranges] = ((0x1100, 0x115F), (0xA960, 0xA97C))
_VOWELS_AND_TRAILING: Final[Ranges] = ((0x1160, 0x11FF), (0xD7B0, 0xD7C6), (0xD7CB, 0xD7FB))
_SYLLABLES: Final[Ranges] = ((0xAC00, 0xD7A3),)
_HANGUL: Final[Ranges] = _LEADING + _VOWELS_AND_TRAILING + _SYLLABLES


def graphemes(text: str) -> tuple[str, ...]:
    """The user-perceived characters of a text, in order; joined they are the text (J-37)."""
    starts = [*_starts(text), len(text)]
    return tuple(text[first:last] for first, last in pairwise(starts))


def length(text: str) -> int:
    """How many user-perceived characters a text has; for plain ASCII the same as `len`."""
    return len(text) if text.isascii() else sum(1 for _ in _starts(text))


def _starts(text: str) -> Iterator[int]:
    open_flag = False  # the character before is the first half of a pair of regional indicators
    for place, char in enumerate(text):
        flag_letter = _in(char, _FLAG_LETTERS)
        if place == 0 or not (_continues(text[place - 1], char) or (flag_letter and open_flag)):
            yield place
        open_flag = flag_letter and not open_flag


def _continues(before: str, char: str) -> bool:
    if before.isascii() and char.isascii():
        return False
    category = unicodedata.category(char)
    return (
        category in _MARKS
        or _in(char, _ALSO_EXTEND)
        or before == _JOINER
        or (category == "Lo" and unicodedata.combining(before) == _VIRAMA)
        or _in(before, _PREPENDED)
        or _hangul_continues(before, char)
    )


def _hangul_continues(before: str, char: str) -> bool:
    if _in(char, _VOWELS_AND_TRAILING):
        return _in(before, _HANGUL)
    return _in(before, _LEADING) and (_in(char, _LEADING) or _in(char, _SYLLABLES))


def _in(char: str, ranges: Ranges) -> bool:
    point = ord(char)
    return any(first <= point <= last for first, last in ranges)
