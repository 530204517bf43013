"""Does what a person asked for a row, and keeps the answer (J-105); who is waiting for it reads it there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from changeover.core.job_action import Action
from changeover.engine.jobs.operations import Answer
from changeover.engine.stopping import Interrupted
from changeover.ops import logging
from changeover.store import operations
from changeover.store.database import Database
from changeover.store.facts import Json
from changeover.store.operations import Operation, OperationState

log = logging.get(__name__)

LONGEST: Final = timedelta(hours=6)
"""What nobody could do for so long is not done any more: its person has long looked elsewhere (C-64)."""

KEPT: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class ClickDesk:
    """Where requests are worked. `perform` raises Interrupted and SQLAlchemyError, and nothing for the outside."""

    env: str
    database: Database
    perform: Callable[[Action, str], Answer]
    now: Callable[[], datetime]


def work(desk: ClickDesk, operation_id: str) -> bool:
    """Does one operation and answers it; True when it is to be gone on with later, as this process is to end.

    Safe to repeat when cut off at any point: what was begun is gone on with (J-53 … J-58). Raises SQLAlchemyError.
    """
    with desk.database.read() as connection:
        operation = operations.find(connection, operation_id)
    if operation is None or operation.state is OperationState.DONE:
        return False
    if desk.now() - operation.requested_at > LONGEST:
        _answer(desk, operation_id, refusal("busy", "Nobody could do this for 6 hours; ask again.", 503))
        return False
    try:
        answer = _stored(desk, operation)
    except Interrupted:
        return True
    _answer(desk, operation_id, answer)
    return False


def give_up(desk: ClickDesk, operation_id: str) -> None:
    """Answers an operation whose process was killed again and again."""
    text = "The program ended again and again while doing this; the log of the worker says more."
    _answer(desk, operation_id, refusal("internal_error", text, 500))


def not_set_up(env: str, missing: Sequence[str], _action: Action, _record_id: str) -> Answer:
    """Instead of doing anything, where the settings of Housecall Pro lack (J-8)."""
    text = f"Housecall Pro is not set up here: {', '.join(missing)} lacks."
    return Answer(success=False, environment=env, code="hcp_error", error=text, http=502)


def prune(database: Database, now: datetime) -> int:
    """Forgets what was answered 30 days ago (F-3); returns how many."""
    with database.begin() as connection:
        return operations.prune(connection, now - KEPT)


def refusal(code: str, text: str, http: int) -> dict[str, Json]:
    """A failure in the form that operations keep (`Answer.to_stored`)."""
    return {"http": http, "after": None, "body": {"success": False, "code": code, "error": text}}


def _stored(desk: ClickDesk, operation: Operation) -> Mapping[str, Json]:
    try:
        return desk.perform(Action(operation.action), operation.record_id).to_stored()
    except (Interrupted, SQLAlchemyError):
        raise
    except Exception as error:  # the edge of a click: a person waits for an answer, whatever it was
        log.exception("click.failed", operation_id=operation.id, error=type(error).__name__)
        return refusal("internal_error", "Something went wrong on our side.", 500)


def _answer(desk: ClickDesk, operation_id: str, answer: Mapping[str, Json]) -> None:
    with desk.database.begin() as connection:
        operations.answer(connection, operation_id, answer, desk.now())
