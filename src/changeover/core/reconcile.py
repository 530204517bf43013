"""(known stays, batches, now, rules) -> Plan: what the base must become so that it says what the sources say.

Nothing here reads a clock, a file or a network; the same inputs, in any order of batches, give the same plan (R-10).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from changeover.core import absence
from changeover.core.identity import How, Matching, bare_uid, collapse, composite_uid, mirror_lines, shares_a_night
from changeover.core.ledger import Draft, Ledger, default_types
from changeover.core.plan import Level, Plan
from changeover.core.schedule import Unreadable, custom_time
from changeover.core.stay import (
    Batch,
    Decision,
    EntryType,
    Hold,
    HoldReason,
    Kind,
    Known,
    Observation,
    Rules,
    Status,
    Stay,
)
from changeover.core.turnover import with_flags


def reconcile(known: Known, batches: Sequence[Batch], now: datetime, rules: Rules) -> Plan:
    """Decides what becomes of every stay (R-6 … R-89). Batches are taken in order of source key, removals after all else."""
    ordered = sorted(batches, key=lambda batch: batch.source.key)
    ledger = Ledger(known, ordered, now, rules)
    absence.apply_rejections(ledger)
    left = [(batch, _follow_own(ledger, batch)) for batch in ordered if not batch.retired]
    for batch, observations in left:
        for each in observations:
            _settle(ledger, batch, each)
    _merge(ledger)
    for batch in ordered:
        absence.count(ledger, batch)
    absence.judge(ledger)
    _write_derived(ledger)
    return ledger.plan()


# -- one source against its own rows ---------------------------------------------------------------------------------


def _follow_own(ledger: Ledger, batch: Batch) -> list[Observation]:
    """Applies a batch to the rows that are its own and returns what found none (R-46 … R-49)."""
    observations, folded = collapse(batch.observations)
    _count_batch(ledger, batch, observations, folded)
    _relink(ledger, batch)
    items = [each for each in observations if each.kind.makes_row and not each.canceled]
    matching = Matching(batch.source.key, ledger.of_source(batch.source.key), items)
    matching.by_uid(live=True)
    ties = {(d.after.property_id, uid) for d in ledger.tied_to(batch.source.key) for uid in _tie_uids(d, batch)}
    mirrored = matching.set_aside(lambda each: (each.property_id, each.uid) in ties)
    matching.by_uid(live=False)
    matching.elsewhere()
    matching.by_dates()
    for each, draft, how in matching.found:
        _note(ledger, batch, each, draft, how)
    _note_signs(ledger, batch, observations)
    seen = {record_id for source, record_id in ledger.seen if source == batch.source.key}
    before = len(matching.found)
    matching.by_continuity(seen)
    matching.by_check_out(seen)
    for each, draft, how in matching.found[before:]:
        _note(ledger, batch, each, draft, how)
    for _, draft, _ in matching.found:
        _yield_nights(ledger, batch, draft)
    _cancel(ledger, batch, observations)
    _refresh_labels(ledger, batch)
    return mirrored + matching.left


def _count_batch(ledger: Ledger, batch: Batch, observations: Sequence[Observation], folded: int) -> None:
    ledger.numbers["read"] += batch.read
    ledger.numbers["kept"] += sum(1 for each in observations if each.kind.makes_row)
    ledger.numbers["duplicates"] += folded
    ledger.shown[batch.source.key] = {
        (each.property_id, uid) for each in observations for uid in (each.uid, *each.aliases)
    }
    ledger.rejected.update(item.reason for item in batch.rejected)
    ledger.left_out.update(batch.dropped)
    ledger.left_out.update(str(each.kind) for each in observations if not each.kind.makes_row)


def _relink(ledger: Ledger, batch: Batch) -> None:
    """A feed that now belongs to another home takes its rows from today on along (R-74)."""
    if batch.property_id is None:
        return
    moved = []
    for draft in ledger.of_source(batch.source.key):
        stay = draft.after
        if draft.live and stay.property_id != batch.property_id and stay.check_out >= ledger.today:
            _move(ledger, draft, batch.property_id)
            moved.append(draft)
    with_job = [ledger.describe(draft) for draft in moved if draft.after.job_id]
    if with_job:
        text = f"a calendar was linked to another home; these stays have jobs at the old one: {', '.join(with_job)}"
        ledger.alert("feed_relinked", batch.source.key, Level.ERROR, text)


def _move(ledger: Ledger, draft: Draft, property_id: str) -> None:
    bare = bare_uid(draft.after.uid, draft.after.property_id)
    ledger.place(draft, property_id)
    draft.after = replace(draft.after, uid=composite_uid(bare, property_id))


def _tie_uids(draft: Draft, batch: Batch) -> tuple[str, ...]:
    return draft.sightings[batch.source.key].uids


def _note(ledger: Ledger, batch: Batch, each: Observation, draft: Draft, how: How) -> None:
    """One observation of the row's own source: the row follows it."""
    past = draft.after.check_out < ledger.today
    if how is How.ELSEWHERE and batch.property_id is not None and past:
        ledger.still_there(draft, batch)  # past rows stay where they were
        return
    if not draft.live and not ledger.rules.importable(each.check_in, each.check_out, ledger.today):
        ledger.left_out["outside the window"] += 1
        return
    if each.property_id != draft.after.property_id:
        _move(ledger, draft, each.property_id)
    ledger.saw(draft, batch, each)
    old = draft.after
    _follow(ledger, draft, each)
    changed = (old.check_in, old.check_out, old.entry_type) != (
        draft.after.check_in,
        draft.after.check_out,
        draft.after.entry_type,
    )
    if how is not How.UID and how is not How.ELSEWHERE and changed:
        draft.after = replace(draft.after, uid=composite_uid(each.uid, each.property_id))


