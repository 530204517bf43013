"""Day files never move under a writer, and what is old goes by itself."""

from __future__ import annotations

import fcntl
import gzip
import threading
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from changeover.ops.logfiles import DayFiles, tidy

ZONE = ZoneInfo("America/Phoenix")
NOON = datetime(2026, 3, 4, 19, 0, tzinfo=UTC)


def test_the_day_is_the_business_day_not_utcs(tmp_path):
    files = DayFiles(tmp_path, "cycle", ZONE)
    files.write("late", datetime(2026, 3, 5, 6, 59, tzinfo=UTC))
    files.write("early", datetime(2026, 3, 5, 7, 0, tzinfo=UTC))
    assert (tmp_path / "cycle-2026-03-04.jsonl").read_text() == "late\n"
    assert (tmp_path / "cycle-2026-03-05.jsonl").read_text() == "early\n"
    assert (tmp_path / "cycle-2026-03-04.jsonl").stat().st_mode & 0o777 == 0o600


def test_a_full_part_is_followed_by_the_next(tmp_path):
    files = DayFiles(tmp_path, "cycle", ZONE, part_bytes=20)
    for number in range(5):
        files.write(f"line {number}", NOON)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["cycle-2026-03-04.2.jsonl", "cycle-2026-03-04.3.jsonl", "cycle-2026-03-04.jsonl"]
    assert sum(len(path.read_text().splitlines()) for path in tmp_path.iterdir()) == 5


def test_writers_of_one_file_neither_mix_nor_lose_lines(tmp_path):  # Z-40
    writers = [DayFiles(tmp_path, "cycle", ZONE, part_bytes=2000) for _ in range(4)]
    line = "x" * 90

    def work(files):
        for _ in range(50):
            files.write(line, NOON)

    threads = [threading.Thread(target=work, args=(files,)) for files in writers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = [each for path in tmp_path.iterdir() for each in path.read_text().splitlines()]
    assert found == [line] * 200


def test_a_day_that_was_packed_away_does_not_swallow_later_lines(tmp_path):  # Z-40
    files = DayFiles(tmp_path, "cycle", ZONE)
    files.write("one", NOON)
    assert tidy(tmp_path, NOON + timedelta(days=1), ZONE) == 1
    files.write("two", NOON)
    assert (tmp_path / "cycle-2026-03-04.jsonl").read_text() == "two\n"
    assert gzip.decompress((tmp_path / "cycle-2026-03-04.jsonl.gz").read_bytes()) == b"one\n"


def test_where_nothing_can_be_written_lines_are_lost_and_counted_but_nothing_fails(tmp_path):
    files = DayFiles(tmp_path / "not there", "cycle", ZONE)
    files.write("one", NOON)
    assert files.lost == 1


def test_a_line_cut_by_a_full_disk_is_counted(tmp_path, monkeypatch):
    files = DayFiles(tmp_path, "cycle", ZONE)
    monkeypatch.setattr("os.write", lambda *_: 1)
    files.write("one", NOON)
    assert files.lost == 1


@pytest.mark.parametrize(
    ("name", "days", "hours", "left"),
    [
        ("cycle-2026-03-04.jsonl", 0, 12, "cycle-2026-03-04.jsonl"),
        ("cycle-2026-03-04.jsonl", 0, 12.5, "cycle-2026-03-04.jsonl"),
        ("cycle-2026-03-04.jsonl", 0, 13, "cycle-2026-03-04.jsonl.gz"),
        ("cycle-2026-03-04.2.jsonl", 1, 0, "cycle-2026-03-04.2.jsonl.gz"),
        ("cycle-2026-03-04.jsonl.gz", 29, 0, "cycle-2026-03-04.jsonl.gz"),
        ("cycle-2026-03-04.jsonl.gz", 31, 0, None),
        ("worker-1-2026-03-04.jsonl", 31, 0, None),
        ("notes.txt", 400, 0, "notes.txt"),
        ("cycle-2026-03-04.jsonl.bak", 400, 0, "cycle-2026-03-04.jsonl.bak"),
    ],
)
def test_files_go_by_age_and_known_names_only(tmp_path, name, days, hours, left):
    (tmp_path / name).write_bytes(b"a line\n")
    tidy(tmp_path, NOON + timedelta(days=days, hours=hours), ZONE)
    assert [path.name for path in tmp_path.iterdir() if path.name != ".lock"] == ([left] if left else [])


def test_while_another_process_tidies_nothing_happens(tmp_path):
    (tmp_path / "cycle-2026-03-04.jsonl").write_text("a line\n")
    with (tmp_path / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert tidy(tmp_path, NOON + timedelta(days=2), ZONE) == 0
    assert (tmp_path / "cycle-2026-03-04.jsonl").exists()
