"""Carries out the runs that people asked for (C-52): each as a process of its own, once the lease is free."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from changeover.engine.lease import is_held
from changeover.exits import Exit
from changeover.ops import logging
from changeover.store import runs
from changeover.store.database import Database
from changeover.store.runs import Ending, Run, RunState

log = logging.get(__name__)

_LEASE: Final = "cycle"
_PATIENCE_SECONDS: Final = 30  # a run ends within a request and its receipt (C-33)
_ENDS: Final[Mapping[int, RunState]] = {Exit.FAILED: RunState.BLOCKED, Exit.STOPPED: RunState.STOPPED}


@dataclass(frozen=True, slots=True)
class Order:
    """One process to start: which automations of which cycle, as it was asked."""

    env: str
    cycle: str
    only: tuple[str, ...]
    dry_run: bool
    trigger: str
    limit: int | None = None

    @property
    def command(self) -> list[str]:
        """The run as a process of its own: it takes the lease, and its end or crash is not the worker's."""
        words = self._run if self.limit is None else self._reconcile
        program = [sys.executable, "-m", "changeover.cli", *words, "--env", self.env]
        return [*program, "--trigger", self.trigger, "--cycle", self.cycle, "--json"]

    @property
    def _run(self) -> list[str]:
        named = [word for name in self.only for word in ("--only", name)]
        return ["run", *named, *(["--dry-run"] if self.dry_run else [])]

    @property
    def _reconcile(self) -> list[str]:
        return ["jobs", "reconcile", "--limit", str(self.limit), *([] if self.dry_run else ["--execute"])]


@dataclass(frozen=True, slots=True)
class Looks:
    """Seconds between two looks at the lease, and at a process that runs."""

    lease: float = 2.0
    process: float = 0.1


class RequestedRuns:
    """Works one request after the other. `start` begins a process that says what came of it on its output."""

    def __init__(
        self, env: str, database: Database, start: Callable[[Order], subprocess.Popen[str]], looks: Looks = Looks()
    ) -> None:
        self._env, self._database, self._start, self._looks = env, database, start, looks
        self._ended = threading.Event()

    def work(self, cycle: str) -> bool:
        """Sees a request through to its end; True when it is to be gone on with later, as this process is to end."""
        while waiting := self._queued(cycle):
            while is_held(self._database, _LEASE):  # meanwhile it is queued
                if self._ended.wait(self._looks.lease):
                    return True
            if self._ended.is_set():
                return True
            code, problem = self._carried_out(_order(self._env, waiting))
            if code is None:
                return True
            if code != Exit.LOCKED:
                self._finish(cycle, RunState.INTERRUPTED if code < 0 else _ENDS.get(code, RunState.FAILED), problem)
        return False

    def give_up(self, cycle: str) -> None:
        """Ends what was cut off again and again."""
        self._finish(cycle, RunState.FAILED, "the worker was killed again and again before this could begin")

    def end(self) -> None:
        """Asks a run in progress to end; what has not begun is left for later."""
        self._ended.set()

    def _queued(self, cycle: str) -> tuple[Run, ...]:
        with self._database.read() as connection:
            return runs.queued(connection, cycle)

    def _carried_out(self, order: Order) -> tuple[int | None, str]:
        """Exit code and problem of one process; no code when it was ended because this one is to end."""
        process = self._start(order)
        box: list[str] = []
        reader = threading.Thread(target=lambda: box.append(process.communicate()[0]), daemon=True)
        reader.start()
        while reader.is_alive():
            if self._ended.wait(self._looks.process):
                _end(process, reader)
                return None, ""
        log.info("asked_run.ended", cycle=order.cycle, exit_code=process.returncode)
        return process.returncode, _problem(box[0] if box else "")

    def _finish(self, cycle: str, state: RunState, problem: str) -> None:
        """Ends what never began: a run that began has ended itself, or the next one says that it was interrupted."""
        with self._database.begin() as connection:
            for each in runs.queued(connection, cycle):
                ending = Ending(state, datetime.now(UTC), {}, str(state), problem or "it did not begin")
                runs.finish(connection, each.id, ending)


def start(order: Order) -> subprocess.Popen[str]:
    """Starts that process; it logs to the environment's files."""
    return subprocess.Popen(order.command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)  # noqa: S603 - ourselves


def _order(env: str, waiting: Sequence[Run]) -> Order:
    first = waiting[0]
    limit = first.counters.get("limit")
    return Order(
        env=env,
        cycle=first.cycle,
        only=tuple(each.automation for each in waiting),
        dry_run=first.dry_run,
        trigger=str(first.trigger),
        limit=limit if isinstance(limit, int) else None,
    )


def _problem(output: str) -> str:
    """What the process said was in the way, if it said so."""
    try:
        told = json.loads(output)
    except ValueError:
        return ""
    if not isinstance(told, dict):
        return ""
    if told.get("problems"):
        return "the settings cannot be used: see doctor"
    return str(told.get("problem") or told.get("error") or "")


def _end(process: subprocess.Popen[str], reader: threading.Thread) -> None:
    process.terminate()
    reader.join(_PATIENCE_SECONDS)
    if reader.is_alive():
        process.kill()  # killing a run at any instant is supported (C-31)
        reader.join()
