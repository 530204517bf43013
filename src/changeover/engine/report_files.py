"""Reports on disk in a run: taken or kept as they come, and put away only once what they say is committed (F-2)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from changeover.engine.work import Work
from changeover.ops import logging
from changeover.sources.csv import inbox
from changeover.sources.csv.inbox import INBOX, InboxFile, Move
from changeover.store import reports

DOWNLOADS_KEPT = timedelta(days=30)
log = logging.get(__name__)


@dataclass(frozen=True, slots=True)
class Taken:
    """The files of a run. `locked` are names of files that cannot be opened: they stay, and the run is not whole."""

    files: tuple[InboxFile, ...]
    locked: tuple[str, ...]


def csv_folder(work: Work) -> Path:
    return work.settings.folder / "csv"


def take(work: Work) -> Taken:
    """Reads what waits, but for files whose rows an earlier run has committed and not moved."""
    folder = csv_folder(work) / INBOX
    with work.db.read() as connection:
        committed = {each.name: each.sha256 for each in reports.moves(connection)}
    files: list[InboxFile] = []
    locked: list[str] = []
    for name in inbox.waiting(folder):
        spoken = name.encode(errors="replace").decode()
        if spoken != name:  # a name that is no text can be neither stored nor told
            log.warning("report.locked", file=spoken, error="name")
            locked.append(spoken)
            continue
        try:
            file = inbox.take(folder, name, work.now, work.rules.zone)
        except OSError as error:
            log.warning("report.locked", file=name, error=type(error).__name__)
            locked.append(name)
            continue
        if committed.get(name) != file.sha256:
            files.append(file)
    return Taken(tuple(files), tuple(locked))


def keep(work: Work, name: str, raw: bytes) -> InboxFile:
    """A verified export of the portal as a report, kept before it is read (R-6); a dry run keeps nothing."""
    if not work.dry_run:
        folder = inbox.downloads(csv_folder(work))
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = inbox.put(folder, name, raw).name
    return InboxFile(name, work.now, raw, hashlib.sha256(raw).hexdigest())


def prune_downloads(work: Work) -> int:
    """Deletes exports that were kept and never imported, 30 days after (F-3); how many."""
    folder, gone = inbox.downloads(csv_folder(work)), 0
    for path in [folder / name for name in inbox.waiting(folder)]:
        if work.now.timestamp() - path.stat().st_mtime > DOWNLOADS_KEPT.total_seconds():
            path.unlink()
            gone += 1
    return gone


def move(work: Work) -> tuple[str, ...]:
    """Makes every move that is committed, of this run or of one that was cut short; answers what could not be moved.

    What could not is tried again by the next run, which does not import it again.
    """
    stuck: list[str] = []
    with work.db.read() as connection:
        decided = reports.moves(connection)
    for each in decided:
        try:
            inbox.carry_out(
                csv_folder(work), Move(each.name, each.sha256, each.folder, each.received_at, each.rejected_rows)
            )
        except OSError as error:
            log.warning("report.not_moved", file=each.name, folder=each.folder, error=type(error).__name__)
            stuck.append(each.name)
            continue
        with work.db.begin() as connection:
            work.still_ours(connection)
            reports.moved(connection, each.name)
        log.info("report.moved", file=each.name, folder=each.folder)
    return tuple(stuck)
