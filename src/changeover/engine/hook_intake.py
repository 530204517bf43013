"""Takes webhooks of Housecall Pro in so that none is lost (J-72 … J-75): row and work in one; it works none of them."""

from __future__ import annotations

import hashlib
import re
import threading
from collections import deque
from collections.abc import Mapping
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from changeover.engine import disk, enqueueing, names
from changeover.engine.entering import enter
from changeover.engine.raw_mails import NotTaken, Reason
from changeover.housecallpro import webhooks
from changeover.housecallpro.webhooks import Family, Webhook
from changeover.store import hooks
from changeover.store.events import Event, EventKind, EventState
from changeover.store.facts import Json
from changeover.store.writer import Closed, Writer

if TYPE_CHECKING:
    from dbos import DBOSClient, EnqueueOptions

GATHER_SECONDS = 1.0
"""What comes about a job within so long is worked with one read: one change sends several events (HC-87, J-76)."""

_ID = re.compile(r"[a-z]+_[0-9A-Za-z]{1,64}")
_NAME = re.compile(r"[a-z][a-z0-9_.]{0,79}")
_HOUR = timedelta(hours=1)
_REMEMBERED = 1000


@dataclass(frozen=True, slots=True)
class Taken:
    """A webhook that is stored. Not `new`: it was stored before, and its repeat is counted."""

    event_id: str
    event: str
    state: EventState
    new: bool


class HookIntake:
    """One environment's intake, for any number of threads of one process.

    `company_id` is whose events are expected, "" for anybody's: the secret has proven the environment (J-74, HC-122).
    """

    def __init__(self, folder: Path, writer: Writer, client: DBOSClient, company_id: str = "") -> None:
        self._folder, self._writer, self._client = folder, writer, client
        self._company_id = company_id.strip().lower()
        self._refusals = _Refusals(writer)
        self._last_foreign: datetime | None = None

    def take(self, body: bytes, timestamp: str, at: datetime) -> Taken:
        """Stores a proven webhook and enqueues its work. Raises NotTaken: then nobody need know that it came.

        Once it returns, the webhook is safe from whatever ends the process or the machine.
        """
        if not disk.check(self._folder).room_to_write:
            raise NotTaken(Reason.DISK)
        webhook = webhooks.read(body)
        event_id = hooks.event_id(webhooks.dedupe_key(webhook, timestamp, body))
        event = self._event(event_id, webhook, body, at)
        job_id = _job_id(webhook)
        new = enter(self._writer, partial(_enter, self._client, event, job_id, body))
        if event.state is EventState.FOREIGN:
            self._last_foreign = at
        return Taken(event_id, str(event.payload["event"]), event.state, new)

    def refuse(self, at: datetime) -> int:
        """Counts one that nobody has proven (J-72); how many there were within the last hour."""
        return self._refusals.add(at)

    def refused(self, at: datetime) -> int:
        """How many were not proven within the last hour."""
        return self._refusals.recent(at)

    def foreign(self, at: datetime) -> bool:
        """Whether one of another company came within the last hour (J-74)."""
        return self._last_foreign is not None and at - self._last_foreign <= _HOUR

    def _event(self, event_id: str, webhook: Webhook | None, body: bytes, at: datetime) -> Event:
        state, reason = self._judge(webhook)
        payload: dict[str, Json] = {
            "event": _name(webhook),
            "job_id": _job_id(webhook),
            "size": len(body),
            "sha256": hashlib.sha256(body).hexdigest(),
            "reason": reason,
        }
        ended = None if state is EventState.RECEIVED else at
        return Event(event_id, EventKind.HCP, state, at, summary(payload, str(state)), payload, ended)

    def _judge(self, webhook: Webhook | None) -> tuple[EventState, str]:
        """What is to become of it, as far as it says so itself."""
        if webhook is None:
            return EventState.REJECTED, "no event"
        company = webhook.company_id.strip().lower()
        if self._company_id and company and company != self._company_id:
            return EventState.FOREIGN, "another company"
        if webhook.family is Family.OTHER:
            return EventState.DONE, ""
        return (EventState.RECEIVED, "") if _job_id(webhook) else (EventState.DONE, "names no job")


def summary(payload: Mapping[str, Json], word: str) -> str:
    """What a list shows of a webhook: nothing that somebody wrote."""
    told = (payload["event"], payload["job_id"], word, payload["reason"])
    return " — ".join(str(each) for each in told if each)


def enqueue(connection: Connection, client: DBOSClient, event_id: str, job_id: str, attempt: int = 1) -> None:
    """Has a webhook worked, after all earlier ones of its job, in the caller's transaction (LB-6, LB-11)."""
    work: EnqueueOptions = {
        "workflow_name": names.HOOK_WORKFLOW,
        "queue_name": names.HOOK_QUEUE,
        "workflow_id": names.hook(event_id, attempt),
        "queue_partition_key": job_id,
        "delay_seconds": GATHER_SECONDS,
    }
    enqueueing.enqueue(connection, client, work, event_id, job_id)


def _enter(client: DBOSClient, event: Event, job_id: str, body: bytes, connection: Connection) -> bool:
    """Row and work in one transaction; True when it is new."""
    if not hooks.receive(connection, event, job_id, body):
        return False
    if event.state is EventState.RECEIVED:
        enqueue(connection, client, event.id, job_id)
    return True


def _job_id(webhook: Webhook | None) -> str:
    """The job, if its id is one (J-79)."""
    return webhook.job_id if webhook is not None and _ID.fullmatch(webhook.job_id) else ""


def _name(webhook: Webhook | None) -> str:
    return webhook.event if webhook is not None and _NAME.fullmatch(webhook.event) else ""


class _Refusals:
    """Counts in memory by the hour, and in the database as it comes: a storm is one write at a time."""

    def __init__(self, writer: Writer) -> None:
        self._writer, self._lock = writer, threading.Lock()
        self._times: deque[datetime] = deque(maxlen=_REMEMBERED)
        self._uncounted = 0
        self._on_the_way: Future[None] | None = None

    def add(self, at: datetime) -> int:
        with self._lock:
            self._times.append(at)
            self._uncounted += 1
            if self._on_the_way is None or self._on_the_way.done():
                with suppress(Closed):
                    work = partial(_count, self._uncounted)
                    self._on_the_way, self._uncounted = self._writer.post(work), 0
        return self.recent(at)

    def recent(self, at: datetime) -> int:
        with self._lock:
            while self._times and at - self._times[0] > _HOUR:
                self._times.popleft()
            return len(self._times)


def _count(number: int, connection: Connection) -> None:
    hooks.count_refused(connection, number, datetime.now(UTC))
