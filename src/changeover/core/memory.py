"""What the rows themselves remember, for the day on which the state database does not (B-7); it decides nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from changeover.core.draft import Draft
from changeover.core.identity import bare_uid, parse_mirrors
from changeover.core.stay import EntryType, Kind, Sighting, Stay

MERGED = "Merged into "


def recall(drafts: Mapping[str, Draft]) -> None:
    """Rebuilds what no sighting tells: each row's own source with its misses, its mirrors, and uids of merged rows."""
    forgotten = {draft.after.uid: draft for draft in drafts.values() if draft.live and draft.own is None}
    for draft in drafts.values():
        stay = draft.after
        if stay.source is None:
            continue
        if stay.source not in draft.sightings:
            own = bare_uid(stay.uid, stay.property_id)
            draft.sightings[stay.source] = _from_row(stay, stay.source, stay.entry_source, own)
        for entry_source, source, uid in parse_mirrors(stay.also_seen_in):
            if source not in draft.sightings:
                draft.sightings[source] = _from_row(stay, source, entry_source, uid)
    for draft in drafts.values():
        stay = draft.after
        if stay.change_summary.startswith(MERGED) and not draft.live:
            _add_alias(forgotten.get(stay.change_summary.removeprefix(MERGED)), stay)


def _add_alias(survivor: Draft | None, merged: Stay) -> None:
    """The uid of a row that was merged leads to the row it was merged into, when both are of one source (R-49)."""
    if survivor is None or survivor.own is None or survivor.after.source != merged.source:
        return
    own = survivor.own
    uids = (*own.uids, bare_uid(merged.uid, merged.property_id))
    survivor.sightings[own.source] = replace(own, uids=tuple(dict.fromkeys(uids)))


def _from_row(stay: Stay, source: str, entry_source: str, uid: str) -> Sighting:
    return Sighting(
        source=source,
        record_id=stay.record_id,
        uids=(uid,),
        check_in=stay.check_in,
        check_out=stay.check_out,
        kind=Kind.RESERVATION if stay.entry_type is EntryType.RESERVATION else Kind.BLOCK,
        entry_source=entry_source,
        block_type=stay.block_type if source == stay.source else "",
        misses=stay.missing_count,
        missing_since=stay.missing_since,
        last_seen=stay.last_seen,
    )
