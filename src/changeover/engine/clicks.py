"""Does what a person asked for a row, keeps the answer (J-105), and goes on by itself where that could not be done."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from changeover.core.job_action import Action
from changeover.core.plan import Alert, Level
from changeover.engine.click_intake import event_id, summary
from changeover.engine.jobs.operations import Answer
from changeover.engine.jobs.trying import PAUSED, Again
from changeover.engine.lines import WAITS
from changeover.engine.stopping import Interrupted
from changeover.ops import logging
from changeover.store import alerts, events, operations
from changeover.store.database import Database
from changeover.store.events import Event, EventKind, EventState
from changeover.store.facts import Json
from changeover.store.operations import Operation, OperationState

log = logging.get(__name__)

LONGEST: Final = timedelta(hours=6)
"""What nobody could do for so long is not done any more: its person has long looked elsewhere (C-64)."""

KEPT: Final = timedelta(days=30)
_SUBJECT: Final = "clicks"
_DEAD: Final = "dead_letter"
_AT_ONCE: Final = 1000


@dataclass(frozen=True, slots=True)
class ClickDesk:
    """Where requests are worked. `perform` raises Interrupted and SQLAlchemyError, and nothing for the outside."""

    env: str
    database: Database
    perform: Callable[[Action, str], Answer]
    now: Callable[[], datetime]


def waiting(connection: Connection, now: datetime) -> list[str]:
    """The operations that are to be worked: not answered yet, or answered with what is to be tried again by now."""
    unanswered = [each.id for each in operations.waiting(connection)]
    due = [str(each.payload["operation"]) for each in _received(connection) if _is_due(each, now)]
    return list(dict.fromkeys([*unanswered, *due]))


def work(desk: ClickDesk, operation_id: str) -> bool:
    """Does one operation and answers it; True when it is to be gone on with later, as this process is to end.

    Safe to repeat when cut off at any point: what was begun is gone on with (J-53 … J-58). Raises SQLAlchemyError.
    """
    with desk.database.begin(lasting=False) as connection:
        operation = operations.find(connection, operation_id)
        event = next(iter(events.find(connection, [event_id(operation_id)])), None)
        if operation is None or not _is_wanted(connection, operation, event, desk.now()):
            return False
        _overtake(connection, operation, desk.now())
    if operation.state is OperationState.OPEN and desk.now() - operation.requested_at > LONGEST:
        _end(desk, operation, event, _refused(desk, "busy", "Nobody could do this for 6 hours; ask again.", 503))
        return False
    try:
        answer = _performed(desk, operation)
    except Interrupted:
        return True
    _end(desk, operation, event, answer)
    return False


def give_up(desk: ClickDesk, operation_id: str) -> None:
    """Answers an operation whose process was killed again and again."""
    text = "The program ended again and again while doing this; the log of the worker says more."
    with desk.database.read() as connection:
        operation = operations.find(connection, operation_id)
        event = next(iter(events.find(connection, [event_id(operation_id)])), None)
    if operation is not None:
        _end(desk, operation, event, _refused(desk, "internal_error", text, 500))


def not_set_up(env: str, missing: Sequence[str], _action: Action, _record_id: str) -> Answer:
    """Instead of doing anything, where the settings of Housecall Pro lack (J-8)."""
    text = f"Housecall Pro is not set up here: {', '.join(missing)} lacks."
    return Answer(success=False, environment=env, code="hcp_error", error=text, http=502)


def prune(database: Database, now: datetime) -> int:
    """Forgets what was answered 30 days ago (F-3); returns how many."""
    with database.begin() as connection:
        old = events.ended(connection, EventKind.CLICK, tuple(EventState), now - KEPT, _AT_ONCE)
        events.drop(connection, (each.id for each in old))
        return operations.prune(connection, now - KEPT)


# -- which -------------------------------------------------------------------------------------------------------------


def _received(connection: Connection) -> tuple[Event, ...]:
    return events.recent(connection, _AT_ONCE, kinds=(EventKind.CLICK,), states=(EventState.RECEIVED,))


def _is_wanted(connection: Connection, operation: Operation, event: Event | None, now: datetime) -> bool:
    """Whether it is not answered yet, or is to be tried again by itself and no other has come to the row since."""
    if operation.state is OperationState.OPEN:
        return True
    if event is None or event.state is not EventState.RECEIVED or not _is_due(event, now):
        return False
    return operations.open_of(connection, operation.record_id) is None


def _is_due(event: Event, now: datetime) -> bool:
    due = event.payload.get("due")
    return isinstance(due, str) and datetime.fromisoformat(due) <= now


def _overtake(connection: Connection, operation: Operation, now: datetime) -> None:
    """What a person asks for now takes the place of what waits on the same row."""
    if operation.state is not OperationState.OPEN:
        return
    mine = event_id(operation.id)
    older = [each for each in _received(connection) if each.payload["record_id"] == operation.record_id]
    events.put(connection, (_ended(each, EventState.SUPERSEDED, now) for each in older if each.id != mine))


# -- doing it ----------------------------------------------------------------------------------------------------------


def _performed(desk: ClickDesk, operation: Operation) -> Answer:
    try:
        return desk.perform(Action(operation.action), operation.record_id)
    except (Interrupted, SQLAlchemyError):
        raise
    except Exception as error:  # the edge of a click: a person waits for an answer, whatever it was
        log.exception("click.failed", operation_id=operation.id, error=type(error).__name__)
        return _refused(desk, "internal_error", "Something went wrong on our side.", 500)


def _refused(desk: ClickDesk, code: str, text: str, http: int) -> Answer:
    return Answer(success=False, environment=desk.env, code=code, error=text, http=http)


# -- how it ends -------------------------------------------------------------------------------------------------------


def _end(desk: ClickDesk, operation: Operation, event: Event | None, answer: Answer) -> None:
    """Keeps the first answer, which somebody waits for, and what becomes of the click."""
    now = desk.now()
    with desk.database.begin() as connection:
        operations.answer(connection, operation.id, answer.to_stored(), now)
        if event is not None:
            after = _after(event, answer, now)
            events.put(connection, [after])
            _tell(connection, desk.env, after, answer, now)


def _after(event: Event, answer: Answer, now: datetime) -> Event:
    """The event after a try (C-64)."""
    if answer.success:
        return _ended(event, EventState.DONE, now)
    reason = f"{answer.code}: {answer.error}"
    tries = event.number("tries")
    if answer.again is Again.ONCE_TAKEN and now - event.received_at <= LONGEST:
        return _waits(event, now + PAUSED, tries, reason)
    if answer.again is Again.LATER and tries < len(WAITS):
        return _waits(event, now + max(WAITS[tries], timedelta(seconds=answer.after or 0)), tries + 1, reason)
    by_a_rule = answer.again is Again.NEVER and answer.http < _WENT_WRONG
    return _ended(event, EventState.REJECTED if by_a_rule else EventState.FAILED, now, reason)


_WENT_WRONG: Final = 500
"""From this status on an answer says that something went wrong, and not that a rule forbids it."""


def _waits(event: Event, due: datetime, tries: int, reason: str) -> Event:
    payload = {**event.payload, "due": due.isoformat(), "tries": tries, "reason": reason}
    word = f"try {tries} failed" if tries else "waits"
    return replace(event, payload=payload, summary=_told(payload, word, reason))


def _ended(event: Event, state: EventState, now: datetime, reason: str = "") -> Event:
    payload = {**event.payload, "reason": reason}
    return replace(event, state=state, ended_at=now, payload=payload, summary=_told(payload, state.value, reason))


def _told(payload: dict[str, Json], word: str, reason: str) -> str:
    return summary(payload, " ".join(part for part in (word, reason.partition(":")[0]) if part))


# -- telling people ----------------------------------------------------------------------------------------------------


def _tell(connection: Connection, env: str, event: Event, answer: Answer, now: datetime) -> None:
    """One alert a row whose click was given up, one while a service refuses us; a click that goes well ends both."""
    of_row = f"click:{event.payload['record_id']}"
    if answer.success:
        over = [each.key for each in alerts.standing(connection) if each.subject in (of_row, _SUBJECT)]
        _resolve(connection, over, now)
    elif event.state is EventState.FAILED:
        text = (
            f"{event.payload['action']} of row {event.payload['record_id']} was not done: {event.payload['reason']} "
            f"`changeover events replay {event.id}` asks for it again."
        )
        alerts.open_or_repeat(connection, env, Alert(_DEAD, of_row, Level.ERROR, text), now)
    elif answer.again is Again.ONCE_TAKEN:
        text = f"{answer.error} Clicks wait for it."
        alerts.open_or_repeat(connection, env, Alert(str(answer.code), _SUBJECT, Level.CRITICAL, text), now)


def _resolve(connection: Connection, keys: Iterable[str], now: datetime) -> None:
    for key in keys:
        alerts.resolve(connection, key, now)
