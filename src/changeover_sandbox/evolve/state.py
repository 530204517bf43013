"""What the portal holds: both tables, kept in SQLite, and who is signed in; it answers no one."""

import json
import secrets
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from changeover_sandbox.evolve.bookings import COLUMNS, Days, Row, complete

_SCHEMA = "CREATE TABLE IF NOT EXISTS bookings (tab INTEGER, number INTEGER, cells TEXT, PRIMARY KEY (tab, number))"


@dataclass(frozen=True, slots=True)
class Account:
    """Who may sign in. The password is in no representation."""

    username: str
    password: str

    def __repr__(self) -> str:
        return f"Account({self.username!r})"


class PortalState:
    """`folder` None: in memory only. Sessions end with the process, bookings do not."""

    def __init__(self, folder: Path | None, accounts: Sequence[Account]) -> None:
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
        path = folder / "evolve.db" if folder else ":memory:"
        # Made in one thread and then used by the event loop's alone.
        self._kept = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._kept.executescript(_SCHEMA)
        self._kept.execute("PRAGMA synchronous=OFF")  # nobody waits for the disk
        self._accounts = tuple(accounts)
        self._sessions: set[str] = set()

    def replace(self, tables: Mapping[int, Iterable[Row]]) -> dict[int, int]:
        """Puts these rows in the place of all; how many each table has. UnknownColumnError, and nothing is replaced."""
        whole = {tab: [complete(tab, row) for row in tables.get(tab, ())] for tab in COLUMNS}
        with self._kept:
            self._kept.execute("BEGIN")
            self._kept.execute("DELETE FROM bookings")
            for tab, rows in whole.items():
                numbered = ((tab, number, json.dumps(row)) for number, row in enumerate(rows))
                self._kept.executemany("INSERT INTO bookings VALUES (?, ?, ?)", numbered)
        return {tab: len(rows) for tab, rows in whole.items()}

    def rows(self, tab: int, days: Days | None = None) -> list[dict[str, str]]:
        """A table's rows, those whose check-out a filter leaves."""
        found = self._kept.execute("SELECT cells FROM bookings WHERE tab = ? ORDER BY number", (tab,))
        rows: list[dict[str, str]] = [json.loads(cells) for (cells,) in found]
        return [row for row in rows if days is None or days.has(row)]

    def sign_in(self, username: str, password: str) -> str | None:
        """A new session; None for a stranger."""
        known = any(
            secrets.compare_digest(each.username.encode(), username.encode())
            and secrets.compare_digest(each.password.encode(), password.encode())
            for each in self._accounts
        )
        if not known:
            return None
        session = secrets.token_urlsafe(24)
        self._sessions.add(session)
        return session

    def signed_in(self, session: str) -> bool:
        return session in self._sessions

    def sign_out(self, session: str) -> None:
        self._sessions.discard(session)

    def reset(self) -> None:
        """No booking, nobody signed in."""
        self._kept.execute("DELETE FROM bookings")
        self._sessions.clear()

    def close(self) -> None:
        self._kept.close()