def _follow(ledger: Ledger, draft: Draft, each: Observation) -> None:
    """Gives the row the dates, type and life its source shows (R-48, R-57, R-59, P-34)."""
    stay = draft.after
    check_in, check_out = each.check_in, each.check_out
    if stay.check_in <= ledger.today and shares_a_night(each, stay):
        check_in = stay.check_in
    if each.open_end and stay.entry_type is each.entry_type and stay.live:
        check_out = _rolled(ledger, draft, check_out)
    if check_out != stay.check_out:
        _check_custom_time(ledger, draft, check_out)
    draft.after = replace(
        stay, check_in=check_in, check_out=check_out, status=stay.status if stay.live else Status.MODIFIED
    )
    ledger.set_type(draft, each.kind, each.block_type)
    _take_report(draft, each)


def _rolled(ledger: Ledger, draft: Draft, shown: date) -> date:
    """The check-out of a closed year: it rolls daily and is moved, in place, only when it comes near (P-34)."""
    horizon = ledger.today + timedelta(days=ledger.rules.lookahead_days)
    if draft.after.check_out >= horizon:
        return draft.after.check_out
    draft.rolled = True
    return shown


def _check_custom_time(ledger: Ledger, draft: Draft, check_out: date) -> None:
    """A Custom Service Time is kept when the check-out moves; one that names another day is worth a look (R-60)."""
    words = draft.after.custom_service_time
    start = custom_time(words, check_out, ledger.rules.zone) if words else None
    if start is None or isinstance(start, Unreadable) or ledger.rules.today(start) == check_out:
        return
    text = f"{ledger.describe(draft)}: check-out is now {check_out}, Custom Service Time names another day"
    ledger.alert("custom_time_other_day", draft.after.record_id, Level.WARNING, text)


def _take_report(draft: Draft, each: Observation) -> None:
    """The newest report's text and next guest, in place, also where the report is only a mirror (R-27)."""
    report, stay = each.report, draft.after
    if report is None:
        return
    draft.after = replace(
        stay,
        itrip_info=stay.itrip_info if report.info is None else report.info,
        itrip_next_guest=report.next_guest if report.says_next_guest else stay.itrip_next_guest,
    )


