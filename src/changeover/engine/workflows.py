"""The durable workflows of this release; importing it loads the engine, so only its starters do, at launch (LB-22)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from dbos import DBOS, SetEnqueueOptions, SetWorkflowID

from changeover.engine import names
from changeover.engine.names import DELIVER_WORKFLOW, MAIL_QUEUE, MAIL_WORKFLOW, MOST_RECOVERIES
from changeover.engine.sending import Sending, Sent, send_some

if TYPE_CHECKING:
    from changeover.engine.mails import Again


class NotBound(RuntimeError):
    """A workflow ran in a process that has not said what it works with."""


class _Bench:
    """What this process's workflows work with. Workflows get ids only; live objects lie here (LB-2, LB-21)."""

    sending: Sending | None = None
    work_mail: Callable[[str], Again] | None = None


_bench = _Bench()


def bind(sending: Sending | None) -> None:
    """Gives deliveries their live objects, before launch; None takes them away."""
    _bench.sending = sending


def bind_mails(work: Callable[[str], Again] | None) -> None:
    """Gives mails what works them, before launch; None takes it away."""
    _bench.work_mail = work


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
