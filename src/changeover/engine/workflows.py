"""The durable workflows of this release; importing it loads the engine, so only its starters do, at launch (LB-22)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from dbos import DBOS, SetEnqueueOptions, SetWorkflowID

from changeover.engine import names
from changeover.engine.names import (
    CLICK_QUEUE,
    CLICK_WORKFLOW,
    DELIVER_WORKFLOW,
    HOOK_QUEUE,
    HOOK_WORKFLOW,
    MAIL_QUEUE,
    MAIL_WORKFLOW,
    MOST_RECOVERIES,
    RUN_QUEUE,
    RUN_WORKFLOW,
)
from changeover.engine.sending import Sending, Sent, send_some

if TYPE_CHECKING:
    from changeover.engine.hooks import Next
    from changeover.engine.mails import Again

_NEXT_WORKER = 2.0  # seconds: what this process leaves, as it is to end, it must not take up again


class NotBound(RuntimeError):
    """A workflow ran in a process that has not said what it works with."""


class _Bench:
    """What this process's workflows work with. Workflows get ids only; live objects lie here (LB-2, LB-21)."""

    sending: Sending | None = None
    work_mail: Callable[[str], Again] | None = None
    work_hook: Callable[[str], Sequence[Next]] | None = None
    work_click: Callable[[str], bool] | None = None
    work_run: Callable[[str], bool] | None = None


_bench = _Bench()


def bind(sending: Sending | None) -> None:
    """Gives deliveries their live objects, before launch; None takes them away."""
    _bench.sending = sending


def bind_mails(work: Callable[[str], Again] | None) -> None:
    """Gives mails what works them, before launch; None takes it away."""
    _bench.work_mail = work


def bind_hooks(work: Callable[[str], Sequence[Next]] | None) -> None:
    """Gives webhooks what works them, before launch; None takes it away."""
    _bench.work_hook = work


def bind_clicks(work: Callable[[str], bool] | None) -> None:
    """Gives clicks what works them, before launch; None takes it away."""
    _bench.work_click = work


def bind_runs(work: Callable[[str], bool] | None) -> None:
    """Gives requested runs what carries them out, before launch; None takes it away."""
    _bench.work_run = work


@DBOS.workflow(name=DELIVER_WORKFLOW, max_recovery_attempts=MOST_RECOVERIES)
def deliver(run_id: str) -> tuple[int, int, int, str]:
    """Sends a run's writes until none is left or something is in the way; the numbers of `Sent` (AT-40)."""
    total = Sent(left=1)
    while not total.over:
        total = Sent(*_send(run_id)).after(total)
    return total.left, total.sent, total.failed, total.stopped


@DBOS.step(name="send")
def _send(run_id: str) -> tuple[int, int, int, str]:
    if _bench.sending is None:
        raise NotBound(DELIVER_WORKFLOW)
    sent = send_some(_bench.sending, run_id)
    return sent.left, sent.sent, sent.failed, sent.stopped  # plain values: what is stored outlives our classes


@DBOS.workflow(name=MAIL_WORKFLOW, max_recovery_attempts=MOST_RECOVERIES)
def mail(event_id: str) -> None:
    """Works a mail once. A try that failed is followed by another, which waits in the queue and holds up nobody."""
    attempt, seconds = _work_mail(event_id)
    if attempt:
        with SetWorkflowID(names.mail(event_id, attempt)), SetEnqueueOptions(delay_seconds=seconds):
            DBOS.enqueue_workflow(MAIL_QUEUE, mail, event_id)


@DBOS.step(name="work_mail")
def _work_mail(event_id: str) -> tuple[int, float]:
    if _bench.work_mail is None:
        raise NotBound(MAIL_WORKFLOW)
    again = _bench.work_mail(event_id)
    return again.attempt, again.seconds


@DBOS.workflow(name=HOOK_WORKFLOW, max_recovery_attempts=MOST_RECOVERIES)
def hook(event_id: str, job_id: str) -> None:
    """Works a webhook and all that wait for the same job. What is to be tried again waits in the job's queue."""
    for each_id, attempt, seconds in _work_hook(event_id):
        options = SetEnqueueOptions(delay_seconds=seconds, queue_partition_key=job_id)
        with SetWorkflowID(names.hook(each_id, attempt)), options:
            DBOS.enqueue_workflow(HOOK_QUEUE, hook, each_id, job_id)


@DBOS.step(name="work_hook")
def _work_hook(event_id: str) -> list[tuple[str, int, float]]:
    if _bench.work_hook is None:
        raise NotBound(HOOK_WORKFLOW)
    return [(each.event_id, each.attempt, each.seconds) for each in _bench.work_hook(event_id)]


@DBOS.workflow(name=CLICK_WORKFLOW, max_recovery_attempts=MOST_RECOVERIES)
def click(operation_id: str, attempt: int) -> None:
    """Does what a person asked for. Where its worker was asked to end meanwhile, the next one goes on (C-33)."""
    if _work_click(operation_id):
        with SetWorkflowID(names.click(operation_id, attempt + 1)), SetEnqueueOptions(delay_seconds=_NEXT_WORKER):
            DBOS.enqueue_workflow(CLICK_QUEUE, click, operation_id, attempt + 1)


@DBOS.step(name="work_click")
def _work_click(operation_id: str) -> bool:
    if _bench.work_click is None:
        raise NotBound(CLICK_WORKFLOW)
    return _bench.work_click(operation_id)


@DBOS.workflow(name=RUN_WORKFLOW, max_recovery_attempts=MOST_RECOVERIES)
def requested_run(cycle: str, attempt: int) -> None:
    """Carries out what a person asked for; as with a click, the next worker goes on."""
    if _work_run(cycle):
        with SetWorkflowID(names.requested_run(cycle, attempt + 1)), SetEnqueueOptions(delay_seconds=_NEXT_WORKER):
            DBOS.enqueue_workflow(RUN_QUEUE, requested_run, cycle, attempt + 1)


@DBOS.step(name="work_run")
def _work_run(cycle: str) -> bool:
    if _bench.work_run is None:
        raise NotBound(RUN_WORKFLOW)
    return _bench.work_run(cycle)
