"""The inbox in a run: files are taken, and moved only once what they say is committed (F-2)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from changeover.engine.work import Work
from changeover.ops import logging
from changeover.sources.csv import inbox
from changeover.sources.csv.inbox import INBOX, InboxFile, Move
from changeover.store import reports

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
