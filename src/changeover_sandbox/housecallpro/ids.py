"""Ids and instants as Housecall Pro writes them (HC-7, HC-11, HC-12); nothing here reads a clock."""

import re
import secrets
from datetime import UTC, datetime
from typing import Final

_RFC_3339: Final = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}", re.ASCII)
_HEX: Final = re.compile(r"[0-9a-f]{32}")


def new_id(prefix: str) -> str:
    """A fresh random id: the kind's prefix and 32 hex digits."""
    return f"{prefix}_{secrets.token_hex(16)}"


def is_id(text: str, prefix: str) -> bool:
    """Whether the text has the form of an id of this kind."""
    return text.startswith(f"{prefix}_") and _HEX.fullmatch(text[len(prefix) + 1 :]) is not None


def instant(text: object) -> datetime:
    """The UTC instant that a text names; raises ValueError, also for a time without `Z` or offset (HC-12)."""
    if not isinstance(text, str) or _RFC_3339.match(text) is None:
        raise ValueError("is not an ISO 8601 time")
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise ValueError("needs Z or an offset")
        return moment.astimezone(UTC)
    except OverflowError as exc:
        raise ValueError("is out of range") from exc


def iso(moment: datetime) -> str:
    """RFC 3339 in UTC, whole seconds, `Z`."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def iso_or_none(moment: datetime | None) -> str | None:
    """The same for what may not have happened."""
    return None if moment is None else iso(moment)
