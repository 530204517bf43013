"""US addresses made comparable: number, street, unit and ZIP (R-33); it never says where an address is."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from changeover.sources.csv.names import home_forms

_UNIT_WORD = re.compile(r"^(?:#|UNIT|APT|APARTMENT|STE|SUITE|RM|ROOM|BLDG|NO)\b\.?\s*#?\s*|^#\s*")
_HOUSE = re.compile(r"(?<![#\w])([0-9]{1,5}[A-Za-z]?)(?=\s+[A-Za-z])")
_UNIT = re.compile(r"(?i)(?:\b(?:unit|apt|apartment|ste|suite)\b\.?\s*#?|#)\s*([0-9]{1,4}[a-z]?|[a-z][0-9]{0,4})\b")
_ZIP = re.compile(r"\b([0-9]{5})(?:-[0-9]{4})?\s*(?:,?\s*(?:USA?|United States))?$")


class Address(NamedTuple):
    """What two addresses are compared by. `text` stands alone where no address can be made out."""

    street: str = ""
    unit: str = ""
    zip: str = ""
    text: str = ""


class Numbers(NamedTuple):
    """The numbers in a home's name or address that tell it from its neighbours; empty where there is none."""

    house: str = ""
    unit: str = ""
    zip: str = ""

    def contradict(self, other: Numbers) -> bool:
        """True when both have one of them and it differs (R-34)."""
        return any(mine and theirs and mine != theirs for mine, theirs in zip(self, other, strict=True))


@lru_cache(maxsize=4096)
def address(text: str) -> Address | None:
    """A text as an address after US normalization; None for an empty one, which equals nothing."""
    plain = " ".join(text.split())
    if not plain:
        return None
    # Late: the parser and its model are wanted only where addresses are compared.
    from scourgify import normalize_address_record
    from scourgify.exceptions import AddressNormalizationError

    try:
        found = normalize_address_record(plain)
    except (AddressNormalizationError, UnicodeError):
        found = {}
    street = found.get("address_line_1")
    if not street:  # a name, an intersection, a box: equal only as it stands
        return Address(text=min(home_forms(plain), default=plain))
    unit = _UNIT_WORD.sub("", found.get("address_line_2") or "")
    return Address(street, unit.replace(" ", ""), (found.get("postal_code") or "")[:5])


@lru_cache(maxsize=4096)
def numbers(text: str) -> Numbers:
    """House number, unit and ZIP of any text that names a home (LB-31)."""
    plain = " ".join(text.split())
    zip_code = _ZIP.search(plain)
    house = _HOUSE.search(plain)
    unit = _UNIT.search(plain)
    return Numbers(house[1] if house else "", unit[1].upper() if unit else "", zip_code[1] if zip_code else "")
