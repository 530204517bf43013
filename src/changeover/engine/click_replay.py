"""Has clicks asked for again on a person's word (`events replay`). It does none itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from changeover.core.job_action import Action
from changeover.engine import click_intake, replaying
from changeover.engine.click_intake import Request
from changeover.engine.replaying import Asked
from changeover.store import events
from changeover.store.database import Database
from changeover.store.events import Event, EventState

if TYPE_CHECKING:
    from dbos import DBOSClient


def replay(env: str, db: Database, found: Iterable[Event], now: datetime) -> Asked:
    """Asks for each once more, as an operation of its own; one that waits for its next try has it at once."""
    return replaying.replay(env, db, found, partial(_ask, now))


def _ask(now: datetime, connection: Connection, client: DBOSClient, event: Event) -> bool:
    if event.state is EventState.RECEIVED:
        hurried = {**event.payload, "due": now.isoformat()}
        events.put(connection, [replace(event, payload=hurried)])
        return False
    action, record_id = Action(str(event.payload["action"])), str(event.payload["record_id"])
    click_intake.enter(client, Request(action, record_id, "cli"), now, connection)
    return True
