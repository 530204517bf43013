"""Tells one program from another by its files, also where their number is the same; what they do it does not know."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from functools import cache
from importlib.metadata import version
from pathlib import Path


@cache
def fingerprint() -> str:
    """Of the program that runs: its number and its files, as they were when this process first asked."""
    return fingerprint_of(Path(__file__).resolve().parent, version("changeover"))


def fingerprint_of(folder: Path, number: str) -> str:
    """16 hex digits over a number and the name, size and time of every source file below a folder; none is read."""
    found = hashlib.sha256(number.encode())
    for line in sorted(_files(folder, "")):
        found.update(line.encode())
    return found.hexdigest()[:16]


def _files(folder: Path | str, place: str) -> Iterator[str]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.endswith(".py"):
                stat = entry.stat()
                yield f"{place}{entry.name}\0{stat.st_size}\0{stat.st_mtime_ns}\0"
            elif entry.name != "__pycache__" and entry.is_dir():
                yield from _files(entry.path, f"{place}{entry.name}/")
