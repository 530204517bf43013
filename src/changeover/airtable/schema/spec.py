"""The schema file `airtable_base.json` as values: which tables, fields and options a base has, and who owns them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from changeover.airtable.errors import Json

AUTOMATIONS: Final = (
    "ICS Calendar",
    "CSV Files",
    "Evolve",
    "Job Reconciliation",
    "Add Service Jobs",
    "Sync Service Jobs",
    "Update Service Lines",
)

# What no program can make: the buttons (airtable.md §1.4).
MANUAL: Final = (
    ("Reservations", "Create Job & Sync Status", "button: open URL /button/<env>/create-job?record=…&token=…"),
    ("Reservations", "Add/Update Schedule", "button: open URL /button/<env>/update-schedule?record=…&token=…"),
    ("Reservations", "Delete Job Schedule", "button: open URL /button/<env>/delete-schedule?record=…&token=…"),
)


class Owner(StrEnum):
    """Who decides a field's value (AT-3)."""

    HUMAN = "human"
    SOURCE = "source"
    DERIVED = "derived"
    HCP = "hcp"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One field. `body` is its create-field shape, a link's table still by name under `linkedTable`."""

    name: str
    type: str
    owner: Owner
    optional: bool
    choices: tuple[str, ...]
    linked_table: str
    body: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class TableSpec:
    """One table; its first field is the primary one (AT-2)."""

    name: str
    description: str
    fields: tuple[FieldSpec, ...]

    @property
    def optional(self) -> bool:
        return all(each.optional for each in self.fields)


@dataclass(frozen=True, slots=True)
class BaseSpec:
    """All tables, link targets before those who link to them (AT-7)."""

    tables: tuple[TableSpec, ...]

    def table(self, name: str) -> TableSpec:
        return next(each for each in self.tables if each.name == name)


class BadSchemaFile(ValueError):
    """The schema file cannot be used; the message says where."""


def load(path: Path) -> BaseSpec:
    """The schema file. Raises BadSchemaFile for one that does not say what a field is and who owns it."""
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
        return BaseSpec(tuple(_table(each) for each in body["tables"]))
    except (ValueError, KeyError, TypeError) as fault:
        raise BadSchemaFile(f"{path.name}: {fault}") from fault


def _table(body: Mapping[str, Json]) -> TableSpec:
    fields = body["fields"]
    if not isinstance(fields, list):
        raise TypeError("fields is no list")
    found = tuple(_field(each) for each in fields if isinstance(each, dict))
    return TableSpec(str(body["name"]), str(body.get("description", "")), found)


def _field(body: Mapping[str, Json]) -> FieldSpec:
    owner = re.search(r"Owner: (\w+)(, optional)?$", str(body["description"]))
    if owner is None:
        raise ValueError(f"{body['name']}: the description does not end in its owner")
    options = body.get("options")
    options = options if isinstance(options, dict) else {}
    choices = options.get("choices")
    return FieldSpec(
        name=str(body["name"]),
        type=str(body["type"]),
        owner=Owner(owner.group(1)),
        optional=owner.group(2) is not None,
        choices=tuple(str(each["name"]) for each in choices if isinstance(each, dict))
        if isinstance(choices, list)
        else (),
        linked_table=str(options.get("linkedTable", "")),
        body=body,
    )
