"""The durable engine of a worker: takes mails from their queue and looks after those that were left lying (C-64)."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from changeover.engine import mails, names
from changeover.engine.executing import Engine, Listening
from changeover.engine.mails import Again, Desk
from changeover.engine.names import Role
from changeover.ops import logging
from changeover.store import events, facts
from changeover.store.events import Event, EventKind, EventState

if TYPE_CHECKING:
    from dbos import WorkflowStatus

log = logging.get(__name__)

SILENCE = timedelta(seconds=60)
"""A worker that has not been heard of for so long is gone: another takes its work over (K-7)."""

_POLL_SECONDS = 0.1
_DRAIN_SECONDS = 20  # with the importer's patience less than a minute (C-33)
_AT_ONCE = 1000
_UNFINISHED = ["PENDING", "ENQUEUED", "DELAYED"]
_DEAD = "MAX_RECOVERY_ATTEMPTS_EXCEEDED"
_BEAT = "worker.beat."


class MailEngine(Engine):
    """The engine of the worker of this number, for one environment."""

    def __init__(self, desk: Desk, number: int, at_once: int) -> None:
        super().__init__(desk.env, desk.database.url, desk.folder, Role.WORKER, number)
        self._desk, self._at_once = desk, at_once
        self._counting = threading.Lock()
        self._at_work = 0

    def listening(self) -> Listening:
        return Listening(names.MAIL_QUEUE, self._at_once, _POLL_SECONDS)

    def bind(self, *, on: bool) -> None:
        from changeover.engine import workflows

        workflows.bind_mails(self._work if on else None)

    def drain_seconds(self) -> int:
        """Only while a mail is at work; one that is cut off all the same begins again at the next start."""
        return _DRAIN_SECONDS if self._at_work else 0

    def _work(self, event_id: str) -> Again:
        with self._counting:
            self._at_work += 1
        try:
            with logging.about(event_id=event_id):
                return mails.work(self._desk, event_id)
        finally:
            with self._counting:
                self._at_work -= 1

    def beat(self, now: datetime) -> None:
        """Tells the other workers that this one lives."""
        with self._desk.database.begin() as connection:
            facts.put(connection, _BEAT + self.executor, True, now)

    def adopt(self, now: datetime) -> int:
        """Takes over the mails of workers that are silent (K-7); returns how many."""
        from dbos import DBOS

        others = [each for each in _list(status=["PENDING"]) if each.executor_id != self.executor]
        silent = self._silent({str(each.executor_id) for each in others}, now)
        taken = [each.workflow_id for each in others if each.executor_id in silent]
        if taken:
            log.warning("engine.took_over", workflows=len(taken))
            DBOS.resume_workflows(taken, queue_name=names.MAIL_QUEUE)
        return len(taken)

    def _silent(self, executors: Iterable[str], now: datetime) -> set[str]:
        with self._desk.database.read() as connection:
            beats = {each: facts.read(connection, _BEAT + each) for each in executors}
        return {each for each, beat in beats.items() if beat is None or now - beat.at > SILENCE}

    def pick_up(self, now: datetime) -> int:
        """Begins again the mails that wait although nothing works them; returns how many.

        Their work ended with the database away, or was lost with an older database. One whose process was killed too
        often is a dead letter (LB-18).
        """
        with self._desk.database.read() as connection:
            kinds, states = (EventKind.MAIL,), (EventState.RECEIVED,)
            waiting = events.recent(connection, _AT_ONCE, kinds=kinds, states=states)
        if not waiting:
            return 0
        at_work = {each.workflow_id.split(":")[1] for each in _list(status=_UNFINISHED)}
        lost = [each for each in waiting if each.id not in at_work]
        return sum(self._begin_again(event, now) for event in lost)

    def _begin_again(self, event: Event, now: datetime) -> bool:
        from dbos import DBOS, SetWorkflowID

        from changeover.engine import workflows

        attempts = _list(workflow_id_prefix=names.mail(event.id))
        if any(each.status in _UNFINISHED for each in attempts):
            return False
        last = max(attempts, key=_number, default=None)
        if last is not None and last.status == _DEAD:
            mails.give_up(self._desk, event, f"cut off {names.MOST_RECOVERIES} times")
            return False
        attempt = _number(last) + 1 if last else 1
        with self._desk.database.begin() as connection:
            current = next(iter(events.find(connection, [event.id])), None)
            if current is None or current.state is not EventState.RECEIVED:
                return False
            events.put(connection, [replace(current, payload={**current.payload, "attempt": attempt})])
        with SetWorkflowID(names.mail(event.id, attempt)):
            DBOS.enqueue_workflow(names.MAIL_QUEUE, workflows.mail, event.id)
        log.warning("mail.picked_up", event_id=event.id, waited_s=round((now - event.received_at).total_seconds()))
        return True


def _number(attempt: WorkflowStatus) -> int:
    """Which attempt a workflow is, by its id."""
    parts = attempt.workflow_id.split(":")
    return int(parts[2]) if len(parts) > 2 else 1  # noqa: PLR2004 - mail:<event>:<attempt>


def _list(status: list[str] | None = None, workflow_id_prefix: str | None = None) -> Sequence[WorkflowStatus]:
    from dbos import DBOS

    return DBOS.list_workflows(
        name=names.MAIL_WORKFLOW,
        status=status,
        workflow_id_prefix=workflow_id_prefix,
        load_input=False,
        load_output=False,
    )
