"""Kinds of work that people ask for, each piece with a row that says whether it still waits (C-52, J-105)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from changeover.engine import names
from changeover.engine.executing import DEAD, UNFINISHED, Listening
from changeover.engine.lines import Busy, attempt_of, listed
from changeover.ops import logging
from changeover.store.database import Database

if TYPE_CHECKING:
    pass

log = logging.get(__name__)


class AskedLine(ABC):
    """A kind of work whose workflow takes the row's id and the number of the attempt."""

    workflow: ClassVar[str]

    def __init__(self, database: Database, listening: Listening) -> None:
        self.database, self.listening = database, listening

    @abstractmethod
    def bind(self, busy: Busy | None) -> None: ...

    @abstractmethod
    def waiting(self, now: datetime) -> Sequence[str]:
        """The ids that are to be worked by now."""

    @abstractmethod
    def named(self, asked_id: str, attempt: int = 1) -> str:
        """The workflow id of an attempt: a word, the id, and from the second on its number, each after a colon."""

    @abstractmethod
    def enqueue(self, asked_id: str, attempt: int) -> None:
        """Puts an attempt into the queue, under the workflow id that the caller has set."""

    @abstractmethod
    def give_up(self, asked_id: str) -> None:
        """Ends it as something that was cut off too often (LB-18)."""

    def pick_up(self, now: datetime) -> int:
        """Begins again what waits although nothing works it: its next try is due, or its work was lost."""
        waiting = self.waiting(now)
        if not waiting:
            return 0
        at_work = {each.workflow_id.split(":")[1] for each in listed(self.workflow, status=UNFINISHED)}
        return sum(self._begin_again(each) for each in waiting if each not in at_work)

    def _begin_again(self, asked_id: str) -> bool:
        from dbos import SetWorkflowID

        last = max(listed(self.workflow, workflow_id_prefix=self.named(asked_id)), key=attempt_of, default=None)
        if last is not None and last.status in UNFINISHED:
            return False
        if last is not None and last.status == DEAD:
            log.error("asked.given_up", workflow=self.workflow, asked_id=asked_id, times=names.MOST_RECOVERIES)
            self.give_up(asked_id)
            return False
        attempt = attempt_of(last) + 1 if last is not None else 1
        with SetWorkflowID(self.named(asked_id, attempt)):
            self.enqueue(asked_id, attempt)
        log.warning("asked.picked_up", workflow=self.workflow, asked_id=asked_id, attempt=attempt)
        return True
