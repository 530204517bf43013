"""One run at a time: a lease with heartbeat and fencing token in the state database (C-30); it starts no run."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from changeover.engine.process import is_gone, this_process
from changeover.ops import logging
from changeover.store import leases
from changeover.store.database import Database
from changeover.store.leases import Holder, LeaseRow

log = logging.get(__name__)


@dataclass(frozen=True, slots=True)
class Timing:
    """How often a lease beats and how long it outlives its last beat (C-30)."""

    beat: timedelta = timedelta(seconds=10)
    expiry: timedelta = timedelta(seconds=60)


class LeaseLost(Exception):
    """Another run has taken the lease: nothing of this one may be kept or sent any more (C-6, C-30)."""


class Locked(Exception):
    """Another run holds the lease (C-24): who, where, and until when at the longest without a heartbeat."""

    def __init__(self, holder: Holder, expires: datetime) -> None:
        super().__init__(f"{holder.run} holds the lease: process {holder.pid} on {holder.host}")
        self.holder = holder
        self.expires = expires


class Lease:
    """A held lease. Its thread keeps it alive; `lost` is set as soon as that is known to have failed.

    Use `acquire`, then `check` inside every transaction that commits or stores a receipt, and `release` at the end.
    """

    def __init__(self, database: Database, name: str, token: int, timing: Timing) -> None:
        self.name = name
        self.token = token
        self.lost = threading.Event()
        self._database = database
        self._timing = timing
        self._ended = threading.Event()
        self._valid_until = time.monotonic() + timing.expiry.total_seconds()
        self._thread = threading.Thread(target=self._keep_alive, name=f"lease-{name}", daemon=True)

    @classmethod
    def acquire(cls, database: Database, name: str, run: str, timing: Timing = Timing()) -> Lease:
        """Takes a lease for a run. Raises Locked at once when a live process holds it (C-24)."""
        me = this_process(run)
        with database.read() as connection:  # its holder may be in a long commit: the answer must not wait for that
            _refuse_while_held(leases.look(connection, name), leases.database_now(connection))
        with database.begin(lasting=False) as connection:
            row = leases.lock(connection, name)
            _refuse_while_held(row, leases.database_now(connection))
            token = leases.take(connection, row, me, timing.expiry)
        lease = cls(database, name, token, timing)
        lease._thread.start()
        log.info("lease.taken", lease=name, token=token)
        return lease

    def held(self) -> bool:
        """Whether it is still ours as far as this process knows, without asking the database."""
        if time.monotonic() >= self._valid_until:
            self.lost.set()
        return not self.lost.is_set() and not self._ended.is_set()

    def check(self, connection: Connection) -> None:
        """Raises LeaseLost unless it is still ours; no other run can take it until this transaction ends."""
        row = leases.lock(connection, self.name)
        if row.token != self.token or row.holder is None:
            self.lost.set()
            message = f"lease {self.name} was taken: token {self.token} is older than {row.token}"
            raise LeaseLost(message)

    def release(self) -> None:
        """Gives it back, so that the next run need not wait. A lost one is left to its new holder."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()
        try:
            with self._database.begin(lasting=False) as connection:
                freed = leases.free(connection, self.name, self.token)
        except SQLAlchemyError as error:
            log.warning("lease.not_released", lease=self.name, error=type(error).__name__)  # it expires by itself
            return
        log.info("lease.released" if freed else "lease.was_lost", lease=self.name, token=self.token)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.release()

    def _keep_alive(self) -> None:
        while not self._ended.wait(self._timing.beat.total_seconds()):
            asked = time.monotonic()
            try:
                with self._database.begin(lasting=False) as connection:
                    ours = leases.beat(connection, self.name, self.token, self._timing.expiry)
            except SQLAlchemyError as error:
                log.warning("lease.beat_failed", lease=self.name, error=type(error).__name__)
                ours = self.held()  # the next beat may succeed before the expiry
            else:
                self._valid_until = asked + self._timing.expiry.total_seconds()
            if not ours:
                self.lost.set()
                log.error("lease.lost", lease=self.name, token=self.token)
                return


def is_held(database: Database, name: str) -> bool:
    """Whether a live process holds a lease right now."""
    with database.read() as connection:
        try:
            _refuse_while_held(leases.look(connection, name), leases.database_now(connection))
        except Locked:
            return True
    return False


def _refuse_while_held(row: LeaseRow | None, now: datetime) -> None:
    if row is None or row.holder is None or row.expires <= now or is_gone(row.holder):
        return
    raise Locked(row.holder, row.expires)
