"""A mail is a file and a row, or neither, whatever ends the process in between (CM-8, CM-9)."""

from __future__ import annotations

import fcntl
import hashlib
import io
import itertools
import os
import shutil
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial, partialmethod
from pathlib import Path

import pytest
from sqlalchemy import event

from changeover.engine import intake, names, raw_mails
from changeover.engine.intake import Intake, adopt_strays
from changeover.engine.raw_mails import NotTaken, Posted, RawMails, Reason, unclaimed
from changeover.sources.mail.read import read
from changeover.store import events
from changeover.store.database import Database
from changeover.store.events import EventState
from changeover.store.writer import Writer
from plugins.front_door import a_form
from plugins.mailbag import FORM, JSON, Letter, part

DAY = "raw/mail/2026/03/04"
ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
OLD = datetime(2026, 3, 4, 15, tzinfo=UTC).timestamp()


@pytest.fixture
def way_in(database, tmp_path):
    writer, client = Writer(database), intake.client("dev", database)
    yield Intake(tmp_path, writer, client)
    writer.close()
    client.destroy()


def posted(body, content_type=FORM, *, announced=True):
    return Posted(io.BytesIO(body).read, len(body) if announced else None, content_type)


def refusal(way_in, body):
    with pytest.raises(NotTaken) as caught:
        way_in.take(body)
    return caught.value.reason


def mails(database):
    with database.read() as connection:
        return events.recent(connection)


def work(database):
    with database.read() as connection:
        table = "workflow_status" if database.sqlite else "dbos.workflow_status"
        rows = connection.exec_driver_sql(f"SELECT workflow_uuid, name, queue_name, application_name FROM {table}")
        return [tuple(row) for row in rows]


def files(folder):
    return sorted(str(path.relative_to(folder)) for path in (folder / "raw").rglob("*") if path.is_file())


def stray(folder, body, day=DAY, name=None):
    path = folder / day / (name or hashlib.sha256(body).hexdigest())
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(body)
    os.utime(path, (OLD, OLD))
    return path


# -- taking in -----------------------------------------------------------------------------------------------------


def test_a_mail_is_a_file_a_row_and_work_of_the_same_name(way_in, database, tmp_path):
    body = a_form("a")
    taken = way_in.take(posted(body))
    (event,) = mails(database)
    sha256 = hashlib.sha256(body).hexdigest()
    assert (taken.event_id, taken.size, taken.new, taken.copied) == (f"mail-{sha256[:32]}", len(body), True, None)
    assert (event.id, event.kind, event.state) == (taken.event_id, "mail", EventState.RECEIVED)
    assert event.summary == f"{len(body)} bytes"
    path = f"raw/mail/{event.received_at:%Y/%m/%d}/{sha256}"
    assert event.payload == {"sha256": sha256, "content_type": FORM, "path": path, "size": len(body)}
    assert (tmp_path / path).read_bytes() == body
    assert (tmp_path / path).stat().st_mode & 0o777 == 0o600
    assert files(tmp_path) == [path]
    assert work(database) == [(f"mail:{event.id}", names.MAIL_WORKFLOW, names.MAIL_QUEUE, "changeover-dev")]


def test_the_same_bytes_again_add_nothing(way_in, database, tmp_path):
    first, again = way_in.take(posted(a_form("a"))), way_in.take(posted(a_form("a"), announced=False))
    assert (first.event_id, first.new, again.event_id, again.new) == (again.event_id, True, first.event_id, False)
    assert (len(mails(database)), len(files(tmp_path)), len(work(database))) == (1, 1, 1)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (lambda: posted(b""), Reason.EMPTY),
        (lambda: posted(b"", announced=False), Reason.EMPTY),
        (lambda: Posted(io.BytesIO(a_form("a")).read, 10_000, FORM), Reason.CUT),
        (lambda: Posted(io.BytesIO(a_form("a")).read, raw_mails.LARGEST + 1, FORM), Reason.TOO_LARGE),
        (lambda: posted(a_form("a")[:-9], announced=False), Reason.CUT),
        (lambda: posted(Letter().body()[:-9], JSON, announced=False), Reason.CUT),
    ],
)
@ON_SQLITE
def test_what_is_empty_cut_or_too_large_leaves_nothing(way_in, database, tmp_path, body, reason):
    assert refusal(way_in, body()) is reason
    assert files(tmp_path) == []
    assert mails(database) == ()


