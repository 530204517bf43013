"""Pace, pause and rolling hour of one Housecall Pro key, shared by all processes (HC-31 … HC-35); it sends nothing."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import Connection, Row, func, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from changeover.store.circuit import Circuit
from changeover.store.database import Database
from changeover.store.tables import gates, meters

NAME: Final = "housecallpro"


class Purpose(StrEnum):
    """What a call is for, in the order in which they claim (HC-32)."""

    BUTTON = "button"
    WEBHOOK = "webhook"
    CYCLE = "cycle"
    CHECK = "check"

    @property
    def yields(self) -> bool:
        """Whether it leaves the last fifth of the hour to people and webhooks."""
        return self in (Purpose.CYCLE, Purpose.CHECK)


_RANK: Final = {purpose: place for place, purpose in enumerate(Purpose)}


class NoRoom(Exception):
    """No call may be made now: the hour is used up (`hourly`), or it would take longer than the caller has.

    `after` is when to ask again, in seconds.
    """

    def __init__(self, after: float, *, hourly: bool) -> None:
        super().__init__(f"no room for {math.ceil(after)} s")
        self.after, self.hourly = after, hourly


@dataclass(frozen=True, slots=True)
class HcpPacing:
    """How often one key may be used: calls per `window` seconds, and the share of the hour that is everybody's."""

    requests: int = 4
    window: float = 1.05
    shared: float = 0.8
    hold: float = 2.0  # how long a waiting caller of a higher rank is left one slot


@dataclass(frozen=True, slots=True)
class HcpGateState:
    """What stands in the way of the next call, and the calls of the last hour by purpose (HC-96)."""

    paused_until: datetime | None
    last_hour: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class _Book:
    """What the gate remembers: stamps of the last window, calls by minute, and who waits until when."""

    recent: tuple[float, ...] = ()
    minutes: tuple[tuple[int, str, int], ...] = ()
    waiting: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, stored: object, now: float, window: float) -> _Book:
        """As stored, without what no longer counts and without stamps of a clock that was put back."""
        if not isinstance(stored, dict):
            return cls()
        minute = _minute(now)
        return cls(
            tuple(stamp for stamp in stored["recent"] if now - window < stamp < now + _CLOCK_PUT_BACK),
            tuple((at, purpose, n) for at, purpose, n in stored["minutes"] if minute - _HOUR <= at <= minute + 1),
            {purpose: until for purpose, until in stored["waiting"].items() if now < until < now + _CLOCK_PUT_BACK},
        )

    def as_json(self) -> dict[str, object]:
        return {
            "recent": list(self.recent),
            "minutes": [list(each) for each in self.minutes],
            "waiting": dict(self.waiting),
        }

    @property
    def spent(self) -> int:
        return sum(calls for _, _, calls in self.minutes)

    def with_call(self, purpose: Purpose, now: float) -> _Book:
        counted = Counter({(at, name): calls for at, name, calls in self.minutes})
        counted[_minute(now), purpose.value] += 1
        minutes = tuple((at, name, calls) for (at, name), calls in sorted(counted.items()))
        waiting = {name: until for name, until in self.waiting.items() if name != purpose}
        return _Book((*self.recent, now), minutes, waiting)

    def outranked(self, purpose: Purpose) -> bool:
        return any(_RANK[Purpose(name)] < _RANK[purpose] for name in self.waiting)


