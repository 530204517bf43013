"""Clicks as a kind of work of the worker's, the most urgent one (K-7); what they mean is decided at their desk."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from changeover.engine import clicks, names
from changeover.engine.asked_line import AskedLine
from changeover.engine.clicks import ClickDesk
from changeover.engine.executing import Listening
from changeover.engine.lines import Busy
from changeover.ops import logging

_POLL_SECONDS = 0.015  # somebody looks at a button and waits


class ClickLine(AskedLine):
    """What people asked for in one environment, `at_once` rows at a time."""

    workflow = names.CLICK_WORKFLOW

    def __init__(self, desk: ClickDesk, at_once: int) -> None:
        super().__init__(desk.database, Listening(names.CLICK_QUEUE, at_once, _POLL_SECONDS))
        self._desk = desk

    def bind(self, busy: Busy | None) -> None:
        from changeover.engine import workflows

        workflows.bind_clicks(None if busy is None else partial(self._work, busy))

    def waiting(self, now: datetime) -> Sequence[str]:
        with self.database.read() as connection:
            return clicks.waiting(connection, now)

    def named(self, asked_id: str, attempt: int = 1) -> str:
        return names.click(asked_id, attempt)

    def enqueue(self, asked_id: str, attempt: int) -> None:
        from dbos import DBOS

        from changeover.engine import workflows

        DBOS.enqueue_workflow(names.CLICK_QUEUE, workflows.click, asked_id, attempt)

    def give_up(self, asked_id: str) -> None:
        clicks.give_up(self._desk, asked_id)

    def _work(self, busy: Busy, operation_id: str) -> bool:
        with busy, logging.about(operation_id=operation_id):
            return clicks.work(self._desk, operation_id)
