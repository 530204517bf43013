"""One source and its own rows: what is new, what is the same stay, what has changed (R-4, R-42 … R-50, R-56 … R-60)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from changeover.core.plan import Verb
from changeover.core.stay import BlockType, EntryType, Kind, Rejected, Report, Status
from plugins.paper_base import AIRBNB, BOOKING, CASA, LOFT, PaperBase, block, day, guest


@pytest.fixture
def base() -> PaperBase:
    return PaperBase()


def test_a_guest_becomes_a_new_row_with_everything_a_row_needs(base: PaperBase) -> None:
    plan = base.feed(AIRBNB, guest("u1", 10, 14))
    stay = base.only
    assert (stay.uid, stay.url, stay.property_id) == (f"u1_{CASA}", AIRBNB.url, CASA)
    assert (stay.status, stay.entry_type, stay.service_type, stay.block_type) == ("New", "Reservation", "Turnover", "")
    assert (stay.entry_source, stay.sync_status) == ("Airbnb", "Not Created")
    assert stay.last_updated == plan.now
    assert stay.final_service_time == datetime(2026, 3, 15, 17, 15, tzinfo=UTC)
    assert plan.counts.of("new", EntryType.RESERVATION) == 1


@pytest.mark.parametrize(
    ("kind", "block_type", "row"),
    [
        (Kind.RESERVATION, "", ("Reservation", "Turnover", "")),
        (Kind.BLOCK, "", ("Block", "Needs Review", "")),
        (Kind.BLOCK, "Maintenance", ("Block", "Needs Review", "Maintenance")),
        (Kind.BLOCK, "Unavailable", ("Block", "Needs Review", "Unavailable")),
        (Kind.OWNER_STAY, "", ("Block", "Needs Review", "Owner Stay")),
        (Kind.UNKNOWN, "", ("Block", "Needs Review", "Unknown")),
    ],
)
def test_a_kind_decides_entry_service_and_block_type(
    base: PaperBase, kind: Kind, block_type: str, row: tuple[str, str, str]
) -> None:
    base.feed(AIRBNB, guest("u1", 10, 14, kind=kind, block_type=block_type))
    assert (base.only.entry_type, base.only.service_type, base.only.block_type) == row


@pytest.mark.parametrize("kind", [Kind.WINDOW_TAIL, Kind.NOTICE, Kind.PREP, Kind.TASK])
def test_items_that_are_nobodys_stay_make_no_row_and_are_counted(base: PaperBase, kind: Kind) -> None:
    plan = base.feed(AIRBNB, guest("u1", 10, 14, kind=kind))
    assert not plan.changes
    assert plan.counts.dropped == {str(kind): 1}


def test_the_same_batch_again_plans_nothing(base: PaperBase) -> None:
    observations = (guest("u1", 10, 14), block("u2", 20, 22), guest("u3", 14, 18))
    base.feed(AIRBNB, *observations)
    plan = base.feed(AIRBNB, *observations)
    assert not plan.changes
    assert plan.counts.unchanged == 3


def test_a_new_uid_with_the_same_nights_writes_nothing_and_becomes_an_alias(base: PaperBase) -> None:
    """V-16: a new uid at every download made 595 rows for one house."""
    base.feed(AIRBNB, guest("u1", 10, 14))
    for number in range(30):
        assert not base.feed(AIRBNB, guest(f"churn{number}", 10, 14)).changes
    assert base.only.uid == f"u1_{CASA}"
    plan = base.feed(AIRBNB, guest("churn29", 12, 14))
    assert [change.verb for change in plan.changes] == [Verb.MODIFY]


def test_changed_dates_modify_the_row_in_place_and_keep_its_job(base: PaperBase) -> None:
    """V-10: a Modified that lost the job id made a second job."""
    base.feed(AIRBNB, guest("u1", 10, 14))
    base.edit(base.only, job_id="job_1")
    record_id = base.only.record_id
    plan = base.feed(AIRBNB, guest("u1", 10, 15))
    stay = base.only
    assert (stay.record_id, stay.status, stay.job_id) == (record_id, Status.MODIFIED, "job_1")
    assert stay.change_summary == f"Check-out {day(14)} → {day(15)}"
    assert plan.counts.of("modified") == 1
    assert [old.status for old in base.history] == [Status.OLD]


def test_every_part_of_a_change_is_named_in_the_summary(base: PaperBase) -> None:
    base.run(base.batch(AIRBNB, guest("u1", 10, 14), home=None))
    base.run(base.batch(AIRBNB, block("u1", 11, 15, home=LOFT), home=None))
    assert base.only.change_summary == (
        f"Check-in {day(10)} → {day(11)}; Check-out {day(14)} → {day(15)}; Property Casa → Loft; "
        "Entry Type Reservation → Block"
    )
    assert base.only.uid == f"u1_{LOFT}"


def test_an_altered_stay_under_a_new_uid_is_the_same_stay(base: PaperBase) -> None:
    """V-17: an altered stay with a new uid was Removed and New."""
    base.feed(AIRBNB, guest("u1", 19, 26))
    base.edit(base.only, job_id="job_1")
    base.feed(AIRBNB, guest("u2", 19, 24))
    assert (base.only.uid, base.only.job_id, base.only.status) == (f"u2_{CASA}", "job_1", Status.MODIFIED)


def test_two_candidates_are_no_continuity(base: PaperBase) -> None:
    base.feed(AIRBNB, guest("u1", 19, 26))
    plan = base.feed(AIRBNB, guest("u2", 19, 24), guest("u3", 24, 26))
    assert plan.counts.of("new") == 2
    assert base.nights() == [(19, 24), (19, 26), (24, 26)]
    assert next(stay for stay in base.live if stay.uid == f"u1_{CASA}").missing_count == 1


def test_continuity_needs_the_same_entry_type(base: PaperBase) -> None:
    base.feed(AIRBNB, guest("u1", 19, 26))
    base.feed(AIRBNB, block("u2", 19, 24))
    assert len(base.live) == 2


def test_an_unstable_uid_is_found_by_its_check_out(base: PaperBase) -> None:
    base.feed(BOOKING, block("b1", 5, 12, stable_uid=False), block("b2", 2, 8, stable_uid=False))
    plan = base.feed(BOOKING, block("b3", 6, 12, stable_uid=False), block("b4", 3, 8, stable_uid=False))
    assert plan.counts.of("modified") == 2
    assert base.nights() == [(3, 8), (6, 12)]


def test_a_running_stay_cut_to_today_is_unchanged(base: PaperBase) -> None:
    base.feed(BOOKING, block("b1", -2, 3, stable_uid=False), hours=24)
    plan = base.feed(BOOKING, block("b2", 1, 3, stable_uid=False), hours=24)
    assert not plan.changes
    plan = base.feed(BOOKING, block("b3", 2, 4, stable_uid=False))
    assert base.nights() == [(-2, 4)]
    assert base.only.change_summary == f"Check-out {day(3)} → {day(4)}"


def test_a_begun_stay_whose_nights_are_all_new_moves_whole(base: PaperBase) -> None:
    base.feed(AIRBNB, guest("u1", -2, 3))
    base.feed(AIRBNB, guest("u1", 20, 24))
    assert base.nights() == [(20, 24)]


def test_a_uid_at_another_property_has_moved_house(base: PaperBase) -> None:
    base.run(base.batch(AIRBNB, guest("u1", 10, 14), home=None))
    base.edit(base.only, job_id="job_1")
    base.run(base.batch(AIRBNB, guest("u1", 10, 14, home=LOFT), home=None))
    assert (base.only.property_id, base.only.uid, base.only.job_id) == (LOFT, f"u1_{LOFT}", "job_1")
    assert base.only.change_summary == "Property Casa → Loft"


def test_the_same_uid_on_two_houses_is_two_stays(base: PaperBase) -> None:
    """V-22: the same uid on two houses dropped one."""
    both = (guest("u1", 10, 14), guest("u1", 10, 14, home=LOFT))
    base.run(base.batch(AIRBNB, *both, home=None))
    assert {stay.property_id for stay in base.live} == {CASA, LOFT}
    assert not base.run(base.batch(AIRBNB, *both, home=None)).changes


def test_a_row_is_never_split_at_an_underscore(base: PaperBase) -> None:
    """V-20: uids hold `_`, `+`, `/` and `=`."""
    uid = "a_b+c/d=_recX"
    base.feed(AIRBNB, guest(uid, 10, 14))
    assert base.only.uid == f"{uid}_{CASA}"
    base.lose_the_state_database()
    assert not base.feed(AIRBNB, guest(uid, 10, 14)).changes
    base.feed(AIRBNB, guest(uid, 30, 34))
    assert base.nights() == [(30, 34)]


def test_an_older_row_with_a_bare_uid_is_found(base: PaperBase) -> None:
    """V-4: a new key format must not remove every row in a night."""
    row = base.add_row(uid="u1")
    plan = base.feed(AIRBNB, guest("u1", 10, 15))
    assert base.only.record_id == row.record_id
    assert plan.counts.of("new") == 0


def test_of_two_rows_of_one_uid_the_one_left_over_has_not_moved_house(base: PaperBase) -> None:
    """R-46.2: its uid is shown where it lives, so that nobody elsewhere may claim it."""
    base.add_row(uid="u1")
    base.add_row(uid=f"u1_{CASA}")
    base.run(base.batch(AIRBNB, guest("u1", 10, 14), guest("u1", 30, 34, home=LOFT), home=None))
    assert sorted(stay.property_id for stay in base.live).count(LOFT) == 1
    assert CASA in {stay.property_id for stay in base.live}


def test_the_same_nights_twice_in_a_batch_are_one_stay_the_guest_first(base: PaperBase) -> None:
    plan = base.feed(AIRBNB, block("b", 10, 14), guest("g", 10, 14), block("o", 10, 14, kind=Kind.OWNER_STAY))
    assert (base.only.entry_type, base.only.uid) == (EntryType.RESERVATION, f"g_{CASA}")
    assert plan.counts.duplicates == 2
    base.feed(AIRBNB, guest("b", 10, 16))
    assert base.nights() == [(10, 16)]


def test_a_row_moved_onto_a_vanished_rows_nights_takes_its_place(base: PaperBase) -> None:
    """V-19: a stay moved onto a canceled stay's nights left both live."""
    base.feed(AIRBNB, guest("u1", 10, 14), guest("u2", 20, 24))
    base.feed(AIRBNB, guest("u2", 10, 14))
    assert (base.only.uid, base.nights()) == (f"u2_{CASA}", [(10, 14)])
    removed = next(stay for stay in base.stays.values() if stay.status is Status.REMOVED)
    assert removed.change_summary == f"Merged into u2_{CASA}"
    assert not base.feed(AIRBNB, guest("u2", 10, 14)).changes


