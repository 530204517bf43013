"""Airtable's ids and instants as it writes them (AT-13); nothing here reads a clock."""

import secrets
import string
from datetime import UTC, datetime, timedelta
from typing import Final

_ALPHABET: Final = string.ascii_letters + string.digits
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def new_id(prefix: str) -> str:
    """A fresh random id: three letters that tell the kind, and fourteen of `[A-Za-z0-9]`."""
    return prefix + "".join(secrets.choice(_ALPHABET) for _ in range(14))


def is_id(text: str, prefix: str) -> bool:
    """Whether the text has the form of an id of this kind."""
    return len(text) == 17 and text.startswith(prefix) and text.isascii() and text.isalnum()


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
