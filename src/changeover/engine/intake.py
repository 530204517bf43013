"""Takes mails in so that none is lost (CM-8): a file and a row for each that is acknowledged; it works none of them."""

from __future__ import annotations

import io
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from changeover.engine import disk, names
from changeover.engine.enqueueing import enqueue
from changeover.engine.raw_mails import LARGEST, NotTaken, Posted, RawMails, Reason, Spooled, digest, unclaimed
from changeover.ops import logging
from changeover.sources.mail.glance import is_evident
from changeover.sources.mail.mail import NotAMail
from changeover.sources.mail.read import read, read_from
from changeover.store import mails
from changeover.store.database import Database
from changeover.store.facts import Json
from changeover.store.writer import Busy, Closed, Unsure, Writer

if TYPE_CHECKING:
    from dbos import DBOSClient, EnqueueOptions

log = logging.get(__name__)

_BROKEN = frozenset({"broken form", "broken document"})
_STRIPES = 64
_AT_ONCE = 400


@dataclass(frozen=True, slots=True)
class Taken:
    """A mail that is stored. Not `new`: its bytes were stored before. `copied`: the other environment has it as well,
    or could not take it; None where it was not to.
    """

    event_id: str
    size: int
    new: bool
    copied: bool | None = None


class Intake:
    """One environment's intake, for any number of threads of one process."""

    def __init__(self, folder: Path, writer: Writer, client: DBOSClient) -> None:
        self._raw, self._writer, self._client = RawMails(folder), writer, client
        self._same = tuple(threading.Lock() for _ in range(_STRIPES))
        # Reading a large mail takes several times its size. Not a lock: each thread that ever held so much memory would
        # go on holding it.
        self._heavy = ThreadPoolExecutor(1, thread_name_prefix="heavy")

    def take(self, body: Posted, copy_to: Intake | None = None) -> Taken:
        """Stores a mail, file, row and enqueued work, and then a copy in another environment. Raises NotTaken, OSError.

        Once it returns, the mail is safe from whatever ends the process or the machine. The copy is best effort.
        """
        self._look_for_room(body.length)
        with self._raw.spool(body) as spooled:
            self._examine(spooled, announced=body.length is not None)
            new = self._keep(spooled)
            copied = None if copy_to is None else copy_to.copy(spooled)
            return Taken(mails.event_id(spooled.sha256), spooled.size, new, copied)

    def copy(self, original: Spooled) -> bool:
        """Stores what another environment has taken; False when that fails, which then is logged."""
        try:
            self._look_for_room(original.size)
            with self._raw.spool(original.again()) as spooled:
                self._keep(spooled)
        except (NotTaken, OSError) as failure:
            log.warning("mail.not_copied", reason=str(failure), event_id=mails.event_id(original.sha256))
            return False
        return True

    def _look_for_room(self, length: int | None) -> None:
        if length is not None and length > LARGEST:
            raise NotTaken(Reason.TOO_LARGE)
        if not disk.check(self._raw.root).room_to_write:
            raise NotTaken(Reason.DISK)

    def _examine(self, spooled: Spooled, *, announced: bool) -> None:
        """Lets through what is a mail. The rest is kept for a person, unless it is one that was cut on its way."""
        try:
            if spooled.body is None:
                self._heavy.submit(read, spooled.path, spooled.content_type, contents=False).result()
            elif not is_evident(spooled.body, spooled.content_type):
                read_from(io.BytesIO(spooled.body), spooled.content_type, contents=False)
        except NotAMail as refusal:
            if refusal.reason in _BROKEN and not announced:
                raise NotTaken(Reason.CUT) from None
            self._raw.set_aside(spooled.path, spooled.sha256)
            raise NotTaken(Reason.NO_MAIL) from None

    def _keep(self, spooled: Spooled) -> bool:
        """Files a mail and enters it. True when it is new; when it is not entered, no file of it stays (CM-9)."""
        at = datetime.now(UTC)
        target = self._raw.place(spooled.sha256, at)
        payload = _payload(spooled.sha256, spooled.content_type, self._raw.relative(target), spooled.size)
        # The same bytes may come twice at once: the second must not lose the file that the first one enters.
        with self._same[int(spooled.sha256[:8], 16) % _STRIPES]:
            filed = self._raw.file(spooled, target)
            try:
                known = self._writer.submit(partial(_enter, self._client, payload, at))
            except Unsure as failure:  # it may be entered: then it needs its file, and else the next start enters it
                raise NotTaken(Reason.DATABASE) from failure
            except Exception as failure:  # whatever it was, nothing is entered
                if filed:
                    target.unlink(missing_ok=True)
                raise _not_taken(failure) from failure
            if filed and known not in (None, payload["path"]):
                target.unlink(missing_ok=True)
        return known is None


