"""Pacing, pause, block and meter of one base, shared by all processes through the state database; it sends nothing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from sqlalchemy import Connection, Row, func, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from changeover.store.circuit import Circuit
from changeover.store.database import Database
from changeover.store.tables import gates, meters


class Purpose(StrEnum):
    """What a request is for (AT-38)."""

    REFRESH = "refresh"
    DELIVER = "deliver"
    CLICK = "click"
    CHECK = "check"
    OTHER = "other"


class Blocked(Exception):
    """The month's calls are used up and no probe is due (AT-51)."""


@dataclass(frozen=True, slots=True)
class Pacing:
    """How often a base may be asked: seconds unless said otherwise (AT-24, AT-50, AT-51)."""

    requests: int = 5
    slow_requests: int = 4
    window: float = 1.05
    penalty: float = 30.0
    slow_for: float = 3600.0
    probe_every: timedelta = timedelta(hours=6)
    click_hold: float = 2.0


@dataclass(frozen=True, slots=True)
class Ticket:
    """Leave to send one request now: its stamp on the shared clock and on ours; `probes` a block (AT-51)."""

    stamp: float
    began: float
    probes: bool = False


@dataclass(frozen=True, slots=True)
class GateState:
    """What stands in the way of the base's next request."""

    paused_until: datetime | None
    slow_until: datetime | None
    blocked_at: datetime | None


