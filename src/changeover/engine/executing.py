"""The durable engine (DBOS) in this process, under an executor id of its own; it knows no work."""

from __future__ import annotations

import fcntl
import os
from dataclasses import dataclass
from logging import NullHandler, getLogger
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from changeover.engine import names
from changeover.engine.names import Role
from changeover.engine.process import host_name
from changeover.ops import logging

if TYPE_CHECKING:
    from dbos import DBOSConfig

log = logging.get(__name__)

UNFINISHED: Final = ["PENDING", "ENQUEUED", "DELAYED"]
"""The states of a workflow, as the engine spells them, that somebody works or will work."""
DEAD: Final = "MAX_RECOVERY_ATTEMPTS_EXCEEDED"
"""The state of one whose process was killed too often (LB-18)."""

_NOTICE_SECONDS = 0.1


class ExecutorInUse(Exception):
    """Another live process has this executor id: its work would run twice (LB-14)."""


@dataclass(frozen=True, slots=True)
class Listening:
    """A queue that a process takes work from, how much of it at a time, and how often it looks (LB-10, LB-11).

    `serial`: what shares a partition key is worked one after the other, whoever works it.
    """

    queue: str
    at_once: int
    poll_seconds: float
    serial: bool = False


class Engine:
    """The engine of this process. One at a time (LB-2). A subclass says where it listens and binds its objects."""

    def __init__(self, env: str, url: str, folder: Path, role: Role, number: int = 1) -> None:
        self.executor = names.executor(host_name(), env, role, number)
        self._env, self._url = env, url
        self._lock = _Lock(folder / f"{self.executor}.lock")

    def listening(self) -> tuple[Listening, ...]:
        """Where it takes work from."""
        raise NotImplementedError

    def bind(self, *, on: bool) -> None:
        """Gives the workflows their live objects before the launch, takes them away after the end."""
        raise NotImplementedError

    def drain_seconds(self) -> int:
        """How long the end waits for what is being worked; waiting costs a second even when nothing is."""
        return 0

    def start(self) -> None:
        """Launches the engine; work of a killed process with our executor id begins again at once.

        Raises ExecutorInUse. The tables must be there (`schema.migrate`): nothing is created here.
        """
        self._lock.take()
        from dbos import DBOS

        _log_as_we_do()
        try:
            self.bind(on=True)
            DBOS(config=self.config())
            listening = self.listening()
            DBOS.listen_queues([each.queue for each in listening])
            DBOS.launch()
            for each in listening:
                DBOS.register_queue(
                    each.queue,
                    worker_concurrency=each.at_once,
                    partition_concurrency=1 if each.serial else None,
                    polling_interval_sec=each.poll_seconds,
                )
        except BaseException:
            self.close()
            raise
        log.info("engine.started", executor=self.executor)

    def close(self) -> None:
        """Lets the step on the wire end, then stops; unfinished work waits for the next start."""
        from dbos import DBOS

        DBOS.destroy(workflow_completion_timeout_sec=self.drain_seconds())
        self.bind(on=False)
        self._lock.give_back()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def config(self) -> DBOSConfig:
        """Everything the engine is told, so that none of its defaults decides (LB-1, LB-3, LB-13, LB-22)."""
        return {
            "name": names.application(self._env),
            "system_database_url": self._url,
            "application_version": names.PROTOCOL,
            "executor_id": self.executor,
            "log_level": "WARNING",
            "enable_otlp": False,
            "run_migrations": False,
            "sys_db_pool_size": 5,
            # We wait for no notification; a listener that sleeps longer would only hold up the end of the process.
            "notification_listener_polling_interval_sec": _NOTICE_SECONDS,
        }


def _log_as_we_do() -> None:
    """Keeps the engine from printing by itself: its logger has a handler, so lines reach ours alone (L-5)."""
    logger = getLogger("dbos")
    if not logger.handlers:
        logger.addHandler(NullHandler())


class _Lock:
    """A file lock that dies with the process."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None

    def take(self) -> None:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            raise ExecutorInUse(self._path.stem) from None
        self._file = file

    def give_back(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None