def _not_taken(failure: Exception) -> Exception:
    """What a failed write means for the mail."""
    match failure:
        case Busy():
            return NotTaken(Reason.DATABASE)
        case Closed():
            return NotTaken(Reason.STOPPING)
    return failure


def client(env: str, database: Database) -> DBOSClient:
    """Enqueues work within transactions of this database; it runs none (LB-2, LB-6)."""
    from dbos import DBOSClient

    return DBOSClient(
        system_database_engine=database.engine,
        application_name=names.application(env),
        lazy=True,
        retry_connection_errors=False,
    )


def adopt_strays(env: str, folder: Path, database: Database) -> int:
    """Enters mails whose process was killed before it could (CM-9); how many. Raises OSError, SQLAlchemyError.

    What a stray's content type was is not known any more, and not needed: its first bytes tell. Its time is its file's.
    A file whose mail is entered with another one is a copy and is deleted; half-written ones are, too.
    """
    raw = RawMails(folder)
    raw.sweep()
    way_in, count, filed = client(env, database), 0, raw.filed()
    while chunk := list(islice(filed, _AT_ONCE)):
        with database.read() as connection:
            known = mails.paths(connection, (mails.event_id(path.name) for path in chunk))
        for path in chunk:
            if known.get(mails.event_id(path.name)) != raw.relative(path):
                with unclaimed(path) as free:
                    count += free and _adopt(raw, path, database, way_in)
    way_in.destroy()
    return count


def _adopt(raw: RawMails, path: Path, database: Database, way_in: DBOSClient) -> bool:
    """Enters one file that nobody is at."""
    sha256, found = path.name, path.stat()
    if digest(path) != sha256:
        raw.set_aside(path, sha256)
        log.error("mail.damaged", event_id=mails.event_id(sha256), bytes=found.st_size)
        return False
    at = datetime.fromtimestamp(found.st_mtime, UTC)
    payload = _payload(sha256, "", raw.relative(path), found.st_size)
    with database.begin() as connection:
        known = _enter(way_in, payload, at, connection)
    if known is None:
        log.warning("mail.adopted", event_id=mails.event_id(sha256), bytes=found.st_size)
    elif known != payload["path"] and (raw.folder / known).exists():
        path.unlink()
    return known is None


def _enter(client: DBOSClient, payload: dict[str, Json], at: datetime, connection: Connection) -> str | None:
    """Row and work in one transaction (CM-8, step 6). The path of the file when the mail is entered already."""
    event_id = mails.event_id(str(payload["sha256"]))
    if not mails.receive(connection, payload, at):
        return mails.paths(connection, [event_id])[event_id]
    enqueue_mail(connection, client, event_id)
    return None


def enqueue_mail(connection: Connection, client: DBOSClient, event_id: str, attempt: int = 1) -> None:
    """Has a mail worked, in the caller's transaction (LB-6)."""
    work: EnqueueOptions = {
        "workflow_name": names.MAIL_WORKFLOW,
        "queue_name": names.MAIL_QUEUE,
        "workflow_id": names.mail(event_id, attempt),
    }
    enqueue(connection, client, work, event_id)


def _payload(sha256: str, content_type: str, path: str, size: int) -> dict[str, Json]:
    return {"sha256": sha256, "content_type": content_type, "path": path, "size": size}
