"""Once a day, mails that have outlived their time go, file before row (F-3, CM-11); never one that still waits."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from changeover.ops import logging
from changeover.store import events, facts, mail_claims
from changeover.store.database import Database
from changeover.store.events import Event, EventKind, EventState

log = logging.get(__name__)

KEPT = timedelta(days=30)
CLAIMS_KEPT = timedelta(days=90)  # longer than any server goes on sending a copy
_OVER = (EventState.DONE, EventState.DUPLICATE, EventState.IGNORED)
_AT_ONCE = 500
_FACT = "housekeeping.mails"
UNREADABLE = "unreadable"


def keep_mails(db: Database, folder: Path, now: datetime) -> bool:
    """Runs at most once in 24 hours; True when it did. `folder` is the environment's. Raises OSError."""
    with db.read() as connection:
        done = facts.read(connection, _FACT)
    if done is not None and now - done.at < timedelta(days=1):
        return False
    mails = sum(_forget(db, folder, chunk) for chunk in _old(db, now))
    unreadable = _prune_unreadable(folder / "raw" / "mail" / UNREADABLE, now)
    with db.begin() as connection:
        claims = mail_claims.prune(connection, now - CLAIMS_KEPT)
        facts.put(connection, _FACT, True, now)
    log.info("mails.pruned", mails=mails, unreadable=unreadable, claims=claims)
    return True


def _old(db: Database, now: datetime) -> Iterator[tuple[Event, ...]]:
    """Mails that are over for long enough; each time the next ones, as those before are gone."""
    while True:
        with db.read() as connection:
            found = events.ended(connection, EventKind.MAIL, _OVER, now - KEPT, _AT_ONCE)
        if not found:
            return
        yield found


def _forget(db: Database, folder: Path, mails: tuple[Event, ...]) -> int:
    """Files first: a file without its row would be taken in again (CM-9)."""
    for each in mails:
        path = folder / str(each.payload["path"])
        path.unlink(missing_ok=True)
        if path.parent.is_dir() and not any(path.parent.iterdir()):
            path.parent.rmdir()
    with db.begin() as connection:
        events.drop(connection, (each.id for each in mails))
    return len(mails)


def _prune_unreadable(folder: Path, now: datetime) -> int:
    gone = 0
    for path in folder.iterdir() if folder.is_dir() else ():
        if now - datetime.fromtimestamp(path.stat().st_mtime, UTC) > KEPT:
            path.unlink()
            gone += 1
    return gone
