"""A file leaves the inbox only once its rows are committed, and its rows are taken in once (F-2, C-5, C-34)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from changeover.engine import report_files, report_import, reports
from changeover.engine.stopping import Interrupted
from changeover.sources.csv import inbox

SAMPLE = "itrip_checkouts_report.csv"


def test_a_dry_run_shows_the_plan_and_moves_nothing(bureau) -> None:
    bureau.golden(SAMPLE)
    ran = bureau.run(dry_run=True)
    assert len(ran.plan.changes) == 8
    assert ran.writes == []
    assert bureau.names("inbox") == [SAMPLE]
    assert bureau.names("done") == []
    assert bureau.live() == []
    assert bureau.events() == ()
    assert bureau.run().text.startswith("✅ 1 files — new 8")


def test_a_run_cut_between_commit_and_move_is_finished_by_the_next_and_counts_no_second_miss(
    bureau, monkeypatch
) -> None:
    bureau.report(row("1"), row("2", home="Quail Run Casita #40000005"))
    bureau.run()
    bureau.report(row("1"), row("9", home="Nowhere Cabin"))
    monkeypatch.setattr(inbox, "carry_out", _cut)
    first = bureau.run()
    assert first.code == 3
    assert bureau.names("inbox") == ["report.csv"]
    assert bureau.business.misses() == 1
    monkeypatch.undo_move()
    second = bureau.run()
    assert second.text.startswith("✅ no CSV files waiting")
    assert bureau.names("inbox") == []
    assert bureau.names("done") == ["report-2.csv", "report.csv"]
    assert [each["Reservation ID"] for each in bureau.rejected("report.csv")] == ["9"]
    assert bureau.business.misses() == 1
    assert len(bureau.live()) == 2


def test_a_file_that_cannot_be_moved_is_not_taken_in_again(bureau, monkeypatch) -> None:
    bureau.report(row("1"))
    monkeypatch.setattr(inbox, "carry_out", _full_disk)
    assert bureau.run().text.startswith("✅ 1 files — new 1")
    assert bureau.run().text.startswith("✅ no CSV files waiting")
    assert bureau.run(dry_run=True).text.startswith("✅ no CSV files waiting")
    monkeypatch.undo_move()
    bureau.run()
    assert bureau.names("done") == ["report.csv"]


def test_another_file_under_the_name_of_a_moved_one_is_a_new_one(bureau, monkeypatch) -> None:
    bureau.report(row("1"))
    monkeypatch.setattr(inbox, "carry_out", _full_disk)
    bureau.run()
    monkeypatch.undo_move()
    bureau.report(row("1"), row("2"))
    assert bureau.run().text.startswith("✅ 1 files — new 1")
    assert bureau.names("done") == ["report.csv"]


def test_without_the_base_the_files_wait(bureau) -> None:
    bureau.golden(SAMPLE)
    bureau.run(dry_run=True)
    bureau.business.sandbox.fault("status", 503, method="GET", path="Reservations")
    ran = bureau.run()
    assert ran.code == 75
    assert ran.text.startswith("❌ the reports wait — Airtable does not answer")
    assert bureau.names("inbox") == [SAMPLE]
    bureau.business.sandbox.heal()
    assert bureau.run().text.startswith("✅ 1 files — new 8")


@pytest.mark.parametrize("table", ["Property Guest Overrides", "Properties"])
def test_without_the_tables_a_report_rests_on_the_files_wait(bureau, table) -> None:
    bureau.report(row("1"))
    bureau.run()
    bureau.report(row("2", home="Nowhere Cabin"))
    bureau.business.sandbox.fault("status", 503, method="GET", path=table)
    ran = bureau.run()
    assert ran.text.startswith("❌ Airtable cannot be read — Airtable does not answer")
    assert bureau.names("inbox") == ["report.csv"]


def test_when_the_homes_cannot_be_read_again_no_row_is_set_aside(bureau, monkeypatch) -> None:
    bureau.report(row("1"))
    bureau.run()
    bureau.report(row("2", home="Nowhere Cabin"))
    observed = report_import._observed

    def then_down(*arguments):
        bureau.business.sandbox.fault("status", 503, method="GET", path="Properties")
        return observed(*arguments)

    monkeypatch.setattr(report_import, "_observed", then_down)
    ran = bureau.run()
    assert ran.text.startswith("❌ Airtable cannot be read — Airtable does not answer")
    assert bureau.names("inbox") == ["report.csv"]
    assert bureau.events() == ()


def test_beside_writes_that_still_wait_no_plan_is_made(bureau) -> None:
    bureau.golden(SAMPLE)
    bureau.run(dry_run=True)
    bureau.business.house("Casa")[0].stay("u1", 3, 7)
    bureau.business.sandbox.fault("status", 503, method="POST", path="Reservations")
    ran = bureau.cycle()
    by_name = {each.name: each for each in ran.result.automations}
    assert "the reports wait — earlier writes to Airtable still wait" in by_name["CSV Files"].text
    assert bureau.names("inbox") == [SAMPLE]


def test_an_unticked_automation_touches_no_file(bureau) -> None:
    bureau.golden(SAMPLE)
    bureau.office.tick(False, reports.NAME)
    assert bureau.run().state == "disabled"
    assert bureau.names("inbox") == [SAMPLE]


def test_a_decision_about_held_removals_takes_no_file_in(bureau) -> None:
    bureau.golden(SAMPLE)
    ran = bureau.run(observe=False)
    assert ran.text.startswith("✅ no CSV files waiting")
    assert bureau.names("inbox") == [SAMPLE]


def test_old_files_are_cleared_away_by_a_later_run(bureau) -> None:
    bureau.report(row("1"))
    bureau.run()
    bureau.business.now += timedelta(days=700)  # the files' own clock is the machine's
    bureau.report(row("1"))
    bureau.run()
    assert bureau.names("done") == ["report-2.csv"]


def row(uid: str, home: str = "Saguaro Loft #40000001") -> str:
    stay = "2026-03-12,2026-03-15" if uid != "2" else "2026-03-16,2026-03-19"
    return f"{stay},,Nadia Quillfeather,(480) 555-0101,{home},,Marlow Fenwick,,,,,,No,,{uid}"


def _cut(*_):
    raise Interrupted("the power went")


def _full_disk(*_):
    raise OSError(28, "No space left on device")


@pytest.fixture
def monkeypatch(monkeypatch):
    """With a way to take back the only seam of these tests, and nothing of the business's own."""
    original = inbox.carry_out
    monkeypatch.undo_move = lambda: monkeypatch.setattr(inbox, "carry_out", original)
    return monkeypatch


def test_the_seam_of_these_tests_is_the_one_that_moves(monkeypatch) -> None:
    monkeypatch.setattr(inbox, "carry_out", _cut)
    assert report_files.inbox.carry_out is _cut
