"""The automation Update Service Lines: what cleaners read follows the row, people's own words stay (§12)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from changeover.airtable.errors import AirtableError
from changeover.core import job_match
from changeover.core.job import Gone, Job, JobRow
from changeover.core.service_line_merge import due
from changeover.engine.jobs import lines, rows, steps
from changeover.engine.jobs.claims import Busy, claim
from changeover.engine.jobs.failures import Breaker
from changeover.engine.jobs.office import Office
from changeover.engine.outcome import Failure, Outcome, state_of
from changeover.engine.work import Done, Work
from changeover.housecallpro.errors import HcpError
from changeover.store import jobs as store
from changeover.store.facts import Json
from changeover.store.hcp_gate import Purpose as HcpPurpose
from changeover.store.jobs import CachedJob

NAME = "Update Service Lines"
_MOST_CALLS: Final = 2  # of one line (J-109)


@dataclass(slots=True)
class Lined:
    """What one run did: lines in step now, lines people keep by hand, rows left for the hourly budget."""

    total: int = 0
    updated: int = 0
    kept: int = 0
    waiting: int = 0
    breaker: Breaker = field(default_factory=Breaker)

    @property
    def failure(self) -> Failure | None:
        if self.breaker.first is None and self.waiting:
            return Failure("rate_limited", "Housecall Pro's hourly budget is used up; the rest waits", unreachable=True)
        return self.breaker.first


def run(work: Work) -> Done:
    """One run of the automation."""
    return steps.run(work, NAME, _run)


def _run(_work: Work, office: Office) -> Outcome:
    office.recovered()
    done = Lined()
    waiting = _due(office)
    done.total = len(waiting)
    if waiting:
        _update(office, waiting, done)
    parts = {
        "kept by hand": done.kept,
        "waiting for the hourly budget": done.waiting,
        "errors": done.breaker.errors,
    }
    counters: dict[str, Json] = {
        "updated": done.updated,
        "total": done.total,
        **{name.replace(" ", "_"): number for name, number in parts.items()},
    }
    text = steps.with_parts(f"{done.updated}/{done.total} lines {steps.done('updated', office)}", parts)
    state = state_of(done.updated + done.kept + done.waiting, done.breaker.errors, flawed=done.waiting > 0)
    return Outcome(state, text, counters, done.failure)


def _due(office: Office) -> list[JobRow]:
    """The rows whose line is not confirmed as it should be now (J-94); no call is made for the others."""
    rules, today = office.desk.rules, office.desk.rules.local_day(office.desk.clock())
    newest, _ = job_match.served(office.rows())
    making = office.being_made()
    rows_ = [row for row in newest.values() if row.record_id not in making]
    found = [row for row in rows_ if due(row, lines.ours(row, rules), today)]
    return sorted(found, key=lambda row: (row.check_out is None, row.check_out, row.record_id))


def _update(office: Office, waiting: Sequence[JobRow], done: Lined) -> None:
    desk, window = office.desk, office.window()
    with desk.db.read() as connection:
        known = store.all_cached(connection, (row.job_id for row in waiting))
    for place, row in enumerate(waiting):
        job = window.jobs.get(row.job_id)
        if isinstance(job, Gone) or (isinstance(job, Job) and job.locked_at is not None):
            done.total -= 1
            continue
        if _still_stands(office, row, job, known):
            done.kept += 1
            continue
        if desk.hcp.wiring.gate.room(HcpPurpose.CYCLE) < _MOST_CALLS:
            done.waiting = len(waiting) - place
            return
        if office.dry_run:
            done.updated += 1
        elif _one(office, row, job, done):
            return


def _still_stands(office: Office, row: JobRow, job: Job | None, known: Mapping[str, CachedJob]) -> bool:
    """A conflict in which neither side has changed (J-100)."""
    before = known.get(row.job_id)
    conflict = before.conflict if before is not None else None
    return conflict is not None and conflict == lines.conflict(row, office.desk.rules, job)


def _one(office: Office, row: JobRow, job: Job | None, done: Lined) -> bool:
    """One row's line; True when the step is to end."""
    desk = office.desk
    try:
        with claim(desk.db, row.record_id, 0, desk.sleep):
            named = lines.name(desk, row)
            after = rows.put(desk, row, named.draft.after)
            lines.note(desk, after, job, kept=named.kept_by_hand)
    except Busy:
        done.total -= 1
    except lines.NoLines:  # somebody made the job without any: read again when something has changed
        lines.note(desk, row, job, kept=True)
        done.kept += 1
    except (HcpError, AirtableError) as error:
        return done.breaker.broke(error)
    else:
        done.breaker.fine()
        done.kept += named.kept_by_hand
        done.updated += not named.kept_by_hand
    return False
