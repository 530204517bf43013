"""What a delivery works with and what it tells after each step; no logic."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection

from changeover.airtable.client import AirtableClient
from changeover.airtable.schema import SchemaFacts
from changeover.core.plan import Alert
from changeover.store.database import Database


@dataclass(frozen=True, slots=True)
class Delays:
    """When an unclear create is searched, and searched again (AT-48); how long a request may still be on the wire."""

    search: timedelta = timedelta(seconds=2)
    search_again: timedelta = timedelta(seconds=30)
    on_the_wire: timedelta = timedelta(seconds=40)


def _utc_now() -> datetime:
    return datetime.now(UTC)


def _no_lease(_: Connection) -> None:
    """For processes that need none."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """Everything `send_next` needs. One per process and lease.

    `check_lease` is called inside every transaction that claims writes or stores receipts and raises when the lease is
    lost (C-30). `clock` is the real clock. `sleep` waits for AT-48; it may return early, or raise, to end a wait.
    `stopped` collects the tables that a drift or a missing right stopped, until the process ends.
    """

    client: AirtableClient
    db: Database
    schema: SchemaFacts
    check_lease: Callable[[Connection], None] = _no_lease
    clock: Callable[[], datetime] = _utc_now
    sleep: Callable[[float], None] = time.sleep
    delays: Delays = Delays()
    stopped: dict[str, str] = field(default_factory=dict)  # table → why


@dataclass(frozen=True, slots=True)
class Progress:
    """What one step did.

    `left` counts what is not finished of the run (or of all). Call again while `left` and not `stopped`. `wait_until`
    is set only when a wait was cut short. `stopped` is empty or says why nothing more can be sent now: `rate_limited`,
    `billing_blocked`, `credential_refused`, `unavailable`, `halted`, or a table's reason (`schema_drift`, `forbidden`).
    """

    left: int
    sent: int = 0
    failed: int = 0
    wait_until: datetime | None = None
    stopped: str = ""
    alerts: tuple[Alert, ...] = ()
