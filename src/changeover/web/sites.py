"""What the web server holds of each environment while it runs: its writer, its intakes, its alerts; no route."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from changeover.engine import disk, intake
from changeover.engine.click_intake import ClickIntake
from changeover.engine.hook_intake import HookIntake
from changeover.engine.intake import Intake
from changeover.engine.run_intake import RunIntake
from changeover.engine.stop import StopSwitch
from changeover.ops import logging
from changeover.settings.inbound import Inbound
from changeover.store import alerts, facts, schema
from changeover.store.database import Database
from changeover.store.writer import Busy, Closed, Unsure, Writer
from changeover.web.alerts import Alerts

log = logging.get(__name__)

_READY = "web.ready"
_CHECKPOINT_PAGES = 4000  # a mail takes about 12: fewer than one in a hundred is to wait for a checkpoint (O-3)


class Site:
    """One environment, opened for storing what comes in."""

    def __init__(self, inbound: Inbound) -> None:
        self.inbound = inbound
        self.env = str(inbound.environment)
        # Hardly any waiting in SQLite: the writer asks again by itself, more often than SQLite would.
        self._database = Database(inbound.state_url, busy_timeout_ms=1, checkpoint_pages=_CHECKPOINT_PAGES)
        self._writer = Writer(self._database)
        self._client = intake.client(self.env, self._database)
        self.intake = Intake(inbound.folder, self._writer, self._client)
        self.hooks = HookIntake(inbound.folder, self._writer, self._client, inbound.hcp_company_id or "")
        self.clicks = ClickIntake(self._database, self._writer, self._client)
        self.runs = RunIntake(self.env, self._database, self._writer, self._client)
        self.stop = StopSwitch(inbound.folder, self._database)
        self.alerts = Alerts(self.env, self._writer, self._start())

    def troubles(self) -> Iterator[str]:
        """Why nothing could be stored right now (HE-1), in words; none when it could."""
        if not disk.check(self.inbound.folder).room_to_write:
            yield "disk"
        try:
            if schema.pending(self._database):
                yield "migrations"
            self._writer.submit(_note_ready)
        except (Busy, Unsure, Closed, SQLAlchemyError):
            yield "database"

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """What is stored, for looking at."""
        with self._database.read() as connection:
            yield connection

    def close(self) -> None:
        """Commits what was handed over and lets go of the database."""
        self._writer.close()
        self._client.destroy()
        self._database.close()

    def _start(self) -> tuple[str, ...]:
        """Enters mails that a killed process has left, and returns the keys of open alerts.

        What stands in the way is logged and no more: nothing that was acknowledged is among the strays (CM-9).
        """
        database = Database(self.inbound.state_url)
        try:
            intake.adopt_strays(self.env, self.inbound.folder, database)
            with database.read() as connection:
                return tuple(each.key for each in alerts.standing(connection))
        except (OSError, SQLAlchemyError):
            log.exception("intake.strays_left", env=self.env)
            return ()
        finally:
            database.close()


def _note_ready(connection: Connection) -> None:
    facts.put(connection, _READY, True, datetime.now(UTC))


@dataclass(frozen=True, slots=True)
class Deployment:
    """Every environment that this server faces the world for, by name."""

    sites: Mapping[str, Site]
    stopping: threading.Event = field(default_factory=threading.Event)

    @classmethod
    def open(cls, environments: Sequence[Inbound]) -> Deployment:
        """Opens them all. The stores must be migrated: nothing is created here."""
        return cls({str(each.environment): Site(each) for each in environments})

    def close(self) -> None:
        for site in self.sites.values():
            site.close()
