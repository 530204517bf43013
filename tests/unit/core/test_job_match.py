"""Which job belongs to which stay (jobs.md J-5, J-84 … J-92)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from changeover.core.job import Group, JobState, JobTypes, marker
from changeover.core.job_match import (
    Confidence,
    Matching,
    OpenStay,
    Pair,
    candidates,
    duplicates,
    match,
    orphans,
    plain_address,
    served,
)
from changeover.core.stay import Status
from plugins.job_world import ADDRESS, CUSTOMER, JOB, NOW, ROW, RULES, START, case, home, job, row

OTHER = "recSTAY0000000002"
STAY = OpenStay(ROW, CUSTOMER, ADDRESS, home().address, START, Group.TURNOVER)
MINUTE = timedelta(minutes=1)
NONE = frozenset()


def pairs(*jobs, stays=(STAY,), rules=RULES):
    return [(pair.record_id, pair.job_id, str(pair.confidence)) for pair in match(stays, jobs, rules).pairs]


def test_a_case_is_looked_at_with_customer_place_start_and_group():
    """J-84."""
    assert OpenStay.of(case()) == STAY
    assert OpenStay.of(case(row(service_type="Inspection"))).group is Group.INSPECTION
    unusable = (case(at=home(customer_id=None)), case(row(check_out=None)), replace(case(), homes={}))
    assert [OpenStay.of(each) for each in unusable] == [None, None, None]


def test_canceled_jobs_templates_and_jobs_of_rows_are_no_candidates():
    """J-84."""
    jobs = [job(), job(), job(id="job_c", work_status="user canceled"), job(id="job_t"), job(id="job_l")]
    assert candidates(jobs, taken=frozenset({"job_l"}), templates=frozenset({"job_t"})) == (job(),)


def test_a_marker_is_certain_whatever_the_time():
    """J-86."""
    marked = {"notes": (marker(ROW),), "start": None, "job_type_id": "jbt_strange"}
    assert match([STAY], [job(**marked)], RULES).pairs == (Pair(ROW, JOB, Confidence.CERTAIN, None),)
    assert pairs(job(**marked, customer_id="cus_9")) == []
    assert pairs(job(**{**marked, "notes": (marker(ROW), marker(OTHER))})) == []
    assert pairs(job(**{**marked, "notes": (marker(OTHER),)})) == []


def test_of_two_jobs_with_one_marker_the_older_is_linked():
    jobs = [job(id=f"job_{hours}", notes=(marker(ROW),), created=NOW + hours * 60 * MINUTE) for hours in (2, 1)]
    assert pairs(*jobs) == [(ROW, "job_1", "certain")]
    undated = job(id="job_0", notes=(marker(ROW),), created=None)
    assert pairs(*jobs, undated) == [(ROW, "job_1", "certain")]


@pytest.mark.parametrize(
    ("changed", "confidence"),
    [
        ({}, "exact"),
        ({"start": START + 60 * MINUTE}, "exact"),
        ({"start": START - 61 * MINUTE}, "suggested"),
        ({"start": START + timedelta(hours=13, minutes=44)}, "suggested"),  # a minute before midnight in Phoenix
        ({"start": START + timedelta(hours=13, minutes=45)}, None),
        ({"start": None}, None),
        ({"job_type_id": None}, "exact"),
        ({"job_type_id": "jbt_owner"}, "exact"),
        ({"job_type_id": "jbt_laundry"}, None),
        ({"job_type_id": "jbt_strange"}, None),
        ({"customer_id": "cus_9"}, "suggested"),  # the address is equal as a text
        ({"customer_id": "cus_9", "address": "2 Example Rd"}, None),
        ({"address_id": "adr_9"}, "suggested"),
        ({"address_id": "adr_9", "address": ""}, None),
        ({"address_id": "", "start": START + timedelta(hours=2)}, "suggested"),
    ],
)
def test_a_pair_is_as_sure_as_its_time_place_and_type(changed, confidence):
    """J-85, J-87, J-89."""
    assert pairs(job(**changed)) == ([(ROW, JOB, confidence)] if confidence else [])


def test_a_home_without_an_address_in_words_is_never_suggested_by_words():
    assert pairs(job(address_id="adr_9", address=""), stays=[replace(STAY, address="")]) == []


def test_a_type_that_stands_for_all_groups_fits_each():
    """J-8, J-85."""
    rules = replace(RULES, types=JobTypes("jbt_guest"))
    assert pairs(job(), stays=[replace(STAY, group=Group.LAUNDRY)], rules=rules) == [(ROW, JOB, "exact")]


def test_several_exact_candidates_on_either_side_are_ambiguous_and_none_is_linked():
    """J-88, JX-48."""
    two_jobs = match([STAY], [job(), job(id="job_2", start=START + 5 * MINUTE)], RULES)
    assert {pair.confidence for pair in two_jobs.pairs} == {Confidence.AMBIGUOUS}
    two_stays = match([STAY, replace(STAY, record_id=OTHER)], [job()], RULES)
    assert two_stays.rows(Confidence.AMBIGUOUS) == two_stays.held == {ROW, OTHER}
    assert two_stays.linked == two_jobs.linked == ()


def test_what_is_certain_takes_part_in_nothing_weaker():
    marked = job(id="job_2", notes=(marker(ROW),))
    found = match([STAY, replace(STAY, record_id=OTHER)], [job(), marked], RULES)
    assert [(pair.record_id, pair.job_id) for pair in found.linked] == [(ROW, "job_2"), (OTHER, JOB)]
    assert found.of(OTHER)[0].confidence is Confidence.EXACT
    assert found.held == NONE


def test_an_ambiguous_row_is_not_suggested_other_jobs():
    far = job(id="job_far", start=START + timedelta(hours=5))
    found = match([STAY], [job(), job(id="job_2"), far], RULES)
    assert found.jobs() == {JOB, "job_2"}


@pytest.mark.parametrize("number", [1, 2, 9, 10, 11, 60])
def test_any_number_of_rows_finds_its_jobs(number):
    """JX-49: few of them are looked up just as many are."""
    days = [timedelta(days=each) for each in range(number)]
    stays = [replace(STAY, record_id=f"recSTAY{place:010d}", start=START + day) for place, day in enumerate(days)]
    jobs = [job(id=f"job_{place:032x}", start=START + day) for place, day in enumerate(days)]
    found = match(stays, jobs, RULES)
    assert [(pair.record_id, pair.job_id) for pair in found.linked] == [
        (one.record_id, other.id) for one, other in zip(stays, jobs, strict=True)
    ]


def test_the_order_of_rows_and_jobs_changes_nothing():
    stays = [STAY, replace(STAY, record_id=OTHER, start=START + timedelta(days=1))]
    jobs = [job(), job(id="job_2"), job(id="job_3", start=START + timedelta(days=1, hours=2))]
    found = match(stays, jobs, RULES)
    assert match(stays[::-1], jobs[::-1], RULES) == found
    assert (found.total, found.unmatched) == (2, 0)
    assert match(stays, [], RULES).unmatched == 2


def test_how_far_apart_a_pair_is_is_told_in_minutes():
    """J-93."""
    assert match([STAY], [job(start=START - 7 * MINUTE)], RULES).pairs[0].minutes_apart == 7


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1 Example Rd, Mesa, AZ 85201", "1 EXAMPLE ROAD  Mesa AZ 85201-1234"),
        ("12 N Example St #5, Mesa", "12 North Example Street Apt 5 Mesa, USA"),
        ("12 Example Ave Apt #5", "12 example avenue unit 5"),
    ],
)
def test_an_address_is_compared_in_plain_words(one, other):
    assert plain_address(one) == plain_address(other) != ""


def test_different_addresses_stay_different_and_an_empty_one_equals_nothing():
    assert plain_address("12 Example St #5") != plain_address("12 Example St #6")
    assert plain_address(" , ") == ""


def test_of_two_rows_with_one_job_the_one_last_modified_is_served():
    """J-5."""
    with_job = JobState(JOB)
    old = row(record_id=OTHER, job=with_job, modified=NOW)
    new = row(job=with_job, modified=NOW + MINUTE)
    never = row(record_id="recSTAY0000000003", job=with_job)
    rows = [old, new, never, row(record_id="rec4", job=with_job, status=Status.OLD), row(record_id="rec5")]
    newest, contested = served(rows)
    assert newest == {JOB: new}
    assert contested == {JOB: (ROW, OTHER, "recSTAY0000000003")}


def test_an_open_job_of_our_types_that_no_row_may_have_is_an_orphan():
    """J-92."""
    jobs = [
        job(id="job_b"),
        job(id="job_a"),
        job(id="job_done", work_status="complete rated"),
        job(id="job_strange", job_type_id="jbt_strange"),
        job(id="job_untyped", job_type_id=None),
        job(id="job_unknown", work_status="paused"),
        job(id="job_paired"),
    ]
    paired = Matching((Pair(ROW, "job_paired", Confidence.SUGGESTED, 90),), 1)
    assert orphans(jobs, paired, RULES) == ("job_a", "job_b")


def test_two_open_jobs_of_one_address_day_and_group_are_duplicates():
    """J-92."""
    jobs = [
        job(),
        job(id="job_2", start=START + timedelta(hours=3), job_type_id="jbt_owner"),
        job(id="job_laundry", job_type_id="jbt_laundry"),
        job(id="job_tomorrow", start=START + timedelta(days=1)),
        job(id="job_canceled", work_status="user canceled"),
        job(id="job_nowhere", address_id=""),
        job(id="job_never", start=None),
        job(id="job_untyped", job_type_id=None),
    ]
    assert duplicates(jobs, RULES) == (tuple(sorted((JOB, "job_2"))),)
    shared = replace(RULES, types=JobTypes("jbt_guest"))
    assert duplicates([job(), job(id="job_2")], shared) == (tuple(sorted((JOB, "job_2"))),)
