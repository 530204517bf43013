"""Webhooks as work of the worker's, one job after the other (J-76); what they mean is decided at their desk."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from changeover.engine import hooks, names
from changeover.engine.executing import Listening
from changeover.engine.hooks import HookDesk, Next
from changeover.engine.lines import POLL_SECONDS, Busy, EventLine
from changeover.ops import logging
from changeover.store.events import Event, EventKind

if TYPE_CHECKING:
    from dbos import WorkflowStatus


class HookLine(EventLine):
    """The webhooks of one environment: `at_once` jobs at a time, and never two works of one job."""

    workflow = names.HOOK_WORKFLOW
    kind = EventKind.HCP

    def __init__(self, desk: HookDesk, at_once: int) -> None:
        super().__init__(desk.database, Listening(names.HOOK_QUEUE, at_once, POLL_SECONDS, serial=True))
        self._desk = desk

    def bind(self, busy: Busy | None) -> None:
        from changeover.engine import workflows

        workflows.bind_hooks(None if busy is None else partial(self._work, busy))

    def named(self, event_id: str, attempt: int = 1) -> str:
        return names.hook(event_id, attempt)

    def owner(self, event: Event) -> str:
        return str(event.payload["job_id"])

    def owner_at_work(self, work: WorkflowStatus) -> str:
        return str(work.queue_partition_key)

    def enqueue(self, event: Event) -> None:
        from dbos import DBOS, SetEnqueueOptions

        from changeover.engine import workflows

        job_id = str(event.payload["job_id"])
        with SetEnqueueOptions(queue_partition_key=job_id):
            DBOS.enqueue_workflow(names.HOOK_QUEUE, workflows.hook, event.id, job_id)

    def give_up(self, event: Event, reason: str) -> None:
        hooks.give_up(self._desk, event, reason)

    def _work(self, busy: Busy, event_id: str) -> Sequence[Next]:
        with busy, logging.about(event_id=event_id):
            return hooks.work(self._desk, event_id)
