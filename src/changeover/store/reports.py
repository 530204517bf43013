"""What is remembered of suppliers' reports: newest imports, addresses, moves still to make; it reads no report."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, select

from changeover.store.tables import report_addresses, report_imports, report_moves
from changeover.store.upsert import upsert

_LONGEST_LISTING, _LONGEST_ADDRESS = 40, 300


@dataclass(frozen=True, slots=True)
class FileMove:
    """A file of the inbox whose rows are committed, and where it goes (F-2). `rejected_rows` is a file to write."""

    name: str
    sha256: str
    folder: str
    received_at: datetime
    rejected_rows: str | None = None


def imported(connection: Connection) -> Mapping[str, datetime]:
    """By source, when its newest imported report was received (R-21)."""
    rows = connection.execute(select(report_imports.c.source, report_imports.c.received_at))
    return {row.source: row.received_at for row in rows}


def note_import(connection: Connection, source: str, received_at: datetime, at: datetime) -> None:
    """Remembers the newest imported report of a source; an older one changes nothing."""
    known = imported(connection).get(source)
    if known is None or known <= received_at:
        row = {"source": source, "received_at": received_at, "imported_at": at}
        upsert(connection, report_imports, [row])


def addresses(connection: Connection) -> dict[str, frozenset[str]]:
    """By listing, every address that was ever shown for it (R-33)."""
    found: dict[str, set[str]] = defaultdict(set)
    for row in connection.execute(select(report_addresses.c.listing, report_addresses.c.address)):
        found[row.listing].add(row.address)
    return {listing: frozenset(texts) for listing, texts in found.items()}


def note_addresses(connection: Connection, shown: Iterable[tuple[str, str]], at: datetime) -> int:
    """Remembers addresses by listing; what is too long to be one is left out. Returns how many were stored."""
    rows = [
        {"listing": listing, "address": address, "shown_at": at}
        for listing, address in sorted(set(shown))
        if len(listing) <= _LONGEST_LISTING and len(address) <= _LONGEST_ADDRESS
    ]
    return upsert(connection, report_addresses, rows)


def moves(connection: Connection) -> tuple[FileMove, ...]:
    """The moves that are decided and perhaps not made, by name."""
    rows = connection.execute(select(report_moves).order_by(report_moves.c.name))
    return tuple(FileMove(row.name, row.sha256, row.folder, row.received_at, row.rejected_rows) for row in rows)


def decide_moves(connection: Connection, decided: Iterable[FileMove]) -> int:
    """Stores moves with what they belong to, in the caller's transaction."""
    return upsert(
        connection,
        report_moves,
        (
            {
                "name": each.name,
                "sha256": each.sha256,
                "folder": each.folder,
                "received_at": each.received_at,
                "rejected_rows": each.rejected_rows,
            }
            for each in decided
        ),
    )


def moved(connection: Connection, name: str) -> None:
    """A move has been made."""
    connection.execute(delete(report_moves).where(report_moves.c.name == name))
