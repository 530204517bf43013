"""What once went wrong, seen from outside: each failure's number stands in the test that keeps it from coming back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from changeover import controller
from changeover.core.stay import Rules
from changeover.exits import Exit
from plugins.outsider import Business, Calendar, day

A_DAY = timedelta(hours=24)
FLAGS = ("Same-day Turnover", "Owner Arriving", "Overlapping Dates", "Long Term Guest", "Next Guest Date")


def house(business: Business, *stays: tuple[str, int, int]) -> Calendar:
    (calendar,) = business.house("Casa Uno")
    for uid, check_in, check_out in stays:
        calendar.stay(uid, check_in, check_out)
    assert business.run().code == Exit.OK
    return calendar


def test_misses_are_counted_over_runs_and_days_and_a_sight_in_between_clears_them(business: Business) -> None:
    """V-2: one miss removed a stay; V-3: counters were never loaded, so always 0 (R-63, R-64)."""
    calendar = house(business, ("a1@x", 10, 12), ("a2@x", 20, 22))
    calendar.drop("a1@x")
    for count in (1, 2, 3):
        business.run()
        first = business.office.live[0]
        assert first["Missing Count"] == count
    calendar.stay("a1@x", 10, 12)
    business.run()
    assert business.office.live[0].get("Missing Count") == 0
    assert "Missing Since" not in business.office.live[0]
    assert business.office.rows("Old") == []
    calendar.drop("a1@x")
    for _ in range(3):
        business.run()
    assert business.office.nights == [(10, 12), (20, 22)]
    business.run()
    assert business.office.nights == [(20, 22)]


def test_a_calendar_with_all_uids_new_changes_nothing_and_removes_nobody(business: Business) -> None:
    """V-4: a new key format: all rows Removed in one night; V-16: a new uid at each download (R-46, R-47, R-69)."""
    stays = [(f"old{number}@x", 10 + 5 * number, 13 + 5 * number) for number in range(12)]
    calendar = house(business, *stays)
    before = business.office.records()
    calendar.events.clear()
    for number, (_, check_in, check_out) in enumerate(stays):
        calendar.stay(f"new{number}@y", check_in, check_out)
    for _ in range(5):
        assert business.run().writes == [("PATCH", "Automation")]
    assert business.office.records() == before


def test_too_many_removals_at_once_wait_for_a_person_who_may_approve_or_reject_them(business: Business) -> None:
    """V-4, V-7: a change of the feed wiped its house (R-69)."""
    calendar = house(business, *((f"a{number}@x", 10 + 5 * number, 13 + 5 * number) for number in range(14)))
    calendar.drop(*(f"a{number}@x" for number in range(7)))
    ran = business.a_day()
    assert (ran.code, ran.only.state) == (Exit.PARTIAL, "partial")
    assert "removed 0 (0 res, 0 block) — held 7" in ran.text
    assert len(business.office.live) == 14
    assert "Casa Uno" in business.alerts()["removals_held"].text
    first, second, *_ = (each.id for each in business.held())
    settings, at = business.settings(), business.now
    rejected = controller.decide_holds(settings, (second, "held-nothing"), approve=False, who="Pat", at=at)
    assert (rejected.decided, rejected.unknown) == ((second,), ("held-nothing",))
    approved = controller.decide_holds(settings, (first,), approve=True, who="Pat", at=at)
    assert approved.decided == (first,)
    assert approved.result is not None
    assert approved.result.exit_code in (Exit.OK, Exit.PARTIAL)
    assert len(business.office.live) == 13
    assert len(business.held()) == 5


def test_a_guest_who_came_long_ago_keeps_the_row_to_the_end(business: Business) -> None:
    """V-5: check-in two months ago: guest in, row Removed (R-4)."""
    calendar = house(business, ("a1@x", -70, 10), ("a2@x", 20, 22))
    calendar.drop("a1@x")
    business.a_day()
    assert business.office.nights == [(-70, 10), (20, 22)]
    assert business.misses() == 0


def test_a_stay_beyond_what_the_calendar_shows_is_not_missed(business: Business) -> None:
    """V-6: a stay beyond the report's window was Removed (R-3)."""
    calendar = house(business, ("a1@x", 100, 104), ("a2@x", 20, 22), ("long@x", 175, 380))
    calendar.drop("long@x")
    business.a_day()
    assert (175, 380) in business.office.nights
    assert business.misses() == 0


