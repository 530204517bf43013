"""The steps of a cycle in their order, and how one is carried out under its deadline (C-2, C-6, C-32)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextvars import copy_context
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from changeover.engine import calendars, portal, reports
from changeover.engine.jobs import adding, lining, reconciling, syncing
from changeover.engine.lease import LeaseLost
from changeover.engine.outcome import Failure, Outcome
from changeover.engine.stopping import Interrupted, Reason, Stopping
from changeover.engine.work import Done, Work
from changeover.ops import logging
from changeover.store.runs import RunState

log = logging.get(__name__)

_LAST_WORD: Final = timedelta(seconds=30)  # from being asked to end until a step is given up (C-32)


@dataclass(frozen=True, slots=True)
class Automation:
    """A step of the cycle: the name of its row in the control table, its deadline (C-32), and what carries it out."""

    name: str
    deadline: timedelta
    run: Callable[[Work], Done]


REGISTRY: tuple[Automation, ...] = (
    Automation(calendars.NAME, timedelta(minutes=10), calendars.run),
    Automation(reports.NAME, timedelta(minutes=10), reports.run),
    Automation(portal.NAME, timedelta(minutes=10), portal.run),
    Automation(reconciling.NAME, timedelta(minutes=5), reconciling.run),
    Automation(adding.NAME, timedelta(minutes=15), adding.run),
    Automation(syncing.NAME, timedelta(minutes=10), syncing.run),
    Automation(lining.NAME, timedelta(minutes=10), lining.run),
)
AUTOMATIONS: tuple[str, ...] = tuple(automation.name for automation in REGISTRY)


def carry_out(automation: Automation, work: Work, stopping: Stopping) -> Done:
    """Runs it in a thread of its own, so that one that hangs is given up and its late result refused (C-32)."""
    box: list[Done] = []
    lines = copy_context()  # so that the step's lines bear the run's id (L-4)
    thread = threading.Thread(target=lambda: box.append(lines.run(_guarded, automation, work)), daemon=True)
    with stopping.within(automation.deadline.total_seconds()):
        thread.start()
        while thread.is_alive() and stopping.reason is None:
            thread.join(0.05)
        thread.join(_LAST_WORD.total_seconds() if stopping.reason else None)
        timed_out = stopping.reason is Reason.DEADLINE
    if box and not (timed_out and box[0].outcome.state is RunState.FAILED):
        return box[0]
    failure = Failure("timed_out", f"not finished within {automation.deadline.total_seconds() / 60:.0f} minutes")
    return Done(Outcome.failed(f"{automation.name} ended", failure, work.run_id, RunState.TIMED_OUT))


def _guarded(automation: Automation, work: Work) -> Done:
    """The edge of an automation: whatever goes wrong in it is its own outcome, logged once (C-6)."""
    try:
        return automation.run(work)
    except (LeaseLost, Interrupted) as ended:
        failure = Failure("stopped", f"ended early: {ended}")
    except Exception as error:
        log.exception("automation.crashed")
        failure = Failure("internal_error", f"{type(error).__name__}, see the log")
    return Done(Outcome.failed(f"{automation.name} failed", failure, work.run_id))
