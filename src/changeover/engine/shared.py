"""One thing done for all who wait for it, such as a wait for the disk (K-4); it knows nothing of what it is."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future


class Shared:
    """Something that many threads need done after a moment of their own, and that once does for all of them.

    While it is under way, those who come are too late for it: the first of them does it next, for all that have come
    by then. So nobody waits for more than two, and alone one does it without asking any other thread.
    """

    def __init__(self) -> None:
        self._gate, self._turn = threading.Lock(), threading.Lock()
        self._next: Future[None] | None = None

    def do(self, work: Callable[[], None]) -> None:
        """Returns once the work was begun and done after this call. Raises what it raised, to each who waited."""
        with self._gate:
            waited_for = self._next
            if waited_for is None:
                mine = self._next = Future()
        if waited_for is not None:
            waited_for.result()
            return
        with self._turn:
            with self._gate:
                self._next = None
            _fulfil(mine, work)
        mine.result()


def _fulfil(promise: Future[None], work: Callable[[], None]) -> None:
    try:
        work()
    except BaseException as failure:  # noqa: BLE001 - it is raised to all who wait
        promise.set_exception(failure)
    else:
        promise.set_result(None)
