"""Housecall Pro's refusals in its several body shapes (housecallpro.md §4); it does not decide what to refuse."""

import json
from collections.abc import Mapping
from typing import Final

from aiohttp import web
from pydantic import ValidationError

BAD_GATEWAY_PAGE: Final = (
    "<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head>"
    "<body><center><h1>502 Bad Gateway</h1></center></body></html>"
)
NO_PERMISSION: Final = "This key does not have the necessary permissions"


class Refusal(Exception):
    """An answer that is no success; `body` None is an empty one."""

    def __init__(self, status: int, body: Mapping[str, object] | None) -> None:
        super().__init__(f"{status} {body}")
        self.status = status
        self.body = body

    def response(self, headers: Mapping[str, str] | None = None) -> web.Response:
        """The whole answer."""
        if self.body is None:
            return web.Response(status=self.status, headers=headers)
        return answer(self.body, self.status, headers)


def answer(body: object, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """A JSON answer."""
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return web.Response(text=text, status=status, headers=headers, content_type="application/json", charset="utf-8")


def told(status: int, message: str) -> Refusal:
    """The shape with a message inside `error`."""
    return Refusal(status, {"error": {"message": message}})


def unauthorized() -> Refusal:
    """No key, or one that nobody has (HC-98)."""
    return told(401, "invalid token")


def not_found(what: str = "") -> Refusal:
    """A path that does not exist, or a thing that this company does not have (HC-25, HC-99)."""
    return told(404, f"{what} not found".lstrip())


def gone() -> Refusal:
    """A part of a deleted job, or a discarded appointment (HC-26, HC-104)."""
    return Refusal(410, None)


def archived(deed: str) -> Refusal:
    """The job is canceled (HC-22, HC-64)."""
    return told(400, f"Can't {deed} an archived job")


def invalid(faults: Mapping[str, str]) -> Refusal:
    """A body or a query that is not understood: a sentence, and each attribute's fault (HC-22, HC-101)."""
    return Refusal(400, {"message": ", ".join(f"{name} {fault}" for name, fault in faults.items()), **faults})


def invalid_body(exc: ValidationError) -> Refusal:
    """The same for what a body's form did not accept."""
    return invalid({_attribute(error["loc"]): _fault(error["type"], error["msg"]) for error in exc.errors()})


def _attribute(place: tuple[int | str, ...]) -> str:
    return next((part for part in reversed(place) if isinstance(part, str)), "body")


def _fault(kind: str, text: str) -> str:
    if kind == "missing":
        return "is missing"
    return text.removeprefix("Value error, ") if kind == "value_error" else "is invalid"


def status_answer(code: int) -> web.Response:
    """The answer of the fault mode `status`: the service's own body for this code (housecallpro.md §4)."""
    if code >= 500:
        return web.Response(status=code, text=f"<html><body><h1>{code}</h1></body></html>", content_type="text/html")
    bodies: Mapping[int, Refusal] = {
        400: invalid({"name": "is invalid"}),
        401: unauthorized(),
        403: told(403, NO_PERMISSION),
        404: not_found(),
        422: Refusal(422, {"errors": {"name": ["is missing"]}}),
    }
    return bodies.get(code, Refusal(code, None)).response()


def rate_limit_answer(header: str) -> web.Response:
    """The answer of the fault mode `rate-limit`: `header` is the whole header, or empty for none (HC-109)."""
    name, _, content = header.partition(":")
    return Refusal(429, None).response({name.strip(): content.strip()} if content.strip() else None)


def html_answer() -> web.Response:
    """The answer of the fault mode `html`: 502 with a page (HC-109)."""
    return web.Response(status=502, text=BAD_GATEWAY_PAGE, content_type="text/html")
