"""Starts the automation CSV Files when mails have put reports into the inbox; what waits, the inbox on disk says."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from changeover.engine import reports
from changeover.exits import Exit
from changeover.ops import logging
from changeover.sources.csv import inbox
from changeover.store.runs import Trigger

log = logging.get(__name__)

_LOOK_SECONDS = 0.05
_PATIENCE_SECONDS = 30  # a run ends within a request and its receipt (C-33)


@dataclass(frozen=True, slots=True)
class Pauses:
    """Seconds until a run is begun again while files wait: beside another run, and when something stands in the way."""

    locked: float = 5.0
    hindered: float = 60.0

    def after(self, code: int) -> float | None:
        """None when only new files are a reason for another run: their automation is off, or they are refused."""
        if code in (Exit.OK, Exit.PARTIAL, Exit.CONFIGURATION):
            return None
        return self.locked if code == Exit.LOCKED else self.hindered


def command(env: str) -> list[str]:
    """The run as a process of its own: it takes the lease, and its end or crash is not the worker's."""
    program = [sys.executable, "-m", "changeover.cli", "run", "--env", env]
    return [*program, "--only", reports.NAME, "--trigger", Trigger.MAIL, "--json"]


def start(env: str) -> subprocess.Popen[bytes]:
    """Starts that process; it logs to the environment's files."""
    return subprocess.Popen(command(env), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)  # noqa: S603 - ourselves


class Importer:
    """One run at a time, in a thread of its own. It remembers nothing: after a kill its next start goes on."""

    def __init__(self, folder: Path, begin: Callable[[], subprocess.Popen[bytes]], pauses: Pauses = Pauses()) -> None:
        self._folder, self._begin, self._pauses = folder, begin, pauses
        self._wake, self._ended = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="importer", daemon=True)

    def start(self) -> None:
        self._wake.set()  # what waits already is looked for first
        self._thread.start()

    def arrived(self) -> None:
        """Reports lie in the inbox."""
        self._wake.set()

    def end(self) -> None:
        """Asks a run in progress to end, and waits for it."""
        self._ended.set()
        self._wake.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        pause: float | None = None
        while True:
            self._wake.wait(pause)
            if self._ended.is_set():
                return
            self._wake.clear()
            pause = self.look()

    def look(self) -> float | None:
        """One run to its end, if files wait; seconds until the next is worth it, None for no sooner than new files."""
        try:
            if not inbox.waiting(self._folder):
                return None
            code = self._result(self._begin())
            left = len(inbox.waiting(self._folder))
        except OSError as error:  # no more processes, or an inbox that cannot be read
            log.warning("import.failed", error=type(error).__name__)
            return self._pauses.hindered
        log.info("import.ended", exit_code=code, left=left)
        return self._pauses.after(code) if left else None

    def _result(self, child: subprocess.Popen[bytes]) -> int:
        while (code := child.poll()) is None:
            if self._ended.wait(_LOOK_SECONDS):
                return _end(child)
        return code


def _end(child: subprocess.Popen[bytes]) -> int:
    child.terminate()
    try:
        return child.wait(_PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()  # killing a run at any instant is supported (C-31)
        return child.wait()
