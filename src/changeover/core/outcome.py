"""The plan that falls out of a ledger by comparing every row before with after; it changes nothing in the ledger."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date

from changeover.core.draft import Draft
from changeover.core.ledger import Ledger
from changeover.core.plan import Change, Counts, Plan, Verb, create_key, tally
from changeover.core.recollection import to_store
from changeover.core.stay import Hold, Sighting, Status, Stay


def draw_plan(ledger: Ledger) -> Plan:
    """Everything the run decided, in an order that depends on nothing but the values."""
    changes: list[Change] = []
    kept: dict[tuple[str, str], Sighting] = {}
    for draft in ledger.drafts.values():
        if draft.dropped:
            continue
        stay = _final(ledger, draft)
        change = _change(draft, stay)
        if change is not None:
            changes.append(change)
        if stay.status is Status.OLD:
            continue
        for sighting in draft.sightings.values():
            renamed = sighting if sighting.record_id == stay.record_id else replace(sighting, record_id=stay.record_id)
            kept[sighting.source, stay.record_id] = renamed
    ordered = tuple(sorted(changes, key=_plan_order))
    known = {(each.source, each.record_id): each for each in ledger.known.sightings}
    deleted = {stay.record_id for stay in ledger.known.tombstones}
    kept |= {key: each for key, each in known.items() if key[1] in deleted and key not in kept}
    seen, sightings = to_store(known, kept, ledger.known.entered_anew)
    return Plan(
        now=ledger.now,
        changes=ordered,
        seen=seen,
        sightings=sightings,
        forgotten=tuple(sorted(key for key in known if key not in kept)),
        holds=tuple(sorted(ledger.holds.values(), key=_hold_order)),
        alerts=tuple(sorted(ledger.alerts, key=lambda alert: (alert.rule, alert.subject))),
        counts=_counts(ledger, ordered),
    )


def _final(ledger: Ledger, draft: Draft) -> Stay:
    """The row as the plan leaves it: status, summary and clock of what happened to it in this run."""
    stay = draft.after
    if stay is draft.before:
        return stay  # as nearly all are
    if draft.before is None:
        key = create_key(stay.uid, stay.url, stay.status, stay.check_in, stay.check_out)
        return replace(stay, record_id=key, last_updated=ledger.now)
    summary = "; ".join(_summary(draft, draft.before, ledger.known.property_names)) if stay.live else ""
    if not summary:
        return stay
    return replace(
        stay,
        status=Status.MODIFIED,
        change_summary=summary,
        last_updated=ledger.now,
        missing_count=0,
        missing_since=None,
        last_seen=None,
        suspected_cancel=False,
    )


def _summary(draft: Draft, old: Stay, names: Mapping[str, str]) -> Iterator[str]:
    """The parts of the Change Summary: what of dates, home, type and life differs (R-57, R-58)."""
    new = draft.after
    if old.check_in != new.check_in:
        yield f"Check-in {old.check_in} → {new.check_in}"
    if old.check_out != new.check_out and not draft.rolled:
        yield f"Check-out {old.check_out} → {new.check_out}"
    if old.property_id != new.property_id:
        homes = (names.get(each.property_id, each.property_id) for each in (old, new))
        yield f"Property {' → '.join(homes)}"
    if old.entry_type is not new.entry_type:
        yield f"Entry Type {old.entry_type} → {new.entry_type}"
    if not old.live:
        yield "Reactivated"


def _change(draft: Draft, stay: Stay) -> Change | None:
    before = draft.before
    if before is None:
        return Change(Verb.NEW, None, stay, draft.restores)
    if stay is before or stay == before:
        return None
    if stay.status is not before.status and stay.status in (Status.REMOVED, Status.OLD):
        return Change(Verb.REMOVE if stay.status is Status.REMOVED else Verb.RETIRE, before, stay)
    modified = stay.change_summary != before.change_summary or stay.last_updated != before.last_updated
    change = Change(Verb.MODIFY if modified else Verb.UPDATE, before, stay)
    return change if change.differences() else None


def _counts(ledger: Ledger, changes: tuple[Change, ...]) -> Counts:
    touched = {change.after.record_id for change in changes}
    return Counts(
        read=ledger.numbers["read"],
        kept=ledger.numbers["kept"],
        changes=tally(changes, ledger.held()),
        unchanged=sum(1 for stay in ledger.known.stays if stay.live and stay.record_id not in touched),
        reactivated=sum(1 for change in changes if change.verb is Verb.MODIFY and _was_gone(change)),
        mirrors=ledger.numbers["mirrors"],
        mirrors_differing=ledger.numbers["mirrors_differing"],
        duplicates=ledger.numbers["duplicates"],
        misses=ledger.numbers["misses"],
        rejected=dict(ledger.rejected),
        dropped=dict(ledger.left_out),
    )


def _was_gone(change: Change) -> bool:
    return change.before is not None and not change.before.live


def _plan_order(change: Change) -> tuple[str, date, date, str, str]:
    stay = change.after
    return stay.property_id, stay.check_in, stay.check_out, str(change.verb), stay.record_id


def _hold_order(hold: Hold) -> tuple[str, str, str]:
    return hold.source, hold.record_id, str(hold.reason)
