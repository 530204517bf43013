"""What happened once through suppliers' reports, and must not again (reservations.md §14)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from plugins.outsider import day

LOFT, QUAIL = "Saguaro Loft #40000001", "Quail Run Casita #40000005"


def on(number: int) -> str:
    """A day of March 2026."""
    return f"2026-03-{number:02}"


def row(uid: str, check_in: str, check_out: str, home: str = LOFT, **more: str) -> str:
    tenant, owner = more.get("tenant", "Nadia Quillfeather"), more.get("owner", "Marlow Fenwick")
    following = f"{more.get('booking', '')},{more.get('following', '')}"
    return f'{check_in},{check_out},,{tenant},,{home},,{owner},,,{following},,No,"{more.get("info", "")}",{uid}'


def uids(bureau) -> set[object]:
    return {each["Reservation UID"] for each in bureau.live()}


def test_v_6_a_stay_beyond_the_reports_window_is_not_missed(bureau) -> None:
    """V-6: stay beyond the report's window Removed (R-3)."""
    bureau.report(row("1", on(12), on(15)), row("2", on(20), on(26), QUAIL))
    bureau.run()
    for _ in range(6):
        bureau.report(row("1", on(12), on(15)))
        bureau.run()
    assert bureau.business.misses() == 0
    assert len(bureau.live()) == 2


def test_a_stay_inside_the_window_that_is_gone_for_long_enough_is_removed(bureau) -> None:
    bureau.report(row("1", on(12), on(15)), row("2", on(20), on(24), QUAIL))
    bureau.run()
    texts = []
    for _ in range(5):
        bureau.report(row("1", on(12), on(15)))
        texts.append(bureau.run().text)
    assert uids(bureau) == {f"1_{bureau.homes[LOFT]}"}
    assert sum("removed 1 (1 res, 0 block)" in text for text in texts) == 1


def test_v_7_a_small_file_does_not_wipe_its_supplier(bureau) -> None:
    """V-7: small file wiped its supplier (R-62, R-69)."""
    days = [(f"{n}", on(12 + n), on(13 + n)) for n in range(10)]
    bureau.report(*(row(uid, first, last) for uid, first, last in days))
    bureau.run()
    for _ in range(6):
        bureau.report(row(*days[0]))
        ran = bureau.run()
    assert len(bureau.live()) == 10
    assert "held" in ran.text
    assert ran.code == 2
    assert len(bureau.business.held()) > 5


def test_v_18_airbnb_vrbo_and_the_report_make_one_row(bureau) -> None:
    """V-18: Airbnb + VRBO + report: three jobs (R-51)."""
    home = bureau.homes[LOFT]
    for platform, name in (("-//Airbnb Inc//Hosting Calendar 1.0//EN", "airbnb"), ("-//HomeAway.com//EN", "vrbo")):
        calendar = bureau.business.calendar(name, prodid=platform)
        calendar.stay(f"{name}-1", (8), (11), "Reserved")
        bureau.office.feed(calendar, home)
    check_in, check_out = day(8).isoformat(), day(11).isoformat()
    bureau.report(row("1", check_in, check_out, info="Door code: 0000", booking=check_out, following="Tobias Renwick"))
    bureau.cycle()
    only = bureau.office.only
    assert (only["Check-in Date"], only["Check-out Date"]) == (check_in, check_out)
    assert "csv_itrip · 1" in only["Also Seen In"]
    assert only["iTrip Report Info"] == "Door code: 0000"
    assert only["Same-day Turnover"] is True
    bureau.report(row("1", check_in, check_out, info="Door code: 0000", booking=check_out, following="Tobias Renwick"))
    assert bureau.cycle().writes == [("PATCH", "Automation")]


def test_v_22_the_same_id_at_two_homes_makes_two_rows(bureau) -> None:
    """V-22: same uid on two houses: one dropped (R-19)."""
    bureau.report(row("1", on(12), on(15)), row("1", on(12), on(15), QUAIL))
    bureau.run()
    assert {each["Reservation UID"] for each in bureau.live()} == {
        f"1_{bureau.homes[LOFT]}",
        f"1_{bureau.homes[QUAIL]}",
    }


