"""The state database as a file among processes: opening it once more takes nobody's locks away."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from sqlalchemy import text

from changeover.store.database import Database

_COME_AND_GO = (
    "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('SELECT * FROM facts').fetchall(); c.close()"
)


def test_a_second_opening_in_a_process_leaves_the_first_ones_log_alone(tmp_path: Path) -> None:
    """A descriptor closed here would drop this process's locks, and the next to leave would remove the log in use."""
    path = tmp_path / "state.db"
    first = Database(f"sqlite:///{path}")
    with first.begin() as connection:
        connection.execute(text("CREATE TABLE facts (name TEXT)"))
        connection.execute(text("INSERT INTO facts VALUES ('kept')"))
    Database(f"sqlite:///{path}").close()
    log = Path(f"{path}-wal")
    before = log.stat().st_ino
    subprocess.run([sys.executable, "-c", _COME_AND_GO, str(path)], check=True)
    assert log.stat().st_ino == before
    with first.begin() as connection:
        assert connection.execute(text("SELECT name FROM facts")).scalars().all() == ["kept"]
    first.close()
