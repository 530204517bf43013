"""Cases where two rules meet between sources: one row for one stay, whoever shows it, whenever (R-49 … R-55, R-71)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from changeover.core.plan import Plan
from changeover.core.stay import (
    EntryType,
    HoldReason,
    Observation,
    Report,
    Source,
    Status,
    Stay,
)
from plugins.paper_base import AIRBNB, BOOKING, CASA, LOFT, VRBO, PaperBase, block, day, guest

ITRIP = Source("csv_itrip", "csv_itrip", "iTrip", "iTrip report")


@pytest.fixture
def base() -> PaperBase:
    made = PaperBase()
    made.sources[ITRIP.key] = ITRIP
    return made


def both(base: PaperBase, airbnb: tuple[Observation, ...], booking: tuple[Observation, ...], **more: float) -> Plan:
    return base.run(base.batch(AIRBNB, *airbnb), base.batch(BOOKING, *booking), **more)


def row_of(base: PaperBase, uid: str) -> Stay:
    return next(stay for stay in base.stays.values() if stay.uid == f"{uid}_{CASA}")


def test_a_lagging_mirror_without_lasting_uids_makes_no_row(base: PaperBase) -> None:
    """R-53: where uids do not last, a tie is known by its nights and then by continuity."""
    both(base, (guest("a1", 10, 14),), (block("x1", 10, 14, stable_uid=False),))
    both(base, (guest("a1", 10, 18),), (block("x2", 10, 14, stable_uid=False),))
    both(base, (guest("a1", 10, 18),), (block("x3", 10, 16, stable_uid=False),))
    assert base.nights() == [(10, 18)]
    assert not both(base, (guest("a1", 10, 18),), (block("x4", 10, 18, stable_uid=False),)).changes


def test_two_closed_years_are_one_row_while_they_roll(base: PaperBase) -> None:
    """P-34, R-51: an open end is no date, so it does not tell two blocks apart."""
    for number in range(4):
        shown = [
            block(f"{source}{number}", 5, 365 + number, open_end=True, stable_uid=False) for source in ("a", "b", "v")
        ]
        batches = [base.batch(AIRBNB, shown[0]), base.batch(BOOKING, shown[1])]
        late = [base.batch(VRBO, shown[2])] if number > 1 else []
        base.run(*batches, *late, hours=24)
    assert len(base.live) == 1


def test_a_mirror_that_comes_back_first_brings_the_removed_row_back(base: PaperBase) -> None:
    """V-12, R-50: a stay that every source lost for a while keeps its row and its job, whoever shows it first."""
    both(base, (guest("a1", 10, 14),), (guest("b1", 10, 14),))
    base.edit(base.only, job_id="job_1")
    for _ in range(4):
        both(base, (), ())
    assert not base.live
    base.feed(BOOKING, guest("b1", 10, 14))
    assert (base.only.job_id, base.only.entry_source, base.only.uid) == ("job_1", "Booking.com", f"b1_{CASA}")
    assert both(base, (guest("a1", 10, 14),), (guest("b1", 10, 14),)).counts.of("new") == 0
    assert len(base.stays) == 1


def test_a_removed_row_that_loses_against_a_live_one_is_left_as_it_is(base: PaperBase) -> None:
    base.add_row(uid=f"a1_{CASA}", status=Status.REMOVED, job_id="job_1")
    base.add_row(uid=f"b1_{CASA}", source=BOOKING.key, url=BOOKING.url, job_id="job_2")
    base.edit(row_of(base, "b1"), created=row_of(base, "a1").created - timedelta(days=1))
    plan = both(base, (guest("a1", 10, 14),), (guest("b1", 10, 14),))
    assert base.only.job_id == "job_2"
    assert [change.verb for change in plan.changes if change.before and not change.before.live] == []
    assert not plan.alerts
    assert not both(base, (guest("a1", 10, 14),), (guest("b1", 10, 14),)).changes


def test_of_two_rows_the_older_stays_even_if_its_feed_is_down(base: PaperBase) -> None:
    """R-55: the job decides, then age; never which download worked."""
    older = base.add_row(uid=f"a1_{CASA}")
    base.add_row(uid=f"b1_{CASA}", source=BOOKING.key, url=BOOKING.url, check_in=day(20), check_out=day(24))
    base.feed(BOOKING, guest("b1", 10, 14))
    assert base.only.record_id == older.record_id


def test_a_merge_into_a_row_whose_feed_is_gone_takes_it_over_at_once(base: PaperBase) -> None:
    """R-71, invariant 2: nothing is left for the second run."""
    base.add_row(uid=f"old_{CASA}", source="orphan:1", url="https://gone.example/x", job_id="job_1")
    base.add_row(uid=f"b1_{CASA}", source=BOOKING.key, url=BOOKING.url, check_in=day(20), check_out=day(24))
    base.feed(BOOKING, guest("b1", 10, 14))
    assert (base.only.job_id, base.only.url, base.only.uid) == ("job_1", BOOKING.url, f"b1_{CASA}")
    assert not base.feed(BOOKING, guest("b1", 10, 14)).changes


def test_a_guests_row_without_feed_that_meets_a_block_does_not_flip(base: PaperBase) -> None:
    base.add_row(uid=f"old_{CASA}", source="orphan:1", url="https://gone.example/x")
    base.add_row(
        uid=f"b1_{CASA}",
        source=BOOKING.key,
        url=BOOKING.url,
        check_in=day(20),
        check_out=day(24),
        entry_type=EntryType.BLOCK,
        job_id="job_1",
    )
    base.feed(BOOKING, block("b1", 10, 14))
    assert not base.feed(BOOKING, block("b1", 10, 14)).changes


def test_a_stay_handed_to_a_mirror_on_another_rows_nights_is_merged_in_the_same_run(base: PaperBase) -> None:
    """Invariant 1: never two live rows for the same nights, not even until the next run."""
    both(base, (guest("a1", 10, 14),), (guest("b1", 10, 14),))
    base.run(base.batch(AIRBNB, guest("a1", 10, 14)), base.batch(VRBO, guest("v1", 10, 16)))
    both(base, (guest("a1", 10, 14),), (guest("b1", 10, 16),))
    for _ in range(4):
        base.run(base.batch(AIRBNB), base.batch(BOOKING, guest("b1", 10, 16)), base.batch(VRBO, guest("v1", 10, 16)))
    assert base.nights() == [(10, 16)]
    plan = base.run(base.batch(AIRBNB), base.batch(BOOKING, guest("b1", 10, 16)), base.batch(VRBO, guest("v1", 10, 16)))
    assert not plan.changes


def test_a_guest_in_another_calendar_keeps_the_row_a_reservation_while_that_calendar_is_down(base: PaperBase) -> None:
    """R-52: a Reservation wins over a Block, also in a run that does not read the Reservation's source."""
    both(base, (guest("a1", 10, 14),), (guest("b1", 10, 14),))
    plan = base.feed(AIRBNB, block("a1", 10, 14))
    assert (base.only.entry_type, base.only.entry_source) == (EntryType.RESERVATION, "Booking.com")
    assert plan.counts.of("modified") == 0
    assert not both(base, (block("a1", 10, 14),), (guest("b1", 10, 14),)).changes


