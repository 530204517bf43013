"""When a service that does not answer is left alone (C-65): counted in its gate's row, so by all processes together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Connection, Row, case, select, update

from changeover.store.database import Database
from changeover.store.tables import gates

FAILURES: Final = 5
PROBE_SECONDS: Final = 30.0
_GATEWAY: Final = frozenset({502, 503, 504})  # what stands before the service says that it is away; a 500 is its own


class CircuitOpen(Exception):
    """The service is left alone; the next request that may find out how it is is due in `after` seconds."""

    def __init__(self, after: float) -> None:
        super().__init__(f"left alone for {after:.0f} s")
        self.after = after


@dataclass(frozen=True, slots=True)
class CircuitState:
    """Requests without an answer in a row, and since when the service is left alone, if it is."""

    failures: int = 0
    opened_at: datetime | None = None


class Circuit:
    """One service's circuit. Five requests in a row without an answer open it, any answer closes it.

    While it is open one request in 30 s goes through, and the first one of each process: a run asks for itself. What
    goes well costs nothing: the row is the gate's, which is read for every request.
    """

    def __init__(self, db: Database, name: str, now: Callable[[Connection], float]) -> None:
        self._db, self._name, self._now = db, name, now
        self._has_asked = self._failing = False

    def check(self, row: Row[tuple[object, ...]], now: float) -> bool:
        """Whether a request would be a probe. Raises CircuitOpen where none may be sent."""
        self._failing = row.failures > 0
        if row.opened_at is None:
            return False
        due = 0.0 if row.probe_at is None else row.probe_at.timestamp() - now
        if due > 0 and self._has_asked:
            raise CircuitOpen(min(due, PROBE_SECONDS))
        return True

    def enter(self, conn: Connection, now: float, *, probes: bool) -> None:
        """A request goes out; while it probes, no other does."""
        self._has_asked = True
        if probes:
            self._set(conn, probe_at=_instant(now + PROBE_SECONDS))

    def heard(self, status: int | None) -> None:
        """Notes a request's end: the status of its answer, None where none came."""
        if status is None or status in _GATEWAY:
            self._lost()
        elif self._failing:
            self._failing = False
            with self._db.begin(lasting=False) as conn:
                self._set(conn, failures=0, opened_at=None, probe_at=None)

    def state(self) -> CircuitState:
        """How it stands, for alerts, health and people."""
        with self._db.read() as conn:
            row = conn.execute(select(gates).where(gates.c.name == self._name)).one_or_none()
        return CircuitState() if row is None else CircuitState(row.failures, row.opened_at)

    def _lost(self) -> None:
        self._failing = True
        with self._db.begin(lasting=False) as conn:
            now = self._now(conn)
            failures = gates.c.failures + 1
            opens = (failures >= FAILURES) & gates.c.opened_at.is_(None)
            self._set(
                conn,
                failures=failures,
                opened_at=case((opens, _instant(now)), else_=gates.c.opened_at),
                probe_at=case((failures >= FAILURES, _instant(now + PROBE_SECONDS)), else_=gates.c.probe_at),
            )

    def _set(self, conn: Connection, **values: object) -> None:
        conn.execute(update(gates).where(gates.c.name == self._name).values(**values))


def _instant(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
