"""Has mails worked again on a person's word (CM-11); a held one is thereby accepted. It works none itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from changeover.engine import intake, names
from changeover.store import events
from changeover.store.database import Database
from changeover.store.events import Event, EventState
from changeover.store.facts import Json


@dataclass(frozen=True, slots=True)
class Asked:
    """Mails or webhooks that a worker will work anew, and those that wait for their first or next try anyway."""

    again: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()


def replay(env: str, db: Database, mails: Iterable[Event], now: datetime) -> Asked:
    """Puts mails back to `received` and enqueues their work, each in one transaction; needs no running worker.

    A held mail is accepted: its sender is not judged again.
    """
    again, waiting = [], []
    client = intake.client(env, db)
    try:
        for each in mails:
            with db.begin() as connection:
                current = next(iter(events.find(connection, [each.id])))
                if current.state is EventState.RECEIVED:
                    waiting.append(each.id)
                    continue
                attempt = _next_attempt(current)
                events.put(connection, [_reset(current, attempt, now)])
                work = {
                    "workflow_name": names.MAIL_WORKFLOW,
                    "queue_name": names.MAIL_QUEUE,
                    "workflow_id": names.mail(each.id, attempt),
                }
                client.enqueue_in_transaction(connection, work, each.id)  # type: ignore[arg-type]  # a TypedDict by its keys
            again.append(each.id)
    finally:
        client.destroy()
    return Asked(tuple(again), tuple(waiting))


def _next_attempt(event: Event) -> int:
    last = event.payload.get("attempt")
    return (last if isinstance(last, int) else 1) + 1


def _reset(event: Event, attempt: int, now: datetime) -> Event:
    """As it was when it came, but for what a person has said. `asked_at` lets its reports be imported once more."""
    kept = {
        name: event.payload[name]
        for name in ("sha256", "content_type", "path", "size", "message_id", "accepted")
        if name in event.payload
    }
    more: dict[str, Json] = {"attempt": attempt, "asked_at": now.isoformat()}
    if event.state is EventState.HELD:
        more["accepted"] = True
    summary = f"{event.payload['size']} bytes — asked for again"
    return replace(event, state=EventState.RECEIVED, ended_at=None, summary=summary, payload={**kept, **more})
