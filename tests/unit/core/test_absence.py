"""What absence proves, and when it removes (R-8, R-62 … R-69, R-72, R-73)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from changeover.core.plan import Verb
from changeover.core.stay import Decision, Kind, Report, Source, Status
from plugins.paper_base import AIRBNB, BOOKING, CASA, PaperBase, block, day, guest


@pytest.fixture
def base() -> PaperBase:
    return PaperBase()


def many(number: int, start: int = 10) -> list:
    return [guest(f"u{i:02d}", start + 4 * i, start + 4 * i + 3) for i in range(number)]


def test_one_miss_counts_and_removes_nothing(base: PaperBase) -> None:
    """V-2: one miss removed."""
    base.feed(AIRBNB, guest("u1", 10, 14))
    seen_at = base.now - timedelta(hours=4)
    plan = base.feed(AIRBNB)
    stay = base.only
    assert (stay.missing_count, stay.missing_since, stay.last_seen, stay.status) == (1, plan.now, seen_at, Status.NEW)
    assert [change.verb for change in plan.changes] == [Verb.UPDATE]


def test_a_stay_is_removed_after_three_misses_over_twelve_hours(base: PaperBase) -> None:
    base.feed(AIRBNB, guest("u1", 10, 14))
    base.edit(base.only, job_id="job_1", suspected_cancel=False)
    writes = [len(base.feed(AIRBNB).changes) for _ in range(3)]
    assert (writes, base.only.missing_count) == ([1, 1, 1], 3)
    plan = base.feed(AIRBNB)
    (row,) = base.stays.values()
    assert (row.status, row.change_summary) == (Status.REMOVED, f"Not seen since {day(0)}")
    assert row.job_id == "job_1"
    assert not base.history
    assert [alert.rule for alert in plan.alerts] == ["removed_with_job"]
    assert not base.feed(AIRBNB).changes


def test_writing_stops_at_the_threshold_until_the_grace_is_over(base: PaperBase) -> None:
    base.feed(AIRBNB, guest("u1", 10, 14))
    for _ in range(3):
        base.feed(AIRBNB, hours=0.5)
    for _ in range(20):
        assert not base.feed(AIRBNB, hours=0.5).changes
    base.now += timedelta(hours=12)
    base.feed(AIRBNB)
    assert not base.live


def test_seen_again_clears_the_counters_without_a_version(base: PaperBase) -> None:
    base.feed(AIRBNB, guest("u1", 10, 14))
    base.feed(AIRBNB)
    base.feed(AIRBNB)
    plan = base.feed(AIRBNB, guest("u1", 10, 14))
    assert (base.only.missing_count, base.only.missing_since, base.only.status) == (0, None, Status.NEW)
    assert [change.verb for change in plan.changes] == [Verb.UPDATE]


def test_a_feed_that_was_not_read_wholly_removes_nothing(base: PaperBase) -> None:
    """V-1: an empty, HTML or cut feed removed every stay."""
    base.feed(AIRBNB, guest("u1", 10, 14))
    for _ in range(10):
        assert not base.run(base.batch(AIRBNB, fully_read=False)).changes
        assert not base.run().changes


def test_what_an_incomplete_batch_shows_is_applied(base: PaperBase) -> None:
    base.feed(AIRBNB, guest("u1", 10, 14), guest("u2", 20, 24))
    base.run(base.batch(AIRBNB, guest("u1", 10, 15), guest("u3", 30, 33), fully_read=False))
    assert base.nights() == [(10, 15), (20, 24), (30, 33)]
    assert base.live[1].missing_count == 0


@pytest.mark.parametrize("nights", [(-60, 3), (0, 4), (-2, 0)])
def test_a_begun_stay_is_never_missed(base: PaperBase, nights: tuple[int, int]) -> None:
    """V-5 and V-13: guest in, row Removed; removed on the check-out day."""
    base.feed(AIRBNB, guest("u1", *nights))
    for _ in range(10):
        assert not base.feed(AIRBNB, hours=2).changes
    assert base.only.status is Status.NEW


def test_a_stay_beyond_the_claimed_window_is_never_missed(base: PaperBase) -> None:
    """V-6: a stay beyond the report's window was Removed."""
    base.add_row(uid=f"far_{CASA}", check_in=day(170), check_out=day(366))
    base.add_row(uid=f"late_{CASA}", check_in=day(181), check_out=day(185))
    base.run()
    for _ in range(6):
        assert not base.feed(AIRBNB, hours=1).changes


def test_a_stay_about_to_begin_is_suspected_once(base: PaperBase) -> None:
    base.feed(AIRBNB, guest("u1", 1, 2))
    plan = base.feed(AIRBNB, hours=1)
    assert base.only.suspected_cancel
    assert [alert.rule for alert in plan.alerts] == ["suspected_cancel"]
    assert not base.feed(AIRBNB, hours=1).alerts
    base.feed(AIRBNB, guest("u1", 1, 2))
    assert not base.only.suspected_cancel


