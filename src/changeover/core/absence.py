"""What counts as missing, for how long, and when absence removes a row; too many removals at once wait for a person."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

from changeover.core.ledger import Draft, Ledger
from changeover.core.plan import Level
from changeover.core.stay import Batch, Decision, Hold, HoldReason, Sighting

_FEW_REMOVALS = 5
_SHARE_OF_ROWS = 0.2
_SOON = timedelta(days=2)


def apply_rejections(ledger: Ledger) -> None:
    """A person said that held stays are not gone: their counters start from nothing (R-69)."""
    for hold in ledger.known.holds:
        draft = ledger.drafts.get(hold.record_id)
        if draft is None or hold.reason is HoldReason.DUPLICATE or hold.decision is not Decision.REJECTED:
            continue
        for source, sighting in draft.sightings.items():
            draft.sightings[source] = replace(sighting, misses=0, missing_since=None, gone=False)


def count(ledger: Ledger, batch: Batch) -> None:
    """Counts this source's misses: it is complete, would have shown the stay, and did not (R-62, R-63, R-73)."""
    source = batch.source.key
    extended = {(each.property_id, each.report.next_guest) for each in batch.observations if each.report}
    for draft in list(dict.fromkeys(ledger.by_source[source])):
        sighting = draft.sightings.get(source)
        if sighting is None or not draft.live or (source, draft.after.record_id) in ledger.seen:
            continue
        if batch.retired:
            _retire(ledger, draft, sighting)
        elif (draft.after.property_id, draft.after.check_in) in extended:
            ledger.still_there(draft, batch)  # extended beyond the report
        elif batch.complete and _would_be_shown(ledger, batch, draft, sighting):
            _miss(ledger, draft, sighting)


def _retire(ledger: Ledger, draft: Draft, sighting: Sighting) -> None:
    if draft.after.check_out > ledger.today:
        draft.sightings[sighting.source] = replace(sighting, gone=True)
        ledger.evidence.add(draft.after.record_id)
        ledger.retired.add(sighting.source)


def _would_be_shown(ledger: Ledger, batch: Batch, draft: Draft, sighting: Sighting) -> bool:
    """The dates as this source knows them lie inside its claimed and the import window, and have not begun."""
    own = draft.after.source == batch.source.key
    check_in, check_out = draft.nights if own else (sighting.check_in, sighting.check_out)
    claimed = batch.window is not None and batch.window.covers(check_in, check_out)
    return claimed and ledger.rules.importable(check_in, check_out, ledger.today) and check_in > ledger.today


def _miss(ledger: Ledger, draft: Draft, sighting: Sighting) -> None:
    rules = ledger.rules
    misses = min(sighting.misses + 1, rules.missing_threshold)
    since = sighting.missing_since or ledger.now
    gone = misses >= rules.missing_threshold and ledger.now - since >= rules.missing_grace
    draft.sightings[sighting.source] = replace(sighting, misses=misses, missing_since=since, gone=gone or sighting.gone)
    ledger.evidence.add(draft.after.record_id)
    ledger.numbers["misses"] += 1


def judge(ledger: Ledger) -> None:
    """Removes what every source says is gone, hands over to a mirror what only its own source does (R-54, R-69)."""
    due: dict[str, list[Draft]] = defaultdict(list)
    for draft in list(ledger.drafts.values()):
        if not draft.live or draft.after.kept_by_people or draft.own is None:
            continue
        if draft.own.gone:
            heir = _heir(ledger, draft)
            if heir is not None:
                _hand_over(ledger, draft, heir)
            elif draft.after.record_id in ledger.evidence or draft.after.record_id in _asked(ledger):
                due[draft.own.source].append(draft)
        _write_counters(ledger, draft)
    for source in sorted({*due, *(hold.source for hold in ledger.known.holds)}):
        _remove(ledger, source, due.get(source, []))


def _voices(ledger: Ledger, draft: Draft) -> Iterable[Sighting]:
    """What counts: the own source and every mirror the base still names."""
    own = draft.after.source
    return (each for each in draft.sightings.values() if each.source == own or each.source in ledger.sources)


def _heir(ledger: Ledger, draft: Draft) -> Sighting | None:
    """The mirror that takes over: a guest's first, then one that is not itself missing, then by source key."""
    rest = [each for each in _voices(ledger, draft) if not each.gone]
    return min(rest, key=lambda each: (each.kind.entry_type != "Reservation", each.misses, each.source), default=None)


