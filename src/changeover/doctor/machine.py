"""Checks of this machine: settings, files, disk, memory, clock, schedule (D-2, D-9, D-13)."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path

from changeover.doctor.result import Patient, Result, fail, ok, warn
from changeover.engine import disk
from changeover.settings import NAMES
from changeover.settings.folders import LAYOUT

CRONTAB = Path("/etc/cron.d/changeover")
TIMERS = Path("/etc/systemd/system/timers.target.wants")
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_SKEW_SECONDS = 60
_MEMORY_SHARE = 0.05
_GB = 1024**3


def settings(patient: Patient) -> Iterator[Result]:
    """D-2: that they are sound was proved before the doctor began; what is odd about them is said here."""
    found = patient.settings
    for name in found.unknown:
        near = get_close_matches(name, NAMES, n=1)
        yield warn("settings", f"{name} is no setting", f"did you mean {near[0]}?" if near else "remove it")
    for name in found.dropped:
        yield warn("settings", f"{name} belongs to the other environment", "take it out of this process's environment")
    if found.isolation_unproven:
        text = "the other environment's file may not be read, and it has left no fingerprints"
        yield warn("isolation", text, f"run a cycle of {found.environment.other} once")
    else:
        yield ok("isolation", "nothing is shared with the other environment")
    if not found.unknown and not found.dropped:
        yield ok("settings", "all are known and of the right shape")


def files(patient: Patient) -> Iterator[Result]:
    """D-2: nobody else reads the secrets or the data (F-1)."""
    place = patient.settings
    env_file = place.config / f"{place.environment}.env"
    open_to_others = [path for path in (env_file, place.folder) if path.exists() and path.stat().st_mode & _OTHERS]
    for path in open_to_others:
        yield warn("files", f"{path} is open to other users", f"chmod go= {path}")
    if not open_to_others:
        yield ok("files", "settings and data are closed to other users")


def folders(patient: Patient) -> Iterator[Result]:
    """D-9: every folder of the layout is there and can be written."""
    root = patient.settings.folder
    bad = [name for name in ("", *LAYOUT) if not os.access(root / name, os.W_OK | os.X_OK)]
    if bad:
        yield fail("folders", f"not writable under {root}: {', '.join(bad)}", "give them to the user that runs this")
    else:
        yield ok("folders", str(root))


def disk_space(patient: Patient) -> Iterator[Result]:
    """D-9, F-4."""
    found = disk.check(patient.settings.folder)
    text = f"{found.free / _GB:.1f} GB of {found.total / _GB:.1f} GB free"
    if not found.room_to_write:
        yield fail("disk", text if found.total else "cannot be asked", "make room; runs are blocked until then")
    elif found.level is disk.DiskLevel.OK:
        yield ok("disk", text)
    else:
        yield warn("disk", text, "make room")


def memory(patient: Patient) -> Iterator[Result]:
    """D-9: at least 5 % of the memory is available."""
    del patient  # the machine is the same for every environment
    try:
        text = Path("/proc/meminfo").read_text(encoding="ascii")
        total, available = (int(_field(name, text)) for name in ("MemTotal", "MemAvailable"))
    except (OSError, ValueError):
        yield warn("memory", "cannot be asked on this system", "watch it by other means")
        return
    said = f"{available // 1024} MB of {total // 1024} MB available"
    enough = available >= total * _MEMORY_SHARE
    yield ok("memory", said) if enough else warn("memory", said, "find out what uses it")


def clock(patient: Patient) -> Iterator[Result]:
    """D-9: zone data, and our clock beside Airtable's."""
    yield ok("zone", f"{patient.settings.timezone}, now {patient.now.astimezone(patient.settings.zone):%H:%M %Z}")
    if patient.base_clock is None:
        return
    skew = abs((patient.now - patient.base_clock).total_seconds())
    if skew > _SKEW_SECONDS:
        yield warn("clock", f"{skew:.0f} s beside Airtable's", "set the clock by NTP")
    else:
        yield ok("clock", "agrees with Airtable's")


def schedule(patient: Patient) -> Iterator[Result]:
    """D-13: cron or a timer starts this environment's cycle, and exactly one of them does."""
    env = patient.settings.environment
    lines = _cron_lines(CRONTAB, f"run_automation_{env}.py")
    timers = [path.name for path in TIMERS.glob(f"changeover-cycle@{env}.timer")]
    starters = lines + len(timers)
    if starters == 1:
        yield ok("schedule", "the crontab" if lines else "a systemd timer")
    elif starters == 0:
        yield warn("schedule", "nothing starts cycles", f"install cron/changeover.crontab as {CRONTAB}")
    else:
        yield warn("schedule", f"{starters} entries start the same cycle", "leave one")


def _cron_lines(path: Path, program: str) -> int:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError:
        return 0
    return sum(1 for line in text.splitlines() if program in line and not line.lstrip().startswith("#"))


def _field(name: str, text: str) -> str:
    match = re.search(rf"^{name}:\s+(\d+)", text, re.MULTILINE)
    return match[1] if match else ""