def test_a_row_that_moves_house_leaves_its_mirrors_behind(base: PaperBase) -> None:
    """R-74: a calendar of the old house neither keeps the row alive nor takes it back."""
    both(base, (guest("a1", 10, 14),), (block("b1", 10, 14),))
    moved = guest("a1", 10, 14, home=LOFT)
    base.run(base.batch(AIRBNB, moved, home=LOFT), base.batch(BOOKING, block("b1", 10, 14)))
    assert {(stay.property_id, stay.entry_source) for stay in base.live} == {(CASA, "Booking.com"), (LOFT, "Airbnb")}
    assert next(stay for stay in base.live if stay.property_id == LOFT).also_seen_in == ""


def test_two_calendars_linked_to_the_new_house_together_stay_together(base: PaperBase) -> None:
    both(base, (guest("a1", 10, 15),), (block("b1", 10, 15),))
    both(base, (guest("a1", 10, 16),), (block("b1", 10, 15),))
    base.run(
        base.batch(AIRBNB, guest("a1", 10, 16, home=LOFT), home=LOFT),
        base.batch(BOOKING, block("b1", 10, 15, home=LOFT), home=LOFT),
    )
    assert (base.only.property_id, base.only.also_seen_in) == (LOFT, f"Booking.com · {BOOKING.key} · b1")


def test_a_source_joins_a_sourced_row_rather_than_the_peoples_row_beside_it(base: PaperBase) -> None:
    base.feed(AIRBNB, guest("a1", 10, 14))
    base.add_row(source=None, url="", uid="by hand", service_type="")
    base.feed(BOOKING, guest("b1", 10, 14))
    assert row_of(base, "a1").also_seen_in == f"Booking.com · {BOOKING.key} · b1"


