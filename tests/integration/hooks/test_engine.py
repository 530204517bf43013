"""The worker takes webhooks from their queue: a job's one after the other, jobs beside each other (J-76, K-7)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from dbos import DBOS
from werkzeug.serving import make_server

from changeover.engine import hook_intake, intake, workflows
from changeover.engine.executing import Listening
from changeover.engine.hook_intake import HookIntake
from changeover.engine.hook_line import HookLine
from changeover.engine.hooks import HookDesk
from changeover.engine.jobs.following import Effect, Followed, follow
from changeover.engine.names import HOOK_QUEUE
from changeover.engine.stop import StopSwitch
from changeover.engine.worker_engine import WorkerEngine
from changeover.housecallpro.errors import Server
from changeover.settings.inbound import Inbound
from changeover.store import alerts, events
from changeover.store.database import Database
from changeover.store.events import Event, EventKind, EventState
from changeover.store.writer import Writer
from changeover.web.app import create_app
from changeover.web.sites import Deployment, Site
from plugins.hook_bench import Bench
from plugins.hooks import JOB, a_hook
from plugins.housecallpro import DEV

OTHER = JOB[:-1] + "2"
A_MINUTE = timedelta(seconds=61)


@dataclass
class Office:
    """An environment's webhooks and the worker's engine; `reads` is what each job's read does."""

    folder: Path
    database: Database
    reads: Callable[[str], None] = lambda _: None
    read: list[tuple[str, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.writer, self.client = Writer(self.database), intake.client("dev", self.database)
        self.intake = HookIntake(self.folder, self.writer, self.client)
        self.desk = HookDesk("dev", self.database, StopSwitch(self.folder), self._follow, now)

    def _follow(self, job_id: str, names: Sequence[str], _payload: object) -> Followed:
        self.reads(job_id)
        self.read.append((job_id, len(names)))
        return Followed(Effect.UPDATED, job_id)

    def engine(self, number: int = 1, at_once: int = 4) -> WorkerEngine:
        return WorkerEngine("dev", self.database, self.folder, number, [HookLine(self.desk, at_once)])

    def take(self, n: int = 0, job_id: str = JOB) -> str:
        return self.intake.take(a_hook("job.updated", {"id": job_id}, n=n), "", now()).event_id

    def events(self) -> dict[str, Event]:
        with self.database.read() as connection:
            return {each.id: each for each in events.recent(connection, kinds=(EventKind.HCP,))}

    def alter(self, event_id: str, status: str, executor: str = "") -> None:
        """As a crash would have left it."""
        table, outputs = ("workflow_status", "operation_outputs")
        if not self.database.sqlite:
            table, outputs = f"dbos.{table}", f"dbos.{outputs}"
        left = replace(self.events()[event_id], state=EventState.RECEIVED, ended_at=None)
        more = f", executor_id = '{executor}'" if executor else ""
        with self.database.begin() as connection:
            events.put(connection, [left])
            connection.exec_driver_sql(f"DELETE FROM {outputs}")
            where = f"workflow_uuid = 'hook:{event_id}'"
            connection.exec_driver_sql(f"UPDATE {table} SET status = '{status}'{more} WHERE {where}")

    def close(self) -> None:
        self.writer.close()
        self.client.destroy()


def now() -> datetime:
    return datetime.now(UTC)


def until(done: Callable[[], bool]) -> bool:
    """Whether it became so within ten seconds."""
    for _ in range(500):
        if done():
            return True
        threading.Event().wait(0.02)
    return False


def worked(office: Office, number: int = 1) -> bool:
    """Whether so many are stored, all of them are done, and the engine has nothing left."""
    return until(
        lambda: (
            [each.state for each in office.events().values()] == [EventState.DONE] * number
            and all(each.status == "SUCCESS" for each in DBOS.list_workflows(name="hook.v1"))
        )
    )


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """No burst is waited for."""
    monkeypatch.setattr(hook_intake, "GATHER_SECONDS", 0.001)


@pytest.fixture
def office(tmp_path: Path, migrated_sqlite: Path) -> Iterator[Office]:
    (tmp_path / "state.db").write_bytes(migrated_sqlite.read_bytes())
    database = Database(f"sqlite:///{tmp_path / 'state.db'}")
    found = Office(tmp_path, database)
    yield found
    found.close()
    database.close()


def test_a_burst_is_one_piece_of_work_and_no_two_of_a_job_run_at_once(database: Database, tmp_path: Path) -> None:
    office = Office(tmp_path, database)
    at_work: set[str] = set()
    together = threading.Barrier(2, timeout=10)

    def read(job_id: str) -> None:
        assert job_id not in at_work
        at_work.add(job_id)
        together.wait()  # the other job is read at the same time
        at_work.discard(job_id)

    office.reads = read
    for number in range(3):
        office.take(number), office.take(number, OTHER)
    with office.engine():
        assert worked(office, 6)
    assert sorted(office.read) == [(JOB, 3), (OTHER, 3)]
    office.close()


def test_a_try_that_fails_waits_in_its_jobs_queue_and_holds_up_nobody(office: Office, hasty: None) -> None:
    def down(job_id: str) -> None:
        if job_id == JOB:
            raise Server(status=503)

    office.reads = down
    failing = office.take()
    with office.engine() as engine:
        assert until(lambda: office.events()[failing].payload.get("tries") == 1)
        done = office.take(1, OTHER)
        assert until(lambda: office.events()[done].state is EventState.DONE)
        second = f"hook:{failing}:2"
        assert until(lambda: any(each.workflow_id == second for each in DBOS.list_workflows(status="DELAYED")))
        assert engine.pick_up(now()) == 0  # it waits in its queue
        office.reads = lambda _: None
        office.take(2)  # the next one of the job makes up for it
        assert until(lambda: office.events()[failing].state is EventState.DONE)


def test_what_was_left_lying_begins_again_one_for_each_job(office: Office, hasty: None) -> None:
    with office.engine() as engine:
        ids = [office.take(number) for number in range(3)]
        assert worked(office, 3)
        for each in ids:
            office.alter(each, "ERROR")
        assert engine.pick_up(now()) == 1
        assert until(lambda: {each.state for each in office.events().values()} == {EventState.DONE})
        assert engine.pick_up(now()) == 0


def test_one_that_killed_its_process_five_times_is_a_dead_letter(office: Office, hasty: None) -> None:
    """LB-18."""
    with office.engine() as engine:
        event_id = office.take()
        assert worked(office)
        office.alter(event_id, "MAX_RECOVERY_ATTEMPTS_EXCEEDED")
        assert engine.pick_up(now()) == 0
    assert office.events()[event_id].state is EventState.FAILED
    with office.database.read() as connection:
        assert [(each.rule, each.subject) for each in alerts.standing(connection)] == [("dead_letter", f"hcp:{JOB}")]


def test_a_killed_workers_webhooks_begin_again_at_its_next_start_or_with_another(office: Office, hasty: None) -> None:
    with office.engine() as engine:
        event_id = office.take()
        assert worked(office)
    office.alter(event_id, "PENDING", engine.executor)
    with office.engine():
        assert worked(office)
    office.engine(7).beat(now())
    office.alter(event_id, "PENDING", engine.executor.replace("worker-1", "worker-7"))
    with office.engine() as engine:
        assert engine.adopt(now()) == 0
        assert engine.adopt(now() + A_MINUTE) == 1
        assert worked(office)


def test_an_engine_without_webhooks_says_so(office: Office) -> None:
    workflows.bind_hooks(None)
    with pytest.raises(workflows.NotBound, match="hook"):
        workflows._work_hook("hcp-x")
    assert office.engine(2, 3).listening() == (Listening(HOOK_QUEUE, 3, 0.1, serial=True),)


# -- from the app to the row -------------------------------------------------------------------------------------------


@contextmanager
def door(bench: Bench) -> Iterator[str]:
    """The web server's application, over the bench's own database; where it takes dev's webhooks."""
    settings = bench.house.desk.settings
    inbound = Inbound(
        environment="dev",
        home=settings.home,
        api_key="dev-api-key-0001",
        hcp_webhook_secret=DEV.webhook_secret,
        hcp_company_id=DEV.company_id,
    )
    deployment = Deployment({"dev": Site(inbound)})
    server = make_server("127.0.0.1", 0, create_app(deployment), threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.port}/webhooks/hcp-dev"
    server.shutdown()
    thread.join()
    server.server_close()
    deployment.close()


def test_what_a_person_does_in_the_app_is_in_the_row_seconds_later(bench: Bench) -> None:
    """From the signed post of the stand-in, sent twice and in wrong order, to the row."""
    bench.make_job()
    desk = HookDesk("dev", bench.database, bench.desk.switch, partial(follow, bench.house.desk), now)
    engine = WorkerEngine("dev", bench.database, bench.house.desk.settings.folder, 1, [HookLine(desk, 4)])
    with door(bench) as url, engine:
        bench.house.service.listen(url, duplicate=True, reorder=True)
        mark = bench.house.mark()
        for action in ("on_my_way", "start", "complete"):
            bench.act(action)
        assert {each["status"] for each in bench.house.service.settle()} == {200}
        assert until(lambda: bench.row()["Job Status"] == "Completed")
        assert until(lambda: {each.state for each in bench.events()} == {EventState.DONE})
    base, company = bench.house.calls(mark)
    assert len([each for each in company if each.startswith("GET /jobs/")]) <= 2
    assert len([each for each in base if each.startswith("PATCH")]) <= 2
    assert len(bench.events()) == bench.repeats() == 6
    row = bench.row()
    assert all(row[name] for name in ("On My Way Time", "Job Started Time", "Job Completed Time"))
    assert bench.is_true()
