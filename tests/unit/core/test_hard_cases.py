"""Cases where two rules meet: a stay must neither split, nor flip, nor lose its job, whatever comes together."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from plugins.paper_base import AIRBNB, BOOKING, CASA, LOFT, VRBO, PaperBase, block, day, guest

from changeover.core.plan import Plan, Verb
from changeover.core.reconcile import reconcile
from changeover.core.stay import (
    Batch,
    Decision,
    EntryType,
    HoldReason,
    Kind,
    Observation,
    Rejected,
    Report,
    Source,
    Status,
    Stay,
)

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


# -- one source ------------------------------------------------------------------------------------------------------


def test_a_block_moved_onto_a_vanished_guests_nights_stays_a_block(base: PaperBase) -> None:
    """R-49: only the batch says what the row is; the row that ends does not."""
    base.feed(AIRBNB, guest("u1", 10, 14), block("u2", 20, 24))
    base.feed(AIRBNB, block("u2", 10, 14))
    assert (base.only.uid, base.only.entry_type) == (f"u2_{CASA}", EntryType.BLOCK)
    assert not base.feed(AIRBNB, block("u2", 10, 14)).changes


def test_a_uid_that_became_an_alias_never_takes_the_row_of_the_uid_beside_it(base: PaperBase) -> None:
    """R-46.1: a row's own uid comes before an alias, whatever the order of dates."""
    base.feed(AIRBNB, guest("u1", 10, 14), guest("u2", 20, 24))
    base.edit(row_of(base, "u1"), job_id="job_1")
    base.edit(row_of(base, "u2"), status=Status.REMOVED, job_id="job_2")
    base.feed(AIRBNB, guest("u1", 10, 14), guest("u2", 10, 14))
    base.feed(AIRBNB, guest("u1", 10, 14), guest("u2", 5, 8))
    assert [(stay.uid, stay.job_id) for stay in base.live] == [(f"u2_{CASA}", "job_2"), (f"u1_{CASA}", "job_1")]
    assert base.nights() == [(5, 8), (10, 14)]


def test_canceled_nights_that_are_booked_again_in_the_same_batch_are_one_row(base: PaperBase) -> None:
    """R-44: the same property and dates twice in a batch are one stay; its job serves the guest who comes."""
    base.feed(AIRBNB, guest("u1", 10, 14))
    base.edit(base.only, job_id="job_1")
    shown = (guest("u1", 10, 14, canceled=True), guest("u2", 10, 14))
    for _ in range(3):
        assert not base.feed(AIRBNB, *shown).changes
    assert (base.only.job_id, base.nights()) == ("job_1", [(10, 14)])


def test_a_canceled_stay_does_not_continue_in_the_guest_who_comes_instead(base: PaperBase) -> None:
    """R-46.4, R-67: what is canceled outright has not vanished; other nights are another guest's."""
    base.feed(AIRBNB, guest("u1", 10, 14))
    base.edit(base.only, job_id="job_1")
    shown = (guest("u1", 10, 14, canceled=True), guest("u2", 10, 15))
    base.feed(AIRBNB, *shown)
    assert (base.only.uid, base.only.job_id) == (f"u2_{CASA}", "")
    assert row_of(base, "u1").change_summary == "Canceled at source"
    assert not base.feed(AIRBNB, *shown).changes


def test_a_removed_row_at_another_house_does_not_move_in_here(base: PaperBase) -> None:
    """R-50: a Removed row comes back at its own property only."""
    base.add_row(uid=f"u1_{LOFT}", property_id=LOFT, status=Status.REMOVED, source=ITRIP.key, url=ITRIP.url, job_id="j")
    base.run(base.batch(ITRIP, guest("u1", 10, 14), home=None))
    assert (base.only.property_id, base.only.job_id) == (CASA, "")


def test_a_rejected_row_of_an_unknown_house_keeps_its_stay_seen(base: PaperBase) -> None:
    """R-8, V-8, V-39: a report row whose property is not found is known by its id wherever its stay is."""
    base.run(base.batch(ITRIP, guest("7001", 10, 14), home=None))
    for _ in range(6):
        lost = Rejected("line 2", "unknown_property", "7001")
        assert not base.run(base.batch(ITRIP, rejected=(lost,), home=None)).changes
    assert base.only.missing_count == 0


