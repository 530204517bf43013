"""Seeded chance: the same words always give the same numbers and ids; it reads no clock and no entropy."""

import hashlib
import random
import string

ALPHANUMERIC = string.ascii_letters + string.digits
CAPITALS = string.ascii_uppercase + string.digits


def digest(*parts: object) -> str:
    """32 hexadecimal digits that depend on all parts and their order."""
    return hashlib.blake2b("|".join(map(str, parts)).encode(), digest_size=16).hexdigest()


def chance(*parts: object) -> random.Random:
    """A random stream of its own for these parts, so that no draw elsewhere can shift it."""
    return random.Random(int(digest(*parts), 16))


def code(length: int, *parts: object, alphabet: str = CAPITALS) -> str:
    """A code of `length` characters of the alphabet, e.g. a booking's confirmation code."""
    return "".join(chance("code", *parts).choices(alphabet, k=length))


def uuid(*parts: object) -> str:
    """A UUID in the shape of version 4."""
    raw = digest("uuid", *parts)
    return f"{raw[:8]}-{raw[8:12]}-4{raw[13:16]}-8{raw[17:20]}-{raw[20:]}"
