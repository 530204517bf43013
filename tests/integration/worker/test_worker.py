"""A worker in this process: what it refuses, what it begins, what it looks after, and how it ends (C-4, C-33)."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy.exc import OperationalError

from changeover.engine import disk, executing, intake, mail_house, names, opening, worker
from changeover.engine.disk import Disk, DiskLevel
from changeover.engine.executing import Engine
from changeover.engine.hook_intake import HookIntake
from changeover.engine.mail_fetch import NotFetched
from changeover.engine.results import Refused
from changeover.engine.stop import Stop, StopLevel, Stopped, StopSwitch
from changeover.engine.stopping import Reason, Stopping
from changeover.engine.worker import Chore
from changeover.settings import Settings, folders
from changeover.sources.mail.mail import Attachment
from changeover.store import alerts, events, facts
from changeover.store.database import Database
from changeover.store.events import EventState
from changeover.store.writer import Writer
from plugins.hooks import a_hook
from plugins.mailbag import File, Letter, now, post_office

STRANGER = Letter([File(b"a,b\n1,2\n")], sender="x@elsewhere.example")


@dataclass
class Place:
    """An environment with a state database, and the worker in a thread of its own."""

    settings: Settings
    stopping: Stopping = field(default_factory=Stopping)
    ready: threading.Event = field(default_factory=threading.Event)
    executor: str = ""

    def __post_init__(self) -> None:
        self.thread = threading.Thread(target=self.run, daemon=True)

    def run(self) -> None:
        worker.run(self.settings, self.stopping, self.tell)

    def tell(self, executor: str) -> None:
        self.executor = executor
        self.ready.set()

    def start(self) -> None:
        self.thread.start()
        assert self.ready.wait(20)

    def end(self) -> None:
        self.stopping.ask(Reason.SIGNAL)
        self.thread.join(20)
        assert not self.thread.is_alive()

    def take(self, letter: Letter) -> str:
        db = Database(self.settings.state_url)
        with post_office("dev", self.settings.folder, db) as post:
            event_id = post.take(letter)
        db.close()
        return event_id

    def wait_for(self, event_id: str, state: EventState) -> bool:
        db = Database(self.settings.state_url)
        try:
            for _ in range(200):
                with db.read() as connection:
                    if events.find(connection, [event_id])[0].state is state:
                        return True
                threading.Event().wait(0.05)
            return False
        finally:
            db.close()


@pytest.fixture
def settings(tmp_path: Path, migrated_sqlite: Path) -> Settings:
    found = Settings(
        environment="dev",
        home=tmp_path / "var",
        config=tmp_path,
        airtable_api_key="patExample0.example",
        airtable_base_id="appExample0000000",
    )
    folders.create(found)
    shutil.copy(migrated_sqlite, found.folder / "state.db")
    return found


@pytest.fixture
def place(settings: Settings) -> Iterator[Place]:
    found = Place(settings)
    yield found
    if found.thread.is_alive():
        found.end()


def test_it_works_mails_of_before_and_after_its_start_until_it_is_asked_to_end(place) -> None:
    before = place.take(STRANGER)
    place.start()
    assert place.executor.endswith("-dev-worker-1")
    after = place.take(replace(STRANGER, message_id="<m2@elsewhere.example>"))
    assert place.wait_for(before, EventState.IGNORED)
    assert place.wait_for(after, EventState.IGNORED)
    place.end()


def test_where_housecall_pro_is_set_up_webhooks_are_worked_too(place) -> None:
    """J-82: a job that no row has needs no service."""
    key, job_type = "hcp-key-0123456789", "jbt_00000000000000000000000000000001"
    told = {"hcp_api_key": SecretStr(key), "hcp_str_next_guest_job_type_id": job_type}
    place.settings = place.settings.model_copy(update={**told, "hcp_base_url": "http://127.0.0.1:9"})
    place.start()
    db = Database(place.settings.state_url)
    writer, client = Writer(db), intake.client("dev", db)
    taken = HookIntake(place.settings.folder, writer, client).take(a_hook(), "", now())
    assert place.wait_for(taken.event_id, EventState.UNMATCHED)
    writer.close()
    client.destroy()
    db.close()


def test_a_mail_file_without_its_row_is_taken_in_at_the_start(place) -> None:
    """CM-9."""
    event_id = place.take(STRANGER)
    db = Database(place.settings.state_url)
    with db.begin() as connection:
        events.drop(connection, [event_id])
        connection.exec_driver_sql("DELETE FROM workflow_status")
    db.close()
    place.start()
    assert place.wait_for(event_id, EventState.IGNORED)


def test_asked_to_end_while_it_starts_it_begins_nothing(place) -> None:
    place.stopping.ask(Reason.SIGNAL)
    place.run()
    assert not place.ready.is_set()


def test_tables_of_an_older_release_are_brought_up_first(place) -> None:
    (place.settings.folder / "state.db").unlink()
    place.start()
    assert place.executor


def test_a_number_that_another_worker_has_is_left_to_it(place, settings) -> None:
    with ExitStack() as stack:
        stack.enter_context(taken(settings, 1))
        stack.enter_context(taken(settings, 2))
        place.start()
        assert place.executor.endswith("-worker-3")
        place.end()


def test_seventeen_workers_are_one_too_many(place, settings, monkeypatch) -> None:
    monkeypatch.setattr(worker, "MOST_WORKERS", 1)
    with taken(settings, 1), pytest.raises(Refused) as caught:
        place.run()
    assert caught.value.exit_code == 5


def taken(settings: Settings, number: int) -> ExitStack:
    """Another process has this worker's number."""
    engine = Engine("dev", settings.state_url, settings.folder, names.Role.WORKER, number)
    engine._lock.take()
    stack = ExitStack()
    stack.callback(engine._lock.give_back)
    return stack


