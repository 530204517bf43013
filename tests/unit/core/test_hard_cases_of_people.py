"""Cases where absence and people meet the rest: held removals, deleted rows, own times, a lost state (R-60 … R-69)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from changeover.core.plan import Plan, Verb
from changeover.core.reconcile import reconcile
from changeover.core.stay import (
    Batch,
    Decision,
    EntryType,
    Kind,
    Observation,
    Source,
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


def test_a_row_deleted_a_second_time_comes_back_with_the_job_it_was_given_in_between(base: PaperBase) -> None:
    """AT-35: the row of the first deletion knows of none."""
    base.feed(AIRBNB, guest("u1", 10, 14))
    base.delete(first := base.only)
    base.feed(AIRBNB, guest("u1", 10, 14))
    base.delete(base.edit(base.only, job_id="job_1"))
    base.tombstones.append(first)  # the mirror keeps both
    base.feed(AIRBNB, guest("u1", 10, 14))
    assert base.only.job_id == "job_1"


def test_a_deleted_row_comes_back_with_its_job_where_its_calendar_belongs_now(base: PaperBase) -> None:
    """AT-35, R-74: linked to another home and deleted before a run had moved it."""
    base.feed(AIRBNB, guest("u1", 10, 14))
    base.delete(base.edit(base.only, job_id="job_1"))
    base.feed(AIRBNB, guest("u1", 10, 14, home=LOFT), home=LOFT)
    assert (base.only.property_id, base.only.job_id) == (LOFT, "job_1")


def test_a_report_means_another_stay_by_the_same_number_at_another_home(base: PaperBase) -> None:
    """R-19, AT-35: a deleted row is not taken along."""
    base.run(base.batch(ITRIP, guest("7", 10, 14), home=None))
    base.delete(base.edit(base.only, job_id="job_1"))
    base.run(base.batch(ITRIP, guest("7", 10, 14, home=LOFT), home=None))
    assert (base.only.property_id, base.only.job_id) == (LOFT, "")


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
