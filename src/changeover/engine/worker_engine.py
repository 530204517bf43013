"""The durable engine of a worker: takes work of several kinds, each from its queue, and that of workers now silent."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from changeover.engine import names
from changeover.engine.executing import Engine, Listening
from changeover.engine.lines import Busy, Line, listed
from changeover.engine.names import Role
from changeover.ops import logging
from changeover.store import facts
from changeover.store.database import Database

log = logging.get(__name__)

SILENCE = timedelta(seconds=60)
"""A worker that has not been heard of for so long is gone: another takes its work over (K-7)."""

_DRAIN_SECONDS = 20  # with the importer's patience less than a minute (C-33)


class WorkerEngine(Engine):
    """The engine of the worker of this number, for one environment. `lines` in order of their urgency (K-7)."""

    def __init__(self, env: str, database: Database, folder: Path, number: int, lines: Sequence[Line]) -> None:
        super().__init__(env, database.url, folder, Role.WORKER, number)
        self._database, self._lines = database, tuple(lines)
        self._busy = Busy()

    def listening(self) -> tuple[Listening, ...]:
        return tuple(each.listening for each in self._lines)

    def bind(self, *, on: bool) -> None:
        for each in self._lines:
            each.bind(self._busy if on else None)

    def drain_seconds(self) -> int:
        """Only while something is at work; what is cut off all the same begins again at the next start."""
        return _DRAIN_SECONDS if self._busy else 0

    def beat(self, now: datetime) -> None:
        """Tells the other workers that this one lives."""
        with self._database.begin() as connection:
            facts.put(connection, names.WORKER_BEAT + self.executor, True, now)

    def adopt(self, now: datetime) -> int:
        """Takes over the work of workers that are silent (K-7); returns how many pieces."""
        return sum(self._adopt(each, now) for each in self._lines)

    def pick_up(self, now: datetime) -> int:
        """Begins again what waits although nothing works it; returns how many pieces."""
        return sum(each.pick_up(now) for each in self._lines)

    def _adopt(self, line: Line, now: datetime) -> int:
        from dbos import DBOS

        others = [each for each in listed(line.workflow, status=["PENDING"]) if each.executor_id != self.executor]
        silent = self._silent({str(each.executor_id) for each in others}, now)
        taken = [each.workflow_id for each in others if each.executor_id in silent]
        if taken:
            log.warning("engine.took_over", workflow=line.workflow, workflows=len(taken))
            DBOS.resume_workflows(taken, queue_name=line.listening.queue)
        return len(taken)

    def _silent(self, executors: Iterable[str], now: datetime) -> set[str]:
        with self._database.read() as connection:
            beats = {each: facts.read(connection, names.WORKER_BEAT + each) for each in executors}
        return {each for each, beat in beats.items() if beat is None or now - beat.at > SILENCE}
