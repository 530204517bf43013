from __future__ import annotations

from pathlib import Path

import pytest

from changeover.engine import disk
from changeover.engine.disk import GB, Disk, DiskLevel


@pytest.mark.parametrize(
    ("total", "floor"),
    [(10 * GB, 2 * GB), (40 * GB, 2 * GB), (80 * GB, 4 * GB), (100 * GB, 5 * GB), (900 * GB, 5 * GB)],
)
def test_the_floor_is_five_percent_within_two_and_five_gigabytes(total: int, floor: int) -> None:
    assert disk.floor_bytes(total) == floor


@pytest.mark.parametrize(
    ("free", "level"),
    [
        (50, DiskLevel.OK),
        (15, DiskLevel.WARNING),
        (10, DiskLevel.CRITICAL),
        (5, DiskLevel.CRITICAL),
        (4, DiskLevel.UNDER_FLOOR),
    ],
)
def test_the_level_follows_what_is_free(free: int, level: DiskLevel) -> None:
    assert disk.judge(free * GB, 100 * GB, 100 * GB) is level


def test_a_file_system_that_counts_nothing_is_full() -> None:
    assert disk.judge(3 * GB, 0, 0) is DiskLevel.CRITICAL


def test_a_check_that_cannot_run_is_unhealthy(tmp_path: Path) -> None:
    """Z-37: a broken disk check was shown as fine."""
    found = disk.check(tmp_path / "gone")
    assert found == Disk(DiskLevel.UNKNOWN)
    assert not found.healthy
    assert not found.room_to_write


def test_the_disk_of_a_folder_is_measured(tmp_path: Path) -> None:
    found = disk.check(tmp_path)
    assert 0 < found.free < found.total
    assert found.level is not DiskLevel.UNKNOWN


@pytest.mark.parametrize(
    ("level", "healthy", "room"),
    [
        (DiskLevel.OK, True, True),
        (DiskLevel.WARNING, True, True),
        (DiskLevel.CRITICAL, False, True),
        (DiskLevel.UNDER_FLOOR, False, False),
    ],
)
def test_only_the_floor_stops_work(level: DiskLevel, healthy: bool, room: bool) -> None:
    assert (Disk(level).healthy, Disk(level).room_to_write) == (healthy, room)
