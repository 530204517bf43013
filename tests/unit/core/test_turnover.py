"""The flags of a property's timeline, rule by rule (R-83 … R-88)."""

from __future__ import annotations

import pytest

from changeover.core.stay import EntryType, Kind, Report, Rules, ServiceHours, Status, Stay
from changeover.core.turnover import with_flags
from plugins.paper_base import AIRBNB, BOOKING, CASA, LOFT, PHOENIX, PaperBase, block, day, guest

BLOCK = EntryType.BLOCK
RULES = Rules(PHOENIX)


@pytest.fixture
def base() -> PaperBase:
    return PaperBase()


def row(base: PaperBase, check_in: int, check_out: int, **values: object) -> Stay:
    return base.add_row(check_in=day(check_in), check_out=day(check_out), **values)


def flagged(base: PaperBase, stay: Stay, rules: Rules = RULES) -> Stay:
    return with_flags(list(base.stays.values()), rules, day(0))[stay.record_id]


def test_the_next_guest_on_the_day_of_check_out_is_a_same_day_turnover(base: PaperBase) -> None:
    stay = row(base, 10, 14)
    row(base, 14, 16)
    after = flagged(base, stay)
    assert (after.same_day, after.owner_arriving, after.next_guest) == (True, False, day(14))


def test_a_day_between_is_no_same_day_turnover(base: PaperBase) -> None:
    stay = row(base, 10, 14)
    row(base, 15, 16)
    assert (flagged(base, stay).same_day, flagged(base, stay).next_guest) == (False, day(15))


def test_a_feed_that_is_down_changes_no_flag_of_anothers_rows(base: PaperBase) -> None:
    """V-27: feed B down flipped A's same-day."""
    base.run(base.batch(AIRBNB, guest("a1", 10, 14)), base.batch(BOOKING, guest("b1", 14, 16)))
    assert base.live[0].same_day
    for _ in range(3):
        assert not base.feed(AIRBNB, guest("a1", 10, 14)).changes
        assert not base.run(base.batch(BOOKING, fully_read=False)).changes
    assert base.live[0].same_day


@pytest.mark.parametrize("status", [Status.REMOVED, Status.OLD])
def test_a_row_that_is_gone_is_nobodys_next_guest(base: PaperBase, status: Status) -> None:
    """V-32: a Removed row was chosen as next guest."""
    stay = row(base, 10, 14)
    row(base, 14, 16, status=status)
    row(base, 14, 15, status=status, entry_type=BLOCK)
    after = flagged(base, stay)
    assert (after.same_day, after.owner_arriving, after.next_guest) == (False, False, None)


@pytest.mark.parametrize(("gap", "arriving"), [(0, True), (1, True), (2, False)])
def test_an_owner_arrives_with_a_block_within_a_day(base: PaperBase, gap: int, arriving: bool) -> None:
    stay = row(base, 10, 14)
    row(base, 14 + gap, 20, entry_type=BLOCK, block_type="Owner Stay")
    row(base, 24, 26)
    after = flagged(base, stay)
    assert (after.owner_arriving, after.next_guest) == (arriving, day(14 + gap) if arriving else day(24))


@pytest.mark.parametrize(
    ("block_type", "arriving"),
    [("", True), ("Unknown", True), ("Owner Arrival", True), ("Maintenance", False), ("Unavailable", False)],
)
def test_a_block_of_maintenance_is_no_owner(base: PaperBase, block_type: str, arriving: bool) -> None:
    stay = row(base, 10, 14)
    row(base, 14, 20, entry_type=BLOCK, block_type=block_type)
    assert flagged(base, stay).owner_arriving is arriving


def test_a_guest_who_comes_before_the_block_is_the_next_entry(base: PaperBase) -> None:
    """V-34: the first block was taken though a guest came first."""
    stay = row(base, 10, 14)
    row(base, 15, 18, entry_type=BLOCK)
    row(base, 14, 15)
    assert (flagged(base, stay).owner_arriving, flagged(base, stay).same_day) == (False, True)


def test_of_one_day_the_guest_comes_before_the_block(base: PaperBase) -> None:
    """R-86."""
    stay = row(base, 10, 14)
    row(base, 14, 18, entry_type=BLOCK)
    row(base, 14, 16)
    assert (flagged(base, stay).owner_arriving, flagged(base, stay).same_day) == (False, True)


def test_of_two_blocks_of_one_day_the_owners_counts(base: PaperBase) -> None:
    stay = row(base, 10, 14)
    row(base, 14, 15, entry_type=BLOCK, block_type="Maintenance")
    row(base, 14, 18, entry_type=BLOCK, block_type="Owner Stay")
    assert flagged(base, stay).owner_arriving


