"""What people read about jobs, word for word (jobs.md J-3, J-70, JM-1 … JM-16)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from changeover.core import job_texts
from changeover.core.job_texts import Words, assignee, settled, unstamped
from plugins.job_world import NOW, PHOENIX, START, state

WORDS = Words(PHOENIX)
NEXT_YEAR = datetime(2027, 3, 4, 17, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (WORDS.in_sync(START), "Schedules in sync: March 4 at 10:15 AM"),
        (WORDS.wrong_date(START, START + timedelta(days=1)), "Airtable shows March 4 but HCP shows March 5"),
        (WORDS.wrong_date(START, NEXT_YEAR), "Airtable shows March 4, 2026 but HCP shows March 4, 2027"),
        (WORDS.wrong_time(START, START + timedelta(hours=2)), "Airtable shows 10:15 AM but HCP shows 12:15 PM"),
        (WORDS.canceled(START), "Job canceled on March 4 at 10:15 AM"),
        (WORDS.updated(START), "✅ Schedule updated successfully. HCP now shows March 4 at 10:15 AM"),
        (job_texts.update_failed("no"), "❌ Failed to update schedule: no"),
        (job_texts.NO_JOB, "⚠️ No HCP job exists for this reservation"),
        (job_texts.NOT_SCHEDULED, "⚠️ HCP job exists but has no appointment scheduled"),
        (WORDS.several_visits(2, START), "⚠️ HCP job has 2 appointments; comparing March 4 at 10:15 AM"),
        (
            WORDS.still_scheduled(START),
            "⚠️ Stay removed but HCP job is still scheduled for March 4 at 10:15 AM",
        ),
        (job_texts.STILL_OPEN, "⚠️ Stay removed but HCP job is still open"),
        (job_texts.OTHER_ADDRESS, "⚠️ HCP job is at another address than the property"),
        (job_texts.lines_missing("too long"), "❌ Job created, line items missing: too long"),
        (job_texts.DELETED, "Job deleted in HCP"),
        (WORDS.created(START), "✅ Job created for March 4 at 10:15 AM"),
        (WORDS.linked(START), "✅ Linked to HCP job for March 4 at 10:15 AM"),
        (job_texts.SCHEDULE_DELETED, "Schedule deleted"),
        (job_texts.assigned("Robin Example"), "Assignee updated: Robin Example"),
        (job_texts.assigned(""), "Assignee removed"),
        (job_texts.IN_PROGRESS, "Job in progress"),
        (WORDS.completed(START), "Job completed on March 4 at 10:15 AM"),
        (job_texts.LINE_UPDATED, "Service line updated"),
        (job_texts.LINE_KEPT, "⚠️ Service line edited in HCP; not overwritten"),
        (WORDS.stamp(NOW), " - Mar 1, 9:00 AM"),
        (WORDS.time(datetime(2026, 3, 4, 7, 5, tzinfo=UTC)), "12:05 AM"),
        (WORDS.time(datetime(2026, 3, 4, 19, 0, tzinfo=UTC)), "12:00 PM"),
    ],
)
def test_the_sentences_are_these(text, expected):
    assert text == expected


def test_names_are_joined_from_what_is_not_empty():
    """J-66."""
    assert assignee(["Robin  Example", " ", "", "Kim"]) == "Robin Example, Kim"


def test_a_stamp_comes_off_and_nothing_else_does():
    assert unstamped("Schedule deleted - Mar 1, 9:00 AM") == "Schedule deleted"
    assert unstamped("Custom - Mar 1 - Dec 12, 12:59 PM") == "Custom - Mar 1"
    assert unstamped("Schedule deleted") == "Schedule deleted"


def test_a_new_text_is_stamped_and_moves_the_time_of_our_change():
    """J-3, J-70."""
    after = settled(state(), state(schedule_details="Job deleted in HCP"), NOW, PHOENIX)
    assert after.schedule_details == "Job deleted in HCP - Mar 1, 9:00 AM"
    assert after.synced == NOW


def test_a_text_that_says_the_same_keeps_its_stamp_and_nothing_is_written():
    before = state(service_details="Schedule deleted - Feb 2, 8:00 AM", synced=NOW - timedelta(days=9))
    assert settled(before, replace(before, service_details="Schedule deleted", synced=NOW), NOW, PHOENIX) == before


def test_an_emptied_text_has_no_stamp():
    before = state(schedule_details="Job deleted in HCP - Mar 1, 9:00 AM")
    after = settled(before, state(), NOW, PHOENIX)
    assert after == replace(state(), synced=NOW)


def test_another_cell_moves_the_time_and_leaves_the_texts():
    before = state(service_details="Schedule deleted - Feb 2, 8:00 AM")
    after = settled(before, replace(before, assignee=""), NOW, PHOENIX)
    assert after == replace(before, assignee="", synced=NOW)
