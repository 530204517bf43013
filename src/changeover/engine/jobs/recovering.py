"""Creations that were cut off, gone on with at the start of a cycle (J-53 … J-56)."""

from __future__ import annotations

from dataclasses import dataclass, field

from changeover.airtable.errors import AirtableError
from changeover.core.job import Gone, Job
from changeover.engine.jobs import creating, making, rows
from changeover.engine.jobs.claims import Busy, claim
from changeover.engine.jobs.desk import JobDesk
from changeover.engine.jobs.failures import Breaker
from changeover.engine.jobs.making import Bench
from changeover.engine.jobs.rows import Refused
from changeover.engine.lease import Lease
from changeover.engine.outcome import Failure
from changeover.housecallpro.errors import HcpError
from changeover.ops import logging
from changeover.store import jobs as store

log = logging.get(__name__)


@dataclass(slots=True)
class Recovered:
    """How going on went: the jobs that are in their rows now, how many are not, and the first reason."""

    jobs: dict[str, Job | Gone] = field(default_factory=dict)
    errors: int = 0
    first: Failure | None = None


def recover(desk: JobDesk) -> Recovered:
    """Goes on with every open creation, oldest first. One that somebody is at work on is theirs."""
    with desk.db.read() as connection:
        waiting = [each.record_id for each in store.open_intents(connection)]
    done, breaker = Recovered(), Breaker()
    for record_id in waiting:
        try:
            with claim(desk.db, record_id, 0, desk.sleep) as lease:
                done.jobs.update(_recovered(desk, lease, record_id))
            breaker.fine()
        except Busy:
            continue
        except (HcpError, AirtableError) as error:
            log.warning("job.not_recovered", record_id=record_id, error=str(error))
            if breaker.broke(error):
                break
    done.errors, done.first = breaker.errors, breaker.first
    return done


def _recovered(desk: JobDesk, lease: Lease, record_id: str) -> dict[str, Job | Gone]:
    try:
        row = rows.fresh(desk, record_id)
    except Refused:  # a person deleted it; what was made is reported as an orphan (J-92)
        with desk.db.begin() as connection:
            store.drop_intent(connection, record_id)
        return {}
    bench = Bench(desk, lease, row, rows.known_home(desk, row.property_id).get(row.property_id))
    begun = creating.unfinished(bench)
    found = making.resume(bench, begun) if begun is not None else None
    return {} if found is None else {found[0].job_id: found[1]}
