"""Airtable's ids and instants as it writes them (AT-13); nothing here reads a clock."""

import secrets
from datetime import UTC, datetime, timedelta
from typing import Final

_LENGTH: Final = 17
_RANDOM: Final = 14
_OTHERS: Final = str.maketrans("", "", "-_")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def new_id(prefix: str) -> str:
    """A fresh random id: three letters that tell the kind, and fourteen of `[A-Za-z0-9]`."""
    letters = ""
    while len(letters) < _RANDOM:
        letters += secrets.token_urlsafe(24).translate(_OTHERS)
    return prefix + letters[:_RANDOM]


def is_id(text: str, prefix: str) -> bool:
    """Whether the text has the form of an id of this kind."""
    return len(text) == _LENGTH and text.startswith(prefix) and text.isascii() and text.isalnum()


def instant(milliseconds: int) -> datetime:
    """The aware UTC instant of so many milliseconds after 1970."""
    return _EPOCH + timedelta(milliseconds=milliseconds)


def milliseconds(moment: datetime) -> int:
    """The other way round, cut to whole milliseconds."""
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def iso(milliseconds_: int) -> str:
    """ISO, UTC, milliseconds, Z."""
    moment = instant(milliseconds_)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{milliseconds_ % 1000:03d}Z"
