"""Mails as files (CM-8, steps 2–5): spooled, hashed, filed by day so that a power cut loses none; it reads none."""

from __future__ import annotations

import fcntl
import hashlib
import io
import os
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import partial
from pathlib import Path
from uuid import uuid4

from changeover.engine.shared import Shared

LARGEST = 64 * 1024 * 1024
"""Bytes a mail may have as it is posted (CM-8)."""

SMALL = 1024 * 1024
"""Bytes up to which a mail is held in memory while it is taken in."""

FOLDER = Path("raw") / "mail"
"""Where the mails of an environment lie in its data folder."""

_INCOMING, _UNREADABLE = "incoming", "unreadable"
_CHUNK = 65_536
_SHA256 = re.compile(r"[0-9a-f]{64}")
_DAYS = "[0-9][0-9][0-9][0-9]/[0-9][0-9]/[0-9][0-9]"


class Reason(StrEnum):
    """Why a mail is not taken."""

    EMPTY = "empty"
    CUT = "cut"
    TOO_LARGE = "too large"
    NO_MAIL = "no mail"
    DISK = "disk"
    DATABASE = "database"
    STOPPING = "stopping"


class NotTaken(Exception):
    """The mail is not stored; whoever sent it is to send it again."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(str(reason))
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Posted:
    """A body on its way in: how to read it, its announced length (None where nothing is announced), its content type.

    `read` gives at most so many bytes and none at the end; it raises OSError or ValueError for what is cut.
    """

    read: Callable[[int], bytes]
    length: int | None
    content_type: str


@dataclass(frozen=True, slots=True)
class Spooled:
    """A body that is wholly on disk, but not filed yet: its path, open file, digest, size, and itself while small."""

    path: Path
    descriptor: int
    content_type: str
    sha256: str
    size: int
    body: bytes | None

    def again(self) -> Posted:
        """The same body, to be read once more, even when its file has been filed or deleted meanwhile."""
        if self.body is not None:
            return Posted(io.BytesIO(self.body).read, self.size, self.content_type)
        os.lseek(self.descriptor, 0, os.SEEK_SET)
        return Posted(lambda size: os.read(self.descriptor, size), self.size, self.content_type)


class RawMails:
    """The mails' folder of one environment.

    Whoever has a file open that no row tells of holds its lock, from its first byte to the end of its transaction. So a
    file without row and lock is what a killed process has left (CM-9).
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = folder / FOLDER
        self._incoming = self.root / _INCOMING
        self._known: set[Path] = set()
        self._syncs: defaultdict[Path, Shared] = defaultdict(Shared)
        self._make(self._incoming)

    @contextmanager
    def spool(self, body: Posted) -> Iterator[Spooled]:
        """Writes a body down while hashing it; after the block it is gone, unless filed. Raises NotTaken, OSError."""
        path = self._incoming / uuid4().hex
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield Spooled(path, descriptor, body.content_type, *_write(descriptor, body))
        finally:
            path.unlink(missing_ok=True)
            os.close(descriptor)

    def place(self, sha256: str, at: datetime) -> Path:
        """Where a mail of this instant (UTC) belongs."""
        return self.root / f"{at:%Y}" / f"{at:%m}" / f"{at:%d}" / sha256

    def relative(self, path: Path) -> str:
        """A path as rows hold it: from the data folder on."""
        return path.relative_to(self.folder).as_posix()

    def file(self, spooled: Spooled, target: Path) -> bool:
        """Moves a body to its place, both safe from a power cut; False when it lay there already. Raises OSError."""
        new = not target.exists()
        if new:
            os.fsync(spooled.descriptor)
            self._move(spooled.path, target)
        try:
            self._syncs[target.parent].do(partial(_sync, target.parent))
        except OSError:
            if new:
                target.unlink()
            raise
        return new

    def set_aside(self, path: Path, sha256: str) -> None:
        """Keeps what is no mail for a person to look at (CM-8, step 4). Raises OSError."""
        self._move(path, self.root / _UNREADABLE / sha256)

    def sweep(self) -> int:
        """Deletes what killed processes have left half written; returns how many files."""
        return sum(self._sweep(path) for path in sorted(self._incoming.iterdir()))

    def filed(self) -> Iterator[Path]:
        """Every filed mail, day by day."""
        for day in sorted(self.root.glob(_DAYS)):
            yield from (path for path in sorted(day.iterdir()) if _SHA256.fullmatch(path.name))

    def _move(self, path: Path, target: Path) -> None:
        self._make(target.parent)
        try:
            path.replace(target)
        except FileNotFoundError:  # someone tidied the day's folder away
            self._known.discard(target.parent)
            self._make(target.parent)
            path.replace(target)

    def _make(self, folder: Path) -> None:
        """Makes a folder that outlives a power cut, once."""
        if folder in self._known:
            return
        if not folder.is_dir():
            self._make(folder.parent)
            folder.mkdir(mode=0o700, exist_ok=True)
            _sync(folder.parent)
        self._known.add(folder)

    @staticmethod
    def _sweep(path: Path) -> bool:
        with unclaimed(path) as free:
            if free:
                path.unlink(missing_ok=True)
            return free


@contextmanager
def unclaimed(path: Path) -> Iterator[bool]:
    """True when nobody is at this file, and nobody will be for as long as the block lasts."""
    descriptor = -1
    try:
        with suppress(FileNotFoundError, BlockingIOError):
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield True
            return
        yield False
    finally:
        if descriptor >= 0:
            os.close(descriptor)


def digest(path: Path) -> str:
    """The SHA-256 of a file. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write(descriptor: int, body: Posted) -> tuple[str, int, bytes | None]:
    """Writes a body until its end; its digest, size, and itself while small. Raises NotTaken for one that is cut,
    empty or too large.
    """
    found, size, kept = hashlib.sha256(), 0, list[bytes]()
    while chunk := _read(body):
        size += len(chunk)
        if size > LARGEST:
            raise NotTaken(Reason.TOO_LARGE)
        found.update(chunk)
        _write_all(descriptor, chunk)
        kept = [*kept, chunk] if size <= SMALL else []
    if body.length not in (None, size):
        raise NotTaken(Reason.CUT)
    if size == 0:
        raise NotTaken(Reason.EMPTY)
    return found.hexdigest(), size, b"".join(kept) if size <= SMALL else None


def _read(body: Posted) -> bytes:
    try:
        return body.read(_CHUNK)
    except (OSError, ValueError):
        raise NotTaken(Reason.CUT) from None


def _write_all(descriptor: int, chunk: bytes) -> None:
    rest = memoryview(chunk)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