class HcpGate:
    """One environment's gate to Housecall Pro. `sleep` may raise to end a wait early (a process told to stop).

    The hour is counted by minutes and a minute counts until it is an hour old as a whole, so no rolling hour ever sees
    more than the limit.
    """

    def __init__(
        self,
        db: Database,
        *,
        hourly_limit: int,
        pacing: HcpPacing = HcpPacing(),
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._db, self._limit, self._pacing, self._clock, self._sleep = db, hourly_limit, pacing, clock, sleep
        self.circuit = Circuit(db, NAME, self._now)

    def admit(self, purpose: Purpose, *, patience: float = math.inf) -> None:
        """Waits until a call may be made, counts it, and lets it go. Raises NoRoom, at once, where that would be late.

        Raises CircuitOpen while the service is left alone (C-65).
        Not to be called inside a transaction of the state database: it needs one of its own.
        """
        while True:
            with self._db.begin(lasting=False) as conn:
                wait = self._try(conn, purpose)
            if wait == 0:
                return
            if wait > patience:
                raise NoRoom(wait, hourly=False)
            patience -= wait
            self._sleep(wait)

    def pause(self, seconds: float) -> None:
        """Keeps every caller of the key away for so long; a longer pause stands (HC-35)."""
        with self._db.begin(lasting=False) as conn:
            until = _instant(self._now(conn) + seconds)
            row = self._locked_row(conn)
            if row.paused_until is None or until > row.paused_until:
                conn.execute(update(gates).where(gates.c.name == NAME).values(paused_until=until))

    def room(self, purpose: Purpose) -> int:
        """How many calls the rolling hour still has for a purpose (J-110)."""
        with self._db.read() as conn:
            book = self._book(self._row(conn), self._now(conn))
        return max(0, self._share(purpose) - book.spent)

    def state(self) -> HcpGateState:
        """The gate's state, for health, the run's numbers and people."""
        with self._db.read() as conn:
            row = self._row(conn)
            book = self._book(row, self._now(conn))
        calls: Counter[str] = Counter()
        for _, purpose, number in book.minutes:
            calls[purpose] += number
        return HcpGateState(None if row is None else row.paused_until, calls)

    # -- one short transaction per call ------------------------------------------------------------------------------

    def _try(self, conn: Connection, purpose: Purpose) -> float:
        """0 and the call is counted, or the seconds to wait before asking again."""
        row, now = self._locked_row(conn), self._now(conn)
        book, probes = self._book(row, now), self.circuit.check(row, now)
        if book.spent >= self._share(purpose):
            raise NoRoom(self._hour_frees(book, purpose, now), hourly=True)
        if row.paused_until is not None and (pause := row.paused_until.timestamp() - now) > 0:
            return float(pause) + _PAUSE_MARGIN
        limit = self._pacing.requests - (1 if self._pacing.requests > 1 and book.outranked(purpose) else 0)
        if len(book.recent) >= limit:
            waiting = {**book.waiting, purpose.value: now + self._pacing.hold}
            self._save(conn, replace(book, waiting=waiting))
            oldest = sorted(book.recent)[len(book.recent) - limit]
            return max(0.0, oldest + self._pacing.window - now) + _WAIT_MARGIN
        self._save(conn, book.with_call(purpose, now))
        self._count(conn, purpose, now)
        self.circuit.enter(conn, now, probes=probes)
        return 0

    def _share(self, purpose: Purpose) -> int:
        return max(1, int(self._limit * self._pacing.shared)) if purpose.yields else self._limit

    def _hour_frees(self, book: _Book, purpose: Purpose, now: float) -> float:
        """Seconds until so many minutes are an hour old that one call is free."""
        excess = book.spent - self._share(purpose) + 1
        last = _minute(now)
        for at, _, calls in book.minutes:  # oldest first
            excess, last = excess - calls, at
            if excess <= 0:
                break
        return max(1.0, (last + _HOUR + 1) * _MINUTE - now)

    def _book(self, row: Row[tuple[object, ...]] | None, now: float) -> _Book:
        return _Book.of(None if row is None else row.sent, now, self._pacing.window)

    def _row(self, conn: Connection) -> Row[tuple[object, ...]] | None:
        return conn.execute(select(gates).where(gates.c.name == NAME)).one_or_none()

    def _locked_row(self, conn: Connection) -> Row[tuple[object, ...]]:
        insert = sqlite_insert if conn.dialect.name == "sqlite" else postgresql_insert
        conn.execute(insert(gates).values(name=NAME, sent=_Book().as_json()).on_conflict_do_nothing())
        return conn.execute(select(gates).where(gates.c.name == NAME).with_for_update()).one()

    def _save(self, conn: Connection, book: _Book) -> None:
        conn.execute(update(gates).where(gates.c.name == NAME).values(sent=book.as_json()))

    def _count(self, conn: Connection, purpose: Purpose, now: float) -> None:
        insert = sqlite_insert if conn.dialect.name == "sqlite" else postgresql_insert
        row = {"name": NAME, "month": f"{_instant(now):%Y-%m}", "purpose": purpose.value, "calls": 1}
        more = {"calls": meters.c.calls + 1}
        conn.execute(
            insert(meters).values(row).on_conflict_do_update(index_elements=["name", "month", "purpose"], set_=more)
        )

    def _now(self, conn: Connection) -> float:
        """The clock that all sharers of the database have in common: PostgreSQL's own, or this host's."""
        if conn.dialect.name == "sqlite":
            return self._clock()
        return float(conn.execute(select(func.extract("epoch", func.clock_timestamp()))).scalar_one())


_MINUTE: Final = 60
_HOUR: Final = 60  # minutes
_PAUSE_MARGIN: Final = 0.05
_WAIT_MARGIN: Final = 0.001
_CLOCK_PUT_BACK: Final = 60.0


def _minute(seconds: float) -> int:
    return int(seconds // _MINUTE)


def _instant(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
