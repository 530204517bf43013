"""What the feeds stand-in holds: the world, its day and the overridden feeds, kept in SQLite; it answers no one."""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from pathlib import Path

from changeover_sandbox.feeds.ical import Template
from changeover_sandbox.feeds.render import template
from changeover_sandbox.world import Happening, World

PHOENIX = timezone(timedelta(hours=-7))
_SCHEMA = """
CREATE TABLE IF NOT EXISTS overridden (name TEXT PRIMARY KEY, status INTEGER, headers TEXT, body BLOB, delay REAL);
CREATE TABLE IF NOT EXISTS world (
    one INTEGER PRIMARY KEY, seed INTEGER, feeds INTEGER, start TEXT, day TEXT, hour INTEGER
);
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """What an overridden feed answers: seconds of `delay`, then status, headers and body."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    delay: float = 0.0


class FeedsState:
    """`folder` None: in memory only. A world kept there from an earlier life is lived again up to its day."""

    def __init__(self, folder: Path | None, world: World | None) -> None:
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
        path = folder / "feeds.db" if folder else ":memory:"
        # Made in one thread and then used by the event loop's alone.
        self._kept = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._kept.executescript(_SCHEMA)
        # A sandbox may lose its last override when the machine loses power; nobody waits for the disk.
        self._kept.execute("PRAGMA synchronous=OFF")
        self._overridden = self._load_overridden()
        self._templates: dict[str, Template] = {}
        self.world = self._load_world(world)

    def found(self, world: World) -> None:
        """Puts this world in the place of any other."""
        self.world = world
        self._templates.clear()
        self._keep_world()

    def advance(self, to: date, hour: int) -> list[Happening]:
        """Lives on to the day; LookupError without a world, ValueError for a day gone by."""
        if self.world is None:
            message = "this sandbox has no business"
            raise LookupError(message)
        happened = self.world.advance(to, hour)
        self._templates.clear()
        self._keep_world()
        return happened

    def reset(self) -> None:
        """Back to the business' first day, with no feed overridden."""
        self._overridden.clear()
        self._kept.execute("DELETE FROM overridden")
        if self.world is not None:
            self.found(World(self.world.seed, len(self.world.feeds), self.world.start))

    def override(self, name: str, answer: Answer) -> None:
        self._overridden[name] = answer
        row = (name, answer.status, json.dumps(dict(answer.headers)), answer.body, answer.delay)
        self._kept.execute("REPLACE INTO overridden VALUES (?, ?, ?, ?, ?)", row)

    def restore(self, name: str) -> bool:
        """Gives the feed back to the world; False when it was not overridden."""
        self._kept.execute("DELETE FROM overridden WHERE name = ?", (name,))
        return self._overridden.pop(name, None) is not None

    def overridden(self, name: str) -> Answer | None:
        return self._overridden.get(name)

    def calendar(self, name: str, now: datetime) -> bytes | None:
        """The world's calendar of this name as downloaded at the clock's time of day on the world's day.

        None when there is none. What does not differ from download to download is written once a day of the world.
        """
        feed = self.world.feed(name) if self.world else None
        if self.world is None or feed is None:
            return None
        known = self._templates.get(name)
        if known is None:
            known = self._templates[name] = template(self.world, feed)
        return known.body(now + (self.world.moment.day - now.astimezone(PHOENIX).date()))

    def close(self) -> None:
        self._kept.close()

    def _load_overridden(self) -> dict[str, Answer]:
        rows = self._kept.execute("SELECT name, status, headers, body, delay FROM overridden")
        return {name: Answer(status, json.loads(headers), body, delay) for name, status, headers, body, delay in rows}

    def _load_world(self, fresh: World | None) -> World | None:
        row = self._kept.execute("SELECT seed, feeds, start, day, hour FROM world").fetchone()
        if row is None:
            self.world = fresh
            self._keep_world()
            return fresh
        seed, feeds, start, day, hour = row
        world = World(seed, feeds, date.fromisoformat(start))
        world.advance(date.fromisoformat(day), hour)
        return world

    def _keep_world(self) -> None:
        if self.world is not None:
            w = self.world
            row = (w.seed, len(w.feeds), w.start.isoformat(), w.moment.day.isoformat(), w.moment.hour)
            self._kept.execute("REPLACE INTO world VALUES (1, ?, ?, ?, ?, ?)", row)
