"""Gets the bytes of one feed over HTTP within limits (P-7 … P-12); it never says what is in them, nor any URL."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib.metadata import version
from typing import TypeVar

import aiohttp
from aiohttp import ClientResponse, ClientSession, ClientTimeout, TCPConnector
from yarl import URL

from changeover.sources.ics.feeds import fetch_url
from changeover.sources.ics.guard import GuardedResolver, Refused, check_url
from changeover.sources.ics.pacing import Pace, Pacing
from changeover.sources.ics.unpack import TooMuch, Truncated, Unpacker

T = TypeVar("T")

MAX_REDIRECTS = 5
MAX_PATIENCE_SECONDS = 30.0  # a longer Retry-After is left to the next run
CONNECT_SECONDS = 5.0
_CHUNK = 65_536
_RETRIED = frozenset({408, 425, 429})
_SERVER_FAULT = 500
_OK, _NOT_MODIFIED = 200, 304
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_DEFAULT_PORTS = {"http": 80, "https": 443}


def default_user_agent() -> str:
    """Names the program and where its makers answer; fronts refuse some libraries' defaults (P-8)."""
    return f"Changeover/{version('changeover')} (+https://changeover.example/calendars)"


@dataclass(frozen=True, slots=True)
class FetchSettings:
    """Limits of fetching; `waits_seconds` stand between attempts, with jitter (P-10)."""

    max_concurrent: int = 20
    timeout_seconds: float = 15
    attempts: int = 3
    allow_private: bool = False
    user_agent: str = field(default_factory=default_user_agent)
    waits_seconds: tuple[float, ...] = (1.0, 2.0, 4.0)
    start_jitter_seconds: float = 0.25
    per_host: int = 4
    per_minute: int = 240


@dataclass(frozen=True, slots=True)
class Validators:
    """What the last good body came with (P-12)."""

    etag: str | None = None
    last_modified: str | None = None

    def headers(self) -> dict[str, str]:
        found = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        return {name: value for name, value in found.items() if value}


@dataclass(frozen=True, slots=True)
class Fetched:
    """A body with its declared charset and validators; `body` is None when the last good one still stands (304)."""

    body: bytes | None
    charset: str | None = None
    validators: Validators = Validators()


class FetchFailed(Exception):
    """No body; `cause` is safe to show (R-76)."""

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause


class Retriable(FetchFailed):
    """A failure that may pass; `after` is what the host asked for, in seconds."""

    def __init__(self, cause: str, after: float | None = None) -> None:
        super().__init__(cause)
        self.after = after


@asynccontextmanager
async def open_fetcher(settings: FetchSettings) -> AsyncIterator[Fetcher]:
    """One client for all feeds of a run: no cookies, no proxy from the environment (P-7, P-8)."""
    resolver = GuardedResolver(allow_private=settings.allow_private)
    session = ClientSession(
        connector=TCPConnector(resolver=resolver, limit=0, limit_per_host=0, ttl_dns_cache=300),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        trust_env=False,
        timeout=ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
        headers={
            "User-Agent": settings.user_agent,
            "Accept": "text/calendar, */*;q=0.1",
            "Accept-Encoding": "gzip, deflate",
        },
    )
    try:
        yield Fetcher(settings, session)
    finally:
        await session.close()
        await resolver.close()


