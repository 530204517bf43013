"""What people should know about jobs, opened and closed per row (J-63 … J-67, J-92); nothing is sent from here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from changeover.core.job import JobRow, JobRules
from changeover.core.job_sync import Followed, urgent_mismatch
from changeover.core.plan import Alert, Level
from changeover.store import alerts

REMOVED: Final = "removed_with_job"
MISMATCH: Final = "schedule_mismatch"
ELSEWHERE: Final = "job_elsewhere"
UNKNOWN_STATUS: Final = "job_status_unknown"
UNCLEAR: Final = "job_create_unclear"
EMPLOYEE: Final = "employee_inactive"
CONTESTED: Final = "job_on_two_rows"
ORPHAN: Final = "job_orphan"
DANGLING: Final = "job_dangling"
DUPLICATES: Final = "job_duplicates"
FINDINGS: Final = (ORPHAN, DANGLING, DUPLICATES, CONTESTED)
_OF_ROWS: Final = (REMOVED, MISMATCH, ELSEWHERE)


@dataclass(frozen=True, slots=True)
class RowSeen:
    """A row after its job was read: what it was found to be."""

    row: JobRow
    followed: Followed


def keep(connection: Connection, env: str, seen: Iterable[RowSeen], rules: JobRules, now: datetime) -> None:
    """Opens what is wrong with these rows and closes what is over; other rows' alerts stand (A-1)."""
    open_now = {each.key for each in alerts.standing(connection)}
    for each in seen:
        raised = list(_of(each, rules, now))
        for alert in raised:
            alerts.open_or_repeat(connection, env, alert, now)
        still = {alert.rule for alert in raised}
        for rule in _OF_ROWS:
            key = alerts.key_of(env, rule, each.row.record_id)
            if rule not in still and key in open_now:
                alerts.resolve(connection, key, now)


def _of(seen: RowSeen, rules: JobRules, now: datetime) -> Iterable[Alert]:
    row, found = seen.row, seen.followed
    if found.removed_with_job:
        text = f"row {row.record_id} was removed, its job {row.job_id} still stands: cancel it, or delete its schedule"
        yield Alert(REMOVED, row.record_id, Level.ERROR, text)
    if urgent_mismatch(row, found.state, now, rules):
        text = f"row {row.record_id} and its job {row.job_id} differ in their start, which is near: see its details"
        yield Alert(MISMATCH, row.record_id, Level.ERROR, text)
    if found.elsewhere:
        text = f"job {row.job_id} of row {row.record_id} is at another customer or address than the row's property"
        yield Alert(ELSEWHERE, row.record_id, Level.WARNING, text)
    if found.unknown_status:
        text = f"job {row.job_id} has a status nobody knows, its row was left as it is: {found.unknown_status[:80]}"
        yield Alert(UNKNOWN_STATUS, found.unknown_status[:80], Level.WARNING, text)


def unclear(record_id: str) -> Alert:
    """J-53: neither found nor refused, after all looks."""
    text = f"nobody knows whether the job of row {record_id} was made; the next cycle looks for it before all else"
    return Alert(UNCLEAR, record_id, Level.ERROR, text)


def inactive_employee(employee_id: str) -> Alert:
    """J-34: the default assignee is nobody's any more."""
    text = f"HCP_EMPLOYEE_ID {employee_id} is no active employee: new jobs are assigned to nobody"
    return Alert(EMPLOYEE, employee_id, Level.WARNING, text)
