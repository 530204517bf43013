"""Opens the state database and hands out transactions; it knows no table."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

POSTGRES_DRIVER = "postgresql+psycopg"
CONNECT_SECONDS = 5
_READ = "changeover_read"
_FLEETING = "changeover_fleeting"


class UnusableUrl(ValueError):
    """The database URL cannot be used; the message says why and repeats no part of it, as it may hold a password."""


class Database:
    """One state database: SQLite in WAL mode, or PostgreSQL, by its URL (LB-3, LB-5, LB-23).

    A missing SQLite file is created readable by its owner only, in a folder of the same kind (F-1). The commit that
    makes its log longer than `checkpoint_pages` waits until all of the log is in the file.
    """

    def __init__(self, url: str, *, busy_timeout_ms: int = 30_000, checkpoint_pages: int = 1000) -> None:
        parsed = _checked(url)
        self.url = url
        self.sqlite = parsed.get_backend_name() == "sqlite"
        self.engine = (
            _sqlite_engine(parsed, busy_timeout_ms, checkpoint_pages) if self.sqlite else _postgres_engine(parsed)
        )
        # PostgreSQL: one snapshot for the whole block. SQLite has that with a plain BEGIN, which takes no write lock.
        options = {_READ: True} if self.sqlite else {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        self._reader = self.engine.execution_options(**options)
        self._fleeting = self.engine.execution_options(**{_FLEETING: True})

    @contextmanager
    def begin(self, *, lasting: bool = True) -> Iterator[Connection]:
        """A write transaction: committed at the end of the block, rolled back on an exception.

        One that is not `lasting` is there for every process at once and outlives them all, but a power cut may undo it
        up to the last lasting one: it does not wait for the disk. For what is worth nothing then, or is found again.
        """
        with (self.engine if lasting else self._fleeting).begin() as connection:
            if not lasting and not self.sqlite:
                connection.exec_driver_sql("SET LOCAL synchronous_commit TO OFF")
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A consistent read that never waits for a writer; nothing done in it is kept."""
        with self._reader.connect() as connection:
            yield connection

    def close(self) -> None:
        self.engine.dispose()


def _checked(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise UnusableUrl("the database URL cannot be read") from None
    if parsed.drivername == POSTGRES_DRIVER:
        return parsed
    if parsed.get_backend_name() != "sqlite":
        message = f"the database must be sqlite:////absolute/path or {POSTGRES_DRIVER}://…, not {parsed.drivername}"
        raise UnusableUrl(message)
    if parsed.database in (None, "", ":memory:") or "mode" in parsed.query:
        raise UnusableUrl("a SQLite database in memory would lose everything at exit: give a file")
    if not Path(str(parsed.database)).is_absolute():
        raise UnusableUrl("the path of the SQLite database must be absolute: sqlite:////absolute/path")
    return parsed


def _postgres_engine(url: URL) -> Engine:
    return create_engine(
        url,
        pool_pre_ping=True,
        pool_size=5,
        max_overflow=5,
        pool_timeout=30,
        connect_args={"connect_timeout": CONNECT_SECONDS},
    )


def _sqlite_engine(url: URL, busy_timeout_ms: int, checkpoint_pages: int) -> Engine:
    _create_private(Path(str(url.database)))
    engine = create_engine(url, connect_args={"check_same_thread": False, "timeout": busy_timeout_ms / 1000})

    @event.listens_for(engine, "connect")
    def configure(connection, _record) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001 - DBAPI objects have no common type
        connection.isolation_level = None  # the BEGIN below decides, not the driver
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout={busy_timeout_ms}")
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute(f"PRAGMA wal_autocheckpoint={checkpoint_pages}")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        if options.get(_READ, False):
            connection.exec_driver_sql("BEGIN")
            return
        connection.exec_driver_sql(f"PRAGMA synchronous={'NORMAL' if options.get(_FLEETING, False) else 'FULL'}")
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _create_private(path: Path) -> None:
    """Makes the file if it is not there. One that is must not be opened here: closing any descriptor of it would drop

    the locks that SQLite holds in this process, after which another one may take the write-ahead log away.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
