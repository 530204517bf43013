"""What people keep beside the stays, typed: owners' names and overrides of reports (R-30, R-33); it reads no base."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from changeover.airtable import cells
from changeover.store import mirror

CUSTOMERS = "Customers"
OVERRIDES = "Property Guest Overrides"


@dataclass(frozen=True, slots=True)
class GuestOverride:
    """An Active row of Property Guest Overrides; of several override properties the first counts."""

    record_id: str
    pattern: str
    originals: tuple[str, ...]
    target: str


def customer_names(conn: Connection) -> Mapping[str, str]:
    """By record id, Full Name, else First and Last Name (airtable.md §1.2)."""
    names: dict[str, str] = {}
    for record in mirror.load(conn, CUSTOMERS):
        first, last = (cells.text(record.fields.get(name)) for name in ("First Name", "Last Name"))
        names[record.id] = cells.text(record.fields.get("Full Name")).strip() or f"{first} {last}".strip()
    return names


def overrides(conn: Connection) -> tuple[GuestOverride, ...]:
    """The Active overrides; none where the base has no such table."""
    return tuple(
        GuestOverride(
            record_id=record.id,
            pattern=cells.text(record.fields.get("Guest Name Pattern")),
            originals=cells.links(record.fields.get("Original Property")),
            target=next(iter(cells.links(record.fields.get("Override Property"))), ""),
        )
        for record in mirror.load(conn, OVERRIDES)
        if cells.flag(record.fields.get("Active"))
    )