def test_v_23_an_id_that_a_spreadsheet_touched_is_the_same_stay(bureau) -> None:
    """V-23: id 7001 became 7001.0 (R-15)."""
    bureau.report(row("7001", on(12), on(15)))
    bureau.run()
    bureau.report(row("7001.0", on(12), on(15)))
    assert bureau.run().writes == [("PATCH", "Automation")]


def test_v_25_a_guest_named_block_and_a_note_of_maintenance_are_a_reservation(bureau) -> None:
    """V-25: guest "Pat Block", note "pool maintenance" (R-25, P-31)."""
    bureau.report(row("1", on(12), on(15), tenant="Pat Block", info="pool maintenance on Tuesday"))
    bureau.run()
    assert [each["Entry Type"] for each in bureau.live()] == ["Reservation"]


def test_v_31_a_new_next_guest_and_a_new_door_code_are_written_in_place(bureau) -> None:
    """V-31: new next guest or door code not written (R-27)."""
    bureau.report(row("1", on(12), on(15), info="Door code: 0000"))
    bureau.run()
    bureau.report(row("1", on(12), on(15), info="Door code: 00000", booking=on(18), following="Tobias Renwick"))
    ran = bureau.run()
    assert "modified 0 (0 res, 0 block)" in ran.text
    (live,) = bureau.live()
    assert (live["Status"], live["iTrip Report Info"]) == ("New", "Door code: 00000")
    assert live["iTrip Next Guest Date"] == live["Next Guest Date"] == on(18)
    bureau.report(row("1", on(12), on(15), info=""))
    bureau.run()
    (live,) = bureau.live()
    assert "iTrip Report Info" not in live
    assert "iTrip Next Guest Date" not in live


def test_v_35_the_owner_who_comes_next_is_an_owner_arriving_and_no_same_day(bureau) -> None:
    """V-35: owner arrival ignored, marked SAME DAY (R-26)."""
    bureau.report(row("1", on(12), on(15), booking=on(15), following="marlow j. fenwick"))
    bureau.run()
    (live,) = bureau.live()
    assert live["Owner Arriving"] is True
    assert "Same-day Turnover" not in live


def test_v_36_the_owners_own_stay_is_a_block_to_review(bureau) -> None:
    """V-36: owner's own stay cleaned as a guest's (R-25)."""
    bureau.report(row("1", on(12), on(15), tenant="Marlow Fenwick"))
    bureau.run()
    (live,) = bureau.live()
    assert (live["Entry Type"], live["Block Type"], live["Service Type"]) == ("Block", "Owner Stay", "Needs Review")


@pytest.mark.parametrize(
    "as_file",
    [
        lambda text: text.encode("cp1252"),
        lambda text: text.replace(",", ";").encode(),
        lambda text: b"\xef\xbb\xbf" + text.encode(),
    ],
)
def test_v_40_latin_1_and_semicolons_are_read_and_a_short_row_costs_itself(bureau, as_file) -> None:
    """V-40: short row, Latin-1, `;`: rejected or 0 rows (R-11, R-12)."""
    path = bureau.report(
        row("1", on(12), on(15), tenant="Zoë Marsh"), "2026-03-12,2026-03-15", row("2", on(15), on(18))
    )
    path.write_bytes(as_file(path.read_text()))
    ran = bureau.run()
    assert "new 2 (2 res, 0 block)" in ran.text
    assert "rows set aside 1" in ran.text


def test_v_41_the_newest_report_wins_at_new_year_too(bureau) -> None:
    """V-41: older file won by name, at New Year (R-21)."""
    bureau.business.now += timedelta(days=300)  # January 4, 2027
    stay = "2027-01-06"
    bureau.report(row("1", stay, "2027-01-09"), name="12-31-2026--02-12-00_report.csv")
    bureau.report(row("1", stay, "2027-01-10"), name="01-04-2027--02-12-00_report.csv")
    bureau.run()
    assert [each["Check-out Date"] for each in bureau.live()] == ["2027-01-10"]
    bureau.report(row("1", stay, "2027-01-08"), name="01-02-2027--02-12-00_report.csv")
    late = bureau.run()
    assert late.text.startswith("✅ 1 files — new 0")
    assert [each["Check-out Date"] for each in bureau.live()] == ["2027-01-10"]
    assert bureau.names("inbox") == []


TAB1 = "Guest Name,Booking #,Listing #,Check-In,Check-Out,Guest Email,Guest Phone Number,Address\n"
TAB2 = "Reservation,Property Address,Property Owner,Status,Check-In ,Check-Out,Guest Name\n"
AVE = '"12 E Example Ave, Mesa, AZ 85203"'


