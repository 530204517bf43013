"""What a browser leaves behind, its processes and its home: found by that home and taken away; it starts nothing."""

from __future__ import annotations

import os
import shutil
import signal
import time
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

KEPT = timedelta(days=1)  # F-3
_END_SECONDS = 2.0


def end_processes(home: Path) -> None:
    """Gives the processes of this home two seconds to end by themselves, then kills them."""
    until = time.monotonic() + _END_SECONDS
    while processes(home) and time.monotonic() < until:
        time.sleep(0.05)
    until = time.monotonic() + _END_SECONDS
    while (left := processes(home)) and time.monotonic() < until:
        for pid in left:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)


def processes(home: Path) -> list[int]:
    """Processes that were started with this home, in whatever session: Chromium's helpers leave its process group."""
    wanted = f"HOME={home}".encode()
    pids = (int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit())
    return [pid for pid in pids if wanted in _started_with(pid)]


def remove(home: Path) -> None:
    """Removes a home, and the folder beside the system's other temporary ones to which its profile's socket points."""
    with suppress(OSError):
        socket = (home / "profile/SingletonSocket").readlink()
        if socket.parent.name.startswith("org.chromium."):
            shutil.rmtree(socket.parent, ignore_errors=True)
    shutil.rmtree(home, ignore_errors=True)


def prune(folder: Path, now: datetime) -> int:
    """Ends what is still at work in the homes of killed runs, and removes those homes a day after (F-3); how many.

    Only for the one who holds the lease: nobody else may have a browser in this folder.
    """
    homes = [path for path in folder.iterdir() if path.is_dir()] if folder.is_dir() else []
    for path in homes:
        end_processes(path)
    old = [path for path in homes if now.timestamp() - path.stat().st_mtime > KEPT.total_seconds()]
    for path in old:
        remove(path)
    return len(old)


def _started_with(pid: int) -> list[bytes]:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:  # ended, or another user's
        return []
