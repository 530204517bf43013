"""The control API every stand-in has under `/_sandbox` (journal, faults, reset); it never speaks a real protocol."""

import asyncio
import ipaddress
import json
import re
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial
from typing import Final
from urllib.parse import unquote_plus

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

PREFIX: Final = "/_sandbox"
KEY_LENGTH: Final = 6
BODY_LIMIT: Final = 64 * 1024
JOURNAL_LENGTH: Final = 100_000
STATUSES: Final = range(200, 600)
MAX_LATENCY: Final = 600.0
SIGN_IN_PAGE: Final = (
    "<!DOCTYPE html><html><head><title>Sign in</title></head><body><form method='post' action='/login'>"
    "<h1>Sign in</h1><input name='email'><input name='password' type='password'></form></body></html>"
)


class FaultMode(StrEnum):
    """What happens to a request that a fault catches."""

    STATUS = "status"
    LATENCY = "latency"
    DROP_BEFORE = "drop-before"
    DROP_AFTER_COMMIT = "drop-after-commit"
    TRUNCATE = "truncate"
    HTML = "html"
    RATE_LIMIT = "rate-limit"


class InvalidFaultError(ValueError):
    """A fault that cannot be meant; the message says what is wrong with it."""


@dataclass(slots=True)
class Fault:
    """One order to spoil requests; `left` counts down, None means until it is cleared."""

    method: str
    path: re.Pattern[str]
    mode: FaultMode
    value: str
    left: int | None

    def catches(self, method: str, path: str) -> bool:
        """Whether this request is the fault's business."""
        return self.left != 0 and self.method in {"", "*", method} and self.path.search(path) is not None

    def as_json(self) -> dict[str, object]:
        """The shape in which faults are posted, with the times that are left."""
        return {
            "method": self.method,
            "path": self.path.pattern,
            "mode": self.mode,
            "times": self.left,
            "value": self.value,
        }


def parse_fault(order: object) -> Fault:
    """Read the body of `POST /_sandbox/faults`; raises InvalidFaultError."""
    if not isinstance(order, Mapping):
        raise InvalidFaultError("a fault is a JSON object")
    try:
        mode = FaultMode(str(order.get("mode")))
        path = re.compile(str(order.get("path") or ""))
        times = None if order.get("times") is None else int(str(order["times"]))
        value = _fault_value(mode, order.get("value"))
    except (ValueError, re.error) as exc:
        raise InvalidFaultError(str(exc)) from exc
    return Fault(str(order.get("method") or "").upper(), path, mode, value, times)


def _fault_value(mode: FaultMode, value: object) -> str:
    text = "" if value is None else str(value)
    if mode is FaultMode.STATUS:
        _status_and_header(text)
    if mode is FaultMode.LATENCY and not 0 <= float(text or "-1") <= MAX_LATENCY:
        raise ValueError("mode latency needs a value in seconds")
    return text


def _status_and_header(value: str) -> tuple[int, str, str]:
    """`503`, or `503 Retry-After: 7`: the status and one more header, if any; raises ValueError."""
    code, _, header = value.partition(" ")
    name, colon, content = header.partition(":")
    if not (code.isdigit() and int(code) in STATUSES) or (header and not (colon and name.strip())):
        raise ValueError("mode status needs a value from 200 to 599, and perhaps a header behind it")
    return int(code), name.strip(), content.strip()


@dataclass(slots=True)
class Call:
    """One request to the real API; `status` is None while it runs and where the connection was cut unanswered."""

    n: int
    at: datetime
    method: str
    path: str
    query: str
    key: str
    body: bytes
    status: int | None = None

    def as_json(self) -> dict[str, object]:
        """The shape of `GET /_sandbox/requests`."""
        return {
            "n": self.n,
            "at": self.at.isoformat(timespec="microseconds").replace("+00:00", "Z"),
            "method": self.method,
            "path": self.path,
            "query": self.query,
            "status": self.status,
            "key": self.key,
            "body": _json_or_none(self.body),
        }


