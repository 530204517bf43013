"""Takes in that somebody wants a run (C-52): queued once per automation, worked by a worker; it runs nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from changeover.engine import names
from changeover.engine.enqueueing import enqueue
from changeover.engine.entering import enter
from changeover.engine.process import host_name
from changeover.store import plans, runs
from changeover.store.database import Database
from changeover.store.facts import Json
from changeover.store.run_ids import new_run_id
from changeover.store.runs import Run, RunState, Trigger
from changeover.store.writer import Writer

if TYPE_CHECKING:
    from dbos import DBOSClient, EnqueueOptions

_REPORTS = frozenset({names.RECONCILIATION})  # whose reports hold ids only, and are for those who asked (J-93)


@dataclass(frozen=True, slots=True)
class WantedRun:
    """One automation, or the whole cycle for None. With a `limit` it is a search for links by hand (J-83)."""

    automation: str | None
    trigger: Trigger
    who: str
    dry_run: bool = False
    limit: int | None = None

    @property
    def terms(self) -> dict[str, Json]:
        """What the run's record says of it until it has counters of its own."""
        return {} if self.limit is None else {"limit": self.limit}


@dataclass(frozen=True, slots=True)
class Told:
    """The runs under an id: one run, or all of a cycle; `report` is what a run has kept besides its counters."""

    id: str
    runs: tuple[Run, ...]
    report: Mapping[str, object] | None = None


class RunIntake:
    """One environment's requested runs, for any number of threads of one process."""

    def __init__(self, env: str, database: Database, writer: Writer, client: DBOSClient) -> None:
        self._env, self._database, self._writer, self._client = env, database, writer, client

    def ask(self, wanted: WantedRun, at: datetime) -> str:
        """Queues a run, or returns the id of the one that is queued already. Raises NotTaken.

        The id of one automation is its run's; of a whole cycle it is the cycle's.
        """
        return enter(self._writer, partial(_enter, self._client, self._env, wanted, at))

    def find(self, run_id: str) -> Told | None:
        """A run, or a cycle."""
        with self._database.read() as connection:
            one = runs.show(connection, run_id)
            found = (one,) if one is not None else runs.of_cycle(connection, run_id)
            kept = plans.show(connection, run_id) if one is not None and one.automation in _REPORTS else None
        return Told(run_id, found, kept.body if kept is not None else None) if found else None


def _enter(client: DBOSClient, env: str, wanted: WantedRun, at: datetime, connection: Connection) -> str:
    alike = (each for each in runs.queued(connection) if each.dry_run is wanted.dry_run)
    standing = [each for each in alike if dict(each.counters) == wanted.terms]
    known = _queued(standing, wanted)
    if known is not None:
        return known
    cycle = new_run_id(at)
    named = names.AUTOMATIONS if wanted.automation is None else (wanted.automation,)
    # A microsecond apart, so that they keep their order wherever they are listed.
    asked = [_run(env, wanted, cycle, name, at + timedelta(microseconds=n)) for n, name in enumerate(named, start=1)]
    for each in asked:
        runs.add(connection, each)
    work: EnqueueOptions = {
        "workflow_name": names.RUN_WORKFLOW,
        "queue_name": names.RUN_QUEUE,
        "workflow_id": names.requested_run(cycle),
    }
    enqueue(connection, client, work, cycle, 1)
    return cycle if wanted.automation is None else asked[0].id


def _queued(standing: Sequence[Run], wanted: WantedRun) -> str | None:
    """The id that was given for the same before."""
    if wanted.automation is not None:
        return next((each.id for each in standing if each.automation == wanted.automation), None)
    cycles = [each.cycle for each in standing]
    return next((each for each in cycles if cycles.count(each) == len(names.AUTOMATIONS)), None)


def _run(env: str, wanted: WantedRun, cycle: str, automation: str, at: datetime) -> Run:
    return Run(
        id=new_run_id(at),
        cycle=cycle,
        env=env,
        automation=automation,
        trigger=wanted.trigger,
        state=RunState.QUEUED,
        started_at=at,
        version=version("changeover"),
        host=host_name(),
        pid=0,
        who=wanted.who,
        dry_run=wanted.dry_run,
        counters=wanted.terms,
    )
