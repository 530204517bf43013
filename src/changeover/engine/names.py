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
HOOK_WORKFLOW: Final = "hook.v1"
HOOK_QUEUE: Final = "hooks"
CLICK_WORKFLOW: Final = "click.v1"
CLICK_QUEUE: Final = "clicks"
RUN_WORKFLOW: Final = "run.v1"
RUN_QUEUE: Final = "runs"
MOST_RECOVERIES: Final = 5
"""So often a workflow whose process was killed is begun again before it is a dead letter (LB-18)."""


WORKER_BEAT: Final = "worker.beat."
"""The names of the facts that say when each worker was last alive (K-7)."""

RECONCILIATION: Final = "Job Reconciliation"
AUTOMATIONS: Final = (
    "ICS Calendar",
    "CSV Files",
    "Evolve",
    RECONCILIATION,
    "Add Service Jobs",
    "Sync Service Jobs",
    "Update Service Lines",
)
"""The steps of a cycle in their order (C-2), for those who may not load them all to know their names."""


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


def hook(event_id: str, attempt: int = 1) -> str:
    """The workflow id of a webhook's work, as a mail's."""
    return f"hook:{event_id}" if attempt == 1 else f"hook:{event_id}:{attempt}"


def click(operation_id: str, attempt: int = 1) -> str:
    """The workflow id of what a person asked for; a later attempt goes on after a worker that was asked to end."""
    return f"click:{operation_id}" if attempt == 1 else f"click:{operation_id}:{attempt}"


def requested_run(cycle_id: str, attempt: int = 1) -> str:
    """The workflow id of runs that were asked for, by the cycle they will be."""
    return f"run:{cycle_id}" if attempt == 1 else f"run:{cycle_id}:{attempt}"
