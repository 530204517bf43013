"""What a worker of this process does for people and for the company: clicks and webhooks, mortal as runs are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection

from changeover.core.job_action import Action
from changeover.engine import click_intake, clicks, hooks
from changeover.engine.click_intake import Request
from changeover.engine.clicks import ClickDesk
from changeover.engine.hook_intake import HookIntake
from changeover.engine.hooks import HookDesk
from changeover.engine.jobs import desk as job_desk
from changeover.engine.jobs.following import follow
from changeover.engine.jobs.operations import Answer, perform
from changeover.engine.stopping import Stopping
from changeover.housecallpro import webhooks
from changeover.store import events, operations
from changeover.store.database import Database
from changeover.store.events import Event, EventKind, EventState
from stateful.company import COMPANY_ID, SECRET
from stateful.mortal import Fate, Killed, MortalDatabase
from stateful.program import Program


class _NoQueue:
    """In place of the durable engine's client: what waits is found in its table."""

    def enqueue_in_transaction(self, *_: Any) -> None: ...


@dataclass
class _AtOnce:
    """In place of the writer's thread."""

    database: Database

    def submit(self, work: Callable[[Connection], Any]) -> Any:
        with self.database.begin() as connection:
            return work(connection)


@dataclass
class Errands(Program):
    """The program with its worker, which lives as long as one errand."""

    def press(self, action: str, record_id: str, fate: Fate | None = None) -> Answer | None:
        """A person's click, done at once; None when its process died."""
        with self._at_work(fate) as desk:
            return perform(desk, Action(action), record_id)
        return None

    def ask(self, action: str, record_id: str) -> str | None:
        """A person's click, put into the queue; None where another action is under way."""
        with self.seams(Fate()):
            database = _database(self)
            request = Request(Action(action), record_id, "coordinator")
            with database.begin() as connection:
                asked = click_intake.enter(_NoQueue(), request, _now(), connection)  # type: ignore[arg-type]
        return asked.id if isinstance(asked, operations.Asked) else None

    def answer(self, operation_id: str) -> dict[str, Any] | None:
        """What was answered to a click of the queue, if it was."""
        with self.database() as database, database.read() as connection:
            found = operations.find(connection, operation_id)
        return None if found is None or found.answer is None else dict(found.answer)

    def clicks_waiting(self) -> list[str]:
        """The rows of clicks that are not done with, oldest first."""
        with self.database() as database, database.read() as connection:
            asked = [each.record_id for each in operations.waiting(connection)]
            again = events.recent(connection, 1000, kinds=(EventKind.CLICK,), states=(EventState.RECEIVED,))
        return [*asked, *(str(each.payload["record_id"]) for each in again)]

    def take(self, body: bytes, timestamp: str, signature: str) -> str | None:
        """What the door does with a webhook: its event's id once it is acknowledged, None when it is refused."""
        if not webhooks.signed(timestamp, signature, body, [SECRET], _now()):
            return None
        with self.seams(Fate()):
            way_in = HookIntake(self.settings.folder, _AtOnce(_database(self)), _NoQueue(), COMPANY_ID)  # type: ignore[arg-type]
            return way_in.take(body, timestamp, _now()).event_id

    def hooks_waiting(self) -> tuple[Event, ...]:
        """Acknowledged, and not done with."""
        with self.database() as database, database.read() as connection:
            return events.recent(connection, 10_000, kinds=(EventKind.HCP,), states=(EventState.RECEIVED,))

    def hooks_of(self, state: EventState) -> int:
        with self.database() as database, database.read() as connection:
            return len(events.recent(connection, 10_000, kinds=(EventKind.HCP,), states=(state,)))

    def work(self, order: Callable[[list[Any]], None], fate: Fate | None = None) -> Sequence[str] | None:
        """All that waits, clicks first, webhooks in any order; the jobs whose webhooks are done. None when it died."""
        waiting = list(self.hooks_waiting())
        order(waiting)
        with self._at_work(fate) as desk:
            click_desk = ClickDesk(desk.env, desk.db, partial(perform, desk), _now)
            with desk.db.read() as connection:
                asked = clicks.waiting(connection, _now())
            for operation_id in asked:
                clicks.work(click_desk, operation_id)
            hook_desk = HookDesk(desk.env, desk.db, desk.switch, partial(follow, desk), _now)
            for event in waiting:
                hooks.work(hook_desk, event.id)
            left = {each.payload["job_id"] for each in self.hooks_waiting()}
            return sorted({str(each.payload["job_id"]) for each in waiting} - left)
        return None

    @contextmanager
    def _at_work(self, fate: Fate | None) -> Iterator[job_desk.JobDesk]:
        """A worker's desk; who dies at it leaves what it was at work on."""
        with self.watch():
            try:
                with self.seams(fate or Fate()):
                    yield job_desk.open_desk(self.settings, _database(self), Stopping())
            except Killed:
                self.bury_the_dead()


def _database(program: Program) -> Database:
    return MortalDatabase(program.settings.state_url)


def _now() -> datetime:
    return datetime.now(UTC)
