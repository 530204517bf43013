from __future__ import annotations

import _thread
import logging
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from dbos import DBOS, DBOSClient, EnqueueOptions

from changeover.airtable.deliver import Progress
from changeover.engine import names, workflows
from changeover.engine.durable import Durable, ExecutorInUse, ask_to_revive, asked_to_revive, given_up
from changeover.engine.lease import LeaseLost
from changeover.engine.names import Role
from changeover.engine.sending import Sending, Sent
from changeover.engine.stopping import Reason, Stopping
from changeover.engine.workflows import NotBound
from changeover.store import alerts, deliveries
from changeover.store.database import Database

Commit = Callable[[str, int], list[str]]
DELIVERY_OF_AAA: EnqueueOptions = {
    "workflow_name": names.DELIVER_WORKFLOW,
    "queue_name": names.DELIVER_QUEUE,
    "workflow_id": names.delivery("run-aaa"),
}


class Sender:
    """Marks ten writes a call as done; `fault` is raised, `stopped` answered, instead."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.fault: Exception | None = None
        self.stopped = ""
        self.done: list[str] = []

    def send(self, run_id: str) -> Progress:
        if self.fault is not None:
            raise self.fault
        now = datetime.now(UTC)
        with self._database.begin() as connection:
            batch = [] if self.stopped else deliveries.next_batch(connection, run_id, [], 10)
            deliveries.finish(connection, [(each, each.record_id or "") for each in batch], now)
            left = deliveries.pending(connection, run_id)
        self.done += [each.record_id or "" for each in batch]
        return Progress(left, sent=len(batch), stopped=self.stopped)


@pytest.fixture
def sender(database: Database) -> Sender:
    return Sender(database)


@pytest.fixture
def stopping() -> Stopping:
    return Stopping()


@pytest.fixture
def engine(database: Database, sender: Sender, stopping: Stopping, tmp_path: Path) -> Iterator[Durable]:
    with Durable(Sending("dev", database, sender.send, stopping, step_seconds=0), tmp_path) as durable:
        yield durable


def test_a_runs_writes_are_sent_and_their_number_is_told(engine: Durable, sender: Sender, commit: Commit) -> None:
    expected = commit("run-aaa", 25)
    assert engine.deliver("run-aaa") == Sent(0, 25)
    assert sender.done == expected


def test_what_a_run_commits_after_its_delivery_is_delivered_too(
    engine: Durable, sender: Sender, commit: Commit
) -> None:
    commit("run-aaa", 3)
    engine.deliver("run-aaa")
    commit("run-aaa", 4)
    assert engine.deliver("run-aaa") == Sent(0, 4)
    assert len(sender.done) == 7


def test_what_stands_in_the_way_is_told_and_the_rest_goes_out_later(
    engine: Durable, sender: Sender, commit: Commit
) -> None:
    commit("run-aaa", 3)
    sender.stopped = "rate_limited"
    assert engine.deliver("run-aaa") == Sent(3, stopped="rate_limited")
    assert engine.settle().total == Sent(3, stopped="rate_limited")
    sender.stopped = ""
    assert engine.settle().total == Sent(0, 3)
    assert engine.settle().total == Sent(0)


def test_settling_ends_at_the_first_obstacle_and_counts_what_waits(
    engine: Durable, sender: Sender, commit: Commit
) -> None:
    commit("run-aaa", 3)
    commit("run-bbb", 4)
    sender.stopped = "credential_refused"
    assert engine.settle().total.stopped == "credential_refused"
    assert sender.done == []


def test_a_signal_ends_the_delivery_between_two_requests_and_loses_nothing(
    engine: Durable, sender: Sender, stopping: Stopping, commit: Commit, database: Database
) -> None:
    commit("run-aaa", 3)
    stopping.ask(Reason.SIGNAL)
    assert engine.deliver("run-aaa").stopped == "interrupted"
    assert sender.done == []
    with database.read() as connection:
        assert deliveries.open_runs(connection) == ("run-aaa",)


def test_a_lost_lease_comes_out_as_such(engine: Durable, sender: Sender, commit: Commit) -> None:
    commit("run-aaa", 3)
    sender.fault = LeaseLost("taken")
    with pytest.raises(LeaseLost, match="taken"):
        engine.deliver("run-aaa")
    sender.fault = None
    assert engine.settle().total == Sent(0, 3)


def test_only_one_process_has_an_executor_id(engine: Durable, database: Database, sender: Sender, tmp_path) -> None:
    """LB-14: with one id twice, the second start begins the first's running work again."""
    sending = Sending("dev", database, sender.send, Stopping())
    with pytest.raises(ExecutorInUse, match="-dev-cycle"):
        Durable(sending, tmp_path).start()
    other = Durable(sending, tmp_path, Role.WORKER, 2)
    assert other.executor.endswith("-dev-worker-2")
    assert engine.executor.endswith("-dev-cycle")


