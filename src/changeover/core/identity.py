"""Which stay an observation is: uid forms, one source's matching order, mirrors across sources; it changes nothing."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Generic, Protocol, TypeVar

from changeover.core.stay import Kind, Observation, Sighting, Stay

_MIRROR_SEPARATOR = " · "
_MIRROR_PARTS = 3
_PRECEDENCE = (Kind.RESERVATION, Kind.OWNER_STAY, Kind.BLOCK, Kind.UNKNOWN)


def composite_uid(uid: str, property_id: str) -> str:
    """The Reservation UID of a source's bare uid at a property (R-45). Compared whole, never split."""
    return f"{uid}_{property_id}"


def bare_uid(reservation_uid: str, property_id: str) -> str:
    """The source's uid of a row: only a suffix equal to `_` and the row's own property id is taken off (R-45)."""
    return reservation_uid.removesuffix(f"_{property_id}")


def mirror_lines(own: str | None, sightings: Iterable[Sighting], present: str) -> str:
    """Also Seen In of a row: a line per mirror that has not said the stay is gone, sorted; no URL (R-51).

    A mirror's line in the present text keeps its uid, for some platforms give a new one at every download.
    """
    mirrors = [each for each in sightings if each.source != own and not each.gone]
    if not mirrors:
        return ""
    written = {source: uid for _, source, uid in parse_mirrors(present)}
    lines = ((each.entry_source, each.source, written.get(each.source, each.uids[0])) for each in mirrors)
    return "\n".join(sorted(_MIRROR_SEPARATOR.join(line) for line in lines))


def parse_mirrors(also_seen_in: str) -> Iterator[tuple[str, str, str]]:
    """(entry source, source key, bare uid) of each readable line; anything else a person wrote is passed over."""
    for line in also_seen_in.splitlines():
        parts = line.split(_MIRROR_SEPARATOR, _MIRROR_PARTS - 1)
        if len(parts) == _MIRROR_PARTS and all(parts):
            yield parts[0], parts[1], parts[2]


def collapse(observations: Iterable[Observation]) -> tuple[list[Observation], int]:
    """One observation per property and nights (R-44), in a fixed order, and how many were folded into others.

    A reservation comes before an owner stay before a block before unknown; the other uids become aliases. Items that
    make no row, and canceled ones, stay as they are.
    """
    groups: dict[object, list[Observation]] = defaultdict(list)
    for each in sorted(observations, key=_order):
        alone = each.canceled or not each.kind.makes_row
        groups[id(each) if alone else (each.property_id, each.check_in, each.check_out)].append(each)
    chosen = [_strongest(group) for group in groups.values()]
    folded = sum(len(group) - 1 for group in groups.values())
    return (sorted(chosen, key=_order) if folded else chosen), folded


def _strongest(group: list[Observation]) -> Observation:
    if len(group) == 1:
        return group[0]
    best = min(group, key=lambda each: (_PRECEDENCE.index(each.kind), each.uid))
    others = tuple(each.uid for each in group if each.uid != best.uid)
    return replace(best, aliases=best.aliases + others)


def _order(each: Observation) -> tuple[str, date, date, str, str]:
    return each.property_id, each.check_in, each.check_out, str(each.kind), each.uid


class How(StrEnum):
    """By which rule an observation found its row (R-46)."""

    UID = "uid"
    ELSEWHERE = "uid at another property"
    DATES = "dates"
    CONTINUITY = "continuity"
    CHECK_OUT = "check-out"


class Row(Protocol):
    """What matching reads of a row in work: the row itself and what each source showed of it."""

    after: Stay
    sightings: dict[str, Sighting]

    @property
    def live(self) -> bool: ...


def row_uids(stay: Stay) -> tuple[str, str]:
    """The uids under which a row itself is written: as its source gives it, and as a whole for older rows (R-45)."""
    return bare_uid(stay.uid, stay.property_id), stay.uid


