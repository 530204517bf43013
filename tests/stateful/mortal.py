"""Parts of the program that may die at any point where they write, and never wait; they decide nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

from sqlalchemy import Connection

from changeover.airtable.client import AirtableClient, Tries
from changeover.airtable.deliver import Delays
from changeover.engine import lease
from changeover.engine.durable import Settled
from changeover.engine.sending import Sending, Sent, send_some
from changeover.housecallpro.client import HousecallPro, Wiring
from changeover.housecallpro.client import Tries as HcpTries
from changeover.store import deliveries
from changeover.store.database import Database
from changeover.store.gate import Pacing
from changeover.store.hcp_gate import HcpGate, HcpPacing
from stateful.wires import DirectLine, RequestsLine

QUICK = Pacing(requests=1_000_000, slow_requests=900_000, penalty=0.0)
QUICK_HCP = HcpPacing(requests=1_000_000)
IMPATIENT = Tries(waits=(0.0, 0.0, 0.0, 0.0), jitter=0.0, timeout=(5, 10))
HASTY = HcpTries(number=3, waits=(0.0,), rate_waits=(0.0,), jitter=0.0)
AT_ONCE = Delays(timedelta(0), timedelta(0), timedelta(0))


class Killed(BaseException):
    """The process ends here."""


@dataclass
class Fate:
    """What befalls one run, and when: its places are counted, and at one of them something happens."""

    at: int | None = None
    happens: Callable[[], None] | None = None  # None: the process dies
    where: tuple[str, ...] = ()  # only here: the names of the places below; empty: everywhere
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


class Here:
    """Whose fate the next objects share; runs of one process are built one after the other."""

    fate = Fate()
    airtable: DirectLine | None = None
    company: DirectLine | None = None


class MortalDatabase(Database):
    """A state database whose user may die before, in and after each transaction."""

    _open: ClassVar[dict[str, Database]] = {}  # one engine for all runs: what it has compiled need not be compiled anew

    def __init__(self, url: str) -> None:
        known = self._open.setdefault(url, self)
        if known is self:
            super().__init__(url)
        self.__dict__ |= known.__dict__
        self._fate = Here.fate

    def close(self) -> None: ...

    @classmethod
    def close_all(cls) -> None:
        for database in cls._open.values():
            database.engine.dispose()
        cls._open.clear()

    @contextmanager
    def begin(self, *, lasting: bool = True) -> Iterator[Connection]:
        self._fate.place("begin")
        with super().begin(lasting=lasting) as connection:
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
        self._fate = Here.fate
        if Here.airtable is not None:
            self._api.session.mount("http://", RequestsLine(Here.airtable))

    def create(self, *arguments: Any, **more: Any) -> Any:
        return self._around(super().create, *arguments, **more)

    def update(self, *arguments: Any, **more: Any) -> Any:
        return self._around(super().update, *arguments, **more)

    def _around(self, write: Callable[..., Any], *arguments: Any, **more: Any) -> Any:
        self._fate.place("request")
        answer = write(*arguments, **more)
        self._fate.place("answered")
        return answer


class QuickGate(HcpGate):
    """A gate that counts and lets nobody wait."""

    def __init__(self, db: Database, **more: Any) -> None:
        super().__init__(db, **more | {"pacing": QUICK_HCP, "sleep": _at_once})

    def pause(self, seconds: float) -> None:
        super().pause(0.0)


class MortalCompany(HousecallPro):
    """A client whose user may die before and after each request."""

    def __init__(self, base_url: str, api_key: str, wiring: Wiring, **more: Any) -> None:
        super().__init__(base_url, api_key, replace(wiring, tries=HASTY, sleep=_at_once), **more)
        self._fate = Here.fate
        if Here.company is not None:
            self._session.mount("http://", RequestsLine(Here.company))

    def _request(self, call: Any) -> Any:
        self._fate.place("order" if call.writes else "look")
        answer = super()._request(call)
        self._fate.place("ordered" if call.writes else "seen")
        return answer


def _at_once(_: float) -> None:
    """Nobody waits here."""


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


class Leases:
    """The leases that were taken, so that one can be made to look expired to its holder."""

    last: lease.Lease | None = None


class WatchedLease(lease.Lease):
    @classmethod
    def acquire(cls, *arguments: Any, **more: Any) -> lease.Lease:
        Leases.last = super().acquire(*arguments, **more)
        return Leases.last


def lease_expires() -> None:
    """As after a minute without a heartbeat: the holder itself knows that it is over."""
    assert Leases.last is not None
    Leases.last._valid_until = 0.0