def test_a_stay_further_off_is_suspected_when_its_time_comes(base: PaperBase) -> None:
    base.feed(AIRBNB, guest("u1", 2, 3))
    assert not base.feed(AIRBNB, hours=4).alerts
    assert not base.feed(AIRBNB, hours=8).alerts
    assert [alert.rule for alert in base.feed(AIRBNB).alerts] == ["suspected_cancel"]


def test_an_item_that_makes_no_row_keeps_the_block_it_fits_seen(base: PaperBase) -> None:
    base.feed(AIRBNB, block("u1", 10, 12))
    for number in range(8):
        assert not base.feed(AIRBNB, guest(f"n{number}", 10, 12, kind=Kind.PREP)).changes
        assert not base.feed(AIRBNB, guest("u1", 11, 12, kind=Kind.NOTICE)).changes


def test_an_explicit_cancellation_removes_at_once(base: PaperBase) -> None:
    base.feed(AIRBNB, guest("u1", 10, 14), guest("u2", 20, 24))
    base.feed(AIRBNB, guest("u1", 10, 14, canceled=True), guest("u2", 20, 24))
    removed = next(stay for stay in base.stays.values() if not stay.live)
    assert (removed.uid, removed.change_summary) == (f"u1_{CASA}", "Canceled at source")
    assert not base.feed(AIRBNB, guest("u1", 10, 14, canceled=True), guest("u2", 20, 24)).changes


def test_a_cancellation_counts_even_from_an_incomplete_batch(base: PaperBase) -> None:
    base.feed(AIRBNB, guest("u1", 10, 14))
    base.run(base.batch(AIRBNB, guest("u1", 10, 14, canceled=True), fully_read=False))
    assert not base.live


def test_a_cancellation_after_check_out_changes_nothing(base: PaperBase) -> None:
    base.feed(AIRBNB, guest("u1", -3, 0))
    assert not base.feed(AIRBNB, guest("u1", -3, 0, canceled=True)).changes


def test_a_canceled_item_does_not_cancel_the_guest_who_booked_its_nights_again(base: PaperBase) -> None:
    base.feed(AIRBNB, guest("u1", 10, 14))
    base.feed(AIRBNB, guest("u1", 10, 14, canceled=True))
    base.feed(AIRBNB, guest("u1", 10, 14, canceled=True), guest("u2", 10, 14))
    assert base.only.uid == f"u2_{CASA}"
    assert not base.feed(AIRBNB, guest("u1", 10, 14, canceled=True), guest("u2", 10, 14)).changes


def test_a_cancellation_leaves_the_row_to_a_mirror_that_still_shows_it(base: PaperBase) -> None:
    base.run(base.batch(AIRBNB, guest("a1", 10, 14)), base.batch(BOOKING, guest("b1", 10, 14)))
    base.run(base.batch(AIRBNB, guest("a1", 10, 14, canceled=True)), base.batch(BOOKING, guest("b1", 10, 14)))
    assert (base.only.entry_source, base.only.also_seen_in) == ("Booking.com", "")


def test_a_stay_extended_beyond_the_report_is_seen(base: PaperBase) -> None:
    report = Source("csv_itrip", "csv_itrip", "iTrip")
    base.sources[report.key] = report
    one = guest("1", 5, 9, report=Report(next_guest=day(10), says_next_guest=True))
    base.run(base.batch(report, one, guest("2", 10, 14), home=None))
    for _ in range(8):
        base.run(base.batch(report, one, home=None))
    assert base.nights() == [(5, 9), (10, 14)]


def test_too_many_removals_at_once_wait_for_a_person(base: PaperBase) -> None:
    """V-4, V-7: a small file wiped its supplier; a new key format removed all rows in a night."""
    base.feed(AIRBNB, *many(20))
    for _ in range(3):
        base.feed(AIRBNB, *many(20)[:10])
    plan = base.feed(AIRBNB, *many(20)[:10])
    assert plan.counts.of("removed") == 0
    assert plan.counts.of("held") == 10
    assert len(base.holds) == 10
    assert [(alert.rule, alert.subject) for alert in plan.alerts] == [("removals_held", AIRBNB.key)]
    assert "10 stays of Casa on Airbnb" in plan.alerts[0].text
    plan = base.feed(AIRBNB, *many(20)[:10])
    assert (plan.counts.of("held"), plan.changes, plan.alerts) == (10, (), ())


def test_few_removals_pass(base: PaperBase) -> None:
    base.feed(AIRBNB, *many(20))
    for _ in range(4):
        plan = base.feed(AIRBNB, *many(20)[:15])
    assert (plan.counts.of("removed"), plan.counts.of("held"), len(base.live)) == (5, 0, 15)


def test_a_large_source_may_lose_a_fifth_of_its_future_rows(base: PaperBase) -> None:
    base.feed(AIRBNB, *many(40))
    for _ in range(4):
        plan = base.feed(AIRBNB, *many(40)[:32])
    assert plan.counts.of("removed") == 8
    for _ in range(4):
        plan = base.feed(AIRBNB, *many(40)[:25])
    assert (plan.counts.of("removed"), plan.counts.of("held")) == (0, 7)


