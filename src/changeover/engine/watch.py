"""Alerts about a cycle itself, its base, budget and automations, opened and closed at its end; it knows no stay."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from changeover.core.plan import Alert, Level
from changeover.engine.base import Base
from changeover.engine.results import AutomationResult
from changeover.store import alerts, runs
from changeover.store.runs import RunState

_REACH_RULES = ("airtable_down", "credential_refused", "airtable_budget", "hcp_down")
_CONTENT_RULES = ("schema_drift", "suspect_deletions", "wrong_base", "control_row_changed")  # known only when read
_FAILED_CODES = (3, 75)
_HCP = "housecallpro"
_OF_HCP = {
    "hcp_credential_refused": ("credential_refused", Level.CRITICAL),
    "hcp_down": ("hcp_down", Level.ERROR),
}  # as the steps of jobs name what stands in their way
_BAD = (RunState.FAILED, RunState.TIMED_OUT, RunState.INTERRUPTED, RunState.CONTROL_UNAVAILABLE)
_TOLD_AT = 2  # bad runs in a row


@dataclass(frozen=True, slots=True)
class Ended:
    """A cycle at its end. `spent` is the word on the month's calls; `orphans` were opened at its start."""

    env: str
    cycle: str
    now: datetime
    base: Base
    results: Sequence[AutomationResult]
    exit_code: int
    spent: Alert | None = None
    orphans: Sequence[Alert] = ()


def keep(connection: Connection, ended: Ended) -> None:
    """Opens what is wrong now and closes what this cycle has seen to be over (A-1)."""
    raised = [
        *ended.base.alerts,
        *([ended.spent] if ended.spent else []),
        *_base_alerts(ended.base),
        *_cycle_alerts(ended),
        *(alert for each in ended.results for alert in _automation_alerts(connection, each)),
    ]
    for alert in raised:
        alerts.open_or_repeat(connection, ended.env, alert, ended.now, ended.cycle)
    still = {alerts.key_of(ended.env, alert.rule, alert.subject) for alert in (*raised, *ended.orphans)}
    if not any(each.counters.get("hcp_calls") for each in ended.results):  # then this cycle knows nothing of it
        still |= {alerts.key_of(ended.env, rule, _HCP) for rule, _ in _OF_HCP.values()}
    alerts.resolve_others(connection, ended.env, _looked_at(ended), still, ended.now)
    for each in ended.results:
        for rule in ("automation_failing", "automation_missing"):
            key = alerts.key_of(ended.env, rule, each.name)
            if key not in still:
                alerts.resolve(connection, key, ended.now)


def orphan_alert(orphan: runs.Run) -> Alert:
    """A run that died with its process, said once (C-31)."""
    text = f"run {orphan.id} of {orphan.automation} ended without a word; what it committed is delivered"
    return Alert("cycle_failed", orphan.id, Level.ERROR, text)


def _looked_at(ended: Ended) -> tuple[str, ...]:
    content = () if ended.base.failure else _CONTENT_RULES
    return (*_REACH_RULES, *content, *(() if ended.exit_code in _FAILED_CODES else ("cycle_failed",)))


def _base_alerts(base: Base) -> Iterator[Alert]:
    failure = base.failure
    if failure is None or failure.code == "stopped":
        return
    rule = {"credential_refused": "credential_refused", "billing_blocked": "airtable_budget"}.get(failure.code)
    yield Alert(rule or "airtable_down", "airtable", Level.CRITICAL if rule else Level.ERROR, failure.text)


def _cycle_alerts(ended: Ended) -> Iterator[Alert]:
    """A cycle that ended 3 or 75 (A-3)."""
    if ended.exit_code in _FAILED_CODES:
        states = ", ".join(f"{each.name} {each.state}" for each in ended.results)
        yield Alert("cycle_failed", "cycle", Level.ERROR, f"cycle {ended.cycle} ended {ended.exit_code}: {states}")


def _automation_alerts(connection: Connection, result: AutomationResult) -> Iterator[Alert]:
    """No row in the control table (C-12), or bad twice in a row (A-4)."""
    if result.state is RunState.NOT_CONFIGURED:
        text = f"the table Automation has no row {result.name}: it does not run"
        yield Alert("automation_missing", result.name, Level.WARNING, text)
    if result.error_code in _OF_HCP:
        rule, level = _OF_HCP[result.error_code]
        yield Alert(rule, _HCP, level, result.error_text or "Housecall Pro does not answer")
    last = runs.recent(connection, _TOLD_AT, result.name)
    if len(last) == _TOLD_AT and all(each.state in _BAD and not each.dry_run for each in last):
        text = f"{result.name} has failed {_TOLD_AT} times in a row or more: {result.error_text or result.state}"
        yield Alert("automation_failing", result.name, Level.ERROR, text)
