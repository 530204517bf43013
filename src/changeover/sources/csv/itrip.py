"""One row of iTrip's Checkouts Report (R-25 … R-27); no word in its notes changes what the stay is."""

from __future__ import annotations

from datetime import date

from changeover.core.stay import BlockType, Kind, Observation, Report
from changeover.core.turnover import OWNER_NEXT_LINE
from changeover.sources.csv.dates import read_date
from changeover.sources.csv.names import same_person
from changeover.sources.csv.properties import PropertyDirectory
from changeover.sources.csv.rows import Row

_MAINTENANCE = "Maintenance"


def read_row(uid: str, row: Row, directory: PropertyDirectory) -> Observation:
    """The stay of a row and what the report says beside it. Raises BadRow."""
    check_in, check_out = row.nights()
    owner = row.text("owner")
    kind = _kind(row.text("guest"), owner)
    return Observation(
        uid=uid,
        property_id=directory.of_report(row.text("property"), owner),
        check_in=check_in,
        check_out=check_out,
        kind=kind,
        block_type=BlockType.MAINTENANCE if kind is Kind.BLOCK else "",
        report=_report(row, owner),
    )


def _kind(tenant: str, owner: str) -> Kind:
    if same_person(tenant, owner):
        return Kind.OWNER_STAY
    return Kind.BLOCK if same_person(tenant, _MAINTENANCE) else Kind.RESERVATION


def _report(row: Row, owner: str) -> Report:
    info, following = row.maybe("info"), row.text("next_guest")
    says_next_guest, next_guest = _next_booking(row.maybe("next_booking"), following)
    return Report(
        info=info,
        next_guest=next_guest,
        says_next_guest=says_next_guest,
        next_is_owner=same_person(following, owner) or _names_owner_next(info or ""),
    )


def _next_booking(cell: str | None, following: str) -> tuple[bool, date | None]:
    """Whether the report says who comes next, and when. A date that cannot be read says nothing."""
    if cell is None:
        return False, None
    if not cell or same_person(following, _MAINTENANCE):
        return True, None
    try:
        return True, read_date(cell)
    except ValueError:
        return False, None


def _names_owner_next(info: str) -> bool:
    return any(line.strip() == OWNER_NEXT_LINE for line in info.splitlines())
