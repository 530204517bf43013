"""The worker's engine: mails come from the queue, tries wait in it, what was left lying is picked up (C-64, K-7)."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

import pytest
from dbos import DBOS

from changeover.engine import mails, workflows
from changeover.engine.executing import Engine, ExecutorInUse, Listening
from changeover.engine.mail_line import MailLine
from changeover.engine.mails import Desk
from changeover.engine.names import MAIL_QUEUE, Role
from changeover.engine.worker_engine import WorkerEngine
from changeover.sources.ics.fetch import Retriable
from changeover.store import events
from changeover.store.events import EventState
from plugins.mailbag import File, Letter, itrip_report, itrip_row

DAY = date(2026, 3, 12)
DAILY = Letter([File(itrip_report(itrip_row(1, DAY)))])
FAR = Letter([File(None, more={"url": "https://store.example/1"})], message_id="<far@itrip.example>")
A_MINUTE = timedelta(seconds=61)


def engine_of(desk: Desk, number: int = 1, at_once: int = 4) -> WorkerEngine:
    """The engine of a worker that takes mails only."""
    return WorkerEngine(desk.env, desk.database, desk.folder, number, [MailLine(desk, at_once)])


@pytest.fixture
def engine(bureau) -> Iterator[WorkerEngine]:
    engine = engine_of(bureau.desk)
    engine.beat(bureau.now())
    with engine:
        yield engine


def wait_for(event_id: str, bureau, *states: EventState) -> EventState:
    """The state of a mail once it is one of these; the last seen after ten seconds."""
    for _ in range(200):
        state = bureau.event(event_id).state
        if state in states:
            return state
        threading.Event().wait(0.05)
    return bureau.event(event_id).state


def rewrite(bureau, event_id: str, **values: str) -> None:
    """Makes the engine's record of a mail say what a crash would have left."""
    status = "workflow_status" if bureau.database.sqlite else "dbos.workflow_status"
    settings = ", ".join(f"{name} = '{value}'" for name, value in values.items())
    with bureau.database.begin() as connection:
        where = f"workflow_uuid LIKE 'mail:{event_id}%'"
        connection.exec_driver_sql(f"UPDATE {status} SET {settings} WHERE {where}".replace("%", "%%"))


def unworked(bureau, event_id: str) -> None:
    """As if nothing had come of a mail's work."""
    left = replace(bureau.event(event_id), state=EventState.RECEIVED, ended_at=None)
    outputs = "operation_outputs" if bureau.database.sqlite else "dbos.operation_outputs"
    with bureau.database.begin() as connection:
        events.put(connection, [left])
        connection.exec_driver_sql(f"DELETE FROM {outputs}")


def statuses(event_id: str) -> dict[str, str]:
    found = DBOS.list_workflows(workflow_id_prefix=f"mail:{event_id}")
    return {each.workflow_id.removeprefix(f"mail:{event_id}"): each.status for each in found}


def test_a_stored_mail_is_worked_and_one_that_waits_for_its_next_try_holds_up_nobody(bureau, engine) -> None:
    bureau.stored["https://store.example/1"] = Retriable("HTTP 503")
    waiting = bureau.take(FAR)
    for _ in range(200):
        if bureau.event(waiting).payload.get("tries"):
            break
        threading.Event().wait(0.05)
    done = bureau.take(DAILY)
    assert wait_for(done, bureau, EventState.DONE) is EventState.DONE
    assert bureau.event(waiting).state is EventState.RECEIVED
    for _ in range(100):
        if len(statuses(waiting)) == 2:
            break
        threading.Event().wait(0.05)
    assert statuses(waiting) == {"": "SUCCESS", ":2": "DELAYED"}
    assert engine.pick_up(bureau.now()) == 0  # it waits in its queue
    DBOS.set_workflow_delay(f"mail:{waiting}:2", delay_seconds=0)
    bureau.stored["https://store.example/1"] = itrip_report(itrip_row(2, DAY))
    assert wait_for(waiting, bureau, EventState.DONE) is EventState.DONE
    assert len(bureau.names()) == 2


