"""The fixed names of durable work, for those who enqueue and those who execute (LB-7); it holds nothing that varies."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

PROTOCOL: Final = "1"
"""Our workflow protocol, the engine's application version: raised by hand when old work cannot go on (T-11)."""

DELIVER_WORKFLOW: Final = "deliver.v1"
DELIVER_QUEUE: Final = "deliveries"
MAIL_WORKFLOW: Final = "mail.v1"
MAIL_QUEUE: Final = "mails"
MOST_RECOVERIES: Final = 5
"""So often a workflow whose process was killed is begun again before it is a dead letter (LB-18)."""


class Role(StrEnum):
    """What a process is to the engine: it decides which queues it takes work from (LB-16)."""

    CYCLE = "cycle"
    WORKER = "worker"


def application(env: str) -> str:
    """One environment is one application of the engine (LB-1)."""
    return f"changeover-{env}"


def executor(host: str, env: str, role: Role, number: int = 1) -> str:
    """The id under which a process's work is recovered at its next start (C-4); a cycle has one, unless that hangs."""
    return f"{host}-{env}-{role}" if role is Role.CYCLE and number == 1 else f"{host}-{env}-{role}-{number}"


def delivery(run_id: str, attempt: int = 1) -> str:
    """The workflow id of a run's delivery. A later attempt sends what an earlier one, ended, has left."""
    return f"deliver:{run_id}" if attempt == 1 else f"deliver:{run_id}:{attempt}"


def mail(event_id: str, attempt: int = 1) -> str:
    """The workflow id of a mail's work: the same mail is worked once; a later attempt is asked for by a person."""
    return f"mail:{event_id}" if attempt == 1 else f"mail:{event_id}:{attempt}"
