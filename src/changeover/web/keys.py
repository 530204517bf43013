"""Who may ask (J-104, X-3): an environment's API key, and what is derived from it for buttons; it knows no route."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from enum import StrEnum

from changeover.settings import identity
from changeover.settings.inbound import Inbound

KEY_HEADER = "X-API-Key"


class Verdict(StrEnum):
    """How what somebody showed fits an environment; the refusals are the API's words."""

    FITS = "fits"
    UNKNOWN = "unauthorized"
    ELSEWHERE = "wrong_environment"

    @property
    def http(self) -> int:
        """The status it answers with."""
        return {Verdict.FITS: 200, Verdict.UNKNOWN: 401, Verdict.ELSEWHERE: 403}[self]


def judge_key(shown: str, own: Inbound, others: Iterable[Inbound]) -> Verdict:
    """A key as a header brings it. Every key is compared, in constant time; during a rotation two are right (X-1)."""
    given = _as_typed(shown)
    return _judge(given, _keys(own), [key for each in others for key in _keys(each)])


def judge_token(shown: str, own: Inbound, others: Iterable[Inbound]) -> Verdict:
    """A button's token, by the keys it may be derived from."""
    ours = [button_token(key, own.environment) for key in _keys(own)]
    theirs = [button_token(key, each.environment) for each in others for key in _keys(each)]
    return _judge(shown.encode(), ours, theirs)


def button_token(key: str, env: str) -> str:
    """What a button's link carries: it opens the page that asks, and neither acts nor tells the key."""
    return _derived(key, "button", env)


def form_mark(inbound: Inbound, *parts: str) -> str:
    """What proves that a form was made here for this browser and for just these parts (X-11)."""
    return _derived(min(_keys(inbound)), "form", str(inbound.environment), *parts)


def is_form_mark(shown: str, inbound: Inbound, *parts: str) -> bool:
    marks = [_derived(key, "form", str(inbound.environment), *parts) for key in _keys(inbound)]
    right = [_same(shown.encode(), mark) for mark in marks]
    return any(right)


def _judge(given: bytes, ours: Iterable[str], theirs: Iterable[str]) -> Verdict:
    fits, elsewhere = ([_same(given, each) for each in these] for these in (ours, theirs))
    if any(fits):
        return Verdict.FITS
    return Verdict.ELSEWHERE if any(elsewhere) else Verdict.UNKNOWN


def _keys(inbound: Inbound) -> list[str]:
    return sorted(identity.parts(inbound.api_key.get_secret_value()))


def _derived(key: str, *parts: str) -> str:
    text = "\n".join(("changeover", *parts))
    return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()[:40]


def _same(shown: bytes, ours: str) -> bool:
    return hmac.compare_digest(shown, ours.encode())


def _as_typed(header: str) -> bytes:
    """A server hands headers over as Latin-1; the key may have been typed in anything."""
    return header.encode("latin-1", "replace")
