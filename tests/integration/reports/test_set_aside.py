"""Rows and files that cannot be used: kept, told, and taken in later (R-17, R-18, R-20, F-2)."""

from __future__ import annotations

import pytest

from changeover.sources.csv import inbox

GOOD = "2026-03-12,2026-03-15,,Nadia Quillfeather,(480) 555-0101,{home},,Marlow Fenwick,,,,,,No,Door code: 0000,{uid}"


def line(uid: str = "8000001", home: str = "Saguaro Loft #40000001") -> str:
    return GOOD.format(uid=uid, home=home)


def test_v_39_a_row_of_an_unknown_home_is_kept_with_line_and_reason_and_the_others_go_in(bureau) -> None:
    """V-39: one unknown property blocked the supplier (R-18)."""
    bureau.report(line("1"), line("2", "Nowhere Cabin"), line("3", "Quail Run Casita #40000005"))
    ran = bureau.run()
    assert ran.code == 2
    assert ran.text.startswith(
        "⚠️ 1 files — new 2 (2 res, 0 block) — modified 0 (0 res, 0 block) — removed 0 (0 res, 0 block)"
        " — rows set aside 1 — "
    )
    assert bureau.names("inbox") == []
    assert bureau.names("done") == ["report.csv"]
    (row,) = bureau.rejected("report.csv")
    assert (row["line"], row["reason"], row["Reservation ID"]) == ("3", "unknown_property", "2")
    (event,) = bureau.events()
    assert (event.kind, event.state) == ("csv_row", "waiting")
    assert event.summary == "report.csv line 3: unknown_property"
    assert event.payload["cells"][-1] == "2"
    alert = bureau.business.alerts()["csv_rejected"]
    assert alert.text == "1 rows of report.csv were set aside: unknown_property; see csv/rejected"


def test_a_rejected_file_is_taken_in_once_the_home_is_there(bureau) -> None:
    bureau.report(line("1"), line("2", "Nowhere Cabin"))
    bureau.run()
    bureau.office.home("Nowhere Cabin")
    (bureau.folder("rejected") / "report.csv").rename(bureau.folder("inbox") / "report.csv")
    ran = bureau.run()
    assert ran.text.startswith("✅ 1 files — new 1 (1 res, 0 block) — modified 0")
    assert len(bureau.live()) == 2
    assert bureau.names("done") == ["report-2.csv", "report.csv"]
    assert bureau.names("rejected") == bureau.names("inbox") == []
    assert [event.state for event in bureau.events()] == ["imported"]
    assert "csv_rejected" not in bureau.business.alerts()


def test_a_rejected_file_that_comes_back_lets_nothing_go_missing(bureau) -> None:
    bureau.report(line("1"), line("2", "Nowhere Cabin"))
    bureau.run()
    for _ in range(5):
        bureau.put("back.csv", (bureau.folder("rejected") / "report.csv").read_bytes())
        bureau.run()
    assert bureau.business.misses() == 0
    assert len(bureau.live()) == 1


def test_the_next_report_takes_the_place_of_the_row_that_waited(bureau) -> None:
    bureau.report(line("1"), line("2", "Nowhere Cabin"), name="first.csv")
    bureau.run()
    bureau.report(line("1"), line("2", "Nowhere Cabin"), name="second.csv")
    bureau.run()
    (event,) = bureau.events()
    assert event.payload["file"] == "second.csv"
    assert "second.csv" in bureau.business.alerts()["csv_rejected"].text
    bureau.report(line("1"), name="third.csv")
    bureau.run()
    assert [event.state for event in bureau.events()] == ["superseded"]
    assert "csv_rejected" not in bureau.business.alerts()


def test_a_home_that_was_added_a_moment_ago_is_found_in_the_same_run(bureau) -> None:
    bureau.report(line("1"))
    bureau.run()
    bureau.office.home("Nowhere Cabin")
    bureau.report(line("2", "Nowhere Cabin"))
    assert bureau.run().text.startswith("✅ 1 files — new 1 (1 res, 0 block)")


def test_before_a_row_is_set_aside_all_homes_are_read_again(bureau) -> None:
    bureau.report(line("1"))
    bureau.run()
    bureau.report(line("1"), line("2", "Nowhere Cabin"))
    ran = bureau.run()
    reads = [str(each["path"]) for each in ran.calls if "Properties" in str(each["path"])]
    assert len(reads) == 2


@pytest.mark.parametrize(("body", "cause"), [("a,b\n1,2\n", "unknown_headers"), (b"PK\x03\x04\0", "unreadable")])
def test_v_42_a_file_nobody_knows_goes_unchanged_to_rejected(bureau, body, cause) -> None:
    """V-42: any unknown CSV taken for Evolve (R-13)."""
    bureau.put("odd.csv", body)
    ran = bureau.run()
    assert ran.code == 3
    assert ran.text.startswith(f"❌ 1 of 1 files could not be used — odd.csv: {cause} — run ")
    assert bureau.names("done") == bureau.names("inbox") == []
    kept = (bureau.folder("rejected") / "odd.csv").read_bytes()
    assert kept == (body.encode() if isinstance(body, str) else body)
    assert bureau.business.alerts()["csv_rejected"].text == f"the file odd.csv was rejected: {cause}; see csv/rejected"
    assert bureau.run().text.startswith("✅ no CSV files waiting")


def test_a_rejected_file_beside_a_good_one_makes_the_run_partial_and_is_over_once_it_is_gone(bureau) -> None:
    bureau.put("odd.csv", "a,b\n")
    bureau.report(line("1"))
    ran = bureau.run()
    assert ran.code == 2
    assert " — files rejected 1 — " in ran.text
    (bureau.folder("rejected") / "odd.csv").unlink()
    bureau.report(line("1"))
    assert bureau.run().code == 0
    assert "csv_rejected" not in bureau.business.alerts()


def test_a_header_only_is_done_with_a_warning(bureau) -> None:
    bureau.report()
    ran = bureau.run()
    assert ran.text.startswith("✅ 1 files — new 0")
    assert bureau.names("done") == ["report.csv"]
    assert bureau.business.alerts()["csv_warning"].text == "the report report.csv has a header and no row"
    bureau.report(line("1"))
    bureau.run()
    assert "csv_warning" not in bureau.business.alerts()


def test_broken_quoting_keeps_the_rows_before_it(bureau) -> None:
    bureau.report(line("1"), '"2026-03-12"x,2026-03-15', line("3"))
    ran = bureau.run()
    assert ran.text.startswith("⚠️ 1 files — new 1 (1 res, 0 block)")
    (row,) = bureau.rejected("report.csv")
    assert (row["line"], row["reason"]) == ("3", "unreadable")


def test_a_file_that_cannot_be_opened_stays_and_is_told(bureau) -> None:
    path = bureau.report(line("1"))
    (bureau.folder("inbox") / "bad\udcff.csv").write_bytes(path.read_bytes())
    ran = bureau.run()
    assert ran.text.startswith("⚠️ 2 files — new 1 (1 res, 0 block)")
    assert " — files rejected 1 — " in ran.text
    assert len(bureau.names("inbox")) == 1


def test_a_file_that_may_not_be_read_stays_and_the_run_fails_for_it_alone(bureau, monkeypatch) -> None:
    bureau.report(line("1"))

    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(inbox, "take", refuse)  # a test that runs as root is refused nothing
    ran = bureau.run()
    assert ran.text.startswith("❌ 1 of 1 files could not be used — report.csv cannot be opened — run ")
    assert bureau.names("inbox") == ["report.csv"]
