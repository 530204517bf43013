"""Proves that dev and prod share no base, key, secret, folder or database; neither sees the other's values."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from changeover.settings import identity
from changeover.settings.model import NAMES
from changeover.settings.reading import FILE, EnvironmentName, Place, Problem

SHARED_WITH = "has the same value in the other environment"
UNREADABLE = 3  # exit code of the child that may not read the other environment's file


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the comparison found. `unproven`: the other environment may not be read and has left no fingerprints."""

    problems: tuple[Problem, ...] = ()
    unproven: bool = False


def check(environment: EnvironmentName, place: Place, home: Path, values: Mapping[str, str]) -> Verdict:
    """Compares the two environments in a short-lived child, which returns setting names only (S-4).

    Where the other file may not be read, the scrypt fingerprints that the other environment left in its data
    folder (`identity.json`) are compared instead.
    """
    if not _is_set_up(environment.other, place):
        return Verdict()
    answer = _ask_child(environment, place, home)
    if answer is not None:
        return Verdict(tuple(Problem(name, SHARED_WITH) for name in answer))
    own = identity.identifying(environment, home, values)
    shared = identity.compare(own, home / environment.other / identity.FILE_NAME)
    if shared is None:
        return Verdict(unproven=True)
    return Verdict(tuple(Problem(name, SHARED_WITH) for name in shared))


def _is_set_up(environment: EnvironmentName, place: Place) -> bool:
    given = any(f"{name}{form}{environment.suffix}" in place.process for name in NAMES for form in ("", FILE))
    return given or os.path.lexists(place.file(environment))


def _ask_child(environment: EnvironmentName, place: Place, home: Path) -> list[str] | None:
    """Names that are shared; None when the other environment's file may not be read."""
    arguments = [sys.executable, "-m", "changeover.settings.compare", environment, str(place.config), str(home)]
    child = subprocess.run(  # noqa: S603 - our own interpreter and module, no shell
        arguments, env=dict(place.process), capture_output=True, text=True, timeout=60, check=False
    )
    if child.returncode == UNREADABLE:
        return None
    if child.returncode != 0:
        # Its own words may quote a line of the file, so they are not repeated.
        raise RuntimeError("the comparison of the two environments' settings broke off")
    names: list[str] = json.loads(child.stdout)
    return names
