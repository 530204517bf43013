"""The automation CSV Files: waiting reports are read, reconciled with the base, committed, put away and delivered."""

from __future__ import annotations

from changeover.core.plan import Plan, counts_json
from changeover.engine import report_files, report_import
from changeover.engine.outcome import Failure, Outcome, changes_text, state_of
from changeover.engine.report_files import Taken
from changeover.engine.report_import import Read
from changeover.engine.work import Delivered, Done, Work
from changeover.sources.csv.observe import Disposition
from changeover.store.facts import Json
from changeover.store.runs import RunState

NAME = "CSV Files"
NOTHING = "no CSV files waiting"
_WARNINGS = "csv_warning"


def run(work: Work) -> Done:
    """One run of the automation. Raises nothing for a bad file, row or answer: each is in the outcome."""
    if not work.observe:
        return Done(Outcome(RunState.SUCCEEDED, NOTHING))
    if not work.dry_run:
        report_files.move(work)
    taken = report_files.take(work)
    if not taken.files and not taken.locked:
        return Done(Outcome(RunState.SUCCEEDED, NOTHING, {"files": 0}))
    stands_in_the_way = report_import.hindrance(work)
    if stands_in_the_way is not None:
        return Done(Outcome.failed("the reports wait", stands_in_the_way, work.run_id))
    read = report_import.read(work, taken.files)
    if isinstance(read, Failure):
        return Done(Outcome.failed("Airtable cannot be read", read, work.run_id))
    plan = report_import.planned(work, read)
    delivered = Delivered() if work.dry_run else report_import.carried_out(work, read, plan, warnings=_WARNINGS)
    return Done(_outcome(work, taken, read, plan, delivered), plan)


def _outcome(work: Work, taken: Taken, read: Read, plan: Plan, delivered: Delivered) -> Outcome:
    bad = len(read.rejected) + len(taken.locked)
    every = len(read.files) + len(taken.locked)
    undelivered = delivered.waiting + delivered.refused
    flawed = bool(undelivered or read.set_aside or plan.counts.of("held"))
    state = state_of(every - bad, bad, flawed=flawed)
    counters = _counters(work, taken, read, plan, delivered)
    failure = delivered.failure or _first_failure(taken, read)
    if state is RunState.FAILED:
        cause = failure or Failure("csv_rejected", "unreadable")
        whole = Outcome.failed(f"{bad} of {every} files could not be used", cause, work.run_id)
        return Outcome(whole.state, whole.text, counters, cause)
    text = f"{every} files — {changes_text(plan.counts)}"
    for what, number in (
        ("rows set aside", read.set_aside),
        ("files rejected", bad),
        ("not delivered", undelivered),
    ):
        text += f" — {what} {number}" if number else ""
    return Outcome(state, text, counters, failure)


def _first_failure(taken: Taken, read: Read) -> Failure | None:
    """The first thing that went wrong; a file that cannot be opened comes before rows that were set aside."""
    if taken.locked and not read.rejected:
        return Failure("csv_locked", f"{taken.locked[0]} cannot be opened")
    return read.first_failure


def _counters(work: Work, taken: Taken, read: Read, plan: Plan, delivered: Delivered) -> dict[str, Json]:
    """The run's own numbers (R-89, R-90), for its record and for `--json`."""
    return {
        "files": len(read.files) + len(taken.locked),
        "files_rejected": len(read.rejected),
        "files_superseded": sum(each.disposition is Disposition.SUPERSEDED for each in read.files),
        "rows": sum(each.rows for each in read.files),
        "rows_set_aside": read.set_aside,
        **counts_json(plan.counts),
        "not_delivered": delivered.waiting + delivered.refused,
        "airtable_calls": work.calls(),
    }
