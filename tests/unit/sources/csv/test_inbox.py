"""R-20, R-21, F-1, F-2: files of the inbox, when they came, and where they go."""

from __future__ import annotations

import os
import stat
from datetime import UTC, datetime, timedelta

import pytest

from changeover.sources.csv import inbox
from changeover.sources.csv.inbox import Move

NOW = datetime.fromisoformat("2026-03-10T08:00:00-07:00")
WRITTEN = NOW - timedelta(hours=1)


@pytest.fixture
def folder(tmp_path):
    for name in ("inbox", "done", "rejected"):
        (tmp_path / name).mkdir()
    return tmp_path


@pytest.fixture
def put(folder):
    def put_(name="a.csv", body=b"x"):
        path = folder / "inbox" / name
        path.write_bytes(body)
        return path

    return put_


@pytest.fixture
def move(folder, rules):
    def move_(name="a.csv", to="done", rows=None):
        file = inbox.take(folder / "inbox", name, NOW, rules)
        decided = Move(name, file.sha256, to, file.received, rows)
        inbox.carry_out(folder, decided)
        return decided

    return move_


@pytest.fixture
def rules():
    from zoneinfo import ZoneInfo

    return ZoneInfo("America/Phoenix")


def names(folder, where):
    return sorted(path.name for path in (folder / where).iterdir())


def test_only_finished_csv_files_are_taken(folder, put) -> None:
    for name in ("b.CSV", "a.csv", ".c.csv", "d.csv.tmp", "e.csv.part", "f.csv.crdownload", "g.txt", "h.tmp"):
        put(name)
    (folder / "inbox" / "dir.csv").mkdir()
    (folder / "inbox" / "link.csv").symlink_to(folder / "inbox" / "a.csv")
    assert inbox.waiting(folder / "inbox") == ["a.csv", "b.CSV"]
    assert inbox.waiting(folder / "nowhere") == []


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("20260309_021200_itrip.csv", "2026-03-09T02:12:00-07:00"),
        ("20260309_021200.csv", "2026-03-09T02:12:00-07:00"),
        ("03-09-2026--02-12-00.csv", "2026-03-09T02:12:00-07:00"),
        ("20260309_021200_0a1b2c3d_report.csv", "2026-03-09T02:12:00+00:00"),
        ("20260309_021200_evolve_tab1.csv", "2026-03-09T02:12:00-07:00"),
        ("20261309_021200_x.csv", None),
        ("202603091_021200_x.csv", None),
        ("20260309_0212001.csv", None),
        ("report 20260309_021200.csv", None),
        ("20270309_021200_typo.csv", None),
        ("itrip.csv", None),
    ],
)
def test_a_file_was_received_when_its_name_says_else_when_it_was_written(rules, name, expected) -> None:
    at = inbox.received(name, WRITTEN, NOW, rules)
    assert at == (datetime.fromisoformat(expected) if expected else WRITTEN)


def test_nothing_was_received_in_the_future(rules) -> None:
    assert inbox.received("a.csv", NOW + timedelta(days=400), NOW, rules) == NOW


def test_a_file_is_read_up_to_the_limit_and_known_by_all_of_it(folder, put, rules, monkeypatch) -> None:
    monkeypatch.setattr(inbox, "MAX_BYTES", 3)
    put(body=b"abcdef")
    first = inbox.take(folder / "inbox", "a.csv", NOW, rules)
    put(body=b"abcdeX")
    second = inbox.take(folder / "inbox", "a.csv", NOW, rules)
    assert first.raw == second.raw == b"abcd"
    assert first.sha256 != second.sha256


def test_a_file_moves_and_keeps_its_bytes_for_its_owner_only(folder, put, move) -> None:
    put(body=b"\xff1").chmod(0o644)
    move()
    assert names(folder, "inbox") == []
    done = folder / "done" / "a.csv"
    assert done.read_bytes() == b"\xff1"
    assert stat.S_IMODE(done.stat().st_mode) == 0o600


def test_a_name_that_is_there_already_gets_a_number(folder, put, move) -> None:
    for _ in range(3):
        put()
        move()
    assert names(folder, "done") == ["a-2.csv", "a-3.csv", "a.csv"]


def test_set_aside_rows_are_written_once_however_often_a_move_is_repeated(folder, put, move, monkeypatch) -> None:
    put("b.CSV")
    monkeypatch.setattr(inbox.Path, "rename", _only_inside_rejected(inbox.Path.rename))
    with pytest.raises(KeyboardInterrupt):
        move("b.CSV", rows="rows")
    monkeypatch.undo()
    assert names(folder, "inbox") == ["b.CSV"]
    decided = move("b.CSV", rows="rows")
    inbox.carry_out(folder, decided)
    assert names(folder, "rejected") == ["b.csv"]
    assert names(folder, "done") == ["b.CSV"]
    rejected = folder / "rejected" / "b.csv"
    assert rejected.read_text() == "rows"
    assert rejected.stat().st_mtime == decided.received.timestamp()


def _only_inside_rejected(rename):
    def cut_short(path, target):
        if "done" in str(target):
            raise KeyboardInterrupt
        return rename(path, target)

    return cut_short


def test_other_rows_of_a_file_of_that_name_do_not_overwrite_the_earlier_ones(folder, put, move) -> None:
    for body in (b"1", b"2"):
        put(body=body)
        move(rows=f"rows {body!r}")
    assert names(folder, "rejected") == ["a-2.csv", "a.csv"]


def test_a_file_that_was_replaced_meanwhile_stays(folder, put, rules) -> None:
    put(body=b"old")
    old = inbox.take(folder / "inbox", "a.csv", NOW, rules)
    put(body=b"new")
    inbox.carry_out(folder, Move("a.csv", old.sha256, "done", old.received, "rows"))
    assert names(folder, "inbox") == ["a.csv"]
    assert names(folder, "done") == names(folder, "rejected") == []


def test_a_file_put_into_the_inbox_is_whole_and_private(folder) -> None:
    path = inbox.put(folder / "inbox", "mail.csv", b"x")
    assert path.read_bytes() == b"x"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert inbox.put(folder / "inbox", "mail.csv", b"y").name == "mail-2.csv"
    assert names(folder, "inbox") == ["mail-2.csv", "mail.csv"]


def test_what_has_lain_long_enough_is_deleted_and_the_inbox_never(folder) -> None:
    for where in ("inbox", "done", "rejected"):
        for name in ("a.csv", "notes.txt"):
            (folder / where / name).write_bytes(b"x")
    os.utime(folder / "done" / "a.csv", (0, 0))  # written long ago, moved just now
    now = datetime.now(UTC)
    assert inbox.prune(folder, now + timedelta(days=29)) == 0
    assert inbox.prune(folder, now + timedelta(days=31)) == 1
    assert names(folder, "done") == ["notes.txt"]
    assert inbox.prune(folder, now + timedelta(days=91)) == 1
    assert names(folder, "rejected") == ["notes.txt"]
    assert names(folder, "inbox") == ["a.csv", "notes.txt"]
