"""Rows of Evolve's two tabs, and what each tab says of the other (R-28, R-29, R-33); Tab 2 decides for both."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TypeAlias

from changeover.core.stay import Kind, Observation, Window
from changeover.sources.csv.memory import Memory, Shown
from changeover.sources.csv.names import same_person
from changeover.sources.csv.properties import AddressBook, PropertyDirectory
from changeover.sources.csv.rows import Row
from changeover.sources.csv.suppliers import Supplier

Given: TypeAlias = Mapping[str, bool]  # every number of a Tab 2, and whether it is the owner's


@dataclass(frozen=True, slots=True)
class Guest:
    """A guest's row of Tab 2: no stay of its own, but a word on the one that Tab 1 showed under this number."""

    uid: str
    check_in: date
    check_out: date
    canceled: bool


@dataclass(frozen=True, slots=True)
class Keys:
    """The sources of the two tabs."""

    tab1: str
    tab2: str


@dataclass(frozen=True, slots=True)
class TabTwo:
    """What rows of Tab 2 are read with. `window` is the claimed one: the export is not filtered, so we cut it."""

    supplier: Supplier
    directory: PropertyDirectory
    book: AddressBook
    memory: Memory
    window: Window
    day: date


@dataclass(frozen=True, slots=True)
class Tabs:
    """Both tabs as they count. `owners` are rows of Tab 1 that Tab 2 gives to the owner."""

    tab1: tuple[Observation, ...]
    tab2: tuple[Observation, ...]
    owners: int = 0


def read_tab1(uid: str, row: Row, directory: PropertyDirectory) -> Observation:
    """A reservation (R-28). Raises BadRow."""
    check_in, check_out = row.nights()
    home = directory.of_listing(row.number("listing"), row.text("address"))
    return Observation(uid, home, check_in, check_out, Kind.RESERVATION)


def shown_address(row: Row) -> tuple[str, str] | None:
    """The listing and its address, where a row of Tab 1 has both (R-33)."""
    listing, text = row.number("listing"), row.text("address")
    return (listing, text) if listing and text else None


def read_tab2(uid: str, row: Row, context: TabTwo) -> Observation | Guest | None:
    """An owner's stay, a guest's sign, or None for an owner's row beyond the window (R-29). Raises BadRow."""
    check_in, check_out = row.nights()
    canceled = _plain(row.text("status")) in context.supplier.statuses.get("canceled", ())
    if not owners_row(row):
        return Guest(uid, check_in, check_out, canceled)
    known = any(context.memory.of(context.supplier.key, uid))
    running = check_in <= context.day < check_out  # a long stay counts as long as its end does
    if not (known or running or context.window.covers(check_in, check_out)):
        return None
    home = context.directory.of_address(row.text("address"), row.text("owner"), context.book)
    return Observation(uid, home, check_in, check_out, Kind.OWNER_STAY, canceled=canceled)


def owners_row(row: Row) -> bool:
    """Whether a row of Tab 2 gives its number to the owner (R-28)."""
    return same_person(row.text("guest"), row.text("owner"))


def unknown_status(row: Row, supplier: Supplier) -> bool:
    """Whether a status is none of the words we know (R-29)."""
    return not any(_plain(row.text("status")) in words for words in supplier.statuses.values())


def settle(
    tab1: Iterable[Observation], tab2: Iterable[Observation | Guest], given: Given, memory: Memory, keys: Keys
) -> Tabs:
    """What counts of both tabs; `given` has every number that Tab 2 shows, in rows set aside or cut as well.

    A number of the owner's is no reservation even where its own row cannot be used.
    """
    first, second = list(tab1), list(tab2)
    stays = [each for each in second if isinstance(each, Observation)]
    guests = {each.uid for each in second if isinstance(each, Guest)} | {uid for uid, own in given.items() if not own}
    canceled = {each.uid for each in second if isinstance(each, Guest) and each.canceled}
    proven = {each.uid for each in stays} | (memory.owners_numbers(keys.tab2) - guests)
    owners = proven | {uid for uid, own in given.items() if own}
    kept = [each for each in first if each.uid not in owners and each.uid not in canceled]
    gone = proven | canceled
    still = given.keys() - gone - {each.uid for each in kept}
    signs = [
        *(_sign(each, canceled=True) for uid in sorted(gone) for each in memory.of(keys.tab1, uid)),
        *(_sign(each, canceled=False) for uid in sorted(still) for each in memory.of(keys.tab1, uid)),
    ]
    return Tabs((*kept, *signs), tuple(stays), owners=sum(each.uid in owners for each in first))


def _sign(stay: Shown, *, canceled: bool) -> Observation:
    """What Tab 2 says of a stay of Tab 1: gone, or seen; never what its nights are."""
    return Observation(stay.uid, stay.property_id, stay.check_in, stay.check_out, Kind.NOTICE, canceled=canceled)


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())
