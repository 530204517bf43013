"""The durable engine of one process (DBOS): started after the lease, it drives deliveries to their end, never plans."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from logging import NullHandler, getLogger
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from sqlalchemy import Connection

from changeover.core.plan import Alert, Level
from changeover.engine import names
from changeover.engine.lease import LeaseLost
from changeover.engine.names import Role
from changeover.engine.process import host_name
from changeover.engine.sending import Sending, Sent
from changeover.ops import logging
from changeover.store import alerts, deliveries, facts

if TYPE_CHECKING:
    from dbos import DBOSConfig, WorkflowHandle, WorkflowStatus

log = logging.get(__name__)

KEPT = timedelta(days=30)
_POLL_SECONDS = 0.1
_DRAIN_SECONDS = 40  # longer than a request may be on the wire
_PRUNED_AT_ONCE = 500
_UNFINISHED = ["PENDING", "ENQUEUED", "DELAYED"]
_ENDED = ["SUCCESS", "ERROR", "CANCELLED"]
_DEAD = "MAX_RECOVERY_ATTEMPTS_EXCEEDED"
_REVIVE = "deliveries.revive"


class ExecutorInUse(Exception):
    """Another live process has this executor id: its work would run twice (LB-14)."""


@dataclass(frozen=True, slots=True)
class Settled:
    """What a start found of earlier runs and did about it; `dead` names runs that gave up and wait for a person."""

    total: Sent
    dead: tuple[str, ...] = ()


class Durable:
    """The engine of this process. One at a time (LB-2); `start` only while the lease is held (C-4)."""

    def __init__(self, sending: Sending, folder: Path, role: Role = Role.CYCLE, number: int = 1) -> None:
        self.executor = names.executor(host_name(), sending.env, role, number)
        self._sending = sending
        self._role = role
        self._waiting = 0
        self._lock = _Lock(folder / f"{self.executor}.lock")

    def start(self) -> None:
        """Launches the engine; work of a killed process with our executor id begins again at once.

        Raises ExecutorInUse. The tables must be there (`schema.migrate`): nothing is created here.
        """
        self._lock.take()
        from dbos import DBOS

        from changeover.engine import workflows

        _log_as_we_do()
        try:
            workflows.bind(self._sending)
            DBOS(config=self.config())
            DBOS.listen_queues([names.DELIVER_QUEUE] if self._role is Role.CYCLE else [])
            DBOS.launch()
            DBOS.register_queue(names.DELIVER_QUEUE, worker_concurrency=1, polling_interval_sec=_POLL_SECONDS)
        except BaseException:
            self.close()
            raise
        log.info("engine.started", executor=self.executor)

    def close(self) -> None:
        """Lets the step on the wire end, then stops; unfinished work waits for the next start."""
        from dbos import DBOS

        from changeover.engine import workflows

        # Waiting costs a second even when nothing runs, so it is asked for only when a caller gave up its wait.
        DBOS.destroy(workflow_completion_timeout_sec=_DRAIN_SECONDS if self._waiting else 0)
        workflows.bind(None)
        self._lock.give_back()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def config(self) -> DBOSConfig:
        """Everything the engine is told, so that none of its defaults decides (LB-1, LB-3, LB-13, LB-22)."""
        return {
            "name": names.application(self._sending.env),
            "system_database_url": self._sending.database.url,
            "application_version": names.PROTOCOL,
            "executor_id": self.executor,
            "log_level": "WARNING",
            "enable_otlp": False,
            "run_migrations": False,
            "sys_db_pool_size": 5,
            # We wait for no notification; a listener that sleeps longer would only hold up the end of the run.
            "notification_listener_polling_interval_sec": _POLL_SECONDS,
        }

    def deliver(self, run_id: str) -> Sent:
        """Sends what a run has committed and waits for the end: all sent, or something in the way. Raises LeaseLost.

        May be called again for the same run: what was committed since, or was left, is sent then.
        """
        attempts = self._attempts(run_id)
        if self._gave_up(run_id, attempts):
            return self._dead_letter(run_id)
        running = [each.workflow_id for each in attempts if each.status in _UNFINISHED]
        for workflow_id in running:
            self._wait(workflow_id)
        if self._left(run_id) == 0 and running:
            return Sent(0)
        return self._run(run_id, names.delivery(run_id, len(attempts) + 1))

    def settle(self) -> Settled:
        """Drives to its end what earlier runs have left (C-3, C-31), oldest first, before anything new is decided."""
        self._take_over()
        for each in self._list(status=_UNFINISHED):
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

        dead = [each.workflow_id for each in self._list(status=[_DEAD])]
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
            for each in self._list(status=_UNFINISHED)
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
        if last is None or last.status != _DEAD:
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


def _log_as_we_do() -> None:
    """Keeps the engine from printing by itself: its logger has a handler, so lines reach ours alone (L-5)."""
    logger = getLogger("dbos")
    if not logger.handlers:
        logger.addHandler(NullHandler())


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


class _Lock:
    """A file lock that dies with the process."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None

    def take(self) -> None:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            raise ExecutorInUse(self._path.stem) from None
        self._file = file

    def give_back(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None
