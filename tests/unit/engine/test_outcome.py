"""The one line people read: its examples word for word, one icon, never blank, never too long (C-42 … C-50)."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from changeover.core.plan import Counts
from changeover.engine.outcome import Failure, Outcome, changes_text, names_text, state_of, sync_details
from changeover.store.runs import RunState

PHOENIX = ZoneInfo("America/Phoenix")
EIGHT = datetime(2026, 3, 4, 15, tzinfo=UTC)
COUNTS = Counts(changes={"new.Reservation": 2, "new.Block": 1, "modified.Reservation": 1})
C = "new 3 (2 res, 1 block) — modified 1 (1 res, 0 block) — removed 0 (0 res, 0 block)"


def line(state: RunState, text: str, seconds: float = 41, started: datetime = EIGHT) -> str:
    return sync_details(Outcome(state, text), started, seconds, PHOENIX)


def test_the_examples_of_the_rules_come_out_word_for_word() -> None:
    """R-91."""
    text = changes_text(COUNTS)
    assert text == C
    assert line(RunState.SUCCEEDED, f"246/246 feeds — {text}") == f"✅ 246/246 feeds — {C} — 41 s — Mar 4, 8:00 AM"
    held = changes_text(Counts(changes=COUNTS.changes | {"held.Reservation": 5, "held.Block": 2}))
    names = names_text(["Quill", "Agave Retreat"])
    assert (
        line(RunState.PARTIAL, f"244/246 feeds — {held} — failing: {names}", 52)
        == f"⚠️ 244/246 feeds — {C} — held 7 — failing: Quill, Agave Retreat — 52 s — Mar 4, 8:00 AM"
    )


def test_counts_are_never_blank() -> None:
    """Z-6: blank counts in a status."""
    nothing = "new 0 (0 res, 0 block) — modified 0 (0 res, 0 block) — removed 0 (0 res, 0 block)"
    assert changes_text(Counts()) == nothing


def test_the_first_three_names_are_said_and_how_many_more() -> None:
    """C-43."""
    assert names_text(list("ABCDEFG")) == "A, B, C +4"
    assert names_text(list("ABC")) == "A, B, C"
    assert names_text([]) == ""


@pytest.mark.parametrize(
    ("started", "clock"),
    [
        (datetime(2026, 3, 4, 7, 5, tzinfo=UTC), "Mar 4, 12:05 AM"),
        (datetime(2026, 3, 4, 19, 0, tzinfo=UTC), "Mar 4, 12:00 PM"),
        (datetime(2026, 7, 11, 2, 9, tzinfo=UTC), "Jul 10, 7:09 PM"),
    ],
)
def test_the_clock_is_phoenix_of_the_start(started: datetime, clock: str) -> None:
    """C-42."""
    assert line(RunState.SUCCEEDED, "no active feeds", 0.4, started) == f"✅ no active feeds — 0 s — {clock}"


@pytest.mark.parametrize(
    ("state", "icon"),
    [
        (RunState.SUCCEEDED, "✅"),
        (RunState.PARTIAL, "⚠️"),
        (RunState.FAILED, "❌"),
        (RunState.TIMED_OUT, "❌"),
        (RunState.STOPPED, "❌"),
        (RunState.CONTROL_UNAVAILABLE, "❌"),
    ],
)
def test_the_icon_is_the_states(state: RunState, icon: str) -> None:
    """Z-7: one bad feed turned everything red."""
    assert line(state, "text").split(" ")[0] == icon


def test_a_failure_says_what_why_and_which_run() -> None:
    """C-50; Z-5: a traceback's header was shown as the error."""
    failed = Outcome.failed("Airtable cannot be read", Failure("airtable_error", "HTTP 503"), "run-1")
    assert failed.text == "Airtable cannot be read — HTTP 503 — run run-1"
    assert failed.state is RunState.FAILED
    late = Outcome.failed("ICS Calendar ended", Failure("timed_out", "late"), "run-2", RunState.TIMED_OUT)
    assert late.state is RunState.TIMED_OUT


def test_it_is_one_line_of_at_most_a_thousand_characters_that_keeps_its_clock() -> None:
    long = line(RunState.FAILED, "many\nwords\t and  blanks " * 100)
    assert len(long) == 1000
    assert "\n" not in long
    assert "  " not in long
    assert long.endswith(" — 41 s — Mar 4, 8:00 AM")


@pytest.mark.parametrize(
    ("ok", "failed", "flawed", "state"),
    [
        (0, 0, False, RunState.SUCCEEDED),
        (5, 0, False, RunState.SUCCEEDED),
        (5, 1, False, RunState.PARTIAL),
        (0, 3, False, RunState.FAILED),
        (0, 3, True, RunState.FAILED),
        (5, 0, True, RunState.PARTIAL),
        (0, 0, True, RunState.PARTIAL),
    ],
)
def test_units_make_the_state(ok: int, failed: int, flawed: bool, state: RunState) -> None:
    """C-16."""
    assert state_of(ok, failed, flawed=flawed) is state
