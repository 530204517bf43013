"""Who gets a job and why the others do not (jobs.md J-15 … J-30)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from changeover.core.job import JobState
from changeover.core.job_eligibility import (
    FOR_DELETION,
    FOR_LINKING,
    FOR_UPDATE,
    Code,
    Level,
    Takes,
    address_mismatch,
    ambiguous,
    line_conflict,
    no_job,
    not_found,
    refusal,
    taken_automatically,
    template_unusable,
)
from changeover.core.stay import EntryType, Status
from plugins.job_world import NOW, ROW, case, home, row

BLOCK = EntryType.BLOCK


def test_a_guest_of_a_complete_home_gets_a_job():
    assert refusal(case()) is None
    assert refusal(case(automatic=True)) is None


@pytest.mark.parametrize(
    ("changed", "rule", "code", "words"),
    [
        ({"status": Status.OLD}, "J-17", Code.NOT_ELIGIBLE, "Status is Old"),
        ({"status": Status.REMOVED}, "J-17", Code.NOT_ELIGIBLE, "Status is Removed"),
        ({"status": None}, "J-17", Code.NOT_ELIGIBLE, "Status is empty"),
        ({"service_type": "Needs Review"}, "J-18", Code.NOT_ELIGIBLE, "Needs Review gets no job"),
        ({"service_type": "No Service"}, "J-18", Code.NOT_ELIGIBLE, "No Service"),
        ({"service_type": "Canceled"}, "J-18", Code.NOT_ELIGIBLE, "Canceled"),
        ({"service_type": "Owner Arrival"}, "J-18", Code.NOT_ELIGIBLE, "Owner Arrival"),
        ({"entry_type": BLOCK, "service_type": ""}, "J-19", Code.NOT_ELIGIBLE, "no Service Type"),
        ({"entry_type": BLOCK, "ready": False}, "J-19", Code.NOT_ELIGIBLE, "Ready for Job"),
        ({"check_out": None}, "J-20", Code.NO_SERVICE_TIME, "no Check-out Date"),
        ({"custom_time": "after lunch"}, "J-20", Code.NO_SERVICE_TIME, "9:30 AM, 14:00"),
        ({"custom_time": "2026-02-28 11:00 PM"}, "J-21", Code.NOT_ELIGIBLE, "2026-02-28"),
        ({"property_id": ""}, "J-22", Code.NO_PROPERTY, "no Property ID"),
        ({"property_id": "recHOME0000000009"}, "J-22", Code.NO_PROPERTY, "does not exist"),
    ],
)
def test_a_row_is_refused_by_the_first_rule_that_forbids_it(changed, rule, code, words):
    found = refusal(case(row(**changed)))
    assert found is not None
    assert (found.rule, found.code) == (rule, code)
    assert words in found.text


@pytest.mark.parametrize(
    ("changed", "rule", "code", "text"),
    [
        ({"customer_id": None}, "J-24", Code.NO_HCP_CUSTOMER, 'Property "Cactus House" has no HCP Customer ID.'),
        ({"customer_id": "Pat Owner"}, "J-24", Code.NO_HCP_CUSTOMER, None),
        ({"address_id": ""}, "J-25", Code.NO_HCP_ADDRESS, 'Property "Cactus House" has no HCP Address ID.'),
        ({"address_id": "1 Example Rd"}, "J-25", Code.NO_HCP_ADDRESS, None),
        (
            {"turnover_template": ""},
            "J-26",
            Code.NO_TEMPLATE,
            'Property "Cactus House" has no Turnover Job Template ID.',
        ),
        ({"turnover_template": "tmpl_1"}, "J-26", Code.NO_TEMPLATE, None),
    ],
)
def test_a_home_is_refused_with_the_cell_to_repair(changed, rule, code, text):
    """J-29."""
    found = refusal(case(at=home(**changed)))
    assert found is not None
    assert (found.rule, found.code, found.code.http) == (rule, code, 422)
    assert "Cactus House" in found.text
    assert text in (None, found.text)


def test_the_template_asked_for_is_that_of_the_service():
    laundry = case(row(service_type="Return Laundry"), at=home(laundry_template=""))
    assert "Return Laundry Job Template ID" in refusal(laundry).text
    assert refusal(case(at=home(laundry_template="", inspection_template=""))) is None


@pytest.mark.parametrize(
    ("level", "automatic", "stopped"),
    [
        (Level.PAUSE, False, False),
        (Level.PAUSE, True, True),
        (Level.READ_ONLY, False, True),
        (Level.FULL, False, True),
        (Level.NONE, True, False),
    ],
)
def test_a_stop_holds_buttons_from_read_only_on_and_the_cycle_at_any_level(level, automatic, stopped):
    """J-15."""
    found = refusal(case(stop=level, automatic=automatic))
    assert (found is not None) is stopped
    assert found is None or (found.code, found.code.http) == (Code.STOPPED, 423)


@pytest.mark.parametrize(
    ("changed", "asked"),
    [
        ({"suspected_cancel": True}, {}),
        ({"custom_time": "2026-03-03 9:00 AM"}, {}),
        ({}, {"held": frozenset({ROW})}),
    ],
)
def test_the_cycle_leaves_to_people_what_a_button_may_do(changed, asked):
    """J-13, J-23."""
    found = refusal(case(row(**changed), automatic=True, **asked))
    assert found is not None
    assert (found.rule, found.code) == ("J-23", Code.NOT_ELIGIBLE)
    assert refusal(case(row(**changed), **asked)) is None


def test_earlier_today_is_not_the_past():
    """J-21."""
    evening = datetime(2026, 3, 5, 6, 0, tzinfo=UTC)  # 11 PM of March 4
    assert refusal(case(now=evening)) is None
    assert refusal(case(now=evening.replace(hour=8))).rule == "J-21"


def test_a_ticked_block_with_a_service_gets_a_job():
    assert refusal(case(row(entry_type=BLOCK, service_type="Deep Clean"))) is None


def test_what_a_move_needs_is_less_than_what_a_job_needs():
    """J-60."""
    past = case(row(custom_time="2026-02-01 9:00 AM"), at=home(address_id=""))
    assert refusal(past, FOR_UPDATE) is None
    assert refusal(case(row(custom_time="noonish")), FOR_UPDATE).rule == "J-20"


def test_a_removed_rows_schedule_may_be_deleted_unless_stopped():
    """J-62."""
    removed = row(status=Status.REMOVED)
    assert refusal(case(removed), FOR_DELETION) is None
    assert refusal(case(removed, stop=Level.FULL), FOR_DELETION).rule == "J-15"


def test_linking_asks_neither_for_the_tick_nor_the_template_nor_the_date():
    """J-84."""
    block = row(entry_type=BLOCK, ready=False, suspected_cancel=True, custom_time="2026-02-01 9:00 AM")
    linkable = case(block, at=home(turnover_template=""), stop=Level.FULL, automatic=True)
    assert refusal(linkable, FOR_LINKING) is None
    assert refusal(replace(linkable, homes={}), FOR_LINKING).rule == "J-22"
    assert refusal(case(row(status=Status.REMOVED)), FOR_LINKING).rule == "J-17"


def test_without_a_home_the_rules_of_homes_do_not_speak():
    assert [check(replace(case(), homes={})) for check in FOR_LINKING[-2:]] == [None, None]
    without = replace(case(row(check_out=None)), homes={})
    assert refusal(without).rule == "J-20"


def test_what_only_housecall_pro_knows_is_refused_in_the_same_words():
    """J-16, J-27, J-28."""
    assert (not_found().code.http, address_mismatch(home()).code.http) == (404, 409)
    assert "Cactus House" in address_mismatch(home()).text
    assert "Inspection Job Template ID" in template_unusable(home(), "Inspection").text
    assert Code.MULTI_VISIT.http == 409


def test_what_only_a_person_can_decide_names_what_to_do():
    """J-60, J-90, J-103."""
    assert (no_job().code.http, no_job().text) == (404, "⚠️ No HCP job exists for this reservation")
    assert "(job_1, job_2)" in ambiguous({"job_2", "job_1"}).text
    assert "Last Synced Service Line" in line_conflict().text
    assert {ambiguous([]).code, line_conflict().code} == {Code.NOT_ELIGIBLE}


@pytest.mark.parametrize(
    ("changed", "ready", "every"),
    [
        ({}, True, True),
        ({"ready": False}, False, True),
        ({"entry_type": BLOCK}, True, True),
        ({"entry_type": BLOCK, "ready": False}, False, False),
        ({"job": JobState(job_id="job_1")}, False, False),
        ({"job": JobState(job_id="old_job_1")}, True, True),
        ({"status": Status.REMOVED}, False, False),
    ],
)
def test_the_cycle_takes_ticked_rows_or_all_but_blocks_or_none(changed, ready, every):
    """J-30."""
    taken = [taken_automatically(row(**changed), takes) for takes in (Takes.READY, Takes.ALL, Takes.OFF)]
    assert taken == [ready, every, False]


def test_a_template_is_missing_from_a_home_that_is_missing():
    no_home = replace(case(automatic=True, now=NOW), homes={})
    assert refusal(no_home).code is Code.NO_PROPERTY
