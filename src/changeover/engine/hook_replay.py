"""Has webhooks worked again on a person's word (J-78). It works none itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from changeover.engine import hook_intake, intake
from changeover.engine.mail_replay import Asked
from changeover.store import events
from changeover.store.database import Database
from changeover.store.events import Event, EventState

_KEPT = ("event", "job_id", "size", "sha256")
_NEVER = (EventState.FOREIGN, EventState.REJECTED)


def replay(env: str, db: Database, found: Iterable[Event], now: datetime) -> Asked:
    """Puts webhooks back to `received` and enqueues their work, each in one transaction; needs no running worker.

    Those that lead to no job, or come from another company, are left out (J-73, J-74, J-80).
    """
    again, waiting = [], []
    client = intake.client(env, db)
    try:
        for each in found:
            job_id = str(each.payload["job_id"])
            if not job_id or each.state in _NEVER:
                continue
            with db.begin() as connection:
                current = next(iter(events.find(connection, [each.id])))
                if current.state is EventState.RECEIVED:
                    waiting.append(each.id)
                    continue
                attempt = _next_attempt(current)
                events.put(connection, [_reset(current, attempt, now)])
                hook_intake.enqueue(connection, client, each.id, job_id, attempt)
            again.append(each.id)
    finally:
        client.destroy()
    return Asked(tuple(again), tuple(waiting))


def _next_attempt(event: Event) -> int:
    last = event.payload.get("attempt")
    return (last if isinstance(last, int) else 1) + 1


def _reset(event: Event, attempt: int, now: datetime) -> Event:
    payload = {name: event.payload[name] for name in _KEPT}
    payload |= {"attempt": attempt, "asked_at": now.isoformat(), "reason": ""}
    told = hook_intake.summary(payload, "asked for again")
    return replace(event, state=EventState.RECEIVED, ended_at=None, summary=told, payload=payload)