def test_a_duplicate_that_waits_for_a_person_is_not_missed_meanwhile(base: PaperBase) -> None:
    """R-55: a second row with a job is held, and its stay is shown all the time."""
    base.add_row(uid=f"u1_{CASA}", job_id="job_1")
    base.add_row(uid=f"u2_{CASA}", job_id="job_2")
    base.feed(AIRBNB, guest("u1", 10, 14))
    for _ in range(6):
        assert not base.feed(AIRBNB, guest("u1", 10, 14)).changes
    assert len(base.live) == 2


def test_a_duplicate_in_nights_and_uid_is_held_once(base: PaperBase) -> None:
    base.add_row(uid=f"u1_{CASA}", job_id="job_1")
    base.add_row(uid=f"u1_{CASA}", job_id="job_2")
    plan = base.feed(AIRBNB, guest("u1", 10, 14))
    assert [hold.reason for hold in plan.holds] == [HoldReason.DUPLICATE]
    assert (plan.counts.of("held"), len(plan.alerts)) == (1, 1)


def test_an_empty_uid_cell_is_filled_again(base: PaperBase) -> None:
    """Invariant 1: every live row's UID is set."""
    base.feed(AIRBNB, guest("u1", 10, 14))
    base.edit(base.only, uid="")
    base.feed(AIRBNB, guest("u1", 10, 14))
    assert (base.only.uid, base.only.status) == (f"u1_{CASA}", Status.NEW)
    assert not base.feed(AIRBNB, guest("u1", 10, 14)).changes


def test_a_failed_fetch_does_not_bring_an_edited_url(base: PaperBase) -> None:
    """R-71: at the next good fetch."""
    base.feed(AIRBNB, guest("u1", 10, 14))
    renamed = replace(AIRBNB, url="https://feeds.example/new")
    assert not base.run(base.batch(renamed, fully_read=False)).changes
    assert base.feed(renamed, guest("u1", 10, 14)).changes[0].after.url == renamed.url


def test_an_edited_url_reaches_a_row_that_is_removed_in_the_same_run(base: PaperBase) -> None:
    base.feed(AIRBNB, guest("u1", 10, 14), guest("u2", 20, 24))
    renamed = replace(AIRBNB, url="https://feeds.example/new")
    shown = (guest("u1", 10, 14, canceled=True), guest("u2", 20, 24))
    base.feed(renamed, *shown)
    assert row_of(base, "u1").url == renamed.url
    assert not base.feed(renamed, *shown).changes


def test_a_cancellation_after_misses_is_called_a_cancellation(base: PaperBase) -> None:
    base.feed(AIRBNB, guest("u1", 10, 14), guest("u2", 20, 24))
    for _ in range(3):
        base.feed(AIRBNB, guest("u2", 20, 24), hours=1)
    base.feed(AIRBNB, guest("u1", 10, 14, canceled=True), guest("u2", 20, 24))
    assert row_of(base, "u1").change_summary == "Canceled at source"


def test_a_past_stay_under_a_new_uid_is_not_made_again_at_the_new_house(base: PaperBase) -> None:
    """R-74: past rows stay where they were, also where uids do not last."""
    base.feed(BOOKING, block("b1", -9, -5, stable_uid=False))
    shown = block("b2", -9, -5, stable_uid=False, home=LOFT)
    assert not base.feed(BOOKING, shown, home=LOFT).changes
    assert base.only.property_id == CASA


# -- several sources -------------------------------------------------------------------------------------------------


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


# -- absence and people ----------------------------------------------------------------------------------------------


def many(number: int, start: int = 10) -> list[Observation]:
    return [guest(f"u{i:02d}", start + 4 * i, start + 4 * i + 3) for i in range(number)]


def test_an_approved_removal_of_a_stay_that_has_begun_is_dropped(base: PaperBase) -> None:
    """R-69: seen again or begun, they are dropped; a guest may be in the house."""
    base.feed(AIRBNB, *many(8, start=2))
    for _ in range(4):
        base.feed(AIRBNB)
    base.decide(Decision.APPROVED)
    base.now += timedelta(days=3)
    plan = base.run()
    assert (plan.counts.of("removed"), len(base.live), base.holds) == (7, 1, ())


