"""Working copies of the known stays while a plan is made, and the plan that falls out of comparing before with after."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from changeover.core.identity import bare_uid, composite_uid, parse_mirrors
from changeover.core.plan import Alert, Change, Counts, Level, Plan, Verb, create_key, tally
from changeover.core.stay import (
    Batch,
    BlockType,
    Decision,
    EntryType,
    Hold,
    Kind,
    Known,
    Observation,
    Rules,
    Sighting,
    Source,
    Status,
    Stay,
)


@dataclass(slots=True, eq=False)
class Draft:
    """One row in work. `before` is None while it is new; `sightings` are by source key."""

    before: Stay | None
    after: Stay
    sightings: dict[str, Sighting] = field(default_factory=dict)
    rolled: bool = False  # its open end was moved in place, which is no change (P-34)
    restores: str | None = None
    dropped: bool = False  # a row that was going to be made and is not

    @property
    def own(self) -> Sighting | None:
        return self.sightings.get(self.after.source or "")

    @property
    def live(self) -> bool:
        return self.after.live and not self.dropped

    @property
    def nights(self) -> tuple[date, date]:
        return self.after.check_in, self.after.check_out

    def shares_a_night(self, check_in: date, check_out: date) -> bool:
        return self.after.check_in < check_out and check_in < self.after.check_out


class Ledger:
    """Everything a reconcile works on. Nothing leaves it but the plan."""

    def __init__(self, known: Known, batches: Iterable[Batch], now: datetime, rules: Rules) -> None:
        self.known, self.now, self.rules = known, now, rules
        self.today = rules.today(now)
        self.sources: dict[str, Source] = known.sources | {batch.source.key: batch.source for batch in batches}
        self.drafts: dict[str, Draft] = {stay.record_id: Draft(stay, stay) for stay in known.stays}
        self.by_property: dict[str, list[Draft]] = defaultdict(list)
        self.by_source: dict[str, list[Draft]] = defaultdict(list)
        self.seen: set[tuple[str, str]] = set()  # (source, record id) shown by a batch of this run
        self.evidence: set[str] = set()  # record ids for which a source said "gone" or "missing" in this run
        self.shown: dict[str, set[tuple[str, str]]] = defaultdict(set)  # by source: (property, uid) of its batch
        self.retired: set[str] = set()  # sources that people have ended
        self.alerts: list[Alert] = []
        self.holds: list[Hold] = []
        self.held: Counter[str] = Counter()
        self.numbers: Counter[str] = Counter()
        self.rejected: Counter[str] = Counter()
        self.left_out: Counter[str] = Counter()
        self._index()

    def _index(self) -> None:
        for sighting in self.known.sightings:
            draft = self.drafts.get(sighting.record_id)
            if draft is not None:
                draft.sightings[sighting.source] = sighting
        for draft in self.drafts.values():
            _remember_from_row(draft)
            self.by_property[draft.after.property_id].append(draft)
            for source in {*draft.sightings, draft.after.source or ""}:
                self.by_source[source].append(draft)

    # -- looking -----------------------------------------------------------------------------------------------------

    def of_source(self, source: str) -> list[Draft]:
        """The rows whose own source this is, live and Removed, in a fixed order."""
        found = [d for d in self.by_source[source] if d.after.source == source and not d.dropped]
        return sorted(found, key=lambda d: (not d.live, d.nights, d.after.created, d.after.record_id))

    def tied_to(self, source: str) -> list[Draft]:
        """The live rows that this source has shown as a mirror."""
        found = [d for d in self.by_source[source] if d.live and d.after.source != source and source in d.sightings]
        return sorted(found, key=lambda d: (d.nights, d.after.record_id))

    def live_at(self, property_id: str) -> Iterator[Draft]:
        return (
            draft for draft in self.by_property[property_id] if draft.live and draft.after.property_id == property_id
        )

    # -- writing -----------------------------------------------------------------------------------------------------

    def add(self, draft: Draft) -> None:
        self.drafts[draft.after.record_id] = draft
        self.by_property[draft.after.property_id].append(draft)
        self.by_source[draft.after.source or ""].append(draft)

    def place(self, draft: Draft, property_id: str) -> None:
        """Moves a row to another property; its uid follows."""
        draft.after = replace(draft.after, property_id=property_id)
        self.by_property[property_id].append(draft)

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
            kind=observation.kind if observation.kind.makes_row or old is None else old.kind,
            entry_source=batch.source.entry_source,
            block_type=observation.block_type,
            last_seen=batch.at,
            next_is_owner=report.next_is_owner if report else (old.next_is_owner if old else False),
        )
        self._note_seen(draft, source)

    def still_there(self, draft: Draft, batch: Batch) -> None:
        """Notes that something stands for this stay without saying what it is now (R-8, P-33)."""
        source = batch.source.key
        old = draft.sightings[source]
        draft.sightings[source] = replace(old, misses=0, missing_since=None, gone=False, last_seen=batch.at)
        self._note_seen(draft, source)

    def _note_seen(self, draft: Draft, source: str) -> None:
        self.seen.add((source, draft.after.record_id))
        if draft not in self.by_source[source]:
            self.by_source[source].append(draft)

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

    def remove(self, draft: Draft, summary: str) -> None:
        """Sets a row Removed; all else stays as the base has it, the job id above all (R-61)."""
        if draft.before is None:
            draft.dropped = True
            return
        draft.after = replace(draft.before, status=Status.REMOVED, change_summary=summary, last_updated=self.now)
        if draft.after.job_id:
            text = f"{self.describe(draft)} is gone ({summary}) and has a job"
            self.alert("removed_with_job", draft.after.record_id, Level.ERROR, text)

    def retire(self, draft: Draft) -> None:
        """Turns a duplicate without a job into history (R-55)."""
        assert draft.before is not None  # noqa: S101  # only inherited rows are ever retired
        draft.after = replace(draft.before, status=Status.OLD, last_updated=self.now)

    def set_type(self, draft: Draft, kind: Kind, block_type: str) -> None:
        """Sets the Entry Type; a new one brings its Service and Block Type where they are not a person's (R-35, R-59)."""
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

    def hold(self, hold: Hold, entry_type: EntryType) -> None:
        """Keeps a removal for a person to decide (R-69)."""
        self.holds.append(hold)
        if hold.decision is Decision.WAITING:
            self.held[entry_type] += 1

    def alert(self, rule: str, subject: str, level: Level, text: str) -> None:
        self.alerts.append(Alert(rule, subject, level, text))

    def describe(self, draft: Draft) -> str:
        home = self.known.property_names.get(draft.after.property_id, draft.after.property_id)
        return f"{home} {draft.after.check_in} → {draft.after.check_out}"

    # -- the plan ----------------------------------------------------------------------------------------------------

    def plan(self) -> Plan:
        changes: list[Change] = []
        kept: dict[tuple[str, str], Sighting] = {}
        for draft in self.drafts.values():
            if draft.dropped:
                continue
            stay = self._final(draft)
            change = _change(draft, stay)
            if change is not None:
                changes.append(change)
            if stay.status is Status.OLD:
                continue
            for sighting in draft.sightings.values():
                kept[sighting.source, stay.record_id] = replace(sighting, record_id=stay.record_id)
        ordered = tuple(sorted(changes, key=_plan_order))
        known = {(each.source, each.record_id): each for each in self.known.sightings}
        return Plan(
            now=self.now,
            changes=ordered,
            sightings=tuple(kept[key] for key in sorted(kept) if known.get(key) != kept[key]),
            forgotten=tuple(sorted(key for key in known if key not in kept)),
            holds=tuple(sorted(self.holds, key=lambda hold: (hold.source, hold.record_id))),
            alerts=tuple(sorted(self.alerts, key=lambda alert: (alert.rule, alert.subject))),
            counts=self._counts(ordered),
        )

    def _final(self, draft: Draft) -> Stay:
        """The row as the plan leaves it: status, summary and clock of what happened to it in this run."""
        stay = draft.after
        if draft.before is None:
            stay = replace(stay, record_id=create_key(stay.uid, stay.url, stay.status, stay.check_in, stay.check_out))
            return replace(stay, last_updated=self.now)
        summary = "; ".join(self._summary(draft)) if stay.live else ""
        if not summary:
            return stay
        return replace(
            stay,
            status=Status.MODIFIED,
            change_summary=summary,
            last_updated=self.now,
            missing_count=0,
            missing_since=None,
            last_seen=None,
            suspected_cancel=False,
        )

    def _summary(self, draft: Draft) -> Iterator[str]:
        """The parts of the Change Summary: what of dates, home, type and life differs (R-57, R-58)."""
        old, new, names = draft.before, draft.after, self.known.property_names
        if old is None:
            return
        if old.check_in != new.check_in:
            yield f"Check-in {old.check_in} → {new.check_in}"
        if old.check_out != new.check_out and not draft.rolled:
            yield f"Check-out {old.check_out} → {new.check_out}"
        if old.property_id != new.property_id:
            homes = (names.get(each.property_id, each.property_id) for each in (old, new))
            yield f"Property {' → '.join(homes)}"
        if old.entry_type is not new.entry_type:
            yield f"Entry Type {old.entry_type} → {new.entry_type}"
        if not old.live:
            yield "Reactivated"

    def _counts(self, changes: tuple[Change, ...]) -> Counts:
        touched = {change.after.record_id for change in changes}
        return Counts(
            read=self.numbers["read"],
            kept=self.numbers["kept"],
            changes=tally(changes, self.held),
            unchanged=sum(1 for stay in self.known.stays if stay.live and stay.record_id not in touched),
            reactivated=sum(1 for change in changes if change.verb is Verb.MODIFY and not _was_live(change)),
            mirrors=self.numbers["mirrors"],
            mirrors_differing=self.numbers["mirrors_differing"],
            duplicates=self.numbers["duplicates"],
            misses=self.numbers["misses"],
            rejected=dict(self.rejected),
            dropped=dict(self.left_out),
        )


