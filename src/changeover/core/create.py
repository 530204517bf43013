"""New rows: what they hold, and the job they bring along from a deleted row of the same stay (R-56, AT-35)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from changeover.core.draft import Draft
from changeover.core.identity import composite_uid, known_uids
from changeover.core.ledger import Ledger, default_types
from changeover.core.stay import Batch, Observation, Status, Stay


def restore(ledger: Ledger, batch: Batch, observations: Sequence[Observation]) -> list[Observation]:
    """Makes the rows again that a person deleted while their stays are shown (AT-35), and returns what has none."""
    left = []
    for each in observations:
        tombstone = _tombstone(ledger, batch, each)
        if tombstone is None:
            left.append(each)
        else:
            create(ledger, batch, each, tombstone)
    return left


def create(ledger: Ledger, batch: Batch, each: Observation, tombstone: Stay | None = None) -> None:
    """Makes a new row (R-56); of a stay whose row a person deleted, one that carries its job and ties along (AT-35)."""
    if not ledger.importable(each):
        ledger.left_out["outside the window"] += 1
        return
    service, block = default_types(each.kind, each.block_type)
    stay = Stay(
        record_id=f"new:{batch.source.key}:{each.property_id}:{each.uid}:{each.check_in}:{each.check_out}",
        uid=composite_uid(each.uid, each.property_id),
        source=batch.source.key,
        url=batch.source.url,
        property_id=each.property_id,
        check_in=each.check_in,
        check_out=each.check_out,
        entry_type=each.entry_type,
        status=Status.NEW,
        entry_source=batch.source.entry_source,
        created=ledger.now,
        service_type=service,
        block_type=block,
        wrote_service_type=service,
        wrote_block_type=block,
        sync_status="Not Created",
    )
    draft = Draft(None, stay)
    if tombstone is not None:
        _bring_along(ledger, draft, tombstone)
        ledger.set_type(draft, each.kind, each.block_type)
    ledger.add(draft)
    ledger.saw(draft, batch, each)
    draft.hear(each.report)


def _tombstone(ledger: Ledger, batch: Batch, each: Observation) -> Stay | None:
    """The deleted row of this stay: by any uid its source gave it, by nights where that proves it (R-50, R-51).

    A calendar that was linked to another home meanwhile still means its own stay (R-74).
    """

    def by_uid(stay: Stay) -> bool:
        return each.uid in known_uids(ledger.deleted[stay.record_id], batch.source.key)

    def by_nights(stay: Stay) -> bool:
        proves = stay.source != batch.source.key or not each.stable_uid
        return proves and (stay.check_in, stay.check_out) == (each.check_in, each.check_out)

    def at_its_old_home(stay: Stay) -> bool:
        return batch.property_id is not None and stay.source == batch.source.key and by_uid(stay)

    fits = [
        stay
        for stay in ledger.known.tombstones
        if (stay.property_id == each.property_id or at_its_old_home(stay))
        and stay.record_id not in ledger.restored
        and (by_uid(stay) or by_nights(stay))
    ]
    # A row that was brought back and deleted again has left two; only the later one knows of its job.
    return max(fits, key=lambda stay: (by_uid(stay), stay.created, stay.record_id), default=None)


def _bring_along(ledger: Ledger, draft: Draft, tombstone: Stay) -> None:
    ledger.restored.add(tombstone.record_id)
    draft.restores = tombstone.record_id
    for source, sighting in ledger.deleted[tombstone.record_id].sightings.items():
        draft.sightings[source] = replace(sighting, record_id=draft.after.record_id)
    draft.after = replace(
        draft.after,
        entry_type=tombstone.entry_type,
        service_type=tombstone.service_type,
        block_type=tombstone.block_type,
        wrote_service_type=tombstone.wrote_service_type,
        wrote_block_type=tombstone.wrote_block_type,
        custom_service_time=tombstone.custom_service_time,
        job_id=tombstone.job_id,
        sync_status=tombstone.sync_status or draft.after.sync_status,
        change_summary="Row restored after deletion",
    )
