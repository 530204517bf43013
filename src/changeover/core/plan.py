"""Plan and Change as data: what a reconcile decided, to print, serialise, compare and carry out later."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from enum import StrEnum
from typing import TypeAlias

from changeover.core.recollection import Seen
from changeover.core.stay import EntryType, Hold, Sighting, Status, Stay

Plain: TypeAlias = str | int | bool | None


class Verb(StrEnum):
    """What happens to a row. Only `modify` leaves a history row; `retire` turns a duplicate into history (R-55)."""

    NEW = "new"
    MODIFY = "modified"
    REMOVE = "removed"
    UPDATE = "updated"
    RETIRE = "retired"


class Level(StrEnum):
    WARNING = "warning"
    ERROR = "error"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True)
class Alert:
    """Something a person should know: one open alert per rule and subject. The text holds no secret and no guest."""

    rule: str
    subject: str
    level: Level
    text: str


@dataclass(frozen=True, slots=True)
class Change:
    """One row's change in a run. `before` is None for a new row; `restores` names the deleted row it brings back."""

    verb: Verb
    before: Stay | None
    after: Stay
    restores: str | None = None

    @property
    def entry_type(self) -> EntryType:
        return self.after.entry_type

    def differences(self) -> dict[str, tuple[Plain, Plain]]:
        """The values that differ, by attribute of Stay, as (before, after) in a plain form."""
        found: dict[str, tuple[Plain, Plain]] = {}
        for name in _ATTRIBUTES:
            new = getattr(self.after, name)
            old = None if self.before is None else getattr(self.before, name)
            if plain(old) != plain(new):
                found[name] = (plain(old), plain(new))
        return found


@dataclass(frozen=True, slots=True)
class Counts:
    """What the run did, by kind of change and Entry Type, and what it read (R-89)."""

    read: int = 0
    kept: int = 0
    changes: Mapping[str, int] = field(default_factory=dict)  # "new.Reservation" → n
    unchanged: int = 0
    reactivated: int = 0
    mirrors: int = 0
    mirrors_differing: int = 0
    duplicates: int = 0
    misses: int = 0
    rejected: Mapping[str, int] = field(default_factory=dict)  # reason → n
    dropped: Mapping[str, int] = field(default_factory=dict)  # kind or window → n

    def of(self, verb: str, entry_type: EntryType | None = None) -> int:
        """How many rows of a verb ("new", "modified", "removed", "updated", "retired", "held"), all or of one type."""
        types = [entry_type] if entry_type else list(EntryType)
        return sum(self.changes.get(f"{verb}.{each}", 0) for each in types)

    def __add__(self, other: Counts) -> Counts:
        """Both together."""
        return Counts(
            read=self.read + other.read,
            kept=self.kept + other.kept,
            changes=_both(self.changes, other.changes),
            unchanged=self.unchanged + other.unchanged,
            reactivated=self.reactivated + other.reactivated,
            mirrors=self.mirrors + other.mirrors,
            mirrors_differing=self.mirrors_differing + other.mirrors_differing,
            duplicates=self.duplicates + other.duplicates,
            misses=self.misses + other.misses,
            rejected=_both(self.rejected, other.rejected),
            dropped=_both(self.dropped, other.dropped),
        )