def test_held_removals_never_pass_in_slices(base: PaperBase) -> None:
    base.feed(AIRBNB, *many(20))
    for _ in range(4):
        base.feed(AIRBNB, *many(20)[:10])
    base.feed(AIRBNB, *many(20)[:17])
    assert (len(base.holds), len(base.live)) == (3, 20)
    plan = base.feed(AIRBNB, *many(20)[:17])
    assert (plan.counts.of("held"), plan.counts.of("removed")) == (3, 0)


def test_a_silent_source_keeps_its_held_removals_waiting(base: PaperBase) -> None:
    base.feed(AIRBNB, *many(20))
    for _ in range(4):
        base.feed(AIRBNB, *many(20)[:10])
    plan = base.run()
    assert (len(base.holds), plan.counts.of("held"), plan.changes) == (10, 10, ())


def test_approved_removals_are_carried_out_where_still_missing(base: PaperBase) -> None:
    base.feed(AIRBNB, *many(20))
    for _ in range(4):
        base.feed(AIRBNB, *many(20)[:10])
    base.decide(Decision.APPROVED)
    plan = base.run()
    assert (plan.counts.of("removed"), base.holds) == (10, ())
    assert {s.change_summary for s in base.stays.values() if not s.live} == {f"Not seen since {day(0)}"}


def test_an_approved_removal_that_is_seen_again_is_dropped(base: PaperBase) -> None:
    base.feed(AIRBNB, *many(20))
    for _ in range(4):
        base.feed(AIRBNB, *many(20)[:10])
    base.decide(Decision.APPROVED)
    base.feed(AIRBNB, *many(20))
    assert (len(base.live), base.holds) == (20, ())


def test_rejected_removals_start_counting_from_nothing(base: PaperBase) -> None:
    base.feed(AIRBNB, *many(20))
    for _ in range(4):
        base.feed(AIRBNB, *many(20)[:10])
    base.decide(Decision.REJECTED)
    base.run()
    assert (base.holds, {stay.missing_count for stay in base.live}) == ((), {0})
    base.feed(AIRBNB, *many(20)[:10])
    assert (base.holds, sorted({stay.missing_count for stay in base.live})) == ((), [0, 1])


def test_held_cancellations_are_counted_and_named(base: PaperBase) -> None:
    base.feed(AIRBNB, *many(8))
    canceled = [guest(each.uid, 10 + 4 * i, 13 + 4 * i, canceled=True) for i, each in enumerate(many(8))]
    plan = base.feed(AIRBNB, *canceled)
    assert (plan.counts.of("held"), len(base.live)) == (8, 8)
    base.decide(Decision.APPROVED)
    base.run()
    assert {stay.change_summary for stay in base.stays.values()} == {"Canceled at source"}


def test_a_hold_that_has_begun_is_dropped(base: PaperBase) -> None:
    base.feed(AIRBNB, *many(8, start=2))
    for _ in range(4):
        base.feed(AIRBNB)
    assert len(base.holds) == 8
    base.now += timedelta(days=4)
    base.feed(AIRBNB)
    assert len(base.holds) == 7


def test_a_retired_feed_removes_its_future_stays_at_once_without_breaker(base: PaperBase) -> None:
    base.feed(AIRBNB, guest("past", -5, 0), *many(12), guest("running", -1, 3))
    plan = base.run(base.batch(AIRBNB, retired=True))
    assert (plan.counts.of("removed"), plan.counts.of("held")) == (13, 0)
    assert base.only.uid == f"past_{CASA}"
    assert {s.change_summary for s in base.stays.values() if not s.live} == {"Feed removed"}
    plan = base.feed(AIRBNB, *many(12), guest("running", -1, 3))
    assert plan.counts.reactivated == 13


def test_a_retired_feed_leaves_what_another_source_shows(base: PaperBase) -> None:
    base.run(base.batch(AIRBNB, guest("a1", 10, 14)), base.batch(BOOKING, block("b1", 10, 14)))
    base.run(base.batch(AIRBNB, retired=True), base.batch(BOOKING, block("b1", 10, 14)))
    assert (base.only.entry_source, base.only.entry_type) == ("Booking.com", "Block")


def test_an_inactive_mirror_says_neither_seen_nor_gone(base: PaperBase) -> None:
    base.run(base.batch(AIRBNB, guest("a1", 10, 14)), base.batch(BOOKING, block("b1", 10, 14)))
    for _ in range(8):
        base.feed(AIRBNB)
    assert base.live


def test_counters_come_back_from_the_rows(base: PaperBase) -> None:
    base.feed(AIRBNB, guest("u1", 10, 14))
    base.feed(AIRBNB)
    base.feed(AIRBNB)
    base.lose_the_state_database()
    base.feed(AIRBNB)
    base.feed(AIRBNB)
    assert not base.live
