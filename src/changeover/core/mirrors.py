"""What a source shows beyond its own rows: a mirror, a stay to take over or to bring back, or a new one (R-50 … R-56)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from changeover.core.draft import Draft
from changeover.core.follow import follow, note, take_report
from changeover.core.identity import Calendar, How, bare_uid, composite_uid, row_uids, shares_a_night
from changeover.core.ledger import Ledger, default_types
from changeover.core.memory import MERGED
from changeover.core.owner import ownerless
from changeover.core.stay import Batch, EntryType, Observation, Status, Stay


def settle(ledger: Ledger, batch: Batch, observations: Sequence[Observation]) -> None:
    """Gives every observation that found no row of its own its place (R-50 … R-53, R-71, AT-35)."""
    left = []
    for each in observations:
        draft = _tied(ledger, batch, each) or _orphan(ledger, each) or _shown_elsewhere(ledger, batch, each)
        if draft is None:
            left.append(each)
        else:
            _join(ledger, batch, each, draft)
    for each in left:
        draft = _tied_by_continuity(ledger, batch, each)
        if draft is not None:
            _join(ledger, batch, each, draft)
        elif not (_stays_behind(ledger, batch, each) or _comes_back(ledger, batch, each)):
            _create(ledger, batch, each)


def leave_behind(ledger: Ledger) -> None:
    """A row that moved house keeps only the mirrors that show it there: those of the old house do not speak for it."""
    for draft in ledger.drafts.values():
        if draft.live and draft.moved_house:
            for source in list(draft.sightings):
                if source != draft.after.source and not ledger.was_seen(draft, source):
                    del draft.sightings[source]


# -- a stay that has a row -------------------------------------------------------------------------------------------


def _tied(ledger: Ledger, batch: Batch, each: Observation) -> Draft | None:
    """The row this source is known to mirror, by uid or by the nights it showed, while a night is shared (R-53)."""
    source = batch.source.key
    for draft in ledger.tied_to(source):
        sighting = draft.sightings[source]
        same_nights = (sighting.check_in, sighting.check_out) == (each.check_in, each.check_out)
        by_nights = same_nights and not _still_shown(ledger, draft, source)
        if draft.after.property_id != each.property_id or not (each.uid in sighting.uids or by_nights):
            continue
        if draft.shares_a_night(each.check_in, each.check_out):
            return draft
        if not ledger.was_seen(draft, source):
            del draft.sightings[source]
    return None


def _still_shown(ledger: Ledger, draft: Draft, source: str) -> bool:
    """Whether the batch shows a uid under which the source has shown this row."""
    return any((draft.after.property_id, uid) in ledger.shown[source] for uid in draft.sightings[source].uids)


def _orphan(ledger: Ledger, each: Observation) -> Draft | None:
    """A row whose URL no feed has any more, shown by uid: this source takes it over (R-71)."""
    fits = [
        draft
        for draft in ledger.live_at(each.property_id)
        if ownerless(ledger, draft.after)
        and bare_uid(draft.after.uid, draft.after.property_id) == each.uid
        and shares_a_night(each, draft.after)
    ]
    return min(fits, key=_first_in_line, default=None)


def _shown_elsewhere(ledger: Ledger, batch: Batch, each: Observation) -> Draft | None:
    """A live row of the same property and nights, of another source or of people (R-51)."""
    calendar = Calendar(ledger.today, ledger.horizon)
    fits = [
        draft
        for draft in ledger.live_at(each.property_id)
        if draft.after.source != batch.source.key and calendar.same_nights(each, draft.after)
    ]
    return min(fits, key=_first_in_line, default=None)


def _tied_by_continuity(ledger: Ledger, batch: Batch, each: Observation) -> Draft | None:
    """Where uids do not last: the one tied row that this source no longer shows otherwise and that shares a night.

    Without it, a channel that copies a change a step late would make a second row of the same stay.
    """
    source = batch.source.key
    fits = [
        draft
        for draft in (() if each.stable_uid else ledger.tied_to(source))
        if draft.after.property_id == each.property_id
        and draft.sightings[source].kind.entry_type is each.entry_type
        and draft.shares_a_night(each.check_in, each.check_out)
        and not ledger.was_seen(draft, source)
        and not _still_shown(ledger, draft, source)
    ]
    return fits[0] if len(fits) == 1 else None


def _join(ledger: Ledger, batch: Batch, each: Observation, draft: Draft) -> None:
    if draft.after.kept_by_people:
        ledger.numbers["mirrors"] += 1
        return
    adopted = ownerless(ledger, draft.after)
    ledger.saw(draft, batch, each)
    if adopted or _outranks(each, draft.after):
        ledger.take_over(draft, batch.source)
        follow(ledger, draft, each)
        return
    ledger.numbers["mirrors"] += 1
    ledger.numbers["mirrors_differing"] += draft.nights != (each.check_in, each.check_out)
    take_report(draft, each)


def _outranks(each: Observation, stay: Stay) -> bool:
    """A Reservation wins over a Block (R-52)."""
    return each.entry_type is EntryType.RESERVATION and stay.entry_type is EntryType.BLOCK


def _first_in_line(draft: Draft) -> tuple[bool, bool, bool, datetime, str]:
    stay = draft.after
    return (
        stay.kept_by_people,
        stay.entry_type is not EntryType.RESERVATION,
        not stay.job_id,
        stay.created,
        stay.record_id,
    )


# -- a stay that had a row -------------------------------------------------------------------------------------------


def _stays_behind(ledger: Ledger, batch: Batch, each: Observation) -> bool:
    """A past stay of a feed that now belongs to another home has its row at the old one (R-74)."""
    if batch.property_id is None or each.check_out >= ledger.today:
        return False
    for draft in ledger.of_source(batch.source.key):
        if draft.after.property_id != each.property_id and draft.nights == (each.check_in, each.check_out):
            ledger.still_there(draft, batch.source.key, batch.at)
            return True
    return False


def _comes_back(ledger: Ledger, batch: Batch, each: Observation) -> bool:
    """Brings back the Removed row of this stay, if there is one. A mirror that shows it first becomes its source."""
    draft = _removed(ledger, batch, each)
    if draft is None:
        return False
    if draft.after.source != batch.source.key and ledger.importable(each):
        ledger.saw(draft, batch, each)
        ledger.take_over(draft, batch.source)
    note(ledger, batch, each, draft, How.DATES)
    return True


def _removed(ledger: Ledger, batch: Batch, each: Observation) -> Draft | None:
    """A Removed row that this source has shown: by uid, and by dates only where uids do not last (R-50)."""
    source = batch.source.key
    own = [draft for draft in ledger.of_source(source) if not draft.live]
    tied = [d for d in ledger.tied_to(source, live=False) if not d.after.change_summary.startswith(MERGED)]
    for draft in (*own, *tied):
        if draft.after.property_id != each.property_id or ledger.was_seen(draft, source):
            continue
        by_dates = not each.stable_uid and draft.nights == (each.check_in, each.check_out)
        if by_dates or each.uid in draft.sightings[source].uids:
            return draft
    return None


# -- a new stay ------------------------------------------------------------------------------------------------------


def _create(ledger: Ledger, batch: Batch, each: Observation) -> None:
    """A new row (R-56); where a person deleted the row of this stay, one that carries its job along (AT-35)."""
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
    _restore(ledger, draft, _tombstone(ledger, batch, each), each)
    ledger.add(draft)
    ledger.saw(draft, batch, each)
    take_report(draft, each)


def _tombstone(ledger: Ledger, batch: Batch, each: Observation) -> Stay | None:
    """The deleted row of this stay: by any uid its source gave it, by nights where that proves it (R-50, R-51)."""

    def by_uid(stay: Stay) -> bool:
        aliases = ledger.deleted_uids.get((batch.source.key, stay.record_id), ())
        own = row_uids(stay) if stay.source == batch.source.key else ()
        return each.uid in (*own, *aliases)

    def by_nights(stay: Stay) -> bool:
        proves = stay.source != batch.source.key or not each.stable_uid
        return proves and (stay.check_in, stay.check_out) == (each.check_in, each.check_out)

    fits = [
        stay
        for stay in ledger.known.tombstones
        if stay.property_id == each.property_id
        and stay.record_id not in ledger.restored
        and (by_uid(stay) or by_nights(stay))
    ]
    return min(fits, key=lambda stay: (not by_uid(stay), stay.created, stay.record_id), default=None)


def _restore(ledger: Ledger, draft: Draft, tombstone: Stay | None, each: Observation) -> None:
    if tombstone is None:
        return
    ledger.restored.add(tombstone.record_id)
    draft.restores = tombstone.record_id
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
    ledger.set_type(draft, each.kind, each.block_type)
