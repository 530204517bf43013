"""The exit code says exactly what the automations came to (C-20 … C-26)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from changeover.engine.results import AutomationResult, Refused, exit_code
from changeover.exits import Exit
from changeover.store.runs import RunState


def result(state: RunState, code: str | None = None, **more: bool) -> AutomationResult:
    at = datetime(2026, 3, 4, 15, tzinfo=UTC)
    return AutomationResult("run-1", "ICS Calendar", state, "text", {}, code, code, at, 1.0, **more)


OK, PARTIAL = result(RunState.SUCCEEDED), result(RunState.PARTIAL)
DISABLED, MISSING = result(RunState.DISABLED), result(RunState.NOT_CONFIGURED)
FAILED, LATE = result(RunState.FAILED), result(RunState.TIMED_OUT)
DOWN = result(RunState.FAILED, "airtable_error", unreachable=True)
UNKNOWN = result(RunState.CONTROL_UNAVAILABLE)
WRONG_KEY = result(RunState.FAILED, "credential_refused", configuration=True)
CAP = result(RunState.PARTIAL, "billing_blocked", unreachable=True)


@pytest.mark.parametrize(
    ("results", "code"),
    [
        ([], Exit.OK),
        ([OK], Exit.OK),
        ([OK, DISABLED, MISSING], Exit.OK),
        ([DISABLED], Exit.OK),
        ([PARTIAL], Exit.PARTIAL),
        ([OK, FAILED], Exit.PARTIAL),
        ([OK, LATE], Exit.PARTIAL),
        ([PARTIAL, DOWN], Exit.PARTIAL),
        ([FAILED], Exit.FAILED),
        ([LATE, DISABLED], Exit.FAILED),
        ([FAILED, DOWN], Exit.FAILED),
        ([DOWN], Exit.UNREACHABLE),
        ([UNKNOWN], Exit.UNREACHABLE),
        ([UNKNOWN, DOWN, DISABLED], Exit.UNREACHABLE),
        ([WRONG_KEY], Exit.CONFIGURATION),
        ([WRONG_KEY, DOWN], Exit.CONFIGURATION),
        ([CAP], Exit.UNREACHABLE),
        ([OK, CAP], Exit.UNREACHABLE),
    ],
)
def test_the_exit_code_is_what_the_automations_came_to(results: list[AutomationResult], code: Exit) -> None:
    """Z-4: a fatal error was swallowed, exit 0; Z-2: skips were counted as failures; C-20, C-21, C-22, C-26."""
    assert exit_code(results, stopped=False) == code


def test_a_stopped_cycle_is_stopped_whatever_went_well_before() -> None:
    """C-25."""
    assert exit_code([OK, FAILED], stopped=True) == Exit.STOPPED


def test_a_refusal_carries_state_code_and_text() -> None:
    refused = Refused(RunState.BLOCKED, Exit.FAILED, "no room")
    assert (refused.state, refused.exit_code, str(refused)) == (RunState.BLOCKED, 3, "no room")
