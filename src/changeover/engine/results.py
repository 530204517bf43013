"""What a cycle came to, as its caller sees it, and the exit code that says so (C-17, C-20 … C-26)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from changeover.core.plan import Plan
from changeover.store.facts import Json
from changeover.store.runs import RunState, Trigger


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What is asked for: which automations (all when empty), by whom. `at` sets the business's clock in a rehearsal.

    `cycle` is the id under which runs were queued (C-52). Without `gated` a step runs whatever its switch says: a
    person looks for links. `limit` is how many links are made and told at most (J-93).
    """

    only: tuple[str, ...] = ()
    dry_run: bool = False
    trigger: str = Trigger.CLI
    who: str | None = None
    at: datetime | None = None
    observe: bool = True
    cycle: str | None = None
    gated: bool = True
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class AutomationResult:
    """One automation's part of a cycle, as its run record says it."""

    id: str
    name: str
    state: RunState
    text: str
    counters: dict[str, Json]
    error_code: str | None
    error_text: str | None
    started_at: datetime
    seconds: float
    unreachable: bool = False
    configuration: bool = False


@dataclass(frozen=True, slots=True)
class CycleResult:
    """What `run` answers with. `problem` says in one text why nothing ran, or what stood in the way of all of it."""

    id: str
    state: RunState
    exit_code: int
    automations: tuple[AutomationResult, ...] = ()
    plan: Plan | None = None
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class HoldOutcome:
    """What a decision about held removals reached. `result` is None when another run will carry it out."""

    decided: tuple[str, ...]
    unknown: tuple[str, ...]
    result: CycleResult | None


class Refused(Exception):
    """The cycle does not begin, or ends before its automations (C-3): the state, the exit code, a text for a person."""

    def __init__(self, state: RunState, exit_code: int, text: str) -> None:
        super().__init__(text)
        self.state, self.exit_code, self.text = state, exit_code, text


def exit_code(results: Sequence[AutomationResult], *, stopped: bool) -> int:
    """C-20 … C-26, from what the automations came to."""
    if stopped:
        return 6
    states = [each.state for each in results]
    quiet = (RunState.SUCCEEDED, RunState.DISABLED, RunState.NOT_CONFIGURED)
    if all(state in quiet for state in states):
        return 0
    bad = [each for each in results if each.state not in quiet]
    if any(each.error_code == "billing_blocked" for each in bad):
        return 75  # whatever else went well: nothing more can be written this month
    good = [state for state in states if state in (RunState.SUCCEEDED, RunState.PARTIAL)]
    if good:
        return 2
    if any(each.configuration for each in bad):
        return 4
    if all(each.unreachable or each.state is RunState.CONTROL_UNAVAILABLE for each in bad):
        return 75
    return 3


def overall(code: int, results: Sequence[AutomationResult]) -> RunState:
    """The cycle's state: that of the only step people have switched on, else what the exit code says."""
    off = (RunState.DISABLED, RunState.NOT_CONFIGURED)
    states = {each.state for each in results if each.state not in off} or {each.state for each in results[:1]}
    if len(states) == 1:
        return states.pop()
    return {0: RunState.SUCCEEDED, 2: RunState.PARTIAL, 6: RunState.STOPPED}.get(code, RunState.FAILED)
