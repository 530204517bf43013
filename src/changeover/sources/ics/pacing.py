"""How many feeds are asked at once, in all and per host (P-7, P-10); it knows no request."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

MINUTE = 60.0


@dataclass(slots=True)
class _Lane:
    """One host: who is being served, when the last minute's requests began, until when it asked to be left alone."""

    slots: asyncio.Semaphore
    begun: deque[float] = field(default_factory=deque)
    closed_until: float = 0.0


@dataclass(frozen=True, slots=True)
class Pace:
    """The limits: at once in all, at once per host, begun per host and minute."""

    at_once: int = 20
    per_host: int = 4
    per_minute: int = 240


class Pacing:
    """The lanes of one run. A host without name (one that has no limit) only counts in the total."""

    def __init__(
        self,
        pace: Pace,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._pace = pace
        self._clock = clock
        self._sleep = sleep
        self._total = asyncio.Semaphore(pace.at_once)
        self._lanes: dict[str, _Lane] = defaultdict(lambda: _Lane(asyncio.Semaphore(pace.per_host)))

    @asynccontextmanager
    async def turn(self, host: str | None) -> AsyncIterator[None]:
        """Waits for a turn with a host and holds it for the block.

        The host comes first: who waits for a busy host takes no place from the others.
        """
        if host is None:
            async with self._total:
                yield
            return
        lane = self._lanes[host]
        async with lane.slots:
            await self._wait(lane)
            async with self._total:
                yield

    def close(self, host: str | None, seconds: float) -> None:
        """Leaves a host alone for some seconds, as it asked with Retry-After."""
        if host is not None:
            lane = self._lanes[host]
            lane.closed_until = max(lane.closed_until, self._clock() + seconds)

    async def _wait(self, lane: _Lane) -> None:
        while (seconds := self._owed(lane)) > 0:
            await self._sleep(seconds)
        lane.begun.append(self._clock())

    def _owed(self, lane: _Lane) -> float:
        now = self._clock()
        while lane.begun and lane.begun[0] <= now - MINUTE:
            lane.begun.popleft()
        full = lane.begun[0] + MINUTE - now if len(lane.begun) >= self._pace.per_minute else 0.0
        return max(full, lane.closed_until - now)
