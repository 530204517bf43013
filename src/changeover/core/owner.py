"""Which source a row follows, and when another takes it over; it never looks at a batch."""

from __future__ import annotations

from collections.abc import Sequence

from changeover.core.draft import Draft
from changeover.core.ledger import Ledger
from changeover.core.stay import EntryType, Kind, Sighting, Stay


def ownerless(ledger: Ledger, stay: Stay) -> bool:
    """True for a row whose URL no feed has any more (R-71)."""
    return stay.source is not None and stay.source not in ledger.sources


def voices(ledger: Ledger, draft: Draft) -> Sequence[Sighting]:
    """Who has a say on a row: its own source, and every mirror the base still names (R-54)."""
    own = draft.after.source
    return [each for each in draft.sightings.values() if each.source == own or each.source in ledger.sources]


def heir(ledger: Ledger, draft: Draft) -> Sighting | None:
    """The mirror that takes over (R-54): one that shares a night, a guest's first, then one not itself missing."""
    own = draft.after.source
    rest = [each for each in voices(ledger, draft) if each.source != own and not each.gone]
    return min(rest, key=lambda each: (not _shares(draft, each), *_rank(each))) if rest else None


def _rank(each: Sighting) -> tuple[bool, int, str]:
    return each.kind is not Kind.RESERVATION, each.misses, each.source


def _shares(draft: Draft, each: Sighting) -> bool:
    return draft.shares_a_night(each.check_in, each.check_out)


def hand_over(ledger: Ledger, draft: Draft, sighting: Sighting) -> None:
    """A mirror becomes the row's own source; its dates and type become the row's (R-52, R-54)."""
    stay = draft.after
    ledger.take_over(draft, ledger.sources[sighting.source])
    closed = stay.entry_type is EntryType.BLOCK is sighting.kind.entry_type
    both_open = closed and min(stay.check_out, sighting.check_out) >= ledger.horizon  # such an end only rolls (P-34)
    ledger.set_nights(draft, sighting.check_in, stay.check_out if both_open else sighting.check_out)
    ledger.set_type(draft, sighting.kind, sighting.block_type)


def settle_owner(ledger: Ledger, draft: Draft) -> None:
    """A Reservation wins over a Block; a row without owner goes to a mirror that shows it now (R-52, R-71)."""
    stay = draft.after
    if stay.kept_by_people or not draft.live:
        return
    best = heir(ledger, draft)
    if best is None or not _shares(draft, best):
        return
    guest_behind_block = stay.entry_type is EntryType.BLOCK and best.kind is Kind.RESERVATION
    adopted = ownerless(ledger, stay) and ledger.was_seen(draft, best.source)
    if guest_behind_block or adopted:
        hand_over(ledger, draft, best)