def test_a_stay_is_never_removed_on_its_check_out_day(business: Business) -> None:
    """V-13: removed on check-out day (R-62, R-67)."""
    calendar = house(business, ("a1@x", 1, 3), ("a2@x", 20, 22))
    business.now += 3 * A_DAY
    calendar.drop("a1@x")
    business.a_day()
    assert business.office.nights == [(1, 3), (20, 22)]
    canceled = calendar.stay("a1@x", 1, 3, STATUS="CANCELLED")
    business.run(beat=timedelta(0))
    assert business.office.nights == [(1, 3), (20, 22)]
    assert canceled.events


def test_a_canceled_stay_keeps_its_job_id_and_comes_back_as_the_same_row(business: Business) -> None:
    """V-11: a cancel blanked the job id: the cleaner drove; V-12: it came back as New with a second job (R-50)."""
    calendar = house(business, ("a1@x", 10, 12), ("a2@x", 20, 22))
    row = str(business.office.live[0]["id"])
    business.office.edit("Reservations", row, **{"Service Job ID": "job_4711", "Service Type": "Deep Clean"})
    calendar.stay("a1@x", 10, 12, STATUS="CANCELLED")
    business.run()
    removed = business.office.row(row)
    assert (removed["Status"], removed["Change Summary"]) == ("Removed", "Canceled at source")
    assert removed["Service Job ID"] == "job_4711"
    assert "Casa Uno" in business.alerts()["removed_with_job"].text
    calendar.stay("a1@x", 10, 12)
    business.run()
    back = business.office.row(row)
    assert (back["Status"], back["Change Summary"]) == ("Modified", "Reactivated")
    assert (back["Service Job ID"], back["Service Type"]) == ("job_4711", "Deep Clean")
    assert business.office.nights == [(10, 12), (20, 22)]


def test_today_is_the_day_in_phoenix_and_not_the_servers(business: Business) -> None:
    """V-14: the server's date changed the day at 5 pm (R-1)."""
    calendar = house(business, ("a1@x", 1, 3), ("a2@x", 20, 22))
    calendar.drop("a1@x")
    business.now = datetime(2026, 3, 5, 1, tzinfo=UTC)  # 6 pm of March 4 in Phoenix, March 5 in UTC
    business.run()
    assert business.office.live[0]["Missing Count"] == 1  # it begins tomorrow: not begun, so missed
    assert Rules(business.settings().zone).today(business.now - timedelta(hours=4)) == day(0)


def test_a_time_in_utc_is_the_day_it_is_at_the_house(business: Business) -> None:
    """V-15: UTC times were cut, a night off (R-37)."""
    (calendar,) = business.house("Casa Uno")
    calendar.event("a1@x", "UID:a1@x", "DTSTART:20260316T020000Z", "DTEND:20260318T180000Z", "SUMMARY:Reserved")
    business.run()
    assert business.office.nights == [(11, 14)]


def test_an_altered_stay_with_a_new_uid_is_the_same_stay(business: Business) -> None:
    """V-17: an altered stay with a new uid was Removed and New (R-46.4)."""
    calendar = house(business, ("u1@x", 16, 23))
    row = str(business.office.only["id"])
    calendar.drop("u1@x").stay("u2@x", 16, 21)
    business.run()
    assert business.office.only["id"] == row
    assert business.office.nights == [(16, 21)]
    assert str(business.office.only["Reservation UID"]).startswith("u2@x_")


def test_three_channels_of_one_house_show_one_stay_and_get_one_row(business: Business) -> None:
    """V-18: Airbnb, VRBO and a manager's calendar: three jobs (R-51)."""
    airbnb, vrbo, third = business.house("Casa Uno", "airbnb", "vrbo", "third")
    for number, each in enumerate((airbnb, vrbo, third)):
        each.stay(f"u{number}@x", 10, 14)
        each.stay(f"v{number}@x", 20, 24)
    business.run()
    assert business.office.nights == [(10, 14), (20, 24)]
    row = business.office.live[0]
    assert len(str(row["Also Seen In"]).splitlines()) == 2
    assert "http" not in str(row["Also Seen In"])
    airbnb.drop("u0@x")
    vrbo.drop("u1@x")
    business.a_day()
    assert business.office.nights == [(10, 14), (20, 24)]
    third.drop("u2@x")
    business.a_day()
    assert business.office.nights == [(20, 24)]


