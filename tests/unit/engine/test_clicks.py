"""Clicks and requested runs as a worker works them: answered once, gone on with by the next, never for ever (C-52)."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from changeover.core.job_action import Action
from changeover.engine import click_replay, clicks, intake, names, requested_runs
from changeover.engine.automations import AUTOMATIONS
from changeover.engine.click_intake import Request, enter, event_id
from changeover.engine.clicks import ClickDesk
from changeover.engine.jobs.operations import Answer
from changeover.engine.jobs.trying import Again
from changeover.engine.lease import Lease
from changeover.engine.requested_runs import Looks, Order, RequestedRuns
from changeover.engine.stopping import Interrupted, Reason
from changeover.store import alerts, events, facts, operations, runs
from changeover.store.database import Database
from changeover.store.events import Event, EventState
from changeover.store.operations import OperationState
from changeover.store.runs import Run, RunState, Trigger

AT = datetime(2026, 3, 4, 15, tzinfo=UTC)
ROW = "recSTAY0000000001"


@pytest.fixture
def database(migrated_sqlite: Path, tmp_path: Path) -> Iterator[Database]:
    shutil.copy(migrated_sqlite, tmp_path / "state.db")
    database = Database(f"sqlite:///{tmp_path / 'state.db'}")
    yield database
    database.close()


def asked(database: Database, at: datetime = AT, action: Action = Action.CREATE) -> str:
    client = intake.client("dev", database)
    with database.begin() as connection:
        found = enter(client, Request(action, ROW, "api"), at, connection)
    client.destroy()
    assert isinstance(found, operations.Asked)
    return found.id


def shown(database: Database, operation_id: str) -> operations.Operation:
    with database.read() as connection:
        found = operations.find(connection, operation_id)
    assert found is not None
    return found


def desk(database: Database, perform: Callable[..., Answer], at: datetime = AT + timedelta(minutes=1)) -> ClickDesk:
    return ClickDesk("dev", database, perform, lambda: at)


def event(database: Database, operation_id: str) -> Event:
    with database.read() as connection:
        return events.find(connection, [event_id(operation_id)])[0]


def alerted(database: Database) -> list[tuple[str, str]]:
    with database.read() as connection:
        return [(each.rule, each.subject) for each in alerts.standing(connection)]


def failing(again: Again, code: str = "hcp_error", http: int = 502) -> Callable[..., Answer]:
    return lambda *_: Answer(False, "dev", code=code, error="It is down.", http=http, again=again)


def fine(*_: object) -> Answer:
    return Answer(True, "dev", job_id="job_1")


def raising(error: Exception) -> Callable[..., Answer]:
    def perform(*_: object) -> Answer:
        raise error

    return perform


# -- clicks ----------------------------------------------------------------------------------------------------------


def test_a_click_is_answered_once_and_its_answer_stays(database):
    operation_id, answers = asked(database), iter(["job_1", "job_2"])
    at = desk(database, lambda *_: Answer(True, "dev", job_id=next(answers)))
    assert [clicks.work(at, operation_id) for _ in range(2)] == [False, False]
    found = shown(database, operation_id)
    assert (found.state, found.answer["http"], found.answer["body"]["jobId"]) == (OperationState.DONE, 200, "job_1")
    assert clicks.work(at, "nobody asked") is False


def test_a_click_is_gone_on_with_by_the_next_worker_when_this_one_ends(database):
    """C-33."""
    operation_id = asked(database)
    assert clicks.work(desk(database, raising(Interrupted(Reason.SIGNAL))), operation_id) is True
    assert shown(database, operation_id).state is OperationState.OPEN


def test_a_database_that_is_away_is_no_answer(database):
    operation_id = asked(database)
    with pytest.raises(OperationalError):
        clicks.work(desk(database, raising(OperationalError("x", {}, Exception()))), operation_id)
    assert shown(database, operation_id).state is OperationState.OPEN


def test_a_fault_and_being_cut_off_again_and_again_are_answers(database):
    for end in (clicks.work, clicks.give_up):
        operation_id = asked(database)
        end(desk(database, raising(KeyError("inside"))), operation_id)
        found = shown(database, operation_id).answer
        assert (found["http"], found["body"]["code"]) == (500, "internal_error")
        assert "inside" not in found["body"]["error"]


def test_what_nobody_could_do_for_six_hours_is_not_done_any_more(database):
    """C-64."""
    operation_id = asked(database, AT - clicks.LONGEST)
    clicks.work(desk(database, raising(AssertionError("done after all"))), operation_id)
    assert shown(database, operation_id).answer["body"]["code"] == "busy"


def test_without_housecall_pro_the_missing_settings_are_named():
    answer = clicks.not_set_up("dev", ("HCP_API_KEY",), None, ROW)
    assert (answer.http, answer.code, "HCP_API_KEY" in answer.error) == (502, "hcp_error", True)


def test_answers_are_kept_for_thirty_days(database):
    operation_id = asked(database)
    clicks.work(desk(database, lambda *_: Answer(True, "dev")), operation_id)
    assert clicks.prune(database, AT + clicks.KEPT) == 0
    assert clicks.prune(database, AT + clicks.KEPT + timedelta(minutes=2)) == 1


def test_the_same_id_is_asked_for_once_though_its_operation_has_ended(database):
    """J-108."""
    with database.begin() as connection:
        first = operations.ask(connection, "create-job", ROW, "button", AT, "ticket")
        operations.answer(connection, "ticket", {}, AT)
        second = operations.ask(connection, "create-job", ROW, "button", AT, "ticket")
        assert (first, second) == (operations.Asked("ticket", joined=False), operations.Asked("ticket", joined=True))
        assert operations.ask(connection, "create-job", ROW, "button", AT, "other") == operations.Asked("other", False)


def test_the_latest_of_facts_is_told_by_the_beginning_of_their_names(database):
    with database.begin() as connection:
        assert facts.latest(connection, "beat.") is None
        for name, minutes in (("beat.a", 1), ("beat.b", 2), ("beatx", 3)):
            facts.put(connection, name, True, AT + timedelta(minutes=minutes))
        assert facts.latest(connection, "beat.") == AT + timedelta(minutes=2)


def test_what_could_not_be_done_is_tried_eight_times_in_six_hours_and_then_given_up(database):
    """C-64: the person has the first answer, the event says how it goes on."""
    operation_id, now, tries = asked(database), AT, 0
    while True:
        clicks.work(desk(database, failing(Again.LATER), now), operation_id)
        tries += 1
        found = event(database, operation_id)
        if found.state is not EventState.RECEIVED:
            break
        due = datetime.fromisoformat(found.payload["due"])
        with database.read() as connection:
            assert clicks.waiting(connection, due - timedelta(seconds=1)) == []
            assert clicks.waiting(connection, due) == [operation_id]
        assert (
            clicks.work(desk(database, raising(AssertionError("too early")), due - timedelta(seconds=1)), operation_id)
            is False
        )
        now = due
    assert (tries, now - AT) == (8, timedelta(hours=6))
    assert (found.state, found.summary) == (EventState.FAILED, f"create-job — {ROW} — failed hcp_error")
    assert shown(database, operation_id).answer["body"]["error"] == "It is down."
    assert alerted(database) == [("dead_letter", f"click:{ROW}")]
    clicks.work(desk(database, fine, now), asked(database, now))
    assert alerted(database) == []


def test_what_goes_well_at_a_later_try_is_done_and_its_first_answer_stays(database):
    operation_id = asked(database)
    clicks.work(desk(database, failing(Again.LATER), AT), operation_id)
    assert event(database, operation_id).summary == f"create-job — {ROW} — try 1 failed hcp_error"
    clicks.work(desk(database, fine, AT + timedelta(minutes=1)), operation_id)
    assert (event(database, operation_id).state, alerted(database)) == (EventState.DONE, [])
    assert shown(database, operation_id).answer["http"] == 502


def test_a_service_that_refuses_us_costs_no_try_and_is_an_alert_until_a_click_goes_well(database):
    """C-64: 401, 403 and a changed base wait for a person; after six hours nobody waits for the click."""
    operation_id, now = asked(database), AT
    for _ in range(20):
        clicks.work(desk(database, failing(Again.ONCE_TAKEN), now), operation_id)
        assert event(database, operation_id).state is EventState.RECEIVED
        assert alerted(database) == [("hcp_error", "clicks")]
        now += timedelta(minutes=5)
    later = AT + timedelta(hours=6, minutes=1)
    clicks.work(desk(database, failing(Again.ONCE_TAKEN), later), operation_id)
    assert event(database, operation_id).state is EventState.FAILED
    clicks.work(desk(database, fine, later), asked(database, later))
    assert alerted(database) == []


def test_a_rule_that_forbids_it_is_no_alert(database):
    operation_id = asked(database)
    clicks.work(desk(database, failing(Again.NEVER, "no_property", 422)), operation_id)
    found = event(database, operation_id)
    assert (found.state, found.summary) == (EventState.REJECTED, f"create-job — {ROW} — rejected no_property")
    assert alerted(database) == []


def test_a_later_click_on_the_row_takes_the_place_of_one_that_waits(database):
    first = asked(database)
    clicks.work(desk(database, failing(Again.LATER), AT), first)
    second = asked(database, AT + timedelta(minutes=2), Action.DELETE)
    early = desk(database, raising(AssertionError("overtaken")), AT + timedelta(minutes=3))
    assert clicks.work(early, first) is False
    clicks.work(desk(database, fine, AT + timedelta(minutes=3)), second)
    assert (event(database, first).state, event(database, second).state) == (EventState.SUPERSEDED, EventState.DONE)
    assert clicks.work(early, first) is False


def test_replayed_a_click_is_asked_for_anew_and_one_that_waits_has_its_try_at_once(database):
    given_up, waits = asked(database), None
    clicks.work(desk(database, failing(Again.NEVER)), given_up)
    found = click_replay.replay("dev", database, [event(database, given_up)], AT)
    assert (found.again, found.waiting) == ((event_id(given_up),), ())
    with database.read() as connection:
        (waits,) = clicks.waiting(connection, AT)
    clicks.work(desk(database, failing(Again.LATER), AT), waits)
    soon = AT + timedelta(seconds=1)
    found = click_replay.replay("dev", database, [event(database, waits)], soon)
    assert (found.again, found.waiting) == ((), (event_id(waits),))
    with database.read() as connection:
        assert clicks.waiting(connection, soon) == [waits]


def test_one_of_an_older_release_has_no_event_and_is_answered_all_the_same(database):
    operation_id = asked(database)
    with database.begin() as connection:
        events.drop(connection, [event_id(operation_id)])
    clicks.work(desk(database, failing(Again.LATER)), operation_id)
    assert shown(database, operation_id).answer["http"] == 502
    clicks.give_up(desk(database, fine), "nobody asked")


# -- requested runs --------------------------------------------------------------------------------------------------


def queue(database: Database, *automations: str, **more: object) -> None:
    with database.begin() as connection:
        for number, name in enumerate(automations):
            given = {
                "id": f"run-{number}",
                "cycle": "run-cycle",
                "env": "dev",
                "automation": name,
                "trigger": Trigger.API,
                "state": RunState.QUEUED,
                "started_at": AT,
                "version": "1",
                "host": "h",
                "pid": 0,
            }
            runs.add(connection, Run(**given | more))


def states(database: Database) -> list[tuple[str, str | None]]:
    with database.read() as connection:
        return [(each.state, each.error_text) for each in runs.of_cycle(connection, "run-cycle")]


def program(code: int, told: object = None) -> Callable[[Order], subprocess.Popen[str]]:
    """A process that says this and ends so."""
    text = told if isinstance(told, str) else json.dumps(told)
    end = f"os.kill(os.getpid(), {-code})" if code < 0 else f"sys.exit({code})"
    source = f"import os, sys; print({text!r}); sys.stdout.flush(); {end}"
    return lambda _: subprocess.Popen([sys.executable, "-Sc", source], stdout=subprocess.PIPE, text=True)


QUICK = Looks(0.01, 0.005)


def requested(database: Database, start: Callable[[Order], subprocess.Popen[str]]) -> RequestedRuns:
    return RequestedRuns("dev", database, start, QUICK)


@pytest.mark.parametrize(
    ("code", "told", "state", "text"),
    [
        (6, {"problem": "stopped at level full: why"}, "stopped", "stopped at level full: why"),
        (3, {"problem": "the disk is full"}, "blocked", "the disk is full"),
        (4, {"error": "configuration", "problems": [{}]}, "failed", "the settings cannot be used: see doctor"),
        (4, {"error": "no such thing"}, "failed", "no such thing"),
        (75, "[]", "failed", "it did not begin"),
        (-9, "no JSON", "interrupted", "it did not begin"),
    ],
)
def test_what_never_began_says_why(database, code, told, state, text):
    queue(database, "Evolve", "CSV Files")
    assert requested(database, program(code, told)).work("run-cycle") is False
    assert states(database) == [(state, text)] * 2


def test_a_run_waits_in_its_queue_while_another_holds_the_lease(database):
    queue(database, "Evolve")
    orders: list[Order] = []
    work = RequestedRuns("dev", database, lambda order: (orders.append(order), program(6)(order))[1], QUICK)
    with Lease.acquire(database, "cycle", "run-other"):
        thread = threading.Thread(target=work.work, args=("run-cycle",))
        thread.start()
        thread.join(0.05)
        assert (orders, states(database)) == ([], [("queued", None)])
    thread.join(10)
    assert [each.only for each in orders] == [("Evolve",)]
    assert states(database)[0][0] == "stopped"


def test_a_run_that_another_was_quicker_than_is_begun_again(database):
    queue(database, "Evolve")
    codes = iter([5, 6])

    def start(order: Order) -> subprocess.Popen[str]:
        return program(next(codes))(order)

    assert requested(database, start).work("run-cycle") is False
    assert states(database)[0][0] == "stopped"


def test_a_worker_that_ends_asks_its_run_to_end_and_leaves_the_rest(database):
    """C-33."""
    queue(database, "Evolve")
    source = "import time; time.sleep(60)"
    started: list[subprocess.Popen[str]] = []

    def start(_: Order) -> subprocess.Popen[str]:
        started.append(subprocess.Popen([sys.executable, "-Sc", source], stdout=subprocess.PIPE, text=True))
        threading.Timer(0.05, work.end).start()
        return started[-1]

    work = requested(database, start)
    assert work.work("run-cycle") is True
    assert (started[0].returncode, states(database)[0][0]) == (-15, "queued")
    assert work.work("run-cycle") is True  # nor is it begun anew
    with Lease.acquire(database, "cycle", "run-other"):
        assert work.work("run-cycle") is True
    assert len(started) == 1


def test_a_run_that_does_not_end_is_killed(database, monkeypatch):
    monkeypatch.setattr(requested_runs, "_PATIENCE_SECONDS", 0.05)
    queue(database, "Evolve")
    source = "import signal, time; signal.signal(15, signal.SIG_IGN); print(flush=True); time.sleep(60)"
    started: list[subprocess.Popen[str]] = []

    def start(_: Order) -> subprocess.Popen[str]:
        started.append(subprocess.Popen([sys.executable, "-Sc", source], stdout=subprocess.PIPE, text=True))
        assert started[-1].stdout is not None
        started[-1].stdout.readline()
        work.end()
        return started[-1]

    work = requested(database, start)
    assert work.work("run-cycle") is True
    assert started[0].returncode == -9


def test_a_run_that_ended_its_worker_again_and_again_is_given_up(database):
    queue(database, "Evolve")
    requested(database, program(0)).give_up("run-cycle")
    assert states(database)[0][0] == "failed"


def test_the_process_is_told_what_was_asked():
    order = Order("dev", "run-cycle", ("Evolve", "CSV Files"), dry_run=True, trigger="api")
    common = ["--env", "dev", "--trigger", "api", "--cycle", "run-cycle", "--json"]
    assert order.command[3:] == ["run", "--only", "Evolve", "--only", "CSV Files", "--dry-run", *common]
    search = replace(order, limit=7)
    assert search.command[3:] == ["jobs", "reconcile", "--limit", "7", *common]
    assert replace(search, dry_run=False).command[3:] == ["jobs", "reconcile", "--limit", "7", "--execute", *common]


def test_the_limit_of_a_search_comes_from_its_queued_run(database):
    queue(database, names.RECONCILIATION, counters={"limit": 7}, dry_run=True)
    orders: list[Order] = []
    RequestedRuns("dev", database, lambda order: (orders.append(order), program(6)(order))[1], QUICK).work("run-cycle")
    assert (orders[0].limit, orders[0].dry_run) == (7, True)


def test_the_names_of_the_automations_are_those_of_the_cycle():
    assert names.AUTOMATIONS == AUTOMATIONS
