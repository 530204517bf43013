"""Has webhooks worked again on a person's word (J-78). It works none itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from changeover.engine import hook_intake, replaying
from changeover.engine.replaying import Asked
from changeover.store import events
from changeover.store.database import Database
from changeover.store.events import Event, EventState

if TYPE_CHECKING:
    from dbos import DBOSClient

_KEPT = ("event", "job_id", "size", "sha256")
_NEVER = (EventState.FOREIGN, EventState.REJECTED)


def replay(env: str, db: Database, found: Iterable[Event], now: datetime) -> Asked:
    """Puts webhooks back to `received` and enqueues their work.

    Those that lead to no job, or come from another company, are left out (J-73, J-74, J-80).
    """
    of_jobs = (each for each in found if each.payload["job_id"] and each.state not in _NEVER)
    return replaying.replay(env, db, of_jobs, partial(_ask, now))


def _ask(now: datetime, connection: Connection, client: DBOSClient, event: Event) -> bool:
    if event.state is EventState.RECEIVED:
        return False
    attempt = event.number("attempt", 1) + 1
    events.put(connection, [_reset(event, attempt, now)])
    hook_intake.enqueue(connection, client, event.id, str(event.payload["job_id"]), attempt)
    return True


def _reset(event: Event, attempt: int, now: datetime) -> Event:
    payload = {name: event.payload[name] for name in _KEPT}
    payload |= {"attempt": attempt, "asked_at": now.isoformat(), "reason": ""}
    told = hook_intake.summary(payload, "asked for again")
    return replace(event, state=EventState.RECEIVED, ended_at=None, summary=told, payload=payload)
