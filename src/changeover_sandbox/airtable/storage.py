"""The SQLite file behind the stand-in: what was answered is in it (sandbox.md); it knows no Airtable rule."""

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

FILE_NAME = "airtable.db"


class Kind(StrEnum):
    """What a stored item is."""

    BASE = "base"
    SCHEMA = "schema"
    RECORD = "record"
    COMMENTS = "comments"
    WEBHOOK = "webhook"
    FILE = "file"
    METER = "meter"


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to keep; `body` is JSON, or a file's bytes."""

    kind: Kind
    base_id: str
    id: str
    body: str | bytes = ""


class Storage:
    """Items by kind, base and id; without a folder it keeps nothing."""

    def __init__(self, folder: Path | None) -> None:
        self._connection: sqlite3.Connection | None = None
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            self._connection = _opened(folder / FILE_NAME)

    def save(self, items: Sequence[Item], gone: Sequence[Item]) -> None:
        """Write and delete in one transaction; it is committed when this returns."""
        if self._connection is None or not (items or gone):
            return
        with self._connection:
            self._connection.executemany(
                "INSERT OR REPLACE INTO item (kind, base, id, body) VALUES (?, ?, ?, ?)",
                [(item.kind, item.base_id, item.id, item.body) for item in items],
            )
            self._connection.executemany(
                "DELETE FROM item WHERE kind = ? AND base = ? AND id = ?",
                [(item.kind, item.base_id, item.id) for item in gone],
            )

    def load(self, kind: Kind, base_id: str) -> Iterator[Item]:
        """All items of a kind in a base, by id."""
        if self._connection is None:
            return
        rows = self._connection.execute(
            "SELECT id, body FROM item WHERE kind = ? AND base = ? ORDER BY id", (kind, base_id)
        )
        for item_id, body in rows:
            yield Item(kind, base_id, item_id, body)

    def clear(self) -> None:
        """Forget everything."""
        if self._connection is not None:
            with self._connection:
                self._connection.execute("DELETE FROM item")

    def close(self) -> None:
        """Give the file back."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _opened(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = WAL")
    # A killed process loses nothing; only a power cut could, and nobody keeps a sandbox for that.
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute(
        "CREATE TABLE IF NOT EXISTS item (kind TEXT, base TEXT, id TEXT, body BLOB, PRIMARY KEY (kind, base, id))"
        " WITHOUT ROWID"
    )
    return connection
