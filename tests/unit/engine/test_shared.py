"""What many wait for is done once for all of them, and never too early for one."""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from changeover.engine.shared import Shared


class Slow:
    """Work that lasts until it is let go, and notes when it began."""

    def __init__(self) -> None:
        self.begun = [threading.Event() for _ in range(2)]
        self.go_on = threading.Semaphore(0)
        self.times = 0
        self.fails = False

    def __call__(self) -> None:
        self.begun[self.times].set()
        self.times += 1
        assert self.go_on.acquire(timeout=9)
        if self.fails:
            raise OSError("no disk")


class Gate:
    """A lock that counts who has passed it."""

    def __init__(self) -> None:
        self.lock, self.passed = threading.Lock(), 0

    def __enter__(self) -> None:
        self.lock.acquire()

    def __exit__(self, *_: object) -> None:
        self.passed += 1
        self.lock.release()


@pytest.fixture
def pool():
    with ThreadPoolExecutor(8) as pool:
        yield pool


def all_wait(shared: Shared, pool: ThreadPoolExecutor, work: Slow, number: int) -> list[Future[None]]:
    """So many come while the work is under way, and have come when this returns."""
    gate = shared._gate = Gate()
    found = [pool.submit(shared.do, work) for _ in range(number)]
    while gate.passed < number:
        threading.Event().wait(0.001)
    return found


def test_alone_it_is_done_at_once_each_time():
    done = []
    shared = Shared()
    for number in range(3):
        shared.do(lambda number=number: done.append(number))
    assert done == [0, 1, 2]


def test_who_comes_while_it_is_under_way_shares_the_next_one(pool):
    shared, work = Shared(), Slow()
    first = pool.submit(shared.do, work)
    assert work.begun[0].wait(9)
    others = all_wait(shared, pool, work, 5)
    work.go_on.release()
    first.result(9)
    assert work.begun[1].wait(9)
    assert not any(each.done() for each in others)
    work.go_on.release()
    for each in others:
        each.result(9)
    assert work.times == 2


def test_what_it_raises_is_raised_to_all_who_waited_for_it_and_to_nobody_else(pool):
    shared, work = Shared(), Slow()
    work.fails = True
    first = pool.submit(shared.do, work)
    assert work.begun[0].wait(9)
    (other,) = all_wait(shared, pool, work, 1)
    work.go_on.release()
    with pytest.raises(OSError, match="no disk"):
        first.result(9)
    assert work.begun[1].wait(9)
    work.go_on.release()
    with pytest.raises(OSError, match="no disk"):
        other.result(9)
    shared.do(lambda: None)