def test_a_mail_whose_work_was_lost_is_picked_up(bureau, engine) -> None:
    """The database was away when it was worked, or is older than the mail."""
    held = bureau.take(replace(DAILY, spf="fail"))
    wait_for(held, bureau, EventState.HELD)
    unworked(bureau, held)
    rewrite(bureau, held, status="ERROR")
    assert engine.pick_up(bureau.now()) == 1
    assert wait_for(held, bureau, EventState.HELD) is EventState.HELD
    assert bureau.event(held).payload["attempt"] == 2
    unworked(bureau, held)
    DBOS.delete_workflows([f"mail:{held}", f"mail:{held}:2"])
    assert engine.pick_up(bureau.now()) == 1
    assert wait_for(held, bureau, EventState.HELD) is EventState.HELD
    assert engine.pick_up(bureau.now()) == 0


def test_what_kills_the_process_five_times_is_a_dead_letter(office) -> None:
    """LB-18."""
    event_id = office.take(DAILY)
    rewrite(office, event_id, status="MAX_RECOVERY_ATTEMPTS_EXCEEDED")
    with engine_of(office.desk) as engine:
        assert engine.pick_up(office.now()) == 0
        assert (office.event(event_id).state, office.event(event_id).payload["reason"]) == (
            EventState.FAILED,
            "cut off 5 times",
        )
        assert office.alerts()["dead_letter"].subject == f"mail:{event_id}"


def test_the_mails_of_a_silent_worker_are_taken_over(bureau, engine) -> None:
    """K-7: after 60 s without a sign of it."""
    engine_of(bureau.desk, 7, 1).beat(bureau.now())
    other = engine.executor.replace("worker-1", "worker-7")
    done = bureau.take(DAILY)
    wait_for(done, bureau, EventState.DONE)
    for _ in range(100):
        if statuses(done) == {"": "SUCCESS"}:
            break
        threading.Event().wait(0.05)
    unworked(bureau, done)
    rewrite(bureau, done, status="PENDING", executor_id=other)
    assert engine.adopt(bureau.now()) == 0
    assert engine.adopt(bureau.now() + A_MINUTE) == 1
    assert wait_for(done, bureau, EventState.DONE) is EventState.DONE
    assert len(bureau.names()) == 1


def test_a_killed_workers_mails_begin_again_at_its_next_start(office) -> None:
    event_id = office.take(DAILY)
    with engine_of(office.desk) as engine:
        wait_for(event_id, office, EventState.DONE)
        with pytest.raises(ExecutorInUse):
            engine_of(office.desk).start()
    unworked(office, event_id)
    rewrite(office, event_id, status="PENDING", executor_id=engine.executor)
    with engine_of(office.desk):
        assert wait_for(event_id, office, EventState.DONE) is EventState.DONE


def test_the_end_waits_for_the_mail_at_work(office, monkeypatch) -> None:
    begun, go_on = threading.Event(), threading.Event()
    work = mails.work

    def slow(desk, event_id):
        begun.set()
        go_on.wait(10)
        return work(desk, event_id)

    monkeypatch.setattr(mails, "work", slow)
    event_id = office.take(DAILY)
    engine = engine_of(office.desk)
    engine.start()
    assert begun.wait(10)
    assert engine.drain_seconds() > 0
    go_on.set()
    engine.close()
    assert office.event(event_id).state is EventState.DONE
    assert engine.drain_seconds() == 0


def test_a_workflow_without_its_desk_says_so() -> None:
    workflows.bind_mails(None)
    with pytest.raises(workflows.NotBound, match="mail"):
        workflows._work_mail("mail-x")


def test_an_engine_says_where_it_listens(office) -> None:
    assert engine_of(office.desk, 2, 3).listening() == (Listening(MAIL_QUEUE, 3, 0.1),)
    plain = Engine("dev", office.database.url, office.folder, Role.WORKER)
    with pytest.raises(NotImplementedError):
        plain.listening()
    with pytest.raises(NotImplementedError):
        plain.bind(on=True)
    assert plain.drain_seconds() == 0
