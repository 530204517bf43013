"""The check of the Evolve portal's means: settings, browser, driver (D-12); it never signs in."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from changeover.doctor.result import Patient, Result, fail, ok, warn
from changeover.engine.portal import NAME
from changeover.sources.evolve.visit import PortalFailure

_INSTALL = "install chromium and chromium-driver (scripts/setup does on Debian), or leave Evolve unticked"
_VERSION = re.compile(r"\b([0-9]+)\.[0-9.]+")
_SECONDS = 20


def settings(patient: Patient) -> Iterator[Result]:
    """The portal's three settings; only a warning while nobody has ticked its automation."""
    found = patient.settings
    given = {
        "EVOLVE_PORTAL_URL": found.evolve_portal_url,
        "EVOLVE_USERNAME": found.evolve_username,
        "EVOLVE_PASSWORD": found.evolve_password,
    }
    missing = [name for name, value in given.items() if not value]
    if not missing:
        yield ok("portal", "its address and account are set")
    elif _ticked(patient):
        yield fail("portal", f"not set: {', '.join(missing)}", "set them, or untick Evolve in the table Automation")
    elif len(missing) < len(given):
        yield warn("portal", f"not set: {', '.join(missing)}", "set all three before you tick Evolve")
    else:
        yield ok("portal", "not in use")


def browser(patient: Patient) -> Iterator[Result]:
    """D-12: browser and driver are there and of one version; where Evolve is ticked, they are started as well."""
    # Late: the driver's library is wanted only here and where a portal is visited.
    from changeover.sources.evolve.browser import Browser, Programs

    report = fail if _ticked(patient) else warn
    try:
        programs = Programs.installed()
        versions = {_major(programs.browser), _major(programs.driver)}
        if len(versions) > 1 or None in versions:
            yield report("browser", "Chromium and its driver are of different versions", _INSTALL)
            return
        if _ticked(patient):
            with tempfile.TemporaryDirectory(prefix="changeover-") as folder:
                Browser(programs, Path(folder) / "home", patient.settings.timezone).close()
        yield ok("browser", f"Chromium {versions.pop()} and its driver")
    except PortalFailure as failure:
        yield report("browser", failure.text, _INSTALL)


def _ticked(patient: Patient) -> bool:
    return NAME in patient.ticked


def _major(program: str) -> str | None:
    """The first number of a program's version; None where it does not say one."""
    try:
        done = subprocess.run(  # noqa: S603 - a program found by its own name, no shell
            [program, "--version"], capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = _VERSION.search(done.stdout)
    return match[1] if match else None
