"""Why a running cycle should end: a signal, a deadline, the stop switch, a lost lease; it ends nothing itself."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from types import FrameType


class Reason(StrEnum):
    """What asked for the end."""

    SIGNAL = "signal"
    DEADLINE = "deadline"
    STOP_SWITCH = "stop switch"
    LEASE_LOST = "lease lost"


class Interrupted(Exception):
    """A wait was cut short, or a write not begun, because the run is to end."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(str(reason))
        self.reason = reason


class Stopping:
    """The first reason stays until `clear`, which only a step's own deadline is for. May be asked from any thread."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._reason: Reason | None = None

    @property
    def reason(self) -> Reason | None:
        return self._reason

    def ask(self, reason: Reason) -> None:
        if self._reason is None:
            self._reason = reason
            self._event.set()

    def clear(self, reason: Reason) -> None:
        """Ends a reason that concerned one step only."""
        if self._reason is reason:
            self._event.clear()
            self._reason = None

    def check(self) -> None:
        """Raises Interrupted when the run is to end."""
        if self._reason is not None:
            raise Interrupted(self._reason)

    def sleep(self, seconds: float) -> None:
        """Waits, and raises Interrupted at once when the run is to end meanwhile."""
        self._event.wait(seconds)
        self.check()

    @contextmanager
    def on_signals(self) -> Iterator[None]:
        """SIGTERM and SIGINT ask for the end instead of killing (C-33). Only the main thread can listen to signals."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        numbers = (signal.SIGTERM, signal.SIGINT)
        before = {number: signal.signal(number, self._on_signal) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Asks for the end of the block's work after so many seconds (C-32)."""
        timer = threading.Timer(seconds, self.ask, [Reason.DEADLINE])
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            self.clear(Reason.DEADLINE)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self.ask(Reason.SIGNAL)
