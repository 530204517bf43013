"""A cycle's writes to the base: what earlier runs left goes first, then what each step has committed (C-3, C-5)."""

from __future__ import annotations

from typing import Final

from changeover.airtable.client import AirtableClient
from changeover.airtable.deliver import Delivery, send_next
from changeover.airtable.schema import SchemaFacts
from changeover.engine.durable import Durable, ExecutorInUse, asked_to_revive
from changeover.engine.lease import Lease
from changeover.engine.outcome import Failure
from changeover.engine.results import Refused
from changeover.engine.sending import Sending, Sent
from changeover.engine.stopping import Stopping
from changeover.engine.work import Delivered
from changeover.ops import logging
from changeover.settings import Settings
from changeover.store.database import Database
from changeover.store.runs import RunState

log = logging.get(__name__)

_MOST_HANGING: Final = 9  # runs of this host that lost their lease and still hold an id


class Deliveries:
    """Those of one cycle. Nothing is sent before `settle`, which a rehearsal never calls."""

    def __init__(
        self, settings: Settings, db: Database, client: AirtableClient, lease: Lease, stopping: Stopping
    ) -> None:
        self._settings, self._db, self._client = settings, db, client
        self._lease, self._stopping = lease, stopping
        self.durable: Durable | None = None

    def settle(self, facts: SchemaFacts) -> Failure | None:
        """Delivers what earlier runs left; why something of it is left (C-5). Raises Refused, LeaseLost."""
        self.durable = self._engine(self._sending(facts))
        with self._db.begin() as connection:
            revive = asked_to_revive(connection)
        if revive:
            self.durable.revive()
        settled = self.durable.settle()
        log.info("deliveries.settled", sent=settled.total.sent, left=settled.total.left, stopped=settled.total.stopped)
        return None if not settled.total.left and not settled.dead else _failure(settled.total)

    def deliver(self, run_id: str) -> Delivered:
        """Sends what a run has committed. Raises LeaseLost."""
        if self.durable is None:
            return Delivered()
        sent = self.durable.deliver(run_id)
        log.info("plan.delivered", sent=sent.sent, failed=sent.failed, left=sent.left, stopped=sent.stopped)
        return Delivered(sent.left, sent.failed, _failure(sent) if sent.left else None)

    def close(self) -> None:
        if self.durable is not None:
            self.durable.close()

    def _engine(self, sending: Sending) -> Durable:
        """Started under our id, or the next where a run that hangs, its lease lost, still has it (C-4, C-30)."""
        for number in range(1, _MOST_HANGING + 1):
            durable = Durable(sending, self._settings.folder, number=number)
            try:
                durable.start()
            except ExecutorInUse:
                log.warning("engine.id_in_use", executor=durable.executor)
                continue
            return durable
        raise Refused(RunState.LOCKED, 5, "runs that hang have every id of the engine: end their processes")

    def _sending(self, facts: SchemaFacts) -> Sending:
        context = Delivery(self._client, self._db, facts, check_lease=self._lease.check, sleep=self._stopping.sleep)
        return Sending(self._settings.environment, self._db, lambda run_id: send_next(context, run_id), self._stopping)


def _failure(sent: Sent) -> Failure:
    """What stands in the way of a delivery, as a run's failure."""
    texts = {
        "rate_limited": ("rate_limited", "Airtable asks to wait (429); the rest stays queued", True),
        "billing_blocked": ("billing_blocked", "the month's Airtable calls are used up; the rest stays queued", True),
        "credential_refused": ("credential_refused", "Airtable refuses AIRTABLE_API_KEY; the rest stays queued", False),
        "unavailable": ("airtable_error", "Airtable does not answer; the rest stays queued", True),
        "no_progress": ("airtable_error", "Airtable takes no write; the rest stays queued", True),
    }
    code, text, unreachable = texts.get(sent.stopped, (sent.stopped or "undelivered", "writes wait to be sent", False))
    return Failure(code, text, unreachable, configuration=code == "credential_refused")
