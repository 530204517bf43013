"""The line cleaners read, kept in step with what people wrote in Housecall Pro (J-94 … J-103)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from changeover.core.job import Job, JobRow, JobRules
from changeover.core.job_eligibility import FOR_DELETION, Asked, Case, Code, Refusal, line_conflict, no_job, refusal
from changeover.core.job_order import NAME_REFUSED_LIMIT, Line
from changeover.core.service_line import LineFacts
from changeover.core.service_line_merge import (
    Merged,
    Outcome,
    Question,
    base_in,
    confirmed,
    due,
    merge,
    the_item,
)
from changeover.engine.jobs import receipts, rows
from changeover.engine.jobs.desk import JobDesk
from changeover.engine.jobs.rows import Draft, Refused
from changeover.housecallpro import line_items
from changeover.housecallpro.errors import Rejected, Validation
from changeover.store import job_writes
from changeover.store import jobs as store
from changeover.store.facts import Json
from changeover.store.job_writes import JobWrite, WriteKind


class NoLines(Rejected):
    """A job without line items has none that could be named."""

    said = "The job has no line items in Housecall Pro"


@dataclass(frozen=True, slots=True)
class Named:
    """A row's line as it stands in Housecall Pro now, and the row's cells that say so, not written yet."""

    draft: Draft
    merged: Merged

    @property
    def kept_by_hand(self) -> bool:
        """People's words stand against ours (J-100)."""
        return self.merged.outcome is Outcome.CONFLICT


def by_button(desk: JobDesk, record_id: str) -> JobRow:
    """A person asks: the lines are always read (J-94, J-99). Raises Refused, HcpError, AirtableError."""
    row = rows.fresh(desk, record_id)
    _refuse(desk, row)
    named = name(desk, row, asked=True)
    after = rows.put(desk, row, named.draft.after)
    note(desk, after, kept=named.kept_by_hand)
    if named.kept_by_hand:
        raise Refused(line_conflict())
    return after


def _refuse(desk: JobDesk, row: JobRow) -> None:
    asked = Asked(automatic=False, now=desk.clock(), stop=desk.level)
    found = refusal(Case(row, {}, desk.rules, asked), FOR_DELETION)
    if found is None and not row.job_id:
        found = no_job()
    if found is None and not due(row, "", desk.rules.local_day(desk.clock()), asked=True):
        text = "The line of this row is not kept any more: it is not live, its check-out is past, or its job has ended."
        found = Refusal("J-94", Code.NOT_ELIGIBLE, text)
    if found is not None:
        raise Refused(found)


def ours(row: JobRow, rules: JobRules) -> str:
    """The line as §6 makes it of a row now."""
    return question(row, rules).ours


def question(row: JobRow, rules: JobRules, theirs: str = "", *, asked: bool = False) -> Question:
    facts = LineFacts.of(row, rules.hours.long_term_nights)
    return Question(row.job.last_line, theirs, facts, rules.line_limit, asked=asked)


def name(desk: JobDesk, row: JobRow, *, asked: bool = False) -> Named:
    """Reads the lines and renames one, where the merge says so; two calls at most (J-95 … J-101)."""
    item = the_item(line_items.read(desk.hcp, row.job_id), row.job.last_line)
    if item is None:
        raise NoLines
    put = question(row, desk.rules, item.name, asked=asked)
    put = replace(put, base=base_in(item.name, row.job.last_line, _sent_last(desk, row)))
    merged = merge(put)
    if merged.outcome is Outcome.WRITE:
        merged = _renamed(desk, row, item, put, merged)
    return Named(Draft(row, confirmed(row.job, merged, put.ours)), merged)


def _renamed(desk: JobDesk, row: JobRow, item: Line, put: Question, merged: Merged) -> Merged:
    """What Housecall Pro has confirmed; a name it finds too long is fitted once more (J-51)."""
    try:
        there = _sent(desk, row, item, merged)
    except Validation as error:
        shorter = merge(replace(put, code_points=NAME_REFUSED_LIMIT))
        if "name" not in error.fields or shorter.outcome is not Outcome.WRITE or shorter.name == merged.name:
            raise
        there, merged = _sent(desk, row, item, shorter), shorter
    return replace(merged, name=there.name)


def _sent_last(desk: JobDesk, row: JobRow) -> str:
    """What was sent last, be it that the row never heard of it: cut off in between, or the base did not answer."""
    with desk.db.read() as connection:
        return job_writes.last_part(connection, row.record_id, row.job_id)


def _sent(desk: JobDesk, row: JobRow, item: Line, merged: Merged) -> Line:
    called = merged.name
    before: dict[str, Json] = {"line_item_id": item.id, "name": item.name}
    after: dict[str, Json] = {"line_item_id": item.id, "name": called, "part": merged.part}
    with receipts.of(desk, [JobWrite(WriteKind.NAME, row.record_id, row.job_id, before, after)]):
        return line_items.rename(desk.hcp, row.job_id, item, called)


def conflict(row: JobRow, rules: JobRules, job: Job | None) -> dict[str, Json]:
    """The two sides of a conflict; while both are the same, nothing has to be read again (J-100)."""
    updated = None if job is None or job.updated is None else job.updated.isoformat()
    return {"ours": ours(row, rules), "updated": updated}


def note(desk: JobDesk, row: JobRow, job: Job | None = None, *, kept: bool) -> None:
    """Remembers that people have their own way, or that they have not any more."""
    with desk.db.begin() as connection:
        store.remember_conflict(connection, row.job_id, conflict(row, desk.rules, job) if kept else None)
