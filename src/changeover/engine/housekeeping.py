"""Once a day, what has outlived its time goes: run records, receipts, ended work, dead browsers' homes."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from changeover.engine.durable import Durable
from changeover.ops import logging
from changeover.sources.evolve import leftovers
from changeover.store import deliveries, facts, job_writes, jobs, operations, runs
from changeover.store.database import Database

log = logging.get(__name__)

RECEIPTS_KEPT = timedelta(days=90)
ANSWERS_KEPT = timedelta(days=30)
JOBS_KEPT = timedelta(days=400)
_FACT = "housekeeping"


def keep_house(db: Database, durable: Durable, now: datetime, zone: ZoneInfo, folder: Path) -> bool:
    """Runs at most once a business day (C-18, F-3, AT-53, LB-20). True when it did. Only for the lease's holder."""
    today = now.astimezone(zone).date().isoformat()
    with db.read() as connection:
        done = facts.read(connection, _FACT)
    if done is not None and done.value == today:
        return False
    with db.begin() as connection:
        gone = runs.prune(connection, now), deliveries.prune(connection, now - RECEIPTS_KEPT)
        job_writes.prune(connection, now - RECEIPTS_KEPT)
        operations.prune(connection, now - ANSWERS_KEPT)
        jobs.forget_cached(connection, now - JOBS_KEPT)
        facts.put(connection, _FACT, today, now)
    ended = durable.prune(now)
    homes = leftovers.prune(folder / "browser", now)
    log.info("housekeeping.done", runs=gone[0], receipts=gone[1], workflows=ended, browsers=homes)
    return True
