"""R-15 … R-19, R-25 … R-27: rows of iTrip's report."""

from __future__ import annotations

from datetime import date

import pytest

from changeover.core.stay import Kind
from changeover.sources.csv.properties import Override

HEADER = ("Reservation ID", "Property Name", "Checkin", "Checkout", "Tenant Name", "Property Owner")
FULL = (*HEADER, "Next Booking", "Next Tenant Name", "Contractor Info")


def full(row, booking="", tenant="", info="", **more):
    return [*row(**more), booking, tenant, info]


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ({"uid": ""}, "missing_id"),
        ({"uid": "\xa0"}, "missing_id"),
        ({"check_in": ""}, "missing_date"),
        ({"check_out": " "}, "missing_date"),
        ({"check_in": "13-04-2026"}, "bad_date"),
        ({"check_out": "soon"}, "bad_date"),
        ({"check_out": "2026-03-12"}, "no_nights"),
        ({"check_out": "2026-03-11"}, "no_nights"),
        ({"check_out": "2027-04-17"}, "too_long"),
        ({"home": "Nowhere Cabin"}, "unknown_property"),
    ],
)
def test_a_bad_row_is_set_aside_alone_with_line_and_reason(desk, row, bad, reason) -> None:
    result = desk.result(desk.itrip(row("7001"), row(**({"uid": "7002"} | bad)), row("7003")))
    assert [each.uid for each in result.batch.observations] == ["7001", "7003"]
    (aside,) = result.files[0].set_aside
    assert (aside.line, aside.why) == (3, reason)
    assert [each.reason for each in result.batch.rejected] == [reason]


def test_400_nights_are_a_stay(desk, row) -> None:
    assert desk.only(desk.itrip(row(check_out="2027-04-16"))).check_out == date(2027, 4, 16)


@pytest.mark.parametrize(("cells", "reason"), [(-1, "short_row"), (1, "extra_cells")])
def test_v_40_a_row_of_another_width_is_set_aside_and_its_id_is_not_trusted(desk, row, cells, reason) -> None:
    """V-40: short row, Latin-1, `;`: rejected or 0 rows (R-11, R-12)."""
    odd = [*row("7002"), "x"] if cells > 0 else row("7002")[:-1]
    result = desk.result(desk.itrip(row("7001"), odd))
    (aside,) = result.files[0].set_aside
    assert (aside.reason, aside.uid) == (reason, None)
    assert not result.batch.complete
    assert len(result.batch.observations) == 1


def test_a_rejected_row_with_an_id_leaves_the_batch_complete(desk, row) -> None:
    assert desk.result(desk.itrip(row("7001"), row("7002", home="Nowhere"))).batch.complete


def test_v_23_an_id_is_text_and_a_spreadsheets_fraction_is_dropped(desk, row) -> None:
    """V-23: id 7001 became 7001.0 (R-15)."""
    seen = desk.seen(desk.itrip(row("7001.0"), row("0007", home="Quail Run Casita #40000005")))
    assert [each.uid for each in seen] == ["7001", "0007"]
    assert desk.only(desk.itrip(row("7001.5"))).uid == "7001.5"


def test_of_the_same_id_and_home_the_last_row_counts(desk, row) -> None:
    seen = desk.seen(desk.itrip(row("7001"), row("7002"), row("7001", check_out="2026-03-16")))
    assert [(each.uid, each.check_out.day) for each in seen] == [("7002", 15), ("7001", 16)]


def test_v_22_the_same_id_at_two_homes_is_two_stays(desk, row) -> None:
    """V-22: same uid on two houses: one dropped (R-19)."""
    seen = desk.seen(desk.itrip(row("7001"), row("7001", home="Quail Run Casita #40000005")))
    assert {(each.uid, each.property_id) for each in seen} == {("7001", "recSaguaro"), ("7001", "recQuail")}


def test_v_36_the_owners_own_stay_is_no_guests(desk, row) -> None:
    """V-36: owner's own stay cleaned as a guest's (R-25)."""
    observation = desk.only(desk.itrip(row(tenant="marlow J. fenwick")))
    assert observation.kind is Kind.OWNER_STAY


