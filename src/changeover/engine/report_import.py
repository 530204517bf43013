"""From reports to rows, alike for the inbox and the portal: read, reconciled, committed, put away, delivered."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from changeover.core.plan import Alert, Plan
from changeover.core.reconcile import reconcile
from changeover.engine import knowledge, report_files, report_memory
from changeover.engine.commit import Commission, commit
from changeover.engine.knowledge import Knowledge
from changeover.engine.outcome import Failure
from changeover.engine.report_files import csv_folder
from changeover.engine.report_memory import Remembered
from changeover.engine.work import Delivered, Work
from changeover.ops import logging
from changeover.sources.csv import inbox
from changeover.sources.csv.inbox import InboxFile
from changeover.sources.csv.observe import Disposition, FileResult, SupplierResult, observe
from changeover.sources.csv.read import recognise
from changeover.sources.csv.suppliers import Shape
from changeover.store import deliveries, events

log = logging.get(__name__)

_HOMES = "Properties"
# Which tables a report's rows are read with besides the homes (AT-32, R-30, R-33).
_BESIDE = {Shape.ITRIP: "Property Guest Overrides", Shape.EVOLVE_TAB2: "Customers"}


@dataclass(frozen=True, slots=True)
class Read:
    """The reports of one run, what was known when they were read, and what reading the base again told."""

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

    @property
    def first_failure(self) -> Failure | None:
        """The first thing that went wrong in a file, in words that name no cell."""
        for each in self.rejected:
            return Failure("csv_rejected", f"{each.file.name}: {each.cause}")
        rows = [f"{each.file.name} line {row.line}: {row.reason}" for each in self.files for row in each.set_aside]
        return Failure("csv_rejected", rows[0]) if rows else None


def hindrance(work: Work) -> Failure | None:
    """Without the base, or beside writes that still wait, no plan is made and no file is imported (C-5)."""
    if work.base.failure is not None:
        return work.base.failure
    if work.dry_run:
        return None
    with work.db.read() as connection:
        left = deliveries.pending(connection)
    return Failure("undelivered", "earlier writes to Airtable still wait", unreachable=True) if left else None


def read(work: Work, files: Sequence[InboxFile]) -> Read | Failure:
    """Reads the files on fresh homes; before a row is set aside for want of one all are read again (AT-36)."""
    again = work.read_again(_tables(work, files))
    if again.failure is not None:
        return again.failure
    found = _observed(work, files, again.alerts)
    if not any(each.unknown_homes for each in found.results):
        return found
    whole = work.read_again([_HOMES], whole=True)
    if whole.failure is not None:
        return whole.failure
    return _observed(work, files, (*again.alerts, *whole.alerts))


def planned(work: Work, found: Read) -> Plan:
    """What the reports make of the base. Stores and sends nothing."""
    plan = reconcile(found.known.known, [each.batch for each in found.results if each.batch], work.now, work.rules)
    log.info("plan.made", changes=len(plan.changes), held=plan.counts.of("held"), misses=plan.counts.misses)
    return plan


def carried_out(
    work: Work, found: Read, plan: Plan, *, warnings: str, alerts: Sequence[Alert] = (), looked_at: Collection[str] = ()
) -> Delivered:
    """Commits the plan, then puts the files away (F-2), then delivers.

    `warnings` is the alert rule under which this automation's reports are warned of; another's warnings stand.
    """
    with work.db.read() as connection:
        before = events.waiting(connection)
    remembered = Remembered.of(found.results, before, csv_folder(work), work.now)
    commission = Commission(
        env=work.env,
        run_id=work.run_id,
        plan=plan,
        alerts=(*found.alerts, *alerts, *remembered.alerts(warnings)),
        looked_at=("csv_rejected", warnings, *looked_at),
        memory=remembered.store,
    )
    waiting = commit(work.db, commission, work.still_ours)
    report_files.move(work)
    inbox.prune(csv_folder(work), work.now)
    return work.deliver(work.run_id) if waiting else Delivered()


def _tables(work: Work, files: Sequence[InboxFile]) -> list[str]:
    found = [recognise(file.raw, work.suppliers) for file in files]
    shapes = {supplier.shape for supplier in found if supplier is not None}
    return [_HOMES, *(table for shape, table in _BESIDE.items() if shape in shapes)] if shapes else []


def _observed(work: Work, files: Sequence[InboxFile], alerts: tuple[Alert, ...]) -> Read:
    with work.db.read() as connection:
        known = knowledge.load(connection)
        directory = report_memory.directory(connection, known)
        memory = report_memory.memory(connection, known.known, [each.key for each in work.suppliers])
    results = observe(files, directory, memory, now=work.now, rules=work.rules, suppliers=work.suppliers)
    return Read(known, results, alerts)