def _note_signs(ledger: Ledger, batch: Batch, observations: Iterable[Observation]) -> None:
    """Items without a row of their own, and rejected ones with a uid, stand for the live row they fit (R-8, R-35, P-33)."""
    source = batch.source.key
    signs = [each for each in observations if not each.kind.makes_row and not each.canceled]
    uids = {(each.property_id, each.uid) for each in signs}
    uids |= {(item.property_id or batch.property_id or "", item.uid) for item in batch.rejected if item.uid}
    nights = {(each.property_id, each.check_in, each.check_out) for each in signs}
    if not uids:
        return
    for draft in (*ledger.of_source(source), *ledger.tied_to(source)):
        home, sighting = draft.after.property_id, draft.sightings[source]
        known = {(home, uid) for uid in (*sighting.uids, bare_uid(draft.after.uid, home))}
        shown = (home, sighting.check_in, sighting.check_out)
        if draft.live and (known & uids or shown in nights or (home, *draft.nights) in nights):
            ledger.still_there(draft, batch)


def _yield_nights(ledger: Ledger, batch: Batch, draft: Draft) -> None:
    """A row that moved onto the nights of another row its source no longer shows takes that row's place (R-49)."""
    if (
        draft.before is not None
        and draft.before.live
        and (draft.before.check_in, draft.before.check_out) == draft.nights
    ):
        return
    for other in ledger.of_source(batch.source.key):
        unseen = (batch.source.key, other.after.record_id) not in ledger.seen
        if other is not draft and other.live and unseen and _same_place(other, draft):
            _absorb(ledger, draft, other)


def _cancel(ledger: Ledger, batch: Batch, observations: Iterable[Observation]) -> None:
    """An explicit cancellation is known by its uid only: the same nights may be booked again (R-67)."""
    canceled = {(each.property_id, uid) for each in observations if each.canceled for uid in (each.uid, *each.aliases)}
    if not canceled:
        return
    source = batch.source.key
    for draft in (*ledger.of_source(source), *ledger.tied_to(source)):
        stay, sighting = draft.after, draft.sightings[source]
        named = any((stay.property_id, uid) in canceled for uid in sighting.uids)
        if draft.live and named and stay.check_out > ledger.today and (source, stay.record_id) not in ledger.seen:
            draft.sightings[source] = replace(sighting, gone=True)
            ledger.evidence.add(stay.record_id)
            ledger.seen.add((source, stay.record_id))


def _refresh_labels(ledger: Ledger, batch: Batch) -> None:
    """A feed is its record: an edited URL or Entry Source follows in place at the next good fetch (R-71)."""
    for draft in ledger.of_source(batch.source.key):
        source = batch.source
        if draft.live or draft.after.check_out >= ledger.today:
            draft.after = replace(draft.after, url=source.url, entry_source=source.entry_source)


# -- what found no row of its own ------------------------------------------------------------------------------------


def _settle(ledger: Ledger, batch: Batch, each: Observation) -> None:
    """A mirror of another source's row, a row to take over or to bring back, or a new stay (R-50 … R-53, R-71, AT-35)."""
    for find in (_tied, _orphan, _shown_elsewhere):
        draft = find(ledger, batch, each)
        if draft is not None:
            _join(ledger, batch, each, draft)
            return
    removed = _removed(ledger, batch, each)
    if removed is not None:
        _note(ledger, batch, each, removed, How.DATES)
        return
    if ledger.rules.importable(each.check_in, each.check_out, ledger.today):
        _create(ledger, batch, each)
    else:
        ledger.left_out["outside the window"] += 1


def _tied(ledger: Ledger, batch: Batch, each: Observation) -> Draft | None:
    """The row this source is known to mirror, by uid or by the nights it showed; the tie holds while a night is shared."""
    shown = ledger.shown[batch.source.key]
    for draft in ledger.tied_to(batch.source.key):
        home, sighting = draft.after.property_id, draft.sightings[batch.source.key]
        same_nights = (sighting.check_in, sighting.check_out) == (each.check_in, each.check_out)
        uid_gone = all((home, uid) not in shown for uid in sighting.uids)
        if home != each.property_id or not (each.uid in sighting.uids or (same_nights and uid_gone)):
            continue
        if draft.shares_a_night(each.check_in, each.check_out):
            return draft
        if (batch.source.key, draft.after.record_id) not in ledger.seen:
            del draft.sightings[batch.source.key]
    return None


def _orphan(ledger: Ledger, batch: Batch, each: Observation) -> Draft | None:
    """A row whose URL no feed has any more, shown by uid: this source takes it over (R-71)."""
    for draft in ledger.live_at(each.property_id):
        stay = draft.after
        if _ownerless(ledger, stay) and bare_uid(stay.uid, stay.property_id) == each.uid and shares_a_night(each, stay):
            return draft
    return None


