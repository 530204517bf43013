"""One thread writes for many: together, apart in failure, never for long in vain."""

from __future__ import annotations

import sqlite3
import threading
from datetime import UTC, datetime

import pytest
from sqlalchemy import create_engine, event, text
from sqlalchemy.exc import IntegrityError, OperationalError

from changeover.store import facts, mails
from changeover.store.database import Database
from changeover.store.writer import Busy, Closed, Unsure, Writer

NOW = datetime(2026, 3, 4, 15, tzinfo=UTC)


def note(name):
    def work(connection):
        facts.put(connection, name, name, NOW)
        return name

    return work


def noted(database):
    with database.read() as connection:
        return {row[0] for row in connection.execute(text("SELECT name FROM facts WHERE name LIKE 'w%'"))}


@pytest.fixture
def writer(database):
    writer = Writer(database)
    yield writer
    writer.close()


@pytest.fixture
def quick(database_url):
    """A database that does not wait by itself, as the web server opens it."""
    database = Database(database_url, busy_timeout_ms=1)
    yield database
    database.close()


@pytest.fixture
def one(migrated_sqlite, tmp_path):
    """SQLite alone: only there one lock is all of the database."""
    (tmp_path / "one.db").write_bytes(migrated_sqlite.read_bytes())
    database = Database(f"sqlite:///{tmp_path / 'one.db'}", busy_timeout_ms=1)
    yield database
    database.close()


def held(url):
    """SQLite's write lock in other hands; PostgreSQL's table is."""
    if url.startswith("sqlite"):
        connection = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None, check_same_thread=False)
        connection.execute("BEGIN IMMEDIATE")
        return connection.close
    engine = create_engine(url)
    connection = engine.connect()
    connection.exec_driver_sql("LOCK TABLE facts IN ACCESS EXCLUSIVE MODE")

    def release():
        connection.close()
        engine.dispose()

    return release


def test_a_write_is_committed_when_its_result_is_there(writer, database):
    assert writer.submit(note("w1")) == "w1"
    assert noted(database) == {"w1"}


def test_writes_that_wait_together_are_committed_together(database):
    commits = []
    event.listen(database.engine, "commit", commits.append)
    writer, gate = Writer(database), threading.Event()
    first = writer.post(lambda _: gate.wait())
    others = [writer.post(note(f"w{number:03}")) for number in range(50)]
    gate.set()
    assert [each.result() for each in (first, *others)][1:] == [f"w{number:03}" for number in range(50)]
    writer.close()
    assert len(noted(database)) == 50
    assert len(commits) <= 3


def test_one_that_fails_hurts_only_itself(writer, database):
    gate = threading.Event()

    def twice(connection):
        note("w-lost")(connection)
        for _ in range(2):
            connection.execute(text("INSERT INTO mail_claims (key, event_id, at) VALUES ('k', 'e', :at)"), {"at": NOW})

    def broken(connection):
        note("w-lost-too")(connection)
        raise KeyError("mine")

    waits = writer.post(lambda _: gate.wait())
    found = [writer.post(work) for work in (note("w1"), twice, broken, note("w2"))]
    gate.set()
    waits.result()
    assert isinstance(found[1].exception(), IntegrityError)
    assert isinstance(found[2].exception(), KeyError)
    assert (found[0].result(), found[3].result()) == ("w1", "w2")
    assert noted(database) == {"w1", "w2"}


def test_who_fails_alone_has_the_others_done_again_and_stored_once(writer, database):
    gate, calls = threading.Event(), []

    def counted(connection):
        calls.append(connection.execute(text("SELECT count(*) FROM facts WHERE name = 'w1'")).scalar_one())
        return note("w1")(connection)

    def broken(_):
        raise KeyError("mine")

    waits, counts, fails = writer.post(lambda _: gate.wait()), writer.post(counted), writer.post(broken)
    gate.set()
    waits.result()
    assert counts.result() == "w1"
    assert isinstance(fails.exception(), KeyError)
    assert set(calls) == {0}
    assert noted(database) == {"w1"}


def test_a_locked_database_is_busy_and_nothing_is_stored(database_url, quick):
    writer, release = Writer(quick, patience=0.15), held(database_url)
    with pytest.raises(Busy):
        writer.submit(note("w1"))
    release()
    assert writer.submit(note("w2")) == "w2"
    writer.close()
    assert noted(quick) == {"w2"}


