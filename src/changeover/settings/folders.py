"""The data folder of an environment: its layout, its modes, its identity file (F-1)."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Protocol

from changeover.settings import identity
from changeover.settings.model import Settings

LAYOUT = ("csv", "csv/inbox", "csv/done", "csv/rejected", "raw", "backups", "logs", "browser")
FOLDER_MODE = 0o700
FILE_MODE = 0o600


class Placed(Protocol):
    """Settings as far as they say where the data folder is."""

    @property
    def home(self) -> Path: ...

    @property
    def folder(self) -> Path: ...


def create(settings: Placed) -> Path:
    """Makes what is missing of `<home>/<env>/`, folders 0700; what exists keeps its mode. Raises OSError."""
    _folder(settings.home)
    _folder(settings.folder)
    for name in LAYOUT:
        _folder(settings.folder / name)
    return settings.folder


def write_identity(settings: Settings) -> None:
    """Leaves this environment's fingerprints for the other one to compare with (S-4); written aside, then renamed."""
    own = identity.identifying(settings.environment, settings.home, settings.identifying_values)
    target = settings.folder / identity.FILE_NAME
    if identity.compare(own, target) == list(own):
        return
    aside = target.with_suffix(f".{os.getpid()}")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, FILE_MODE)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(identity.fingerprints(own), file)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(target)


def _folder(path: Path) -> None:
    if not path.exists():
        path.mkdir(parents=True, mode=FOLDER_MODE)
        path.chmod(FOLDER_MODE)  # whatever the umask says
