"""Airtable down, slow, at its limits, saying nonsense: calendars are kept, plans wait, all mends itself."""

from __future__ import annotations

import zlib
from datetime import timedelta

import pytest
from sqlalchemy import update

from changeover.exits import Exit
from changeover.store.feeds import StoredFeeds
from changeover.store.tables import gates
from plugins.outsider import Business, Calendar


def house(business: Business) -> Calendar:
    (calendar,) = business.house("Casa Uno")
    calendar.stay("a1@x", 2, 5)
    assert business.run().code == Exit.OK
    return calendar


DOWN = [("status", 503), ("status", 500), ("drop-before", None), ("html", None), ("truncate", None)]


@pytest.mark.parametrize(("mode", "value"), DOWN, ids=["503", "500", "no answer", "sign-in page", "cut answer"])
def test_a_base_that_cannot_be_read_means_no_plan_and_no_counter_while_the_calendars_are_kept(
    business: Business, mode: str, value: object
) -> None:
    """Z-1: a base that was down was read as "all inactive", exit 0 (C-13, C-5)."""
    calendar = house(business)
    calendar.stay("a2@x", 8, 9).drop("a1@x")
    business.sandbox.fault(mode, value)
    ran = business.run(beat=timedelta(hours=3))
    assert (ran.code, ran.only.state) == (Exit.UNREACHABLE, "failed")
    assert ran.only.error_code == "airtable_error"
    assert ran.text.startswith("❌ Airtable cannot be read — Airtable does not answer")
    assert len(ran.downloads) == 1
    assert (ran.result.plan, business.misses()) == (None, 0)
    assert business.alerts()["airtable_down"].level == "error"
    business.sandbox.heal()
    assert business.office.nights == [(2, 5)]
    assert business.run().code == Exit.OK
    assert business.office.nights == [(2, 5), (8, 9)]
    assert not {"airtable_down", "cycle_failed"} & set(business.alerts())


def test_a_base_never_read_before_leaves_nobody_knowing_the_switches(business: Business) -> None:
    """C-14, Z-1: never shown as disabled."""
    business.house("Casa Uno")
    business.sandbox.fault("status", 503)
    ran = business.run()
    assert (ran.code, ran.only.state) == (Exit.UNREACHABLE, "control_unavailable")
    assert ran.downloads == []
    assert (
        "control table cannot be read" in business.alerts()["airtable_down"].text or business.alerts()["cycle_failed"]
    )


def test_switches_read_more_than_a_day_ago_are_not_believed_any_more(business: Business) -> None:
    """C-13, C-14."""
    house(business)
    business.sandbox.fault("status", 503)
    business.now += timedelta(hours=21)
    ran = business.run()
    assert (ran.code, ran.only.state) == (Exit.UNREACHABLE, "control_unavailable")


def test_an_unticked_automation_stays_disabled_while_the_base_is_down(business: Business) -> None:
    """C-13: the last known word of people counts."""
    house(business)
    business.office.tick(False)
    business.run()
    business.sandbox.fault("status", 503)
    ran = business.run()
    assert (ran.code, ran.only.state) == (Exit.OK, "disabled")


def test_the_result_of_a_run_that_the_base_could_not_take_is_written_later_and_keeps_its_time(
    business: Business,
) -> None:
    """C-41: an older result never replaces a newer one."""
    house(business)
    business.sandbox.fault("status", 503, method="PATCH", path="Automation")
    calendar_was_read = business.run()
    assert calendar_was_read.only.state == "succeeded"
    business.sandbox.heal()
    last = business.run()
    row = business.office.automation()
    assert row["Sync Details"] == last.text
    assert str(row["Last Ran Time"])[:19] == last.only.started_at.isoformat()[:19]


def test_the_months_cap_stops_all_writing_and_lets_go_by_itself(business: Business) -> None:
    """AT-51: waiting does not help; sources are fetched and kept; exit 75."""
    calendar = house(business)
    calendar.stay("a2@x", 8, 9)
    business.sandbox.fault("rate-limit", "billing")
    for _ in range(3):
        ran = business.run(beat=timedelta(hours=3))
        assert (ran.code, ran.only.error_code) == (Exit.UNREACHABLE, "billing_blocked")
        assert len(ran.downloads) == 1
    data_calls = [each for each in ran.calls if "/meta/" not in str(each["path"])]
    assert data_calls == []  # one probe every six hours, none in between
    assert business.alerts()["airtable_budget"].level == "critical"
    business.sandbox.heal()
    unblock(business)
    assert business.run().code == Exit.OK
    assert business.office.nights == [(2, 5), (8, 9)]


