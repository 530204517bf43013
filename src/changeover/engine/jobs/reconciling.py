"""The automation Job Reconciliation: jobs people made are linked to their stays, what is odd is reported (§11)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from changeover.airtable.errors import AirtableError
from changeover.core import job_match
from changeover.core.job import Gone, Job, JobRow, marked_rows
from changeover.core.job_match import Confidence, Matching, Pair
from changeover.core.plan import Alert, Level
from changeover.engine.jobs import alerts as job_alerts
from changeover.engine.jobs import creating, steps
from changeover.engine.jobs.claims import Busy, claim
from changeover.engine.jobs.failures import Breaker
from changeover.engine.jobs.making import Bench
from changeover.engine.jobs.office import Office
from changeover.engine.jobs.window import Window
from changeover.engine.outcome import Failure, Outcome, state_of
from changeover.engine.work import Done, Work
from changeover.housecallpro.errors import HcpError
from changeover.store import alerts, plans
from changeover.store.facts import Json

NAME = "Job Reconciliation"


@dataclass(slots=True)
class Reconciliation:
    """What was found and what was done about it (J-93); in a dry run nothing."""

    matching: Matching
    orphans: tuple[str, ...] = ()
    dangling: tuple[str, ...] = ()
    duplicates: tuple[tuple[str, ...], ...] = ()
    contested: dict[str, tuple[str, ...]] = field(default_factory=dict)
    linked: int = 0
    errors: int = 0
    failure: Failure | None = None

    @property
    def unclear(self) -> int:
        """Rows that wait for a person (J-88, J-89)."""
        return len(self.matching.held)

    def summary(self) -> dict[str, Json]:
        return {
            "total": self.matching.total,
            "matched": len(self.matching.linked),
            "ambiguous": len(self.matching.rows(Confidence.AMBIGUOUS)),
            "suggested": len(self.matching.rows(Confidence.SUGGESTED)),
            "unmatched": self.matching.unmatched,
            "orphans": len(self.orphans),
            "dangling": len(self.dangling),
            "duplicates": len(self.duplicates),
        }

    def to_json(self, *, execute: bool, limit: int | None = None) -> dict[str, Json]:
        """The result of J-93; at most `limit` details."""
        return {
            "mode": "execute" if execute else "dry_run",
            "summary": self.summary(),
            "details": [_detail(pair) for pair in self.matching.pairs[:limit]],
        }


def run(work: Work) -> Done:
    """One run of the automation (J-83)."""
    return steps.run(work, NAME, _run)


def _run(work: Work, office: Office) -> Outcome:
    recovered = office.recovered()
    found = reconcile(office, execute=not work.dry_run, limit=work.limit)
    with work.db.begin() as connection:
        work.still_ours(connection)
        plans.keep(connection, work.run_id, found.to_json(execute=not work.dry_run, limit=work.limit), work.now)
        if not work.dry_run:
            _keep_findings(work, connection, found)
    errors = found.errors + recovered.errors
    done = found.linked if not work.dry_run else len(found.matching.linked)
    text = f"{done}/{found.matching.total} unlinked stays {steps.done('linked', office)}"
    text = steps.with_parts(text, {"unclear": found.unclear, "errors": errors})
    state = state_of(found.matching.total - found.errors, 0, flawed=errors > 0)
    counters: dict[str, Json] = {**found.summary(), "linked": found.linked, "errors": errors}
    return Outcome(state, text, counters, found.failure or recovered.first)


def reconcile(office: Office, *, execute: bool, limit: int | None = None) -> Reconciliation:
    """Pairs live rows without a job with jobs nobody has (J-84 … J-89), links what is sure, and looks for what is odd.

    Nothing is written unless `execute` is set, and a second time there is nothing left to link (J-83); at most `limit`
    rows are linked. Raises HcpError where Housecall Pro cannot be read.
    """
    failure = office.freshen_homes(only_if_unknown=True)
    window = office.window()
    matching = office.matching()
    free = office.free_jobs()
    rows = office.rows()
    _, contested = job_match.served(rows)
    found = Reconciliation(
        matching,
        orphans=_orphans(office, free, matching),
        dangling=_dangling(rows, window),
        duplicates=job_match.duplicates(window.alive, office.desk.rules),
        contested=contested,
        failure=failure,
    )
    if execute:
        _link(office, found, matching.linked[:limit])
    return found


def _orphans(office: Office, free: Sequence[Job], matching: Matching) -> tuple[str, ...]:
    """Open jobs that nobody has; one that is being made for a row is no orphan yet."""
    making = office.being_made()
    settled = [job for job in free if not marked_rows(job) & making]
    return job_match.orphans(settled, matching, office.desk.rules)


def _dangling(rows: Sequence[JobRow], window: Window) -> tuple[str, ...]:
    """Ids on live rows whose job is gone, or that can be no job's."""
    gone = {job_id for job_id, job in window.jobs.items() if isinstance(job, Gone)} | set(window.malformed)
    return tuple(sorted({row.job_id for row in rows if row.live and row.job_id in gone}))