def known_uids(row: Row, source: str) -> set[str]:
    """Every uid by which a source knows a row: the row's own where it is that source's, and the aliases (R-46.1)."""
    sighting = row.sightings.get(source)
    own = row_uids(row.after) if row.after.source == source else ()
    return {*own, *(sighting.uids if sighting else ())}


@dataclass(frozen=True, slots=True)
class Calendar:
    """The day of the run, and the day from which an end may be open (P-34)."""

    today: date
    horizon: date

    def same_nights(self, each: Observation, stay: Stay) -> bool:
        """The same check-in and check-out, as far as either can be known.

        The check-in of two stays that have begun cannot: some platforms move it to today, daily (R-48). Nor can the
        check-out of two open ends, which rolls (P-34).
        """
        begins = each.check_in == stay.check_in or max(each.check_in, stay.check_in) <= self.today
        ends = each.check_out == stay.check_out
        return begins and (ends or self._open(each, stay))

    def _open(self, each: Observation, stay: Stay) -> bool:
        return each.open_end and each.entry_type is stay.entry_type and stay.check_out >= self.horizon


R = TypeVar("R", bound=Row)


@dataclass(slots=True)
class Matching(Generic[R]):
    """One source's observations against its own rows, step by step; each row and observation is used once (R-46)."""

    source: str
    rows: Sequence[R]
    left: list[Observation]
    calendar: Calendar
    found: list[tuple[Observation, R, How]] = field(default_factory=list)
    _free: dict[int, R] = field(init=False)
    _items: Sequence[Observation] = field(init=False)

    def __post_init__(self) -> None:
        self._free = {id(row): row for row in self.rows}
        self._items = self.left

    def by_uid(self) -> None:
        """R-46.1, the plain case: the uid that a live row bears, as a whole or bare (older rows)."""
        self._claim_uids([(row, row_uids(row.after)) for row in self._live()])

    def by_alias(self, *, live: bool) -> None:
        """R-46.1, the rest: any uid of a live row, or of a Removed one, whose own comes first here too.

        An item's own uid first, then its others.
        """
        if not self.left:
            return
        rows = [row for row in self._free.values() if row.live is live]
        if not live:
            self._claim_uids([(row, row_uids(row.after)) for row in rows])
        known = [(row, known_uids(row, self.source)) for row in rows if id(row) in self._free]
        self._claim_uids(known)
        self._claim_uids(known, folded=True)

    def _claim_uids(self, rows: Iterable[tuple[R, Iterable[str]]], *, folded: bool = False) -> None:
        index: dict[tuple[str, str], list[R]] = {}
        for row, uids in rows:
            home = row.after.property_id
            for uid in uids:
                index.setdefault((home, uid), []).append(row)

        def candidate(each: Observation) -> R | None:
            uids = each.aliases if folded else (each.uid,)
            return self._best(each, [row for uid in uids for row in index.get((each.property_id, uid), ())])

        self._claim(How.UID, candidate)

    def elsewhere(self) -> None:
        """R-46.2: the uid stands at another property, which this batch does not show: the stay has moved house.

        A row's own uid comes before its others: of two that were one stay, and move apart, one stays that row.
        """
        if not self.left:
            return
        shown = {(each.property_id, uid) for each in self._items for uid in (each.uid, *each.aliases)}
        rows = self._live()
        self._claim_moved([(row, row_uids(row.after)) for row in rows], shown)
        self._claim_moved([(row, known_uids(row, self.source)) for row in rows], shown)

    def _claim_moved(self, rows: Iterable[tuple[R, Iterable[str]]], shown: Container[tuple[str, str]]) -> None:
        index: dict[str, list[R]] = defaultdict(list)
        for row, uids in rows:
            for uid in uids:
                if (row.after.property_id, uid) not in shown:
                    index[uid].append(row)
        self._claim(How.ELSEWHERE, lambda each: self._best(each, index.get(each.uid, ())))

    def by_dates(self) -> None:
        """R-46.3: the same nights among live rows that no uid has claimed, the same Entry Type first."""
        if not self.left:
            return
        index = self._live_by_property()
        same = self.calendar.same_nights
        self._claim(
            How.DATES,
            lambda each: self._best(each, [row for row in index[each.property_id] if same(each, row.after)]),
        )

    def by_continuity(self, seen: Container[str]) -> None:
        """R-46.4: an unseen live row and an observation left over share a night, each the other's only candidate."""
        if not self.left:
            return
        index = self._live_by_property(seen)
        pairs = [(each, row) for each in self.left for row in index[each.property_id] if _continues(each, row.after)]
        of_row, of_item = Counter(id(row) for _, row in pairs), Counter(id(each) for each, _ in pairs)
        only = {id(each): row for each, row in pairs if of_row[id(row)] == 1 and of_item[id(each)] == 1}
        self._claim(How.CONTINUITY, lambda each: only.get(id(each)))

    def by_check_out(self, seen: Container[str]) -> None:
        """R-46.5: for uids that do not last, the same check-out and a night in common."""
        if not self.left:
            return
        index = self._live_by_property(seen)

        def candidate(each: Observation) -> R | None:
            fits = () if each.stable_uid else [row for row in index[each.property_id] if _ends_alike(each, row.after)]
            return self._best(each, fits)

        self._claim(How.CHECK_OUT, candidate)

    def withhold(self, uids: Collection[tuple[str, str]]) -> None:
        """Takes out the rows that something else in the batch speaks for, by (property, uid)."""
        for row in list(self._free.values()) if uids else ():
            if any((row.after.property_id, uid) in uids for uid in known_uids(row, self.source)):
                del self._free[id(row)]

    def set_aside(self, chosen: Callable[[Observation], bool]) -> list[Observation]:
        """Takes out observations that are decided elsewhere."""
        aside = [each for each in self.left if chosen(each)]
        self.left = [each for each in self.left if not chosen(each)]
        return aside

    def _claim(self, how: How, candidate: Callable[[Observation], R | None]) -> None:
        if not self._free:
            return
        remaining: list[Observation] = []
        for each in self.left:
            row = candidate(each)
            if row is None or id(row) not in self._free:
                remaining.append(each)
                continue
            del self._free[id(row)]
            self.found.append((each, row, how))
        self.left = remaining

    def _live(self) -> list[R]:
        return [row for row in self._free.values() if row.live]

    def _live_by_property(self, seen: Container[str] = ()) -> dict[str, list[R]]:
        index: dict[str, list[R]] = defaultdict(list)
        for row in self._live():
            if row.after.record_id not in seen:
                index[row.after.property_id].append(row)
        return index

    def _best(self, each: Observation, rows: Iterable[R]) -> R | None:
        """Live before Removed, then the row under this very uid, with a job, of these nights, this type, the oldest."""
        free = [row for row in rows if id(row) in self._free]
        if len(free) <= 1:  # nothing to compare, as nearly always
            return free[0] if free else None
        return min(free, key=lambda row: _closeness(each, row))


def _closeness(each: Observation, row: Row) -> tuple[bool, bool, bool, bool, bool, datetime, str]:
    stay = row.after
    return (
        not row.live,
        stay.uid != composite_uid(each.uid, each.property_id),
        not stay.job_id,  # of two rows of one stay the one with a job will stay
        (stay.check_in, stay.check_out) != (each.check_in, each.check_out),
        stay.entry_type is not each.entry_type,
        stay.created,
        stay.record_id,
    )


def shares_a_night(each: Observation, stay: Stay) -> bool:
    return each.check_in < stay.check_out and stay.check_in < each.check_out


def _continues(each: Observation, stay: Stay) -> bool:
    return each.entry_type is stay.entry_type and shares_a_night(each, stay)


def _ends_alike(each: Observation, stay: Stay) -> bool:
    return each.check_out == stay.check_out and shares_a_night(each, stay)