@ON_SQLITE
def test_a_body_that_grows_too_large_on_its_way_is_given_up(way_in, tmp_path, monkeypatch):
    monkeypatch.setattr(raw_mails, "LARGEST", 100_000)
    assert refusal(way_in, posted(a_form("a" * 200_000), announced=False)) is Reason.TOO_LARGE
    assert files(tmp_path) == []


@ON_SQLITE
def test_a_body_that_breaks_off_is_cut(way_in, tmp_path):
    pieces = iter([b"--x7B9\r\n"])

    def read(_):
        for piece in pieces:
            return piece
        raise ConnectionResetError

    assert refusal(way_in, Posted(read, None, FORM)) is Reason.CUT
    assert files(tmp_path) == []


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"hello", "text/plain"),
        (a_form("a")[:-9], FORM),
        (b"{}", JSON),
        (b"not json", JSON),
        (Letter(headers={"subject": "", "from": "", "message_id": ""}, envelope={}).body(), JSON),
        (Letter(envelope={"to": ""}).body(), JSON),
    ],
)
@ON_SQLITE
def test_what_is_no_mail_is_kept_for_a_person_and_not_acknowledged(way_in, database, tmp_path, body, content_type):
    assert refusal(way_in, posted(body, content_type)) is Reason.NO_MAIL
    assert files(tmp_path) == [f"raw/mail/unreadable/{hashlib.sha256(body).hexdigest()}"]
    assert mails(database) == ()


@ON_SQLITE
def test_a_large_mail_is_taken(way_in):
    assert way_in.take(posted(a_form("a", b"", b"") + b"x" * 2_000_000)).size > 2_000_000


@pytest.mark.parametrize("more", [b"", b"x" * 2_000_000])
@ON_SQLITE
def test_a_copy_has_the_same_bytes_whether_they_were_held_in_memory_or_not(way_in, database, tmp_path, more):
    writer, client = Writer(database), intake.client("dev", database)
    other = Intake(tmp_path / "other", writer, client)
    body = a_form("a", part("plain", more))
    assert way_in.take(posted(body), other).copied
    for folder in (tmp_path, tmp_path / "other"):
        (path,) = [each for each in files(folder) if each.startswith("raw/mail/20")]
        assert (folder / path).read_bytes() == body
    writer.close()
    client.destroy()


@ON_SQLITE
def test_a_folder_that_cannot_be_synced_leaves_neither_file_nor_row(way_in, database, tmp_path, monkeypatch):
    way_in.take(posted(a_form("a")))  # the day's folder is made
    fsync = os.fsync

    def broken(descriptor):
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError("no disk")
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(OSError, match="no disk"):
        way_in.take(posted(a_form("b")))
    with pytest.raises(OSError, match="no disk"):  # one that lies there already is not ours to delete
        way_in.take(posted(a_form("a")))
    assert len(mails(database)) == len(files(tmp_path)) == 1


@ON_SQLITE
def test_a_folder_that_somebody_tidied_away_is_made_again(way_in, database, tmp_path):
    way_in.take(posted(a_form("a")))
    shutil.rmtree(tmp_path / "raw/mail" / f"{datetime.now(UTC):%Y/%m/%d}")
    assert way_in.take(posted(a_form("b"))).new
    assert len(files(tmp_path)) == 1


@ON_SQLITE
def test_mails_that_come_together_are_each_stored(way_in, database, tmp_path):
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda number: way_in.take(posted(a_form(f"mail {number}"))), range(24)))
    assert {each.event_id for each in taken} == {each.id for each in mails(database)}
    assert files(tmp_path) == sorted(str(each.payload["path"]) for each in mails(database))


# -- killed at every point in turn -----------------------------------------------------------------------------------


def dies(number=1):
    """A function in whose given call the process is gone."""
    calls = itertools.count(1)

    def call(original, *arguments):
        if next(calls) == number:
            os._exit(9)
        return original(*arguments)

    return call


def in_a_process_of_its_own(url, folder, body, prepare):
    """Takes a mail in a child that `prepare` has made mortal; its exit code."""
    child = os.fork()
    if child == 0:
        try:
            database = Database(url)
            writer, client = Writer(database), intake.client("dev", database)
            prepare(database, writer)
            Intake(folder, writer, client).take(posted(body))
        finally:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def at_fsync(number):
    def prepare(*_):
        os.fsync = partial(dies(number), os.fsync)

    return prepare


def before_the_rename(*_):
    Path.replace = partialmethod(lambda *_: os._exit(9))


def before_the_commit(database, _):
    event.listen(database.engine, "commit", lambda _: os._exit(9))


def before_the_answer(_, writer):
    submit = writer.submit
    writer.submit = lambda work: (submit(work), os._exit(9))