def test_a_new_row_gives_way_to_one_that_a_mirror_brings_onto_its_nights(base: PaperBase) -> None:
    """Invariant 1: also when both happen in one run."""
    both(base, (guest("a1", 10, 14),), (guest("b1", 10, 14),))
    base.edit(base.only, job_id="job_1")
    for _ in range(4):
        both(base, (), (guest("b1", 10, 16),))
    assert base.nights() == [(10, 16)]
    base.edit(base.only, status=Status.MODIFIED)
    assert base.only.job_id == "job_1"


@pytest.mark.parametrize("job", ["", "job_2"])
def test_a_stay_that_appears_where_a_mirror_leads_another_is_the_same_stay(base: PaperBase, job: str) -> None:
    """R-54, R-55: the row with a job stays, and only one of them."""
    both(base, (guest("a1", 10, 14),), (guest("b1", 10, 14),))
    for _ in range(3):
        both(base, (), (guest("b1", 10, 16),))
    if job:
        base.feed(VRBO, guest("v1", 10, 16), hours=0)
        base.edit(row_of(base, "v1"), job_id=job)
    base.run(base.batch(AIRBNB), base.batch(BOOKING, guest("b1", 10, 16)), base.batch(VRBO, guest("v1", 10, 16)))
    assert (base.nights(), base.only.job_id) == ([(10, 16)], job)
    assert not both(base, (), (guest("b1", 10, 16),)).changes


def test_rows_of_one_uid_wait_until_their_calendar_says_which_nights_are_right(base: PaperBase) -> None:
    base.add_row(uid=f"u1_{CASA}")
    base.add_row(uid=f"u1_{CASA}", check_in=day(20), check_out=day(24))
    assert not base.feed(BOOKING, guest("b1", 40, 42)).counts.of("retired")
    base.feed(AIRBNB, guest("u1", 20, 24))
    assert base.nights() == [(20, 24), (40, 42)]


def test_a_tie_by_nights_ends_where_the_row_has_gone_elsewhere(base: PaperBase) -> None:
    """R-53: no common night left, so the mirror is a stay of its own."""
    both(base, (guest("a1", 10, 14),), (block("x1", 10, 14, stable_uid=False),))
    both(base, (guest("a1", 20, 24),), (block("x2", 10, 14, stable_uid=False),))
    assert base.nights() == [(10, 14), (20, 24)]
    assert base.live[1].also_seen_in == ""


def test_of_two_uids_of_one_mirror_the_one_that_leaves_is_a_stay_of_its_own(base: PaperBase) -> None:
    both(base, (guest("a1", 10, 14),), (block("b1", 10, 14), block("b2", 10, 14)))
    both(base, (guest("a1", 10, 14),), (block("b1", 10, 14), block("b2", 30, 34)))
    assert base.nights() == [(10, 14), (30, 34)]
    assert not both(base, (guest("a1", 10, 14),), (block("b1", 10, 14), block("b2", 30, 34))).changes


def test_a_mirror_brings_a_merged_row_back_when_its_stay_is_apart_again(base: PaperBase) -> None:
    """R-53, V-12: with the job it had."""
    base.run(base.batch(BOOKING, guest("b1", 20, 24)), base.batch(VRBO, guest("v1", 20, 24)))
    base.edit(base.only, job_id="job_b")
    base.run(base.batch(AIRBNB, guest("a1", 10, 14)))
    base.edit(row_of(base, "a1"), job_id="job_a", created=base.now - timedelta(days=99))
    base.run(base.batch(AIRBNB, guest("a1", 20, 24)), base.batch(VRBO, guest("v1", 20, 24)))
    assert base.only.job_id == "job_a"
    base.run(base.batch(AIRBNB, guest("a1", 10, 14)), base.batch(VRBO, guest("v1", 20, 24)))
    assert [(stay.job_id, stay.entry_source) for stay in base.live] == [("job_a", "Airbnb"), ("job_b", "VRBO")]


def test_a_past_stay_that_never_had_a_row_gets_one(base: PaperBase) -> None:
    """R-4: inside the import window."""
    base.feed(AIRBNB, guest("u1", 10, 14))
    base.feed(AIRBNB, guest("u1", 10, 14), guest("u0", -5, -2))
    assert base.nights() == [(-5, -2), (10, 14)]


