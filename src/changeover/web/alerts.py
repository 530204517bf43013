"""Alerts about what comes in: raised and resolved beside the answers, which never wait long for them (A-1)."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from concurrent.futures import Future
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial

from sqlalchemy import Connection

from changeover.core.plan import Alert
from changeover.store import alerts
from changeover.store.writer import Closed, Writer

_PATIENCE = 600.0  # seconds: an alert about a locked database is written when it no longer is
_ANSWER_WAITS = 0.5  # seconds an answer waits for its alert
_AT_ONCE = timedelta(0)


class Alerts:
    """One environment's alerts, for any number of threads. `standing` are the keys of those that are open."""

    def __init__(self, env: str, writer: Writer, standing: Iterable[str] = ()) -> None:
        self._env, self._writer = env, writer
        self._lock = threading.Lock()
        self._standing = set(standing)
        self._on_the_way: dict[str, Future[None]] = {}

    def open(self, alert: Alert, *, once_in: timedelta = _AT_ONCE, wait: bool = True) -> None:
        """Opens an alert or counts its repetition; one that was raised less than `once_in` ago stays as it is.

        Without `wait` it is written later, for when the database itself is what it is about. While one is on its way to
        the database, its repetitions are not counted: a storm is one alert.
        """
        key = alerts.key_of(self._env, alert.rule, alert.subject)
        with self._lock:
            before = self._on_the_way.get(key)
            if before is not None and not before.done():
                return
            try:
                future = self._writer.post(partial(self._write, alert, key, once_in), patience=_PATIENCE)
            except Closed:
                return
            self._on_the_way[key] = future
            self._standing.add(key)
        if wait:
            with suppress(Exception):  # whatever kept it from being written: the answer is what matters
                future.result(_ANSWER_WAITS)

    def over(self, *rules: str) -> None:
        """Resolves the open alerts of these rules: what they tell of has just gone well."""
        prefixes = tuple(f"{self._env}:{rule}:" for rule in rules)
        with self._lock:
            keys = [key for key in self._standing if key.startswith(prefixes)]
            self._standing.difference_update(keys)
        for key in keys:
            with suppress(Closed):
                self._writer.post(partial(_resolve, key), patience=_PATIENCE)

    def _write(self, alert: Alert, key: str, once_in: timedelta, connection: Connection) -> None:
        at, before = datetime.now(UTC), alerts.show(connection, key)
        if before is None or before.resolved_at is not None or at - before.last_at >= once_in:
            alerts.open_or_repeat(connection, self._env, alert, at)


def _resolve(key: str, connection: Connection) -> None:
    alerts.resolve(connection, key, datetime.now(UTC))