def test_the_engine_is_told_everything_and_guesses_nothing(engine: Durable, database: Database) -> None:
    config = engine.config()
    assert config["name"] == "changeover-dev"
    assert config["system_database_url"] == database.url
    assert (config["application_version"], config["executor_id"]) == (names.PROTOCOL, engine.executor)
    assert config["run_migrations"] is False
    assert not config["enable_otlp"]


def test_the_engines_lines_go_through_our_handlers_only(engine: Durable) -> None:
    logger = logging.getLogger("dbos")
    assert logger.propagate
    assert all(isinstance(each, logging.NullHandler) for each in logger.handlers)
    assert logger.level == logging.WARNING
    assert engine.executor


def test_a_client_enqueues_by_the_names_under_which_the_process_executes(
    engine: Durable, sender: Sender, commit: Commit, database: Database
) -> None:
    """LB-7: an unknown workflow or queue would wait for ever without an error."""
    commit("run-aaa", 3)
    with closing_client(database) as client:
        client.enqueue(DELIVERY_OF_AAA, "run-aaa")
        assert engine.deliver("run-aaa") == Sent(0)  # waits for the one that is under way, and finds nothing left
    assert len(sender.done) == 3


def test_work_of_a_host_that_lost_the_lease_and_of_another_release_is_taken_over(
    engine: Durable, sender: Sender, commit: Commit, database: Database
) -> None:
    commit("run-aaa", 3)
    commit("run-bbb", 4)
    engine.deliver("run-aaa")
    commit("run-aaa", 2)
    _rewrite(database, names.delivery("run-aaa"), status="PENDING", executor_id="elsewhere-dev-cycle")
    sender.stopped = "rate_limited"
    engine.deliver("run-bbb")
    _rewrite(database, names.delivery("run-bbb"), status="ENQUEUED", application_version="0")
    sender.stopped = ""
    assert engine.settle().total == Sent(0, 6)
    (taken,) = DBOS.list_workflows(workflow_ids=[names.delivery("run-aaa")])
    assert taken.status == "CANCELLED"


def test_a_run_whose_delivery_another_host_took_over_has_lost_its_lease(
    engine: Durable, sender: Sender, commit: Commit
) -> None:
    commit("run-aaa", 30)
    send = sender.send

    def cancelled_meanwhile(run_id: str) -> Progress:
        DBOS.cancel_workflow(names.delivery(run_id))
        return send(run_id)

    object.__setattr__(engine._sending, "send", cancelled_meanwhile)
    with pytest.raises(LeaseLost, match="taken over"):
        engine.deliver("run-aaa")


def test_a_dead_letter_waits_for_a_person_and_is_begun_again_on_their_word(
    engine: Durable, sender: Sender, commit: Commit, database: Database
) -> None:
    commit("run-aaa", 3)
    sender.stopped = "rate_limited"
    engine.deliver("run-aaa")
    sender.stopped = ""
    _rewrite(database, names.delivery("run-aaa"), status="MAX_RECOVERY_ATTEMPTS_EXCEEDED")
    assert engine.settle().dead == ("run-aaa",)
    assert engine.deliver("run-aaa") == Sent(3, stopped="dead_letter")
    assert engine.prune(datetime.now(UTC) + timedelta(days=31)) == 0
    with database.read() as connection:
        assert [each.key for each in alerts.standing(connection)] == ["dev:dead_letter:delivery:run-aaa"]
        assert given_up(connection) == ("delivery:run-aaa",)
    assert engine.revive() == ("run-aaa",)
    engine.settle()
    with database.read() as connection:
        assert deliveries.pending(connection) == 0
        assert alerts.standing(connection) == ()


