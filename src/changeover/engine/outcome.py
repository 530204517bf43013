"""What an automation did in one run, as data and as the one line people read; never from another run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from changeover.core.plan import Counts
from changeover.core.stay import EntryType
from changeover.store.facts import Json
from changeover.store.runs import RunState

_NAMES_SHOWN = 3
_LONGEST = 1000
_SEPARATOR = " — "
# A step that people have switched off is no failure and does not look like one.
_ICONS = {RunState.SUCCEEDED: "✅", RunState.PARTIAL: "⚠️", RunState.DISABLED: "⏸️", RunState.NOT_CONFIGURED: "⏸️"}


@dataclass(frozen=True, slots=True)
class Failure:
    """Why something failed: a stable word, safe text, and whether a service cannot be reached (C-26)."""

    code: str
    text: str
    unreachable: bool = False
    configuration: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """An automation's result: state, the text between icon and clock (C-43 … C-50), counters, the first error."""

    state: RunState
    text: str
    counters: dict[str, Json] = field(default_factory=dict)
    failure: Failure | None = None

    @classmethod
    def failed(cls, what: str, failure: Failure, run_id: str, state: RunState = RunState.FAILED) -> Outcome:
        """C-50: what failed, its real cause, and the run to look up."""
        return cls(state, _SEPARATOR.join((what, failure.text, f"run {run_id}")), failure=failure)


def state_of(ok: int, failed: int, *, flawed: bool = False) -> RunState:
    """C-16: nothing failed, or nothing to do: succeeded; some: partial; all: failed."""
    if failed and not ok:
        return RunState.FAILED
    return RunState.PARTIAL if failed or flawed else RunState.SUCCEEDED


def changes_text(counts: Counts) -> str:
    """`new 3 (2 res, 1 block) — modified … — removed …`, with what is held where something is (C-42)."""
    parts = [_verb_text(counts, verb) for verb in ("new", "modified", "removed")]
    held = counts.of("held")
    return _SEPARATOR.join([*parts, f"held {held}"] if held else parts)


def _verb_text(counts: Counts, verb: str) -> str:
    guests, blocks = counts.of(verb, EntryType.RESERVATION), counts.of(verb, EntryType.BLOCK)
    return f"{verb} {guests + blocks} ({guests} res, {blocks} block)"


def names_text(names: Sequence[str]) -> str:
    """The first few names and how many more: `A, B, C +4`."""
    shown = ", ".join(names[:_NAMES_SHOWN])
    return f"{shown} +{len(names) - _NAMES_SHOWN}" if len(names) > _NAMES_SHOWN else shown


def sync_details(outcome: Outcome, started: datetime, seconds: float, zone: ZoneInfo) -> str:
    """The line of the control table: one icon, the text, how long, when it started (C-42); at most 1,000 characters."""
    icon = _ICONS.get(outcome.state, "❌")
    local = started.astimezone(zone)
    clock = f"{local:%b} {local.day}, {local.hour % 12 or 12}:{local:%M %p}"
    tail = f"{_SEPARATOR}{round(seconds)} s{_SEPARATOR}{clock}"
    text = " ".join(f"{icon} {outcome.text}".split())
    return text[: _LONGEST - len(tail)] + tail
