"""The automation CSV Files: waiting reports are read, reconciled with the base, committed, put away and delivered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from changeover.core.plan import Alert, Plan, counts_json
from changeover.core.reconcile import reconcile
from changeover.engine import knowledge, report_files, report_memory
from changeover.engine.commit import Commission, commit
from changeover.engine.knowledge import Knowledge
from changeover.engine.outcome import Failure, Outcome, changes_text, state_of
from changeover.engine.report_files import Taken, csv_folder
from changeover.engine.report_memory import Remembered
from changeover.engine.work import Delivered, Done, Work
from changeover.ops import logging
from changeover.sources.csv import inbox
from changeover.sources.csv.observe import Disposition, FileResult, SupplierResult, observe
from changeover.sources.csv.read import recognise
from changeover.sources.csv.suppliers import Shape
from changeover.store import deliveries, events
from changeover.store.facts import Json
from changeover.store.runs import RunState

NAME = "CSV Files"
NOTHING = "no CSV files waiting"
log = logging.get(__name__)

_RULES_LOOKED_AT = ("csv_rejected", "csv_warning")
_HOMES = "Properties"
# Which tables a report's rows are read with besides the homes (AT-32, R-30, R-33).
_BESIDE = {Shape.ITRIP: "Property Guest Overrides", Shape.EVOLVE_TAB2: "Customers"}


@dataclass(frozen=True, slots=True)
class Read:
    """The reports of one run, what was known when they were read, and what reading the base again told."""

    taken: Taken
    known: Knowledge
    results: Sequence[SupplierResult]
    alerts: tuple[Alert, ...] = ()

    @property
    def files(self) -> list[FileResult]:
        return [each for result in self.results for each in result.files]

    @property
    def rejected(self) -> list[FileResult]:
        return [each for each in self.files if each.disposition is Disposition.REJECTED]

    @property
    def set_aside(self) -> int:
        return sum(len(each.set_aside) for each in self.files)


def run(work: Work) -> Done:
    """One run of the automation. Raises nothing for a bad file, row or answer: each is in the outcome."""
    if not work.observe:
        return Done(Outcome(RunState.SUCCEEDED, NOTHING))
    if not work.dry_run:
        report_files.move(work)
    taken = report_files.take(work)
    if not taken.files and not taken.locked:
        return Done(Outcome(RunState.SUCCEEDED, NOTHING, {"files": 0}))
    stands_in_the_way = _hindrance(work)
    if stands_in_the_way is not None:
        return Done(Outcome.failed("the reports wait", stands_in_the_way, work.run_id))
    read = _read(work, taken)
    if isinstance(read, Failure):
        return Done(Outcome.failed("Airtable cannot be read", read, work.run_id))
    plan = reconcile(read.known.known, [each.batch for each in read.results if each.batch], work.now, work.rules)
    log.info("plan.made", changes=len(plan.changes), held=plan.counts.of("held"), misses=plan.counts.misses)
    if work.dry_run:
        return Done(_outcome(work, read, plan, Delivered()), plan)
    waiting = commit(work.db, _commission(work, read, plan), work.still_ours)
    report_files.move(work)
    inbox.prune(csv_folder(work), work.now)
    delivered = work.deliver(work.run_id) if waiting else Delivered()
    return Done(_outcome(work, read, plan, delivered), plan)


def _hindrance(work: Work) -> Failure | None:
    """Without the base, or beside writes that still wait, no plan is made and the files stay where they are (C-5)."""
    if work.base.failure is not None:
        return work.base.failure
    if work.dry_run:
        return None
    with work.db.read() as connection:
        left = deliveries.pending(connection)
    return Failure("undelivered", "earlier writes to Airtable still wait", unreachable=True) if left else None


def _read(work: Work, taken: Taken) -> Read | Failure:
    """Reads the files on fresh homes; before a row is set aside for want of one all are read again (AT-36)."""
    again = work.read_again(_tables(work, taken))
    if again.failure is not None:
        return again.failure
    read = _observed(work, taken, again.alerts)
    if not any(each.unknown_homes for each in read.results):
        return read
    whole = work.read_again([_HOMES], whole=True)
    if whole.failure is not None:
        return whole.failure
    return _observed(work, taken, (*again.alerts, *whole.alerts))


def _tables(work: Work, taken: Taken) -> list[str]:
    found = [recognise(file.raw, work.suppliers) for file in taken.files]
    shapes = {supplier.shape for supplier in found if supplier is not None}
    return [_HOMES, *(table for shape, table in _BESIDE.items() if shape in shapes)] if shapes else []


def _observed(work: Work, taken: Taken, alerts: tuple[Alert, ...]) -> Read:
    with work.db.read() as connection:
        known = knowledge.load(connection)
        directory = report_memory.directory(connection, known)
        memory = report_memory.memory(connection, known.known, [each.key for each in work.suppliers])
    results = observe(taken.files, directory, memory, now=work.now, rules=work.rules, suppliers=work.suppliers)
    return Read(taken, known, results, alerts)


def _commission(work: Work, read: Read, plan: Plan) -> Commission:
    with work.db.read() as connection:
        before = events.waiting(connection)
    remembered = Remembered.of(read.results, before, csv_folder(work), work.now)
    return Commission(
        env=work.env,
        run_id=work.run_id,
        plan=plan,
        alerts=(*read.alerts, *remembered.alerts()),
        looked_at=_RULES_LOOKED_AT,
        memory=remembered.store,
    )


def _outcome(work: Work, read: Read, plan: Plan, delivered: Delivered) -> Outcome:
    bad = len(read.rejected) + len(read.taken.locked)
    every = len(read.files) + len(read.taken.locked)
    undelivered = delivered.waiting + delivered.refused
    flawed = bool(undelivered or read.set_aside or plan.counts.of("held"))
    state = state_of(every - bad, bad, flawed=flawed)
    counters = _counters(work, read, plan, delivered)
    failure = delivered.failure or _first_failure(read)
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


def _first_failure(read: Read) -> Failure | None:
    """The first thing that went wrong, in words that name no cell."""
    for each in read.rejected:
        return Failure("csv_rejected", f"{each.file.name}: {each.cause}")
    for name in read.taken.locked:
        return Failure("csv_locked", f"{name} cannot be opened")
    rows = [f"{each.file.name} line {row.line}: {row.reason}" for each in read.files for row in each.set_aside]
    return Failure("csv_rejected", rows[0]) if rows else None


def _counters(work: Work, read: Read, plan: Plan, delivered: Delivered) -> dict[str, Json]:
    """The run's own numbers (R-89, R-90), for its record and for `--json`."""
    return {
        "files": len(read.files) + len(read.taken.locked),
        "files_rejected": len(read.rejected),
        "files_superseded": sum(each.disposition is Disposition.SUPERSEDED for each in read.files),
        "rows": sum(each.rows for each in read.files),
        "rows_set_aside": read.set_aside,
        **counts_json(plan.counts),
        "not_delivered": delivered.waiting + delivered.refused,
        "airtable_calls": work.calls(),
    }
