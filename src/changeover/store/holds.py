"""Removals that wait for a person (R-69): the list, and the person's word on it; it never carries one out."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, Row, Update, delete, select, update

from changeover.core.stay import Decision, Hold, HoldReason
from changeover.store.tables import holds
from changeover.store.upsert import upsert


@dataclass(frozen=True, slots=True)
class Held:
    """A hold under the short id by which people name it; the id depends on source and row only."""

    id: str
    hold: Hold


@dataclass(frozen=True, slots=True)
class Decided:
    """What a decision reached, and the ids nobody knows."""

    held: tuple[Held, ...]
    unknown: tuple[str, ...]


def hold_id(source: str, record_id: str) -> str:
    """`held-` and 10 hex digits, equal for as long as the removal waits."""
    return "held-" + hashlib.sha256(f"{source}\x1f{record_id}".encode()).hexdigest()[:10]


def load_all(connection: Connection) -> tuple[Held, ...]:
    """Every hold with its decision, longest waiting first."""
    rows = connection.execute(select(holds).order_by(holds.c.since, holds.c.source, holds.c.record_id))
    return tuple(_held(row) for row in rows)


def replace_all(connection: Connection, current: Iterable[Hold]) -> None:
    """Makes the stored list the plan's. A decision made since the plan was begun stays with a hold still waiting."""
    stored = {(held.hold.source, held.hold.record_id): held.hold for held in load_all(connection)}
    connection.execute(delete(holds))
    upsert(connection, holds, (_row(_with_decision(hold, stored)) for hold in current))


def decide(connection: Connection, ids: Sequence[str] | None, decision: Decision) -> Decided:
    """Puts a person's word on the named holds, or on all for None; the next run carries it out."""
    known = {held.id: held for held in load_all(connection)}
    wanted = list(known) if ids is None else list(dict.fromkeys(ids))
    chosen = [known[each] for each in wanted if each in known]
    for held in chosen:
        connection.execute(_of(held.hold).values(decision=str(decision)))
    decided = tuple(Held(held.id, replace(held.hold, decision=decision)) for held in chosen)
    return Decided(decided, tuple(each for each in wanted if each not in known))


def rename(connection: Connection, create_key: str, record_id: str) -> int:
    """Gives the holds of a created row its record id (AT-45); returns how many moved."""
    known = connection.scalars(select(holds.c.source).where(holds.c.record_id == create_key)).all()
    if known:
        connection.execute(delete(holds).where(holds.c.record_id == record_id, holds.c.source.in_(known)))
        connection.execute(update(holds).where(holds.c.record_id == create_key).values(record_id=record_id))
    return len(known)


def _of(hold: Hold) -> Update:
    return update(holds).where(holds.c.source == hold.source, holds.c.record_id == hold.record_id)


def _with_decision(hold: Hold, stored: Mapping[tuple[str, str], Hold]) -> Hold:
    earlier = stored.get((hold.source, hold.record_id))
    if earlier is None or hold.decision is not Decision.WAITING:
        return hold
    # A person approved the removal of these nights; other nights are another question.
    same = (earlier.check_in, earlier.check_out, earlier.reason) == (hold.check_in, hold.check_out, hold.reason)
    return replace(hold, decision=earlier.decision) if same else hold


def _held(row: Row[tuple[object, ...]]) -> Held:
    hold = Hold(
        source=row.source,
        record_id=row.record_id,
        property_id=row.property_id,
        check_in=row.check_in,
        check_out=row.check_out,
        since=row.since,
        decision=Decision(row.decision),
        reason=HoldReason(row.reason),
    )
    return Held(hold_id(hold.source, hold.record_id), hold)


def _row(hold: Hold) -> Mapping[str, object]:
    return {
        "source": hold.source,
        "record_id": hold.record_id,
        "property_id": hold.property_id,
        "check_in": hold.check_in,
        "check_out": hold.check_out,
        "since": hold.since,
        "decision": str(hold.decision),
        "reason": str(hold.reason),
    }
