"""One stay in several calendars: one row, its mirrors, and who owns it (R-51 … R-55, R-71)."""

from __future__ import annotations

import pytest

from changeover.core.plan import Verb
from changeover.core.stay import Decision, EntryType, HoldReason, Source, Status
from plugins.paper_base import AIRBNB, BOOKING, CASA, VRBO, PaperBase, block, day, guest


@pytest.fixture
def base() -> PaperBase:
    return PaperBase()


def both(base: PaperBase, airbnb: tuple, booking: tuple, **more: float):
    return base.run(base.batch(AIRBNB, *airbnb), base.batch(BOOKING, *booking), **more)


def test_three_sources_that_show_a_stay_make_one_row(base: PaperBase) -> None:
    """V-18: Airbnb, VRBO and a report made three jobs."""
    plan = base.run(
        base.batch(AIRBNB, guest("a1", 10, 14)),
        base.batch(BOOKING, block("b1", 10, 14)),
        base.batch(VRBO, guest("v1", 10, 14)),
    )
    assert base.only.entry_source == "Airbnb"
    assert base.only.also_seen_in == f"Booking.com · {BOOKING.key} · b1\nVRBO · {VRBO.key} · v1"
    assert plan.counts.mirrors == 2


def test_a_mirrored_block_is_not_an_owner_who_arrives(base: PaperBase) -> None:
    """V-33: a mirror block was seen as the owner."""
    both(base, (guest("a1", 10, 14), guest("a2", 14, 16)), (block("b1", 10, 14), block("b2", 14, 16)))
    assert [stay.owner_arriving for stay in base.live] == [False, False]
    assert [stay.same_day for stay in base.live] == [True, False]


def test_a_reservation_takes_a_blocks_row_over_and_keeps_its_job(base: PaperBase) -> None:
    base.feed(AIRBNB, block("a1", 10, 14))
    base.edit(base.only, job_id="job_1")
    plan = base.feed(BOOKING, guest("b1", 10, 14))
    stay = base.only
    assert (stay.entry_type, stay.uid, stay.url, stay.entry_source) == (
        EntryType.RESERVATION,
        f"b1_{CASA}",
        BOOKING.url,
        "Booking.com",
    )
    assert (stay.status, stay.job_id, stay.service_type) == (Status.MODIFIED, "job_1", "Turnover")
    assert stay.also_seen_in == f"Airbnb · {AIRBNB.key} · a1"
    assert [change.verb for change in plan.changes] == [Verb.MODIFY]
    assert not both(base, (block("a1", 10, 14),), (guest("b1", 10, 14),)).changes


def test_a_block_never_takes_a_reservations_row(base: PaperBase) -> None:
    base.feed(BOOKING, guest("b1", 10, 14))
    base.feed(AIRBNB, block("a1", 10, 14))
    assert (base.only.entry_type, base.only.entry_source) == (EntryType.RESERVATION, "Booking.com")


def test_a_lagging_mirror_makes_no_row_while_a_night_is_shared(base: PaperBase) -> None:
    both(base, (guest("a1", 10, 14),), (block("b1", 10, 14),))
    plan = both(base, (guest("a1", 10, 16),), (block("b1", 10, 14),))
    assert base.nights() == [(10, 16)]
    assert plan.counts.mirrors_differing == 1
    assert not both(base, (guest("a1", 10, 16),), (block("b1", 10, 16),)).changes


def test_a_lagging_mirror_with_new_uids_at_every_download_makes_no_row(base: PaperBase) -> None:
    both(base, (guest("a1", 10, 14),), (block("x1", 10, 14, stable_uid=False),))
    plan = both(base, (guest("a1", 12, 16),), (block("x2", 10, 14, stable_uid=False),))
    assert base.nights() == [(12, 16)]
    assert plan.counts.of("new") == 0


