"""The durable workflows of this release; importing it loads the engine, so only `durable` does, at launch (LB-22)."""

from __future__ import annotations

from dbos import DBOS

from changeover.engine.names import DELIVER_WORKFLOW, MOST_RECOVERIES
from changeover.engine.sending import Sending, Sent, send_some


class NotBound(RuntimeError):
    """A workflow ran in a process that has not said what it works with."""


class _Bench:
    """What this process's workflows work with. Workflows get ids only; live objects lie here (LB-2, LB-21)."""

    sending: Sending | None = None


_bench = _Bench()


def bind(sending: Sending | None) -> None:
    """Gives this process's workflows their live objects, before launch; None takes them away."""
    _bench.sending = sending


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