def test_a_removed_row_comes_back_by_its_uid_with_its_job(base: PaperBase) -> None:
    """V-12: a stay that came back got a second job, or never came back."""
    row = base.add_row(uid=f"u1_{CASA}", status=Status.REMOVED, job_id="job_1")
    plan = base.feed(AIRBNB, guest("u1", 10, 14))
    assert (base.only.record_id, base.only.job_id, base.only.status) == (row.record_id, "job_1", Status.MODIFIED)
    assert base.only.change_summary == "Reactivated"
    assert plan.counts.reactivated == 1


def test_the_nights_of_a_removed_row_under_a_new_uid_are_a_new_stay(base: PaperBase) -> None:
    base.add_row(uid=f"u1_{CASA}", status=Status.REMOVED, job_id="job_1")
    base.feed(AIRBNB, guest("u2", 10, 14))
    assert (base.only.uid, base.only.job_id) == (f"u2_{CASA}", "")


def test_an_unstable_uid_brings_a_removed_row_back_by_dates(base: PaperBase) -> None:
    row = base.add_row(uid=f"u1_{CASA}", status=Status.REMOVED)
    base.feed(AIRBNB, guest("u2", 10, 14, stable_uid=False))
    assert base.only.record_id == row.record_id


def test_a_removed_row_outside_the_import_window_stays_removed(base: PaperBase) -> None:
    base.add_row(uid=f"u1_{CASA}", status=Status.REMOVED, check_in=day(-90), check_out=day(-80))
    plan = base.feed(AIRBNB, guest("u1", -90, -80))
    assert not base.live
    assert plan.counts.dropped == {"outside the window": 1}


