"""Day files of log lines: no renames, compressed and deleted by age (L-3); a full disk only loses lines."""

from __future__ import annotations

import fcntl
import gzip
import os
import re
import shutil
import threading
from datetime import date, datetime, time, timedelta, tzinfo
from pathlib import Path

PART_BYTES = 50 * 1024 * 1024
KEPT_DAYS = 30
SETTLED = timedelta(hours=1)
_NAME = re.compile(r"(?P<process>[a-z0-9-]+)-(?P<day>\d{4}-\d{2}-\d{2})(?:\.\d+)?\.jsonl(?:\.gz)?$")


class DayFiles:
    """Appends lines to `<process>-<day>.jsonl`, the next part from 50 MB on. Never raises."""

    def __init__(self, folder: Path, process: str, zone: tzinfo, part_bytes: int = PART_BYTES) -> None:
        self._folder = folder
        self._process = process
        self._zone = zone
        self._part_bytes = part_bytes
        self._lock = threading.Lock()
        self.lost = 0

    def write(self, line: str, at: datetime) -> None:
        """One line, in one write, so that processes sharing a file do not mix their lines."""
        data = line.encode("utf-8", "replace") + b"\n"
        with self._lock:
            try:
                path = self._part(at.astimezone(self._zone).date(), len(data))
                descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
                try:
                    written = os.write(descriptor, data)
                    self.lost += written < len(data)
                finally:
                    os.close(descriptor)
            except OSError:
                self.lost += 1  # a full disk loses log lines, never work

    def _part(self, day: date, more: int) -> Path:
        number = 1
        while True:
            path = self._folder / f"{self._process}-{day.isoformat()}{'' if number == 1 else f'.{number}'}.jsonl"
            try:
                size = path.stat().st_size
            except FileNotFoundError:
                return path
            if size + more <= self._part_bytes:
                return path
            number += 1


def tidy(folder: Path, now: datetime, zone: tzinfo) -> int:
    """Compresses days that ended an hour ago, deletes files over 30 days old, by known names only; how many it touched.

    One process at a time does it: while another holds the lock, nothing happens. Raises OSError on a full disk.
    """
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return 0
        return sum(_tidy_one(path, now, zone) for path in sorted(folder.iterdir()))


def _tidy_one(path: Path, now: datetime, zone: tzinfo) -> int:
    match = _NAME.fullmatch(path.name)
    if match is None:
        return 0
    ended = datetime.combine(date.fromisoformat(match["day"]) + timedelta(days=1), time(), zone)
    if now >= ended + timedelta(days=KEPT_DAYS):
        path.unlink()
        return 1
    if now < ended + SETTLED or path.suffix == ".gz":
        return 0
    _compress(path)
    return 1


def _compress(path: Path) -> None:
    aside = path.with_name(path.name + ".gz.part")
    with path.open("rb") as source, aside.open("wb") as target:
        os.fchmod(target.fileno(), 0o600)
        with gzip.GzipFile(filename=path.name, fileobj=target, mode="wb", mtime=0) as packed:
            shutil.copyfileobj(source, packed)
        target.flush()
        os.fsync(target.fileno())
    aside.replace(path.with_name(path.name + ".gz"))
    path.unlink()
