"""How full the disk of the data folder is (F-4); it deletes nothing."""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

GB = 1024**3
_WARNING, _CRITICAL = 0.85, 0.90


class DiskLevel(StrEnum):
    """Plenty of room, getting full, nearly full, under the floor; `unknown` when the question failed."""

    OK = "ok"
    WARNING = "warning"
    CRITICAL = "critical"
    UNDER_FLOOR = "under_floor"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Disk:
    """Bytes free for us and in all, and what that means."""

    level: DiskLevel
    free: int = 0
    total: int = 0

    @property
    def healthy(self) -> bool:
        """What health pages show: a check that cannot run is unhealthy."""
        return self.level in (DiskLevel.OK, DiskLevel.WARNING)

    @property
    def room_to_write(self) -> bool:
        """Whether runs may start and webhooks be taken in."""
        return self.level not in (DiskLevel.UNDER_FLOOR, DiskLevel.UNKNOWN)


def floor_bytes(total: int) -> int:
    """What must stay free: 5 %, but at least 2 GB and at most 5 GB."""
    return min(max(total // 20, 2 * GB), 5 * GB)


def judge(free: int, usable: int, total: int) -> DiskLevel:
    """The level for bytes free, free and used together (as `df` counts, without root's reserve), and total."""
    if free < floor_bytes(total):
        return DiskLevel.UNDER_FLOOR
    used = 1 - free / usable if usable else 1.0
    if used >= _CRITICAL:
        return DiskLevel.CRITICAL
    return DiskLevel.WARNING if used >= _WARNING else DiskLevel.OK


def check(folder: Path) -> Disk:
    """Asks the file system of a folder. Never raises: what cannot be asked is `unknown`, never fine (Z-37)."""
    try:
        found = os.statvfs(folder)
    except OSError:
        return Disk(DiskLevel.UNKNOWN)
    unit = found.f_frsize
    free, total = found.f_bavail * unit, found.f_blocks * unit
    usable = (found.f_blocks - found.f_bfree + found.f_bavail) * unit
    return Disk(judge(free, usable, total), free, total)
