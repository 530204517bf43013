"""One source's batch applied to the rows that are its own (R-46 … R-50); it never touches another source's rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import date

from changeover.core.draft import Draft
from changeover.core.identity import (
    Calendar,
    How,
    Matching,
    bare_uid,
    collapse,
    composite_uid,
    known_uids,
)
from changeover.core.ledger import Ledger
from changeover.core.merge import absorb
from changeover.core.plan import Level
from changeover.core.stay import Batch, Observation, Status


def follow_own(ledger: Ledger, batch: Batch) -> list[Observation]:
    """Applies a batch to the rows that are its own and returns what found none (R-46 … R-49)."""
    source = batch.source.key
    observations, folded = collapse(batch.observations)
    _count_batch(ledger, batch, observations, folded)
    own = ledger.of_source(source)
    _relink(ledger, batch, own)
    items = [each for each in observations if each.kind.makes_row and not each.canceled]
    calendar = Calendar(ledger.today, ledger.horizon)
    matching = Matching(source, own, items, calendar)
    matching.by_uid()
    mirrored = matching.set_aside(_tied_by_uid(ledger, batch, matching.left))
    matching.by_alias(live=True)
    matching.by_alias(live=False)
    matching.elsewhere()
    matching.by_dates()
    for each, draft, how in matching.found:
        note(ledger, batch, each, draft, how)
    _note_signs(ledger, batch, observations)
    peoples = matching.set_aside(lambda each: _on_peoples_nights(ledger, calendar, each))
    before = len(matching.found)
    matching.withhold({(each.property_id, uid) for each in observations if each.canceled for uid in _uids(each)})
    matching.by_continuity(ledger.seen[source])
    matching.by_check_out(ledger.seen[source])
    for each, draft, how in matching.found[before:]:
        note(ledger, batch, each, draft, how)
    for _, draft, _ in matching.found:
        _yield_nights(ledger, batch, draft)
    _cancel(ledger, batch, observations)
    _refresh_labels(ledger, batch)
    return mirrored + peoples + matching.left


def _uids(each: Observation) -> tuple[str, ...]:
    return each.uid, *each.aliases


def _tied_by_uid(ledger: Ledger, batch: Batch, items: Sequence[Observation]) -> Callable[[Observation], bool]:
    """Tells the items that mirror another source's row; a tie without a common night is none any more (R-53)."""
    source = batch.source.key
    ties: set[tuple[str, str]] = set()
    shown = {(each.property_id, each.uid): each for each in items}
    for draft in ledger.tied_to(source):
        home = draft.after.property_id
        named = [shown[home, uid] for uid in draft.sightings[source].uids if (home, uid) in shown]
        holds = [each for each in named if draft.shares_a_night(each.check_in, each.check_out)]
        ties |= {(home, each.uid) for each in holds}
        if named and not holds:
            del draft.sightings[source]
    return lambda each: (each.property_id, each.uid) in ties


def _on_peoples_nights(ledger: Ledger, calendar: Calendar, each: Observation) -> bool:
    """Nights of a people's row get no second row (R-51), so they continue none either."""
    return any(calendar.same_nights(each, stay) for stay in ledger.peoples.get(each.property_id, ()))


def _count_batch(ledger: Ledger, batch: Batch, observations: Sequence[Observation], folded: int) -> None:
    ledger.numbers["read"] += batch.read
    ledger.numbers["kept"] += sum(1 for each in observations if each.kind.makes_row)
    ledger.numbers["duplicates"] += folded
    ledger.shown[batch.source.key] = {(each.property_id, uid) for each in observations for uid in _uids(each)}
    ledger.rejected.update(item.reason for item in batch.rejected)
    ledger.left_out.update(batch.dropped)
    ledger.left_out.update(str(each.kind) for each in observations if not each.kind.makes_row)


def _relink(ledger: Ledger, batch: Batch, own: Iterable[Draft]) -> None:
    """A feed that now belongs to another home takes its rows from today on along (R-74)."""
    if batch.property_id is None:
        return
    moved = []
    for draft in own:
        stay = draft.after
        if stay.property_id != batch.property_id and draft.live and stay.check_out >= ledger.today:
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


