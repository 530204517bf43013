"""Requested runs as a kind of work of the worker's, one at a time; how one is carried out is decided elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from changeover.engine import names
from changeover.engine.asked_line import AskedLine
from changeover.engine.executing import Listening
from changeover.engine.lines import Busy
from changeover.engine.requested_runs import RequestedRuns
from changeover.ops import logging
from changeover.store import runs
from changeover.store.database import Database

_POLL_SECONDS = 0.5


class RunLine(AskedLine):
    """The runs that people asked for in one environment."""

    workflow = names.RUN_WORKFLOW

    def __init__(self, database: Database, requested: RequestedRuns) -> None:
        super().__init__(database, Listening(names.RUN_QUEUE, 1, _POLL_SECONDS))
        self._requested = requested

    def bind(self, busy: Busy | None) -> None:
        from changeover.engine import workflows

        workflows.bind_runs(None if busy is None else partial(self._work, busy))

    def waiting(self, now: datetime) -> Sequence[str]:  # noqa: ARG002 - every line is told
        with self.database.read() as connection:
            return list(dict.fromkeys(each.cycle for each in runs.queued(connection)))

    def named(self, asked_id: str, attempt: int = 1) -> str:
        return names.requested_run(asked_id, attempt)

    def enqueue(self, asked_id: str, attempt: int) -> None:
        from dbos import DBOS

        from changeover.engine import workflows

        DBOS.enqueue_workflow(names.RUN_QUEUE, workflows.requested_run, asked_id, attempt)

    def give_up(self, asked_id: str) -> None:
        self._requested.give_up(asked_id)

    def _work(self, busy: Busy, cycle: str) -> bool:
        with busy, logging.about(cycle=cycle):
            return self._requested.work(cycle)