def test_an_approved_cancellation_of_a_running_stay_is_carried_out(base: PaperBase) -> None:
    running = [guest(f"r{i}", -1, 3 + i) for i in range(6)]
    base.feed(AIRBNB, *running)
    canceled = [replace(each, canceled=True) for each in running]
    assert base.feed(AIRBNB, *canceled).counts.of("held") == 6
    base.decide(Decision.APPROVED)
    base.run()
    assert not base.live


def test_a_begun_stay_is_not_removed_because_a_mirror_has_it_beginning_later(base: PaperBase) -> None:
    """V-5: a miss of a mirror with a later check-in does not count against a guest who is in."""
    stays = [guest(f"a{i}", 2, 6 + i) for i in range(6)]
    later = [guest(f"b{i}", 4, 6 + i) for i in range(6)]
    both(base, tuple(stays), tuple(replace(each, check_in=day(2)) for each in later))
    both(base, tuple(stays), tuple(later))
    for _ in range(4):
        both(base, (), ())
    assert len(base.holds) == 6
    base.decide(Decision.APPROVED)
    base.now += timedelta(days=1)
    for _ in range(5):
        both(base, (), ())
    assert len(base.live) == 6


def test_waiting_removals_count_also_when_their_source_was_only_partly_read(base: PaperBase) -> None:
    """R-69: held ones count again later, so they never pass in slices."""
    base.feed(AIRBNB, *many(20))
    for _ in range(4):
        base.feed(AIRBNB, *many(20)[:10])
    canceled = [replace(each, canceled=True) for each in many(20)[:3]]
    plan = base.run(base.batch(AIRBNB, *canceled, *many(20)[3:10], fully_read=False))
    assert (plan.counts.of("removed"), plan.counts.of("held")) == (0, 13)


def test_a_new_guest_on_a_deleted_rows_nights_gets_no_foreign_job(base: PaperBase) -> None:
    """AT-35, R-50: the row of another guest is not this one's, though the nights are the same."""
    base.feed(AIRBNB, guest("u1", 10, 14))
    base.delete(base.edit(base.only, job_id="job_1"))
    plan = base.feed(AIRBNB, guest("u2", 10, 14))
    assert (base.only.job_id, plan.changes[0].restores) == ("", None)


def test_a_deleted_row_is_known_by_its_alias_even_after_a_run_without_its_feed(base: PaperBase) -> None:
    base.feed(AIRBNB, guest("u1", 10, 14))
    base.feed(AIRBNB, guest("u2", 10, 14))
    base.delete(base.edit(base.only, job_id="job_1"))
    base.run()
    base.feed(AIRBNB, guest("u2", 10, 15))
    assert base.only.job_id == "job_1"


def test_a_deleted_row_comes_back_with_its_job_when_only_a_mirror_shows_the_stay(base: PaperBase) -> None:
    """AT-35: a stay never gets a second job that way."""
    both(base, (guest("a1", 10, 14),), (block("x1", 10, 14, stable_uid=False),))
    base.delete(base.edit(base.only, job_id="job_1"))
    base.feed(BOOKING, block("x2", 10, 14, stable_uid=False))
    assert base.only.job_id == "job_1"
    both(base, (guest("a1", 10, 14),), (block("x3", 10, 14, stable_uid=False),))
    assert (base.only.job_id, base.only.entry_type) == ("job_1", EntryType.RESERVATION)


def test_a_deleted_row_comes_back_with_its_ties(base: PaperBase) -> None:
    """AT-35, R-53, B-7: a calendar that lags makes no second row, not even after a loss of the state."""
    both(base, (guest("a1", 10, 14),), (block("b1", 10, 14),))
    base.lose_the_state_database()
    base.delete(base.edit(base.only, job_id="job_1"))
    both(base, (guest("a1", 12, 16),), (block("b1", 10, 14),))
    assert (base.nights(), base.only.job_id) == ([(12, 16)], "job_1")
    assert not both(base, (guest("a1", 12, 16),), (block("b1", 10, 14),)).changes