def test_a_stay_moved_onto_the_nights_of_a_canceled_one_leaves_one_of_them(business: Business) -> None:
    """V-19: moved onto a canceled stay's nights: both live (R-49)."""
    calendar = house(business, ("u1@x", 10, 14), ("u2@x", 20, 24))
    calendar.drop("u2@x").stay("u1@x", 20, 24)
    business.run()
    assert business.office.nights == [(20, 24)]
    assert str(business.office.only["Reservation UID"]).startswith("u1@x_")


def test_uids_with_every_sign_in_them_are_kept_whole(business: Business) -> None:
    """V-20: the uid was split at `_` (R-45)."""
    uid = "HM_A+B/C=_recNOTAHOUSE00000_x"
    calendar = house(business, (uid, 10, 14))
    home = business.office.records("Properties")[0]["id"]
    assert business.office.only["Reservation UID"] == f"{uid}_{home}"
    calendar.stay(uid, 10, 15)
    business.run()
    assert business.office.nights == [(10, 15)]


def test_events_with_no_uid_or_one_uid_for_several_are_all_stays(business: Business) -> None:
    """V-21: of events with an empty or a double uid one survived (R-42, R-43)."""
    (calendar,) = business.house("Casa Uno")
    for number in (10, 20):
        calendar.stay(f"k{number}", number, number + 3)
        calendar.events[f"k{number}"] = calendar.events[f"k{number}"].replace(f"UID:k{number}\r\n", "")
    calendar.stay("same", 30, 33)
    calendar.events["again"] = calendar.events["same"].replace(f"{day(30):%Y%m%d}", f"{day(40):%Y%m%d}")
    calendar.events["again"] = calendar.events["again"].replace(f"{day(33):%Y%m%d}", f"{day(43):%Y%m%d}")
    calendar.publish()
    business.run()
    assert business.office.nights == [(10, 13), (20, 23), (30, 33), (40, 43)]
    assert business.run().writes == [("PATCH", "Automation")]


def test_one_uid_at_two_houses_is_two_stays(business: Business) -> None:
    """V-22: the same uid on two houses: one was dropped; P-1: Airbnb does that."""
    for name in ("Casa Uno", "Casa Dos"):
        business.house(name)[0].stay("shared@airbnb.com", 10, 14)
    business.run()
    assert business.office.nights == [(10, 14), (10, 14)]
    assert len({row["Reservation UID"] for row in business.office.live}) == 2


def test_words_that_close_a_house_make_no_turnover(business: Business) -> None:
    """V-24: "Hold", "Busy" and no words at all became turnovers (R-35); V-25: the guest "Pat Block" is a guest."""
    (calendar,) = business.house("Casa Uno")
    for number, words in enumerate(("Hold", "Busy", "", "Reserved - Pat Block", "Maintenance: pool")):
        calendar.stay(f"a{number}@x", 10 + 5 * number, 13 + 5 * number, words)
    business.run()
    types = [(row["Entry Type"], row["Service Type"], row.get("Block Type")) for row in business.office.live]
    block, guest = ("Block", "Needs Review"), ("Reservation", "Turnover", None)
    assert types == [(*block, None), (*block, None), (*block, "Unknown"), guest, (*block, "Maintenance")]


def test_what_people_and_scripts_do_to_flags_and_times_makes_no_versions(business: Business) -> None:
    """V-26: sync and script fought: a version every hour (R-57)."""
    house(business, ("a1@x", 10, 12), ("a2@x", 12, 15))
    row = str(business.office.live[0]["id"])
    for value in (False, True, False):
        business.office.edit(
            "Reservations", row, **{"Same-day Turnover": value, "Assignee": "Ann", "Sync Status": "Synced"}
        )
        business.run()
        assert business.office.live[0]["Same-day Turnover"] is True
    assert business.office.rows("Old") == []
    assert business.office.live[0]["Status"] == "New"