def test_a_tenant_named_maintenance_is_a_block(desk, row) -> None:
    observation = desk.only(desk.itrip(row(tenant="MAINTENANCE ")))
    assert (observation.kind, observation.block_type) == (Kind.BLOCK, "Maintenance")


@pytest.mark.parametrize("tenant", ["Pat Block", "Jo McClean", "Maintenance Man", "", "Owner"])
def test_v_25_no_word_in_a_name_or_a_note_makes_a_block(desk, row, tenant) -> None:
    """V-25: guest "Pat Block", note "pool maintenance" (R-25, P-31)."""
    info = "Pool maintenance visit\nOwner: blocked\nDo not clean"
    observation = desk.only(desk.itrip(full(row, info=info, tenant="X", booking="", uid="7001"), header=FULL))
    assert observation.kind is Kind.RESERVATION
    assert desk.only(desk.itrip(row(tenant=tenant))).kind is Kind.RESERVATION


def test_nobody_is_not_the_owner(desk, row) -> None:
    assert desk.only(desk.itrip(row(tenant="", owner=""))).kind is Kind.RESERVATION


def test_v_31_the_report_text_and_the_next_guest_are_read(desk, row) -> None:
    """V-31: new next guest or door code not written (R-27)."""
    rows = full(row, "2026-03-20 16:00:00", "Tobias Renwick", "Work Order #1\r\nDoor code:\xa00000\r\n")
    report = desk.only(desk.itrip(rows, header=FULL)).report
    assert report.info == "Work Order #1\nDoor code: 0000"
    assert (report.says_next_guest, report.next_guest, report.next_is_owner) == (True, date(2026, 3, 20), False)


def test_an_empty_cell_says_empty_and_a_missing_column_says_nothing(desk, row) -> None:
    empty = desk.only(desk.itrip(full(row), header=FULL)).report
    assert (empty.info, empty.says_next_guest, empty.next_guest) == ("", True, None)
    missing = desk.only(desk.itrip(row())).report
    assert (missing.info, missing.says_next_guest, missing.next_guest) == (None, False, None)


def test_a_column_that_stands_there_twice_says_nothing(desk, row) -> None:
    header = (*HEADER, "Contractor Info", "Contractor Info")
    assert desk.only(desk.itrip([*row(), "a", "b"], header=header)).report.info is None


def test_a_next_booking_that_cannot_be_read_says_nothing_and_the_row_stands(desk, row) -> None:
    report = desk.only(desk.itrip(full(row, "20.03.2026", "Tobias Renwick"), header=FULL)).report
    assert (report.says_next_guest, report.next_guest) == (False, None)


def test_maintenance_is_no_next_guest(desk, row) -> None:
    report = desk.only(desk.itrip(full(row, "2026-03-20", "Maintenance"), header=FULL)).report
    assert (report.says_next_guest, report.next_guest) == (True, None)


@pytest.mark.parametrize(
    ("tenant", "info", "owner_next"),
    [
        ("Marlow Fenwick", "", True),
        ("Tobias Renwick", "Order\n  Owner Stay (Next Checkin) \nmore", True),
        ("Tobias Renwick", "no Owner Stay (Next Checkin) here", False),
        ("", "", False),
    ],
)
def test_v_35_the_next_tenant_or_the_line_says_that_the_owner_comes(desk, row, tenant, info, owner_next) -> None:
    """V-35: owner arrival ignored, marked SAME DAY (R-26)."""
    observation = desk.only(desk.itrip(full(row, "2026-03-20", tenant, info), header=FULL))
    assert observation.report.next_is_owner is owner_next


def test_an_override_takes_the_row_to_another_home(desk, row) -> None:
    desk.overrides.append(Override("recO", "Fenwick", frozenset({"recSaguaro"}), "recQuail"))
    assert desk.only(desk.itrip(row())).property_id == "recQuail"


def test_v_39_one_unknown_home_costs_its_row_only_and_near_homes_are_named(desk, row) -> None:
    """V-39: one unknown property blocked the supplier (R-18)."""
    report = desk.itrip(row("7001"), row("7002", home="Saguaro Lofts #40000001"))
    assert [each.uid for each in desk.seen(report)] == ["7001"]
    assert desk.reasons(report) == ["unknown_property — near: Saguaro Loft #40000001"]