class Gate:
    """One base's gate. A request is stamped when it is sent.

    Nobody knows when a request arrived, only that it took no longer than its answer. So when an answer took longer than
    this process's fastest round trip, the difference is added to the request's stamp: however the line stutters, the
    base never sees more than `requests` of this process within its second.

    `sleep` may raise to end a wait early (a process that is told to stop).
    """

    def __init__(
        self,
        db: Database,
        name: str,
        *,
        pacing: Pacing = Pacing(),
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.name = name
        self._db, self._pacing, self._clock, self._sleep = db, pacing, clock, sleep
        self.circuit = Circuit(db, name, self._now)
        self._lock = threading.Lock()
        self._late: dict[float, float] = {}  # stamp → the later stamp it should have
        self._fastest: float | None = None

    def admit(self, purpose: Purpose, *, meta: bool = False) -> Ticket:
        """Waits until a request may be sent, counts it, and lets it go. Raises CircuitOpen (C-65).

        Raises Blocked (AT-51), never for `meta`.
        """
        while True:
            began = self._clock()
            with self._db.begin(lasting=False) as conn:
                outcome = self._try(conn, purpose, meta=meta)
            if isinstance(outcome, Ticket):
                return replace(outcome, began=began)
            self._sleep(outcome)

    def answered(self, ticket: Ticket) -> None:
        """Notes that a request's answer, or its failure, is here."""
        took = max(0.0, self._clock() - ticket.began)
        with self._lock:
            excess = took - (_UNKNOWN_ROUND_TRIP if self._fastest is None else self._fastest)
            self._fastest = took if self._fastest is None else min(self._fastest, took)
            if excess > 0:
                self._late[ticket.stamp] = ticket.stamp + excess

    def pause(self, seconds: float = 0.0) -> None:
        """Keeps every process from the base after a rate refusal, at least for the penalty; an hour slow (AT-50)."""
        with self._db.begin(lasting=False) as conn:
            now = self._now(conn)
            row = self._locked_row(conn)
            until = _instant(now + max(self._pacing.penalty, seconds))
            if row.paused_until is None or until > row.paused_until:
                self._set(conn, paused_until=until)
            self._set(conn, slow_until=_instant(now + self._pacing.slow_for))

    def block(self) -> None:
        """Stops all data calls of the environment: the month's cap is used up (AT-51)."""
        with self._db.begin(lasting=False) as conn:
            self._locked_row(conn)
            self._set(conn, blocked_at=_instant(self._now(conn)))

    def unblock(self) -> None:
        """Lets data calls go again: one has been answered (AT-51)."""
        with self._db.begin(lasting=False) as conn:
            self._set(conn, blocked_at=None)

    def state(self) -> GateState:
        """The gate's state, for health and for people."""
        with self._db.read() as conn:
            row = conn.execute(select(gates).where(gates.c.name == self.name)).one_or_none()
        return (
            GateState(None, None, None) if row is None else GateState(row.paused_until, row.slow_until, row.blocked_at)
        )

    def calls(self, month: str) -> dict[str, int]:
        """Requests of a UTC month, "YYYY-MM", by purpose (AT-38)."""
        statement = select(meters.c.purpose, meters.c.calls).where(meters.c.name == self.name, meters.c.month == month)
        with self._db.read() as conn:
            return {purpose: calls for purpose, calls in conn.execute(statement)}  # noqa: C416  # rows are not pairs

    # -- one short transaction per request ---------------------------------------------------------------------------

    def _try(self, conn: Connection, purpose: Purpose, *, meta: bool) -> Ticket | float:
        """A ticket, or the seconds to wait before asking again."""
        row, now = self._locked_row(conn), self._now(conn)
        if row.blocked_at is not None and not meta:
            self._probe(conn, row.blocked_at, now)
        asks_how_it_is = self.circuit.check(row, now)
        if row.paused_until is not None and (pause := row.paused_until.timestamp() - now) > 0:
            return float(pause) + _PAUSE_MARGIN
        sent: list[float] = self._recent(row.sent, now)
        click = purpose is Purpose.CLICK
        limit = self._limit(row, now, click=click)
        if len(sent) >= limit:
            if click:
                self._set(conn, click_waits_until=_instant(now + self._pacing.click_hold))
            oldest = sorted(sent)[len(sent) - limit]
            return max(0.0, oldest + self._pacing.window - now) + _WAIT_MARGIN
        stamp = max(now, max(sent, default=0.0) + _DISTINCT) if now in sent else now
        self._set(conn, sent=[*sent, stamp], **({"click_waits_until": None} if click else {}))
        self._count(conn, purpose, now)
        self.circuit.enter(conn, now, probes=asks_how_it_is)
        return Ticket(stamp, now, probes=row.blocked_at is not None and not meta)

    def _limit(self, row: Row[tuple[object, ...]], now: float, *, click: bool) -> int:
        slow = row.slow_until is not None and row.slow_until.timestamp() > now
        limit = self._pacing.slow_requests if slow else self._pacing.requests
        click_waits = row.click_waits_until is not None and row.click_waits_until.timestamp() > now
        return limit - 1 if click_waits and not click and limit > 1 else limit

    def _probe(self, conn: Connection, blocked_at: datetime, now: float) -> None:
        """Lets one request through every six hours and at the month's start; others are refused (AT-51)."""
        at = _instant(now)
        same_month = (at.year, at.month) == (blocked_at.year, blocked_at.month)
        if same_month and at - blocked_at < self._pacing.probe_every:
            raise Blocked(self.name)
        self._set(conn, blocked_at=at)  # so that no other process probes as well

    def _recent(self, sent: list[float], now: float) -> list[float]:
        """The stamps that still count, with this process's corrections. Stamps of a clock put back do not count."""
        with self._lock:
            self._late = {stamp: late for stamp, late in self._late.items() if late > now - self._pacing.window}
            corrected = [self._late.get(stamp, stamp) for stamp in sent]
        return [stamp for stamp in corrected if now - self._pacing.window < stamp < now + _CLOCK_PUT_BACK]

    def _locked_row(self, conn: Connection) -> Row[tuple[object, ...]]:
        insert = sqlite_insert if conn.dialect.name == "sqlite" else postgresql_insert
        conn.execute(insert(gates).values(name=self.name, sent=[]).on_conflict_do_nothing())
        return conn.execute(select(gates).where(gates.c.name == self.name).with_for_update()).one()

    def _set(self, conn: Connection, **values: object) -> None:
        conn.execute(update(gates).where(gates.c.name == self.name).values(**values))

    def _count(self, conn: Connection, purpose: Purpose, now: float) -> None:
        insert = sqlite_insert if conn.dialect.name == "sqlite" else postgresql_insert
        row = {"name": self.name, "month": f"{_instant(now):%Y-%m}", "purpose": str(purpose), "calls": 1}
        more = {"calls": meters.c.calls + 1}
        conn.execute(
            insert(meters).values(row).on_conflict_do_update(index_elements=["name", "month", "purpose"], set_=more)
        )

    def _now(self, conn: Connection) -> float:
        """The clock that all sharers of the database have in common: PostgreSQL's own, or this host's."""
        if conn.dialect.name == "sqlite":
            return self._clock()
        return float(conn.execute(select(func.extract("epoch", func.clock_timestamp()))).scalar_one())


_UNKNOWN_ROUND_TRIP = 0.05  # what a round trip takes at least, before one was measured
_PAUSE_MARGIN = 0.05  # the base counts its penalty from when it refused, a little after we sent
_WAIT_MARGIN = 0.001  # so that the oldest stamp has left the window, and not almost
_DISTINCT = 0.000_001
_CLOCK_PUT_BACK = 60.0


def _instant(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
