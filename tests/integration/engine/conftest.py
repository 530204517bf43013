from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from changeover.store import deliveries
from changeover.store.database import Database
from changeover.store.deliveries import Phase, Write
from plugins.outsider import business, empty_state, sandbox
from plugins.unmeasured import unmeasured

__all__ = ["business", "empty_state", "sandbox"]

PROGRAM = Path(__file__).with_name("program.py")
NOW = datetime(2026, 3, 4, 15, tzinfo=UTC)


@dataclass(frozen=True)
class Processes:
    """Starts real processes on one database and reads what they said."""

    url: str
    folder: Path

    def run(self, **order: str | int) -> tuple[int, dict[str, object]]:
        """Runs one to its end; returns its code (negative: the signal) and its last line."""
        done = subprocess.run(
            self._command(order), env=unmeasured(), capture_output=True, text=True, check=False, timeout=60
        )
        lines = done.stdout.splitlines()
        assert lines or done.returncode, done.stderr
        return done.returncode, json.loads(lines[-1]) if lines else {}

    @contextmanager
    def running(self, **order: str | int) -> Iterator[subprocess.Popen[str]]:
        """One that holds lease and engine until a line is sent to it, or it is killed."""
        process = subprocess.Popen(
            self._command(order | {"wait": 1}),
            env=unmeasured(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert process.stdout is not None
            assert "ready" in json.loads(process.stdout.readline())
            yield process
        finally:
            process.kill()
            process.communicate()

    def arrived(self) -> list[str]:
        path = self.folder / "outside.txt"
        return path.read_text().split() if path.exists() else []

    def _command(self, order: dict[str, str | int]) -> list[str]:
        order = {"url": self.url, "folder": str(self.folder)} | order
        return [sys.executable, str(PROGRAM), json.dumps(order)]


@pytest.fixture
def processes(database: Database, tmp_path: Path) -> Processes:
    return Processes(database.url, tmp_path)


@pytest.fixture
def commit(database: Database) -> Callable[[str, int], list[str]]:
    """Commits so many updates of a run; returns the record ids they are of."""

    def add(run_id: str, count: int) -> list[str]:
        ids = [f"rec{run_id[-3:]}{number:05}" for number in range(count)]
        with database.begin() as connection:
            writes = [Write(Phase.UPDATE, "Reservations", {"Same-day Turnover": True}, record_id=each) for each in ids]
            deliveries.add(connection, run_id, writes, NOW)
        return ids

    return add