@pytest.mark.parametrize(("nights", "rows"), [((-70, -61), 0), ((-70, -60), 1), ((180, 190), 1), ((181, 190), 0)])
def test_only_nights_inside_the_import_window_make_a_row(base: PaperBase, nights: tuple[int, int], rows: int) -> None:
    base.feed(AIRBNB, guest("u1", *nights))
    assert len(base.live) == rows


def test_a_live_row_outside_the_import_window_still_follows_its_source(base: PaperBase) -> None:
    base.feed(AIRBNB, guest("u1", 170, 175))
    base.feed(AIRBNB, guest("u1", 190, 195))
    assert base.nights() == [(190, 195)]


def test_a_closed_year_rolls_without_a_change_until_its_end_comes_near(base: PaperBase) -> None:
    base.feed(BOOKING, block("b0", 5, 365, open_end=True, stable_uid=False), hours=24)
    for number in range(1, 4):
        shown = block(f"b{number}", 5, 365 + number, open_end=True, stable_uid=False)
        assert not base.feed(BOOKING, shown, hours=24).changes
    base.edit(base.only, check_out=day(100))
    plan = base.feed(BOOKING, block("b9", 5, 369, open_end=True, stable_uid=False))
    assert [change.verb for change in plan.changes] == [Verb.UPDATE]
    assert (base.nights(), base.only.status) == ([(5, 369)], Status.NEW)