def test_it_is_written_as_soon_as_the_lock_is_gone(database_url, quick):
    writer, release = Writer(quick), held(database_url)
    waiting = writer.post(note("w1"))
    release()
    assert waiting.result() == "w1"
    writer.close()


def test_of_those_that_wait_for_a_lock_only_the_impatient_are_given_up(one):
    release = held(one.url)
    writer = Writer(one, patience=30)
    impatient, patient = writer.post(note("w1"), patience=0.05), writer.post(note("w2"))
    assert isinstance(impatient.exception(), Busy)
    with pytest.raises(Busy):  # one that comes while another waits already
        writer.submit(note("w3"), patience=0.05)
    assert not patient.done()
    release()
    assert patient.result() == "w2"
    writer.close()
    assert noted(one) == {"w2"}


def test_a_database_that_is_not_there_is_busy(tmp_path):
    writer = Writer(Database("postgresql+psycopg://nobody@/none?host=" + str(tmp_path)))
    with pytest.raises(Busy):
        writer.submit(note("w1"))
    writer.close()


def test_a_closed_writer_has_written_all_and_takes_no_more(database):
    writer = Writer(database)
    waiting = [writer.post(note(f"w{number}")) for number in range(5)]
    writer.close()
    assert all(each.done() for each in waiting)
    assert len(noted(database)) == 5
    with pytest.raises(Closed):
        writer.submit(note("w9"))
    writer.close()


def test_closing_does_not_wait_longer_than_the_patience_for_a_lock(database_url, quick):
    writer, release = Writer(quick, patience=0.1), held(database_url)
    waiting = writer.post(note("w1"), patience=600)
    writer.close()
    assert isinstance(waiting.exception(), Busy)
    release()


def test_a_full_disk_is_busy_and_takes_nothing_in(one):
    @event.listens_for(one.engine, "connect")
    def small(connection, _):
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count={pages + 1}")

    writer = Writer(one)
    with pytest.raises(Busy):
        writer.submit(lambda connection: facts.put(connection, "w1", "x" * 100_000, NOW))
    assert writer.submit(note("w2")) == "w2"
    writer.close()
    assert noted(one) == {"w2"}


def sqlite_says(name):
    error = sqlite3.OperationalError("no")
    error.sqlite_errorname = name
    return OperationalError("COMMIT", None, error)


def test_what_breaks_the_transaction_takes_all_of_it_back(one):
    def broken(_):
        raise sqlite_says("SQLITE_IOERR_WRITE")

    writer, gate = Writer(one), threading.Event()
    writer.post(lambda _: gate.wait())
    found = [writer.post(work) for work in (note("w1"), broken, note("w2"))]
    gate.set()
    assert [type(each.exception()) for each in found] == [Busy] * 3
    writer.close()
    assert noted(one) == set()


@pytest.mark.parametrize(("name", "expected"), [("SQLITE_FULL", Busy), ("SQLITE_IOERR_FSYNC", Unsure)])
def test_a_commit_that_fails_is_taken_back_for_certain_only_when_the_database_says_so(one, name, expected):
    @event.listens_for(one.engine, "commit", once=True)
    def refuse(_):
        raise sqlite_says(name)

    writer = Writer(one)
    with pytest.raises(expected):
        writer.submit(note("w1"))
    assert writer.submit(note("w2")) == "w2"
    writer.close()
    assert noted(one) == {"w2"}


# -- the rows of mails ---------------------------------------------------------------------------------------------


def payload(digit: str) -> dict[str, object]:
    return {"sha256": digit * 64, "content_type": "x/y", "path": f"raw/mail/2026/03/04/{digit * 64}", "size": 7}


def test_a_mail_is_entered_once_for_the_same_bytes(database):
    with database.begin() as connection:
        assert mails.receive(connection, payload("a"), NOW)
        assert not mails.receive(connection, payload("a") | {"path": "elsewhere"}, NOW)
        assert mails.receive(connection, payload("b"), NOW)
        wanted = [mails.event_id(digit * 64) for digit in "abc"]
        assert mails.paths(connection, wanted) == {
            f"mail-{digit * 32}": f"raw/mail/2026/03/04/{digit * 64}" for digit in "ab"
        }
