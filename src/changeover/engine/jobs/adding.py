"""The automation Add Service Jobs: every stay that is due one gets its job, the next to start first (J-30, J-110)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from changeover.airtable.errors import AirtableError
from changeover.core.job import Home, JobRow
from changeover.core.job_eligibility import Case, Code, Takes, refusal, taken_automatically
from changeover.engine.jobs import creating, steps
from changeover.engine.jobs.claims import Busy, claim
from changeover.engine.jobs.creating import How
from changeover.engine.jobs.failures import Breaker
from changeover.engine.jobs.office import Office
from changeover.engine.jobs.rows import RESTS_ON_HOMES, Refused
from changeover.engine.lease import LeaseLost
from changeover.engine.outcome import Failure, Outcome, state_of
from changeover.engine.work import Done, Work
from changeover.housecallpro.errors import HcpError
from changeover.store.facts import Json
from changeover.store.hcp_gate import Purpose as HcpPurpose

NAME = "Add Service Jobs"
MOST_CALLS: Final = 8  # of one creation, with an address to check and polls (J-109)


@dataclass(slots=True)
class Added:
    """What one run did. `waiting` rows are left for the hourly budget, `refused` counts rows by code (J-30).

    `to_link` are rows that the reconciliation would link, were it switched on.
    """

    created: int = 0
    linked: int = 0
    waiting: int = 0
    changed_templates: int = 0
    refused: Counter[Code] = field(default_factory=Counter)
    to_link: frozenset[str] = frozenset()
    breaker: Breaker = field(default_factory=Breaker)

    @property
    def failure(self) -> Failure | None:
        if self.breaker.first is None and self.waiting:
            return Failure("rate_limited", "Housecall Pro's hourly budget is used up; the rest waits", unreachable=True)
        return self.breaker.first


def run(work: Work) -> Done:
    """One run of the automation."""
    return steps.run(work, NAME, _run)


def _run(work: Work, office: Office) -> Outcome:
    recovered = office.recovered()
    added = Added()
    cases = _due(office, added)
    if isinstance(cases, Failure):
        return Outcome.failed("Airtable cannot be read", cases, work.run_id)
    if work.dry_run:
        added.created = sum(case.row.record_id not in added.to_link for case in cases)
    else:
        _add(office, cases, added)
    errors = added.breaker.errors + recovered.errors
    not_eligible = sum(added.refused.values())
    parts = {"not eligible": not_eligible, "waiting for the hourly budget": added.waiting, "errors": errors}
    counters: dict[str, Json] = {
        "created": 0 if work.dry_run else added.created,
        "linked": added.linked,
        "would_create": added.created if work.dry_run else 0,
        "recovered": len(recovered.jobs),
        "not_eligible": {code.value: number for code, number in sorted(added.refused.items())},
        "waiting": added.waiting,
        "changed_templates": added.changed_templates,
        "errors": errors,
    }
    state = state_of(added.created + added.linked + added.waiting, errors, flawed=added.waiting > 0)
    text = steps.with_parts(f"{added.created} jobs {steps.done('created', office)}", parts)
    return Outcome(state, text, counters, added.failure or recovered.first)


# -- which (§4) ------------------------------------------------------------------------------------------------------


def _due(office: Office, added: Added) -> list[Case] | Failure:
    """The rows that are to get a job now, in order of start; the others are counted by why not (J-30).

    Nothing is asked of Housecall Pro unless a row is due (J-109).
    """
    takes = Takes(office.desk.settings.auto_create_jobs.value)
    making = office.being_made()
    wanted = [row for row in office.rows() if taken_automatically(row, takes) and row.record_id not in making]
    cases = _cases(office, wanted, office.homes())
    if any(_near(case) for case in cases):
        failure = office.freshen_homes()
        if failure is not None:
            return failure
        there = office.afresh([row.record_id for row in wanted])
        wanted = [row for row in there.values() if taken_automatically(row, takes)]
        cases = _cases(office, wanted, office.homes())
    if any(refusal(case) is None for case in cases):
        matching = office.matching()
        added.to_link = frozenset(pair.record_id for pair in matching.linked)
        cases = [replace(case, asked=replace(case.asked, held=matching.held)) for case in cases]
    due = []
    for case in cases:
        found = refusal(case)
        if found is None:
            due.append(case)
        else:
            added.refused[found.code] += 1
    return sorted(due, key=lambda case: (case.start is None, case.start, case.row.record_id))


def _cases(office: Office, wanted: Sequence[JobRow], homes: dict[str, Home]) -> list[Case]:
    return [Case(row, homes, office.desk.rules, office.asked()) for row in wanted]


def _near(case: Case) -> bool:
    """Whether only its home is in a row's way, or nothing: then all that it rests on is read again (AT-36)."""
    found = refusal(case)
    return found is None or found.code in RESTS_ON_HOMES


# -- making them -----------------------------------------------------------------------------------------------------


def _add(office: Office, cases: Sequence[Case], added: Added) -> None:
    desk = office.desk
    for place, case in enumerate(cases):
        if desk.hcp.wiring.gate.room(HcpPurpose.CYCLE) < MOST_CALLS:
            added.waiting = len(cases) - place
            return
        # Where the cycle's read does not say enough, or says that there is a job to link, the row is looked for itself.
        in_sight = case.start is not None and office.window().covers(case.start)
        looked = in_sight and case.row.record_id not in added.to_link
        if _made(office, case, added, looked=looked):
            return


def _made(office: Office, case: Case, added: Added, *, looked: bool) -> bool:
    """One row's job; True when the step is to end."""
    desk = office.desk
    try:
        with claim(desk.db, case.row.record_id, 0, desk.sleep) as lease:
            result = creating.create(desk, lease, case, looked=looked)
    except Refused as refused:
        added.refused[refused.refusal.code] += 1
    except (Busy, LeaseLost):
        return False  # a button is at work on it
    except (HcpError, AirtableError) as error:
        return added.breaker.broke(error)
    else:
        added.breaker.fine()
        office.window().jobs[result.row.job_id] = result.job
        added.created += result.how is How.CREATED
        added.linked += result.how is not How.CREATED
        added.changed_templates += result.changed_template
    return False