def test_a_persons_service_type_is_kept_when_the_entry_type_changes(base: PaperBase) -> None:
    """V-29: a human's Turnover on a Block was undone hourly."""
    base.feed(AIRBNB, block("u1", 10, 14))
    base.edit(base.only, service_type="Turnover", block_type="Owner Arrival")
    base.feed(AIRBNB, block("u1", 10, 15))
    assert (base.only.service_type, base.only.block_type) == ("Turnover", "Owner Arrival")
    base.feed(AIRBNB, guest("u1", 10, 15))
    base.feed(AIRBNB, block("u1", 10, 15))
    assert (base.only.service_type, base.only.block_type) == ("Turnover", "Owner Arrival")


def test_a_new_entry_type_brings_its_defaults_while_nobody_has_touched_them(base: PaperBase) -> None:
    base.feed(AIRBNB, block("u1", 10, 14, kind=Kind.OWNER_STAY))
    base.feed(AIRBNB, guest("u1", 10, 14))
    assert (base.only.service_type, base.only.block_type) == ("Turnover", "")
    base.feed(AIRBNB, block("u1", 10, 14, block_type="Maintenance"))
    assert (base.only.service_type, base.only.block_type) == ("Needs Review", "Maintenance")


def test_without_memory_any_value_but_the_default_is_a_persons(base: PaperBase) -> None:
    base.feed(AIRBNB, block("u1", 10, 14, kind=Kind.OWNER_STAY))
    base.lose_the_state_database()
    base.feed(AIRBNB, guest("u1", 10, 14))
    assert (base.only.service_type, base.only.block_type) == ("Turnover", "Owner Stay")


def test_a_custom_time_on_another_day_is_kept_and_said_once(base: PaperBase) -> None:
    """V-38: a custom time was left on the old day, unseen."""
    base.feed(AIRBNB, guest("u1", 10, 14))
    base.edit(base.only, custom_service_time=f"{day(14)} 9:30 AM")
    plan = base.feed(AIRBNB, guest("u1", 10, 16))
    assert base.only.custom_service_time == f"{day(14)} 9:30 AM"
    assert [alert.rule for alert in plan.alerts] == ["custom_time_other_day"]
    assert not base.feed(AIRBNB, guest("u1", 10, 16)).alerts


@pytest.mark.parametrize("words", ["9:30 AM", "when the guest has left", ""])
def test_a_custom_time_without_a_day_is_no_cause_for_an_alert(base: PaperBase, words: str) -> None:
    base.feed(AIRBNB, guest("u1", 10, 14))
    base.edit(base.only, custom_service_time=words)
    assert not base.feed(AIRBNB, guest("u1", 10, 16)).alerts


def test_an_edited_url_or_entry_source_follows_in_place(base: PaperBase) -> None:
    base.feed(AIRBNB, guest("u1", 10, 14))
    renamed = replace(AIRBNB, url="https://feeds.example/airbnb?new=1", entry_source="Hostaway")
    plan = base.feed(renamed, guest("u1", 10, 14))
    assert [change.verb for change in plan.changes] == [Verb.UPDATE]
    assert (base.only.url, base.only.entry_source, base.only.status) == (renamed.url, "Hostaway", Status.NEW)


def test_a_feed_linked_to_another_home_takes_its_rows_along_from_today_on(base: PaperBase) -> None:
    """V-48: re-linked feeds left ghosts."""
    base.feed(AIRBNB, guest("past", -9, -5), guest("u1", 10, 14), guest("u2", 20, 24))
    base.edit(next(s for s in base.live if s.uid.startswith("u1")), job_id="job_1")
    shown = (guest("past", -9, -5, home=LOFT), guest("u1", 10, 14, home=LOFT), guest("u2", 20, 24, home=LOFT))
    plan = base.feed(AIRBNB, *shown, home=LOFT)
    assert [(s.property_id, s.uid) for s in base.live] == [
        (CASA, f"past_{CASA}"),
        (LOFT, f"u1_{LOFT}"),
        (LOFT, f"u2_{LOFT}"),
    ]
    assert [alert.rule for alert in plan.alerts] == ["feed_relinked"]
    assert "Loft" in plan.alerts[0].text
    assert not base.feed(AIRBNB, *shown, home=LOFT).changes


