"""What has to be sent to bring a job to its time, or to take the time away (jobs.md J-11, J-57, J-60 … J-62, J-65)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from changeover.core.job import Gone, Visit
from changeover.core.job_schedule import (
    MoveJob,
    MoveVisit,
    Unmoved,
    Unschedule,
    move,
    revive,
    unschedule,
    wanted_start,
)
from changeover.core.schedule import Unreadable
from plugins.job_world import EMPLOYEE, END, JOB, OTHER_VISIT, RULES, START, VISIT, home, job, row, state

HOUR = timedelta(hours=1)
TWO = (Visit(VISIT, START, END, 30, (EMPLOYEE,)), Visit(OTHER_VISIT, START + 2 * HOUR, START + 5 * HOUR))
OURS = row(job=state())


def moved(found, at=START, asked=OURS):
    return move(asked, found, at, home(), RULES)


def test_the_row_says_when_its_cleaning_starts():
    """J-11."""
    assert wanted_start(row(), RULES) == START
    assert wanted_start(row(same_day=True), RULES) == START - timedelta(minutes=15)
    assert wanted_start(row(custom_time="11:15 AM"), RULES) == START + HOUR
    assert isinstance(wanted_start(row(custom_time="noonish"), RULES), Unreadable)
    assert wanted_start(row(check_out=None), RULES) is None


def test_a_job_at_its_time_is_left_alone():
    """HC-94."""
    assert moved(job(start=START.replace(second=20))) is None
    assert moved(job(visits=TWO)) is None


def test_a_moved_job_keeps_its_length_its_window_and_its_people():
    """J-60."""
    found = job(end=START + 3 * HOUR, window_minutes=30)
    assert moved(found, START + HOUR) == MoveJob(START + HOUR, START + 4 * HOUR, 30)


@pytest.mark.parametrize("end", [None, START, START - HOUR])
def test_a_job_without_a_length_gets_the_usual_one(end):
    assert moved(job(end=end), START + HOUR) == MoveJob(START + HOUR, START + 2 * HOUR, 0)


def test_a_job_without_a_schedule_gets_one_and_the_employee():
    """J-60."""
    rules = replace(RULES, window_minutes=15)
    found = move(OURS, job(start=None, end=None, visits=()), START, home(), rules)
    assert found == MoveJob(START, END, 15, EMPLOYEE)


def test_of_several_visits_the_rows_own_is_moved_with_its_people():
    """J-61."""
    found = moved(job(visits=TWO), START + HOUR)
    assert found == MoveVisit(VISIT, START + HOUR, END + HOUR, 30, (EMPLOYEE,))
    undated = job(visits=(Visit(VISIT), TWO[1]))
    assert moved(undated) == MoveVisit(VISIT, START, END, 0, ())


@pytest.mark.parametrize(
    ("found", "code", "words"),
    [
        (job(work_status="in progress"), "not_eligible", "In Progress"),
        (job(work_status="complete rated"), "not_eligible", "Completed"),
        (job(work_status="user canceled"), "not_eligible", "Canceled"),
        (Gone(JOB), "not_eligible", "deleted"),
        (job(customer_id="cus_9"), "address_mismatch", "another customer or address"),
        (job(address_id="adr_9"), "address_mismatch", "another customer or address"),
        (job(visits=(TWO[1], Visit("appt_3", START))), "multi_visit", "2 appointments"),
    ],
)
def test_what_may_not_be_moved_says_why(found, code, words):
    """J-60, J-61, J-65."""
    with pytest.raises(Unmoved) as refusal:
        moved(found, START + HOUR)
    assert refusal.value.code == code
    assert words in refusal.value.text


def test_what_is_not_known_of_a_job_contradicts_no_home():
    """J-65."""
    assert moved(job(address_id="")) is None
    assert move(OURS, job(address_id="adr_9"), START, None, RULES) is None


def test_a_canceled_job_is_asked_back_with_the_usual_length_and_the_employee():
    """J-57."""
    assert revive(START, RULES) == MoveJob(START, END, 0, EMPLOYEE)


@pytest.mark.parametrize(
    ("found", "change"),
    [
        (job(), Unschedule()),
        (job(start=None), Unschedule()),
        (job(start=None, visits=()), None),
        (job(visits=TWO), Unschedule(VISIT)),
        (job(work_status="pro canceled"), None),
    ],
)
def test_a_schedule_is_taken_away_where_there_is_one(found, change):
    """J-62."""
    assert unschedule(OURS, found) == change


@pytest.mark.parametrize("word", ["in progress", "completed"])
def test_the_schedule_of_a_job_that_has_begun_stays(word):
    with pytest.raises(Unmoved):
        unschedule(OURS, job(work_status=word))
