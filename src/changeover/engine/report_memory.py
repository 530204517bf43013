"""What a run of reports knows before, and remembers after: homes, what sources have shown, rows that wait (R-18)."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection

from changeover.airtable import directory as people
from changeover.core.identity import bare_uid, parse_mirrors
from changeover.core.plan import Alert, Level
from changeover.core.stay import EntryType, Kind, Known, Stay
from changeover.engine.knowledge import Knowledge
from changeover.sources.csv.inbox import REJECTED
from changeover.sources.csv.memory import Memory, Shown
from changeover.sources.csv.observe import Disposition, FileResult, SupplierResult
from changeover.sources.csv.properties import Home, Override, PropertyDirectory
from changeover.sources.csv.reading import SetAside
from changeover.store import events, reports
from changeover.store.events import Event, EventKind, EventState
from changeover.store.facts import Json
from changeover.store.reports import FileMove

_ENDED_KEPT = timedelta(days=30)
_WAITING_KEPT = timedelta(days=90)  # as long as the file of set-aside rows (F-3)


def directory(connection: Connection, known: Knowledge) -> PropertyDirectory:
    """The homes and overrides of the base as the mirror holds them."""
    owners = people.customer_names(connection)
    homes = (
        Home(home.record_id, home.name, owners.get(home.customer, ""), home.address)
        for home in known.properties.values()
    )
    overrides = (
        Override(each.record_id, each.pattern, frozenset(each.originals), each.target)
        for each in people.overrides(connection)
    )
    return PropertyDirectory(homes, overrides)


def memory(connection: Connection, known: Known, sources: Iterable[str]) -> Memory:
    """What is remembered of these sources: by sightings, and by the rows themselves where there is none (B-7)."""
    wanted = frozenset(sources)
    return Memory(
        imported=reports.imported(connection),
        addresses=reports.addresses(connection),
        stays=tuple(each for each in _shown(known) if each.source in wanted),
    )


def _shown(known: Known) -> Iterator[Shown]:
    homes = {stay.record_id: stay.property_id for stay in known.stays}
    for each in known.sightings:
        for uid in each.uids if each.record_id in homes else ():
            home = homes[each.record_id]
            yield Shown(each.source, uid, home, each.check_in, each.check_out, each.kind, each.last_seen)
    for stay in known.stays:
        for source, uid in _on_the_row(stay):
            yield Shown(source, uid, stay.property_id, stay.check_in, stay.check_out, _kind(stay), stay.last_seen)


def _on_the_row(stay: Stay) -> Iterator[tuple[str, str]]:
    if stay.source is not None:
        yield stay.source, bare_uid(stay.uid, stay.property_id)
        for _, source, uid in parse_mirrors(stay.also_seen_in):
            yield source, uid


def _kind(stay: Stay) -> Kind:
    if stay.entry_type is EntryType.RESERVATION:
        return Kind.RESERVATION
    return Kind.OWNER_STAY if stay.block_type == "Owner Stay" else Kind.BLOCK


# -- what is remembered afterwards -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Remembered:
    """Everything a run of reports leaves in the state database besides its plan, stored in the plan's transaction."""

    results: Sequence[SupplierResult]
    waiting: tuple[Event, ...]
    ended: Mapping[str, EventState]
    now: datetime

    @classmethod
    def of(
        cls, results: Sequence[SupplierResult], before: Iterable[Event], csv_folder: Path, now: datetime
    ) -> Remembered:
        """What now waits, and what of that which waited before is over."""
        new = {event.id: event for event in _new_events(results)}
        old = {event.id: event for event in before}
        ended = {key: state for key in old.keys() - new.keys() if (state := _end(old[key], results, csv_folder))}
        still = tuple(event for key, event in old.items() if key not in ended and key not in new)
        return cls(results, (*still, *new.values()), ended, now)

    def store(self, connection: Connection) -> None:
        events.put(connection, self.waiting)
        for state in EventState:
            events.finish(connection, (key for key, end in self.ended.items() if end is state), state, self.now)
        events.prune(connection, self.now - _ENDED_KEPT, self.now - _WAITING_KEPT)
        for each in self.results:
            if each.supplier is not None and each.imported is not None:
                reports.note_import(connection, each.supplier.key, each.imported, self.now)
            reports.note_addresses(connection, each.addresses, self.now)
        reports.decide_moves(connection, _moves(self.results))

    def alerts(self, warnings: str) -> Iterator[Alert]:
        """One per file that waits for a person, or of which rows do (R-18, A-8); `warnings` is the rule of the others.

        None says what a cell holds.
        """
        by_file: dict[str, list[Event]] = defaultdict(list)
        for event in self.waiting:
            by_file[str(event.payload["file"])].append(event)
        for name, found in sorted(by_file.items()):
            reasons = ", ".join(sorted({str(event.payload["reason"]) for event in found}))
            whole = found[0].kind is EventKind.CSV_FILE
            text = f"the file {name} was rejected" if whole else f"{len(found)} rows of {name} were set aside"
            yield Alert("csv_rejected", name[:200], Level.WARNING, f"{text}: {reasons}; see csv/{REJECTED}")
        for result in self.results:
            for name, text in result.warnings:
                yield Alert(warnings, name[:200], Level.WARNING, text)


