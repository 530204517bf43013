"""A house whose webhooks come in as the stand-in posts them: stored as the web server does, worked by hand."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from changeover.engine import hooks, intake
from changeover.engine.hook_intake import HookIntake
from changeover.engine.hooks import HookDesk, Next
from changeover.engine.jobs import syncing
from changeover.engine.jobs.following import follow
from changeover.engine.jobs.operations import Action, perform
from changeover.store import events
from changeover.store import hooks as store
from changeover.store.database import Database
from changeover.store.events import Event, EventKind
from changeover.store.writer import Writer
from plugins.housecallpro import DEV, Post, Receiver
from plugins.job_house import House


@dataclass
class Bench:
    """A house with a stay and its job, and the webhooks that the company sends about it, let in as a test likes."""

    house: House
    receiver: Receiver
    way_in: HookIntake
    desk: HookDesk
    stay: str = ""
    job: dict[str, Any] = field(default_factory=dict)

    @property
    def database(self) -> Database:
        return self.desk.database

    def make_job(self) -> None:
        """A stay with a job of its own; what the company told of that is forgotten."""
        self.stay = self.house.stay()
        self.house.refresh()
        assert perform(self.house.desk, Action.CREATE, self.stay).success
        self.job = self.house.job_of(self.stay)
        self.sent()

    def act(self, action: str, **more: Any) -> None:
        """What a person does in the app; what the job's state forbids is not done."""
        self.house.service.act(self.job, action, **more)

    def sent(self) -> list[Post]:
        """The webhooks since the last look, as they came."""
        self.house.service.settle()
        posts = [each for each in self.receiver.posts if each.event != "ping"]
        self.receiver.clear()
        return posts

    def take(self, posts: Sequence[Post]) -> list[str]:
        """Lets them in; the events' ids, repeats too."""
        now = datetime.now(UTC)
        return [self.way_in.take(each.raw, each.headers["Api-Timestamp"], now).event_id for each in posts]

    def work(self, event_id: str) -> tuple[Next, ...]:
        return hooks.work(self.desk, event_id)

    def events(self) -> tuple[Event, ...]:
        with self.database.read() as connection:
            return events.recent(connection, 10_000, kinds=(EventKind.HCP,))

    def event(self, event_id: str) -> Event:
        return next(each for each in self.events() if each.id == event_id)

    def repeats(self) -> int:
        with self.database.read() as connection:
            return sum(store.repeats(connection, (each.id for each in self.events())).values())

    def row(self) -> dict[str, Any]:
        return self.house.row(self.stay)

    def writes(self, act: Any) -> list[str]:
        """The writing calls that something made, to both."""
        mark = self.house.mark()
        act()
        base, company = self.house.calls(mark)
        return [each for each in (*base, *company) if not each.startswith("GET") and not each.endswith("/listRecords")]

    def is_true(self) -> bool:
        """Whether the row says what is so: a cycle that looks at every job finds nothing to write."""
        return self.writes(lambda: self.house.cycle(syncing)) == []


@pytest.fixture(scope="session")
def empty_store(migrated_sqlite: Path) -> Path:
    """What a house begins with: the engine's own tables too."""
    return migrated_sqlite


@pytest.fixture
def bench(house: House, receiver: Receiver) -> Iterator[Bench]:
    database = house.desk.db
    writer, client = Writer(database), intake.client("dev", database)
    way_in = HookIntake(house.desk.settings.folder, writer, client, DEV.company_id)
    desk = HookDesk("dev", database, house.desk.switch, partial(follow, house.desk), lambda: datetime.now(UTC))
    house.service.listen(receiver.url)
    receiver.clear()
    yield Bench(house, receiver, way_in, desk)
    writer.close()
    client.destroy()


def shuffled(chance: random.Random, posts: Sequence[Post]) -> list[Post]:
    """In any order, some of them twice or three times."""
    found = [each for each in posts for _ in range(chance.choice((1, 1, 2, 3)))]
    chance.shuffle(found)
    return found
