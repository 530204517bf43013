"""A plan that found nothing to do, and what the same inputs give later that day; it compares no inputs itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from changeover.core.plan import Plan
from changeover.core.recollection import Seen
from changeover.core.stay import Batch, Known


def at_rest(plan: Plan, known: Known, batches: Iterable[Batch]) -> bool:
    """True where nothing became of anything: no row, no counter of absence, no hold, no alert; stays were seen again.

    Then nothing waits for time to pass but the next day of the business: misses and held removals count by the hour,
    everything else by the date. A batch that was known before does not tell what is seen again, so it is at no rest.
    """
    if plan.changes or plan.sightings or plan.forgotten or plan.holds or plan.alerts or plan.counts.misses:
        return False
    instants = {batch.at for batch in batches}
    return all(each.last_seen not in instants for each in known.sightings)


def once_more(plan: Plan, now: datetime) -> Plan:
    """What the inputs of a plan at rest give at another instant of the same day of the business."""
    return replace(plan, now=now, seen=tuple(Seen(step.source, step.at, now) for step in plan.seen))