def test_a_delivery_that_got_on_before_it_was_cut_off_is_followed_by_another(
    engine: Durable, sender: Sender, commit: Commit, database: Database
) -> None:
    commit("run-aaa", 13)
    engine.deliver("run-aaa")
    commit("run-aaa", 3)
    _rewrite(database, names.delivery("run-aaa"), status="MAX_RECOVERY_ATTEMPTS_EXCEEDED")
    assert engine.settle().dead == ()
    with database.read() as connection:
        assert deliveries.pending(connection) == 0
        assert given_up(connection) == ()


def test_the_wish_to_begin_dead_letters_again_is_answered_once(database: Database) -> None:
    with database.begin() as connection:
        assert not asked_to_revive(connection)
        ask_to_revive(connection, datetime.now(UTC))
    with database.begin() as connection:
        assert asked_to_revive(connection)
        assert not asked_to_revive(connection)


def test_a_dead_letter_found_while_waiting_is_said_and_not_waited_for(
    engine: Durable, sender: Sender, commit: Commit, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit("run-aaa", 3)
    engine.deliver("run-aaa")
    _rewrite(database, names.delivery("run-aaa"), status="MAX_RECOVERY_ATTEMPTS_EXCEEDED")
    engine._wait(names.delivery("run-aaa"))
    assert engine._waiting == 0


def test_deliveries_that_ended_long_ago_are_forgotten(engine: Durable, commit: Commit) -> None:
    commit("run-aaa", 3)
    engine.deliver("run-aaa")
    assert engine.prune(datetime.now(UTC)) == 0
    assert engine.prune(datetime.now(UTC) + timedelta(days=31)) == 1
    assert DBOS.list_workflows() == []


def test_a_workflow_without_its_objects_says_so(engine: Durable, commit: Commit) -> None:
    commit("run-aaa", 1)
    workflows.bind(None)
    with pytest.raises(NotBound):
        engine.deliver("run-aaa")


@contextmanager
def interrupts_raise() -> Iterator[None]:
    """A process that was started in the background ignores SIGINT until it is told otherwise."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_caller_who_gives_up_waiting_does_not_cut_the_request_on_the_wire(
    engine: Durable, sender: Sender, commit: Commit, database: Database
) -> None:
    """C-33: the request ends and its receipt is stored before the engine is gone."""
    expected = commit("run-aaa", 3)
    send, given_up = sender.send, threading.Event()

    def slow(run_id: str) -> Progress:
        _thread.interrupt_main()
        given_up.wait(10)
        return send(run_id)

    object.__setattr__(engine._sending, "send", slow)
    with interrupts_raise(), pytest.raises(KeyboardInterrupt):
        engine.deliver("run-aaa")
    given_up.set()
    engine.close()
    assert sender.done == expected
    with database.read() as connection:
        assert deliveries.pending(connection) == 0


def test_a_worker_leaves_the_cycles_deliveries_alone(
    database: Database, sender: Sender, commit: Commit, tmp_path: Path
) -> None:
    """LB-16: a delivery belongs to the process that holds the lease."""
    commit("run-aaa", 3)
    with (
        Durable(Sending("dev", database, sender.send, Stopping()), tmp_path, Role.WORKER) as worker,
        closing_client(database) as client,
    ):
        client.enqueue(DELIVERY_OF_AAA, "run-aaa")
        threading.Event().wait(0.2)
        (waiting,) = DBOS.list_workflows()
        assert (waiting.status, sender.done) == ("ENQUEUED", [])
        assert worker.executor.endswith("-worker-1")


def test_an_engine_without_its_tables_does_not_start_and_holds_nothing(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/empty.db")
    durable = Durable(Sending("dev", database, Sender(database).send, Stopping()), tmp_path)
    for _ in range(2):  # not ExecutorInUse the second time
        with pytest.raises(Exception, match="migrat"):
            durable.start()
    database.close()


@contextmanager
def closing_client(database: Database) -> Iterator[DBOSClient]:
    client = DBOSClient(system_database_url=database.url)
    yield client
    client.destroy()


def _rewrite(database: Database, workflow_id: str, **values: str) -> None:
    """Makes the engine's record say what a crash or another release would have left."""
    workflow_status = "workflow_status" if database.sqlite else "dbos.workflow_status"
    settings = ", ".join(f"{name} = '{value}'" for name, value in values.items())
    with database.begin() as connection:
        statement = f"UPDATE {workflow_status} SET {settings} WHERE workflow_uuid = '{workflow_id}'"
        connection.exec_driver_sql(statement)