def test_a_mirror_with_new_uids_at_every_download_writes_nothing(base: PaperBase) -> None:
    both(base, (guest("a1", 10, 14),), (block("x0", 10, 14, stable_uid=False),))
    for number in range(1, 5):
        shown = block(f"x{number}", 10, 14, stable_uid=False)
        assert not both(base, (guest("a1", 10, 14),), (shown,)).changes


def test_a_mirror_without_a_common_night_is_a_stay_of_its_own(base: PaperBase) -> None:
    both(base, (guest("a1", 10, 14),), (block("b1", 10, 14),))
    both(base, (guest("a1", 10, 14),), (block("b1", 20, 24),))
    assert base.nights() == [(10, 14), (20, 24)]
    assert base.live[0].also_seen_in == ""


def test_a_row_stays_while_a_mirror_shows_it_and_the_mirror_takes_over(base: PaperBase) -> None:
    both(base, (guest("a1", 10, 14),), (guest("b1", 10, 14),))
    base.edit(base.only, job_id="job_1")
    both(base, (guest("a1", 10, 14),), (guest("b1", 10, 15),))
    for _ in range(3):
        assert not both(base, (), (guest("b1", 10, 15),)).changes
    plan = both(base, (), (guest("b1", 10, 15),))
    stay = base.only
    assert [change.verb for change in plan.changes] == [Verb.MODIFY]
    assert (stay.uid, stay.url, stay.job_id, base.nights()) == (f"b1_{CASA}", BOOKING.url, "job_1", [(10, 15)])
    both(base, (guest("a1", 10, 14),), (guest("b1", 10, 15),))
    assert base.only.also_seen_in == f"Airbnb · {AIRBNB.key} · a1"


def test_a_mirror_of_the_same_dates_takes_over_in_place(base: PaperBase) -> None:
    both(base, (guest("a1", 10, 14),), (guest("b1", 10, 14),))
    for _ in range(4):
        plan = both(base, (), (guest("b1", 10, 14),))
    assert [change.verb for change in plan.changes] == [Verb.UPDATE]
    assert (base.only.status, base.only.entry_source) == (Status.NEW, "Booking.com")


def test_a_row_is_removed_only_when_every_source_says_it_is_gone(base: PaperBase) -> None:
    """V-3: counters that were never loaded stayed at 0."""
    both(base, (guest("a1", 10, 14),), (block("b1", 10, 14),))
    base.feed(BOOKING)
    base.feed(BOOKING)
    assert base.only.missing_count == 0
    both(base, (), ())
    assert base.only.missing_count == 1
    for _ in range(2):
        both(base, (), ())
    assert base.live
    both(base, (), ())
    assert not base.live


def test_ties_survive_the_loss_of_the_state_database(base: PaperBase) -> None:
    both(base, (guest("a1", 10, 14),), (block("b1", 10, 14),))
    base.lose_the_state_database()
    assert not both(base, (guest("a1", 10, 14),), (block("b1", 10, 14),)).changes
    base.lose_the_state_database()
    both(base, (guest("a1", 12, 16),), (block("b1", 10, 14),))
    assert base.nights() == [(12, 16)]


def test_two_rows_that_come_to_the_same_nights_become_one_and_the_job_decides(base: PaperBase) -> None:
    both(base, (guest("a1", 10, 14),), (guest("b1", 20, 24),))
    base.edit(base.live[1], job_id="job_2")
    plan = both(base, (guest("a1", 20, 24),), (guest("b1", 20, 24),))
    assert (base.only.job_id, base.only.uid) == ("job_2", f"b1_{CASA}")
    assert plan.counts.of("removed") == 1
    merged = next(stay for stay in base.stays.values() if stay.status is Status.REMOVED)
    assert merged.change_summary == f"Merged into b1_{CASA}"
    for _ in range(3):
        assert not both(base, (guest("a1", 20, 24),), (guest("b1", 20, 24),)).changes


def test_without_jobs_the_older_row_stays(base: PaperBase) -> None:
    older = base.add_row(uid=f"a1_{CASA}")
    base.add_row(uid=f"b1_{CASA}", source=BOOKING.key, url=BOOKING.url)
    both(base, (guest("a1", 10, 14),), (guest("b1", 10, 14),))
    assert base.only.record_id == older.record_id


