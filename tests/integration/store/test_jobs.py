"""What is kept about jobs comes back as it was, on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from changeover.store import jobs
from changeover.store.database import Database
from changeover.store.jobs import CachedJob, Intent, IntentState

NOW = datetime(2026, 3, 4, 15, tzinfo=UTC)
STAY, JOB = "recSTAY0000000001", f"job_{1:032x}"


def test_a_creation_is_kept_step_by_step_until_it_is_over(database: Database) -> None:
    begun = Intent(STAY, IntentState.POSTING, {"line": "Turnover"}, NOW, NOW)
    made = replace(begun, state=IntentState.MADE, job_id=JOB, attempts=2, error="none")
    with database.begin() as connection:
        jobs.save_intent(connection, begun)
        jobs.save_intent(connection, made)
        assert jobs.intent_of(connection, STAY) == made
        assert jobs.open_intents(connection) == (made,)
        assert jobs.drop_intent(connection, STAY)
        assert not jobs.drop_intent(connection, STAY)
        assert jobs.intent_of(connection, STAY) is None


def test_what_is_remembered_beside_a_job_survives_its_next_reading(database: Database) -> None:
    with database.begin() as connection:
        jobs.remember_unscheduled(connection, JOB, NOW)
        jobs.remember_conflict(connection, "job_other", {"ours": "a line"})
        jobs.remember_conflict(connection, "job_unknown", None)
        jobs.remember(connection, [CachedJob(JOB, STAY, NOW, NOW, {"start": None})])

        known = jobs.cached(connection, JOB)
        assert known == CachedJob(JOB, STAY, NOW, NOW, {"start": None}, unscheduled_at=NOW)
        assert jobs.all_cached(connection, [JOB, "job_other", "job_unknown"]).keys() == {JOB, "job_other"}
        jobs.remember_conflict(connection, "job_other", None)
        other = jobs.cached(connection, "job_other")
        assert other is not None
        assert other.conflict is None


def test_jobs_that_nothing_is_heard_of_are_forgotten(database: Database) -> None:
    with database.begin() as connection:
        jobs.remember(connection, [CachedJob(JOB, STAY, NOW, NOW), CachedJob("job_new", STAY, NOW, NOW)])
        jobs.remember(connection, [CachedJob("job_new", STAY, NOW, NOW + timedelta(days=400))])

        assert jobs.forget_cached(connection, NOW + timedelta(days=1)) == 1
        assert jobs.cached(connection, JOB) is None