def _moves(results: Iterable[SupplierResult]) -> Iterator[FileMove]:
    for result in results:
        for each in result.files:
            move = each.move
            yield FileMove(move.name, move.sha256, move.folder, move.received, move.rejected_rows)


def _new_events(results: Iterable[SupplierResult]) -> Iterator[Event]:
    for result in results:
        for each in result.files:
            if each.disposition is Disposition.REJECTED:
                yield _file_event(each)
            for row in each.set_aside:
                yield _row_event(result, each, row)


def _file_event(each: FileResult) -> Event:
    name = each.file.name
    payload: dict[str, Json] = {"file": name, "reason": each.cause, "sha256": each.file.sha256}
    summary = f"{name}: {each.cause}"
    key = _key("file", name, each.file.sha256)
    return Event(key, EventKind.CSV_FILE, EventState.WAITING, each.file.received, summary, payload)


def _row_event(result: SupplierResult, each: FileResult, row: SetAside) -> Event:
    """One event per stay, however many reports show it: the newest row takes the place of earlier ones."""
    source = result.supplier.key if result.supplier else ""
    name = each.file.name
    payload: dict[str, Json] = {
        "source": source,
        "file": name,
        "line": row.line,
        "reason": str(row.reason),
        "near": row.note,
        "uid": row.uid,
        "header": list(each.header),
        "cells": list(row.cells),
    }
    key = _key("row", source, row.uid) if row.uid else _key("row", source, each.file.sha256, str(row.line))
    summary = f"{name} line {row.line}: {row.why}"
    return Event(key, EventKind.CSV_ROW, EventState.WAITING, each.file.received, summary, payload)


def _key(*parts: str) -> str:
    return "csv-" + hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:20]


def _end(event: Event, results: Iterable[SupplierResult], csv_folder: Path) -> EventState | None:
    """How an event that waited has ended: its row was imported, a newer report overtook it, its file is gone."""
    if event.kind is EventKind.CSV_FILE:
        stem = Path(str(event.payload["file"])).stem
        lies = any(path.name.startswith(stem) for path in (csv_folder / REJECTED).iterdir())
        return None if lies else EventState.SUPERSEDED
    for result in results:
        if result.supplier is None or result.supplier.key != event.payload["source"]:
            continue
        shown = {each.uid for each in result.batch.observations if each.kind.makes_row} if result.batch else set()
        if event.payload["uid"] in shown:
            return EventState.IMPORTED
        if result.imported is not None and result.imported >= event.received_at:
            return EventState.SUPERSEDED
    return None