def _hand_over(ledger: Ledger, draft: Draft, heir: Sighting) -> None:
    """The mirror takes over, and its dates and type become the row's (R-54)."""
    ledger.take_over(draft, ledger.sources[heir.source])
    ledger.set_type(draft, heir.kind, heir.block_type)
    begun = draft.after.check_in <= ledger.today
    check_in = draft.after.check_in if begun else heir.check_in
    draft.after = replace(draft.after, check_in=check_in, check_out=heir.check_out)


def _write_counters(ledger: Ledger, draft: Draft) -> None:
    """Missing Count is the least of its sources' misses; presence clears it (R-54, R-63 … R-65)."""
    voices = list(_voices(ledger, draft))
    threshold = ledger.rules.missing_threshold
    least = min(voices, key=lambda each: threshold if each.gone else each.misses)
    misses = threshold if least.gone else least.misses
    stay = draft.after
    if misses == 0:
        draft.after = replace(stay, missing_count=0, missing_since=None, suspected_cancel=False)
        return
    if stay.check_in <= ledger.today or stay.record_id not in ledger.evidence:
        return
    draft.after = replace(
        stay,
        missing_count=misses,
        missing_since=least.missing_since or stay.missing_since or ledger.now,
        last_seen=least.last_seen,
    )
    if stay.check_out <= ledger.today + _SOON and not stay.suspected_cancel:
        draft.after = replace(draft.after, suspected_cancel=True)
        text = f"{ledger.describe(draft)} has vanished at its source shortly before check-out"
        ledger.alert("suspected_cancel", stay.record_id, Level.ERROR, text)


def _asked(ledger: Ledger) -> set[str]:
    return {hold.record_id for hold in ledger.known.holds if hold.decision is Decision.APPROVED}


def _remove(ledger: Ledger, source: str, due: list[Draft]) -> None:
    """Removes what is due, unless it is too much for one run: then all of it waits for a person (R-69)."""
    if source in ledger.retired:
        for draft in due:
            ledger.remove(draft, "Feed removed")
        return
    asked = _asked(ledger)
    waiting = {
        hold.record_id: hold
        for hold in ledger.known.holds
        if hold.source == source and hold.decision is Decision.WAITING and hold.reason is HoldReason.MISSING
    }
    undecided = [draft for draft in due if draft.after.record_id not in asked]
    breaks = len(undecided) > _limit(ledger, source)
    for draft in due:
        record_id = draft.after.record_id
        if record_id in asked or not (breaks or record_id in waiting):
            ledger.remove(draft, _summary(ledger, draft))
        else:
            _hold(ledger, draft, waiting.get(record_id))
    _keep_waiting(ledger, waiting, {draft.after.record_id for draft in due})
    new = [draft for draft in undecided if draft.after.record_id not in waiting] if breaks else []
    if new:
        name = ledger.sources[source].name or source
        text = f"{len(undecided)} stays of {name} would be removed at once; they wait for a person"
        ledger.alert("removals_held", source, Level.ERROR, text)


def _limit(ledger: Ledger, source: str) -> float:
    future = sum(
        1 for stay in ledger.known.stays if stay.live and stay.source == source and stay.check_out > ledger.today
    )
    return max(_FEW_REMOVALS, _SHARE_OF_ROWS * future)


def _hold(ledger: Ledger, draft: Draft, earlier: Hold | None) -> None:
    stay = draft.after
    since = earlier.since if earlier else ledger.now
    hold = Hold(stay.source or "", stay.record_id, stay.property_id, stay.check_in, stay.check_out, since)
    ledger.hold(hold, stay.entry_type)


def _keep_waiting(ledger: Ledger, waiting: dict[str, Hold], due: set[str]) -> None:
    """A hold whose source said nothing in this run stays; one seen again or begun is dropped."""
    for record_id, hold in waiting.items():
        draft = ledger.drafts.get(record_id)
        if record_id in due or draft is None or not draft.live or draft.own is None:
            continue
        if draft.own.gone and draft.after.check_in > ledger.today:
            ledger.hold(hold, draft.after.entry_type)


def _summary(ledger: Ledger, draft: Draft) -> str:
    own = draft.own
    if own is None or own.misses < ledger.rules.missing_threshold:
        return "Canceled at source"
    last = own.last_seen or own.missing_since or ledger.now
    return f"Not seen since {ledger.rules.today(last)}"