def test_a_failing_calendar_changes_no_flag_of_the_house(business: Business) -> None:
    """V-27: feed B down flipped A's same-day (R-83)."""
    one, two = business.house("Casa Uno", "one", "two")
    one.stay("a1@x", 10, 12).stay("a3@x", 30, 50)
    two.stay("b1@y", 12, 15).stay("b2@y", 14, 16)
    business.run()
    before = business.office.records()
    assert [[row.get(flag) for flag in FLAGS[:4]] for row in business.office.live] == [
        [True, None, None, None],
        [None, None, True, None],
        [None, None, True, None],
        [None, None, None, True],
    ]
    two.answers(status=500)
    business.a_day()
    assert business.office.records() == before


def test_the_source_label_is_the_records_the_hosts_or_the_producers_and_never_an_events_words(
    business: Business,
) -> None:
    """V-28: the source label followed other events' text (R-75)."""
    (named,) = business.house("Casa Uno", **{"Entry Source": "Hospitable"})
    (produced,) = business.house("Casa Dos", prodid="-//Airbnb Inc//Hosting Calendar 1.0//EN")
    (unknown,) = business.house("Casa Tres")
    for number, calendar in enumerate((named, produced, unknown)):
        calendar.stay(f"a{number}@x", 10 + number, 14 + number, "Reserved - imported from VRBO")
    business.run()
    assert [row["Entry Source"] for row in business.office.live] == ["Hospitable", "Airbnb", "Other"]


def test_a_removed_row_is_nobodys_next_guest(business: Business) -> None:
    """V-32: a Removed row was chosen as next guest (R-86)."""
    calendar = house(business, ("a1@x", 10, 12), ("a2@x", 12, 15), ("a3@x", 20, 22))
    assert business.office.live[0]["Next Guest Date"] == str(day(12))
    calendar.stay("a2@x", 12, 15, STATUS="CANCELLED")
    business.run()
    first = business.office.live[0]
    assert (first["Next Guest Date"], first.get("Same-day Turnover")) == (str(day(20)), None)


def test_a_block_that_mirrors_a_guest_is_no_owner_and_a_guest_comes_before_a_block(business: Business) -> None:
    """V-33: a mirror block was seen as owner; V-34: the first block taken though a guest came first (R-86)."""
    one, two = business.house("Casa Uno", "one", "two")
    one.stay("a1@x", 10, 12).stay("a2@x", 12, 15).stay("a3@x", 20, 22)
    two.stay("m1@y", 12, 15, "Blocked")
    one.stay("o1@x", 22, 25, "Owner stay").stay("a4@x", 22, 24)
    business.run()
    first = business.office.live[0]
    assert (first.get("Owner Arriving"), first["Same-day Turnover"]) == (None, True)
    third = next(row for row in business.office.live if row["Check-in Date"] == str(day(20)))
    assert (third.get("Owner Arriving"), third["Same-day Turnover"]) == (None, True)


def test_overlaps_are_of_guests_alone_and_every_stay_counts_once(business: Business) -> None:
    """V-37: the overlap counted blocks and mirrors (R-87)."""
    one, two = business.house("Casa Uno", "one", "two")
    one.stay("a1@x", 10, 14).stay("b1@x", 12, 16, "Blocked")
    two.stay("m1@y", 10, 14)
    business.run()
    assert [row.get("Overlapping Dates") for row in business.office.live] == [None, None]


def test_an_inactive_feed_says_nothing_and_a_removed_one_says_all_its_stays_are_gone(business: Business) -> None:
    """V-48: a feed Inactive, Remove, re-linked: ghosts (R-72, R-73)."""
    calendar = house(business, ("a1@x", -3, -1), ("a2@x", 20, 22), ("a3@x", 30, 32))
    feed = business.office_feed(calendar.url)
    business.office.edit("ICS Feeds", feed, **{"Feed Status": "Inactive"})
    calendar.clear()
    ran = business.a_day()
    assert (ran.downloads, business.misses()) == ([], 0)
    assert business.office.nights == [(-3, -1), (20, 22), (30, 32)]
    business.office.edit("ICS Feeds", feed, **{"Feed Status": "Remove"})
    business.run()
    assert business.office.nights == [(-3, -1)]
    assert {row["Change Summary"] for row in business.office.rows("Removed")} == {"Feed removed"}
    business.office.edit("ICS Feeds", feed, **{"Feed Status": "Active"})
    calendar.stay("a2@x", 20, 22).stay("a3@x", 30, 32)
    business.run()
    assert business.office.nights == [(-3, -1), (20, 22), (30, 32)]
    assert [row["Change Summary"] for row in business.office.rows("Modified")] == ["Reactivated", "Reactivated"]


