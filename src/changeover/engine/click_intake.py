"""Takes in what people ask for a row by button or API, and tells the answer (J-105); it does none of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from changeover.core.job_action import Action
from changeover.engine import entering, names
from changeover.engine.enqueueing import enqueue
from changeover.store import events, facts, operations
from changeover.store.database import Database
from changeover.store.events import Event, EventKind, EventState
from changeover.store.facts import Json
from changeover.store.operations import Asked, Busy, Operation, OperationState
from changeover.store.writer import Writer

if TYPE_CHECKING:
    from dbos import DBOSClient, EnqueueOptions

_SILENCE: Final = timedelta(seconds=60)  # a worker not heard of for so long is gone (K-7)
_MOST_WAITS: Final = 4  # threads that answers may hold: half of the server's are left to mails and webhooks
_FIRST_LOOKS: Final = 2.0  # seconds in which most answers come
_OFTEN, _SELDOM = 0.005, 0.2


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked for. Under the same `operation_id` it is done once, however often it is asked (J-108)."""

    action: Action
    record_id: str
    who: str
    operation_id: str | None = None


class ClickIntake:
    """One environment's requests, for any number of threads of one process."""

    def __init__(self, database: Database, writer: Writer, client: DBOSClient) -> None:
        self._database, self._writer, self._client = database, writer, client
        self._waits = threading.BoundedSemaphore(_MOST_WAITS)

    def ask(self, request: Request, at: datetime) -> Asked | Busy:
        """Enters a request and its work in one transaction, or joins the one under way. Raises NotTaken."""
        return entering.enter(self._writer, partial(enter, self._client, request, at))

    def answer(self, operation_id: str, seconds: float, stopping: threading.Event) -> Operation | None:
        """The operation once it is answered; None when it is not within so long, when no worker runs, when this

        process is to end, or when so many wait already that others would find no thread.
        """
        if not self._waits.acquire(blocking=False):
            return self._answered(operation_id)
        try:
            return self._wait(operation_id, seconds, stopping)
        finally:
            self._waits.release()

    def find(self, operation_id: str) -> Operation | None:
        with self._database.read() as connection:
            return operations.find(connection, operation_id)

    def under_way(self, record_id: str) -> Operation | None:
        """What is being done to a row."""
        with self._database.read() as connection:
            return operations.open_of(connection, record_id)

    def is_worked(self, now: datetime) -> bool:
        """Whether a worker was alive within the last minute."""
        with self._database.read() as connection:
            beat = facts.latest(connection, names.WORKER_BEAT)
        return beat is not None and now - beat <= _SILENCE

    def _wait(self, operation_id: str, seconds: float, stopping: threading.Event) -> Operation | None:
        began = time.monotonic()
        if not self.is_worked(datetime.now(UTC)):
            return self._answered(operation_id)
        while (passed := time.monotonic() - began) < seconds and not stopping.is_set():
            if (found := self._answered(operation_id)) is not None:
                return found
            stopping.wait(_OFTEN if passed < _FIRST_LOOKS else _SELDOM)
        return self._answered(operation_id)

    def _answered(self, operation_id: str) -> Operation | None:
        try:
            found = self.find(operation_id)
        except OperationalError:  # the database is not to be read at this instant: the next look may be luckier
            return None
        return found if found is not None and found.state is OperationState.DONE else None


def event_id(operation_id: str) -> str:
    """The event of an operation: what people look for it by (`events list`)."""
    return f"click-{operation_id}"


def summary(payload: Mapping[str, Json], word: str) -> str:
    """What a list shows of a click."""
    return " — ".join(str(each) for each in (payload["action"], payload["record_id"], word) if each)


def enter(client: DBOSClient, request: Request, at: datetime, connection: Connection) -> Asked | Busy:
    """What is asked for, its event and its work in the caller's transaction, or the one under way that is the same."""
    asked = operations.ask(connection, request.action, request.record_id, request.who, at, request.operation_id)
    if isinstance(asked, Asked) and not asked.joined:
        work: EnqueueOptions = {
            "workflow_name": names.CLICK_WORKFLOW,
            "queue_name": names.CLICK_QUEUE,
            "workflow_id": names.click(asked.id),
        }
        events.put(connection, [_event(asked.id, request, at)])
        enqueue(connection, client, work, asked.id, 1)
    return asked


def _event(operation_id: str, request: Request, at: datetime) -> Event:
    payload: dict[str, Json] = {
        "operation": operation_id,
        "action": request.action.value,
        "record_id": request.record_id,
        "who": request.who,
        "reason": "",
    }
    told = summary(payload, EventState.RECEIVED.value)
    return Event(event_id(operation_id), EventKind.CLICK, EventState.RECEIVED, at, told, payload)
