"""One step of a cycle, carried out in a thread of its own."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import cast

import structlog

from changeover.engine.automations import Automation, carry_out
from changeover.engine.outcome import Outcome
from changeover.engine.stopping import Stopping
from changeover.engine.work import Done, Work
from changeover.ops import logging
from changeover.store.runs import RunState


def test_a_steps_lines_bear_the_run_it_is() -> None:
    """L-4: one id finds every line of a run."""
    seen: list[dict[str, object]] = []

    def run(_work: Work) -> Done:
        seen.append(structlog.contextvars.get_contextvars())
        return Done(Outcome(RunState.SUCCEEDED, "done"))

    work = cast("Work", SimpleNamespace(run_id="run-1"))
    with logging.about(run_id="run-1", automation="Evolve"):
        done = carry_out(Automation("Evolve", timedelta(minutes=1), run), work, Stopping())
    assert done.outcome.text == "done"
    assert seen == [{"run_id": "run-1", "automation": "Evolve"}]
