"""Run records (C-18): one per automation of a cycle, kept 400 days; it never decides what a run's outcome is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import Connection, Row, delete, insert, select, update

from changeover.store.facts import Json
from changeover.store.tables import plans, runs

KEPT = timedelta(days=400)


class RunState(StrEnum):
    """What became of a run (C-17)."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    PARTIAL = "partial"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    INTERRUPTED = "interrupted"
    STOPPED = "stopped"
    DISABLED = "disabled"
    NOT_CONFIGURED = "not_configured"
    CONTROL_UNAVAILABLE = "control_unavailable"
    LOCKED = "locked"
    BLOCKED = "blocked"

    @property
    def carried_out(self) -> bool:
        """True for the states that set Last Ran Time (C-40)."""
        return self in (
            RunState.SUCCEEDED,
            RunState.PARTIAL,
            RunState.FAILED,
            RunState.TIMED_OUT,
            RunState.INTERRUPTED,
        )


class Trigger(StrEnum):
    """Who or what asked for a run (C-18)."""

    CRON = "cron"
    TIMER = "timer"
    BUTTON = "button"
    API = "api"
    DASHBOARD = "dashboard"
    CLI = "cli"
    MAIL = "mail"


@dataclass(frozen=True, slots=True)
class Run:
    """One automation's run. `cycle` is shared by all of a cycle; `token` is of the lease it ran under, or 0."""

    id: str
    cycle: str
    env: str
    automation: str
    trigger: Trigger
    state: RunState
    started_at: datetime
    version: str
    host: str
    pid: int
    token: int = 0
    who: str | None = None
    dry_run: bool = False
    ended_at: datetime | None = None
    counters: Mapping[str, Json] = field(default_factory=dict)
    error_code: str | None = None
    error_text: str | None = None
    config_hash: str | None = None


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ended. The text is safe to show: no secret, feed URL or guest in it (X-13)."""

    state: RunState
    ended_at: datetime
    counters: Mapping[str, Json] = field(default_factory=dict)
    error_code: str | None = None
    error_text: str | None = None


def add(connection: Connection, run: Run) -> None:
    """Stores a new run; an id that exists is an error."""
    connection.execute(insert(runs).values({each.name: _plain(getattr(run, each.name)) for each in fields(Run)}))


def begin(connection: Connection, run: Run) -> None:
    """Stores a run that starts; one of its id that is queued becomes it (C-52)."""
    connection.execute(delete(runs).where(runs.c.id == run.id, runs.c.state == str(RunState.QUEUED)))
    add(connection, run)


def queued(connection: Connection, cycle: str | None = None) -> tuple[Run, ...]:
    """What was asked for and has not begun, in the order it was asked for; of one cycle, or of all."""
    where = [runs.c.state == str(RunState.QUEUED)]
    if cycle is not None:
        where.append(runs.c.cycle == cycle)
    rows = connection.execute(select(runs).where(*where).order_by(runs.c.started_at, runs.c.id))
    return tuple(_run(row) for row in rows)


def finish(connection: Connection, run_id: str, ending: Ending) -> bool:
    """Ends a run that is queued or running; False when it has ended already, as an ending is final."""
    open_states = [str(RunState.QUEUED), str(RunState.RUNNING)]
    values = {each.name: _plain(getattr(ending, each.name)) for each in fields(Ending)}
    changed = update(runs).where(runs.c.id == run_id, runs.c.state.in_(open_states)).values(values)
    return connection.execute(changed).rowcount > 0


def show(connection: Connection, run_id: str) -> Run | None:
    row = connection.execute(select(runs).where(runs.c.id == run_id)).one_or_none()
    return None if row is None else _run(row)


def of_cycle(connection: Connection, cycle: str) -> tuple[Run, ...]:
    """The runs of one cycle in the order they started."""
    rows = connection.execute(select(runs).where(runs.c.cycle == cycle).order_by(runs.c.started_at, runs.c.id))
    return tuple(_run(row) for row in rows)


def recent(connection: Connection, limit: int = 50, automation: str | None = None) -> tuple[Run, ...]:
    """The latest runs, newest first."""
    query = select(runs).order_by(runs.c.started_at.desc(), runs.c.id.desc()).limit(limit)
    if automation is not None:
        query = query.where(runs.c.automation == automation)
    return tuple(_run(row) for row in connection.execute(query))


def interrupt_orphans(connection: Connection, token: int, now: datetime) -> tuple[Run, ...]:
    """Ends as `interrupted` what still counts as running under a lease older than this one (C-31); returns them.

    Runs without a lease (token 0: mails, webhooks) are their worker's to end.
    """
    where = (runs.c.state == str(RunState.RUNNING), runs.c.token > 0, runs.c.token < token)
    orphans = [row.id for row in connection.execute(select(runs.c.id).where(*where))]
    values = {"state": str(RunState.INTERRUPTED), "ended_at": now, "error_code": "interrupted"}
    connection.execute(update(runs).where(*where).values(values))
    found = (show(connection, run_id) for run_id in orphans)
    return tuple(run for run in found if run is not None)


def prune(connection: Connection, now: datetime) -> int:
    """Drops runs and plans older than 400 days; returns how many runs."""
    connection.execute(delete(plans).where(plans.c.created_at < now - KEPT))
    return connection.execute(delete(runs).where(runs.c.started_at < now - KEPT)).rowcount


def _plain(value: object) -> object:
    if isinstance(value, StrEnum):
        return str(value)
    return dict(value) if isinstance(value, Mapping) else value


def _run(row: Row[tuple[object, ...]]) -> Run:
    values = {each.name: getattr(row, each.name) for each in fields(Run)}
    return Run(**values | {"trigger": Trigger(row.trigger), "state": RunState(row.state)})
