"""Rows that were set aside, put back by their events (R-18); rule files that cannot be used (C-23)."""

from __future__ import annotations

from changeover.engine.replay import Replayed, replay

ROW = "2026-03-12,2026-03-15,,Nadia Quillfeather,(480) 555-0101,{home},,Marlow Fenwick,,,,,,No,,{uid}"


def again(bureau, *ids: str) -> Replayed:
    database = bureau.business.db
    try:
        return replay(bureau.business.settings(), database, ids or [event.id for event in bureau.events()])
    finally:
        database.close()


def test_a_row_that_has_become_good_is_imported_and_another_one_waits_on(bureau) -> None:
    rows = (ROW.format(uid="1", home="Nowhere Cabin"), ROW.format(uid="2", home="Elsewhere"))
    bureau.report(*rows, "2026-03-12,2026-03-15")
    bureau.run()
    bureau.office.home("Nowhere Cabin")
    replayed = again(bureau)
    assert replayed == Replayed(("20260310_080000_replay.csv",), ())
    ran = bureau.run()
    assert ran.text.startswith("⚠️ 1 files — new 1 (1 res, 0 block)")
    assert " — rows set aside 2 — " in ran.text
    assert sorted(event.state for event in bureau.events() if event.payload["uid"]) == ["imported", "waiting"]


def test_a_replayed_row_does_not_undo_what_a_newer_report_has_shown(bureau) -> None:
    bureau.report(ROW.format(uid="1", home="Nowhere Cabin"))
    bureau.run()
    old = [event.id for event in bureau.events()]
    bureau.office.home("Nowhere Cabin")
    bureau.report(ROW.format(uid="1", home="Nowhere Cabin").replace("03-15", "03-16"))
    bureau.run()
    again(bureau, *old)
    assert bureau.run().text.startswith("✅ 1 files — new 0 (0 res, 0 block) — modified 0")
    assert [row["Check-out Date"] for row in bureau.live()] == ["2026-03-16"]


def test_what_is_no_row_is_named_and_nothing_is_put_back(bureau) -> None:
    bureau.put("odd.csv", "a,b\n")
    bureau.run()
    (event,) = bureau.events()
    assert again(bureau, event.id, "nobody") == Replayed((), (event.id, "nobody"))
    assert bureau.names("inbox") == []


def test_a_broken_suppliers_file_begins_nothing(bureau) -> None:
    bureau.golden("evolve_tab1.csv")
    folder = bureau.business.config / "suppliers"
    folder.mkdir()
    (folder / "itrip.toml").write_text("shape = 'itrip'\n")
    ran = bureau.run()
    assert ran.code == 4
    assert "itrip.toml: key: Field required" in str(ran.result.problem)
    assert bureau.names("inbox") == ["evolve_tab1.csv"]
