"""Alerts as they stand (A-1): opened once per key, repeated in silence, resolved; nothing is sent from here."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, RowMapping, select, update

from changeover.core.plan import Alert, Level
from changeover.store.tables import alerts
from changeover.store.upsert import upsert

_ORDER = tuple(Level)


class Raised(StrEnum):
    """What raising an alert meant: only `opened` and `risen` are worth a message."""

    OPENED = "opened"
    REPEATED = "repeated"
    RISEN = "risen"


@dataclass(frozen=True, slots=True)
class StandingAlert:
    """An alert with its history; open while `resolved_at` is None."""

    key: str
    rule: str
    subject: str
    level: Level
    text: str
    opened_at: datetime
    last_at: datetime
    count: int
    resolved_at: datetime | None
    run_id: str | None


def key_of(env: str, rule: str, subject: str) -> str:
    """`<env>:<rule>:<subject>`: one open alert per key (A-1)."""
    return f"{env}:{rule}:{subject}"


def open_or_repeat(connection: Connection, env: str, alert: Alert, at: datetime, run_id: str | None = None) -> Raised:
    """Opens an alert, or counts its repetition; a resolved one opens anew. The level never sinks while it is open."""
    key = key_of(env, alert.rule, alert.subject)
    before = show(connection, key)
    standing = before is not None and before.resolved_at is None
    level, opened_at, count = alert.level, at, 1
    if before is not None and standing:
        level = max(before.level, alert.level, key=_ORDER.index)
        opened_at, count = before.opened_at, before.count + 1
    row = {
        "key": key,
        "rule": alert.rule,
        "subject": alert.subject,
        "level": str(level),
        "text": alert.text,
        "opened_at": opened_at,
        "last_at": at,
        "count": count,
        "resolved_at": None,
        "run_id": run_id,
    }
    upsert(connection, alerts, [row])
    if before is None or not standing:
        return Raised.OPENED
    return Raised.RISEN if level is not before.level else Raised.REPEATED


def open_once(connection: Connection, env: str, alert: Alert, at: datetime) -> None:
    """Opens an alert that is not open: what is looked for every minute is one alert and no thousand repetitions."""
    standing = show(connection, key_of(env, alert.rule, alert.subject))
    if standing is None or standing.resolved_at is not None:
        open_or_repeat(connection, env, alert, at)


def show(connection: Connection, key: str) -> StandingAlert | None:
    row = connection.execute(select(alerts).where(alerts.c.key == key)).mappings().one_or_none()
    return None if row is None else _standing(row)


def standing(connection: Connection) -> tuple[StandingAlert, ...]:
    """The open alerts, oldest first."""
    query = select(alerts).where(alerts.c.resolved_at.is_(None)).order_by(alerts.c.opened_at, alerts.c.key)
    return tuple(_standing(row) for row in connection.execute(query).mappings())


def resolve(connection: Connection, key: str, at: datetime) -> bool:
    """Resolves an alert whose condition is gone; False when none was open."""
    where = (alerts.c.key == key, alerts.c.resolved_at.is_(None))
    return connection.execute(update(alerts).where(*where).values(resolved_at=at)).rowcount > 0


def resolve_others(
    connection: Connection, env: str, rules: Collection[str], still: Collection[str], at: datetime
) -> tuple[str, ...]:
    """Resolves the environment's open alerts of these rules whose keys are not in `still`; returns their keys.

    For a run that looked at every subject of a rule: what it did not raise is over.
    """
    prefixes = tuple(f"{env}:{rule}:" for rule in rules)
    gone = [each.key for each in standing(connection) if each.key.startswith(prefixes) and each.key not in still]
    for key in gone:
        resolve(connection, key, at)
    return tuple(gone)


def _standing(row: RowMapping) -> StandingAlert:
    values = {each.name: row[each.name] for each in fields(StandingAlert)}
    return StandingAlert(**values | {"level": Level(row["level"])})
