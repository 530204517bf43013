"""What a base holds: tables, fields, views, records; it knows no rules and no HTTP."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, TypeAlias

from changeover_sandbox.airtable.formula import Formula

Cells: TypeAlias = dict[str, object]

TEXT_TYPES: Final = frozenset({"singleLineText", "multilineText", "richText", "email", "url", "phoneNumber"})
NUMBER_TYPES: Final = frozenset({"number", "percent", "currency", "duration", "rating"})
SELECT_TYPES: Final = frozenset({"singleSelect", "multipleSelects"})
COMPUTED_TYPES: Final = frozenset(
    {
        "formula",
        "rollup",
        "count",
        "multipleLookupValues",
        "autoNumber",
        "createdTime",
        "lastModifiedTime",
        "createdBy",
        "lastModifiedBy",
        "button",
        "externalSyncSource",
        "aiText",
        "manualSort",
    }
)


@dataclass(slots=True)
class Field:
    """A column; `options` stay in the shape in which the service answers them."""

    id: str
    name: str
    type: str
    description: str | None = None
    options: dict[str, object] = field(default_factory=dict)

    @property
    def computed(self) -> bool:
        """Whether the service fills it, so that every write is refused."""
        return self.type in COMPUTED_TYPES

    def option(self, name: str) -> str:
        """A textual option, empty when it is absent."""
        value = self.options.get(name)
        return value if isinstance(value, str) else ""

    def choices(self) -> list[dict[str, object]]:
        """The options of a select, in their order."""
        choices = self.options.get("choices")
        return choices if isinstance(choices, list) else []

    def choice_names(self) -> list[str]:
        """The names of a select's options, in their order."""
        return [str(choice["name"]) for choice in self.choices()]

    def as_json(self) -> dict[str, object]:
        """The shape of the schema API."""
        parts: dict[str, object] = {"type": self.type}
        if self.options:
            parts["options"] = self.options
        parts |= {"id": self.id, "name": self.name}
        return parts | ({"description": self.description} if self.description else {})


@dataclass(slots=True)
class View:
    """A saved view; only the control API makes views with a filter."""

    id: str
    name: str
    type: str = "grid"
    formula: str = ""

    def as_json(self) -> dict[str, object]:
        """The shape of the schema API."""
        return {"id": self.id, "name": self.name, "type": self.type}


@dataclass(slots=True)
class Record:
    """A row; cells by field id, empty ones absent; instants in milliseconds after 1970.

    `modified` holds the last write of each field that was ever updated, `touched` the last write at all; `place` is the
    record's place in the order of insertion, which outlives a restart, 0 until the table gives it.
    """

    id: str
    created: int
    cells: Cells
    modified: dict[str, int]
    touched: int
    place: int = 0


@dataclass(slots=True)
class Table:
    """A table with its records in the order of their creation.

    `formulas` (by field id) and `filters` (by text) keep what is compiled until the schema changes.
    """

    id: str
    name: str
    primary_field_id: str
    fields: dict[str, Field]
    views: dict[str, View]
    description: str | None = None
    records: dict[str, Record] = field(default_factory=dict)
    formulas: dict[str, Formula] = field(default_factory=dict)
    filters: dict[str, Formula] = field(default_factory=dict)
    next_number: int = 1
    date_dependency: dict[str, object] | None = None
    _last_place: int = 0
    _shuffled: list[str] | None = None
    _by_name: dict[str, Field] | None = None

    def find_field(self, name_or_id: str) -> Field | None:
        """A field by exact name or by id; the id wins."""
        if self._by_name is None:
            self._by_name = {one.name: one for one in self.fields.values()}
        return self.fields.get(name_or_id) or self._by_name.get(name_or_id)

    def field_id(self, name: str) -> str | None:
        """The id behind a name in a formula."""
        found = self.find_field(name)
        return found.id if found else None

    def forget_compiled(self) -> None:
        """Look names up and compile formulas anew: a field has come or changed its name."""
        self._by_name = None
        self.formulas.clear()
        self.filters.clear()

    def find_view(self, name_or_id: str) -> View | None:
        """A view by name or id."""
        by_id = self.views.get(name_or_id)
        return by_id or next((view for view in self.views.values() if view.name == name_or_id), None)

    def add(self, record: Record) -> None:
        """Take a record in, behind all others."""
        self._last_place = record.place = max(record.place, self._last_place + 1)
        self.records[record.id] = record
        self._shuffled = None

    def discard(self, record_id: str) -> None:
        """Let a record go."""
        del self.records[record_id]
        self._shuffled = None

    def shuffled(self) -> list[str]:
        """All record ids in the order of a list without sort and view: stable, and nobody's insertion order (AT-17)."""
        if self._shuffled is None:
            self._shuffled = sorted(self.records)
        return self._shuffled

    def as_json(self, *, visible_fields: bool = False) -> dict[str, object]:
        """The shape of the schema API."""
        parts: dict[str, object] = {"id": self.id, "name": self.name}
        if self.description:
            parts["description"] = self.description
        if self.date_dependency:
            parts["dateDependencySettings"] = self.date_dependency
        extra = {"visibleFieldIds": list(self.fields)} if visible_fields else {}
        return parts | {
            "primaryFieldId": self.primary_field_id,
            "fields": [one.as_json() for one in self.fields.values()],
            "views": [view.as_json() | extra for view in self.views.values()],
        }


class ChangeKind(StrEnum):
    """What a write did to a record."""

    CREATED = "add"
    UPDATED = "update"
    DESTROYED = "remove"


@dataclass(frozen=True, slots=True)
class Change:
    """One record of one write, for webhooks; `before` holds the cells as they were."""

    kind: ChangeKind
    table_id: str
    record_id: str
    field_ids: tuple[str, ...] = ()
    before: Cells = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SchemaChange:
    """A table, or a field of it, that was made or given other words, for webhooks; `before` None means made."""

    table_id: str
    field_id: str | None = None
    before: Mapping[str, str | None] | None = None


@dataclass(frozen=True, slots=True)
class FreshFile:
    """A file that a cell names by URL and that has yet to be fetched."""

    base_id: str
    table_id: str
    record_id: str
    field_id: str
    attachment_id: str


@dataclass(slots=True)
class Base:
    """A base and what changed in it since it was last saved; `created` and `workspace` only where the API made it.

    `changes` and `schema_changes` are filled only while a webhook watches the base.
    """

    id: str
    name: str
    tables: dict[str, Table] = field(default_factory=dict)
    created: int = 0
    workspace: str = ""
    dirty_records: set[tuple[str, str]] = field(default_factory=set)
    dirty_schema: bool = False
    watched: bool = False
    changes: list[Change] = field(default_factory=list)
    schema_changes: list[SchemaChange] = field(default_factory=list)
    fresh_files: list[FreshFile] = field(default_factory=list)

    def find_table(self, name_or_id: str) -> Table | None:
        """A table by exact name or by id."""
        by_id = self.tables.get(name_or_id)
        return by_id or next((table for table in self.tables.values() if table.name == name_or_id), None)

    def link_target(self, link: Field) -> Table | None:
        """The table a link field points at."""
        return self.tables.get(link.option("linkedTableId"))

    def report(self, change: Change | SchemaChange) -> None:
        """Remember a change for the webhooks of the base."""
        if not self.watched:
            return
        if isinstance(change, Change):
            self.changes.append(change)
        else:
            self.schema_changes.append(change)

    def touch(self, table: Table, record_ids: Iterable[str]) -> None:
        """Remember that these records must be saved."""
        self.dirty_records.update((table.id, record_id) for record_id in record_ids)
