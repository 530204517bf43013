"""What is remembered of reports between runs: instants, addresses, what each source has shown; it stores nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property

from changeover.core.stay import Kind
from changeover.sources.csv.properties import Addresses


@dataclass(frozen=True, slots=True)
class Shown:
    """A stay that a report's source is known to have shown, under one of its ids."""

    source: str
    uid: str
    property_id: str
    check_in: date
    check_out: date
    kind: Kind
    last_seen: datetime | None = None


@dataclass(frozen=True)
class Memory:
    """`imported` is when the newest imported report of each source was received (R-21)."""

    imported: Mapping[str, datetime] = field(default_factory=dict)
    addresses: Addresses = field(default_factory=dict)
    stays: tuple[Shown, ...] = ()

    def of(self, source: str, uid: str) -> Iterable[Shown]:
        """The stays that a source is known to have shown under an id, by home."""
        return self._by_uid.get((source, uid), {}).values()

    def shown_since(self, source: str, uid: str, instant: datetime) -> bool:
        """Whether the source has shown the id after an instant, at any home."""
        return any(each.last_seen is not None and each.last_seen > instant for each in self.of(source, uid))

    def owners_numbers(self, source: str) -> frozenset[str]:
        """The ids that a source has shown as an owner's (R-28)."""
        return frozenset(each.uid for each in self.stays if each.source == source and each.kind is Kind.OWNER_STAY)

    @cached_property
    def _by_uid(self) -> Mapping[tuple[str, str], Mapping[str, Shown]]:
        found: dict[tuple[str, str], dict[str, Shown]] = defaultdict(dict)
        for each in self.stays:
            found[each.source, each.uid].setdefault(each.property_id, each)
        return found