@pytest.mark.parametrize(
    ("point", "stored"),
    [
        (at_fsync(4), 0),  # after three for the folders that are made: the file's own
        (before_the_rename, 0),
        (at_fsync(8), 1),  # after three for the day's folders: the day's own, with the mail in it
        (before_the_commit, 1),
        (before_the_answer, 1),
    ],
)
@ON_SQLITE
def test_killed_at_any_point_it_is_whole_after_the_next_start(database, database_url, tmp_path, point, stored):
    assert in_a_process_of_its_own(database_url, tmp_path, a_form("a"), point) == 9
    adopt_strays("dev", tmp_path, database)
    for expected in (stored, 1):
        found = mails(database)
        assert len(found) == expected
        assert files(tmp_path) == [each.payload["path"] for each in found]
        assert [row[0] for row in work(database)] == [f"mail:{each.id}" for each in found]
        writer, client = Writer(database), intake.client("dev", database)
        Intake(tmp_path, writer, client).take(posted(a_form("a")))  # its sender tries again
        writer.close()
        client.destroy()


# -- what a killed process has left --------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [a_form("a"), Letter().body()])
def test_a_file_without_a_row_is_taken_in_at_the_next_start(database, tmp_path, body):
    path = stray(tmp_path, body)
    assert adopt_strays("dev", tmp_path, database) == 1
    (event,) = mails(database)
    assert event.received_at.timestamp() == OLD
    assert event.payload["path"] == f"{DAY}/{path.name}"
    assert read(path, str(event.payload["content_type"])).envelope.to
    assert [row[0] for row in work(database)] == [f"mail:{event.id}"]
    assert adopt_strays("dev", tmp_path, database) == 0
    assert len(mails(database)) == 1


@ON_SQLITE
def test_a_stray_that_is_posted_again_is_one_mail(way_in, database, tmp_path):
    body = a_form("a")
    stray(tmp_path, body, f"raw/mail/{datetime.now(UTC):%Y/%m/%d}")
    assert way_in.take(posted(body)).new
    assert adopt_strays("dev", tmp_path, database) == 0
    assert (len(mails(database)), len(files(tmp_path))) == (1, 1)


@ON_SQLITE
def test_a_second_file_of_a_mail_that_is_entered_goes(way_in, database, tmp_path):
    way_in.take(posted(a_form("a")))
    extra = stray(tmp_path, a_form("a"))
    assert adopt_strays("dev", tmp_path, database) == 0
    assert not extra.exists()
    assert len(files(tmp_path)) == 1


@ON_SQLITE
def test_the_only_file_of_a_mail_stays_wherever_it_lies(way_in, database, tmp_path):
    way_in.take(posted(a_form("a")))
    moved = stray(tmp_path, a_form("a"))
    (tmp_path / str(mails(database)[0].payload["path"])).unlink()
    assert adopt_strays("dev", tmp_path, database) == 0
    assert moved.exists()


@ON_SQLITE
def test_a_file_that_somebody_is_at_is_left_alone(database, tmp_path):
    path = stray(tmp_path, a_form("a"))
    with path.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert adopt_strays("dev", tmp_path, database) == 0
    assert adopt_strays("dev", tmp_path, database) == 1


@ON_SQLITE
def test_half_written_files_are_swept_unless_somebody_writes_them(database, tmp_path):
    incoming = tmp_path / "raw/mail/incoming"
    incoming.mkdir(parents=True)
    (incoming / "left").write_bytes(b"half")
    with (incoming / "busy").open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        adopt_strays("dev", tmp_path, database)
        assert [path.name for path in incoming.iterdir()] == ["busy"]


@ON_SQLITE
def test_a_damaged_file_is_kept_for_a_person(database, tmp_path):
    stray(tmp_path, b"damaged", name="a" * 64)
    assert adopt_strays("dev", tmp_path, database) == 0
    assert files(tmp_path) == [f"raw/mail/unreadable/{'a' * 64}"]


@ON_SQLITE
def test_other_files_are_none_of_its_business(database, tmp_path):
    stray(tmp_path, b"x", name="notes.txt")
    stray(tmp_path, a_form("a"), "raw/mail/elsewhere")
    assert adopt_strays("dev", tmp_path, database) == 0
    assert len(files(tmp_path)) == 2


def test_a_file_that_is_gone_by_now_is_nobodys(tmp_path):
    with unclaimed(tmp_path / "gone") as free:
        assert not free


def test_folders_are_private(tmp_path):
    RawMails(tmp_path)
    for name in ("raw", "raw/mail", "raw/mail/incoming"):
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o700
