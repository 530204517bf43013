"""The plan of each run, as it was printed (C-18); it is read by people and `undo`, never carried out from here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from changeover.core.plan import Plan
from changeover.store.tables import plans
from changeover.store.upsert import upsert


@dataclass(frozen=True, slots=True)
class StoredPlan:
    """A plan's plain form (`Plan.to_json`) and the run it belongs to."""

    run_id: str
    created_at: datetime
    body: Mapping[str, object]


def save(connection: Connection, run_id: str, plan: Plan, at: datetime) -> None:
    """Stores a run's plan over any earlier one of the run."""
    upsert(connection, plans, [{"run_id": run_id, "created_at": at, "body": plan.to_json()}])


def keep(connection: Connection, run_id: str, report: Mapping[str, object], at: datetime) -> None:
    """Stores what a run without a plan has to tell besides its counters, in a plan's place."""
    upsert(connection, plans, [{"run_id": run_id, "created_at": at, "body": dict(report)}])


def show(connection: Connection, run_id: str) -> StoredPlan | None:
    row = connection.execute(select(plans).where(plans.c.run_id == run_id)).one_or_none()
    return None if row is None else StoredPlan(row.run_id, row.created_at, row.body)