def _change(draft: Draft, stay: Stay) -> Change | None:
    if draft.before is None:
        return Change(Verb.NEW, None, stay, draft.restores)
    if stay.status is not draft.before.status and stay.status in (Status.REMOVED, Status.OLD):
        return Change(Verb.REMOVE if stay.status is Status.REMOVED else Verb.RETIRE, draft.before, stay)
    modified = stay.change_summary != draft.before.change_summary or stay.last_updated != draft.before.last_updated
    change = Change(Verb.MODIFY if modified else Verb.UPDATE, draft.before, stay)
    return change if change.differences() else None


def _was_live(change: Change) -> bool:
    return change.before is not None and change.before.live


def _plan_order(change: Change) -> tuple[str, date, date, str, str]:
    stay = change.after
    return stay.property_id, stay.check_in, stay.check_out, str(change.verb), stay.record_id


def _newest_first(uids: tuple[str, ...], old: Sighting | None) -> tuple[str, ...]:
    earlier = old.uids if old else ()
    return tuple(dict.fromkeys((*uids, *earlier)))[:_ALIASES_KEPT]


def default_types(kind: Kind, block_type: str) -> tuple[str, str]:
    """(Service Type, Block Type) that a new row of a kind gets (R-35)."""
    blocks = {Kind.RESERVATION: BlockType.EMPTY, Kind.OWNER_STAY: BlockType.OWNER_STAY, Kind.UNKNOWN: BlockType.UNKNOWN}
    return _SERVICE_TYPE[kind.entry_type], str(blocks.get(kind, block_type))


