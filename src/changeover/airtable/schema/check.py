"""Compares a base with the schema file: what is missing, and which automations that stops; it changes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from changeover.airtable import rows
from changeover.airtable.cells import COMPUTED
from changeover.airtable.client import AirtableClient
from changeover.airtable.schema.live import LiveField, LiveTable, parse
from changeover.airtable.schema.spec import AUTOMATIONS, MANUAL, BaseSpec, FieldSpec, Owner, TableSpec


class FindingKind(StrEnum):
    """What a line of `check` is about (AT-9)."""

    MISSING = "missing"
    TYPE = "type"
    OPTION = "option"
    READ_ONLY = "read-only"
    OPTIONAL = "optional"
    MANUAL = "manual"


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference. `error`: the automations that need the field do not run (AT-9)."""

    kind: FindingKind
    table: str
    field: str
    text: str
    error: bool = False

    def __str__(self) -> str:
        place = f"{self.table} · {self.field}" if self.field else self.table
        return f"{self.kind:<9} {place}: {self.text}"


def check(client: AirtableClient, spec: BaseSpec) -> list[Finding]:
    """The base against the schema file, one finding a line (AT-9, AT-10). One call."""
    return compare(spec, parse(client.meta_tables()))


def compare(spec: BaseSpec, live: Mapping[str, LiveTable]) -> list[Finding]:
    """All differences, in the order of the schema file, what must be made by hand last."""
    found = [finding for table in spec.tables for finding in _table(table, live.get(table.name))]
    return found + list(_manual(live))


def blocked(findings: Iterable[Finding]) -> dict[str, tuple[Finding, ...]]:
    """The automations that may not run, each with the errors on what it needs (AT-12)."""
    errors = [each for each in findings if each.error]
    stopped = {name: tuple(each for each in errors if _needs(name, each)) for name in AUTOMATIONS}
    return {name: reasons for name, reasons in stopped.items() if reasons}


def must_write(table: str, field: FieldSpec) -> bool:
    """Whether we write the field: all but people's, and of theirs the two that a sync may fill (AT-3)."""
    return field.owner is not Owner.HUMAN or (table == rows.TABLE and field.name in rows.TAKEN_OVER)


def _table(spec: TableSpec, live: LiveTable | None) -> Iterator[Finding]:
    if live is None:
        kind = FindingKind.OPTIONAL if spec.optional else FindingKind.MISSING
        warning_only = spec.optional or spec.name == "Environment"  # no marker yet is a warning until `init` (AT-11)
        yield Finding(kind, spec.name, "", "no such table", error=not warning_only)
        return
    for field in spec.fields:
        yield from _field(spec.name, field, live.fields.get(field.name))


def _field(table: str, spec: FieldSpec, live: LiveField | None) -> Iterator[Finding]:
    writes = must_write(table, spec)
    if live is None:
        kind = FindingKind.OPTIONAL if spec.optional else FindingKind.MISSING
        yield Finding(kind, table, spec.name, "no such field", error=not spec.optional)
    elif _accepted(table, spec, live.type):
        if missing := [name for name in spec.choices if name not in live.choices and live.type == "singleSelect"]:
            text = "options to add: " + ", ".join(missing)
            yield Finding(FindingKind.OPTION, table, spec.name, text, error=writes and not spec.optional)
    elif live.type in COMPUTED and writes:
        text = f"{live.type} cannot be written, {spec.type} is needed"
        yield Finding(FindingKind.READ_ONLY, table, spec.name, text, error=not spec.optional)
    else:
        text = f"{live.type} instead of {spec.type}"
        yield Finding(FindingKind.TYPE, table, spec.name, text, error=not spec.optional)


def _manual(live: Mapping[str, LiveTable]) -> Iterator[Finding]:
    for table, field, text in MANUAL:
        if table not in live or field not in live[table].fields:
            yield Finding(FindingKind.MANUAL, table, field, f"make by hand: {text}")


_TEXTS: Final = frozenset({"singleLineText", "multilineText", "richText", "url", "email", "phoneNumber"})
_NUMBERS: Final = frozenset({"number", "currency", "percent", "rating", "duration"})
_ALSO: Final[Mapping[tuple[str, str], frozenset[str]]] = {
    (rows.TABLE, rows.FINAL_SERVICE_TIME): COMPUTED,
    (rows.TABLE, "Custom Service Time"): frozenset({"dateTime"}),
    ("Customers", "Full Name"): COMPUTED,
}


def _accepted(table: str, spec: FieldSpec, kind: str) -> bool:
    """Whether a field of this type does (AT-10)."""
    if kind == spec.type or kind in _ALSO.get((table, spec.name), frozenset()):
        return True
    return any(spec.type in family and kind in family for family in (_TEXTS, _NUMBERS))


# What each automation reads or writes (AT-12). Every one has its row of switches.
_COMMON: Final[Mapping[str, tuple[str, ...]]] = {"Automation": ("Name", "Active", "Last Ran Time", "Sync Details")}
_ITRIP: Final = ("iTrip Report Info", "iTrip Next Guest Date")
_STAYS: Final = (*(name for name in rows.WRITTEN if name not in _ITRIP), "Custom Service Time", rows.JOB_ID)
_FEEDS: Final[Mapping[str, tuple[str, ...]]] = {
    rows.TABLE: _STAYS,
    "Properties": ("Property Name",),
    "ICS Feeds": ("ICS URL", "Feed Status", "Property Name"),
    "ICS Cron": (
        "ICS URL",
        "ICS URL VEVENTS #",
        "ICS URL VEVENTS Reservations",
        "First Run",
        "Last Run",
        "ICS URL Response",
    ),
}
_REPORTS: Final[Mapping[str, tuple[str, ...]]] = {
    rows.TABLE: (*_STAYS, *_ITRIP),
    "Properties": ("Property Name", "HCP Customer ID"),
    "Customers": ("Full Name",),
    "ICS Feeds": ("ICS URL", "Property Name"),
}
_JOBS: Final[Mapping[str, tuple[str, ...]]] = {
    rows.TABLE: (*_STAYS, *rows.RESTORED),
    "Properties": ("Property Name", "HCP Customer ID", "HCP Address ID", "Turnover Job Template ID"),
    "Customers": ("Full Name", "HCP Customer ID"),
}
_NEEDS: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "ICS Calendar": _FEEDS,
    "CSV Files": _REPORTS,
    "Evolve": _REPORTS,
}


def _needs(automation: str, finding: Finding) -> bool:
    needed = {**_COMMON, **_NEEDS.get(automation, _JOBS)}.get(finding.table)
    return needed is not None and (not finding.field or finding.field in needed)
