"""One background process: whether it is still the one we started, and its end; it never touches a stranger's."""

import contextlib
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

POLL_SECONDS = 0.02
_STATE, _START = 0, 19
"""Places of the process state and its start time in /proc/<pid>/stat, counted after the name in brackets."""


@dataclass(frozen=True, slots=True)
class Process:
    """A process by id and by its start in clock ticks since boot: ids are used again, the pair is not."""

    pid: int
    started: int

    @classmethod
    def current(cls) -> "Process":
        return cls.of(os.getpid())

    @classmethod
    def of(cls, pid: int) -> "Process":
        """ProcessLookupError when there is none."""
        return cls(pid, int(_stat(pid)[_START]))

    def alive(self) -> bool:
        """False also for a zombie and for another process that has got the same id."""
        try:
            stat = _stat(self.pid)
        except ProcessLookupError:
            return False
        return stat[_STATE] != "Z" and int(stat[_START]) == self.started

    def stop(self, patience: float = 10.0) -> bool:
        """Asks the process to end, makes it after `patience` seconds; False when it was gone already."""
        if not self.alive():
            return False
        self._send(signal.SIGTERM)
        deadline = time.monotonic() + patience
        while self.alive():
            if time.monotonic() > deadline:
                self._send(signal.SIGKILL)
            time.sleep(POLL_SECONDS)
        return True

    def _send(self, which: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, which)


def _stat(pid: int) -> list[str]:
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError) as exc:
        raise ProcessLookupError(pid) from exc
    return text.rpartition(")")[2].split()
