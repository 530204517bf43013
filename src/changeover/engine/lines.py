"""Kinds of work that a worker takes in: what works them, and how what was left lying begins again (C-64)."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from types import TracebackType
from typing import TYPE_CHECKING, ClassVar, Final, Protocol

from changeover.engine import names
from changeover.engine.executing import DEAD, UNFINISHED, Listening
from changeover.ops import logging
from changeover.store import events
from changeover.store.database import Database
from changeover.store.events import Event, EventKind, EventState

if TYPE_CHECKING:
    from dbos import WorkflowStatus

log = logging.get(__name__)

POLL_SECONDS = 0.1
WAITS: Final = tuple(timedelta(minutes=each) for each in (1, 5, 15, 30, 60, 90, 159))
"""Between the 8 tries of 6 hours (C-64); after the last one it is a dead letter."""
_AT_ONCE = 1000


class Busy:
    """Counts what is at work: each piece of it is a `with` block."""

    def __init__(self) -> None:
        self._lock, self._count = threading.Lock(), 0

    def __bool__(self) -> bool:
        return self._count > 0

    def __enter__(self) -> None:
        with self._lock:
            self._count += 1

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with self._lock:
            self._count -= 1


class Line(Protocol):
    """One kind of work, with a queue of its own."""

    @property
    def workflow(self) -> str:
        """The name of its workflow."""

    @property
    def listening(self) -> Listening:
        """Its queue."""

    def bind(self, busy: Busy | None) -> None:
        """Gives the workflow what works it, each piece counted; None takes it away."""

    def pick_up(self, now: datetime) -> int:
        """Begins again what waits although nothing works it; how many. Called once a minute."""


class EventLine(ABC):
    """A kind of work that lies in the events: it waits as long as its event is `received`."""

    workflow: ClassVar[str]
    kind: ClassVar[EventKind]

    def __init__(self, database: Database, listening: Listening) -> None:
        self.database, self.listening = database, listening

    @abstractmethod
    def bind(self, busy: Busy | None) -> None: ...

    @abstractmethod
    def named(self, event_id: str, attempt: int = 1) -> str:
        """The workflow id of an attempt: a word, the event, and from the second on its number, each after a colon."""

    @abstractmethod
    def enqueue(self, event: Event) -> None:
        """Puts an event's work into the queue, under the id that the caller has set."""

    @abstractmethod
    def give_up(self, event: Event, reason: str) -> None:
        """Makes it a dead letter."""

    def owner(self, event: Event) -> str:
        """Whose work an event's is: what works one thing of an owner's works all that wait for it."""
        return event.id

    def owner_at_work(self, work: WorkflowStatus) -> str:
        """Whose work this is."""
        return work.workflow_id.split(":")[1]

    def pick_up(self, now: datetime) -> int:
        """Begins again the events that wait although nothing works them; returns how many.

        Their work ended with the database away, or was lost with an older database. One whose process was killed too
        often is a dead letter (LB-18).
        """
        with self.database.read() as connection:
            waiting = events.recent(connection, _AT_ONCE, kinds=(self.kind,), states=(EventState.RECEIVED,))
        if not waiting:
            return 0
        at_work = {self.owner_at_work(each) for each in self._list(status=UNFINISHED)}
        lost = {owner: each for each in waiting if (owner := self.owner(each)) not in at_work}
        return sum(self._begin_again(event, now) for event in lost.values())

    def _begin_again(self, event: Event, now: datetime) -> bool:
        from dbos import SetWorkflowID

        attempts = self._list(workflow_id_prefix=self.named(event.id))
        if any(each.status in UNFINISHED for each in attempts):
            return False
        last = max(attempts, key=attempt_of, default=None)
        if last is not None and last.status == DEAD:
            self.give_up(event, f"cut off {names.MOST_RECOVERIES} times")
            return False
        attempt = attempt_of(last) + 1 if last else 1
        with self.database.begin() as connection:
            current = next(iter(events.find(connection, [event.id])), None)
            if current is None or current.state is not EventState.RECEIVED:
                return False
            events.put(connection, [replace(current, payload={**current.payload, "attempt": attempt})])
        with SetWorkflowID(self.named(event.id, attempt)):
            self.enqueue(event)
        waited = round((now - event.received_at).total_seconds())
        log.warning(f"{self.kind}.picked_up", event_id=event.id, waited_s=waited)
        return True

    def _list(self, status: list[str] | None = None, workflow_id_prefix: str | None = None) -> Sequence[WorkflowStatus]:
        return listed(self.workflow, status, workflow_id_prefix)


def listed(
    workflow: str, status: list[str] | None = None, workflow_id_prefix: str | None = None
) -> Sequence[WorkflowStatus]:
    """The engine's records of a workflow, without what went in and came out."""
    from dbos import DBOS

    return DBOS.list_workflows(
        name=workflow, status=status, workflow_id_prefix=workflow_id_prefix, load_input=False, load_output=False
    )


def attempt_of(attempt: WorkflowStatus) -> int:
    """Which attempt a workflow is, by its id."""
    parts = attempt.workflow_id.split(":")
    return int(parts[2]) if len(parts) > 2 else 1  # noqa: PLR2004 - word, event, attempt
