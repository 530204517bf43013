"""How many feeds are asked at once and how often a host is (P-7, P-10)."""

from __future__ import annotations

import asyncio

from changeover.sources.ics.pacing import Pace, Pacing


class Time:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def most_at_once(pace: Pace, hosts: list[str | None]) -> int:
    async def run() -> int:
        pacing, active, most = Pacing(pace), 0, 0

        async def ask(host: str | None) -> None:
            nonlocal active, most
            async with pacing.turn(host):
                active += 1
                most = max(most, active)
                await asyncio.sleep(0)
                await asyncio.sleep(0)
                active -= 1

        await asyncio.gather(*(ask(host) for host in hosts))
        return most

    return asyncio.run(run())


def test_a_host_is_asked_by_four_at_once_and_all_by_twenty() -> None:
    assert most_at_once(Pace(), ["a"] * 10) == 4
    assert most_at_once(Pace(), [f"h{n}" for n in range(50)]) == 20


def test_a_host_without_name_has_no_limit_but_the_total() -> None:
    assert most_at_once(Pace(at_once=7), [None] * 30) == 7


def test_a_host_is_asked_so_often_a_minute_and_then_waited_for() -> None:
    clock = Time()
    pacing = Pacing(Pace(per_minute=2), clock=clock, sleep=clock.sleep)

    async def run() -> None:
        for _ in range(3):
            async with pacing.turn("a"):
                clock.now += 1
        async with pacing.turn("b"):
            pass

    asyncio.run(run())
    assert clock.slept == [58.0]


def test_a_host_that_asks_for_patience_is_left_alone_and_others_are_not() -> None:
    clock = Time()
    pacing = Pacing(Pace(), clock=clock, sleep=clock.sleep)

    async def run() -> None:
        pacing.close("a", 20)
        pacing.close("a", 5)
        pacing.close(None, 100)
        async with pacing.turn("b"), pacing.turn(None):
            assert clock.slept == []
        async with pacing.turn("a"):
            pass

    asyncio.run(run())
    assert clock.slept == [20.0]
