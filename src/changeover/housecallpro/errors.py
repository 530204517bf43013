"""What can go wrong with Housecall Pro, as types (HC-92), read from an answer in one place; no key or body enters."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, TypeAlias

import requests

from changeover.housecallpro.waits import wait_asked

Json: TypeAlias = "str | int | float | bool | list[Json] | dict[str, Json] | None"
_NO_FIELDS: Final[Mapping[str, str]] = MappingProxyType({})


class HcpError(Exception):
    """Base of all. `text` is one plain sentence for people (JM-6, JM-12); `message` what the service said, if anything.

    `fields` names the attributes it refused; `after` is the wait it asked for in seconds, 0 if it asked for none.
    """

    said: str = "Housecall Pro could not do this"

    def __init__(
        self,
        message: str = "",
        *,
        status: int | None = None,
        fields: Mapping[str, str] = _NO_FIELDS,
        after: float = 0.0,
    ) -> None:
        super().__init__(message)
        self.message, self.status, self.fields, self.after = message, status, dict(fields), after

    @property
    def text(self) -> str:
        return self.message or (self.said if self.status is None else f"{self.said} ({self.status})")

    def __str__(self) -> str:
        return f"{type(self).__name__}: {self.text}"

    def __reduce__(self) -> tuple[type[HcpError], tuple[str], Mapping[str, object]]:
        return type(self), (self.message,), self.__dict__


class Retriable(HcpError):
    """May go well later, unchanged."""


class Fatal(HcpError):
    """Every request will fail until a person changes something."""


class Rejected(HcpError):
    """This request will fail again; others may not."""


class RateLimited(Retriable):
    """Too many calls, by the service's word or by our own count; nothing was applied (HC-37)."""

    said = "Housecall Pro allows no more calls right now"


class Server(Retriable):
    """5xx: the service is unwell (HC-29)."""

    said = "Housecall Pro has a problem of its own"


class Transport(Retriable):
    """No whole answer came. `sent` is False only where the request cannot have left this machine."""

    said = "Housecall Pro cannot be reached"

    def __init__(
        self,
        message: str = "",
        *,
        status: int | None = None,
        fields: Mapping[str, str] = _NO_FIELDS,
        after: float = 0.0,
        sent: bool = True,
    ) -> None:
        super().__init__(message, status=status, fields=fields, after=after)
        self.sent = sent


class LeftAlone(Transport):
    """Nothing was sent: the service has not answered for a while, and is asked again in `after` seconds (C-65)."""


class BadPayload(Retriable):
    """A good status with a body that is not what was asked for; never taken for an empty result (HC-30)."""

    said = "Housecall Pro answered in a form that is not understood"


class Ambiguous(Retriable):
    """A POST that may or may not have been applied (HC-37). Never sent again before somebody has looked."""

    said = "Nobody knows whether Housecall Pro has done this"


class Halted(Retriable):
    """Our own guard refused the request before it was sent: stop switch or lost lease."""

    said = "Changeover was stopped before this"


class Auth(Fatal):
    """401 or 403: the key, its plan or its permissions (HC-23, HC-24)."""

    said = "Housecall Pro refuses the key"


class Misrouted(Fatal):
    """The address is not that of the API: not even the company is found there (HC-115)."""

    said = "HCP_BASE_URL does not lead to the Housecall Pro API"


class NotFound(Rejected):
    """404 (HC-25)."""

    said = "Housecall Pro does not have this"


class Gone(Rejected):
    """Deleted or archived: 410, or 400 with that word (HC-26, HC-92)."""

    said = "Housecall Pro does not have this any more"


class Validation(Rejected):
    """The request's content is refused, perhaps with its attributes named (HC-22, HC-27)."""

    said = "Housecall Pro refuses the request"


LONGEST_MESSAGE: Final = 500
_ARCHIVED: Final = re.compile(r"archived|deleted", re.IGNORECASE)
_PRIVATE: Final = re.compile(r"[\w.+%-]+@[\w-]+(?:\.[\w-]+)+|(?<![\w.])\+?(?:\(?\d{3}\)?[ .-]?){2}\d{4}(?![\w-])")


def read(response: requests.Response, now: float, *, empty: bool = False) -> Json:
    """The answer as JSON, or the error it means: the one place where a response becomes an error (HC-30, HC-92).

    `now` is in epoch seconds, for headers that name an instant. `empty`: a body without content is an answer too.
    """
    status = response.status_code
    if status >= _BAD:
        raise _error(response, now)
    if status >= _REDIRECT:
        raise BadPayload(status=status)
    if empty and not response.content.strip():
        return None
    try:
        body: Json = response.json()
    except ValueError:
        raise BadPayload(status=status) from None
    return body


_REDIRECT: Final = 300
_BAD: Final = 400
_SERVER: Final = 500
_BY_STATUS: Final[Mapping[int, type[HcpError]]] = {401: Auth, 403: Auth, 404: NotFound, 410: Gone}


def _error(response: requests.Response, now: float) -> HcpError:
    status = response.status_code
    body = _json(response)
    message, fields = said(body)
    if status == requests.codes.too_many_requests:
        return RateLimited(message, status=status, after=wait_asked(response.headers, now) or 0.0)
    if status >= _SERVER:
        return Server(message, status=status, after=wait_asked(response.headers, now) or 0.0)
    raw = response.text if body is None else ""  # looked at, never shown
    kind = _BY_STATUS.get(status)
    if kind is None:
        archived = status == requests.codes.bad_request and _ARCHIVED.search(message or raw)
        kind = Gone if archived else Validation
    return kind(message, status=status, fields=fields)


def _json(response: requests.Response) -> Json:
    try:
        body: Json = response.json()
    except ValueError:
        return None
    return body


def said(body: Json) -> tuple[str, dict[str, str]]:
    """The sentence and the named attributes of an error's body, in any of its shapes (HC-22 … HC-30)."""
    if not isinstance(body, dict):
        return "", {}
    fields = _fields(body)
    error = body.get("error")
    if isinstance(error, dict):
        found = _words(error.get("message"))
    elif isinstance(error, str):
        found = ": ".join(part for part in (error, _words(body.get("error_description"))) if part)
    else:
        found = _words(body.get("message"))
    return _shown(found or "; ".join(f"{name} {text}" for name, text in fields.items())), fields


def _fields(body: Mapping[str, Json]) -> dict[str, str]:
    errors = body.get("errors")
    given = errors if isinstance(errors, dict) else body
    names = [name for name in given if given is errors or name not in ("message", "error", "error_description")]
    return {name[:100]: _shown(_words(given[name])) for name in names if _words(given[name])}


def _words(value: Json) -> str:
    if isinstance(value, list):
        return ", ".join(each for each in value if isinstance(each, str))
    return value if isinstance(value, str) else ""


def _shown(text: str) -> str:
    return _PRIVATE.sub("…", " ".join(text.split()))[:LONGEST_MESSAGE]