def _json_or_none(body: bytes) -> object:
    if not body:
        return None
    try:
        parsed: object = json.loads(body)
    except ValueError:
        return None
    return parsed


@dataclass(slots=True)
class Control:
    """Journal and faults of one stand-in."""

    key_of: Callable[[web.Request], str]
    exempt: Callable[[Fault, str], bool]
    calls: deque[Call] = field(default_factory=lambda: deque(maxlen=JOURNAL_LENGTH))
    faults: list[Fault] = field(default_factory=list)
    next_n: int = 1

    def note(self, request: web.Request, body: bytes) -> Call:
        """Enter a request into the journal."""
        call = Call(
            n=self.next_n,
            at=datetime.now(UTC),
            method=request.method,
            path=request.path,
            query=unquote_plus(request.rel_url.raw_query_string),
            key=self.key_of(request)[:KEY_LENGTH],
            body=body if len(body) <= BODY_LIMIT else b"",
        )
        self.next_n += 1
        self.calls.append(call)
        return call

    def take_fault(self, method: str, path: str) -> Fault | None:
        """The first fault that catches this request, used up by one."""
        for fault in self.faults:
            if fault.catches(method, path) and not self.exempt(fault, path):
                if fault.left is not None:
                    fault.left -= 1
                return fault
        return None

    def clear(self) -> None:
        """Forget calls and faults; numbering goes on, so that a remembered `since` stays true."""
        self.calls.clear()
        self.faults.clear()


CONTROL: Final = web.AppKey("control", Control)


def credential_of(request: web.Request) -> str:
    """The credential of an `Authorization: <scheme> <credential>` header, empty when there is none."""
    return request.headers.get("Authorization", "").partition(" ")[2].strip()


def plain_status(code: int) -> web.Response:
    """The answer of mode `status` where a stand-in knows none of its own."""
    return web.Response(status=code, text="")


def plain_rate_limit(value: str) -> web.Response:
    """The answer of mode `rate-limit` where a stand-in knows none of its own; `value` is a whole header or empty."""
    name, _, content = value.partition(":")
    return web.Response(status=429, headers={name.strip(): content.strip()} if content else None)


def plain_html() -> web.Response:
    """The answer of mode `html` where a stand-in knows none of its own: a sign-in page that looks like success."""
    return web.Response(text=SIGN_IN_PAGE, content_type="text/html")


def install_control(
    app: web.Application,
    *,
    reset: Callable[[], None],
    rate_limit_answer: Callable[[str], web.Response] = plain_rate_limit,
    status_answer: Callable[[int], web.Response] = plain_status,
    html_answer: Callable[[], web.Response] = plain_html,
    key_of: Callable[[web.Request], str] = credential_of,
    exempt: Callable[[Fault, str], bool] = lambda _fault, _path: False,
) -> Control:
    """Give `app` the control API of `sandbox.md`: journal, faults and reset, on loopback only.

    Call it before the application starts. `reset` empties the stand-in's own state; journal and faults are cleared
    here. `exempt` names requests (by path) that a fault lets pass although its pattern matches. Other `/_sandbox`
    routes that the application adds are guarded likewise and neither journaled nor spoiled.
    """
    control = Control(key_of=key_of, exempt=exempt)
    app[CONTROL] = control
    app.middlewares.insert(0, _middleware(control, _Answers(rate_limit_answer, status_answer, html_answer)))
    app.router.add_get(f"{PREFIX}/requests", _list_requests)
    app.router.add_get(f"{PREFIX}/faults", _list_faults)
    app.router.add_post(f"{PREFIX}/faults", _add_fault)
    app.router.add_delete(f"{PREFIX}/faults", _clear_faults)

    async def start_over(_request: web.Request) -> web.Response:
        reset()
        control.clear()
        return web.json_response({"reset": True})

    app.router.add_post(f"{PREFIX}/reset", start_over)
    return control


