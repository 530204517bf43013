"""Notices that webhooks have stopped coming although jobs change (A-9), as polling shows; it reads no job."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from changeover.core.plan import Alert, Level
from changeover.store import alerts, events, facts
from changeover.store.events import EventKind, EventState

SILENT: Final = "webhooks_silent"
_SUBJECT: Final = "housecallpro"
_LONG: Final = timedelta(hours=24)
_ON_THE_WAY: Final = timedelta(minutes=5)  # a webhook about a change may still come for so long
_FACT: Final = "hooks.polled"
_OURS: Final = tuple(each for each in EventState if each not in (EventState.FOREIGN, EventState.REJECTED))


def polled(connection: Connection, env: str, changes: Iterable[datetime], now: datetime) -> None:
    """A cycle has read the jobs; `changes` are when those changed that polling alone has found changed.

    Opens the alert when the newest change is of no webhook and there was none for 24 hours, closes it when there was.
    """
    since, newest = _noted(connection, changes, now)
    last = next(iter(events.recent(connection, 1, kinds=(EventKind.HCP,), states=_OURS)), None)
    silent_since = last.received_at if last is not None else since
    if now - silent_since < _LONG:
        came(connection, env, now)
    elif newest is not None and silent_since < newest <= now - _ON_THE_WAY:
        text = (
            f"no webhook of Housecall Pro since {silent_since:%Y-%m-%d %H:%M} UTC, although jobs have changed: cycles "
            "make up for it, hours later. See the webhook's address and secret in Housecall Pro"
        )
        alerts.open_once(connection, env, Alert(SILENT, _SUBJECT, Level.ERROR, text), now)


def came(connection: Connection, env: str, now: datetime) -> None:
    """A webhook has come: they are not silent any more."""
    alerts.resolve(connection, alerts.key_of(env, SILENT, _SUBJECT), now)


def _noted(connection: Connection, changes: Iterable[datetime], now: datetime) -> tuple[datetime, datetime | None]:
    """Since when cycles look, and the newest change that polling has ever found."""
    fact = facts.read(connection, _FACT)
    known = fact.value if fact is not None and isinstance(fact.value, dict) else {}
    since = datetime.fromisoformat(str(known["since"])) if "since" in known else now
    before = [datetime.fromisoformat(str(known["newest"]))] if known.get("newest") else []
    newest = max([*before, *changes], default=None)
    value: dict[str, facts.Json] = {"since": since.isoformat(), "newest": newest.isoformat() if newest else None}
    if value != known:
        facts.put(connection, _FACT, value, now)
    return since, newest
