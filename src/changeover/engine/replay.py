"""Puts rows that were set aside into the inbox again (R-18), to be read by the next run; it reads none itself."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from changeover.settings import Settings
from changeover.sources.csv import inbox
from changeover.sources.csv.reading import rows_as_file
from changeover.store import events
from changeover.store.database import Database
from changeover.store.events import Event, EventKind


@dataclass(frozen=True, slots=True)
class Replayed:
    """What was put back: files of the inbox, and ids that are no row which was set aside."""

    files: tuple[str, ...]
    unknown: tuple[str, ...]


def replay(settings: Settings, db: Database, ids: Iterable[str]) -> Replayed:
    """One file per report, as old as it: a row never undoes what a newer report has shown. Raises OSError.

    Rows that have become good are imported by the next run, others are set aside again.
    """
    wanted = sorted(set(ids))
    with db.read() as connection:
        rows = [each for each in events.find(connection, wanted) if each.kind is EventKind.CSV_ROW]
    reports: dict[tuple[datetime, str, tuple[str, ...]], list[Event]] = defaultdict(list)
    for event in rows:
        reports[event.received_at, str(event.payload["file"]), _texts(event, "header")].append(event)
    folder = settings.folder / "csv" / inbox.INBOX
    files = tuple(
        inbox.put(folder, f"{at.astimezone(settings.zone):%Y%m%d_%H%M%S}_replay.csv", _file(header, found)).name
        for (at, _, header), found in sorted(reports.items(), key=lambda item: item[0])
    )
    return Replayed(files, tuple(sorted(set(wanted) - {event.id for event in rows})))


def _file(header: Sequence[str], rows: Iterable[Event]) -> bytes:
    found = sorted(rows, key=lambda event: int(str(event.payload["line"])))
    return rows_as_file(
        header, ((int(str(e.payload["line"])), str(e.payload["reason"]), _texts(e, "cells")) for e in found)
    ).encode()


def _texts(event: Event, name: str) -> tuple[str, ...]:
    values = event.payload[name]
    return tuple(map(str, values)) if isinstance(values, list) else ()
