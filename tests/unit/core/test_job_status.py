"""From what Housecall Pro says to a row's cells (jobs.md J-61, J-62, J-66, J-67, JM-15)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from changeover.core.job import Gone, JobState, JobStatus, Visit
from changeover.core.job_status import compared_visit, news, projected, status_of, unscheduled
from changeover.core.job_texts import Words
from plugins.job_world import END, JOB, NOW, OTHER_VISIT, PHOENIX, START, VISIT, job, state

LATER = START + timedelta(days=2)
TWO = (Visit(VISIT, START, END), Visit(OTHER_VISIT, LATER, LATER + timedelta(hours=1)))


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("needs scheduling", JobStatus.UNSCHEDULED),
        ("unscheduled", JobStatus.UNSCHEDULED),
        (" Scheduled ", JobStatus.SCHEDULED),
        ("in_progress", JobStatus.IN_PROGRESS),
        ("in progress", JobStatus.IN_PROGRESS),
        ("complete rated", JobStatus.COMPLETED),
        ("complete unrated", JobStatus.COMPLETED),
        ("completed", JobStatus.COMPLETED),
        ("user canceled", JobStatus.CANCELED),
        ("pro canceled", JobStatus.CANCELED),
        ("canceled", JobStatus.CANCELED),
        ("deleted", JobStatus.CANCELED),
        ("not scheduled yet", None),
        ("", None),
        (None, None),
    ],
)
def test_a_status_is_a_whole_word_and_never_part_of_one(word, status):
    """J-67, JX-32: "unscheduled" holds the word "scheduled" and is something else."""
    assert status_of(job(work_status=word)) is status


def test_scheduled_without_a_start_is_unscheduled():
    assert status_of(job(start=None, visits=())) is JobStatus.UNSCHEDULED
    assert status_of(job(start=None)) is JobStatus.SCHEDULED  # its visit has one
    assert status_of(job(start=None, visits=(), absent=frozenset({"start"}))) is JobStatus.SCHEDULED


def test_what_the_company_deleted_is_canceled_unless_it_was_done():
    assert status_of(job(deleted_at=NOW)) is JobStatus.CANCELED
    assert status_of(job(deleted_at=NOW, work_status="complete rated")) is JobStatus.COMPLETED
    assert status_of(Gone(JOB)) is JobStatus.CANCELED


def test_the_visit_that_counts_is_the_only_one_the_own_one_or_the_nearest():
    """J-61."""
    assert compared_visit(job(), "", None) == Visit(VISIT, START, END)
    assert compared_visit(job(visits=()), "", None) == Visit("", START, END)
    assert compared_visit(job(visits=TWO), OTHER_VISIT, START) == TWO[1]
    assert compared_visit(job(visits=TWO), "appt_9", LATER) == TWO[1]
    assert compared_visit(job(visits=TWO), "", None) == TWO[0]
    assert compared_visit(job(start=None, visits=TWO[:1]), "", START) == TWO[0]
    assert compared_visit(job(start=None, visits=(Visit(VISIT),)), "", START) is None


def read(before: JobState, **changed: object) -> JobState:
    found = job(**changed)
    return projected(before, found, compared_visit(found, before.appointment_id, START)).state


def test_a_full_read_fills_all_cells_of_the_job():
    """J-66."""
    before = JobState(job_id=JOB)
    after = read(before, on_my_way=START, started=START, completed=END, work_status="complete unrated")
    assert after == state(status="Completed", sync_status="", on_my_way=START, started=START, completed=END)


def test_null_empties_a_cell_and_an_absent_key_leaves_it():
    """J-66, JX-28, JX-44."""
    before = state(on_my_way=START, started=START, completed=END)
    emptied = {"start": None, "visits": (), "assignees": ()}
    after = read(before, **emptied)
    assert (after.scheduled, after.appointment_id, after.assignee) == (None, "", "")
    assert (after.on_my_way, after.started, after.completed) == (None, None, None)
    keys = frozenset({"work_status", "start", "visits", "assignees", "on_my_way", "started", "completed"})
    assert read(before, **emptied, work_status=None, absent=keys) == before


def test_a_start_is_stored_to_the_minute():
    """J-14."""
    assert read(state(), start=START.replace(second=31, microsecond=5)).scheduled == START


def test_an_unknown_word_leaves_the_status_and_is_worth_a_warning():
    """J-67."""
    for word, named in (("paused", "paused"), (None, "null")):
        found = projected(state(), job(work_status=word), None)
        assert (found.state.status, found.unknown_status) == ("Scheduled", named)
    absent = projected(state(), job(work_status=None, absent=frozenset({"work_status"})), None)
    assert absent.unknown_status == ""


def test_of_several_visits_only_the_rows_own_is_stored():
    """J-61."""
    assert read(state(appointment_id=OTHER_VISIT), visits=TWO).scheduled == LATER
    assert read(state(appointment_id=OTHER_VISIT), visits=TWO).appointment_id == OTHER_VISIT
    assert read(state(appointment_id="appt_9"), visits=TWO).appointment_id == ""


def test_a_job_that_is_gone_keeps_its_id_on_the_row():
    """J-67, JM-13."""
    assert projected(state(), Gone(JOB), None).state == state(status="Canceled")


def test_a_deleted_schedule_empties_all_but_the_job_and_its_creation():
    """J-62."""
    before = state(on_my_way=START, started=START, completed=END)
    assert unscheduled(before) == JobState(JOB, created=NOW, status="Unscheduled", sync_status="Synced")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, ""),
        ({"assignee": "Kim Example"}, "Assignee updated: Kim Example"),
        ({"assignee": ""}, "Assignee removed"),
        ({"status": "In Progress", "assignee": "Kim Example"}, "Job in progress"),
        ({"status": "Completed", "completed": START}, "Job completed on March 4 at 10:15 AM"),
        ({"status": "Completed"}, ""),
        ({"status": "Canceled"}, ""),
    ],
)
def test_the_news_is_how_far_the_job_is_and_else_who_has_it(changed, said):
    """JM-15."""
    assert news(state(), replace(state(), **changed), Words(PHOENIX)) == said