def test_the_months_cap_met_in_the_middle_of_writing_keeps_the_plan_and_delivers_it_once(business: Business) -> None:
    calendar = house(business)
    calendar.stay("a2@x", 8, 9)
    business.sandbox.fault("rate-limit", "billing", method="POST", path="Reservations")
    ran = business.run()
    assert (ran.code, ran.only.error_code) == (Exit.UNREACHABLE, "billing_blocked")
    assert "not delivered" in ran.text
    business.sandbox.heal()
    unblock(business)
    assert business.run().code == Exit.OK
    assert business.office.nights == [(2, 5), (8, 9)]


def unblock(business: Business) -> None:
    """Lets six hours go by for the gate, whose clock is the machine's."""
    db = business.db
    with db.begin() as connection:
        connection.execute(update(gates).values(blocked_at=business.now.replace(year=2020)))
    db.close()


def test_a_create_that_was_applied_but_never_answered_is_found_and_not_repeated(business: Business) -> None:
    """AT-48, invariant 1: no second row, whatever the line did."""
    calendar = house(business)
    calendar.stay("a2@x", 8, 9).stay("a3@x", 12, 14)
    business.sandbox.fault("drop-after-commit", method="POST", path="Reservations", times=1)
    assert business.run().code == Exit.OK
    assert business.office.nights == [(2, 5), (8, 9), (12, 14)]
    assert business.run().writes == [("PATCH", "Automation")]


def test_a_history_copy_that_was_applied_but_never_answered_is_used_and_not_repeated(business: Business) -> None:
    """V-9, R-57: the create failed and the old row was retired anyway."""
    calendar = house(business)
    calendar.stay("a1@x", 2, 6)
    business.sandbox.fault("drop-after-commit", method="POST", path="Reservations", times=1)
    assert business.run().code == Exit.OK
    assert business.office.nights == [(2, 6)]
    assert len(business.office.rows("Old")) == 1


def test_a_live_row_is_left_alone_until_its_history_copy_stands(business: Business) -> None:
    """V-9: a create failed and the old row was retired anyway (R-57, AT-41)."""
    calendar = house(business)
    before = business.office.only
    calendar.stay("a1@x", 2, 6)
    business.sandbox.fault("status", 422, method="POST", path="Reservations")
    ran = business.run()
    assert (ran.code, ran.only.state) == (Exit.PARTIAL, "partial")
    assert "not delivered" in ran.text
    assert business.office.only == before
    assert business.alerts()["dead_letter"].level == "error"
    business.sandbox.heal()
    assert business.run().code == Exit.OK
    assert business.office.nights == [(2, 6)]
    assert len(business.office.rows("Old")) == 1


def test_a_rate_limit_pauses_and_then_everything_arrives(business: Business) -> None:
    """AT-50."""
    calendar = house(business)
    calendar.stay("a2@x", 8, 9)
    business.sandbox.fault("rate-limit", "", times=2)
    assert business.run().code == Exit.OK
    assert business.office.nights == [(2, 5), (8, 9)]


def test_an_endless_rate_limit_ends_the_run_and_the_rest_stays_queued(business: Business) -> None:
    """AT-50: three in a row; the feeds were read, so the run is partial."""
    calendar = house(business)
    calendar.stay("a2@x", 8, 9)
    business.sandbox.fault("rate-limit", "", method="POST", path="Reservations")
    ran = business.run()
    assert (ran.code, ran.only.error_code) == (Exit.PARTIAL, "rate_limited")
    business.sandbox.heal()
    assert business.run().code == Exit.OK
    assert business.office.nights == [(2, 5), (8, 9)]


def test_one_row_that_is_refused_for_good_is_named_and_the_others_go_through(business: Business) -> None:
    """AT-46, C-66: only its batch is halved, only it stays behind."""
    calendar = house(business)
    for number in range(12):
        calendar.stay(f"b{number}@x", 10 + 2 * number, 11 + 2 * number)
    business.run()
    gone = business.office.live[3]
    business.office.table("Reservations").delete(str(gone["id"]))
    for number in range(12):
        calendar.stay(f"b{number}@x", 10 + 2 * number, 12 + 2 * number)
    ran = business.run()
    assert ran.code in (Exit.OK, Exit.PARTIAL)
    assert len(business.office.nights) == 12
    business.now += timedelta(days=1)
    business.run()
    assert len(business.office.nights) == 13


def test_what_the_calendars_said_while_the_base_was_down_is_kept(business: Business) -> None:
    """C-5: raw bodies first, so that any run can be replayed."""
    calendar = house(business)
    calendar.stay("a2@x", 8, 9)
    business.sandbox.fault("status", 503)
    business.run()
    business.sandbox.heal()
    record = business.office_feed(calendar.url)
    db = business.db
    body = StoredFeeds(db).body(record)
    db.close()
    assert body is not None
    assert b"a2@x" in zlib.decompress(body)
