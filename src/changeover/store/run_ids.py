"""Run ids: `run-` and 20 characters that sort by time (L-4); nothing is stored here."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base32: no letter that can be taken for another
_TIME_BITS, _RANDOM_BITS = 54, 46
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def new_run_id(now: datetime) -> str:
    """An id unique across machines: microseconds since 1970, then 46 random bits."""
    elapsed = now - _EPOCH
    microseconds = (elapsed.days * 86_400 + elapsed.seconds) * 1_000_000 + elapsed.microseconds
    number = (microseconds % (1 << _TIME_BITS)) << _RANDOM_BITS | secrets.randbits(_RANDOM_BITS)
    return "run-" + "".join(ALPHABET[number >> shift & 31] for shift in range(95, -1, -5))
