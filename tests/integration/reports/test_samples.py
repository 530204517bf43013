"""The supplier's samples, from the inbox to the rows of the base."""

from __future__ import annotations


def facts(row):
    return (
        row["Check-in Date"],
        row["Check-out Date"],
        row["Entry Type"],
        row.get("Block Type", ""),
        row["Service Type"],
        row["ICS URL"],
        row["Entry Source"],
    )


def test_the_itrip_report_becomes_rows_and_lies_in_done(bureau) -> None:
    bureau.golden("itrip_checkouts_report.csv")
    ran = bureau.run()
    assert ran.text.startswith("✅ 1 files — new 8 (6 res, 2 block) — modified 0 (0 res, 0 block) — removed 0")
    assert ran.code == 0
    assert bureau.names("inbox") == []
    assert bureau.names("done") == ["itrip_checkouts_report.csv"]
    assert bureau.names("rejected") == []
    first, second = bureau.live("Saguaro Loft #40000001")
    assert facts(first) == ("2026-03-08", "2026-03-12", "Reservation", "", "Turnover", "csv_itrip", "iTrip")
    assert first["iTrip Next Guest Date"] == "2026-03-20"
    assert first["iTrip Report Info"].splitlines()[2] == "Towels & linens in the hall closet"
    assert "\xa0" not in first["iTrip Report Info"]
    assert second["Owner Arriving"] is True
    assert "Same-day Turnover" not in second
    winter, after = bureau.live("Mesquite Casita #40000002")
    assert winter["Long Term Guest"] is True
    assert winter["Same-day Turnover"] is True
    assert "iTrip Next Guest Date" not in after
    owner, guest = bureau.live("Palo Verde Cabin #40000003  Unit B")
    assert facts(owner)[2:5] == ("Block", "Owner Stay", "Needs Review")
    assert guest["Check-out Date"] == "2026-03-23"
    assert bureau.live("Cholla Bungalow #40000004")[0]["Entry Type"] == "Reservation"
    assert bureau.live("Quail Run Casita #40000005")[0]["Block Type"] == "Maintenance"


def test_both_tabs_become_reservations_and_owner_stays(bureau) -> None:
    bureau.golden("evolve_tab2.csv")
    bureau.golden("evolve_tab1.csv")
    ran = bureau.run()
    assert ran.text.startswith("✅ 2 files — new 8 (6 res, 2 block) — modified 0")
    blocks = [row for row in bureau.live() if row["Entry Type"] == "Block"]
    assert [facts(row)[:4] for row in blocks] == [
        ("2026-04-02", "2026-04-06", "Block", "Owner Stay"),
        ("2026-05-10", "2026-05-14", "Block", "Owner Stay"),
    ]
    assert [row["Property ID"] for row in blocks] == [
        [bureau.homes["Ocotillo House #510020"]],
        [bureau.homes["Agave Retreat #510021"]],
    ]
    assert {row["ICS URL"] for row in blocks} == {"csv_evolve_blocks"}


def test_tab_two_alone_knows_the_addresses_that_tab_one_showed_earlier(bureau) -> None:
    bureau.golden("evolve_tab1.csv")
    bureau.run()
    bureau.golden("evolve_tab2.csv")
    ran = bureau.run()
    assert ran.text.startswith("✅ 1 files — new 2 (0 res, 2 block)")


def test_a_second_run_writes_nothing_and_costs_no_read_of_homes(bureau) -> None:
    for name in ("itrip_checkouts_report.csv", "evolve_tab1.csv", "evolve_tab2.csv"):
        bureau.golden(name)
    bureau.run()
    for name in ("itrip_checkouts_report.csv", "evolve_tab1.csv", "evolve_tab2.csv"):
        bureau.golden(name)
    again = bureau.run()
    assert again.text.startswith("✅ 3 files — new 0 (0 res, 0 block) — modified 0 (0 res, 0 block) — removed 0")
    assert again.writes == [("PATCH", "Automation")]
    quiet = bureau.run()
    assert quiet.text.startswith("✅ no CSV files waiting")
    assert quiet.writes == [("PATCH", "Automation")]
    assert quiet.reads <= 3


def test_a_report_costs_two_reads_besides_the_cycles_own(bureau) -> None:
    bureau.cycle()
    quiet = bureau.cycle()
    bureau.golden("itrip_checkouts_report.csv")
    bureau.run()
    bureau.golden("itrip_checkouts_report.csv")
    ran = bureau.run()
    assert ran.reads - quiet.reads <= 2
