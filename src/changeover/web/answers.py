"""What every answer has in common: headers, request id, errors that tell no internals (NG-9, X-12, L-4, HE-5)."""

from __future__ import annotations

import re
from http import HTTPStatus
from uuid import uuid4

from flask import Flask, Response, g, jsonify, request
from structlog.contextvars import bind_contextvars, clear_contextvars
from werkzeug.exceptions import HTTPException

from changeover.ops import logging

log = logging.get(__name__)

REQUEST_ID = "X-Request-Id"
HEADERS = {
    "Strict-Transport-Security": "max-age=31536000",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-XSS-Protection": "1; mode=block",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
}
_WELL_FORMED = re.compile(r"[A-Za-z0-9_-]{8,64}")
_CODES = {
    HTTPStatus.NOT_FOUND: "not_found",
    HTTPStatus.METHOD_NOT_ALLOWED: "method_not_allowed",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "too_large",
    HTTPStatus.UNAUTHORIZED: "unauthorized",
}


def install(app: Flask) -> None:
    """Gives an application these habits."""
    app.before_request(_begin)
    app.after_request(_complete)
    app.register_error_handler(HTTPException, _refused)
    app.register_error_handler(Exception, _broken)


def plain(text: str, status: int) -> Response:
    """A word of text."""
    return Response(text, status, mimetype="text/plain")


def failure(status: int, code: str, text: str) -> Response:
    """An error as programs read it: a stable word, a safe text, the request's id."""
    answer = jsonify(success=False, code=code, error=text, request_id=g.request_id)
    answer.status_code = status
    return answer


def _begin() -> None:
    given = request.headers.get(REQUEST_ID, "")
    g.request_id = given if _WELL_FORMED.fullmatch(given) else f"req-{uuid4().hex}"
    clear_contextvars()  # threads serve many requests
    bind_contextvars(request_id=g.request_id)


def _complete(answer: Response) -> Response:
    answer.headers.update(HEADERS)
    answer.headers[REQUEST_ID] = g.request_id
    return answer


def _refused(error: HTTPException) -> Response:
    status = HTTPStatus(error.code or HTTPStatus.INTERNAL_SERVER_ERROR)
    answer = failure(status, _CODES.get(status, "bad_request"), status.phrase)
    answer.headers.extend(
        (name, value) for name, value in error.get_headers() if name in {"Allow", "WWW-Authenticate", "Retry-After"}
    )
    return answer


def _broken(error: Exception) -> Response:
    log.error("request.failed", path=request.path, exc_info=error)
    return failure(HTTPStatus.INTERNAL_SERVER_ERROR, "internal_error", "Something went wrong on our side.")