# -- linking (J-91) --------------------------------------------------------------------------------------------------


def _link(office: Office, found: Reconciliation, pairs: Sequence[Pair]) -> None:
    desk, jobs = office.desk, {job.id: job for job in office.window().alive}
    rows, homes = office.afresh([pair.record_id for pair in pairs]), office.homes()
    breaker = Breaker()
    for pair in pairs:
        row = rows.get(pair.record_id)
        if row is None or not row.live or row.job_id:
            continue  # a person was quicker
        try:
            with claim(desk.db, row.record_id, 0, desk.sleep) as lease:
                creating.link(Bench(desk, lease, row, homes.get(row.property_id)), jobs[pair.job_id])
            found.linked += 1
            breaker.fine()
        except Busy:
            continue
        except (HcpError, AirtableError) as error:
            if breaker.broke(error):
                break
    found.errors, found.failure = breaker.errors, breaker.first or found.failure


# -- what is odd (J-92) ----------------------------------------------------------------------------------------------


def _keep_findings(work: Work, connection: Connection, found: Reconciliation) -> None:
    """One alert per finding, closed when it is gone."""
    raised = list(_alerts(found))
    for alert in raised:
        alerts.open_or_repeat(connection, work.env, alert, work.now, work.run_id)
    still = {alerts.key_of(work.env, alert.rule, alert.subject) for alert in raised}
    alerts.resolve_others(connection, work.env, job_alerts.FINDINGS, still, work.now)


def _alerts(found: Reconciliation) -> Iterator[Alert]:
    for job_id in found.orphans:
        text = f"job {job_id} is open and no row has it: link it by its id, or cancel it"
        yield Alert(job_alerts.ORPHAN, job_id, Level.WARNING, text)
    for job_id in found.dangling:
        text = f"a live row names job {job_id}, which Housecall Pro does not have"
        yield Alert(job_alerts.DANGLING, job_id, Level.WARNING, text)
    for ids in found.duplicates:
        text = f"{len(ids)} open jobs at one address on one day: {', '.join(ids[:_NAMED])}; cancel all but one"
        yield Alert(job_alerts.DUPLICATES, ids[0], Level.WARNING, text)
    for job_id, record_ids in found.contested.items():
        text = f"job {job_id} is on {len(record_ids)} live rows: {', '.join(record_ids[:_NAMED])}; leave it on one"
        yield Alert(job_alerts.CONTESTED, job_id, Level.WARNING, text)


_NAMED = 5


def _detail(pair: Pair) -> dict[str, Json]:
    return {
        "recordId": pair.record_id,
        "jobId": pair.job_id,
        "confidence": pair.confidence.value,
        "minutesApart": pair.minutes_apart,
    }