def note(ledger: Ledger, batch: Batch, each: Observation, draft: Draft, how: How) -> None:
    """One observation of the row's own source: the row follows it."""
    past = draft.after.check_out < ledger.today
    if how is How.ELSEWHERE and batch.property_id is not None and past:
        ledger.still_there(draft, batch.source.key, batch.at)  # past rows stay where they were
        return
    if not draft.live and not ledger.importable(each):
        ledger.left_out["outside the window"] += 1
        return
    if each.property_id != draft.after.property_id:
        _move(ledger, draft, each.property_id)
    ledger.saw(draft, batch, each)
    old = draft.after
    follow(ledger, draft, each)
    changed = (old.check_in, old.check_out, old.entry_type) != (*draft.nights, draft.after.entry_type)
    # A row that moves takes the uid it is shown under along: another of its uids may stand at the new house.
    renamed = how is How.ELSEWHERE or (changed and how is not How.UID)
    if renamed or not old.uid:
        draft.after = replace(draft.after, uid=composite_uid(each.uid, each.property_id))


def follow(ledger: Ledger, draft: Draft, each: Observation) -> None:
    """Gives the row the dates, type and life its source shows (R-48, R-57, R-59, P-34)."""
    stay, check_out = draft.after, each.check_out
    if each.open_end and stay.entry_type is each.entry_type and stay.live:
        check_out = _rolled(ledger, draft, check_out)
    ledger.set_nights(draft, each.check_in, check_out)
    if not stay.live:
        draft.after = replace(draft.after, status=Status.MODIFIED)
    ledger.set_type(draft, each.kind, each.block_type)
    draft.hear(each.report)


def _rolled(ledger: Ledger, draft: Draft, shown: date) -> date:
    """The check-out of a closed year: it rolls daily and is moved, in place, only when it comes near (P-34)."""
    if draft.after.check_out >= ledger.horizon:
        return draft.after.check_out
    draft.rolled = True
    return shown


def _note_signs(ledger: Ledger, batch: Batch, observations: Iterable[Observation]) -> None:
    """Items that make no row, and rejected ones with a uid, stand for the live row they fit (R-8, R-35, P-33)."""
    source = batch.source.key
    signs = [each for each in observations if not each.kind.makes_row and not each.canceled]
    uids: set[tuple[str | None, str]] = {(each.property_id, each.uid) for each in signs}
    uids |= {(item.property_id or batch.property_id, item.uid) for item in batch.rejected if item.uid}
    nights = {(each.property_id, each.check_in, each.check_out) for each in signs}
    if not uids:
        return
    for draft in (*ledger.of_source(source), *ledger.tied_to(source)):
        home, sighting = draft.after.property_id, draft.sightings[source]
        by_uid = any((place, uid) in uids for uid in known_uids(draft, source) for place in (home, None))
        shown = (home, sighting.check_in, sighting.check_out)
        if draft.live and (by_uid or shown in nights or (home, *draft.nights) in nights):
            ledger.still_there(draft, source, batch.at)


def _yield_nights(ledger: Ledger, batch: Batch, draft: Draft) -> None:
    """A row that moved onto the nights of another row its source no longer shows takes that row's place (R-49)."""
    before, source = draft.before, batch.source.key
    stayed = before is not None and before.live and (before.check_in, before.check_out) == draft.nights
    if stayed and not draft.moved_house:
        return
    for other in ledger.of_source(source):
        same = other.after.property_id == draft.after.property_id and other.nights == draft.nights
        if other is not draft and other.live and same and not ledger.was_seen(other, source):
            absorb(ledger, draft, other)


def _cancel(ledger: Ledger, batch: Batch, observations: Iterable[Observation]) -> None:
    """An explicit cancellation is known by its uid only: the same nights may be booked again (R-67)."""
    source = batch.source.key
    canceled = {(each.property_id, uid) for each in observations if each.canceled for uid in _uids(each)}
    if not canceled:
        return
    for draft in (*ledger.of_source(source), *ledger.tied_to(source)):
        stay = draft.after
        named = any((stay.property_id, uid) in canceled for uid in known_uids(draft, source))
        if draft.live and named and stay.check_out > ledger.today and not ledger.was_seen(draft, source):
            ledger.gone(draft, source)
            ledger.note_seen(draft, source)


def _refresh_labels(ledger: Ledger, batch: Batch) -> None:
    """A feed is its record: an edited URL or Entry Source follows in place at the next good fetch (R-71)."""
    source = batch.source
    if not batch.fully_read:
        return
    for draft in ledger.own(source.key):
        stay = draft.after
        current = (stay.url, stay.entry_source) == (source.url, source.entry_source)
        if not current and (draft.live or stay.check_out >= ledger.today):
            draft.after = replace(stay, url=source.url, entry_source=source.entry_source)