@dataclass(frozen=True, slots=True)
class Plan:
    """The outcome of a reconcile. Equal inputs give an equal plan, whatever the order of batches.

    `forgotten` are the (source, record_id) pairs to drop; then comes what was `seen` again, then the `sightings` to
    store. `holds` is the whole new list.
    """

    now: datetime
    changes: tuple[Change, ...] = ()
    seen: tuple[Seen, ...] = ()
    sightings: tuple[Sighting, ...] = ()
    forgotten: tuple[tuple[str, str], ...] = ()
    holds: tuple[Hold, ...] = ()
    alerts: tuple[Alert, ...] = ()
    counts: Counts = Counts()

    @property
    def writes(self) -> bool:
        return bool(self.changes)

    def then(self, later: Plan) -> Plan:
        """This plan and that of a later step of the same cycle as one, to be shown; a list of holds is a whole list."""
        return Plan(
            now=later.now,
            changes=self.changes + later.changes,
            sightings=self.sightings + later.sightings,
            forgotten=self.forgotten + later.forgotten,
            holds=later.holds,
            alerts=self.alerts + later.alerts,
            counts=self.counts + later.counts,
        )

    def to_json(self) -> dict[str, object]:
        """A plain form for `--json`, the run's record and comparison; holds no report text (door codes)."""
        return {
            "now": self.now.isoformat(),
            "changes": [_change_json(change) for change in self.changes],
            "held": [_plain_fields(hold) for hold in self.holds],
            "alerts": [_plain_fields(alert) for alert in self.alerts],
            "counts": counts_json(self.counts),
        }

    def lines(self, property_names: Mapping[str, str]) -> Iterator[str]:
        """The plan for a person: a line per change, in the plan's order."""
        for change in self.changes:
            stay = change.after
            home = property_names.get(stay.property_id, stay.property_id)
            what = ", ".join(_difference_text(change)) if change.verb is Verb.UPDATE else stay.change_summary
            line = f"{change.verb:<9} {home} {stay.check_in} → {stay.check_out} {stay.entry_type} ({stay.entry_source})"
            yield f"{line}: {what}" if what else line
        for hold in self.holds:
            home = property_names.get(hold.property_id, hold.property_id)
            yield f"held      {home} {hold.check_in} → {hold.check_out}"


def counts_json(counts: Counts) -> dict[str, int | dict[str, int]]:
    return {
        "read": counts.read,
        "kept": counts.kept,
        "changes": dict(sorted(counts.changes.items())),
        "unchanged": counts.unchanged,
        "reactivated": counts.reactivated,
        "mirrors": counts.mirrors,
        "mirrors_differing": counts.mirrors_differing,
        "duplicates": counts.duplicates,
        "misses": counts.misses,
        "rejected": dict(sorted(counts.rejected.items())),
        "dropped": dict(sorted(counts.dropped.items())),
    }


def tally(changes: tuple[Change, ...], held: Counter[str]) -> dict[str, int]:
    """Changes by verb and Entry Type, held removals included, for Counts.changes."""
    found = Counter(f"{change.verb}.{change.entry_type}" for change in changes)
    found.update({f"held.{entry_type}": number for entry_type, number in held.items()})
    return dict(found)


def create_key(uid: str, url: str, status: Status, check_in: date, check_out: date) -> str:
    """The dedupe key of a row to be created (AT-44): 40 hex digits over what makes the row this stay's."""
    text = "\x1f".join((uid, url, status, check_in.isoformat(), check_out.isoformat()))
    return hashlib.sha256(text.encode()).hexdigest()[:40]


def plain(value: object) -> Plain:
    """A value as JSON can carry it: dates and instants in ISO, empty as None."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, bool | int):
        return value
    return None if value is None or value == "" else str(value)


_SILENT = frozenset({"itrip_info", "url"})
_NOT_CELLS = frozenset({"record_id", "created", "source", "custom_service_time", "job_id"}) | {
    "wrote_service_type",
    "wrote_block_type",
}
_ATTRIBUTES = tuple(each.name for each in fields(Stay) if each.name not in _NOT_CELLS)


def _both(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    return dict(Counter(one) + Counter(other))


def _change_json(change: Change) -> dict[str, object]:
    stay = change.after
    return {
        "verb": str(change.verb),
        "record_id": None if change.before is None else stay.record_id,
        "property": stay.property_id,
        "check_in": stay.check_in.isoformat(),
        "check_out": stay.check_out.isoformat(),
        "entry_type": str(stay.entry_type),
        "entry_source": stay.entry_source,
        "restores": change.restores,
        "changes": {
            name: ["…", "…"] if name in _SILENT else list(values) for name, values in change.differences().items()
        },
    }


def _difference_text(change: Change) -> Iterator[str]:
    for name, (old, new) in change.differences().items():
        yield name if name in _SILENT else f"{name} {old} → {new}"


def _plain_fields(value: Hold | Alert) -> dict[str, Plain]:
    return {each.name: plain(getattr(value, each.name)) for each in fields(value)}
