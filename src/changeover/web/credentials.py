"""Who posts mails, by HTTP Basic (CM-6, CM-7); it compares in constant time and says nothing about values."""

from __future__ import annotations

import base64
import binascii
import hmac
from dataclasses import dataclass
from enum import StrEnum

from changeover.settings import identity
from changeover.settings.inbound import Inbound


class Fit(StrEnum):
    """How a caller's credentials fit an environment's."""

    STRANGER = "stranger"
    WRONG_PASSWORD = "wrong password"  # noqa: S105 - a finding, no password
    FITS = "fits"


@dataclass(frozen=True, slots=True)
class Caller:
    """What a caller has shown. Neither prints."""

    user: bytes
    password: bytes

    def __repr__(self) -> str:
        return "Caller(…)"


def caller(authorization: str) -> Caller | None:
    """The credentials of an Authorization header; None when there are none or one of them is empty."""
    scheme, _, packed = authorization.strip().partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, _, password = base64.b64decode(packed.strip(), validate=True).partition(b":")
    except (binascii.Error, ValueError):
        return None
    return Caller(user, password) if user and password else None


def fit(shown: Caller, inbound: Inbound) -> Fit:
    """How they fit. A way in whose user is not set is shut; without a password none fits (X-1).

    During a rotation there are two passwords, separated by a comma (CM-6).
    """
    known = _same(shown.user, inbound.cloudmailin_user or "")
    ours = "" if inbound.cloudmailin_password is None else inbound.cloudmailin_password.get_secret_value()
    right = [_same(shown.password, each) for each in identity.parts(ours)]  # each, not the first that fits
    if not (known and inbound.cloudmailin_user):
        return Fit.STRANGER
    return Fit.FITS if any(right) else Fit.WRONG_PASSWORD


def _same(shown: bytes, ours: str) -> bool:
    return hmac.compare_digest(shown, ours.encode())
