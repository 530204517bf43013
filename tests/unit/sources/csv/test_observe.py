"""R-6 … R-9, R-20, R-21: what the waiting files of a supplier come to together."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from changeover.core.stay import WindowEdge
from changeover.sources.csv.observe import Disposition

HEADER = "Reservation ID,Property Name,Checkin,Checkout,Tenant Name,Property Owner"


def dispositions(results) -> dict[str, str]:
    return {each.file.name: str(each.disposition) for result in results for each in result.files}


def test_v_6_each_source_claims_its_own_window(desk, row, booking, entry) -> None:
    """V-6: stay beyond the report's window Removed (R-3)."""
    windows = {
        result.supplier.key: (result.batch.window.edge, result.batch.window.first, result.batch.window.last)
        for result in desk.observe(desk.itrip(row()), desk.tab1(booking()), desk.tab2(entry()))
    }
    assert windows == {
        "csv_itrip": (WindowEdge.CHECK_OUT, date(2026, 3, 10), date(2026, 3, 24)),
        "csv_evolve": (WindowEdge.CHECK_OUT, date(2026, 3, 10), date(2026, 5, 9)),
        "csv_evolve_blocks": (WindowEdge.CHECK_IN, date(2026, 1, 9), date(2026, 9, 6)),
    }


def test_the_window_begins_on_the_report_day_and_not_on_the_runs(desk, row) -> None:
    result = desk.result(desk.itrip(row(), hours_ago=10))  # 22:00 the evening before
    assert result.batch.window.first == date(2026, 3, 9)
    assert result.batch.complete


def test_a_report_older_than_36_hours_proves_nothing_by_what_it_lacks(desk, row) -> None:
    assert desk.result(desk.itrip(row(), hours_ago=36)).batch.complete
    stale = desk.result(desk.itrip(row(), hours_ago=37))
    assert not stale.batch.complete
    assert len(stale.batch.observations) == 1


def test_a_file_with_a_header_only_is_done_with_a_warning_and_proves_nothing(desk, row) -> None:
    result = desk.result(desk.file(HEADER + "\n\n"))
    assert dispositions([result]) == {"report.csv": "empty"}
    assert not result.batch.complete
    assert result.imported is None
    assert [text for _, text in result.warnings] == ["the report report.csv has a header and no row"]
    assert result.files[0].move.folder == "done"


def test_an_empty_report_after_a_good_one_makes_the_batch_incomplete_and_drops_no_row(desk, row) -> None:
    result = desk.result(desk.itrip(row(), hours_ago=3), desk.file(HEADER, name="later.csv"))
    assert len(result.batch.observations) == 1
    assert not result.batch.complete


def test_v_41_the_newest_report_wins_whatever_its_name(desk, row) -> None:
    """V-41: older file won by name, at New Year (R-21)."""
    old = desk.itrip(row(check_out="2026-03-14"), name="12-31-2026--02-12-00.csv", hours_ago=20)
    new = desk.itrip(row(check_out="2026-03-16"), name="01-01-2026--02-12-00.csv", hours_ago=1)
    for files in ((old, new), (new, old)):
        result = desk.result(*files)
        assert [each.check_out.day for each in result.batch.observations] == [16]
        assert result.batch.dropped == {"superseded": 1}
        assert result.imported == new.received


def test_an_id_of_an_older_report_counts_only_outside_the_newest_ones_window(desk, row) -> None:
    home = "Quail Run Casita #40000005"
    inside = row("1", home=home)
    past = row("2", check_in="2026-03-05", check_out="2026-03-09")
    old, new = desk.itrip(inside, past, name="old.csv", hours_ago=20), desk.itrip(row("3"), name="new.csv")
    assert [each.uid for each in desk.seen(old, new)] == ["3", "2"]


def test_a_stay_that_moved_house_between_two_reports_stands_at_the_new_one_only(desk, row) -> None:
    old = desk.itrip(row("1"), name="old.csv", hours_ago=20)
    new = desk.itrip(row("1", home="Quail Run Casita #40000005"), name="new.csv")
    assert [each.property_id for each in desk.seen(old, new)] == ["recQuail"]


def test_a_report_older_than_the_last_imported_one_is_put_away_without_effect(desk, row) -> None:
    desk.imported["csv_itrip"] = desk.now - timedelta(hours=2)
    result = desk.result(desk.itrip(row(), hours_ago=3))
    assert dispositions([result]) == {"report.csv": "superseded"}
    assert result.batch is None
    assert result.imported is None
    assert (result.files[0].move.folder, result.files[0].rows) == ("done", 1)
    same = desk.result(desk.itrip(row(), hours_ago=2))
    assert dispositions([same]) == {"report.csv": "imported"}


