"""The durable engine of a cycle: started after the lease, it drives deliveries to their end, never plans."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from changeover.core.plan import Alert, Level
from changeover.engine import names
from changeover.engine.executing import DEAD, UNFINISHED, Engine, ExecutorInUse, Listening
from changeover.engine.lease import LeaseLost
from changeover.engine.names import Role
from changeover.engine.sending import Sending, Sent
from changeover.ops import logging
from changeover.store import alerts, deliveries, facts

if TYPE_CHECKING:
    from dbos import WorkflowHandle, WorkflowStatus

__all__ = ["Durable", "ExecutorInUse", "Settled", "ask_to_revive", "asked_to_revive", "given_up"]

log = logging.get(__name__)

KEPT = timedelta(days=30)
_POLL_SECONDS = 0.1
_DRAIN_SECONDS = 40  # longer than a request may be on the wire
_PRUNED_AT_ONCE = 500
_ENDED = ["SUCCESS", "ERROR", "CANCELLED"]
_REVIVE = "deliveries.revive"


@dataclass(frozen=True, slots=True)
class Settled:
    """What a start found of earlier runs and did about it; `dead` names runs that gave up and wait for a person."""

    total: Sent
    dead: tuple[str, ...] = ()


class Durable(Engine):
    """The engine of a cycle. One at a time (LB-2); `start` only while the lease is held (C-4)."""

    def __init__(self, sending: Sending, folder: Path, role: Role = Role.CYCLE, number: int = 1) -> None:
        super().__init__(sending.env, sending.database.url, folder, role, number)
        self._sending = sending
        self._role = role
        self._waiting = 0

    def listening(self) -> tuple[Listening, ...]:
        """Deliveries belong to the process that holds the lease (LB-16)."""
        return (Listening(names.DELIVER_QUEUE, 1, _POLL_SECONDS),) if self._role is Role.CYCLE else ()

    def bind(self, *, on: bool) -> None:
        from changeover.engine import workflows

        workflows.bind(self._sending if on else None)

    def drain_seconds(self) -> int:
        """Long only when a caller gave up its wait: then a request may be on the wire."""
        return _DRAIN_SECONDS if self._waiting else 0

    def deliver(self, run_id: str) -> Sent:
        """Sends what a run has committed and waits for the end: all sent, or something in the way. Raises LeaseLost.

        May be called again for the same run: what was committed since, or was left, is sent then.
        """
        attempts = self._attempts(run_id)
        if self._gave_up(run_id, attempts):
            return self._dead_letter(run_id)
        running = [each.workflow_id for each in attempts if each.status in UNFINISHED]
        for workflow_id in running:
            self._wait(workflow_id)
        if self._left(run_id) == 0 and running:
            return Sent(0)
        return self._run(run_id, names.delivery(run_id, len(attempts) + 1))

    def settle(self) -> Settled:
        """Drives to its end what earlier runs have left (C-3, C-31), oldest first, before anything new is decided."""
        self._take_over()
        for each in self._list(status=UNFINISHED):
            self._wait(each.workflow_id)
        total, dead = Sent(0), []
        with self._sending.database.read() as connection:
            runs = deliveries.open_runs(connection)
        for run_id in runs:
            sent = self.deliver(run_id)
            if sent.stopped == "dead_letter":
                dead.append(run_id)
                continue
            total = sent._replace(left=total.left + sent.left).after(total)
            if sent.stopped:
                break
        return Settled(total, tuple(dead))

    def revive(self) -> tuple[str, ...]:
        """Begins dead letters again, once a person has removed their cause; returns their runs."""
        from dbos import DBOS

        dead = [each.workflow_id for each in self._list(status=[DEAD])]
        DBOS.resume_workflows(dead, queue_name=names.DELIVER_QUEUE)
        runs = tuple(dict.fromkeys(each.split(":")[1] for each in dead))
        with self._sending.database.begin() as connection:
            for run_id in runs:
                alerts.resolve(connection, alerts.key_of(self._sending.env, *_subject(run_id)), datetime.now(UTC))
        return runs

    def prune(self, now: datetime) -> int:
        """Forgets what ended 30 days ago, 500 at a time, but no dead letter (LB-20); returns how many."""
        from dbos import DBOS

        before, count = (now - KEPT).isoformat(), 0
        while ended := DBOS.list_workflows(
            status=_ENDED, completed_before=before, load_input=False, load_output=False, limit=_PRUNED_AT_ONCE
        ):
            DBOS.delete_workflows([each.workflow_id for each in ended])
            count += len(ended)
        return count

    def _take_over(self) -> None:
        """Ends the workflows of hosts that lost the lease to us and of other releases; their rows say what is left.

        Should such a process still live, its token is too old for it to write anything (C-30).
        """
        from dbos import DBOS

        others = [
            each.workflow_id
            for each in self._list(status=UNFINISHED)
            if each.app_version not in (None, names.PROTOCOL)
            or (each.status == "PENDING" and each.executor_id != self.executor)
        ]
        if others:
            log.warning("engine.took_over", workflows=len(others))
            DBOS.cancel_workflows(others)

    def _run(self, run_id: str, workflow_id: str) -> Sent:
        from dbos import DBOS, SetWorkflowID, error

        from changeover.engine import workflows

        with SetWorkflowID(workflow_id):
            handle = DBOS.enqueue_workflow(names.DELIVER_QUEUE, workflows.deliver, run_id)
        try:
            return Sent(*self._result(handle))
        except error.DBOSAwaitedWorkflowCancelledError:
            message = f"another run has taken over {workflow_id}"
            raise LeaseLost(message) from None

    def _wait(self, workflow_id: str) -> None:
        """Waits for work that an earlier process began; what it could not do is seen in the rows afterwards."""
        from dbos import DBOS, error

        try:
            self._result(DBOS.retrieve_workflow(workflow_id))
        except error.DBOSException as refusal:
            log.warning("engine.gave_up", workflow_id=workflow_id, error=type(refusal).__name__)

    def _result(self, handle: WorkflowHandle[tuple[int, int, int, str]]) -> tuple[int, int, int, str]:
        self._waiting += 1
        try:
            result = handle.get_result(polling_interval_sec=_POLL_SECONDS)
        except Exception:  # the workflow's own end; what cuts the wait itself short is no Exception
            self._waiting -= 1
            raise
        self._waiting -= 1
        return result

    def _gave_up(self, run_id: str, attempts: Sequence[WorkflowStatus]) -> bool:
        """Whether the last attempt was cut off too often and sent nothing; one that got on is followed by another."""
        last = max(attempts, key=lambda each: each.created_at or 0, default=None)
        if last is None or last.status != DEAD:
            return False
        began = datetime.fromtimestamp((last.created_at or 0) / 1000, UTC)
        with self._sending.database.read() as connection:
            return deliveries.done_since(connection, run_id, began) == 0

    def _dead_letter(self, run_id: str) -> Sent:
        rule, subject = _subject(run_id)
        text = (
            f"The delivery of {run_id} was cut off {names.MOST_RECOVERIES} times and is not begun again: "
            "its writes wait. Find out what kills the process; then `changeover resume` begins it again."
        )
        with self._sending.database.begin() as connection:
            alert = Alert(rule, subject, Level.ERROR, text)
            alerts.open_or_repeat(connection, self._sending.env, alert, datetime.now(UTC), run_id)
        return Sent(self._left(run_id), stopped="dead_letter")

    def _left(self, run_id: str) -> int:
        with self._sending.database.read() as connection:
            return deliveries.pending(connection, run_id)

    def _attempts(self, run_id: str) -> Sequence[WorkflowStatus]:
        return self._list(workflow_id_prefix=names.delivery(run_id))

    def _list(self, status: list[str] | None = None, workflow_id_prefix: str | None = None) -> Sequence[WorkflowStatus]:
        from dbos import DBOS

        return DBOS.list_workflows(
            name=names.DELIVER_WORKFLOW,
            status=status,
            workflow_id_prefix=workflow_id_prefix,
            load_input=False,
            load_output=False,
        )


def _subject(run_id: str) -> tuple[str, str]:
    """Rule and subject of the alert about a run that is not delivered any more."""
    return "dead_letter", f"delivery:{run_id}"


def given_up(connection: Connection) -> tuple[str, ...]:
    """The subjects of the deliveries that are dead letters and wait for a person."""
    rule, prefix = _subject("")
    return tuple(
        each.subject
        for each in alerts.standing(connection)
        if each.rule == rule and each.subject[: len(prefix)] == prefix
    )


def ask_to_revive(connection: Connection, now: datetime) -> None:
    """Notes that a person wants dead letters begun again; the next run does it."""
    facts.put(connection, _REVIVE, True, now)


def asked_to_revive(connection: Connection) -> bool:
    """Whether that was asked for; the question is answered once."""
    return facts.forget(connection, _REVIVE)
