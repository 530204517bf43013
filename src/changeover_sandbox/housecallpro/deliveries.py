"""Sends a company's webhooks beside the requests (HC-75 to HC-80, HC-114); what they say is written elsewhere."""

import asyncio
import hashlib
import hmac
import json
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import aiohttp

from changeover_sandbox.housecallpro.company import Cause, Company, Event
from changeover_sandbox.housecallpro.ids import iso

TIMEOUT: Final = aiohttp.ClientTimeout(total=10)
REPEAT_AFTER: Final = (1.0, 5.0, 25.0)
PING: Final = b'{"foo":"bar"}'
LOG_LENGTH: Final = 100_000


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """Lower-case hex of HMAC-SHA256 over timestamp, a point and the raw body (HC-80)."""
    return hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def envelope(company: Company, at: datetime, event: Event) -> bytes:
    """The raw body of an event (HC-82)."""
    said = {
        "event": event.name,
        "event_occurred_at": iso(at),
        "company_id": company.account.company_id,
        event.key: event.resource,
    }
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()


@dataclass(frozen=True, slots=True)
class Parcel:
    """Something to post; `due` is the event loop's time before which it is held."""

    event: str
    body: bytes
    due: float


@dataclass(frozen=True, slots=True)
class Attempt:
    """One post that was made; `status` None means that no answer came, `number` counts from 0."""

    n: int
    at: datetime
    environment: str
    event: str
    number: int
    status: int | None

    def as_json(self) -> dict[str, object]:
        """The shape of `GET /_sandbox/deliveries`."""
        return {
            "n": self.n,
            "at": self.at.isoformat(timespec="microseconds").replace("+00:00", "Z"),
            "env": self.environment,
            "event": self.event,
            "attempt": self.number,
            "status": self.status,
        }


class Deliveries:
    """What is to be sent: first attempts of a company in order, one after the other; repeats each for itself."""

    def __init__(self, clock: Callable[[], float], repeat_after: Sequence[float] = REPEAT_AFTER) -> None:
        self._clock = clock
        self._repeat_after = tuple(repeat_after)
        self._queues: dict[str, deque[Parcel]] = {}
        self._working: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._session: aiohttp.ClientSession | None = None
        self.log: deque[Attempt] = deque(maxlen=LOG_LENGTH)
        self.next_n = 1

    @property
    def waiting(self) -> int:
        """How many posts and repeats are still to be made or under way."""
        return len(self._tasks) + sum(len(queue) for queue in self._queues.values())

    def send(self, company: Company, cause: Cause) -> None:
        """Send a cause's events as the company's settings say; nothing while they are off (HC-114)."""
        hook = company.hook
        if not hook.active:
            return
        due = asyncio.get_running_loop().time() + hook.delay
        events = reversed(cause.events) if hook.reorder else cause.events
        for event in events:
            parcel = Parcel(event.name, envelope(company, cause.at, event), due)
            self._queue(company).extend([parcel] * (2 if hook.duplicate else 1))
        self._work(company)

    def ping(self, company: Company) -> None:
        """Tell a saved address that it is one: unsigned, once (HC-76)."""
        self._start(self._ping(company))

    def clear(self) -> None:
        """Forget what is under way and what was sent; numbering goes on."""
        self._queues.clear()
        self._working.clear()
        self.log.clear()
        for task in list(self._tasks):
            task.cancel()

    async def stop(self) -> None:
        """Give up what is under way."""
        tasks = list(self._tasks)
        self.clear()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    # -- under way -----------------------------------------------------------------------------------------------------

    def _queue(self, company: Company) -> deque[Parcel]:
        return self._queues.setdefault(company.account.environment, deque())

    def _start(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _work(self, company: Company) -> None:
        if company.account.environment not in self._working:
            self._working.add(company.account.environment)
            self._start(self._send_all(company))

    async def _send_all(self, company: Company) -> None:
        queue = self._queue(company)
        try:
            while queue:
                parcel = queue.popleft()
                await asyncio.sleep(max(0.0, parcel.due - asyncio.get_running_loop().time()))
                if not await self._delivered(company, parcel, 0):
                    self._start(self._repeat(company, parcel))
        finally:
            self._working.discard(company.account.environment)

    async def _repeat(self, company: Company, parcel: Parcel) -> None:
        for number, pause in enumerate(self._repeat_after, start=1):
            await asyncio.sleep(pause)
            if await self._delivered(company, parcel, number):
                return

    async def _ping(self, company: Company) -> None:
        self._note(company, "ping", 0, await self._post(company.hook.url, PING, {}))

    async def _delivered(self, company: Company, parcel: Parcel, number: int) -> bool:
        """Whether nothing remains to be done: it was accepted, or the webhooks are off by now."""
        hook = company.hook
        if not hook.active:
            return True
        timestamp = str(int(self._clock()))
        secret = company.account.webhook_secret if hook.secret is None else hook.secret
        signed = {"Api-Timestamp": timestamp, "Api-Signature": signature(secret, timestamp, parcel.body)}
        status = await self._post(hook.url, parcel.body, signed)
        self._note(company, parcel.event, number, status)
        return status is not None and 200 <= status < 300

    async def _post(self, url: str, body: bytes, signed: dict[str, str]) -> int | None:
        if self._session is None:
            # A connection of its own for each: a receiver that was restarted meanwhile is no failure.
            connector = aiohttp.TCPConnector(force_close=True)
            self._session = aiohttp.ClientSession(timeout=TIMEOUT, connector=connector)
        headers = {"Content-Type": "application/json", **signed}
        try:
            async with self._session.post(url, data=body, headers=headers, allow_redirects=False) as response:
                return response.status
        except (aiohttp.ClientError, TimeoutError, ValueError):
            return None

    def _note(self, company: Company, event: str, number: int, status: int | None) -> None:
        now = datetime.fromtimestamp(self._clock(), UTC)
        self.log.append(Attempt(self.next_n, now, company.account.environment, event, number, status))
        self.next_n += 1
