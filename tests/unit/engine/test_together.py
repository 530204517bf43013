"""Threads that ask at the same moment share a call, and each gets its own answer or the one error of all."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from changeover.engine.jobs.together import Together


class Desk:
    """Answers with what it was asked, and holds the first call back until told."""

    def __init__(self, most: int = 10) -> None:
        self.together: Together[int, str] = Together(most)
        self.calls: list[list[int]] = []
        self.under_way, self.go_on = threading.Event(), threading.Event()

    def serve(self, items: Sequence[int]) -> list[str]:
        self.calls.append(list(items))
        if len(self.calls) == 1:
            self.under_way.set()
            assert self.go_on.wait(10)
        if 13 in items:
            raise LookupError("unlucky")
        return [f"answer {each}" for each in items]

    def ask(self, item: int) -> str:
        return self.together.ask(item, self.serve)

    def wait_for(self, number: int) -> None:
        while len(self.together._waiting) < number:
            threading.Event().wait(0.001)


def asked_together(desk: Desk, *items: int) -> list[Future[str]]:
    """0 is on its way while all of the others come, one after the other."""
    pool = ThreadPoolExecutor(20)
    first = pool.submit(desk.ask, 0)
    assert desk.under_way.wait(10)
    others = []
    for place, item in enumerate(items):
        others.append(pool.submit(desk.ask, item))
        desk.wait_for(place + 1)
    desk.go_on.set()
    pool.shutdown()
    return [first, *others]


def test_who_is_alone_is_served_at_once() -> None:
    desk = Desk()
    desk.go_on.set()
    assert [desk.ask(1), desk.ask(2)] == ["answer 1", "answer 2"]
    assert desk.calls == [[1], [2]]


def test_all_who_come_during_a_call_share_the_next() -> None:
    desk = Desk()
    answers = asked_together(desk, 1, 2, 3)
    assert [each.result() for each in answers] == ["answer 0", "answer 1", "answer 2", "answer 3"]
    assert desk.calls[0] == [0]
    assert len(desk.calls) == 2
    assert sorted(desk.calls[1]) == [1, 2, 3]


def test_a_call_takes_no_more_than_it_may() -> None:
    desk = Desk(most=2)
    answers = asked_together(desk, 1, 2, 3, 4)
    assert [each.result() for each in answers[1:]] == [f"answer {each}" for each in (1, 2, 3, 4)]
    assert [len(each) for each in desk.calls] == [1, 2, 2]
    assert sorted(item for call in desk.calls for item in call) == [0, 1, 2, 3, 4]


def test_what_fails_fails_for_all_of_that_call_and_for_nobody_else() -> None:
    desk = Desk()
    first, *others = asked_together(desk, 12, 13)
    assert first.result() == "answer 0"
    for each in others:
        with pytest.raises(LookupError, match="unlucky"):
            each.result()
    assert desk.ask(14) == "answer 14"
