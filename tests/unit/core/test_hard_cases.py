"""Cases where two rules meet in one source: a stay must neither split, nor flip, nor lose its job."""

from __future__ import annotations

from dataclasses import replace

import pytest

from changeover.core.plan import Plan
from changeover.core.stay import (
    EntryType,
    HoldReason,
    Observation,
    Rejected,
    Source,
    Status,
    Stay,
)
from plugins.paper_base import AIRBNB, BOOKING, CASA, LOFT, PaperBase, block, day, guest

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


def test_of_two_uids_of_one_removed_stay_the_rows_own_brings_it_back(base: PaperBase) -> None:
    """R-46.1, R-73, invariant 2."""
    base.feed(AIRBNB, guest("u0", 1, 2), guest("u1", 1, 2))
    base.edit(base.only, job_id="job_1")
    base.run(base.batch(AIRBNB, retired=True))
    assert base.live == []
    shown = (guest("u1", 0, 1), guest("u0", 0, 2))
    base.feed(AIRBNB, *shown)
    assert sorted((stay.uid, stay.job_id, stay.check_out) for stay in base.live) == [
        (f"u0_{CASA}", "job_1", day(2)),
        (f"u1_{CASA}", "", day(1)),
    ]
    assert not base.feed(AIRBNB, *shown).changes


def test_two_uids_of_one_stay_that_move_house_apart_are_two_stays_at_once(base: PaperBase) -> None:
    """R-46.2, invariant 2: the row goes with its own uid, the other uid finds the nights it has; nothing is lost."""
    base.run(
        base.batch(ITRIP, guest("u0", 0, 1, home=LOFT), guest("u1", 0, 1, home=LOFT), guest("u2", 0, 1), home=None)
    )
    moved, kept = base.live if base.live[0].property_id == LOFT else base.live[::-1]
    shown = (guest("u1", 0, 1), guest("u0", 1, 2))
    base.run(base.batch(ITRIP, *shown, home=None))
    nights = {stay.record_id: (stay.uid, stay.check_in, stay.check_out) for stay in base.live}
    assert nights == {
        kept.record_id: (f"u2_{CASA}", day(0), day(1)),
        moved.record_id: (f"u0_{CASA}", day(1), day(2)),
    }
    assert not base.run(base.batch(ITRIP, *shown, home=None)).changes


def test_a_row_that_moves_house_by_another_of_its_uids_does_not_become_the_row_that_bears_its_own_there(
    base: PaperBase,
) -> None:
    """R-46.2, R-45, invariant 2."""
    base.run(base.batch(ITRIP, guest("u0", 0, 1), block("u3", 0, 3), home=None))
    base.run(base.batch(ITRIP, guest("u0", 0, 1), block("u1", 0, 2), guest("u1", 0, 2, home=LOFT), home=None))
    base.run(base.batch(ITRIP, guest("u3", 0, 1, home=LOFT), home=None))
    at_loft = [(stay.uid, stay.check_out) for stay in base.live if stay.property_id == LOFT]
    assert sorted(at_loft) == [(f"u1_{LOFT}", day(2)), (f"u3_{LOFT}", day(1))]
    assert not base.run(base.batch(ITRIP, guest("u3", 0, 1, home=LOFT), home=None)).changes


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


def test_a_rejected_item_of_nobody_here_keeps_nobody_seen(base: PaperBase) -> None:
    base.feed(AIRBNB, guest("u1", 10, 14))
    base.run(base.batch(AIRBNB, rejected=(Rejected("event 1", "bad_date", "u9", CASA),)))
    assert base.only.missing_count == 1