def _last_written(memory: str | None, default: str) -> str:
    return default if memory is None else memory


_SERVICE_TYPE = {EntryType.RESERVATION: "Turnover", EntryType.BLOCK: "Needs Review"}
_ALIASES_KEPT = 20  # uids that are new at every download would pile up without end


def _remember_from_row(draft: Draft) -> None:
    """Rebuilds from the row what the state database does not know: its own source's uid and misses, its mirrors (B-7)."""
    stay = draft.after
    if stay.source is None:
        return
    kind = Kind.RESERVATION if stay.entry_type is EntryType.RESERVATION else Kind.BLOCK
    if stay.source not in draft.sightings:
        draft.sightings[stay.source] = Sighting(
            source=stay.source,
            record_id=stay.record_id,
            uids=(bare_uid(stay.uid, stay.property_id),),
            check_in=stay.check_in,
            check_out=stay.check_out,
            kind=kind,
            entry_source=stay.entry_source,
            block_type=stay.block_type,
            misses=stay.missing_count,
            missing_since=stay.missing_since,
            last_seen=stay.last_seen,
        )
    for entry_source, source, uid in parse_mirrors(stay.also_seen_in):
        if source not in draft.sightings:
            draft.sightings[source] = Sighting(
                source=source,
                record_id=stay.record_id,
                uids=(uid,),
                check_in=stay.check_in,
                check_out=stay.check_out,
                kind=kind,
                entry_source=entry_source,
                misses=stay.missing_count,
                missing_since=stay.missing_since,
                last_seen=stay.last_seen,
            )
