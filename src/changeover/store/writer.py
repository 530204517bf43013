"""One thread that writes for many: their transactions become one (K-4, LB-23); it knows no table and no rule."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from math import inf
from typing import TypeAlias, TypeVar

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError

from changeover.store.database import Database

T = TypeVar("T")
_Result: TypeAlias = "tuple[object, Exception | None]"

PATIENCE = 1.8
"""Seconds that a write waits for the database before it is given up, so that an answer takes 2 at most (CM-2)."""

_FIRST_PAUSE, _LONGEST_PAUSE = 0.001, 0.004
_LOCKED, _FULL, _BROKEN = ("SQLITE_BUSY", "SQLITE_LOCKED"), ("SQLITE_FULL",), ("SQLITE_IOERR",)
_LIMITS = text("SELECT set_config('lock_timeout', :ms, true), set_config('statement_timeout', :ms, true)")


class Busy(Exception):
    """The database is locked, full or down. Nothing of the write is stored."""


class Unsure(Exception):
    """The database went away while it was committing: the write may be stored, or not."""


class Closed(Exception):
    """The writer takes no more writes."""


@dataclass(slots=True, eq=False)
class _Job:
    """One write that waits for its commit."""

    work: Callable[[Connection], object]
    deadline: float
    done: Future[object] = field(default_factory=Future)


class Writer:
    """Writes of many threads, committed together: one wait for the disk instead of one each.

    One that fails hurts only itself: all is taken back, and each done again in a savepoint. So a work may be called
    twice, and must leave its traces in the database alone. The database should be opened with a busy timeout of nearly
    nothing: asking again every few milliseconds is done here, as SQLite's own waits grow too long.
    """

    def __init__(self, database: Database, *, patience: float = PATIENCE) -> None:
        self._database, self._patience = database, patience
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._gate = threading.Lock()
        self._last = inf  # when whatever still waits is given up, once the writer is being closed
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
        self._thread.start()

    def submit(self, work: Callable[[Connection], T], *, patience: float | None = None) -> T:
        """Does the work and returns its result once it is committed. Raises Busy, Unsure, Closed, or what it raised."""
        return self.post(work, patience=patience).result()

    def post(self, work: Callable[[Connection], T], *, patience: float | None = None) -> Future[T]:
        """Hands the work over and does not wait. Raises Closed."""
        job = _Job(work, time.monotonic() + (self._patience if patience is None else patience))
        with self._gate:
            if self._last < inf:
                raise Closed
            self._jobs.put(job)
        return job.done  # type: ignore[return-value]  # the queue forgets what each work returns

    def close(self) -> None:
        """Commits what was handed over, as far as the database lets us within our patience, then stops."""
        with self._gate:
            if self._last == inf:
                self._last = time.monotonic() + self._patience
                self._jobs.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            self._write([job])

    def _write(self, jobs: list[_Job]) -> None:
        """Commits these and all that join them as soon as the database lets us; gives up those whose time is up."""
        pause = _FIRST_PAUSE
        while jobs := self._in_time([*jobs, *self._waiting()]):
            try:
                self._commit(jobs)
            except SQLAlchemyError as error:
                if not _is_locked(error):
                    _fail(jobs, Busy(type(error).__name__))
                    return
                time.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
            else:
                return

    def _waiting(self) -> Iterator[_Job]:
        """What else was handed over by now."""
        with suppress(queue.Empty):
            while (job := self._jobs.get_nowait()) is not None:
                yield job
            self._jobs.put(None)  # the end is for `_run` to see

    def _in_time(self, jobs: list[_Job]) -> list[_Job]:
        now = time.monotonic()
        late = [job for job in jobs if min(job.deadline, self._last) < now]
        _fail(late, Busy("locked"))
        return [job for job in jobs if job not in late] if late else jobs

    def _commit(self, jobs: list[_Job]) -> None:
        """One transaction for all. Raises SQLAlchemyError while nothing is decided."""
        with self._database.engine.connect() as connection:
            results = self._results(connection, jobs)
            try:
                connection.commit()
            except DBAPIError as error:
                connection.invalidate()  # it may still be within the transaction, and would be used again
                _fail(jobs, Busy("not committed") if _is_refusal(error) else Unsure(type(error).__name__))
                return
        for job, (result, failure) in zip(jobs, results, strict=True):
            if failure is None:
                job.done.set_result(result)
            else:
                job.done.set_exception(failure)

    def _results(self, connection: Connection, jobs: list[_Job]) -> list[_Result]:
        """What each came to, within a transaction that is begun. Savepoints cost, and hardly ever serve."""
        self._begin(connection)
        try:
            return [(job.work(connection), None) for job in jobs]
        except Exception:  # noqa: BLE001 - whose it is, the second time tells
            connection.rollback()
        self._begin(connection)
        return [_attempt(connection, job) for job in jobs]

    def _begin(self, connection: Connection) -> None:
        connection.begin()
        if not self._database.sqlite:
            connection.execute(_LIMITS, {"ms": str(int(self._patience * 1000))})


def _attempt(connection: Connection, job: _Job) -> _Result:
    """The work's result, or what it raised, its changes taken back. What breaks the transaction comes out."""
    try:
        with connection.begin_nested():
            return job.work(connection), None
    except OperationalError as error:  # a lock of PostgreSQL's that did not come free, among others
        if not connection.in_transaction() or _is_fatal(error):
            raise
        return None, Busy(type(error).__name__)
    except Exception as error:  # noqa: BLE001 - it belongs to whoever handed the work over, and is raised there
        return None, error


def _fail(jobs: list[_Job], error: Exception) -> None:
    for job in jobs:
        job.done.set_exception(error)


def _is_locked(error: SQLAlchemyError) -> bool:
    """Another process writes to the SQLite file."""
    return _said(error).startswith(_LOCKED)


def _is_refusal(error: DBAPIError) -> bool:
    """SQLite takes a transaction back whole when it says that the disk is full or the file locked."""
    return _said(error).startswith((*_LOCKED, *_FULL))


def _is_fatal(error: DBAPIError) -> bool:
    """After these nothing of the transaction can be relied on, whatever the savepoint says."""
    return error.connection_invalidated or _said(error).startswith((*_FULL, *_BROKEN))


def _said(error: SQLAlchemyError) -> str:
    """SQLite's name for what went wrong; empty for any other database."""
    return str(getattr(getattr(error, "orig", None), "sqlite_errorname", ""))
