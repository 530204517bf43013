"""The inbox on disk: which files wait, when each was received, and where each goes (R-18, R-20, R-21, F-1, F-2)."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path

from changeover.sources.csv.read import MAX_BYTES

INBOX, DONE, REJECTED = "inbox", "done", "rejected"
FOLDERS = (DONE, REJECTED)
KEPT = {DONE: timedelta(days=30), REJECTED: timedelta(days=90)}  # F-3
_FILE_MODE = 0o600

# A mail's file says its time in UTC and the first digits of its digest (CM-22); all other names are Phoenix time.
_MAILED = re.compile(r"(?P<at>[0-9]{8}_[0-9]{6})_[0-9a-f]{8}_")
_PREFIXES = (
    (re.compile(r"(?P<at>[0-9]{8}_[0-9]{6})(?![0-9])"), "%Y%m%d_%H%M%S"),
    (re.compile(r"(?P<at>[0-9]{2}-[0-9]{2}-[0-9]{4}--[0-9]{2}-[0-9]{2}-[0-9]{2})(?![0-9])"), "%m-%d-%Y--%H-%M-%S"),
)


@dataclass(frozen=True, slots=True)
class InboxFile:
    """A waiting file. `raw` ends one byte beyond the limit, `sha256` is of all of it."""

    name: str
    received: datetime
    raw: bytes
    sha256: str


@dataclass(frozen=True, slots=True)
class Move:
    """Where a file goes once its rows are committed, and the file of its set-aside rows, if it has any."""

    name: str
    sha256: str
    folder: str
    received: datetime
    rejected_rows: str | None = None


def downloads(csv_folder: Path) -> Path:
    """Where the portal's exports lie until they are imported; they never pass the inbox (R-80)."""
    return csv_folder.parent / "raw" / "evolve"


def waiting(inbox: Path) -> list[str]:
    """The names of the files to take, in order; what is still being written is left alone (R-20)."""
    if not inbox.is_dir():
        return []
    return sorted(
        entry.name
        for entry in os.scandir(inbox)
        if entry.is_file(follow_symlinks=False) and entry.name.lower().endswith(".csv") and entry.name[0] != "."
    )


def take(inbox: Path, name: str, now: datetime, zone: tzinfo) -> InboxFile:
    """Reads a waiting file. Raises OSError."""
    path = inbox / name
    with path.open("rb") as file:
        raw = file.read(MAX_BYTES + 1)
        file.seek(0)
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        written = datetime.fromtimestamp(os.fstat(file.fileno()).st_mtime, UTC)
    return InboxFile(name, received(name, written, now, zone), raw, digest)


def received(name: str, written: datetime, now: datetime, zone: tzinfo) -> datetime:
    """When a file was received: by its name, else when it was written (R-21); never later than now.

    A name that tells of the future is a slip: believed, it would make every later report look old.
    """
    named = _named(name, zone)
    return named if named is not None and named <= now else min(written, now)


def carry_out(csv_folder: Path, move: Move) -> None:
    """Writes the set-aside rows, then moves the file; safe to repeat after being cut short at any point (F-2).

    It lies in the inbox or among the portal's downloads. One that has changed since it was read is a new one: it stays.
    Raises OSError.
    """
    lying = (folder / move.name for folder in (csv_folder / INBOX, downloads(csv_folder)))
    path = next((each for each in lying if _is(each, move.sha256)), None)
    if path is None:
        return
    if move.rejected_rows is not None:
        _keep_rows(csv_folder / REJECTED, f"{path.stem}.csv", move)
    target = _free(csv_folder / move.folder, move.name)
    path.rename(target)
    target.chmod(_FILE_MODE)
    _sync(csv_folder / move.folder)
    _sync(path.parent)


def put(folder: Path, name: str, body: bytes) -> Path:
    """Puts a file into a folder: written aside, flushed, renamed, so that nobody sees half of it (F-1)."""
    aside = folder / f".{name}.{os.getpid()}.part"
    _write(aside, body)
    target = _free(folder, name)
    aside.rename(target)
    _sync(folder)
    return target


def put_once(csv_folder: Path, name: str, body: bytes, *, since: datetime | None = None) -> bool:
    """Puts a file into the inbox unless it waits there, or was read and put away (after `since`, if given).

    A step that is cut short and repeated thus makes one file and one import, whatever was reached before (CM-22).
    False when there was nothing to do. Raises OSError.
    """
    target = csv_folder / INBOX / name
    # The inbox first: a file that is put away between the two looks is found by the second.
    if target.exists() or any(_put_away(csv_folder / each, name, since) for each in FOLDERS):
        return False
    aside = target.with_name(f".{name}.part")  # the same at each repetition, so that none is left over
    _write(aside, body)
    aside.rename(target)
    _sync(target.parent)
    return True


def prune(csv_folder: Path, now: datetime) -> int:
    """Deletes what has lain long enough in `done` and `rejected` (F-3); returns how many files."""
    gone = 0
    for name, kept in KEPT.items():
        for path in [csv_folder / name / each for each in waiting(csv_folder / name)]:
            stat = path.stat()
            # A move leaves the time of writing alone and sets the time of change.
            if now - datetime.fromtimestamp(max(stat.st_mtime, stat.st_ctime), UTC) > kept:
                path.unlink()
                gone += 1
    return gone


def _named(name: str, zone: tzinfo) -> datetime | None:
    for pattern, form in _PREFIXES:
        if match := pattern.match(name):
            try:
                named = datetime.strptime(match["at"], form)  # noqa: DTZ007 - its zone follows
            except ValueError:
                return None
            return named.replace(tzinfo=UTC if _MAILED.match(name) else zone)
    return None


def _put_away(folder: Path, name: str, since: datetime | None) -> bool:
    """Whether a file of this name was moved there; a move sets the time of change."""
    moved = [path.stat().st_ctime for path in _names(folder, name) if path.exists()]
    return any(since is None or at >= since.timestamp() for at in moved)


def _write(path: Path, body: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _FILE_MODE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(body)
        file.flush()
        os.fsync(file.fileno())


def _is(path: Path, sha256: str) -> bool:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == sha256
    except FileNotFoundError:
        return False


def _keep_rows(folder: Path, name: str, move: Move) -> None:
    """The file of set-aside rows, once: it is as old as its report, so that it never looks newer than a later one."""
    body = (move.rejected_rows or "").encode()
    if any(path.read_bytes() == body for path in _names(folder, name) if path.exists()):
        return
    target = put(folder, name, body)
    os.utime(target, (move.received.timestamp(), move.received.timestamp()))


def _free(folder: Path, name: str) -> Path:
    """The name, or with `-2` and on, where one of that name is there already (R-20)."""
    return next(path for path in _names(folder, name) if not path.exists())


def _names(folder: Path, name: str) -> Iterator[Path]:
    """The name and its numbered fellows, one beyond those that exist."""
    path = folder / name
    yield path
    number = 2
    while path.exists():
        path = folder / f"{Path(name).stem}-{number}{Path(name).suffix}"
        number += 1
        yield path


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
