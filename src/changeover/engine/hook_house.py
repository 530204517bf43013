"""Once a day, webhooks that have outlived their time go (F-3); never one that still waits, or waits for a person."""

from __future__ import annotations

from datetime import datetime, timedelta

from changeover.ops import logging
from changeover.store import events, facts, hooks
from changeover.store.database import Database
from changeover.store.events import EventKind, EventState

log = logging.get(__name__)

KEPT = timedelta(days=30)
_OVER = (EventState.DONE, EventState.UNMATCHED, EventState.FOREIGN, EventState.REJECTED)
_AT_ONCE = 400  # a short transaction: the door waits for it
_FACT = "housekeeping.hooks"


def keep_hooks(db: Database, now: datetime) -> bool:
    """Runs at most once in 24 hours; True when it did."""
    with db.read() as connection:
        done = facts.read(connection, _FACT)
    if done is not None and now - done.at < timedelta(days=1):
        return False
    gone = 0
    while dropped := _drop_some(db, now):
        gone += dropped
    with db.begin() as connection:
        facts.put(connection, _FACT, True, now)
    log.info("webhooks.pruned", webhooks=gone)
    return True


def _drop_some(db: Database, now: datetime) -> int:
    with db.begin() as connection:
        old = events.ended(connection, EventKind.HCP, _OVER, now - KEPT, _AT_ONCE)
        hooks.drop(connection, (each.id for each in old))
    return len(old)