def test_a_full_disk_is_refused(place, monkeypatch) -> None:
    monkeypatch.setattr(disk, "check", lambda _: Disk(DiskLevel.UNDER_FLOOR))
    with pytest.raises(Refused, match="full") as caught:
        place.run()
    assert caught.value.exit_code == 3


def test_a_data_folder_that_is_none_is_refused(place, settings) -> None:
    shutil.rmtree(settings.folder)
    settings.folder.write_text("a file")
    with pytest.raises(Refused, match="cannot be used") as caught:
        place.run()
    assert caught.value.exit_code == 3


def test_a_broken_rule_file_is_refused(place, tmp_path) -> None:
    (tmp_path / "schedule.toml").write_text("[")
    with pytest.raises(Refused, match=r"schedule\.toml") as caught:
        place.run()
    assert caught.value.exit_code == 4


def test_a_database_that_cannot_be_used_is_refused(place, settings) -> None:
    (settings.folder / "state.db").unlink()
    (settings.folder / "state.db").mkdir()
    with pytest.raises(Refused) as caught:
        place.run()
    assert caught.value.exit_code in (3, 75)


def test_a_database_that_goes_away_is_told(place, monkeypatch) -> None:
    def gone(_database):
        raise OperationalError("SELECT 1", {}, Exception("gone"))

    monkeypatch.setattr(opening.schema, "pending", gone)
    with pytest.raises(Refused, match="database") as caught:
        place.run()
    assert caught.value.exit_code == 75


def test_a_failed_start_of_the_engine_gives_its_number_back(place, monkeypatch) -> None:
    def broken(_engine):
        raise RuntimeError("no engine")

    with monkeypatch.context() as patch:
        patch.setattr(executing.Engine, "config", broken)
        with pytest.raises(RuntimeError, match="no engine"):
            place.run()
    place.start()
    assert place.executor.endswith("-worker-1")


def test_a_chore_is_done_when_due_and_its_failure_waits_for_its_next_turn() -> None:
    done: list[float] = []

    def do() -> None:
        done.append(len(done))
        if len(done) == 2:
            raise OSError("full")

    chore = Chore("x", 10.0, do)
    for clock in (0, 5, 10, 15, 19, 20):
        chore.turn(clock)
    assert done == [0, 1, 2]


def test_at_a_full_stop_no_store_is_asked(settings) -> None:
    """E-8."""
    switch = StopSwitch(settings.folder)
    far = Attachment("day.csv", "text/csv", None, "ftp://store.example/1")
    with pytest.raises(NotFetched, match="not https"):
        worker._fetch(settings, switch, far)
    switch.set(Stop(StopLevel.FULL, "a drill"))
    with pytest.raises(Stopped):
        worker._fetch(settings, switch, far)


@pytest.mark.parametrize(
    ("user", "enabled", "looks"), [("mailer", True, True), ("", True, False), ("mailer", False, False)]
)
def test_it_looks_for_missing_reports_where_mails_may_come(settings, user, enabled, looks) -> None:
    """CM-23: elsewhere their way in is shut."""
    told = settings.model_copy(update={"cloudmailin_user": user or None, "csv_email_enabled": enabled})
    db = Database(settings.state_url)
    desk = worker._desk(told, opening.rules_in_effect(told), db, lambda: None)
    engine = worker.WorkerEngine(told.environment, db, told.folder, 1, [worker.MailLine(desk, 1)])
    chores = {each.name: each for each in worker._chores(told, desk, engine)}
    assert ("missing" in chores) is looks
    chores["beat"].do()
    chores["prune"].do()
    if looks:
        chores["missing"].do()
    with db.read() as connection:
        assert (facts.read(connection, "mail.last.iTrip") is not None) is looks
        assert facts.read(connection, f"worker.beat.{engine.executor}") is not None
        assert facts.read(connection, mail_house._FACT) is not None
        assert alerts.standing(connection) == ()
    assert desk.now() <= now()
    db.close()
