"""Has mails worked again on a person's word (CM-11); a held one is thereby accepted. It works none itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from changeover.engine import intake, replaying
from changeover.engine.replaying import Asked
from changeover.store import events
from changeover.store.database import Database
from changeover.store.events import Event, EventState
from changeover.store.facts import Json

if TYPE_CHECKING:
    from dbos import DBOSClient

_KEPT = ("sha256", "content_type", "path", "size", "message_id", "accepted")


def replay(env: str, db: Database, mails: Iterable[Event], now: datetime) -> Asked:
    """Puts mails back to `received` and enqueues their work. A held one is accepted: nobody judges its sender again."""
    return replaying.replay(env, db, mails, partial(_ask, now))


def _ask(now: datetime, connection: Connection, client: DBOSClient, event: Event) -> bool:
    if event.state is EventState.RECEIVED:
        return False
    attempt = event.number("attempt", 1) + 1
    events.put(connection, [_reset(event, attempt, now)])
    intake.enqueue_mail(connection, client, event.id, attempt)
    return True


def _reset(event: Event, attempt: int, now: datetime) -> Event:
    """As it was when it came, but for what a person has said. `asked_at` lets its reports be imported once more."""
    kept = {name: event.payload[name] for name in _KEPT if name in event.payload}
    more: dict[str, Json] = {"attempt": attempt, "asked_at": now.isoformat()}
    if event.state is EventState.HELD:
        more["accepted"] = True
    summary = f"{event.payload['size']} bytes — asked for again"
    return replace(event, state=EventState.RECEIVED, ended_at=None, summary=summary, payload={**kept, **more})