def test_an_owner_who_arrives_is_no_same_day_turnover(base: PaperBase) -> None:
    """V-35: an owner's arrival was ignored and marked SAME DAY."""
    stay = row(base, 10, 14, itrip_next_guest=day(14), itrip_info="codes\n Owner Stay (Next Checkin)\nmore")
    after = flagged(base, stay)
    assert (after.owner_arriving, after.same_day, after.next_guest) == (True, False, day(14))


def test_words_inside_a_line_do_not_name_the_owner(base: PaperBase) -> None:
    stay = row(base, 10, 14, itrip_info="no Owner Stay (Next Checkin) this time")
    assert not flagged(base, stay).owner_arriving


def test_the_owners_own_stay_is_a_block_without_flags(base: PaperBase) -> None:
    """V-36: an owner's own stay was cleaned as a guest's."""
    base.feed(AIRBNB, block("o", 10, 30, kind=Kind.OWNER_STAY), guest("g", 30, 33))
    stay = base.live[0]
    flags = (stay.same_day, stay.owner_arriving, stay.overlapping, stay.long_term)
    assert (stay.entry_type, stay.service_type, flags) == (BLOCK, "Needs Review", (False,) * 4)
    assert stay.next_guest == day(30)


def test_the_report_names_the_next_guest_before_any_calendar_does(base: PaperBase) -> None:
    """R-84, R-88."""
    stay = row(base, 10, 14, itrip_next_guest=day(14))
    row(base, 20, 22)
    assert (flagged(base, stay).same_day, flagged(base, stay).next_guest) == (True, day(14))


def test_guests_who_share_a_night_are_both_flagged_and_touching_is_no_overlap(base: PaperBase) -> None:
    one, two, three = row(base, 10, 14), row(base, 13, 16), row(base, 16, 18)
    assert [flagged(base, stay).overlapping for stay in (one, two, three)] == [True, True, False]


def test_a_long_guest_overlaps_everyone_within(base: PaperBase) -> None:
    stays = [row(base, 1, 10), row(base, 2, 3), row(base, 5, 6), row(base, 10, 12)]
    assert [flagged(base, stay).overlapping for stay in stays] == [True, True, True, False]


def test_blocks_and_mirrors_are_no_overlap(base: PaperBase) -> None:
    """V-37: overlap counted blocks and mirrors."""
    base.run(
        base.batch(AIRBNB, guest("a1", 10, 14), block("a2", 12, 20)),
        base.batch(BOOKING, block("b1", 10, 14), guest("b2", 20, 22)),
    )
    assert [stay.overlapping for stay in base.live] == [False, False, False]


def test_a_row_of_people_for_the_same_nights_is_the_same_stay(base: PaperBase) -> None:
    """R-83: mirrors merged; only other nights are a double booking."""
    stay = row(base, 10, 14)
    row(base, 10, 14, source=None, url="", uid="by hand")
    assert not flagged(base, stay).overlapping
    row(base, 12, 15, source=None, url="", uid="by hand too")
    assert flagged(base, stay).overlapping


def test_peoples_rows_count_for_others_and_are_not_written(base: PaperBase) -> None:
    stay = row(base, 10, 14)
    theirs = row(base, 14, 16, source=None, url="", uid="by hand")
    found = with_flags(list(base.stays.values()), RULES, day(0))
    assert found[stay.record_id].same_day
    assert theirs.record_id not in found


@pytest.mark.parametrize(("nights", "long"), [(13, False), (14, True)])
def test_a_long_term_guest_stays_fourteen_nights(base: PaperBase, nights: int, long: bool) -> None:
    assert flagged(base, row(base, 10, 10 + nights)).long_term is long


def test_flags_are_written_up_to_the_day_of_check_out(base: PaperBase) -> None:
    today, yesterday = row(base, -3, 0), row(base, -5, -1)
    found = with_flags(list(base.stays.values()), RULES, day(0))
    assert today.record_id in found
    assert yesterday.record_id not in found


def test_a_base_that_computes_the_service_time_is_left_alone(base: PaperBase) -> None:
    stay = row(base, 10, 14)
    rules = Rules(PHOENIX, writes_service_time=False, hours=ServiceHours(default="11:00"))
    assert flagged(base, stay, rules).final_service_time is None


def test_a_row_that_is_as_it_should_be_is_the_same_object(base: PaperBase) -> None:
    stay = flagged(base, row(base, 10, 14))
    base.stays[stay.record_id] = stay
    assert flagged(base, stay) is stay


def test_a_report_at_another_house_is_nothing_to_this_one(base: PaperBase) -> None:
    base.feed(AIRBNB, guest("u1", 10, 14))
    base.run(base.batch(BOOKING, guest("u2", 14, 18, home=LOFT, report=Report(next_is_owner=True)), home=LOFT))
    assert [(stay.property_id, stay.owner_arriving) for stay in base.live] == [(CASA, False), (LOFT, True)]
