"""A webhook as it arrives: proven, named and keyed (HC-76 … HC-89, J-72 … J-75); it stores nothing and reads no job."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from changeover.core.job import Job
from changeover.housecallpro.client import Object
from changeover.housecallpro.errors import BadPayload, Json
from changeover.housecallpro.models import JobModel, parsed

TIMESTAMP_HEADER: Final = "Api-Timestamp"
SIGNATURE_HEADER: Final = "Api-Signature"
FORWARDER_HEADER: Final = "X-Internal-Auth"
TOLERANCE_SECONDS: Final = 300

_SECONDS: Final = re.compile(r"[0-9]{1,12}")
_SIGNATURE: Final = re.compile(r"(?:sha256=)?([0-9a-f]{64})", re.IGNORECASE)
_PING: Final[Json] = {"foo": "bar"}


class Family(StrEnum):
    """What kind of work an event is (J-80); only the first two lead to a read."""

    JOB = "job"
    APPOINTMENT = "appointment"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Webhook:
    """One event. `resource_id` names what it is about, `job_id` the job to read, "" for none; `payload` is a hint only.

    `occurred_at` is the service's own text, as it goes into the dedupe key.
    """

    event: str
    family: Family
    resource_id: str
    job_id: str
    company_id: str
    occurred_at: str
    payload: Object

    @property
    def action(self) -> str:
        """The last part of the event's name: `completed`, `appointment_discarded`."""
        return self.event.rpartition(".")[2]

    def job(self) -> Job | None:
        """The job as the event shows it, for the cache and its marker (J-82); never written to a row (J-76)."""
        if self.family is not Family.JOB:
            return None
        try:
            return parsed(JobModel, self.payload).job()
        except BadPayload:
            return None


def is_ping(body: bytes) -> bool:
    """The unsigned request that is sent when somebody saves the address (HC-76)."""
    return len(body) <= _PING_LIMIT and _json(body) == _PING


def signed(timestamp: str, signature: str, body: bytes, secrets: Iterable[str], now: datetime) -> bool:
    """Whether the service itself has sent these bytes within five minutes (HC-80, HC-81); never without a secret."""
    seconds, given = timestamp.strip(), _SIGNATURE.fullmatch(signature.strip())
    if not _SECONDS.fullmatch(seconds) or given is None:
        return False
    if abs(now.timestamp() - int(seconds)) > TOLERANCE_SECONDS:
        return False
    message = seconds.encode() + b"." + body
    digests = [hmac.new(secret.encode(), message, hashlib.sha256).hexdigest() for secret in secrets if secret]
    return any(hmac.compare_digest(digest, given[1].lower()) for digest in digests)


def forwarded(given: str, secrets: Iterable[str]) -> bool:
    """Whether the forwarder shows one of its secrets (HC-123), compared in constant time; never without a secret."""
    shown = given.strip().encode()
    return any(hmac.compare_digest(secret.encode(), shown) for secret in secrets if secret)


def read(body: bytes) -> Webhook | None:
    """A body as an event (HC-82, HC-83); None for what is no JSON object with an event's name (J-73)."""
    envelope = _json(body)
    event = envelope.get("event") if isinstance(envelope, dict) else None
    if not isinstance(envelope, dict) or not isinstance(event, str) or not event:
        return None
    family, key = _family(event)
    resource = envelope.get(key)
    payload = resource if isinstance(resource, dict) else {}
    about = _text(payload.get("id"))
    job_id = {Family.JOB: about, Family.APPOINTMENT: _text(payload.get("job_id"))}.get(family, "")
    return Webhook(
        event=event,
        family=family,
        resource_id=about,
        job_id=job_id,
        company_id=_text(envelope.get("company_id")),
        occurred_at=_text(envelope.get("event_occurred_at")),
        payload=payload,
    )


def dedupe_key(webhook: Webhook | None, timestamp: str, body: bytes) -> str:
    """The same for every repeat of one event, another for every other (J-75); 64 hex digits."""
    event, about, at = (
        ("", "", timestamp)
        if webhook is None
        else (webhook.event, webhook.resource_id, webhook.occurred_at or timestamp)
    )
    head = "\0".join((event, about, at.strip()))
    return hashlib.sha256(head.encode("utf-8", "surrogatepass") + b"\0" + body).hexdigest()


_PING_LIMIT: Final = 100


def _family(event: str) -> tuple[Family, str]:
    """The family and the key under which the resource stands."""
    if event.startswith("job.appointment."):
        return Family.APPOINTMENT, "appointment"
    first = event.partition(".")[0]
    return (Family.JOB if first == "job" else Family.OTHER), first


def _json(body: bytes) -> Json:
    try:
        found: Json = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return found


def _text(value: Json) -> str:
    return value if isinstance(value, str) else ""
