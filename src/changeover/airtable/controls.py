"""The rows by which people steer and watch the cycle: switches read, results put into writes; nothing is sent."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from changeover.airtable import cells
from changeover.airtable.schema import AUTOMATIONS
from changeover.core.plan import Alert, Level
from changeover.store import deliveries, mirror
from changeover.store.deliveries import Phase, Write
from changeover.store.flags import Flag
from changeover.store.mirror import Cell, Record

_AUTOMATION: Final = "Automation"
_CRON: Final = "ICS Cron"
_LONGEST_DETAILS: Final = 1_000
_SHOWN: Final = 200  # characters of a result in an alert
_STALE: Final = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Result:
    """One automation's result as people read it. `last_ran` is the start of the run, None leaves the cell (C-40)."""

    name: str
    details: str
    last_ran: datetime | None


@dataclass(frozen=True, slots=True)
class FeedState:
    """What the last fetch of a feed gave. `url` is the secret key of its row; `response` never holds it (R-76)."""

    url: str
    events: int
    kept: int
    response: str
    fetched_at: datetime


def read_flags(conn: Connection, now: datetime) -> tuple[Flag, ...]:
    """The switches as mirrored, by the automation's own name: on when every row of that name is ticked (C-11, C-12)."""
    flags: list[Flag] = []
    for name, found in _automation_rows(conn).items():
        active = all(cells.flag(each.fields.get("Active")) for each in found)
        flags.append(Flag(name, found[0].id, active, len(found), now))
    return tuple(flags)


def result_writes(conn: Connection, results: Iterable[Result]) -> list[Write]:
    """The report: every row of each automation's name, to be sent in one request at the run's end (AT-39, C-41)."""
    by_name = _automation_rows(conn)
    writes: list[Write] = []
    for result in results:
        fields: dict[str, Cell] = {"Sync Details": result.details[:_LONGEST_DETAILS]}
        if result.last_ran is not None:
            fields["Last Ran Time"] = cells.instant_cell(result.last_ran)
        writes += [_update(Phase.REPORT, _AUTOMATION, row, fields) for row in by_name.get(result.name, ())]
    return writes


def foreign_results(conn: Connection) -> list[Alert]:
    """`control_row_changed` for each result that is no longer what we wrote last, with both values (C-51)."""
    alerts: list[Alert] = []
    ours = deliveries.last_done(conn, Phase.REPORT)
    for name, found in _automation_rows(conn).items():
        for row in found:
            wrote = cells.text(ours.get(row.id, {}).get("Sync Details"))
            stands = cells.text(row.fields.get("Sync Details"))
            if wrote and stands != wrote:
                text = f"{name}: something else wrote “{stands[:_SHOWN]}” over “{wrote[:_SHOWN]}”"
                alerts.append(Alert("control_row_changed", name, Level.WARNING, text))
    return alerts


def cron_writes(conn: Connection, states: Sequence[FeedState]) -> list[Write]:
    """ICS Cron rows that must be written: new, changed, or a day old (R-76, AT-39)."""
    by_url: dict[str, Record] = {}
    for each in mirror.load(conn, _CRON):
        by_url.setdefault(cells.text(each.fields.get("ICS URL")), each)
    writes: list[Write] = []
    for state in {each.url: each for each in states}.values():
        row = by_url.get(state.url)
        if row is None:
            first: Cell = cells.instant_cell(state.fetched_at)
            fields = {"ICS URL": state.url, "First Run": first, **_cron_cells(state)}
            writes.append(Write(Phase.CRON, _CRON, fields, dedupe_key=_cron_key(state.url)))
        elif changed := _cron_changes(row, state):
            writes.append(_update(Phase.CRON, _CRON, row, changed))
    return writes


def _cron_cells(state: FeedState) -> dict[str, Cell]:
    return {
        "ICS URL VEVENTS #": state.events,
        "ICS URL VEVENTS Reservations": state.kept,
        "ICS URL Response": state.response[: cells.LONGEST_TEXT],
        "Last Run": cells.instant_cell(state.fetched_at),
    }


def _cron_changes(row: Record, state: FeedState) -> dict[str, Cell]:
    new = _cron_cells(state)
    changed = {name: cell for name, cell in new.items() if not cells.same(row.fields.get(name), cell)}
    if changed.keys() - {"Last Run"}:
        return changed
    try:
        last = cells.instant(row.fields.get("Last Run"))
    except ValueError:
        last = None
    return changed if last is None or state.fetched_at - last >= _STALE else {}


def _cron_key(url: str) -> str:
    return hashlib.sha256(f"{_CRON}\x1f{url}".encode()).hexdigest()[:40]


def _automation_rows(conn: Connection) -> dict[str, list[Record]]:
    """Rows by the automation they name; names match trimmed, case ignored (airtable.md §1.3)."""
    known = {name.casefold(): name for name in AUTOMATIONS}
    found: dict[str, list[Record]] = {}
    for row in mirror.load(conn, _AUTOMATION):
        name = known.get(cells.text(row.fields.get("Name")).strip().casefold())
        if name is not None:
            found.setdefault(name, []).append(row)
    return found


def _update(phase: Phase, table: str, row: Record, fields: dict[str, Cell]) -> Write:
    previous = {name: row.fields.get(name) for name in fields}
    return Write(phase, table, fields, record_id=row.id, previous=previous)
