"""Has what came in worked again on a person's word, each thing in one transaction; how is decided by its kind."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from changeover.engine import intake
from changeover.store import events
from changeover.store.database import Database
from changeover.store.events import Event

if TYPE_CHECKING:
    from dbos import DBOSClient


@dataclass(frozen=True, slots=True)
class Asked:
    """What a worker will work anew, and what waits for its first or next try anyway."""

    again: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()


def replay(
    env: str, db: Database, found: Iterable[Event], ask: Callable[[Connection, DBOSClient, Event], bool]
) -> Asked:
    """Needs no running worker. `ask` has an event, as it is now, worked anew; False where it waits anyway."""
    again: list[str] = []
    waiting: list[str] = []
    client = intake.client(env, db)
    try:
        for each in found:
            with db.begin() as connection:
                current = next(iter(events.find(connection, [each.id])))
                asked = ask(connection, client, current)
            (again if asked else waiting).append(each.id)
    finally:
        client.destroy()
    return Asked(tuple(again), tuple(waiting))
