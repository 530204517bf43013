"""Two live rows of one stay become one, and a person is asked where both have a job (R-49, R-55)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from changeover.core.draft import Draft
from changeover.core.ledger import Ledger
from changeover.core.memory import MERGED
from changeover.core.owner import settle_owner
from changeover.core.plan import Level
from changeover.core.stay import Decision, Hold, HoldReason


def merge(ledger: Ledger) -> None:
    """Live rows that bear one source's same uid, or came to the same nights, become one (R-55)."""
    by_uid = _groups(ledger, lambda draft: (draft.after.property_id, draft.after.source, draft.after.uid))
    for drafts in by_uid:
        if any(ledger.was_seen(draft, draft.after.source or "") for draft in drafts):  # else nobody knows its nights
            _merge_group(ledger, drafts)
    for drafts in _groups(ledger, lambda draft: (draft.after.property_id, *draft.nights)):
        _merge_group(ledger, drafts)


def _groups(ledger: Ledger, key: Callable[[Draft], tuple[object, ...]]) -> list[list[Draft]]:
    """Live rows that agree in something, where there are several, in a fixed order."""
    alone: dict[tuple[object, ...], Draft] = {}  # as nearly all rows are
    groups: dict[tuple[object, ...], list[Draft]] = {}
    for draft in ledger.drafts.values():
        if draft.live and draft.after.source is not None:
            same = key(draft)
            first = alone.setdefault(same, draft)
            if first is not draft:
                groups.setdefault(same, [first]).append(draft)
    return [groups[same] for same in sorted(groups, key=str)]


def _merge_group(ledger: Ledger, drafts: list[Draft]) -> None:
    one_source = len({draft.after.source for draft in drafts}) == 1
    ranked = sorted(drafts, key=lambda draft: _survival(ledger, draft, one_source=one_source))
    for other in ranked[1:]:
        _merge_pair(ledger, ranked[0], other)


def _survival(ledger: Ledger, draft: Draft, *, one_source: bool) -> tuple[bool, bool, bool, datetime, str]:
    """The row with a job stays, else the older (R-55); within one source, the one it shows before one it does not."""
    stay = draft.after
    unseen = one_source and not ledger.was_seen(draft, stay.source or "")
    return not stay.job_id, draft.before is None, unseen, stay.created, stay.record_id


def _merge_pair(ledger: Ledger, survivor: Draft, other: Draft) -> None:
    if not (survivor.after.source == other.after.source and _was_live(survivor) and _was_live(other)):
        absorb(ledger, survivor, other)
    elif other.after.job_id:
        _hold_duplicate(ledger, survivor, other)
    else:
        _inherit(ledger, survivor, other)
        ledger.retire(other)
        settle_owner(ledger, survivor)


def absorb(ledger: Ledger, survivor: Draft, other: Draft) -> None:
    """The other row ends; what its sources showed now counts for the survivor."""
    _inherit(ledger, survivor, other)
    ledger.remove(other, f"{MERGED}{survivor.after.uid}")
    settle_owner(ledger, survivor)


def _inherit(ledger: Ledger, survivor: Draft, other: Draft) -> None:
    """What sources and reports say of the row that ends counts for the survivor; its uids lead there from now on."""
    for source, sighting in other.sightings.items():
        own, shown = survivor.sightings.get(source), ledger.was_seen(other, source)
        apart = own is not None and not survivor.shares_a_night(own.check_in, own.check_out)
        stale = apart and not ledger.was_seen(survivor, source)
        newer, older = (sighting, own) if shown or stale or own is None else (own, sighting)
        uids = dict.fromkeys((*newer.uids, *(older.uids if older else ())))
        survivor.sightings[source] = replace(newer, record_id=survivor.after.record_id, uids=tuple(uids))
        ledger.by_source[source][survivor] = None
        if shown:
            ledger.note_seen(survivor, source)
    survivor.hear(other.report)
    other.sightings = {key: sighting for key, sighting in other.sightings.items() if key == other.after.source}


def _hold_duplicate(ledger: Ledger, survivor: Draft, other: Draft) -> None:
    stay = other.after
    earlier = next(
        (h for h in ledger.known.holds if h.record_id == stay.record_id and h.reason is HoldReason.DUPLICATE), None
    )
    decision = earlier.decision if earlier else Decision.WAITING
    if decision is Decision.APPROVED:
        absorb(ledger, survivor, other)
        return
    hold = Hold(
        source=stay.source or "",
        record_id=stay.record_id,
        property_id=stay.property_id,
        check_in=stay.check_in,
        check_out=stay.check_out,
        since=earlier.since if earlier else ledger.now,
        decision=decision,
        reason=HoldReason.DUPLICATE,
    )
    _show_with(ledger, survivor, other)
    if earlier is None and (hold.source, hold.record_id, hold.reason) not in ledger.holds:
        text = f"{ledger.describe(other)} has two live rows with a job each"
        ledger.alert("duplicate_row", stay.record_id, Level.ERROR, text)
    ledger.hold(hold)


def _show_with(ledger: Ledger, survivor: Draft, other: Draft) -> None:
    """While a person decides, whatever shows the one row shows the other: it is not missed."""
    for source in other.sightings:
        if ledger.was_seen(survivor, source):
            ledger.still_there(other, source, survivor.sightings[source].last_seen)


def _was_live(draft: Draft) -> bool:
    return draft.before is not None and draft.before.live