class Fetcher:
    """Asks feeds, each within its own limits and all within the pace of a run."""

    def __init__(self, settings: FetchSettings, session: ClientSession) -> None:
        self._settings = settings
        self._session = session
        self._pacing = Pacing(Pace(settings.max_concurrent, settings.per_host, settings.per_minute))

    async def fetch(self, url: str, validators: Validators, look: Callable[[Fetched], Awaitable[T]]) -> T:
        """What `look` makes of a feed's answer, after as many attempts as allowed. Raises FetchFailed.

        `look` may raise Retriable, as for a body that was cut without the wire saying so (LB-27).
        """
        target = fetch_url(url)
        await asyncio.sleep(random.uniform(0, self._settings.start_jitter_seconds))  # noqa: S311 - spreads load
        attempt = 1
        while True:
            try:
                return await look(await self._turn(target, validators))
            except Retriable as failure:
                wait = self._wait_after(failure, attempt)
                if wait is None:
                    raise
                if failure.after is not None:
                    self._pacing.close(self._lane(target), wait)
            await asyncio.sleep(wait)
            attempt += 1

    def _wait_after(self, failure: Retriable, attempt: int) -> float | None:
        """Seconds to the next attempt, None when there is none."""
        if attempt >= self._settings.attempts:
            return None
        if failure.after is not None:
            return failure.after if failure.after <= MAX_PATIENCE_SECONDS else None
        waits = self._settings.waits_seconds
        return waits[min(attempt, len(waits)) - 1] * random.uniform(0.75, 1.25)  # noqa: S311 - spreads load

    def _lane(self, url: URL) -> str | None:
        return None if self._settings.allow_private else url.host

    async def _turn(self, url: URL, validators: Validators) -> Fetched:
        async with self._pacing.turn(self._lane(url)):
            try:
                async with asyncio.timeout(self._settings.timeout_seconds):
                    return await self._follow(url, validators)
            except TimeoutError:
                raise Retriable("timeout") from None
            except Refused as refusal:
                raise FetchFailed(refusal.cause) from None
            except TooMuch as refusal:
                raise FetchFailed(str(refusal)) from None
            except Truncated:
                raise Retriable("cut off") from None
            except aiohttp.ClientError as error:
                raise failure_of_error(error) from None
            except (OSError, ValueError):
                # Their texts may quote the URL; none of it goes on (P-14).
                raise Retriable("connection failed") from None

    async def _follow(self, url: URL, validators: Validators) -> Fetched:
        """One attempt through at most five redirects, each address checked anew."""
        secret = aiohttp.encode_basic_auth(url.user or "", url.password or "") if url.user or url.password else None
        here = url.with_user(None)
        for _ in range(MAX_REDIRECTS + 1):
            check_url(here, allow_private=self._settings.allow_private)
            answer = await self._ask(here, validators, secret if same_host(here, url) else None)
            if isinstance(answer, Fetched):
                return answer
            here = next_hop(here, answer)
        raise FetchFailed("too many redirects")

    async def _ask(self, url: URL, validators: Validators, secret: str | None) -> Fetched | str:
        """The body, or where a redirect points."""
        headers = validators.headers() | ({"Authorization": secret} if secret else {})
        async with self._session.get(url, headers=headers, allow_redirects=False) as response:
            location = response.headers.get("Location")
            if response.status in _REDIRECTS and location:
                return location
            if response.status == _NOT_MODIFIED and validators.headers():
                return Fetched(None, None, validators)
            if response.status != _OK:
                raise failure_of_status(response.status, response.headers)
            return Fetched(await _body(response), response.charset, _validators(response))


def next_hop(here: URL, location: str) -> URL:
    """Where a redirect leads; https never falls to http (P-11). Raises Refused, FetchFailed."""
    try:
        there = here.join(URL(location)).with_fragment(None)
        there = there.with_user(None) if there.user or there.password else there
    except ValueError:
        raise FetchFailed("malformed redirect") from None
    if not there.host:
        raise FetchFailed("malformed redirect")
    if here.scheme == "https" and there.scheme == "http":
        raise Refused("redirect from https to http")
    return there


def failure_of_status(status: int, headers: Mapping[str, str], now: datetime | None = None) -> FetchFailed:
    """The one place where a status becomes an outcome (P-10)."""
    cause = f"HTTP {status}"
    if status in _RETRIED or status >= _SERVER_FAULT:
        return Retriable(cause, _retry_after(headers.get("Retry-After", ""), now or datetime.now(UTC)))
    return FetchFailed(cause)


def _retry_after(value: str, now: datetime) -> float | None:
    """Seconds of a Retry-After header, a number or a date; None without a usable one."""
    text = value.strip()
    if text.isdecimal():
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())


def failure_of_error(error: aiohttp.ClientError) -> FetchFailed:
    """The one place where a fault of the wire becomes an outcome; its text, which holds the URL, stays behind."""
    if isinstance(error, aiohttp.ClientPayloadError):
        return Retriable("cut off")
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return FetchFailed("certificate refused")
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return Retriable("host not found")
    if isinstance(error, aiohttp.InvalidURL):
        return FetchFailed("malformed URL")
    return Retriable("connection failed")


def same_host(one: URL, other: URL) -> bool:
    """Whether credentials for one may go to the other: same host, and same port unless both are the usual ones."""
    if one.host != other.host:
        return False
    return one.port == other.port or (_is_usual(one) and _is_usual(other))


def _is_usual(url: URL) -> bool:
    return url.port == _DEFAULT_PORTS[url.scheme]


def _validators(response: ClientResponse) -> Validators:
    return Validators(response.headers.get("ETag"), response.headers.get("Last-Modified"))


async def _body(response: ClientResponse) -> bytes:
    """The unpacked body, counted while it streams (P-9)."""
    unpack = Unpacker(response.headers.get("Content-Encoding", ""))
    async for chunk in response.content.iter_chunked(_CHUNK):
        unpack.take(chunk)
    return unpack.finish()
