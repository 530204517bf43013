"""The SQLite file behind the stand-in: what was answered is in it (sandbox.md); it knows no rule of the service."""

import functools
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter

from changeover_sandbox.housecallpro.company import Kept
from changeover_sandbox.housecallpro.model import Customer, Employee, Hook, Job, JobType, Tag

FILE_NAME: Final = "housecallpro.db"
HOOK_ID: Final = "hook"
_KINDS: Final[dict[str, type[Kept]]] = {
    form.__name__.lower(): form for form in (Customer, Employee, JobType, Tag, Job, Hook)
}
# A changed row stays where it is, so that the order of creation is the order of the rows.
_WRITE: Final = (
    "INSERT INTO thing (company, kind, id, body) VALUES (?, ?, ?, ?)"
    " ON CONFLICT (company, kind, id) DO UPDATE SET body = excluded.body"
)


class Storage:
    """Things by company; without a folder it keeps nothing."""

    def __init__(self, folder: Path | None) -> None:
        self._connection: sqlite3.Connection | None = None
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            self._connection = _opened(folder / FILE_NAME)

    def save(self, company_id: str, things: Sequence[Kept]) -> None:
        """Write in one transaction; it is committed when this returns."""
        if self._connection is None or not things:
            return
        with self._connection:
            self._connection.executemany(_WRITE, [_row(company_id, thing) for thing in things])

    def load(self, company_id: str) -> Iterator[Kept]:
        """All things of a company in the order of creation."""
        if self._connection is None:
            return
        rows = self._connection.execute("SELECT kind, body FROM thing WHERE company = ? ORDER BY n", (company_id,))
        for kind, body in rows:
            yield _form(kind).validate_json(body)

    def clear(self) -> None:
        """Forget everything."""
        if self._connection is not None:
            with self._connection:
                self._connection.execute("DELETE FROM thing")

    def close(self) -> None:
        """Give the file back."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


@functools.cache
def _form(kind: str) -> TypeAdapter[Kept]:
    """Built when the first thing of a kind is kept, not with the server that has to start."""
    return TypeAdapter(_KINDS[kind])


def _row(company_id: str, thing: Kept) -> tuple[str, str, str, bytes]:
    kind = type(thing).__name__.lower()
    return company_id, kind, HOOK_ID if isinstance(thing, Hook) else thing.id, _form(kind).dump_json(thing)


def _opened(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = WAL")
    # A killed process loses nothing; only a power cut could, and nobody keeps a sandbox for that.
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute(
        "CREATE TABLE IF NOT EXISTS thing"
        " (n INTEGER PRIMARY KEY, company TEXT, kind TEXT, id TEXT, body BLOB, UNIQUE (company, kind, id))"
    )
    return connection
