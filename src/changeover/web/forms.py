"""Forms that act once, sent by the browser that was shown them (X-11, J-108); it keeps nothing on this side."""

from __future__ import annotations

import re
import secrets
import time
import uuid
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlsplit

from flask import Response, request

from changeover.settings.inbound import Inbound
from changeover.web import keys
from changeover.web.asking import Refused
from changeover.web.limits import said_by_proxy

LASTS_SECONDS = 3600
_COOKIE = "changeover-form"
_SESSION = re.compile(r"[0-9a-f]{32}")
_TICKET = re.compile(r"[0-9a-f]{32}")
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Form:
    """What a form carries besides its question; its `ticket` is the id of what it sets going, which so happens once."""

    ticket: str
    issued: str
    mark: str


def new(inbound: Inbound, session: str, *purpose: str) -> Form:
    """A form for one purpose, for one browser."""
    ticket, issued = uuid.uuid4().hex, str(int(time.time()))
    return Form(ticket, issued, keys.form_mark(inbound, session, ticket, issued, *purpose))


def sent(inbound: Inbound, *purpose: str) -> str:
    """The ticket of the form that is sent. Raises Refused unless it was made for this browser and purpose."""
    _check_origin()
    ticket, issued, mark = (request.form.get(name, "") for name in ("ticket", "issued", "mark"))
    known = keys.is_form_mark(mark, inbound, session() or "", ticket, issued, *purpose)
    if not (known and session() and _TICKET.fullmatch(ticket)):
        raise _stale()
    if time.time() - int(issued) > LASTS_SECONDS:
        raise _stale()
    return ticket


def session() -> str | None:
    """The browser's own word, if it brings one."""
    found = request.cookies.get(_cookie_name(), "")
    return found if _SESSION.fullmatch(found) else None


def new_session() -> str:
    return secrets.token_hex(16)


def remember(answer: Response, word: str) -> None:
    """Gives the browser its word (X-10)."""
    answer.set_cookie(_cookie_name(), word, path="/", secure=_is_https(), httponly=True, samesite="Lax")


def _check_origin() -> None:
    """A browser says from which site a form is sent; only ours may. Raises Refused."""
    origin = request.headers.get("Origin")
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        raise _foreign()
    if origin is not None and _place(origin) != _place(f"{_scheme()}://{request.host}"):
        raise _foreign()


def _place(url: str) -> tuple[str, str, int | None]:
    try:
        parts = urlsplit(url)
        return parts.scheme, parts.hostname or "", parts.port or _DEFAULT_PORTS.get(parts.scheme)
    except ValueError:  # no port that could be one
        return "", "", None


def _scheme() -> str:
    return said_by_proxy("X-Forwarded-Proto") or request.scheme


def _is_https() -> bool:
    return _scheme() == "https"


def _cookie_name() -> str:
    return f"__Host-{_COOKIE}" if _is_https() else _COOKIE


def _stale() -> Refused:
    text = "This page is too old, or cookies are off: open it again from Airtable."
    return Refused("unauthorized", text, HTTPStatus.FORBIDDEN)


def _foreign() -> Refused:
    return Refused("unauthorized", "This was sent from another site.", HTTPStatus.FORBIDDEN)
