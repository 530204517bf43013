"""What a source shows beyond its own rows: a mirror, a stay to take over or bring back, or a new one (R-50 … R-56)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime

from changeover.core.create import create
from changeover.core.draft import Draft
from changeover.core.follow import follow, note
from changeover.core.identity import Calendar, How, bare_uid
from changeover.core.ledger import Ledger
from changeover.core.owner import ownerless
from changeover.core.stay import Batch, EntryType, Observation, Stay


def settle(ledger: Ledger, batch: Batch, observations: Sequence[Observation]) -> list[Observation]:
    """Gives every observation that has a row, though not one of its source's own, its place; returns the others.

    A mirror (R-51 … R-53), a row to take over (R-71) or to bring back (R-50): all that is before any row is made.
    """
    if not observations:
        return []
    around = _Surroundings(ledger, batch)
    left = []
    for each in observations:
        draft = around.tied(each) or around.orphan(each) or around.same_nights(each)
        if draft is None:
            left.append(each)
        else:
            _join(ledger, batch, each, draft)
    return [each for each in left if not _continues(ledger, batch, each, around)]


def make(ledger: Ledger, batch: Batch, observations: Sequence[Observation]) -> None:
    """Makes a row of everything that has none, unless another source has just made it (R-51, R-56)."""
    if not observations:
        return
    around = _Surroundings(ledger, batch)
    for each in observations:
        draft = around.tied(each) or around.same_nights(each)
        draft = draft or around.tied_by_continuity(each) or around.nearly_same_nights(each)
        if draft is None:
            create(ledger, batch, each)
        else:
            _join(ledger, batch, each, draft)


def _continues(ledger: Ledger, batch: Batch, each: Observation, around: _Surroundings) -> bool:
    mirrored = around.tied_by_continuity(each) or around.nearly_same_nights(each)
    if mirrored is not None:
        _join(ledger, batch, each, mirrored)
        return True
    return _stays_behind(ledger, batch, each) or _comes_back(ledger, batch, each, around.removed(each))


def leave_behind(ledger: Ledger, batch: Batch) -> None:
    """A calendar of one house does not speak for a row that has moved to another (R-74)."""
    if batch.property_id is None:
        return
    for draft in ledger.tied_to(batch.source.key):
        if draft.after.property_id != batch.property_id:
            del draft.sightings[batch.source.key]


# -- a stay that has a row -------------------------------------------------------------------------------------------


class _Surroundings:
    """The rows that may be what a source shows though not its own: its ties, and all that lives at the same home."""

    def __init__(self, ledger: Ledger, batch: Batch) -> None:
        self._ledger, self._source = ledger, batch.source.key
        self._calendar = Calendar(ledger.today, ledger.horizon)
        self._ties: dict[tuple[str, str | tuple[date, date]], list[Draft]] = defaultdict(list)
        self._tied = ledger.tied_to(self._source)
        for draft in self._tied:
            sighting = draft.sightings[self._source]
            names: list[str | tuple[date, date]] = [*sighting.uids, (sighting.check_in, sighting.check_out)]
            for name in names:
                self._ties[draft.after.property_id, name].append(draft)
        self._neighbours: dict[str, _Neighbours] = {}
        own = (draft for draft in ledger.of_source(self._source) if not draft.live)
        self._gone = [*own, *ledger.tied_to(self._source, live=False)]

    def tied(self, each: Observation) -> Draft | None:
        """The row this source is known to mirror, by uid or by the nights it showed, while a night is shared (R-53)."""
        for draft in self._ties.get((each.property_id, each.uid), ()):
            if draft.shares_a_night(each.check_in, each.check_out):
                return draft
        for draft in self._ties.get((each.property_id, (each.check_in, each.check_out)), ()):
            if self._still_shown(draft):
                continue
            if draft.shares_a_night(each.check_in, each.check_out):
                return draft
            del draft.sightings[self._source]
        return None

    def orphan(self, each: Observation) -> Draft | None:
        """A row whose URL no feed has any more, shown by uid: this source takes it over (R-71)."""
        fits = self._at(each.property_id).orphans.get(each.uid, ())
        return _first(draft for draft in fits if draft.shares_a_night(each.check_in, each.check_out))

    def same_nights(self, each: Observation) -> Draft | None:
        """A live row of the same property and nights, of another source or of people (R-51)."""
        return _first(self._at(each.property_id).by_nights.get((each.check_in, each.check_out), ()))

    def nearly_same_nights(self, each: Observation) -> Draft | None:
        """A live row whose nights may be the same (R-48, P-34), if this source shows nothing that fits it better."""
        if not (each.open_end or each.check_in <= self._ledger.today):
            return None
        near = (draft for draft in self._at(each.property_id).drafts if self._calendar.same_nights(each, draft.after))
        return _first(draft for draft in near if not self._ledger.was_seen(draft, self._source))

    def tied_by_continuity(self, each: Observation) -> Draft | None:
        """Where uids do not last: the one tied row that shares a night and that this source does not show otherwise.

        Without it, a channel that copies a change a step late would make a second row of the same stay.
        """
        fits = [
            draft
            for draft in (() if each.stable_uid else self._tied)
            if draft.after.property_id == each.property_id
            and draft.shares_a_night(each.check_in, each.check_out)
            and self._source in draft.sightings
            and each.entry_type in (EntryType.BLOCK, draft.sightings[self._source].kind.entry_type)
            and not self._ledger.was_seen(draft, self._source)
            and not self._still_shown(draft)
        ]
        return fits[0] if len(fits) == 1 else None

    def removed(self, each: Observation) -> Draft | None:
        """A Removed row that this source has shown: by uid, and by dates only where uids do not last (R-50)."""
        for draft in self._gone:
            if draft.after.property_id != each.property_id or self._ledger.was_seen(draft, self._source):
                continue
            by_dates = not each.stable_uid and self._calendar.same_nights(each, draft.after)
            if by_dates or each.uid in draft.sightings[self._source].uids:
                return draft
        return None

    def _still_shown(self, draft: Draft) -> bool:
        """Whether the batch shows a uid under which the source has shown this row."""
        shown, home = self._ledger.shown[self._source], draft.after.property_id
        return any((home, uid) in shown for uid in draft.sightings[self._source].uids)

    def _at(self, property_id: str) -> _Neighbours:
        if property_id not in self._neighbours:
            others = (draft for draft in self._ledger.live_at(property_id) if draft.after.source != self._source)
            self._neighbours[property_id] = _Neighbours(self._ledger, others)
        return self._neighbours[property_id]


class _Neighbours:
    """The live rows of one home that are not the source's own."""

    def __init__(self, ledger: Ledger, drafts: Iterable[Draft]) -> None:
        self.drafts = list(drafts)
        self.by_nights: dict[tuple[date, date], list[Draft]] = defaultdict(list)
        self.orphans: dict[str, list[Draft]] = defaultdict(list)
        for draft in self.drafts:
            self.by_nights[draft.nights].append(draft)
            if ownerless(ledger, draft.after):
                self.orphans[bare_uid(draft.after.uid, draft.after.property_id)].append(draft)


def _first(drafts: Iterable[Draft]) -> Draft | None:
    return min(drafts, key=_first_in_line, default=None)


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
    draft.hear(each.report)


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


def _comes_back(ledger: Ledger, batch: Batch, each: Observation, draft: Draft | None) -> bool:
    """Brings back the Removed row of this stay, if there is one. A mirror that shows it first becomes its source."""
    if draft is None:
        return False
    if draft.after.source != batch.source.key and ledger.importable(each):
        ledger.saw(draft, batch, each)
        ledger.take_over(draft, batch.source)
    note(ledger, batch, each, draft, How.DATES)
    return True
