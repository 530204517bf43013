"""What counts as missing, for how long, and when absence removes a row; too many removals at once wait for a person."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from changeover.core.draft import Draft
from changeover.core.ledger import Ledger
from changeover.core.owner import hand_over, heir, voices
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
    for draft in list(ledger.by_source[source]):
        sighting = draft.sightings.get(source)
        if sighting is None or not draft.live or ledger.was_seen(draft, source):
            continue
        if batch.retired:
            _retire(ledger, draft, source)
        elif (draft.after.property_id, draft.after.check_in) in extended:
            ledger.still_there(draft, source, batch.at)  # extended beyond the report
        elif batch.complete and _would_be_shown(ledger, batch, draft, sighting):
            _miss(ledger, draft, sighting)


def _retire(ledger: Ledger, draft: Draft, source: str) -> None:
    if draft.after.check_out > ledger.today:
        ledger.gone(draft, source)
        ledger.retired.add(source)


def _would_be_shown(ledger: Ledger, batch: Batch, draft: Draft, sighting: Sighting) -> bool:
    """The dates as this source knows them lie inside its claimed and the import window; nobody has it begun."""
    own = draft.after.source == batch.source.key
    check_in, check_out = draft.nights if own else (sighting.check_in, sighting.check_out)
    claimed = batch.window is not None and batch.window.covers(check_in, check_out)
    begun = min(check_in, draft.after.check_in) <= ledger.today
    return claimed and not begun and ledger.rules.importable(check_in, check_out, ledger.today)


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
    asked = _asked(ledger)
    for draft in ledger.drafts.values():
        if not draft.live or draft.after.kept_by_people or draft.own is None:
            continue
        if draft.own.gone:
            successor = heir(ledger, draft)
            if successor is not None:
                hand_over(ledger, draft, successor)
            elif _outstanding(ledger, draft) and draft.after.record_id in ledger.evidence | asked:
                due[draft.own.source].append(draft)
        _write_counters(ledger, draft)
    for source in sorted({*due, *(hold.source for hold in ledger.known.holds)}):
        _remove(ledger, source, due.get(source, []))


def _outstanding(ledger: Ledger, draft: Draft) -> bool:
    """Gone by its own source's word, and not begun; a stay canceled outright may have begun, but not ended (R-67)."""
    own = draft.own
    if own is None or not own.gone:
        return False
    return ledger.today < (draft.after.check_out if _outright(ledger, own) else draft.after.check_in)


def _outright(ledger: Ledger, sighting: Sighting) -> bool:
    return sighting.misses < ledger.rules.missing_threshold


def _write_counters(ledger: Ledger, draft: Draft) -> None:
    """Missing Count is the least of its sources' misses; presence clears it (R-54, R-63 … R-65)."""
    threshold, own, stay = ledger.rules.missing_threshold, draft.own, draft.after

    def misses_of(each: Sighting) -> int:
        return threshold if each.gone else each.misses

    least = min(voices(ledger, draft), key=lambda each: (misses_of(each), each is not own, each.source))
    misses = misses_of(least)
    if misses == 0:
        if (stay.missing_count, stay.missing_since, stay.suspected_cancel) != (0, None, False):
            draft.after = replace(stay, missing_count=0, missing_since=None, suspected_cancel=False)
        return
    if stay.check_in <= ledger.today or stay.record_id not in ledger.evidence:
        return
    since = least.missing_since or stay.missing_since or ledger.now
    draft.after = replace(stay, missing_count=misses, missing_since=since, last_seen=least.last_seen)
    if stay.check_out <= ledger.today + _SOON and not stay.suspected_cancel:
        draft.after = replace(draft.after, suspected_cancel=True)
        text = f"{ledger.describe(draft)} has vanished at its source shortly before check-out"
        ledger.alert("suspected_cancel", stay.record_id, Level.ERROR, text)


def _asked(ledger: Ledger) -> set[str]:
    """The rows whose removal a person has approved."""
    return {hold.record_id for hold in _missing(ledger) if hold.decision is Decision.APPROVED}


def _missing(ledger: Ledger) -> Iterator[Hold]:
    return (hold for hold in ledger.known.holds if hold.reason is HoldReason.MISSING)


def _remove(ledger: Ledger, source: str, due: list[Draft]) -> None:
    """Removes what is due, unless it is too much for one run: then all of it waits for a person (R-69)."""
    if source in ledger.retired:
        for draft in due:
            ledger.remove(draft, "Feed removed")
        return
    asked, waiting = _asked(ledger), _waiting(ledger, source)
    undecided = {draft.after.record_id for draft in due} - asked | set(waiting)
    breaks = len(undecided) > _limit(ledger, source)
    for draft in due:
        record_id = draft.after.record_id
        if record_id in asked or not (breaks or record_id in waiting):
            ledger.remove(draft, _summary(ledger, draft))
        elif record_id not in waiting:
            ledger.hold(_hold(ledger, draft))
    for hold in waiting.values():
        ledger.hold(hold)
    if breaks and undecided - set(waiting):
        name = ledger.sources[source].name or source
        text = f"{len(undecided)} stays of {name} would be removed at once; they wait for a person"
        ledger.alert("removals_held", source, Level.ERROR, text)


def _waiting(ledger: Ledger, source: str) -> dict[str, Hold]:
    """The source's held removals that are still to be decided; one seen again, handed over or begun is dropped."""
    found = {}
    for hold in _missing(ledger):
        draft = ledger.drafts.get(hold.record_id)
        if hold.source != source or hold.decision is not Decision.WAITING or draft is None or not draft.live:
            continue
        if draft.after.source == source and _outstanding(ledger, draft):
            found[hold.record_id] = hold
    return found


def _limit(ledger: Ledger, source: str) -> float:
    future = sum(
        1 for stay in ledger.known.stays if stay.live and stay.source == source and stay.check_out > ledger.today
    )
    return max(_FEW_REMOVALS, _SHARE_OF_ROWS * future)


def _hold(ledger: Ledger, draft: Draft) -> Hold:
    stay = draft.after
    return Hold(stay.source or "", stay.record_id, stay.property_id, stay.check_in, stay.check_out, ledger.now)


def _summary(ledger: Ledger, draft: Draft) -> str:
    own = draft.own
    if own is None or _outright(ledger, own):
        return "Canceled at source"
    last = own.last_seen or own.missing_since or ledger.now
    return f"Not seen since {ledger.rules.today(last)}"
