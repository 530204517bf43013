"""The worker of an environment: works what comes in until it is asked to end; it never plans."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from changeover.engine import (
    clicks,
    hook_house,
    importer,
    intake,
    mail_alerts,
    mail_fetch,
    mail_house,
    outages,
    requested_runs,
)
from changeover.engine.click_line import ClickLine
from changeover.engine.clicks import ClickDesk
from changeover.engine.executing import ExecutorInUse
from changeover.engine.hook_line import HookLine
from changeover.engine.hooks import HookDesk
from changeover.engine.importer import Importer
from changeover.engine.jobs.desk import JobDesk, NotSetUp, open_desk
from changeover.engine.jobs.following import follow
from changeover.engine.jobs.operations import perform
from changeover.engine.lines import Line
from changeover.engine.mail_line import MailLine
from changeover.engine.mails import Desk
from changeover.engine.opening import rules_in_effect, state_database
from changeover.engine.requested_runs import RequestedRuns
from changeover.engine.results import Refused
from changeover.engine.rules import RuleBook
from changeover.engine.run_line import RunLine
from changeover.engine.stop import Stopped, StopSwitch
from changeover.engine.stopping import Interrupted, Stopping
from changeover.engine.worker_engine import WorkerEngine
from changeover.ops import logging
from changeover.settings import Settings
from changeover.sources.csv.inbox import INBOX
from changeover.sources.mail.mail import Attachment
from changeover.store.database import Database
from changeover.store.runs import RunState

log = logging.get(__name__)

MOST_WORKERS = 16  # per environment, over all machines (K-3)
_BEAT_SECONDS, _MINUTE, _HOUR = 15.0, 60.0, 3600.0
_LOOK_SECONDS = 0.5
_HOOKS_A_THREAD = 16  # nearly all of a webhook's time is waiting, and those that wait together share their calls


@dataclass
class Chore:
    """Something done every so often beside the work. What fails is tried again at its next turn."""

    name: str
    every_seconds: float
    do: Callable[[], object]
    due: float = 0.0

    def turn(self, clock: float) -> None:
        """Does it when it is due, by a monotonic clock."""
        if clock < self.due:
            return
        self.due = clock + self.every_seconds
        try:
            self.do()
        except Exception as error:  # the edge of a chore: whatever it is, the mails go on
            log.exception("chore.failed", chore=self.name, error=type(error).__name__)


def run(settings: Settings, stopping: Stopping, ready: Callable[[str], None]) -> None:
    """Works until `stopping` says so; `ready` is told the executor id once work is taken. Raises Refused.

    Killed at any instant it loses nothing: mails and webhooks are in their rows, reports in the inbox (C-31, C-33).
    """
    book = rules_in_effect(settings)
    with suppress(Interrupted), ExitStack() as stack:
        db = stack.enter_context(state_database(settings))
        stopping.check()
        intake.adopt_strays(settings.environment, settings.folder, db)
        imports = Importer(settings.folder / "csv" / INBOX, partial(importer.start, settings.environment))
        desk = _desk(settings, book, db, imports.arrived)
        requested = RequestedRuns(settings.environment, db, requested_runs.start)
        jobs = _jobs(settings, db, stopping)
        lines = [
            *_job_lines(settings, db, jobs),
            MailLine(desk, settings.worker_threads),
            RunLine(db, requested),
        ]
        engine = stack.enter_context(_engine(settings, db, lines))
        stack.callback(imports.end)
        stack.callback(requested.end)
        imports.start()
        log.info("worker.ready", executor=engine.executor)
        ready(engine.executor)
        chores = [*_chores(settings, desk, engine), *_chores_of_jobs(jobs)]
        while True:
            for chore in chores:
                chore.turn(time.monotonic())
            stopping.sleep(_LOOK_SECONDS)
    log.info("worker.ended")


def _desk(settings: Settings, book: RuleBook, db: Database, arrived: Callable[[], None]) -> Desk:
    return Desk(
        env=settings.environment,
        folder=settings.folder,
        database=db,
        suppliers=book.suppliers,
        fetch=partial(_fetch, settings, StopSwitch(settings.folder, db)),
        arrived=arrived,
        now=_now,
    )


def _fetch(settings: Settings, switch: StopSwitch, attachment: Attachment) -> bytes:
    """What lies in a store, unless the outside may not be asked (E-8)."""
    stop = switch.state()
    if not stop.reads:
        raise Stopped(stop)
    return mail_fetch.fetch(attachment, settings)


def _jobs(settings: Settings, db: Database, stopping: Stopping) -> JobDesk | NotSetUp:
    """Where jobs are worked on, or why they are not."""
    try:
        return open_desk(settings, db, stopping)
    except NotSetUp as lacking:
        log.info("worker.without_jobs", missing=lacking.missing)
        return lacking


def _job_lines(settings: Settings, db: Database, jobs: JobDesk | NotSetUp) -> list[Line]:
    """What people ask for and what comes in about jobs, the most urgent first (K-7).

    Where Housecall Pro is not set up nothing comes in, and who asks for something is told.
    """
    env, threads = settings.environment, settings.worker_threads
    if isinstance(jobs, NotSetUp):
        return [ClickLine(ClickDesk(env, db, partial(clicks.not_set_up, env, jobs.missing), _now), threads)]
    click_desk = ClickDesk(env, db, partial(perform, jobs), _now)
    hook_desk = HookDesk(env, db, jobs.switch, partial(follow, jobs), _now)
    return [ClickLine(click_desk, threads), HookLine(hook_desk, threads * _HOOKS_A_THREAD)]


@contextmanager
def _engine(settings: Settings, db: Database, lines: Sequence[Line]) -> Iterator[WorkerEngine]:
    """The engine under the first number that no other worker of this machine has."""
    for number in range(1, MOST_WORKERS + 1):
        engine = WorkerEngine(settings.environment, db, settings.folder, number, lines)
        engine.beat(_now())  # before its work could look left alone to another worker
        try:
            engine.start()
        except ExecutorInUse:
            continue
        try:
            yield engine
        finally:
            engine.close()
        return
    raise Refused(RunState.LOCKED, 5, f"{MOST_WORKERS} workers of {settings.environment} run on this machine already")


def _chores(settings: Settings, desk: Desk, engine: WorkerEngine) -> list[Chore]:
    found = [
        Chore("beat", _BEAT_SECONDS, lambda: engine.beat(_now())),
        Chore("adopt", _BEAT_SECONDS, lambda: engine.adopt(_now())),
        Chore("pick up", _MINUTE, lambda: engine.pick_up(_now())),
        Chore("prune", _HOUR, lambda: mail_house.keep_mails(desk.database, desk.folder, _now())),
        Chore("prune webhooks", _HOUR, lambda: hook_house.keep_hooks(desk.database, _now())),
        Chore("forget clicks", _HOUR, lambda: clicks.prune(desk.database, _now())),
    ]
    if settings.csv_email_enabled and settings.cloudmailin_user:
        found.append(Chore("missing", _MINUTE, lambda: _look_for_missing(desk)))
    return found


def _chores_of_jobs(jobs: JobDesk | NotSetUp) -> list[Chore]:
    return [] if isinstance(jobs, NotSetUp) else [Chore("outages", _BEAT_SECONDS, outages.of_jobs(jobs).look)]


def _look_for_missing(desk: Desk) -> None:
    with desk.database.begin() as connection:
        mail_alerts.look_for_missing(connection, desk.env, desk.suppliers, desk.now())


def _now() -> datetime:
    return datetime.now(UTC)
