"""Clicks and requested runs in the worker's engine: taken from their queues, picked up when lost, given up (LB-18)."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest
from dbos import DBOS

from changeover.core.job_action import Action
from changeover.engine import intake, names, workflows
from changeover.engine.click_intake import ClickIntake, Request
from changeover.engine.click_line import ClickLine
from changeover.engine.clicks import ClickDesk
from changeover.engine.jobs.operations import Answer
from changeover.engine.requested_runs import Looks, Order, RequestedRuns
from changeover.engine.run_intake import RunIntake, WantedRun
from changeover.engine.run_line import RunLine
from changeover.engine.stopping import Interrupted, Reason
from changeover.engine.worker_engine import WorkerEngine
from changeover.store import operations, runs
from changeover.store.database import Database
from changeover.store.runs import RunState, Trigger
from changeover.store.writer import Writer

ROWS = ("recSTAY0000000001", "recSTAY0000000002")


def now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Shop:
    """An environment in which people ask, and an engine that works what they ask for."""

    folder: Path
    database: Database
    clicks: ClickIntake
    runs: RunIntake
    performed: list[str] = field(default_factory=list)
    started: list[Order] = field(default_factory=list)
    moods: list[Exception] = field(default_factory=list)

    def engine(self) -> WorkerEngine:
        requested = RequestedRuns("dev", self.database, self._start, Looks(0.01, 0.01))
        click_line = ClickLine(ClickDesk("dev", self.database, self._perform, now), 2)
        engine = WorkerEngine("dev", self.database, self.folder, 1, [click_line, RunLine(self.database, requested)])
        engine.beat(now())
        return engine

    def click(self, record_id: str = ROWS[0]) -> str:
        asked = self.clicks.ask(Request(Action.CREATE, record_id, "api"), now())
        assert isinstance(asked, operations.Asked)
        return asked.id

    def run(self) -> str:
        return self.runs.ask(WantedRun("Evolve", Trigger.API, "api"), now())

    def code(self, operation_id: str) -> object:
        """The word of an answer; None while there is none."""
        found = self.clicks.find(operation_id)
        return None if found is None or found.answer is None else found.answer["body"].get("code", "fine")

    def state(self, run_id: str) -> RunState:
        with self.database.read() as connection:
            found = runs.show(connection, run_id)
        assert found is not None
        return found.state

    def rewrite(self, word: str, **values: str) -> None:
        """Makes the engine's records say what a crash would have left."""
        settings = ", ".join(f"{name} = '{value}'" for name, value in values.items())
        with self.database.begin() as connection:
            connection.exec_driver_sql(f"UPDATE workflow_status SET {settings} WHERE workflow_uuid LIKE '{word}:%'")

    def _perform(self, _action: Action, record_id: str) -> Answer:
        if self.moods:
            raise self.moods.pop()
        self.performed.append(record_id)
        return Answer(True, "dev", job_id="job_1")

    def _start(self, order: Order) -> SimpleNamespace:
        """A run that is refused: what has not begun is told so."""
        self.started.append(order)
        return SimpleNamespace(communicate=lambda: ('{"problem": "no room"}', ""), returncode=3)


@pytest.fixture
def shop(migrated_sqlite: Path, tmp_path: Path) -> Iterator[Shop]:
    shutil.copy(migrated_sqlite, tmp_path / "state.db")
    database = Database(f"sqlite:///{tmp_path / 'state.db'}")
    writer, client = Writer(database), intake.client("dev", database)
    given = (database, writer, client)
    yield Shop(tmp_path, database, ClickIntake(*given), RunIntake("dev", *given))
    writer.close()
    client.destroy()
    database.close()


def until(true: Callable[[], bool]) -> bool:
    for _ in range(400):
        if true():
            return True
        threading.Event().wait(0.025)
    return False


def test_what_is_asked_is_done_and_what_was_lost_is_picked_up(shop: Shop) -> None:
    before, run = shop.click(), shop.run()
    with shop.engine() as engine:
        assert until(lambda: shop.code(before) == "fine")
        assert until(lambda: shop.state(run) is RunState.BLOCKED)
        assert [(each.only, each.cycle[:4]) for each in shop.started] == [(("Evolve",), "run-")]
        lost, run = shop.click(ROWS[1]), shop.run()
        assert until(lambda: shop.code(lost) == "fine" and shop.state(run) is RunState.BLOCKED)
        with shop.database.begin() as connection:  # as if nothing had come of them
            connection.exec_driver_sql("UPDATE operations SET state = 'open', answer = NULL")
            connection.exec_driver_sql("UPDATE runs SET state = 'queued'")
            connection.exec_driver_sql("DELETE FROM operation_outputs")
        shop.rewrite("click", status="ERROR")
        DBOS.delete_workflows([each.workflow_id for each in DBOS.list_workflows(name=names.RUN_WORKFLOW)])
        assert engine.pick_up(now()) == 4
        assert until(lambda: shop.code(before) == shop.code(lost) == "fine" and shop.state(run) is RunState.BLOCKED)
        assert engine.pick_up(now()) == 0
    assert sorted(shop.performed) == [ROWS[0], ROWS[0], ROWS[1], ROWS[1]]


def test_what_a_worker_was_asked_to_end_in_is_gone_on_with(shop: Shop) -> None:
    """C-33."""
    shop.moods.append(Interrupted(Reason.SIGNAL))
    with shop.engine() as engine:
        operation = shop.click()
        assert until(lambda: len(DBOS.list_workflows(name=names.CLICK_WORKFLOW)) == 2)
        assert engine.pick_up(now()) == 0  # it waits in its queue
        DBOS.set_workflow_delay(names.click(operation, 2), delay_seconds=0)
        assert until(lambda: shop.code(operation) == "fine")


def test_what_kills_the_process_five_times_is_answered_and_done_no_more(shop: Shop) -> None:
    operation, run = shop.click(), shop.run()
    shop.rewrite("click", status="MAX_RECOVERY_ATTEMPTS_EXCEEDED")
    shop.rewrite("run", status="MAX_RECOVERY_ATTEMPTS_EXCEEDED")
    with shop.engine() as engine:
        assert engine.pick_up(now()) == 0
    assert (shop.code(operation), shop.state(run)) == ("internal_error", RunState.FAILED)
    assert (shop.performed, shop.started) == ([], [])


@pytest.mark.parametrize("work", [workflows._work_click, workflows._work_run])
def test_work_that_nothing_is_bound_to_is_a_fault(work: Callable[[str], bool]) -> None:
    with pytest.raises(workflows.NotBound):
        partial(work, "x")()