def _shown_elsewhere(ledger: Ledger, batch: Batch, each: Observation) -> Draft | None:
    """A live row of the same property and nights, of another source or of people (R-51)."""
    fits = [
        draft
        for draft in ledger.live_at(each.property_id)
        if draft.nights == (each.check_in, each.check_out) and draft.after.source != batch.source.key
    ]
    return min(fits, key=_first_in_line, default=None)


def _removed(ledger: Ledger, batch: Batch, each: Observation) -> Draft | None:
    """A Removed row of this source: by uid, and by dates only where uids do not last (R-50)."""
    for draft in ledger.of_source(batch.source.key):
        stay = draft.after
        if draft.live or stay.property_id != each.property_id or (batch.source.key, stay.record_id) in ledger.seen:
            continue
        sighting = draft.own
        by_uid = sighting is not None and each.uid in sighting.uids
        if by_uid or (not each.stable_uid and draft.nights == (each.check_in, each.check_out)):
            return draft
    return None


def _join(ledger: Ledger, batch: Batch, each: Observation, draft: Draft) -> None:
    if draft.after.kept_by_people:
        ledger.numbers["mirrors"] += 1
        return
    ownerless = _ownerless(ledger, draft.after)
    ledger.saw(draft, batch, each)
    if ownerless or _outranks(each, draft.after):
        ledger.take_over(draft, batch.source)
        _follow(ledger, draft, each)
        return
    ledger.numbers["mirrors"] += 1
    ledger.numbers["mirrors_differing"] += draft.nights != (each.check_in, each.check_out)
    _take_report(draft, each)


def _ownerless(ledger: Ledger, stay: Stay) -> bool:
    return stay.source is not None and stay.source not in ledger.sources


def _outranks(each: Observation, stay: Stay) -> bool:
    """A Reservation wins over a Block (R-52)."""
    return each.entry_type is EntryType.RESERVATION and stay.entry_type is EntryType.BLOCK


def _create(ledger: Ledger, batch: Batch, each: Observation) -> None:
    """A new row (R-56); where a person deleted the row of this stay, one that carries its job along (AT-35)."""
    service, block = default_types(each.kind, each.block_type)
    tombstone = _tombstone(ledger, batch, each)
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
    if tombstone is not None:
        stay = _restored(stay, tombstone)
    draft = Draft(None, stay, restores=tombstone.record_id if tombstone else None)
    ledger.add(draft)
    ledger.saw(draft, batch, each)
    _take_report(draft, each)


def _tombstone(ledger: Ledger, batch: Batch, each: Observation) -> Stay | None:
    uid = composite_uid(each.uid, each.property_id)
    fits = [
        stay
        for stay in ledger.known.tombstones
        if stay.source == batch.source.key
        and stay.property_id == each.property_id
        and (stay.uid == uid or (stay.check_in, stay.check_out) == (each.check_in, each.check_out))
        and all(draft.restores != stay.record_id for draft in ledger.live_at(each.property_id))
    ]
    return min(fits, key=lambda stay: (stay.uid != uid, stay.created, stay.record_id), default=None)


def _restored(stay: Stay, tombstone: Stay) -> Stay:
    return replace(
        stay,
        service_type=tombstone.service_type,
        block_type=tombstone.block_type,
        wrote_service_type=tombstone.wrote_service_type,
        wrote_block_type=tombstone.wrote_block_type,
        custom_service_time=tombstone.custom_service_time,
        job_id=tombstone.job_id,
        sync_status=tombstone.sync_status or stay.sync_status,
        change_summary="Row restored after deletion",
    )


# -- two rows, one stay ----------------------------------------------------------------------------------------------


def _merge(ledger: Ledger) -> None:
    """Live rows that came to the same nights become one (R-55)."""
    groups: dict[tuple[str, object, object], list[Draft]] = defaultdict(list)
    for draft in ledger.drafts.values():
        stay = draft.after
        if draft.live and not stay.kept_by_people:
            groups[stay.property_id, "nights", draft.nights].append(draft)
            groups[stay.property_id, stay.source, stay.uid].append(draft)
    for key in sorted(groups, key=str):
        drafts = sorted((draft for draft in groups[key] if draft.live), key=lambda each: _survival(ledger, each))
        for other in drafts[1:]:
            _merge_pair(ledger, drafts[0], other)


