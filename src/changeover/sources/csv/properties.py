"""Which home a report's row is about (R-30 … R-34): one for certain, or none; likeness links nothing."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

from changeover.sources.csv.addresses import Address, address, numbers
from changeover.sources.csv.names import home_forms, person_forms
from changeover.sources.csv.rows import BadRow, Reason

_LISTING = re.compile(r"#([0-9]{5,})")
_ALIKE = 90
_NEAR_SHOWN = 3
K = TypeVar("K")

Addresses = Mapping[str, frozenset[str]]  # by listing number, as Tab 1 has shown them


@dataclass(frozen=True, slots=True)
class Home:
    """A property as people keep it: its name, its owner's name and its address, empty where unknown."""

    record_id: str
    name: str
    owner: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class Override:
    """Rows of an owner at some homes belong to another one (R-30). No `originals` means any home."""

    record_id: str
    pattern: str
    originals: frozenset[str]
    target: str


class AddressBook:
    """Which listings an address was ever shown for, found by its comparable form."""

    def __init__(self, earlier: Addresses, shown: Iterable[tuple[str, str]] = ()) -> None:
        texts = [*((listing, text) for listing, texts in earlier.items() for text in texts), *shown]
        known = ((address(text), listing) for listing, text in texts)
        self._listings = _index((each, listing) for each, listing in known if each is not None)

    def listings(self, wanted: Address | None) -> tuple[str, ...]:
        return self._listings.get(wanted, ()) if wanted else ()


class PropertyDirectory:
    """All homes and overrides of the base, to look up rows in."""

    def __init__(self, homes: Iterable[Home], overrides: Iterable[Override] = ()) -> None:
        self._homes = tuple(sorted(homes, key=lambda home: home.record_id))
        usable = (each for each in overrides if _plain(each.pattern) and each.target)
        self._overrides = sorted(usable, key=lambda each: (-len(_plain(each.pattern)), each.record_id))
        self._suggested: dict[str, tuple[str, ...]] = {}  # a home nobody knows is mostly in many rows

    # -- one home, or BadRow -----------------------------------------------------------------------------------------

    def of_report(self, name: str, owner: str) -> str:
        """iTrip: by Property Name, overridden by the owner's name (R-30, R-31). Raises BadRow."""
        found = self._by_name(name)
        own = found[0] if len(found) == 1 else None
        return self._overridden(own, owner) or self._only([found], [name])

    def of_listing(self, listing: str, shown_address: str) -> str:
        """Tab 1: by listing number (R-32). Raises BadRow."""
        return self._only([self._listings.get(listing, ())], [shown_address])

    def of_address(self, text: str, owner: str, book: AddressBook) -> str:
        """Tab 2: by what Tab 1 ever showed, by HCP Address, by owner; the first that gives exactly one (R-33)."""
        wanted = address(text)
        shown = {home for listing in book.listings(wanted) for home in self._listings.get(listing, ())}
        at_hcp = self._addresses.get(wanted, ()) if wanted else ()
        owned = {home for form in person_forms(owner) for home in self._owners.get(form, ())}
        return self._only([shown, at_hcp, owned], [text])

    def _only(self, ways: Iterable[Iterable[str]], texts: Iterable[str]) -> str:
        found = [set(way) for way in ways]
        for homes in found:
            if len(homes) == 1:
                return homes.pop()
        several = set().union(*found)
        if several:
            names = sorted(home.name for home in self._homes if home.record_id in several)
            raise BadRow(Reason.AMBIGUOUS_PROPERTY, note=_listed(names))
        near = {name for text in texts for name in self._near(text)}
        raise BadRow(Reason.UNKNOWN_PROPERTY, note=_listed(sorted(near)))

    # -- ways of looking ---------------------------------------------------------------------------------------------

    def _by_name(self, name: str) -> tuple[str, ...]:
        if not name:
            return ()
        exact = self._exact.get(name, ())
        return exact or tuple({home for form in home_forms(name) for home in self._forms.get(form, ())})

    def _overridden(self, home: str | None, owner: str) -> str | None:
        """R-30: the longest pattern found in the owner's name, among the overrides for this home or for any."""
        said = _plain(owner)
        for each in self._overrides:
            if _plain(each.pattern) in said and (not each.originals or home in each.originals):
                return each.target
        return None

    def _near(self, text: str) -> Iterable[str]:
        """Names of homes a person may have meant (R-34): alike in name or address, no number between them differing."""
        from rapidfuzz import fuzz, process, utils

        if text not in self._suggested:
            query = utils.default_process(text)
            alike = process.extract(
                query, self._texts.keys(), scorer=fuzz.token_set_ratio, score_cutoff=_ALIKE, limit=None
            )
            self._suggested[text] = tuple(
                home.name
                for plain, _, _ in (alike if query else ())
                for other, home in self._texts[plain]
                if not numbers(text).contradict(numbers(other)) and not _other_listing(text, other)
            )
        return self._suggested[text]

    # -- indexes -----------------------------------------------------------------------------------------------------

    @cached_property
    def _texts(self) -> Mapping[str, list[tuple[str, Home]]]:
        from rapidfuzz import utils

        found: dict[str, list[tuple[str, Home]]] = defaultdict(list)
        for home in self._homes:
            for text in (home.name, home.address):
                if plain := utils.default_process(text):
                    found[plain].append((text, home))
        return found

    @cached_property
    def _exact(self) -> Mapping[str, tuple[str, ...]]:
        return _index((home.name.strip(), home.record_id) for home in self._homes)

    @cached_property
    def _forms(self) -> Mapping[str, tuple[str, ...]]:
        return _index((form, home.record_id) for home in self._homes for form in home_forms(home.name))

    @cached_property
    def _listed(self) -> tuple[Home, ...]:
        return tuple(home for home in self._homes if listing_number(home.name))

    @cached_property
    def _owners(self) -> Mapping[str, tuple[str, ...]]:
        return _index((form, home.record_id) for home in self._listed for form in person_forms(home.owner))

    @cached_property
    def _listings(self) -> Mapping[str, tuple[str, ...]]:
        return _index((listing_number(home.name), home.record_id) for home in self._listed)

    @cached_property
    def _addresses(self) -> Mapping[Address, tuple[str, ...]]:
        known = ((address(home.address), home.record_id) for home in self._homes)
        return _index((each, home) for each, home in known if each is not None)


def listing_number(name: str) -> str:
    """The digits, five or more, after the last `#` that they follow; empty for none: `Unit #5` is no listing (R-32)."""
    found = _LISTING.findall(name)
    return str(found[-1]) if found else ""


def _other_listing(one: str, other: str) -> bool:
    mine, theirs = listing_number(one), listing_number(other)
    return bool(mine and theirs and mine != theirs)


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


def _listed(names: list[str]) -> str:
    more = len(names) - _NEAR_SHOWN
    return "; ".join(names[:_NEAR_SHOWN]) + (f" +{more}" if more > 0 else "")


def _index(pairs: Iterable[tuple[K, str]]) -> Mapping[K, tuple[str, ...]]:
    found: dict[K, dict[str, None]] = defaultdict(dict)
    for key, home in pairs:
        found[key][home] = None
    return {key: tuple(homes) for key, homes in found.items()}
