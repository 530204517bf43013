"""Which mail carries which report (CM-14), so that its copies are known as such; what a key means is not known here."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from changeover.store.tables import mail_claims


def claim(connection: Connection, key: str, event_id: str, at: datetime) -> str:
    """Claims a report for a mail unless it is claimed; returns the event whose it is.

    Two mails with one key at the same time: the later one waits for the transaction of the first.
    """
    row = {"key": key, "event_id": event_id, "at": at}
    # The two dialects spell this alike, but share no class.
    insert = sqlite.insert(mail_claims) if connection.dialect.name == "sqlite" else postgresql.insert(mail_claims)
    connection.execute(insert.values(row).on_conflict_do_nothing())
    return str(connection.execute(select(mail_claims.c.event_id).where(mail_claims.c.key == key)).scalar_one())


def take_over(connection: Connection, key: str, event_id: str, at: datetime) -> None:
    """Gives a claim to another mail: the one that had it came to nothing."""
    connection.execute(update(mail_claims).where(mail_claims.c.key == key).values(event_id=event_id, at=at))


def prune(connection: Connection, before: datetime) -> int:
    """Forgets claims from before this instant; returns how many."""
    return connection.execute(delete(mail_claims).where(mail_claims.c.at < before)).rowcount