def test_words_of_a_person_among_the_mirrors_are_passed_over(base: PaperBase) -> None:
    both(base, (guest("a1", 10, 14),), (block("b1", 10, 14),))
    base.edit(base.only, also_seen_in=f"see VRBO too\n{base.only.also_seen_in}")
    base.lose_the_state_database()
    both(base, (guest("a1", 10, 14),), (block("b1", 10, 14),))
    assert base.only.also_seen_in == f"Booking.com · {BOOKING.key} · b1"


def test_a_duplicate_is_shown_only_by_what_shows_the_row_that_stays(base: PaperBase) -> None:
    base.add_row(uid=f"u1_{CASA}", job_id="job_1")
    base.add_row(uid=f"u2_{CASA}", job_id="job_2")
    assert [hold.reason for hold in base.run().holds] == [HoldReason.DUPLICATE]
    assert base.live[1].missing_count == 0


def test_a_row_that_two_uids_fold_into_is_found_by_either(base: PaperBase) -> None:
    """R-44, R-46.1: the uid that is folded away has a row, so that row is the stay."""
    base.feed(AIRBNB, guest("u2", 10, 14))
    base.edit(base.only, job_id="job_2")
    base.feed(AIRBNB, block("u1", 10, 15), block("u2", 10, 15))
    assert (base.only.job_id, base.nights()) == ("job_2", [(10, 15)])


def test_a_running_stay_whose_start_another_calendar_trims_is_one_stay(base: PaperBase) -> None:
    """R-48, R-51: some platforms let a running stay begin today."""
    base.feed(BOOKING, guest("b1", 0, 5, stable_uid=False))
    base.feed(AIRBNB, guest("a1", -3, 5))
    assert len(base.live) == 1


def test_a_stay_comes_back_before_a_new_mirror_makes_a_row_of_it(base: PaperBase) -> None:
    """R-50, V-12: its old row and job, also when a calendar that never showed it is read first."""
    base.feed(BOOKING, guest("b1", 10, 14, stable_uid=False))
    base.edit(base.only, job_id="job_1")
    base.run(base.batch(BOOKING, retired=True))
    both(base, (block("a1", 10, 14),), (guest("b2", 10, 14, stable_uid=False),))
    assert base.only.job_id == "job_1"


def test_a_block_that_left_its_mirror_is_not_led_back_by_an_old_view_of_it(base: PaperBase) -> None:
    """R-52, R-53: only a Reservation that still shares a night takes a Block over."""
    both(base, (guest("a1", 10, 14),), (guest("b1", 10, 14),))
    base.feed(AIRBNB, block("a1", 20, 24))
    assert (base.nights(), base.only.entry_type) == ([(20, 24)], EntryType.BLOCK)
    both(base, (block("a1", 20, 24),), (guest("b1", 10, 14),))
    assert base.nights() == [(10, 14), (20, 24)]


def test_a_report_on_a_row_that_is_merged_is_heard_by_the_row_that_stays(base: PaperBase) -> None:
    """R-27, invariant 2: also in the run that merges them."""
    base.feed(AIRBNB, guest("a1", 10, 14))
    base.run(base.batch(ITRIP, guest("7001", 10, 15), home=None))
    report = Report(info="codes", next_guest=day(14), says_next_guest=True)
    shown = base.batch(ITRIP, guest("7001", 10, 14, report=report), home=None)
    base.run(shown)
    assert (base.only.entry_source, base.only.itrip_info, base.only.same_day) == ("Airbnb", "codes", True)
    assert not base.run(shown).changes


def test_the_nights_of_a_peoples_row_continue_no_other_row(base: PaperBase) -> None:
    """R-46.4, R-51: what stands in a people's row is not a candidate, in the first run or the second."""
    base.feed(AIRBNB, guest("u1", 10, 14))
    base.add_row(source=None, url="", uid="by hand", service_type="", check_in=day(12), check_out=day(15))
    shown = (guest("u2", 12, 15), guest("u3", 11, 16))
    base.feed(AIRBNB, *shown)
    assert base.nights() == [(11, 16), (12, 15)]
    assert not base.feed(AIRBNB, *shown).changes


def test_nights_that_a_mirror_has_left_may_be_booked_by_another(base: PaperBase) -> None:
    """R-53: while its uid is shown, a tie is known by nothing else."""
    both(base, (guest("a1", 10, 14),), (block("b1", 10, 14),))
    both(base, (guest("a1", 12, 16),), (block("b1", 12, 16), block("b2", 10, 14)))
    assert base.nights() == [(10, 14), (12, 16)]
    assert base.live[1].also_seen_in == f"Booking.com · {BOOKING.key} · b1"
