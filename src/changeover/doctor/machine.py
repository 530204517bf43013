"""Checks of this machine: settings, files, disk, memory, clock, schedule (D-2, D-9, D-13)."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path

from pydantic import SecretStr

from changeover.doctor.result import Patient, Result, fail, ok, warn
from changeover.engine import disk
from changeover.settings import NAMES, Settings, identity
from changeover.settings.folders import LAYOUT

CRONTAB = Path("/etc/cron.d/changeover")
TIMERS = Path("/etc/systemd/system/timers.target.wants")
_SECRET_LENGTH = 16
_SECRET_SIGNS = 5  # different characters
_MAKE_ONE = "`openssl rand -hex 24`"
_OF_MAILS = ("CLOUDMAILIN_PASSWORD",)
_WAYS_IN = ("API_KEY", "HCP_WEBHOOK_SECRET", "SERVATIV_WEBHOOK_SECRET", *_OF_MAILS)
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


def secrets(patient: Patient) -> Iterator[Result]:
    """X-1: an empty secret shuts its way in, which is said; one that is short or poor may be guessed. None is shown."""
    found = patient.settings
    values = {name: _parts(getattr(found, name.lower())) for name in _WAYS_IN}
    short = [name for name, parts in values.items() if any(len(each) < _SECRET_LENGTH for each in parts)]
    poor = [name for name, parts in values.items() if any(len(set(each)) < _SECRET_SIGNS for each in parts)]
    for name in dict.fromkeys((*short, *poor)):
        text = f"shorter than {_SECRET_LENGTH} characters" if name in short else "made of a few characters only"
        yield warn("secrets", f"{name} is {text}", f"set a longer one, such as {_MAKE_ONE} prints")
    shut = [name for name, parts in values.items() if not parts and not (name in _OF_MAILS and not _takes_mails(found))]
    if found.hcp_api_key is not None and not found.takes_hooks:
        text = "webhooks of Housecall Pro have no way in: what changes there is seen by the next cycle only"
        yield warn("secrets", text, "set HCP_WEBHOOK_SECRET to what Housecall Pro shows as its signing secret")
    elif not short and not poor:
        yield ok("secrets", "of good length" + (f"; not set, so shut: {', '.join(shut)}" if shut else ""))


def _parts(secret: SecretStr | None) -> frozenset[str]:
    return frozenset() if secret is None else identity.parts(secret.get_secret_value())


def _takes_mails(settings: Settings) -> bool:
    return settings.csv_email_enabled and bool(settings.cloudmailin_user)


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
