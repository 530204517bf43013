"""Working copies of the known stays while a plan is made: finding rows, and the few ways in which a row may change."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta

from changeover.core.draft import Draft
from changeover.core.identity import composite_uid
from changeover.core.memory import recall
from changeover.core.plan import Alert, Level
from changeover.core.schedule import Unreadable, custom_time
from changeover.core.stay import (
    Batch,
    BlockType,
    Decision,
    EntryType,
    Hold,
    HoldReason,
    Kind,
    Known,
    Observation,
    Rules,
    Sighting,
    Source,
    Status,
    Stay,
)

_SERVICE_TYPE = {EntryType.RESERVATION: "Turnover", EntryType.BLOCK: "Needs Review"}
_ALIASES_KEPT = 20  # uids that are new at every download would pile up without end


class Ledger:
    """Everything a reconcile works on. Nothing leaves it but the plan."""

    def __init__(self, known: Known, batches: Iterable[Batch], now: datetime, rules: Rules) -> None:
        self.known, self.now, self.rules = known, now, rules
        self.today = rules.today(now)
        self.horizon = self.today + timedelta(days=rules.lookahead_days)  # an end beyond it may be open (P-34)
        self.sources: dict[str, Source] = known.sources | {batch.source.key: batch.source for batch in batches}
        self.drafts: dict[str, Draft] = {stay.record_id: Draft(stay, stay) for stay in known.stays}
        self.by_property: dict[str, dict[Draft, None]] = defaultdict(dict)
        self.by_source: dict[str, dict[Draft, None]] = defaultdict(dict)
        self.peoples: dict[str, list[Stay]] = defaultdict(list)  # by property: live rows that people keep
        self.seen: dict[str, set[str]] = defaultdict(set)  # by source: record ids of rows that its batch shows
        self.evidence: set[str] = set()  # record ids for which a source said "gone" or "missing" in this run
        self.shown: dict[str, set[tuple[str, str]]] = defaultdict(set)  # by source: (property, uid) of its batch
        self.retired: set[str] = set()  # sources that people have ended
        self.deleted: dict[str, Draft] = {stay.record_id: Draft(stay, stay) for stay in known.tombstones}
        self.restored: set[str] = set()  # deleted rows that a new one brings back
        self.alerts: list[Alert] = []
        self.holds: dict[tuple[str, str, HoldReason], Hold] = {}
        self.numbers: Counter[str] = Counter()
        self.rejected: Counter[str] = Counter()
        self.left_out: Counter[str] = Counter()
        self._index()

    def _index(self) -> None:
        for sighting in self.known.sightings:
            draft = self.drafts.get(sighting.record_id) or self.deleted.get(sighting.record_id)
            if draft is not None:
                draft.sightings[sighting.source] = sighting
        recall(self.drafts)
        recall(self.deleted)
        for draft in self.drafts.values():
            self.by_property[draft.after.property_id][draft] = None
            if draft.live and draft.after.kept_by_people:
                self.peoples[draft.after.property_id].append(draft.after)
            for source in (draft.after.source or "", *draft.sightings):
                self.by_source[source][draft] = None

    # -- looking -----------------------------------------------------------------------------------------------------

    def of_source(self, source: str) -> list[Draft]:
        """The rows whose own source this is, live and Removed, in a fixed order."""
        return sorted(self.own(source), key=_own_order)

    def own(self, source: str) -> list[Draft]:
        """The same rows in no order, for what is done to each alone."""
        return [draft for draft in self.by_source[source] if draft.after.source == source and not draft.dropped]

    def tied_to(self, source: str, *, live: bool = True) -> list[Draft]:
        """The rows that this source has shown as a mirror."""
        found = [
            draft
            for draft in self.by_source[source]
            if draft.after.source != source and draft.live is live and source in draft.sightings
        ]
        return sorted(found, key=lambda d: (d.nights, d.after.record_id))

    def live_at(self, property_id: str) -> Iterator[Draft]:
        return (
            draft for draft in self.by_property[property_id] if draft.live and draft.after.property_id == property_id
        )

    def was_seen(self, draft: Draft, source: str) -> bool:
        return draft.after.record_id in self.seen[source]

    def importable(self, each: Observation) -> bool:
        return self.rules.importable(each.check_in, each.check_out, self.today)

    # -- writing -----------------------------------------------------------------------------------------------------

    def add(self, draft: Draft) -> None:
        self.drafts[draft.after.record_id] = draft
        self.by_property[draft.after.property_id][draft] = None
        for source in (draft.after.source or "", *draft.sightings):
            self.by_source[source][draft] = None

    def place(self, draft: Draft, property_id: str) -> None:
        """Moves a row to another property; its uid follows."""
        draft.after = replace(draft.after, property_id=property_id)
        self.by_property[property_id][draft] = None

    def saw(self, draft: Draft, batch: Batch, observation: Observation) -> None:
        """Notes that a source shows this stay now: its misses end, its uid becomes the newest (R-47, R-64)."""
        source, old = batch.source.key, draft.sightings.get(batch.source.key)
        report = observation.report
        draft.sightings[source] = Sighting(
            source=source,
            record_id=draft.after.record_id,
            uids=_newest_first((observation.uid, *observation.aliases), old),
            check_in=observation.check_in,
            check_out=observation.check_out,
            kind=observation.kind,
            entry_source=batch.source.entry_source,
            block_type=observation.block_type,
            last_seen=batch.at,
            next_is_owner=report.next_is_owner if report else (old.next_is_owner if old else False),
        )
        self.note_seen(draft, source)

    def still_there(self, draft: Draft, source: str, at: datetime | None) -> None:
        """Notes that something stands for this stay without saying what it is now (R-8, P-33)."""
        old = draft.sightings[source]
        draft.sightings[source] = replace(old, misses=0, missing_since=None, gone=False, last_seen=at)
        self.note_seen(draft, source)

    def gone(self, draft: Draft, source: str) -> None:
        """Notes that a source says outright that this stay is gone: canceled, or the source has ended (R-67, R-73)."""
        sighting = draft.sightings[source]
        draft.sightings[source] = replace(sighting, gone=True, misses=0, missing_since=None)
        self.evidence.add(draft.after.record_id)

    def note_seen(self, draft: Draft, source: str) -> None:
        self.seen[source].add(draft.after.record_id)
        self.by_source[source][draft] = None

    def take_over(self, draft: Draft, source: Source) -> None:
        """Makes a source the row's own, in place: UID, ICS URL, Entry Source (R-52, R-54, R-71)."""
        sighting = draft.sightings[source.key]
        draft.after = replace(
            draft.after,
            uid=composite_uid(sighting.uids[0], draft.after.property_id),
            source=source.key,
            url=source.url,
            entry_source=source.entry_source,
        )

    def set_nights(self, draft: Draft, check_in: date, check_out: date) -> None:
        """Moves a row to other nights. A begun stay keeps its check-in while a night is shared (R-48).

        A Custom Service Time is kept; one that then names another day is worth a look (R-60).
        """
        stay = draft.after
        if check_in == stay.check_in and check_out == stay.check_out:
            return
        if stay.check_in <= self.today and draft.shares_a_night(check_in, check_out):
            check_in = stay.check_in
        if check_out != stay.check_out:
            self._check_custom_time(draft, check_out)
        if (check_in, check_out) != draft.nights:
            draft.after = replace(stay, check_in=check_in, check_out=check_out)

    def _check_custom_time(self, draft: Draft, check_out: date) -> None:
        words = draft.after.custom_service_time
        start = custom_time(words, check_out, self.rules.zone) if words else None
        if start is None or isinstance(start, Unreadable) or self.rules.today(start) == check_out:
            return
        text = f"{self.describe(draft)}: check-out is now {check_out}, Custom Service Time names another day"
        self.alert("custom_time_other_day", draft.after.record_id, Level.WARNING, text)

    def set_type(self, draft: Draft, kind: Kind, block_type: str) -> None:
        """Sets the Entry Type; a new one brings its Service and Block Type where no person's stand (R-35, R-59)."""
        stay = draft.after
        if stay.entry_type is kind.entry_type:
            return
        service, block = default_types(kind, block_type)
        service_free = stay.service_type == _last_written(stay.wrote_service_type, _SERVICE_TYPE[stay.entry_type])
        block_free = stay.block_type == _last_written(stay.wrote_block_type, "")
        draft.after = replace(
            stay,
            entry_type=kind.entry_type,
            service_type=service if service_free else stay.service_type,
            wrote_service_type=service if service_free else stay.wrote_service_type,
            block_type=block if block_free else stay.block_type,
            wrote_block_type=block if block_free else stay.wrote_block_type,
        )

    def remove(self, draft: Draft, summary: str) -> None:
        """Sets a row Removed; all else stays as the base has it, the job id above all (R-61)."""
        before = draft.before
        if before is None:
            draft.dropped = True
            return
        if before.source == draft.after.source:  # an edited URL is the row's whatever else happens
            before = replace(before, url=draft.after.url, entry_source=draft.after.entry_source)
        if not before.live:  # it was only about to come back
            draft.after = before
            return
        draft.after = replace(before, status=Status.REMOVED, change_summary=summary, last_updated=self.now)
        if before.job_id:
            text = f"{self.describe(draft)} is gone ({summary}) and has a job"
            self.alert("removed_with_job", before.record_id, Level.ERROR, text)

    def retire(self, draft: Draft) -> None:
        """Turns a duplicate without a job into history (R-55)."""
        assert draft.before is not None  # noqa: S101  # only inherited rows are ever retired
        draft.after = replace(draft.before, status=Status.OLD, last_updated=self.now)

    def hold(self, hold: Hold) -> None:
        """Keeps a removal for a person to decide (R-55, R-69)."""
        self.holds[hold.source, hold.record_id, hold.reason] = hold

    def held(self) -> Counter[str]:
        """Removals that wait for a person's word, by Entry Type."""
        waiting = [hold for hold in self.holds.values() if hold.decision is Decision.WAITING]
        return Counter(str(self.drafts[hold.record_id].after.entry_type) for hold in waiting)

    def alert(self, rule: str, subject: str, level: Level, text: str) -> None:
        self.alerts.append(Alert(rule, subject, level, text))

    def describe(self, draft: Draft) -> str:
        home = self.known.property_names.get(draft.after.property_id, draft.after.property_id)
        return f"{home} {draft.after.check_in} → {draft.after.check_out}"


def default_types(kind: Kind, block_type: str) -> tuple[str, str]:
    """(Service Type, Block Type) that a new row of a kind gets (R-35)."""
    blocks = {Kind.RESERVATION: BlockType.EMPTY, Kind.OWNER_STAY: BlockType.OWNER_STAY, Kind.UNKNOWN: BlockType.UNKNOWN}
    return _SERVICE_TYPE[kind.entry_type], str(blocks.get(kind, block_type))


def _own_order(draft: Draft) -> tuple[bool, date, date, datetime, str]:
    stay = draft.after
    return not draft.live, stay.check_in, stay.check_out, stay.created, stay.record_id


def _newest_first(uids: tuple[str, ...], old: Sighting | None) -> tuple[str, ...]:
    earlier = old.uids if old else ()
    if len(uids) == 1 and uids == earlier:
        return earlier
    return tuple(dict.fromkeys((*uids, *earlier)))[:_ALIASES_KEPT]


def _last_written(memory: str | None, default: str) -> str:
    return default if memory is None else memory
