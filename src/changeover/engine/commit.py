"""Stores a plan, what was seen and missed, and the intended outside writes in one transaction; it sends nothing."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from changeover.airtable import deliver
from changeover.core.plan import Alert, Plan
from changeover.store import alerts, holds, plans, sightings
from changeover.store import feeds as feed_store
from changeover.store.database import Database
from changeover.store.deliveries import Write
from changeover.store.feeds import FeedState


@dataclass(frozen=True, slots=True)
class Commission:
    """All that one run leaves behind: plan, the sources' new states, further writes, alerts and the rules they cover.

    `looked_at` names the alert rules for which this run saw every subject: what it did not raise is over (A-1).
    `memory` stores what a source remembers of its own.
    """

    env: str
    run_id: str
    plan: Plan
    feed_states: Sequence[FeedState] = ()
    writes: Sequence[Write] = ()
    alerts: Sequence[Alert] = ()
    looked_at: Collection[str] = ()
    memory: Callable[[Connection], None] | None = None


def commit(db: Database, what: Commission, still_ours: Callable[[Connection], None]) -> int:
    """Commits a run's decisions; answers how many outside writes wait for delivery.

    `still_ours` is asked inside the transaction and raises when another run has taken the lease (C-30): then nothing
    of this is kept.
    """
    with db.begin() as connection:
        still_ours(connection)
        sightings.forget(connection, what.plan.forgotten)
        sightings.see_again(connection, what.plan.seen)
        sightings.save(connection, what.plan.sightings)
        holds.replace_all(connection, what.plan.holds)
        feed_store.save(connection, what.feed_states)
        if what.memory is not None:
            what.memory(connection)
        plans.save(connection, what.run_id, what.plan, what.plan.now)
        raise_alerts(connection, what)
        return deliver.enqueue(connection, what.run_id, what.plan, what.writes)


def raise_alerts(connection: Connection, what: Commission) -> None:
    raised = (*what.plan.alerts, *what.alerts)
    for alert in raised:
        alerts.open_or_repeat(connection, what.env, alert, what.plan.now, what.run_id)
    still = {alerts.key_of(what.env, alert.rule, alert.subject) for alert in raised}
    alerts.resolve_others(connection, what.env, what.looked_at, still, what.plan.now)