@dataclass(frozen=True, slots=True)
class _Answers:
    rate_limit: Callable[[str], web.Response]
    status: Callable[[int], web.Response]
    html: Callable[[], web.Response]


def _middleware(control: Control, answers: _Answers) -> Middleware:
    @web.middleware
    async def journal_and_spoil(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path == PREFIX or request.path.startswith(f"{PREFIX}/"):
            return await _guarded(request, handler)
        call = control.note(request, await request.read())
        fault = control.take_fault(request.method, request.path)
        response = await _answer(call, fault, answers, partial(handler, request), request)
        if response is None:
            call.status = None
            _cut(request)
            return web.Response()
        call.status = response.status
        return response

    return journal_and_spoil


async def _guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
    if not is_loopback(request.remote):
        return web.json_response({"error": "the control API answers on loopback only"}, status=403)
    return await handler(request)


def is_loopback(address: str | None) -> bool:
    """Whether the peer is this machine; a peer without address (a Unix socket) is."""
    return address is None or ipaddress.ip_address(address.partition("%")[0]).is_loopback


Run = Callable[[], Awaitable[web.StreamResponse]]


async def _answer(
    call: Call, fault: Fault | None, answers: _Answers, run: Run, request: web.Request
) -> web.StreamResponse | None:
    """The answer, or None for a closed connection; a status that comes as an exception is journaled too."""
    try:
        return await run() if fault is None else await _spoiled(fault, answers, run, request)
    except web.HTTPException as exc:
        call.status = exc.status
        raise
    except Exception:
        call.status = 500
        raise


async def _spoiled(fault: Fault, answers: _Answers, run: Run, request: web.Request) -> web.StreamResponse | None:
    """What the fault makes of the request; None means that the connection closes without an answer."""
    match fault.mode:
        case FaultMode.STATUS:
            return _with_status(fault.value, answers)
        case FaultMode.RATE_LIMIT:
            return answers.rate_limit(fault.value)
        case FaultMode.HTML:
            return answers.html()
        case FaultMode.LATENCY:
            await asyncio.sleep(float(fault.value))
            return await run()
        case FaultMode.TRUNCATE:
            return await _truncated(request, await run())
        case FaultMode.DROP_AFTER_COMMIT:
            await run()
    return None


def _with_status(value: str, answers: _Answers) -> web.Response:
    code, name, content = _status_and_header(value)
    answer = answers.status(code)
    if name:
        answer.headers[name] = content
    return answer


async def _truncated(request: web.Request, response: web.StreamResponse) -> web.StreamResponse:
    """Half of the body under the whole body's Content-Length, then the end of the connection."""
    body = response.body if isinstance(response, web.Response) and isinstance(response.body, bytes) else b""
    cut = web.StreamResponse(status=response.status, headers=response.headers)
    cut.content_length = len(body)
    await cut.prepare(request)
    await cut.write(body[: len(body) // 2])
    _cut(request)
    return cut


def _cut(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.close()


async def _list_requests(request: web.Request) -> web.Response:
    control = request.app[CONTROL]
    try:
        since = int(request.query.get("since") or 0)
    except ValueError:
        return web.json_response({"error": "since is a number"}, status=400)
    return web.json_response({"next": control.next_n, "requests": [c.as_json() for c in control.calls if c.n >= since]})


async def _list_faults(request: web.Request) -> web.Response:
    return web.json_response({"faults": [fault.as_json() for fault in request.app[CONTROL].faults]})


async def _add_fault(request: web.Request) -> web.Response:
    try:
        fault = parse_fault(json.loads(await request.read()))
    except ValueError as exc:
        return web.json_response({"error": str(exc)}, status=400)
    request.app[CONTROL].faults.append(fault)
    return web.json_response(fault.as_json(), status=201)


async def _clear_faults(request: web.Request) -> web.Response:
    request.app[CONTROL].faults.clear()
    return web.json_response({"faults": []})
