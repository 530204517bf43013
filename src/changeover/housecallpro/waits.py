"""How long a refusal asks to wait, in all forms known (HC-33 … HC-35); it never waits itself."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

HEADERS: Final = ("Retry-After", "RateLimit-Reset", "X-RateLimit-Reset")
SHORTEST, LONGEST = 1.0, 120.0

_NUMBER: Final = re.compile(r"\d{1,16}(?:\.\d{1,9})?")
_A_DAY, _EPOCH, _EPOCH_MS = 86_400, 10**9, 10**12


def wait_asked(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds to wait, held within 1 … 120; None where no header can be read. `now` in epoch seconds."""
    for name in HEADERS:
        seconds = _seconds(headers.get(name, "").strip(), now)
        if seconds is not None:
            return min(max(seconds, SHORTEST), LONGEST)
    return None


def _seconds(text: str, now: float) -> float | None:
    if _NUMBER.fullmatch(text):
        return _of_number(float(text), now)
    instant = _http_date(text) or _iso(text)
    return None if instant is None else instant.timestamp() - now


def _of_number(value: float, now: float) -> float | None:
    if value < _A_DAY:
        return value
    if value > _EPOCH_MS:
        return value / 1000 - now
    return value - now if value > _EPOCH else None


def _http_date(text: str) -> datetime | None:
    try:
        return _aware(parsedate_to_datetime(text))
    except (ValueError, OverflowError):
        return None


def _iso(text: str) -> datetime | None:
    try:
        return _aware(datetime.fromisoformat(text))
    except (ValueError, OverflowError):
        return None


def _aware(instant: datetime) -> datetime:
    return instant if instant.tzinfo is not None else instant.replace(tzinfo=UTC)