def test_a_feed_linked_to_another_house_moves_its_coming_stays_there_and_names_jobs_left_behind(
    business: Business,
) -> None:
    """V-48: re-linked: ghosts (R-74)."""
    calendar = house(business, ("a1@x", -5, -2), ("a2@x", 20, 22))
    past, coming = (str(row["id"]) for row in business.office.live)
    business.office.edit("Reservations", coming, **{"Service Job ID": "job_4711"})
    other = business.office.home("Casa Dos")
    business.office.edit("ICS Feeds", business.office_feed(calendar.url), **{"Property Name": [other]})
    business.run()
    moved = business.office.row(coming)
    assert (moved["Property ID"], moved["Reservation UID"], moved["Status"]) == ([other], f"a2@x_{other}", "Modified")
    assert moved["Change Summary"] == "Property Casa Uno → Casa Dos"
    assert business.office.row(past)["Property ID"] != [other]
    assert any("Casa" in each.text and "job" in each.text for each in business.alerts().values())
    assert business.run().writes == [("PATCH", "Automation")]


def test_a_feeds_address_may_be_edited_and_its_rows_follow_in_place(business: Business) -> None:
    """R-71: a feed is its record; no version."""
    calendar = house(business, ("a1@x", 10, 12), ("a2@x", 20, 22))
    row = str(business.office.live[0]["id"])
    new = business.calendar("moved").stay("a1@x", 10, 12).stay("a2@x", 20, 22)
    business.office.edit("ICS Feeds", business.office_feed(calendar.url), **{"ICS URL": new.url})
    business.run()
    after = business.office.row(row)
    assert (after["ICS URL"], after["Status"]) == (new.url, "New")
    assert business.office.rows("Old") == []
    assert business.office.nights == [(10, 12), (20, 22)]


def test_a_stay_removed_by_hand_returns_while_its_source_shows_it(business: Business) -> None:
    """V-12, R-59: `No Service` is the way to keep a stay without cleaning."""
    house(business, ("a1@x", 10, 12))
    row = str(business.office.only["id"])
    business.office.edit("Reservations", row, Status="Removed")
    business.run()
    assert business.office.row(row)["Status"] == "Modified"


def test_losing_the_state_database_loses_no_stay_and_makes_none_twice(business: Business) -> None:
    """B-7: it is rebuilt from base and calendars."""
    calendar = house(business, ("a1@x", 10, 12), ("a2@x", 20, 22))
    calendar.drop("a1@x")
    business.run()
    for file in business.data().glob("state.db*"):
        file.unlink()
    ran = business.run()
    assert ran.code == Exit.OK
    assert business.office.live[0]["Missing Count"] == 2
    assert business.office.nights == [(10, 12), (20, 22)]


def test_development_and_production_side_by_side_never_touch_each_others_base(business: Business) -> None:
    """Z-23: secrets of development were loaded into production; invariant 6."""
    home = business.prod.home("Casa Grande")
    prod = business.calendar("prod-casa").stay("p1@x", 10, 12)
    business.prod.feed(prod, home)
    business.prod.tick(True)
    house(business, ("a1@x", 20, 22))
    ran = {env: business.run(env) for env in ("dev", "prod")}
    for env, office in (("dev", business.office), ("prod", business.prod)):
        keys = business.sandbox.keys(env)
        assert ran[env].code == Exit.OK
        assert {str(call["key"]) for call in ran[env].calls} == {keys["api_key"][:6]}
        assert all(keys["base_id"] in str(call["path"]) for call in ran[env].calls)
        assert {row["Reservation UID"].split("_")[0] for row in office.live} == {"a1@x" if env == "dev" else "p1@x"}  # type: ignore[attr-defined]
    assert business.data("dev") != business.data("prod")
    assert (business.data("prod") / "state.db").exists()
