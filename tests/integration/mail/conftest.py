from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from changeover import rulefiles
from changeover.engine import mails
from changeover.engine.mails import Again, Desk
from changeover.sources.csv import inbox, suppliers
from changeover.sources.mail.mail import Attachment
from changeover.store import alerts, events
from changeover.store.alerts import StandingAlert
from changeover.store.database import Database
from changeover.store.events import Event
from plugins.mailbag import Letter, Post, now, post_office


@dataclass
class Bureau:
    """An environment's mails: the way in, the desk they are worked at, and what came of them."""

    folder: Path
    database: Database
    post: Post
    late: timedelta = timedelta(0)
    stored: dict[str, bytes | Exception] = field(default_factory=dict)
    arrivals: int = 0

    @property
    def desk(self) -> Desk:
        names = (rulefiles.find(name, self.folder) for name in suppliers.FILES)
        return Desk(
            env="dev",
            folder=self.folder,
            database=self.database,
            suppliers=suppliers.load(names),
            fetch=self._fetch,
            arrived=self._arrived,
            now=self.now,
        )

    def now(self) -> datetime:
        return now() + self.late

    def _fetch(self, attachment: Attachment) -> bytes:
        found = self.stored[attachment.url or ""]
        if isinstance(found, Exception):
            raise found
        return found

    def _arrived(self) -> None:
        self.arrivals += 1

    def take(self, letter: Letter | bytes) -> str:
        return self.post.take(letter)

    def work(self, event_id: str) -> Again:
        return mails.work(self.desk, event_id)

    def worked(self, letter: Letter | bytes) -> Event:
        """A mail, stored and worked once."""
        event_id = self.take(letter)
        self.work(event_id)
        return self.event(event_id)

    def event(self, event_id: str) -> Event:
        with self.database.read() as connection:
            (found,) = events.find(connection, [event_id])
        return found

    def alter(self, event_id: str, **payload: object) -> None:
        event = self.event(event_id)
        with self.database.begin() as connection:
            events.put(connection, [replace(event, payload={**event.payload, **payload})])

    def alerts(self) -> dict[str, StandingAlert]:
        """Open alerts by rule; no test opens two of one."""
        with self.database.read() as connection:
            return {each.rule: each for each in alerts.standing(connection)}

    def names(self, folder: str = inbox.INBOX) -> list[str]:
        return inbox.waiting(self.folder / "csv" / folder)

    def import_all(self) -> None:
        """What a run does with good files."""
        for name in self.names():
            target = self.folder / "csv" / "done" / name
            number = 2
            while target.exists():
                target, number = target.with_name(f"{Path(name).stem}-{number}.csv"), number + 1
            (self.folder / "csv" / "inbox" / name).rename(target)


@pytest.fixture
def open_bureau(tmp_path: Path) -> Iterator[Callable[[Database], Bureau]]:
    """Opens the mails of an environment on a database."""
    offices = []

    def opened(database: Database) -> Bureau:
        folder = tmp_path / "dev"
        for name in (inbox.INBOX, *inbox.FOLDERS):
            (folder / "csv" / name).mkdir(parents=True, exist_ok=True)
        office = post_office("dev", folder, database)
        offices.append(office)
        return Bureau(folder, database, office.__enter__())

    yield opened
    for office in offices:
        office.__exit__(None, None, None)


@pytest.fixture
def bureau(open_bureau: Callable[[Database], Bureau], database: Database) -> Bureau:
    """The mails of an environment, on both databases in turn."""
    return open_bureau(database)


@pytest.fixture
def office(open_bureau: Callable[[Database], Bureau], migrated_sqlite: Path, tmp_path: Path) -> Iterator[Bureau]:
    """The mails of an environment on SQLite alone, for what knows no database."""
    path = tmp_path / "state.db"
    path.write_bytes(migrated_sqlite.read_bytes())
    database = Database(f"sqlite:///{path}")
    yield open_bureau(database)
    database.close()