def test_a_superseded_tab_1_teaches_no_address(desk, booking, entry) -> None:
    desk.imported["csv_evolve"] = desk.now
    results = desk.observe(desk.tab1(booking(), hours_ago=3), desk.tab2(entry()))
    assert [each.addresses for each in results] == [frozenset(), frozenset()]


@pytest.mark.parametrize(
    ("body", "cause"), [("a,b\n1,2\n", "unknown_headers"), (b"\x89PNG\0\0", "unreadable"), ("", "unknown_headers")]
)
def test_a_file_nobody_can_use_goes_whole_to_rejected_and_the_others_are_read(desk, row, body, cause) -> None:
    good, nobodys = desk.observe(desk.itrip(row()), desk.file(body, name="odd.csv"))
    assert len(good.batch.observations) == 1
    assert (nobodys.supplier, nobodys.batch, nobodys.cause) == (None, None, cause)
    assert dispositions([nobodys]) == {"odd.csv": "rejected"}
    move = nobodys.files[0].move
    assert (move.folder, move.rejected_rows) == ("rejected", None)


def test_broken_quoting_keeps_earlier_rows_and_makes_the_batch_incomplete(desk, row) -> None:
    body = f'{HEADER}\n{",".join(row("1"))}\n"2"x,Casa\n'
    result = desk.result(desk.file(body))
    assert [each.uid for each in result.batch.observations] == ["1"]
    assert [(aside.line, aside.why) for aside in result.files[0].set_aside] == [(3, "unreadable")]
    assert not result.batch.complete
    only_broken = desk.result(desk.file(f'{HEADER}\n"2"x'))
    assert dispositions([only_broken]) == {"report.csv": "imported"}


def test_the_rejected_file_has_the_header_plus_line_and_reason_and_reads_back(desk, row) -> None:
    file = desk.itrip(
        row("7001", home="=Nowhere"), row("7002")[:-1], [*row("7003"), "+more"], row("7004", check_in="x")
    )
    result = desk.result(file)
    body = result.files[0].move.rejected_rows
    lines = body.splitlines()
    assert lines[0] == f"{HEADER},line,reason"
    assert lines[1].startswith("7001,'=Nowhere,")
    assert lines[1].endswith(",2,unknown_property")
    assert lines[2].endswith("Quillfeather,,3,short_row")
    assert lines[3].endswith("Fenwick,4,extra_cells,'+more")
    back = desk.result(desk.file(body))
    again = [(aside.reason, aside.cells) for aside in back.files[0].set_aside]
    assert again == [(aside.reason, aside.cells) for aside in result.files[0].set_aside]


def test_rows_that_come_back_are_added_and_prove_no_absence(desk, row) -> None:
    desk.imported["csv_itrip"] = desk.now
    body = f"{HEADER},line,reason\n{','.join(row('7001'))},2,unknown_property\n"
    result = desk.result(desk.file(body, hours_ago=20))
    assert [each.uid for each in result.batch.observations] == ["7001"]
    assert not result.batch.complete
    assert result.imported is None
    assert result.files[0].disposition is Disposition.IMPORTED


def test_a_row_that_comes_back_too_late_does_not_undo_a_newer_report(desk, row) -> None:
    desk.shown("csv_itrip", "7001", "recSaguaro", hours_ago=5)
    body = f"{HEADER},line,reason\n{','.join(row('7001'))},2,unknown_property\n"
    assert desk.seen(desk.file(body, hours_ago=20)) == []
    assert len(desk.seen(desk.file(body, hours_ago=4))) == 1


def test_v_7_a_small_report_is_complete_but_says_nothing_of_other_sources(desk, row) -> None:
    """V-7: small file wiped its supplier (R-62, R-69)."""
    (result,) = desk.observe(desk.itrip(row()))
    assert result.batch.complete
    assert result.supplier.key == "csv_itrip"


def test_no_guest_is_in_any_cause_place_or_warning(desk, row, entry) -> None:
    results = desk.observe(desk.itrip(row(home="Nowhere")), desk.tab2(entry(status="Odd"), entry("9", check_in="x")))
    said = " ".join(
        [
            *(each.cause for each in results),
            *(text for each in results for _, text in each.warnings),
            *(f"{each.place} {each.reason}" for result in results if result.batch for each in result.batch.rejected),
        ]
    )
    assert "Quillfeather" not in said
    assert "Vandermeer" not in said
