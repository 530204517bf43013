"""Lines to the stand-ins without a socket: the same applications, asked in this thread, so that nothing ever waits."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import urlsplit

import requests
from aiohttp import HttpVersion11, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http_parser import RawRequestMessage
from multidict import CIMultiDict, CIMultiDictProxy
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict
from urllib3.exceptions import ProtocolError
from yarl import URL

PATIENCE = 0.5  # of a client, in a calendar's seconds; none of them passes


@dataclass(frozen=True)
class Answered:
    """What came over the line; `cut` when the connection ended before the whole body."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    cut: bool = False


@dataclass
class _Transport:
    closed: bool = False

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return ("127.0.0.1", 1) if name in ("peername", "sockname") else default

    def close(self) -> None:
        self.closed = True


@dataclass
class _Protocol:
    transport: _Transport = field(default_factory=_Transport)
    ssl_context: None = None
    peername: tuple[str, int] = ("127.0.0.1", 1)
    sockname: tuple[str, int] = ("127.0.0.1", 2)


class _Writer(AbstractStreamWriter):
    def __init__(self) -> None:
        self.body = b""

    async def write(self, chunk: Any) -> None:
        self.body += bytes(chunk)

    async def write_eof(self, chunk: bytes = b"") -> None:
        self.body += chunk

    async def drain(self) -> None: ...

    def enable_compression(self, encoding: str = "deflate", strategy: int | None = None) -> None: ...

    def enable_chunking(self) -> None: ...

    async def write_headers(self, status_line: str, headers: CIMultiDict[str]) -> None: ...


class DirectLine:
    """One application. Its handlers run whole, middlewares and faults included; only sockets are left out."""

    def __init__(self, app: web.Application) -> None:
        app.freeze()
        self._app = app
        self._loop = asyncio.new_event_loop()
        self._turn = threading.Lock()

    def close(self) -> None:
        self._loop.close()

    def ask(self, method: str, url: str, headers: Mapping[str, str], body: bytes = b"") -> Answered:
        """The answer, from any thread that runs no loop of its own."""
        with self._turn:
            return self._loop.run_until_complete(self.answer(method, url, headers, body))

    async def answer(self, method: str, url: str, headers: Mapping[str, str], body: bytes = b"") -> Answered:
        parts = urlsplit(url)
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        named = CIMultiDict({**headers, "Host": parts.netloc, "Content-Length": str(len(body))})
        message = RawRequestMessage(
            method, path, HttpVersion11, CIMultiDictProxy(named), (), False, None, False, False, URL(path, encoded=True)
        )
        protocol, writer, loop = _Protocol(), _Writer(), asyncio.get_running_loop()
        request = web.Request(message, None, protocol, writer, None, loop, client_max_size=1 << 30)  # type: ignore[arg-type]
        request._read_bytes = body
        try:
            response = await self._app._handle(request)
        except web.HTTPException as refusal:
            response = refusal
        dated = {"Date": format_datetime(datetime.now(UTC), usegmt=True), **response.headers}
        whole = response.body if isinstance(response, web.Response) else writer.body
        return Answered(response.status, dated, bytes(whole or b""), cut=protocol.transport.closed)  # type: ignore[arg-type]


class RequestsLine(BaseAdapter):
    """What `requests` sends by, in place of a connection."""

    def __init__(self, line: DirectLine) -> None:
        super().__init__()
        self._line = line

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        body = request.body.encode() if isinstance(request.body, str) else request.body or b""
        answered = self._line.ask(str(request.method), str(request.url), request.headers, body)  # type: ignore[arg-type]
        if answered.cut:
            raise requests.ConnectionError(ProtocolError("Connection aborted."))
        response = requests.Response()
        response.status_code, response._content, response.encoding = answered.status, answered.body, "utf-8"
        response.headers, response.url, response.request = (
            CaseInsensitiveDict(answered.headers),
            str(request.url),
            request,
        )
        return response

    def close(self) -> None: ...


class CalendarSession:
    """What the calendars are asked by, in place of aiohttp's session; nobody waits for one slower than patience."""

    line: DirectLine

    def __init__(self, **_: Any) -> None: ...

    async def close(self) -> None: ...

    def get(self, url: URL, *, headers: Mapping[str, str], **_: Any) -> _Turn:
        return _Turn(self.line, str(url), headers)


@dataclass
class _Turn:
    line: DirectLine
    url: str
    headers: Mapping[str, str]

    async def __aenter__(self) -> _Response:
        answered = await self.line.answer("GET", self.url, self.headers)
        if float(answered.headers.get("X-Late", 0)) > PATIENCE:
            raise TimeoutError
        return _Response(answered.status, CIMultiDict(answered.headers), _Content(answered.body))

    async def __aexit__(self, *_: object) -> None: ...


@dataclass
class _Content:
    body: bytes

    async def iter_chunked(self, _: int) -> AsyncIterator[bytes]:
        yield self.body


@dataclass
class _Response:
    status: int
    headers: CIMultiDict[str]
    content: _Content

    @property
    def charset(self) -> str | None:
        return "utf-8" if "utf-8" in self.headers.get("Content-Type", "").lower() else None
