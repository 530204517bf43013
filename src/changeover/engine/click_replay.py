"""Has clicks asked for again on a person's word (`events replay`). It does none itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from changeover.core.job_action import Action
from changeover.engine import click_intake, intake
from changeover.engine.click_intake import Request
from changeover.engine.mail_replay import Asked
from changeover.store import events
from changeover.store.database import Database
from changeover.store.events import Event, EventState


def replay(env: str, db: Database, found: Iterable[Event], now: datetime) -> Asked:
    """Asks for each once more, as an operation of its own; one that waits for its next try has it at once.

    Needs no running worker.
    """
    again, waiting = [], []
    client = intake.client(env, db)
    try:
        for each in found:
            with db.begin() as connection:
                current = next(iter(events.find(connection, [each.id])))
                if current.state is EventState.RECEIVED:
                    hurried = {**current.payload, "due": now.isoformat()}
                    events.put(connection, [replace(current, payload=hurried)])
                    waiting.append(each.id)
                    continue
                action, record_id = Action(str(current.payload["action"])), str(current.payload["record_id"])
                click_intake.enter(client, Request(action, record_id, "cli"), now, connection)
            again.append(each.id)
    finally:
        client.destroy()
    return Asked(tuple(again), tuple(waiting))
