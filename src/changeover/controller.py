"""AutomationController: one code path for every trigger, from settings to exit code; it holds no rule about stays."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime

from changeover.core.stay import Decision
from changeover.engine.automations import AUTOMATIONS, REGISTRY, Automation
from changeover.engine.cycle import Cycle
from changeover.engine.lease import Lease, Locked
from changeover.engine.opening import rules_in_effect, state_database
from changeover.engine.results import AutomationResult, CycleResult, HoldOutcome, Refused, RunRequest
from changeover.engine.stop import StopLevel, StopSwitch
from changeover.engine.stopping import Stopping
from changeover.ops import logging
from changeover.settings import Settings
from changeover.store import holds
from changeover.store.database import Database
from changeover.store.run_ids import new_run_id
from changeover.store.runs import RunState, Trigger

__all__ = [
    "AUTOMATIONS",
    "AutomationController",
    "AutomationResult",
    "CycleResult",
    "HoldOutcome",
    "RunRequest",
    "decide_holds",
    "run",
]

log = logging.get(__name__)
LEASE = "cycle"


def run(settings: Settings, request: RunRequest, stopping: Stopping | None = None) -> CycleResult:
    """One cycle of an environment, or the automations asked for. Never raises for what goes wrong outside.

    `stopping` is for a caller that listened to signals before it had any settings (C-33).
    """
    return AutomationController(settings, request, stopping).run()


def decide_holds(
    settings: Settings, ids: tuple[str, ...] | None, *, approve: bool, who: str | None, at: datetime | None = None
) -> HoldOutcome:
    """A person's word on held removals, all of them for None, carried out at once unless another run is under way.

    `held approve` removes what is still missing, `held reject` zeroes the counters (R-69). No feed is asked.
    """
    controller = AutomationController(settings, RunRequest(trigger=Trigger.CLI, who=who, at=at, observe=False))
    with state_database(settings) as db, db.begin() as connection:
        decided = holds.decide(connection, ids, Decision.APPROVED if approve else Decision.REJECTED)
    ids_decided = tuple(held.id for held in decided.held)
    log.info("holds.decided", decision="approve" if approve else "reject", count=len(ids_decided), who=who)
    result = controller.run() if ids_decided else None
    carried_out = result is not None and result.state is not RunState.LOCKED
    return HoldOutcome(ids_decided, decided.unknown, result if carried_out else None)


class AutomationController:
    """Begins a cycle, or refuses to: rule files, stop switch, disk, database, lease, in this order (C-1 … C-4)."""

    def __init__(self, settings: Settings, request: RunRequest, stopping: Stopping | None = None) -> None:
        self._settings, self._request = settings, request
        self._stopping = stopping or Stopping()
        self._started = datetime.now(UTC)
        self._cycle = request.cycle or new_run_id(self._started)

    def run(self) -> CycleResult:
        with logging.about(run_id=self._cycle, cycle=self._cycle):
            log.info("cycle.started", trigger=self._request.trigger, dry_run=self._request.dry_run)
            try:
                with self._stopping.on_signals():
                    result = self._run()
            except Refused as refused:
                result = CycleResult(self._cycle, refused.state, refused.exit_code, problem=refused.text)
            log.info("cycle.ended", state=result.state, exit_code=result.exit_code, problem=result.problem)
            return result

    def _run(self) -> CycleResult:
        chosen, book = self._chosen(), rules_in_effect(self._settings)
        stop = StopSwitch(self._settings.folder).state()
        rehearsal = stop.level is StopLevel.READ_ONLY and not self._request.dry_run
        if not (stop.starts or stop.level is StopLevel.READ_ONLY):
            raise Refused(RunState.STOPPED, 6, f"stopped at level {stop.level}: {stop.why or 'no reason given'}")
        request = replace(self._request, dry_run=True) if rehearsal else self._request
        with ExitStack() as stack:
            self._go_on()
            db = stack.enter_context(state_database(self._settings))
            self._go_on()
            lease = stack.enter_context(self._lease(db))
            self._go_on()
            cycle = Cycle(self._settings, book, request, db, lease, self._stopping, self._cycle, self._started)
            stack.callback(cycle.close)
            result = cycle.run(chosen)
        if rehearsal and result.exit_code == 0:
            text = f"stopped at level {stop.level}: nothing was written, the plan was kept"
            return replace(result, state=RunState.STOPPED, exit_code=6, problem=text)
        return result

    def _go_on(self) -> None:
        """Refuses the next step of a start that a signal has ended: nothing outside was touched yet (C-25, C-33)."""
        if self._stopping.reason is not None:
            raise Refused(RunState.STOPPED, 6, f"ended early: {self._stopping.reason}")

    def _chosen(self) -> tuple[Automation, ...]:
        """The automations asked for, in the cycle's order; an unknown name starts nothing (C-2)."""
        wanted = {name.strip().casefold() for name in self._request.only}
        known = {automation.name.casefold() for automation in REGISTRY}
        unknown = [name for name in self._request.only if name.strip().casefold() not in known]
        if unknown:
            names = ", ".join(AUTOMATIONS)
            raise Refused(RunState.FAILED, 4, f"unknown automation {', '.join(unknown)}; valid: {names}")
        return tuple(each for each in REGISTRY if not wanted or each.name.casefold() in wanted)

    @contextmanager
    def _lease(self, db: Database) -> Iterator[Lease]:
        try:
            lease = Lease.acquire(db, LEASE, self._cycle)
        except Locked as locked:
            raise Refused(RunState.LOCKED, 5, str(locked)) from locked
        with lease:
            yield lease