def _merge_pair(ledger: Ledger, survivor: Draft, other: Draft) -> None:
    inherited = survivor.after.source == other.after.source and survivor.before is not None and other.before is not None
    if not inherited:
        _absorb(ledger, survivor, other)
    elif not other.after.job_id:
        _inherit(ledger, survivor, other)
        ledger.retire(other)
    else:
        _hold_duplicate(ledger, survivor, other)


def _absorb(ledger: Ledger, survivor: Draft, other: Draft) -> None:
    """The other row ends; what its sources showed now counts for the survivor, and a Reservation wins over a Block."""
    stay = other.after
    _inherit(ledger, survivor, other)
    ledger.remove(other, f"Merged into {survivor.after.uid}")
    if stay.entry_type is EntryType.RESERVATION and survivor.after.entry_type is EntryType.BLOCK:
        if stay.source in ledger.sources:
            ledger.take_over(survivor, ledger.sources[stay.source])
        ledger.set_type(survivor, Kind.RESERVATION, "")


def _inherit(ledger: Ledger, survivor: Draft, other: Draft) -> None:
    """Sightings of the row that ends become the survivor's, so that their uids lead to it from now on."""
    for key, sighting in other.sightings.items():
        own = survivor.sightings.get(key)
        shown = (key, other.after.record_id) in ledger.seen
        if own is None or shown:
            uids = (*sighting.uids, *(own.uids if own else ()))
            survivor.sightings[key] = replace(sighting, record_id=survivor.after.record_id, uids=uids)
        if shown:
            ledger.seen.add((key, survivor.after.record_id))
        ledger.by_source[key].append(survivor)
    other.sightings = {}


def _hold_duplicate(ledger: Ledger, survivor: Draft, other: Draft) -> None:
    stay = other.after
    earlier = next((h for h in ledger.known.holds if h.record_id == stay.record_id), None)
    decision = earlier.decision if earlier else Decision.WAITING
    if decision is Decision.APPROVED:
        _absorb(ledger, survivor, other)
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
    ledger.hold(hold, stay.entry_type)
    if earlier is None:
        text = f"{ledger.describe(other)} has two live rows with a job each"
        ledger.alert("duplicate_row", stay.record_id, Level.ERROR, text)


def _same_place(one: Draft, other: Draft) -> bool:
    return one.after.property_id == other.after.property_id and one.nights == other.nights


def _first_in_line(draft: Draft) -> tuple[bool, bool, bool, datetime, str]:
    stay = draft.after
    return (
        not stay.kept_by_people,
        stay.entry_type is not EntryType.RESERVATION,
        not stay.job_id,
        stay.created,
        stay.record_id,
    )


def _survival(ledger: Ledger, draft: Draft) -> tuple[bool, bool, bool, datetime, str]:
    """The row with a job stays, then one that exists, then one its source shows now, then the older (R-55)."""
    stay = draft.after
    unseen = (stay.source or "", stay.record_id) not in ledger.seen
    return not stay.job_id, draft.before is None, unseen, stay.created, stay.record_id


# -- what follows from the rest --------------------------------------------------------------------------------------


def _write_derived(ledger: Ledger) -> None:
    """Mirrors and flags of every property, from all its live rows (R-51, R-83); in place, never a version."""
    for property_id in sorted(ledger.by_property):
        drafts = {draft.after.record_id: draft for draft in ledger.live_at(property_id)}
        for draft in drafts.values():
            if not draft.after.kept_by_people:
                stay = draft.after
                lines = mirror_lines(stay.source, draft.sightings.values(), stay.also_seen_in)
                draft.after = replace(stay, also_seen_in=lines)
        owner_next = {key: _owner_next(draft) for key, draft in drafts.items()}
        stays = [draft.after for draft in drafts.values()]
        for record_id, flagged in with_flags(stays, ledger.rules, ledger.today, owner_next).items():
            drafts[record_id].after = flagged


def _owner_next(draft: Draft) -> bool:
    return any(sighting.next_is_owner for sighting in draft.sightings.values() if not sighting.gone)
