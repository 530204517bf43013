"""Fixtures for tests that need a database: a PostgreSQL cluster of our own, and every test on both kinds.

The cluster lives in a temporary folder, is shared by all xdist workers of a session and is started by the first test
that needs it. Fixtures: `postgres_url` (a fresh, empty database), `database_url` and `database` (SQLite and PostgreSQL
in turn, with all tables).
"""

from __future__ import annotations

import fcntl
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import create_engine

from changeover.store.database import Database
from changeover.store.schema import migrate

FOLDER_VARIABLE = "CHANGEOVER_TEST_POSTGRES"
BINARIES = Path("/usr/lib/postgresql")
OPTIONS = "-F -c listen_addresses='' -c max_connections=200 -c shared_buffers=32MB -c full_page_writes=off"


class Cluster:
    """One PostgreSQL server that listens on a socket in its own folder only."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "data"

    def url(self, name: str) -> str:
        return f"postgresql+psycopg://postgres@/{name}?host={self.folder}"

    def start(self) -> None:
        """Starts the server unless it runs already; safe from several processes at once."""
        with _locked(self.folder / "lock"):
            if (self.data / "postmaster.pid").exists():
                return
            _give_away(self.folder)
            _unprivileged("initdb", "-D", self.data, "-A", "trust", "-U", "postgres", "-E", "UTF8", "--no-sync")
            options = f"{OPTIONS} -c unix_socket_directories='{self.folder}'"
            log = self.folder / "log"
            _unprivileged("pg_ctl", "-D", self.data, "-l", log, "-o", options, "-w", "start")
            with _admin(self) as execute:
                execute("CREATE DATABASE migrated")
            migrate(self.url("migrated"))

    def stop(self) -> None:
        if (self.data / "postmaster.pid").exists():
            _unprivileged("pg_ctl", "-D", self.data, "-m", "immediate", "-w", "stop")

    @contextmanager
    def database(self, template: str) -> Iterator[str]:
        """A database of its own for one test, dropped afterwards, connections or not."""
        name = f"t{uuid4().hex[:16]}"
        with _admin(self) as execute:
            execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        try:
            yield self.url(name)
        finally:
            with _admin(self) as execute:
                execute(f"DROP DATABASE {name} WITH (FORCE)")


def pytest_configure(config: pytest.Config) -> None:
    """Chooses the cluster's folder once; xdist's workers inherit it."""
    if FOLDER_VARIABLE not in os.environ:
        os.environ[FOLDER_VARIABLE] = tempfile.mkdtemp(prefix="changeover-pg-")
        config.add_cleanup(_tear_down)


def _tear_down() -> None:
    folder = Path(os.environ.pop(FOLDER_VARIABLE))
    Cluster(folder).stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_cluster() -> Cluster:
    """The session's server; the test is skipped where PostgreSQL is not installed."""
    if _binary("initdb") is None:
        pytest.skip("PostgreSQL's server programs are not installed (/usr/lib/postgresql/*/bin, or on the PATH)")
    cluster = Cluster(Path(os.environ[FOLDER_VARIABLE]))
    cluster.start()
    return cluster


@pytest.fixture
def postgres_url(postgres_cluster: Cluster) -> Iterator[str]:
    """A fresh database without any table."""
    with postgres_cluster.database("template0") as url:
        yield url


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with all tables, to be copied."""
    path = tmp_path_factory.mktemp("migrated") / "state.db"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database with all tables, once of each kind."""
    if request.param == "sqlite":
        path = tmp_path / "state" / "state.db"
        path.parent.mkdir(mode=0o700)
        shutil.copy(request.getfixturevalue("migrated_sqlite"), path)
        yield f"sqlite:///{path}"
        return
    cluster: Cluster = request.getfixturevalue("postgres_cluster")
    with cluster.database("migrated") as url:
        yield url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """An open database with all tables, once of each kind."""
    database = Database(database_url)
    yield database
    database.close()


@contextmanager
def _admin(cluster: Cluster) -> Iterator[Callable[[str], object]]:
    engine = create_engine(cluster.url("postgres"), isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            yield connection.exec_driver_sql
    finally:
        engine.dispose()


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _binary(name: str) -> str | None:
    newest = sorted(BINARIES.glob(f"*/bin/{name}"), key=lambda path: int(path.parts[-3]))
    return str(newest[-1]) if newest else shutil.which(name)


def _unprivileged(program: str, *arguments: object) -> None:
    """Runs a server program; as another user where we are root, which PostgreSQL refuses to run as."""
    command = [str(_binary(program)), *(str(each) for each in arguments)]
    if os.geteuid() == 0:
        command = ["runuser", "-u", _user(), "--", *command]
    # No pipe: the server would inherit it, and waiting for its end would never end.
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _give_away(folder: Path) -> None:
    if os.geteuid() == 0:
        shutil.chown(folder, _user())


def _user() -> str:
    known = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in known else "nobody"