def test_a_deleted_row_of_a_shown_stay_is_made_again_with_its_job(base: PaperBase) -> None:
    base.feed(AIRBNB, guest("u1", 10, 14))
    base.delete(base.edit(base.only, job_id="job_1", service_type="Deep Clean", custom_service_time="9:00 AM"))
    plan = base.feed(AIRBNB, guest("u1", 10, 14))
    stay = base.only
    assert plan.changes[0].restores is not None
    assert (stay.job_id, stay.service_type, stay.custom_service_time) == ("job_1", "Deep Clean", "9:00 AM")
    assert (stay.status, stay.change_summary) == (Status.NEW, "Row restored after deletion")
    assert not base.feed(AIRBNB, guest("u1", 10, 14)).changes


def test_report_details_follow_in_place(base: PaperBase) -> None:
    """V-31: a new next guest or door code was not written."""
    first = Report(info="codes", next_guest=day(14), says_next_guest=True)
    base.feed(AIRBNB, guest("u1", 10, 14, report=first))
    assert (base.only.itrip_info, base.only.itrip_next_guest, base.only.same_day) == ("codes", day(14), True)
    plan = base.feed(AIRBNB, guest("u1", 10, 14, report=Report(info="new codes", says_next_guest=True)))
    assert [change.verb for change in plan.changes] == [Verb.UPDATE]
    assert (base.only.itrip_info, base.only.itrip_next_guest) == ("new codes", None)
    assert not base.feed(AIRBNB, guest("u1", 10, 14, report=Report())).changes


def test_a_report_that_names_the_owner_next_is_remembered(base: PaperBase) -> None:
    base.feed(AIRBNB, guest("u1", 10, 14, report=Report(next_is_owner=True)))
    assert base.only.owner_arriving
    assert not base.feed(AIRBNB, guest("u1", 10, 14)).changes


def test_rejected_items_are_counted_by_reason_and_keep_their_stay_seen(base: PaperBase) -> None:
    """V-8: an unreadable event removed its stay."""
    base.feed(AIRBNB, guest("u1", 10, 14))
    for _ in range(8):
        plan = base.run(base.batch(AIRBNB, rejected=(Rejected("event 1", "bad_date", "u1", CASA),)))
        assert plan.counts.rejected == {"bad_date": 1}
        assert not plan.changes
    assert base.only.missing_count == 0


def test_an_item_rejected_without_a_uid_makes_the_batch_prove_nothing(base: PaperBase) -> None:
    base.feed(AIRBNB, guest("u1", 10, 14))
    for _ in range(8):
        assert not base.run(base.batch(AIRBNB, rejected=(Rejected("event 1", "bad_date"),))).changes


def test_a_person_who_sets_a_shown_stay_removed_sees_it_return(base: PaperBase) -> None:
    base.feed(AIRBNB, guest("u1", 10, 14))
    base.edit(base.only, status=Status.REMOVED)
    base.feed(AIRBNB, guest("u1", 10, 14))
    assert base.only.status is Status.MODIFIED


def test_rows_that_people_keep_are_never_changed(base: PaperBase) -> None:
    row = base.add_row(source=None, url="", uid="by hand", service_type="")
    plan = base.feed(AIRBNB, guest("u1", 10, 14))
    assert not plan.changes
    assert base.only == row
    assert plan.counts.mirrors == 1


def test_inherited_duplicates_without_a_job_become_history(base: PaperBase) -> None:
    keeper = base.add_row(uid=f"u1_{CASA}", job_id="job_1")
    base.add_row(uid=f"u2_{CASA}")
    base.add_row(uid=f"u1_{CASA}", check_out=day(15))
    plan = base.feed(AIRBNB, guest("u1", 10, 14))
    assert base.only.record_id == keeper.record_id
    assert [change.verb for change in plan.changes if change.verb is Verb.RETIRE] == [Verb.RETIRE] * 2
    assert not base.feed(AIRBNB, guest("u2", 10, 14)).changes


def test_last_updated_moves_with_versions_only(base: PaperBase) -> None:
    base.feed(AIRBNB, guest("u1", 10, 14))
    first = base.only.last_updated
    base.feed(AIRBNB, guest("u1", 10, 14), guest("u2", 14, 18))
    one = base.live[0]
    assert one.same_day
    assert one.last_updated == first
    base.feed(AIRBNB, guest("u1", 10, 13), guest("u2", 14, 18))
    assert base.live[0].last_updated == base.now - timedelta(hours=4)
    assert base.live[0].block_type == BlockType.EMPTY
