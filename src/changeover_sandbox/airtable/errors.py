"""Airtable's refusals, word for word, in its four body shapes (airtable.md §2.4); it does not decide what to refuse."""

import json
from collections.abc import Callable
from enum import Enum, auto
from typing import Final

from aiohttp import web


class Shape(Enum):
    """How the body of an error is built."""

    FULL = auto()  # {"error": {"type", "message"}}
    TYPE_ONLY = auto()  # {"error": {"type"}}
    WORD = auto()  # {"error": "NOT_FOUND"}
    PLURAL = auto()  # {"errors": [{"error", "message"}]}


class ApiError(Exception):
    """A refusal as the service would send it."""

    def __init__(self, status: int, kind: str, message: str = "", shape: Shape = Shape.FULL) -> None:
        super().__init__(f"{status} {kind}: {message}")
        self.status = status
        self.kind = kind
        self.message = message
        self.shape = shape

    def body(self) -> dict[str, object]:
        """The JSON body."""
        match self.shape:
            case Shape.FULL:
                return {"error": {"type": self.kind, "message": self.message}}
            case Shape.TYPE_ONLY:
                return {"error": {"type": self.kind}}
            case Shape.WORD:
                return {"error": self.kind}
            case Shape.PLURAL:
                return {"errors": [{"error": self.kind, "message": self.message}]}

    def response(self) -> web.Response:
        """The whole answer."""
        return web.json_response(self.body(), status=self.status)


INVALID_REQUEST: Final = "Invalid request: parameter validation failed. Check your request data."
MODEL_NOT_FOUND: Final = (
    "Invalid permissions, or the requested model was not found. Check that both your user and your token have the"
    " required permissions, and that the model names and/or ids are correct."
)


def not_json() -> ApiError:
    """The body is not JSON."""
    return ApiError(400, "BAD_REQUEST", shape=Shape.WORD)


def too_large() -> ApiError:
    """The body is too large."""
    return ApiError(413, "REQUEST_TOO_LARGE", shape=Shape.WORD)


def uri_too_long() -> ApiError:
    """The URL has 16,000 characters or more."""
    return ApiError(414, "URI_TOO_LONG", shape=Shape.WORD)


def unauthenticated() -> ApiError:
    """No token, or one that nobody owns."""
    return ApiError(401, "AUTHENTICATION_REQUIRED", "Authentication required")


def forbidden() -> ApiError:
    """A base or table that does not exist, or that this token may not see: the service does not tell which."""
    return ApiError(403, "INVALID_PERMISSIONS_OR_MODEL_NOT_FOUND", MODEL_NOT_FOUND)


def not_found() -> ApiError:
    """A route or a record that does not exist."""
    return ApiError(404, "NOT_FOUND", shape=Shape.WORD)


def invalid_request(message: str = INVALID_REQUEST) -> ApiError:
    """Parameters that make no sense."""
    return ApiError(422, "INVALID_REQUEST_UNKNOWN", message)


def unknown_field(name: str) -> ApiError:
    """A field name or id that the table lacks."""
    return ApiError(422, "UNKNOWN_FIELD_NAME", f'Unknown field name: "{name}"')


def invalid_value(name: str) -> ApiError:
    """A value of the wrong kind for its field."""
    return ApiError(422, "INVALID_VALUE_FOR_COLUMN", f'Field "{name}" cannot accept the provided value')


def computed_field(name: str) -> ApiError:
    """A write to a field that the service computes."""
    message = f'Field "{name}" cannot accept a value because the field is computed'
    return ApiError(422, "INVALID_VALUE_FOR_COLUMN", message)


def unknown_option(value: str) -> ApiError:
    """A select option that does not exist, without typecast."""
    message = f'Insufficient permissions to create new select option ""{value}""'
    return ApiError(422, "INVALID_MULTIPLE_CHOICE_OPTIONS", message)


def missing_row(record_id: str) -> ApiError:
    """A record named in a body that the table lacks."""
    return ApiError(422, "ROW_DOES_NOT_EXIST", f"Record ID {record_id} does not exist in this table")


def invalid_formula(reason: str) -> ApiError:
    """A filter that cannot be understood."""
    message = f"The formula for filtering records is invalid: {reason}"
    return ApiError(422, "INVALID_FILTER_BY_FORMULA", message)


def unknown_view(name: str) -> ApiError:
    """A view that the table lacks."""
    return ApiError(422, "VIEW_NAME_NOT_FOUND", f"View {name} not found")


def iterator_gone() -> ApiError:
    """An offset that is too old or was never given."""
    return ApiError(422, "LIST_RECORDS_ITERATOR_NOT_AVAILABLE", shape=Shape.TYPE_ONLY)


def rate_limited() -> ApiError:
    """Too many requests in a second, or still closed because of them."""
    message = "Rate limit exceeded. Please try again later"
    return ApiError(429, "RATE_LIMIT_REACHED", message, Shape.PLURAL)


def billing_limit() -> ApiError:
    """The workspace has used its monthly calls."""
    message = "The API billing limit of this workspace has been exceeded"
    return ApiError(429, "PUBLIC_API_BILLING_LIMIT_EXCEEDED", message, Shape.PLURAL)


def attachment_too_large() -> ApiError:
    """An upload of more than 5 MB."""
    return ApiError(422, "INVALID_ATTACHMENT_OBJECT", "Attachment exceeds the size limit of 5 MB")


def invalid_schema(kind: str, message: str) -> ApiError:
    """A table or field that cannot be created or changed as asked."""
    return ApiError(422, kind, message)


_BY_STATUS: Final[dict[int, Callable[[], ApiError]]] = {
    400: not_json,
    401: unauthenticated,
    403: forbidden,
    404: not_found,
    413: too_large,
    422: invalid_request,
    429: rate_limited,
    500: lambda: ApiError(500, "SERVER_ERROR", "The server encountered an unexpected condition"),
    503: lambda: ApiError(503, "RETRIABLE_ERROR", "The server could not process the request in time"),
}


def status_answer(code: int) -> web.Response:
    """The service's own answer of this status, as far as it is known; else an empty one."""
    make = _BY_STATUS.get(code)
    return make().response() if make else web.Response(status=code)


def rate_limit_answer(value: str) -> web.Response:
    """A 429: of the month with value `billing`, else of the second; `Name: content` adds a header."""
    if value == "billing":
        return billing_limit().response()
    answer = rate_limited().response()
    name, _, content = value.partition(":")
    if content:
        answer.headers[name.strip()] = content.strip()
    return answer


def compact(body: object) -> str:
    """JSON without blanks, all non-ASCII text as it is."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))