def test_v_47_an_owners_canceled_stay_goes_at_once_in_either_spelling(bureau) -> None:
    """V-47: `Canceled`, middle initials not understood (R-24, R-29)."""

    def tab2(status: str) -> str:
        return (
            f"{TAB2}1,{AVE},Iris Vandermeer,{status},2026-04-02,2026-04-06,Iris M. Vandermeer\n"
            f"2,{AVE},Iris Vandermeer,{status},2026-05-02,2026-05-06,IRIS VANDERMEER\n"
        )

    bureau.put("tab1.csv", f"{TAB1}Otis,9,510020,03-12-2026,03-15-2026,,,{AVE}\n")
    bureau.put("tab2.csv", tab2("Booked"))
    bureau.run()
    assert [each.get("Block Type") for each in bureau.live()] == [None, "Owner Stay", "Owner Stay"]
    bureau.put("tab2.csv", tab2("Canceled").replace("Canceled", "Cancelled", 1))
    assert "removed 2 (0 res, 2 block)" in bureau.run().text


def test_a_canceled_guest_of_tab_2_cancels_the_stay_of_tab_1(bureau) -> None:
    bureau.put("tab1.csv", f"{TAB1}Otis,9,510020,03-12-2026,03-15-2026,,,{AVE}\n")
    bureau.run()
    bureau.put("tab2.csv", f"{TAB2}9,{AVE},Iris Vandermeer,Cancelled,2026-03-12,03-15-2026,Otis W.\n")
    assert "removed 1 (1 res, 0 block)" in bureau.run().text


def test_a_stay_of_tab_1_that_turns_out_to_be_the_owners_becomes_a_block_in_its_row(bureau) -> None:
    tab1 = f"{TAB1}Iris,9,510020,03-12-2026,03-15-2026,,,{AVE}\n"
    tab2 = f"{TAB2}9,{AVE},Iris Vandermeer,Booked,2026-03-12,03-15-2026,Iris Vandermeer\n"
    bureau.put("tab1.csv", tab1)
    bureau.run()
    (before,) = bureau.live()
    for name, text in (("tab1.csv", tab1), ("tab2.csv", tab2)):
        bureau.put(name, text)
    bureau.run()
    (after,) = bureau.live()
    assert after["id"] == before["id"]
    assert (after["Entry Type"], after["ICS URL"], after["Status"]) == ("Block", "csv_evolve_blocks", "Modified")
    for name, text in (("tab1.csv", tab1), ("tab2.csv", tab2)):
        bureau.put(name, text)
    assert bureau.run().writes == [("PATCH", "Automation")]


def test_a_row_of_an_override_goes_to_the_other_home(bureau) -> None:
    bureau.office.add(
        "Property Guest Overrides",
        **{
            "Guest Name Pattern": "fenwick",
            "Active": True,
            "Original Property": [bureau.homes[LOFT]],
            "Override Property": [bureau.homes[QUAIL]],
        },
    )
    bureau.report(row("1", on(12), on(15)), row("2", on(12), on(15), owner="Wren Halloway"))
    bureau.run()
    assert {each["Reservation UID"] for each in bureau.live()} == {
        f"1_{bureau.homes[QUAIL]}",
        f"2_{bureau.homes[LOFT]}",
    }


def test_an_override_that_nobody_ticked_does_nothing(bureau) -> None:
    bureau.office.add(
        "Property Guest Overrides",
        **{"Guest Name Pattern": "fenwick", "Override Property": [bureau.homes[QUAIL]]},
    )
    bureau.report(row("1", on(12), on(15)))
    bureau.run()
    assert [each["Property ID"] for each in bureau.live()] == [[bureau.homes[LOFT]]]


def test_a_report_after_the_loss_of_the_state_database_writes_nothing_new(bureau) -> None:
    bureau.golden("itrip_checkouts_report.csv")
    bureau.run()
    (bureau.business.data() / "state.db").unlink()
    bureau.golden("itrip_checkouts_report.csv")
    ran = bureau.run()
    assert ran.text.startswith("✅ 1 files — new 0 (0 res, 0 block) — modified 0 (0 res, 0 block) — removed 0")
    assert len(bureau.live()) == 8
