"""The program's own layers in this process: quick where it would wait, and mortal at any point where it writes."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, ClassVar
from unittest import mock

import structlog
from sqlalchemy import Connection, create_engine, func, select

from changeover import controller
from changeover.airtable.client import AirtableClient, Tries
from changeover.airtable.deliver import Delays, Delivery
from changeover.engine import calendars, cycle, lease, reports
from changeover.engine.durable import Durable, Settled
from changeover.engine.results import CycleResult, RunRequest
from changeover.engine.rules import RuleBook, rule_book
from changeover.engine.sending import Sending, Sent, send_some
from changeover.settings import Settings, load
from changeover.sources.ics import fetch as fetch_module
from changeover.sources.ics.fetch import FetchSettings
from changeover.store import deliveries, holds
from changeover.store import schema as store_schema
from changeover.store.database import Database
from changeover.store.gate import Gate, Pacing
from changeover.store.leases import Holder
from changeover.store.tables import metadata, plans, runs
from stateful.stand_ins import BASE, KEY, StandIns
from stateful.wires import AirtableLine, CalendarSession, DirectLine

QUICK = Pacing(requests=1_000_000, slow_requests=900_000, penalty=0.0)
IMPATIENT = Tries(waits=(0.0, 0.0, 0.0, 0.0), jitter=0.0, timeout=(5, 10))
AT_ONCE = Delays(timedelta(0), timedelta(0), timedelta(0))
FEED_TIMEOUT = 0.25
LIVED = (calendars.NAME, reports.NAME)  # the steps that these businesses have something for


class Killed(BaseException):
    """The process ends here."""


@dataclass
class Fate:
    """What befalls one run, and when: its places are counted, and at one of them something happens."""

    at: int | None = None
    happens: Callable[[], None] | None = None  # None: the process dies
    where: tuple[str, ...] = ()  # only here: of "begin", "inside", "committed", "request", "answered"
    passed: int = 0
    dead: bool = False

    def place(self, name: str) -> None:
        if self.dead:
            raise Killed
        if self.where and name not in self.where:
            return
        self.passed += 1
        if self.passed != self.at:
            return
        if self.happens is not None:
            self.happens()
            return
        self.dead = True
        raise Killed


class _Here:
    """Whose fate the next objects share; runs of one process are built one after the other."""

    fate = Fate()
    airtable: DirectLine | None = None


class MortalDatabase(Database):
    """A state database whose user may die before, in and after each transaction."""

    _open: ClassVar[dict[str, Database]] = {}  # one engine for all runs: what it has compiled need not be compiled anew

    def __init__(self, url: str) -> None:
        known = self._open.setdefault(url, self)
        if known is self:
            super().__init__(url)
        self.__dict__ |= known.__dict__
        self._fate = _Here.fate

    def close(self) -> None: ...

    @classmethod
    def close_all(cls) -> None:
        for database in cls._open.values():
            database.engine.dispose()
        cls._open.clear()

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        self._fate.place("begin")
        with super().begin() as connection:
            yield connection
            self._fate.place("inside")
        self._fate.place("committed")

    @contextmanager
    def read(self) -> Iterator[Connection]:
        if self._fate.dead:
            raise Killed
        with super().read() as connection:
            yield connection


class MortalClient(AirtableClient):
    """A client whose user may die before and after each writing request."""

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more, tries=IMPATIENT)
        self._fate = _Here.fate
        if _Here.airtable is not None:
            self._api.session.mount("http://", AirtableLine(_Here.airtable))

    def create(self, *arguments: Any, **more: Any) -> Any:
        return self._around(super().create, *arguments, **more)

    def update(self, *arguments: Any, **more: Any) -> Any:
        return self._around(super().update, *arguments, **more)

    def _around(self, write: Callable[..., Any], *arguments: Any, **more: Any) -> Any:
        self._fate.place("request")
        answer = write(*arguments, **more)
        self._fate.place("answered")
        return answer


class Straight:
    """Drives deliveries as the durable engine does, but in this thread and without its launch."""

    def __init__(self, sending: Sending, folder: Path, number: int = 1) -> None:
        self._sending = sending

    def start(self) -> None: ...

    def close(self) -> None: ...

    def prune(self, now: datetime) -> int:
        return 0

    def settle(self) -> Settled:
        total = Sent(0)
        with self._sending.database.read() as connection:
            runs = deliveries.open_runs(connection)
        for run_id in runs:
            sent = self.deliver(run_id)
            total = sent._replace(left=total.left + sent.left).after(total)
            if sent.stopped:
                break
        return Settled(total)

    def deliver(self, run_id: str) -> Sent:
        total = Sent(left=1)
        while not total.over:
            total = send_some(self._sending, run_id).after(total)
        return total


class _Leases:
    """The leases that were taken, so that one can be made to look expired to its holder."""

    last: lease.Lease | None = None


class WatchedLease(lease.Lease):
    @classmethod
    def acquire(cls, *arguments: Any, **more: Any) -> lease.Lease:
        _Leases.last = super().acquire(*arguments, **more)
        return _Leases.last


def lease_expires() -> None:
    """As after a minute without a heartbeat: the holder itself knows that it is over."""
    assert _Leases.last is not None
    _Leases.last._valid_until = 0.0


@dataclass
class Program:
    """One environment's program: its folder, its database, and runs that may be cut short."""

    settings: Settings
    direct: tuple[DirectLine, ...] | None = None
    dead: set[str] = field(default_factory=set)
    durable: bool = False

    @classmethod
    def on(cls, stand_ins: StandIns, folder: Path, template: Path, database_url: str = "") -> Program:
        config = folder / "config"
        config.mkdir(parents=True)
        lines = {
            "AIRTABLE_API_KEY": KEY,
            "AIRTABLE_BASE_ID": BASE,
            "AIRTABLE_ENDPOINT_URL": stand_ins.base.url,
            "ALLOW_PRIVATE_FEEDS": "true",
            "DATABASE_URL": database_url,
        }
        (config / "dev.env").write_text("".join(f"{name}={value}\n" for name, value in lines.items() if value))
        place = {"CHANGEOVER_CONFIG": str(config), "CHANGEOVER_HOME": str(folder / "var")}
        program = cls(load("dev", place), stand_ins.direct)
        if not database_url:
            program.settings.folder.mkdir(mode=0o700, parents=True)
            shutil.copy(template, program.settings.folder / "state.db")
        return program

    def run(self, fate: Fate | None = None, **request: Any) -> CycleResult | None:
        """One run; None when it died."""
        with self._seams(fate or Fate()):
            try:
                return controller.run(self.settings, RunRequest(**{"only": LIVED} | request))
            except Killed:
                return None

    def decide(self, *, approve: bool) -> CycleResult | None:
        """A person's word on all held removals, carried out at once."""
        with self._seams(Fate()):
            return controller.decide_holds(self.settings, None, approve=approve, who="coordinator").result

    def lose_database(self, template: Path) -> None:
        """The state database is gone; an empty one stands in its place."""
        MortalDatabase.close_all()
        for path in self.settings.folder.glob("state.db*"):
            path.unlink()
        shutil.copy(template, self.settings.folder / "state.db")

    def run_beside(self, **request: Any) -> CycleResult:
        """A whole run of another process, while one of ours stands still."""
        box: list[CycleResult | None] = []
        thread = threading.Thread(target=lambda: box.append(self.run(**request)))
        thread.start()
        thread.join(60)
        (result,) = box
        assert result is not None
        return result

    @contextmanager
    def _seams(self, fate: Fate) -> Iterator[None]:
        before, _Here.fate = _Here.fate, fate
        fetch = partial(
            FetchSettings,
            waits_seconds=(0.0,),
            start_jitter_seconds=0.0,
            user_agent="Changeover/0 (+https://x.example)",
        )
        names: tuple[tuple[Any, str, Any], ...] = (
            (controller, "Database", MortalDatabase),
            (controller, "Lease", WatchedLease),
            (cycle, "AirtableClient", MortalClient),
            (cycle, "Gate", partial(Gate, pacing=QUICK)),
            (cycle, "Delivery", partial(Delivery, delays=AT_ONCE)),
            (cycle, "Durable", Durable if self.durable else Straight),
            (
                calendars,
                "FetchSettings",
                lambda **more: fetch(**(more | {"timeout_seconds": FEED_TIMEOUT, "attempts": 2})),
            ),
            (lease, "is_gone", self._is_gone),
            (controller, "rule_book", _rule_book),
            (store_schema, "pending", lambda _: False),
            *self._lines(),
        )
        with ExitStack() as stack:
            for module, name, value in names:
                stack.enter_context(mock.patch.object(module, name, value))
            try:
                yield
            finally:
                _Here.fate = before

    def _lines(self) -> tuple[tuple[Any, str, Any], ...]:
        """The seams of stand-ins that are asked without a socket."""
        if self.direct is None:
            return ()
        airtable, calendars_line = self.direct
        session = type("Session", (CalendarSession,), {"line": calendars_line})
        return (
            (_Here, "airtable", airtable),
            (fetch_module, "ClientSession", session),
            (fetch_module, "TCPConnector", lambda **_: None),
        )

    def _is_gone(self, holder: Holder) -> bool:
        return holder.run in self.dead

    def bury_the_dead(self) -> bool:
        """Whoever holds the lease now has died with its process; False when nobody living does."""
        with self.database() as database, database.read() as connection:
            row = connection.execute(select(metadata.tables["leases"].c.holder)).first()
        if row is None or not row.holder or row.holder in self.dead:
            return False
        self.dead.add(row.holder)
        return True

    @contextmanager
    def database(self) -> Iterator[Database]:
        with self._seams(Fate()):
            yield MortalDatabase(self.settings.state_url)

    def waiting(self) -> int:
        """Writes that are not finished."""
        with self.database() as database, database.read() as connection:
            return deliveries.pending(connection)

    def held(self) -> int:
        """Removals that wait for a person."""
        with self.database() as database, database.read() as connection:
            return len(holds.load_all(connection))

    def plans(self) -> int:
        """How many plans of the calendars have been committed."""
        count = select(func.count()).select_from(plans.join(runs, runs.c.id == plans.c.run_id))
        with self.database() as database, database.read() as connection:
            return int(connection.scalar(count.where(runs.c.automation == calendars.NAME)) or 0)


_books: dict[Path, RuleBook] = {}


def _rule_book(settings: Settings) -> RuleBook:
    """The rule files do not change meanwhile: they are read once."""
    return _books.setdefault(settings.config, _books.get(settings.config) or rule_book(settings))


def template(folder: Path) -> Path:
    """A migrated state database, to be copied."""
    path = folder / "template.db"
    store_schema.migrate(f"sqlite:///{path}")
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()
    return path


def be_quiet() -> None:
    """Thousands of runs must not fill the terminal."""
    structlog.configure(processors=[_drop])


def _drop(*_: Any) -> Any:
    raise structlog.DropEvent
