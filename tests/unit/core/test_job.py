"""Words, groups, templates and types of jobs, and the note they are found by (jobs.md J-4, J-8, J-29 … J-33, J-49)."""

from __future__ import annotations

import pytest

from changeover.core.job import (
    Group,
    JobState,
    JobStatus,
    JobTypes,
    is_record_id,
    marked_rows,
    marker,
)
from changeover.core.stay import Status
from plugins.job_world import ROW, TYPES, home, job, row


@pytest.mark.parametrize(
    ("service", "group"),
    [
        ("Return Laundry", Group.LAUNDRY),
        ("Inspection", Group.INSPECTION),
        ("Turnover", Group.TURNOVER),
        ("Deep Clean", Group.TURNOVER),
        ("A word of tomorrow", Group.TURNOVER),
    ],
)
def test_laundry_and_inspection_have_templates_of_their_own_and_all_else_is_a_turnover(service, group):
    """J-32."""
    assert Group.of(service) is group
    templates = {Group.LAUNDRY: home().laundry_template, Group.INSPECTION: home().inspection_template}
    assert home().template(service) == templates.get(group, home().turnover_template)


@pytest.mark.parametrize(
    ("service", "owner", "type_id"),
    [
        ("Turnover", False, "jbt_guest"),
        ("Deep Clean", True, "jbt_owner"),
        ("Return Laundry", True, "jbt_laundry"),
        ("Inspection", False, "jbt_inspection"),
    ],
)
def test_the_job_type_follows_the_service_and_the_owner_counts_for_turnovers_only(service, owner, type_id):
    """J-33."""
    assert TYPES.of(service, owner_arriving=owner) == type_id


@pytest.mark.parametrize("service", ["Turnover", "Return Laundry", "Inspection"])
def test_an_empty_type_falls_back_to_the_next_guests(service):
    """J-8."""
    assert JobTypes("jbt_guest").of(service, owner_arriving=True) == "jbt_guest"


def test_a_type_stands_for_its_group_and_a_shared_one_for_several():
    """J-85."""
    assert TYPES.groups("jbt_owner") == {Group.TURNOVER}
    assert TYPES.groups("jbt_laundry") == {Group.LAUNDRY}
    assert TYPES.groups("jbt_strange") == frozenset()
    assert JobTypes("jbt_guest").groups("jbt_guest") == set(Group)


def test_the_marker_is_always_the_same_and_is_found_among_other_notes():
    assert marker(ROW) == "Changeover ref recSTAY0000000001"
    noted = job(notes=("Gate is stiff", f"see {marker(ROW)}, thanks", marker("recSTAY0000000002")))
    assert marked_rows(noted) == {ROW, "recSTAY0000000002"}


@pytest.mark.parametrize("note", ["Changeover ref recSHORT", f"{marker(ROW)}9", "recSTAY0000000001"])
def test_what_only_looks_like_a_marker_names_no_row(note):
    assert marked_rows(job(notes=(note,))) == frozenset()


def test_a_record_id_has_a_form():
    assert is_record_id(ROW)
    assert not any(is_record_id(text) for text in ("", "rec", f"{ROW}x", f"{ROW}\n", "appSTAY0000000001"))


def test_an_id_of_history_is_no_job():
    """J-4."""
    assert row(job=JobState(job_id="old_job_1")).job_id == ""
    assert row(job=JobState(job_id=" job_1\n")).job_id == "job_1"


def test_a_row_without_service_type_counts_as_a_turnover():
    """J-29."""
    assert row(service_type="").service == "Turnover"
    assert row(service_type="Touchup").service == "Touchup"


def test_new_and_modified_rows_live():
    living = {status: row(status=status).live for status in (*Status, None)}
    assert living == {Status.NEW: True, Status.MODIFIED: True, Status.OLD: False, Status.REMOVED: False, None: False}


def test_a_job_is_open_until_it_is_completed_or_canceled():
    assert [status for status in JobStatus if not status.open] == [JobStatus.COMPLETED, JobStatus.CANCELED]