@pytest.mark.parametrize("copied", [14, 16, 17])
def test_a_deleted_row_comes_back_with_its_job_whoever_is_read_first(base: PaperBase, copied: int) -> None:
    """AT-35: a copy under a new uid makes no row before the stay's own calendar has brought it back."""
    base.run(base.batch(VRBO, guest("v0", 10, 14)), base.batch(BOOKING, block("x0", 10, 14, stable_uid=False)))
    base.delete(base.edit(base.only, job_id="job_1"))
    copy = block("x1", 10, copied, stable_uid=False)
    base.run(base.batch(VRBO, guest("v0", 10, 17)), base.batch(BOOKING, copy))
    assert (base.nights(), base.only.job_id) == ([(10, 17)], "job_1")


def test_a_restored_row_of_another_type_has_that_types_service(base: PaperBase) -> None:
    base.feed(AIRBNB, block("u1", 10, 14))
    base.delete(base.edit(base.only, job_id="job_1"))
    base.feed(AIRBNB, guest("u1", 10, 14))
    assert (base.only.service_type, base.only.job_id) == ("Turnover", "job_1")


def test_a_custom_time_on_another_day_is_said_when_a_mirror_takes_over(base: PaperBase) -> None:
    """R-60, V-38: whoever moves the check-out."""
    both(base, (guest("a1", 10, 14),), (guest("b1", 10, 14),))
    base.edit(base.only, custom_service_time=f"{day(14)} 9:30 AM")
    both(base, (guest("a1", 10, 14),), (guest("b1", 10, 15),))
    for _ in range(4):
        plan = both(base, (), (guest("b1", 10, 15),))
    assert [alert.rule for alert in plan.alerts] == ["custom_time_other_day"]


def test_a_date_no_calendar_can_hold_is_no_reason_to_stop(base: PaperBase) -> None:
    base.feed(AIRBNB, guest("u1", 10, 14))
    base.edit(base.only, custom_service_time="9999-12-31 11:00 PM")
    base.feed(AIRBNB, guest("u1", 10, 15))
    assert base.only.final_service_time is None


def test_a_merged_row_does_not_come_back_when_the_state_is_lost(base: PaperBase) -> None:
    """B-7: the uid of a row that was merged leads to the row it was merged into."""
    base.feed(AIRBNB, guest("u1", 10, 14), guest("u2", 20, 24))
    base.edit(row_of(base, "u2"), job_id="job_2")
    base.feed(AIRBNB, guest("u2", 10, 14))
    base.lose_the_state_database()
    base.feed(AIRBNB, guest("u1", 10, 14))
    assert (base.only.uid, base.only.job_id) == (f"u2_{CASA}", "job_2")


def test_the_order_of_the_rows_does_not_matter(base: PaperBase) -> None:
    """R-10: neither the order of batches nor that of what is known."""
    for number in range(3):
        base.add_row(uid=f"o{number}_{CASA}", source=f"orphan:{number}", url=f"https://gone.example/{number}")
    base.edit(row_of(base, "o1"), uid=f"same_{CASA}", check_out=day(15))
    base.edit(row_of(base, "o2"), uid=f"same_{CASA}", check_out=day(16))
    batch = base.batch(AIRBNB, guest("same", 10, 17))
    known = base.known()
    turned = replace(known, stays=known.stays[::-1], sightings=known.sightings[::-1])
    assert _plan(base, known, batch) == _plan(base, turned, batch)


def _plan(base: PaperBase, known: object, batch: Batch) -> Plan:
    return reconcile(known, [batch], base.now, base.rules)  # type: ignore[arg-type]


def test_an_update_never_stands_for_a_version(base: PaperBase) -> None:
    """V-26, R-57: derived fields follow in place."""
    base.feed(AIRBNB, guest("u1", 10, 14))
    plan = base.feed(AIRBNB, guest("u1", 10, 14), guest("u2", 14, 18), block("u3", 30, 31, kind=Kind.OWNER_STAY))
    assert [change.verb for change in plan.changes] == [Verb.UPDATE, Verb.NEW, Verb.NEW]
    assert not base.history
