"""One step of a delivery: some batches, and what is told of them; where the writes go is its caller's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic
from typing import NamedTuple

from changeover.airtable.deliver import Progress
from changeover.core.plan import Alert
from changeover.engine.stopping import Interrupted, Stopping
from changeover.store import alerts
from changeover.store.database import Database

_FRUITLESS = 6  # calls in a row that change nothing: an unclear create takes two, so three rounds of it


class Sent(NamedTuple):
    """What a step or a whole delivery came to. `stopped` says why something is left: a word of Progress, or

    `interrupted` (the run is to end), `no_progress` (nothing moved any more), `dead_letter`.
    """

    left: int
    sent: int = 0
    failed: int = 0
    stopped: str = ""

    @property
    def over(self) -> bool:
        return not self.left or bool(self.stopped)

    def after(self, earlier: Sent) -> Sent:
        """The sum of this step and those before it."""
        return Sent(self.left, earlier.sent + self.sent, earlier.failed + self.failed, self.stopped)


@dataclass(frozen=True, slots=True)
class Sending:
    """The live objects of this process's deliveries: `send` sends one batch of a run (`deliver.send_next`)."""

    env: str
    database: Database
    send: Callable[[str], Progress]
    stopping: Stopping
    step_seconds: float = 2.0


def send_some(sending: Sending, run_id: str) -> Sent:
    """Sends batches of a run for a short while; safe to repeat, as every batch's state is in its rows.

    Ends between two requests when the run is to end (C-33). Raises LeaseLost.
    """
    until = monotonic() + sending.step_seconds
    total, fruitless = Sent(left=1), 0
    while True:
        if sending.stopping.reason is not None:
            return total._replace(stopped="interrupted")
        try:
            progress = sending.send(run_id)
            if progress.wait_until is not None:
                sending.stopping.sleep(max(0.0, (progress.wait_until - datetime.now(UTC)).total_seconds()))
        except Interrupted:
            return total._replace(stopped="interrupted")
        _tell(sending, run_id, progress.alerts)
        moved = progress.sent or progress.failed or progress.left != total.left
        fruitless = 0 if moved else fruitless + 1
        total = Sent(progress.left, progress.sent, progress.failed, progress.stopped).after(total)
        if total.over or monotonic() >= until:
            return total
        if fruitless >= _FRUITLESS:
            return total._replace(stopped="no_progress")


def _tell(sending: Sending, run_id: str, raised: Sequence[Alert]) -> None:
    """Alerts go into the store at once: what the engine keeps of a step holds numbers only (LB-21)."""
    if raised:
        with sending.database.begin() as connection:
            for alert in raised:
                alerts.open_or_repeat(connection, sending.env, alert, datetime.now(UTC), run_id)
