"""What the four steps of jobs have in common: what must be there first, and how their outcome is said (C-16, C-50)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from changeover.airtable.errors import AirtableError
from changeover.engine.jobs.desk import NotSetUp
from changeover.engine.jobs.failures import failure_of
from changeover.engine.jobs.office import Office
from changeover.engine.outcome import Failure, Outcome
from changeover.engine.work import Done, Work
from changeover.housecallpro.errors import HcpError, RateLimited
from changeover.store.runs import RunState

Step: TypeAlias = Callable[[Work, Office], Outcome]


def run(work: Work, name: str, step: Step) -> Done:
    """A step, if base and settings allow it. Raises nothing for what goes wrong outside."""
    if not work.observe:
        return Done(Outcome(RunState.SUCCEEDED, "jobs were not looked at"))
    if work.base.failure is not None:
        return Done(Outcome.failed(f"{name} waits", work.base.failure, work.run_id))
    try:
        office = work.jobs()
    except NotSetUp as lacking:
        failure = Failure("hcp_not_set_up", str(lacking), configuration=True)
        return Done(Outcome.failed("Housecall Pro is not set up", failure, work.run_id))
    office.is_for(work.run_id)
    before = office.desk.hcp.numbers.calls
    try:
        outcome = step(work, office)
    except RateLimited as error:  # it goes on next time (J-110)
        waiting = Outcome.failed(f"{name} waits", failure_of(error), work.run_id, RunState.PARTIAL)
        return Done(waiting)
    except (HcpError, AirtableError) as error:
        return Done(Outcome.failed(f"{name} failed", failure_of(error), work.run_id))
    calls = {"hcp_calls": office.desk.hcp.numbers.calls - before, "airtable_calls": work.calls()}
    counters = {**outcome.counters, **calls}
    if outcome.state is RunState.FAILED:
        failure = outcome.failure or Failure("hcp_error", "all of it failed")
        whole = Outcome.failed(outcome.text, failure, work.run_id)
        return Done(Outcome(whole.state, whole.text, counters, failure))
    return Done(Outcome(outcome.state, outcome.text, counters, outcome.failure))


def with_parts(text: str, parts: Mapping[str, int]) -> str:
    """The text with those parts that are above 0: ` — errors 2` (C-42)."""
    return text + "".join(f" — {name} {number}" for name, number in parts.items() if number)


def done(word: str, office: Office) -> str:
    """What was done, or in a rehearsal would be."""
    return f"would be {word}" if office.dry_run else word
