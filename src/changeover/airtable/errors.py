"""What can go wrong with the base, as types (AT-28), read from an answer in one place; no key, URL or cell enters."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final, TypeAlias

import requests


class AirtableError(Exception):
    """Base of all. `code` is a stable word or the API's own type; `field` and `record_id` name what it is about."""

    def __init__(
        self, code: str, *, status: int | None = None, field: str = "", record_id: str = "", after: float = 0.0
    ) -> None:
        super().__init__(code)
        self.code, self.status, self.field, self.record_id, self.after = code, status, field, record_id, after

    def __str__(self) -> str:
        about = (self.field and f'field "{self.field}"', self.record_id)
        return " ".join((self.code, *(part for part in about if part)))

    def __reduce__(self) -> tuple[type[AirtableError], tuple[str], Mapping[str, object]]:
        return type(self), (self.code,), self.__dict__


class Retriable(AirtableError):
    """May go well later, unchanged; `after` is the wait the base asked for in seconds, 0 if it asked for none."""


class Fatal(AirtableError):
    """The same request will fail again until a person, or we, change something."""


class RateLimited(Retriable):
    """Too many requests in a second; nothing was applied (AT-50)."""


class Unavailable(Retriable):
    """The base did not answer, or not sensibly; nothing is known to be wrong with the request (AT-25)."""


class LeftAlone(Unavailable):
    """Nothing was sent: the base has not answered for a while, and is asked again in `after` seconds (C-65)."""


class Ambiguous(Retriable):
    """A create that may or may not have been applied (AT-48). Never sent again before the base was searched."""


class OffsetExpired(Retriable):
    """A listing that must start again at its first page (AT-17)."""


class Halted(Retriable):
    """Our own guard refused the request before it was sent: stop switch or lost lease (AT-29)."""


class BillingBlocked(Fatal):
    """The month's calls are used up; waiting does not help (AT-51)."""


class Unauthorized(Fatal):
    """The token is not accepted (AT-52)."""


class Forbidden(Fatal):
    """No right to the base or table, or, with `locked`, to one table or field of it."""

    @property
    def locked(self) -> bool:
        return self.code == "INVALID_PERMISSIONS"


class NotFound(Fatal):
    """No such record, or a bad route."""


class SchemaDrift(Fatal):
    """A field we use is not there under its name (AT-12)."""


class RowRejected(Fatal):
    """A row of the batch cannot be written as it is; nothing of the batch was (AT-16, AT-46)."""

    @property
    def row_is_gone(self) -> bool:
        return self.code == "ROW_DOES_NOT_EXIST"


class WrongBase(Fatal):
    """The base's marker names another environment, or there are two markers (AT-11, S-6)."""


class BadRequest(Fatal):
    """Our own mistake: not JSON, a formula that does not parse."""


Json: TypeAlias = "str | int | float | bool | list[Json] | dict[str, Json] | None"


@dataclass(frozen=True, slots=True)
class Answer:
    """A good answer: its JSON object, and the base's clock where the answer had a Date header."""

    body: Mapping[str, Json]
    at: datetime | None


def read(response: requests.Response) -> Answer:
    """The answer as JSON, or the error it means: the one place where a response becomes an error (AT-27, AT-28)."""
    body = _json(response)
    if response.status_code != requests.codes.ok:
        raise _error(response, body)
    if not isinstance(body, dict):
        raise Unavailable("unreadable_answer", status=response.status_code)
    return Answer(body, _date(response))


def _error(response: requests.Response, body: Json) -> AirtableError:
    status = response.status_code
    kind, message = _type_and_message(body)
    code = kind or f"HTTP {status}"
    after = _retry_after(response)
    if status == requests.codes.too_many_requests:
        return (
            BillingBlocked(code, status=status) if kind == _BILLING else RateLimited(code, status=status, after=after)
        )
    if kind == "LIST_RECORDS_ITERATOR_NOT_AVAILABLE":
        return OffsetExpired(code, status=status)
    if kind == "UNKNOWN_FIELD_NAME":
        return SchemaDrift(code, status=status, field=_field(message))
    if kind in _OUR_MISTAKES or status == requests.codes.bad_request:
        return BadRequest(code, status=status)
    if status in _BY_STATUS:
        return _BY_STATUS[status](code, status=status, field=_field(message), record_id=_record(message))
    if status >= requests.codes.internal_server_error:
        return Unavailable(code, status=status, after=after)
    return BadRequest(code, status=status)


_BILLING: Final = "PUBLIC_API_BILLING_LIMIT_EXCEEDED"
_OUR_MISTAKES: Final = frozenset({"INVALID_FILTER_BY_FORMULA"})
_BY_STATUS: Final[Mapping[int, type[AirtableError]]] = {
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    413: RowRejected,  # too large together: halves may pass
    422: RowRejected,
}
_LONGEST_WAIT: Final = 120.0


def _json(response: requests.Response) -> Json:
    try:
        body: Json = response.json()
    except ValueError:
        return None
    return body


def _type_and_message(body: Json) -> tuple[str, str]:
    """Type and message from any of the four shapes of an error's body (airtable.md §2.4)."""
    if not isinstance(body, dict):
        return "", ""
    error = body.get("error")
    if isinstance(error, str):
        return error, ""
    if isinstance(error, dict):
        return str(error.get("type") or ""), str(error.get("message") or "")
    errors = body.get("errors")
    first = errors[0] if isinstance(errors, list) and errors else None
    if isinstance(first, dict):
        return str(first.get("error") or first.get("type") or ""), str(first.get("message") or "")
    return "", ""


def _field(message: str) -> str:
    """The field a message names. Nothing else is taken from a message: it may quote a cell."""
    found = re.match(r'(?:Unknown field name: |Field )"([^"]{1,200})"', message)
    return found.group(1) if found else ""


def _record(message: str) -> str:
    found = re.search(r"\brec[A-Za-z0-9]{14}\b", message)
    return found.group(0) if found else ""


def _retry_after(response: requests.Response) -> float:
    value = response.headers.get("Retry-After", "")
    return min(float(value), _LONGEST_WAIT) if re.fullmatch(r"\d{1,9}(\.\d+)?", value) else 0.0


def _date(response: requests.Response) -> datetime | None:
    try:
        return parsedate_to_datetime(response.headers["Date"]).astimezone(UTC)
    except (KeyError, ValueError):
        return None
