"""Webhooks as Housecall Pro posts them, and an environment that takes them. All names are made up."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from changeover.engine.names import HOOK_QUEUE, HOOK_WORKFLOW
from changeover.store import events
from changeover.store.events import Event, EventKind
from plugins.front_door import House

SECRETS = {"dev": "hook-secret-of-dev", "prod": "hook-secret-of-prod"}
COMPANIES = {"dev": "11111111-2222-3333-4444-555555555555", "prod": "99999999-8888-7777-6666-555555555555"}
PATHS = {"dev": "/webhooks/hcp-dev", "prod": "/webhooks/hcp"}
JOB = "job_00000000000000000000000000000001"
PING = b'{"foo":"bar"}'


def a_hook(event: str = "job.updated", resource: object = None, **more: object) -> bytes:
    """An event about a job, of prod's company unless told otherwise; `n` makes it different from others."""
    key = "appointment" if event.startswith("job.appointment.") else event.partition(".")[0]
    said = {
        "event": event,
        "event_occurred_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "company_id": COMPANIES["prod"],
        key: {"id": JOB} if resource is None else resource,
        **more,
    }
    return json.dumps({name: value for name, value in said.items() if value is not None}).encode()


def signed(body: bytes, secret: str = SECRETS["prod"], at: float | None = None) -> dict[str, str]:
    """The headers that prove a body."""
    timestamp = str(int(time.time() if at is None else at))
    digest = hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    return {"Api-Timestamp": timestamp, "Api-Signature": digest, "Content-Type": "application/json"}


def with_hooks(house: House, **more: str) -> House:
    """Both environments take webhooks."""
    for env in ("dev", "prod"):
        house.set(env, HCP_WEBHOOK_SECRET=SECRETS[env], HCP_COMPANY_ID=COMPANIES[env], **more)
    return house.write()


def hooks_of(house: House, env: str = "prod") -> tuple[Event, ...]:
    """What is stored, newest first."""
    with house.database(env) as database, database.read() as connection:
        return events.recent(connection, 100_000, kinds=(EventKind.HCP,))


def enqueued(house: House, env: str = "prod") -> dict[str, str]:
    """By event, the job in whose queue its work waits."""
    query = text(
        "SELECT workflow_uuid, queue_partition_key FROM workflow_status WHERE name = :name AND queue_name = :q"
    )
    with house.database(env) as database, database.read() as connection:
        found = connection.execute(query, {"name": HOOK_WORKFLOW, "q": HOOK_QUEUE})
        return {row[0].removeprefix("hook:"): row[1] for row in found}


@pytest.fixture
def hook_house(house: House) -> House:
    return with_hooks(house)
