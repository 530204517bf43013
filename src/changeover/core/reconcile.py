"""(known stays, batches, now, rules) -> Plan: what the base must become so that it says what the sources say.

Nothing here reads a clock, a file or a network; the same inputs, in any order of batches, give the same plan (R-10).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from changeover.core import absence
from changeover.core.create import restore
from changeover.core.draft import Draft
from changeover.core.follow import follow_own
from changeover.core.identity import mirror_lines
from changeover.core.ledger import Ledger
from changeover.core.merge import merge
from changeover.core.mirrors import leave_behind, make, settle
from changeover.core.outcome import draw_plan
from changeover.core.owner import settle_owner
from changeover.core.plan import Plan
from changeover.core.stay import Batch, Known, Rules
from changeover.core.turnover import with_flags


def reconcile(known: Known, batches: Sequence[Batch], now: datetime, rules: Rules) -> Plan:
    """Decides what becomes of every stay (R-6 … R-89): batches in order of source key, removals after all else."""
    ordered = sorted(batches, key=lambda batch: batch.source.key)
    ledger = Ledger(known, ordered, now, rules)
    absence.apply_rejections(ledger)
    left = [(batch, follow_own(ledger, batch)) for batch in ordered if not batch.retired]
    for step in (settle, restore):
        left = [(batch, step(ledger, batch, observations)) for batch, observations in left]
    for batch, observations in left:
        make(ledger, batch, observations)
    for batch in ordered:
        leave_behind(ledger, batch)
    for draft in ledger.drafts.values():
        settle_owner(ledger, draft)
    merge(ledger)
    for batch in ordered:
        absence.count(ledger, batch)
    absence.judge(ledger)
    merge(ledger)  # a mirror that took over may have brought a row onto the nights of another
    _write_derived(ledger)
    return draw_plan(ledger)


def _write_derived(ledger: Ledger) -> None:
    """Mirrors and flags of every property, from all its live rows (R-51, R-83); in place, never a version."""
    for property_id in sorted(ledger.by_property):
        drafts = {draft.after.record_id: draft for draft in ledger.live_at(property_id)}
        for draft in drafts.values():
            stay = draft.after
            lines = mirror_lines(stay.source, draft.sightings.values(), stay.also_seen_in)
            if not stay.kept_by_people and lines != stay.also_seen_in:
                draft.after = replace(stay, also_seen_in=lines)
        owner_next = {key: _owner_next(draft) for key, draft in drafts.items()}
        stays = [draft.after for draft in drafts.values()]
        for record_id, flagged in with_flags(stays, ledger.rules, ledger.today, owner_next).items():
            drafts[record_id].after = flagged


def _owner_next(draft: Draft) -> bool:
    return any(sighting.next_is_owner for sighting in draft.sightings.values() if not sighting.gone)