def test_a_merged_reservation_wins_over_the_block_that_stays(base: PaperBase) -> None:
    base.add_row(uid=f"a1_{CASA}", entry_type=EntryType.BLOCK, job_id="job_1", service_type="Needs Review")
    base.add_row(uid=f"b1_{CASA}", source=BOOKING.key, url=BOOKING.url)
    both(base, (block("a1", 10, 14),), (guest("b1", 10, 14),))
    assert (base.only.job_id, base.only.entry_type, base.only.url) == ("job_1", EntryType.RESERVATION, BOOKING.url)


def test_two_jobs_on_one_stay_of_one_source_wait_for_a_person(base: PaperBase) -> None:
    base.add_row(uid=f"u1_{CASA}", job_id="job_1")
    base.add_row(uid=f"u2_{CASA}", job_id="job_2")
    plan = base.feed(AIRBNB, guest("u1", 10, 14))
    assert len(base.live) == 2
    assert [hold.reason for hold in plan.holds] == [HoldReason.DUPLICATE]
    assert [alert.rule for alert in plan.alerts] == ["duplicate_row"]
    assert not base.feed(AIRBNB, guest("u1", 10, 14)).alerts
    base.decide(Decision.REJECTED)
    plan = base.feed(AIRBNB, guest("u1", 10, 14))
    assert plan.counts.of("held") == 0
    assert len(base.live) == 2
    base.decide(Decision.APPROVED)
    base.feed(AIRBNB, guest("u1", 10, 14))
    assert base.only.uid == f"u1_{CASA}"


@pytest.mark.parametrize("uid", ["old1", "other"])
def test_a_row_whose_feed_is_gone_is_left_alone_until_another_source_shows_it(base: PaperBase, uid: str) -> None:
    row = base.add_row(uid=f"old1_{CASA}", source="orphan:0123456789abcdef", url="https://gone.example/x")
    base.feed(AIRBNB, guest("a1", 20, 24))
    assert base.stays[row.record_id].url == "https://gone.example/x"
    nights = (10, 15) if uid == "old1" else (10, 14)
    base.feed(AIRBNB, guest("a1", 20, 24), guest(uid, *nights))
    stay = base.stays[row.record_id]
    assert (stay.source, stay.url, stay.uid) == (AIRBNB.key, AIRBNB.url, f"{uid}_{CASA}")
    assert base.nights() == [nights, (20, 24)]


def test_a_mirror_whose_feed_record_is_gone_keeps_nothing_alive(base: PaperBase) -> None:
    both(base, (guest("a1", 10, 14),), (block("b1", 10, 14),))
    del base.sources[BOOKING.key]
    for _ in range(4):
        base.feed(AIRBNB)
    assert not base.live


def test_the_plan_does_not_depend_on_the_order_of_batches(base: PaperBase) -> None:
    batches = [
        base.batch(AIRBNB, guest("a1", 10, 14), block("a2", 20, 22)),
        base.batch(BOOKING, block("b1", 10, 14), guest("b2", 20, 22)),
        base.batch(VRBO, guest("v1", 10, 14), guest("v2", 30, 33)),
    ]
    plans = [PaperBase().run(*order) for order in (batches, batches[::-1], batches[1:] + batches[:1])]
    assert plans[0] == plans[1] == plans[2]


def test_a_csv_source_fits_without_change(base: PaperBase) -> None:
    report = Source("csv_itrip", "csv_itrip", "iTrip", "iTrip report")
    base.sources[report.key] = report
    base.feed(AIRBNB, guest("a1", 10, 14))
    base.run(base.batch(report, guest("7001", 10, 14), guest("7002", 20, 24), home=None))
    assert [stay.uid for stay in base.live] == [f"a1_{CASA}", f"7002_{CASA}"]
    assert base.live[0].also_seen_in == "iTrip · csv_itrip · 7001"
    assert base.live[0].check_out == day(14)
