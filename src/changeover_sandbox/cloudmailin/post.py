"""Posts one rendered mail and says what the sending server is told; it never repeats a post that was answered (CM-1).

It speaks HTTP/1.1 itself: no client would send what CM-26 wants sent.
"""

import asyncio
import ssl
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from urllib.parse import unquote, urljoin, urlsplit

from changeover_sandbox.cloudmailin.orders import Fault
from changeover_sandbox.cloudmailin.render import Rendered

MAX_REDIRECTS: Final = 3
REDIRECTS: Final = frozenset({301, 302})
SLICE_BYTES, SLICE_SECONDS = 100, 0.1
"""`slow`: 1 kB a second."""
CHUNK_BYTES = 16 * 1024
TOO_LONG = 100
"""`wrong-length`: so many bytes are announced that never come."""
MAX_ANSWER = 1024 * 1024


class Outcome(StrEnum):
    """What becomes of the mail (CM-1)."""

    DELIVERED = "delivered"
    BOUNCED = "bounced"
    DEFERRED = "deferred"


@dataclass(frozen=True, slots=True)
class Login:
    user: str
    password: str

    @property
    def header(self) -> str:
        return f"Basic {b64encode(f'{self.user}:{self.password}'.encode()).decode()}"


@dataclass(frozen=True, slots=True)
class Posting:
    """A mail on its way. `login` None: that of the address, if it has one; `timeout`: seconds for all of it."""

    url: str
    login: Login | None
    mail: Rendered
    fault: Fault | None = None
    timeout: float = 10.0


@dataclass(frozen=True, slots=True)
class Result:
    """`status`: the last one we were given, 0 for none."""

    outcome: Outcome
    status: int


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    location: str = ""


_NO_ANSWER = _Answer(0)


def outcome(status: int) -> Outcome:
    """How a status ends in SMTP: 250, 554 or 450 (CM-25)."""
    if 200 <= status < 300:
        return Outcome.DELIVERED
    return Outcome.BOUNCED if 400 <= status < 500 else Outcome.DEFERRED


def login_of(url: str) -> Login | None:
    """The credentials in an address, decoded."""
    parts = urlsplit(url)
    if parts.username is None:
        return None
    return Login(unquote(parts.username), unquote(parts.password or ""))


async def post(posting: Posting) -> Result:
    """Posts the mail, following redirects, all within the timeout; never raises for what the other side does."""
    last = [_NO_ANSWER]
    with suppress(TimeoutError, OSError, EOFError, ValueError, asyncio.LimitOverrunError):
        async with asyncio.timeout(posting.timeout):
            await _follow(posting, last)
    return Result(outcome(last[-1].status), last[-1].status)


async def _follow(posting: Posting, answers: list[_Answer]) -> None:
    """Appends each answer, so that the last one is known however this ends."""
    url, login = posting.url, posting.login or login_of(posting.url)
    for _ in range(MAX_REDIRECTS + 1):
        answer = await _exchange(url, login, posting)
        answers.append(answer)
        if answer.status not in REDIRECTS or not answer.location:
            return
        url = urljoin(url, answer.location)
        login = login_of(url) or login


async def _exchange(url: str, login: Login | None, posting: Posting) -> _Answer:
    async with _connected(url) as (reader, writer):
        sending = asyncio.ensure_future(_send(writer, _head(url, login, posting), posting))
        try:
            if posting.fault is Fault.DROP_ANSWER:
                await reader.read(1)
                return _NO_ANSWER
            return await _answer(reader)
        finally:
            sending.cancel()
            # Who answers early need not read to the end.
            with suppress(asyncio.CancelledError, OSError):
                await sending


@asynccontextmanager
async def _connected(url: str) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    context = ssl.create_default_context() if secure else None
    reader, writer = await asyncio.open_connection(parts.hostname, port, ssl=context)
    try:
        yield reader, writer
    finally:
        writer.close()


def _head(url: str, login: Login | None, posting: Posting) -> bytes:
    parts = urlsplit(url)
    path = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
    more = TOO_LONG if posting.fault is Fault.WRONG_LENGTH else 0
    chunked = posting.fault is Fault.CHUNKED
    lines = [
        f"POST {path} HTTP/1.1",
        f"Host: {parts.netloc.rpartition('@')[2]}",
        "User-Agent: CloudMailin Server",
        f"Content-Type: {posting.mail.content_type}",
        "Transfer-Encoding: chunked" if chunked else f"Content-Length: {len(posting.mail.body) + more}",
        "Accept: */*",
        "Connection: close",
        *([f"Authorization: {login.header}"] if login else []),
    ]
    return "".join(f"{line}\r\n" for line in (*lines, "")).encode()


async def _send(writer: asyncio.StreamWriter, head: bytes, posting: Posting) -> None:
    writer.write(head)
    body = posting.mail.body
    match posting.fault:
        case Fault.TRUNCATE:
            _write_and_end(writer, body[: len(body) // 2])
        case Fault.WRONG_LENGTH:
            _write_and_end(writer, body)
        case Fault.CHUNKED:
            for start in range(0, len(body), CHUNK_BYTES):
                chunk = body[start : start + CHUNK_BYTES]
                writer.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
            writer.write(b"0\r\n\r\n")
        case Fault.SLOW:
            for start in range(0, len(body), SLICE_BYTES):
                writer.write(body[start : start + SLICE_BYTES])
                await asyncio.sleep(SLICE_SECONDS)
        case _:
            writer.write(body)
    await writer.drain()


def _write_and_end(writer: asyncio.StreamWriter, body: bytes) -> None:
    """The last bytes of the line; the way back stays open where it can, so that the answer is seen."""
    writer.write(body)
    if writer.can_write_eof():
        writer.write_eof()
    else:
        writer.close()


async def _answer(reader: asyncio.StreamReader) -> _Answer:
    """Status and place of a redirect, once the whole answer is there; EOFError or ValueError for what is no answer."""
    while True:
        line, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        version, status = line.split(" ", 2)[:2]
        if not version.startswith("HTTP/"):
            raise ValueError(line)
        if int(status) >= 200:  # before it come interim answers
            break
    fields = {name.strip().lower(): value.strip() for name, _, value in (each.partition(":") for each in lines)}
    length = fields.get("content-length")
    if length is not None:
        await reader.readexactly(min(int(length), MAX_ANSWER))
    return _Answer(int(status), fields.get("location", ""))
