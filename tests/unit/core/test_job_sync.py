"""Whether base and Housecall Pro agree, in status and words (jobs.md J-59, J-61 … J-69)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from changeover.core.job import Gone, Visit
from changeover.core.job_sync import Context, after_unscheduling, followed, urgent_mismatch
from changeover.core.job_texts import settled
from changeover.core.stay import Status
from plugins.job_world import END, JOB, NOW, OTHER_VISIT, PHOENIX, RULES, START, VISIT, home, job, row, state

CONTEXT = Context(RULES, home())
HOUR = timedelta(hours=1)
UNSCHEDULED = {"start": None, "visits": (), "work_status": "needs scheduling"}
TWO = (Visit(VISIT, START, END), Visit(OTHER_VISIT, START + 2 * HOUR, END + 2 * HOUR))
STILL = "⚠️ Stay removed but HCP job is still"


def seen(found, before=state(), context=CONTEXT, **changed):
    return followed(row(job=before, **changed), found, context)


def verdict(found, before=state(), context=CONTEXT, **changed):
    after = seen(found, before, context, **changed).state
    return after.sync_status, after.schedule_details


def test_a_row_in_step_with_its_job_stays_as_it_is():
    assert seen(job()).state == state()


@pytest.mark.parametrize(
    ("start", "status", "details"),
    [
        (START + timedelta(seconds=40), "Synced", ""),
        (START + HOUR, "Wrong Time", "Airtable shows 10:15 AM but HCP shows 11:15 AM"),
        (START + timedelta(hours=14), "Wrong Date", "Airtable shows March 4 but HCP shows March 5"),
        (START + timedelta(hours=13), "Wrong Time", "Airtable shows 10:15 AM but HCP shows 11:15 PM"),
        (START.replace(year=2027), "Wrong Date", "Airtable shows March 4, 2026 but HCP shows March 4, 2027"),
    ],
)
def test_dates_are_local_and_years_count(start, status, details):
    """J-68, JX-29, JX-47."""
    assert verdict(job(start=start)) == (status, details)


def test_a_job_without_a_start_is_not_created():
    """JM-8."""
    assert verdict(job(**UNSCHEDULED)) == ("Not Created", "⚠️ HCP job exists but has no appointment scheduled")


def test_a_start_that_the_answer_left_out_decides_nothing():
    before = state(sync_status="Wrong Time", schedule_details="Airtable shows 1:00 PM but HCP shows 2:00 PM")
    found = job(start=None, visits=(), absent=frozenset({"start", "visits"}))
    assert seen(found, before).state == before


def test_a_canceled_job_says_when_in_both_details():
    """JM-4."""
    after = seen(job(work_status="user canceled", canceled_at=START)).state
    assert (after.status, after.sync_status) == ("Canceled", "Not Created")
    assert after.schedule_details == after.service_details == "Job canceled on March 4 at 10:15 AM"


def test_a_cancellation_without_an_instant_is_dated_by_the_first_read_of_it():
    found = job(work_status="canceled", updated=START)
    first = settled(state(), seen(found).state, NOW, PHOENIX)
    assert first.schedule_details.startswith("Job canceled on March 4 at 10:15 AM - ")
    again = seen(replace(found, updated=START + HOUR), first).state
    assert settled(first, again, NOW + HOUR, PHOENIX) == first
    assert verdict(replace(found, updated=None))[1] == "Job canceled"


def test_a_deleted_job_is_not_created_and_its_id_stays():
    """JM-13."""
    after = seen(Gone(JOB)).state
    assert (after.job_id, after.status, after.sync_status) == (JOB, "Canceled", "Not Created")
    assert after.schedule_details == after.service_details == "Job deleted in HCP"


@pytest.mark.parametrize("word", ["in progress", "complete rated"])
def test_once_begun_the_sync_status_stays_and_the_details_go(word):
    """J-69."""
    before = state(sync_status="Wrong Time", schedule_details="Airtable shows 1:00 PM but HCP shows 2:00 PM")
    assert verdict(job(work_status=word, start=START + HOUR), before) == ("Wrong Time", "")


def test_a_job_at_another_address_has_failed():
    """J-65."""
    found = seen(job(address_id="adr_9"))
    assert found.elsewhere
    assert found.state.sync_status == "Failed"
    assert found.state.schedule_details == "⚠️ HCP job is at another address than the property"
    assert verdict(job(), found.state) == ("Synced", "")


def test_a_failed_write_stands_until_the_times_are_equal():
    """J-68."""
    text = "❌ Failed to update schedule: no - Mar 1, 9:00 AM"
    before = state(sync_status="Failed", schedule_details=text)
    assert verdict(job(start=START + HOUR), before) == ("Failed", text)
    assert verdict(job(), before) == ("Synced", "")
    other = state(sync_status="Failed", schedule_details="something else")
    assert verdict(job(start=START + HOUR), other)[0] == "Wrong Time"


def test_matched_is_kept_while_times_are_equal_and_nobody_writes():
    """J-68."""
    matched = state(sync_status="Matched")
    assert verdict(job(), context=replace(CONTEXT, linked=True)) == ("Matched", "")
    assert verdict(job(), matched) == ("Matched", "")
    assert verdict(job(), matched, replace(CONTEXT, written=True)) == ("Synced", "")
    assert verdict(job(), state(sync_status="Wrong Time")) == ("Synced", "")


def test_a_custom_time_that_cannot_be_read_compares_nothing():
    assert verdict(job(start=START + HOUR), custom_time="noonish") == ("Synced", "")


def test_several_visits_without_the_rows_own_are_named_and_the_nearest_counts():
    """J-61, JM-9."""
    unknown = state(appointment_id="")
    text = "⚠️ HCP job has 2 appointments; comparing March 4 at 10:15 AM"
    after = seen(job(visits=TWO), unknown).state
    assert (after.sync_status, after.schedule_details, after.appointment_id) == ("Synced", text, "")
    late = "⚠️ HCP job has 2 appointments; comparing March 4 at 12:15 PM"
    assert verdict(job(visits=TWO), unknown, custom_time="1:00 PM") == ("Wrong Time", late)
    assert verdict(job(visits=TWO)) == ("Synced", "")


# -- removed stays ---------------------------------------------------------------------------------------------------


def removed(found, before=state(), context=CONTEXT):
    return seen(found, before, context, status=Status.REMOVED)


def test_a_removed_stay_whose_cleaners_still_come_is_told_with_the_time():
    """J-64, JM-10."""
    found = removed(job())
    assert found.removed_with_job
    assert found.state.schedule_details == f"{STILL} scheduled for March 4 at 10:15 AM"
    assert found.state.sync_status == "Synced"


def test_a_removed_stay_whose_job_never_had_a_time_is_told_too():
    before = state(scheduled=None, sync_status="Not Created", schedule_details="⚠️ HCP job exists but …")
    found = removed(job(**UNSCHEDULED), before)
    assert found.removed_with_job
    assert found.state.schedule_details == f"{STILL} open"
    assert removed(job(**UNSCHEDULED), found.state) == found


def test_the_text_of_a_removed_stay_ends_when_its_job_is_unscheduled():
    """J-64."""
    told = removed(job()).state
    for before in (told, after_unscheduling(row(job=told, status=Status.REMOVED))):
        ended = removed(job(**UNSCHEDULED), before)
        assert not ended.removed_with_job
        assert (ended.state.sync_status, ended.state.schedule_details) == ("Not Created", "")
        assert removed(job(**UNSCHEDULED), ended.state).state.schedule_details == ""


def test_the_text_of_a_removed_stay_ends_when_the_job_is_canceled_or_the_row_lives_again():
    told = removed(job()).state
    assert removed(job(work_status="user canceled", canceled_at=START), told).state.schedule_details.startswith("Job c")
    assert verdict(job(), told) == ("Synced", "")


def test_where_removed_stays_are_unscheduled_nothing_is_told():
    """J-64."""
    assert removed(job(), context=replace(CONTEXT, notify_removed=False)).state.schedule_details == ""


def test_a_click_that_deletes_a_schedule_empties_the_rows_visit():
    """J-62."""
    after = after_unscheduling(row(job=state()))
    assert (after.status, after.sync_status, after.scheduled) == ("Unscheduled", "Not Created", None)
    assert after.service_details == "Schedule deleted"
    assert seen(job(**UNSCHEDULED, assignees=()), after).state == after


# -- the rest --------------------------------------------------------------------------------------------------------


def test_news_replaces_the_last_activity_and_nothing_new_leaves_it():
    """JM-15."""
    before = state(service_details="Schedule deleted - Feb 2, 8:00 AM", assignee="Kim Example")
    assert seen(job(), before).state.service_details == "Assignee updated: Robin Example"
    assert seen(job(assignees=("Kim Example",)), before).state.service_details == before.service_details


def test_an_unknown_word_is_handed_on():
    assert seen(job(work_status="paused")).unknown_status == "paused"


@pytest.mark.parametrize(
    ("status", "hours", "live", "urgent"),
    [
        ("Wrong Time", 47, True, True),
        ("Wrong Date", 49, True, False),
        ("Synced", 1, True, False),
        ("Wrong Time", 1, False, False),
    ],
)
def test_a_wrong_time_is_urgent_within_two_days_of_either_start(status, hours, live, urgent):
    """J-63."""
    asked = row(status=Status.NEW if live else Status.REMOVED)
    now = START - timedelta(hours=hours)
    assert urgent_mismatch(asked, state(sync_status=status), now, RULES) is urgent
    if urgent:
        other = replace(asked, custom_time="noonish")
        assert urgent_mismatch(other, state(sync_status=status), now, RULES)
        assert not urgent_mismatch(other, state(sync_status=status, scheduled=None), now, RULES)
