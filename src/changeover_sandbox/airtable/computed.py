"""Cells that the service computes, evaluated at reading: formulas, lookups, counts, times; none is ever stored."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache

from changeover_sandbox.airtable.formula import (
    FormulaError,
    InvalidFormulaError,
    Value,
    as_text,
    compile_formula,
)
from changeover_sandbox.airtable.formula.values import as_instant, instant_text, parse_iso
from changeover_sandbox.airtable.ids import instant
from changeover_sandbox.airtable.links import ids_in
from changeover_sandbox.airtable.model import Base, Field, Record, Table

ERROR = {"error": "#ERROR!"}


@dataclass(slots=True)
class Reading:
    """One request's look at a base: the instant it happens at, and what is being computed right now."""

    base: Base
    now: datetime
    owner: Mapping[str, object]
    underway: set[tuple[str, str]] = field(default_factory=set)

    def row(self, table: Table, record: Record) -> "RowView":
        """The record as formulas see it."""
        return RowView(self, table, record)


@dataclass(slots=True)
class RowView:
    """A record as formulas see it (the Row of the formula package)."""

    reading: Reading
    table: Table
    record: Record

    @property
    def id(self) -> str:
        """The record id."""
        return self.record.id

    @property
    def created_at(self) -> datetime:
        """The instant of creation."""
        return instant(self.record.created)

    @property
    def now(self) -> datetime:
        """The instant of the request."""
        return self.reading.now

    def modified_at(self, field_ids: Sequence[str]) -> datetime:
        """The last write to these fields, to any when there are none; of a row never edited its creation (§6.5)."""
        if not field_ids:
            return instant(self.record.touched)
        modified = self.record.modified
        return instant(max(modified.get(field_id, self.record.created) for field_id in field_ids))

    def cell(self, field_id: str) -> Value:
        """The cell as a formula value: dates as dates, a link as the texts of the linked primary fields (AT-20)."""
        target = self.table.fields[field_id]
        if target.computed:
            return computed_value(self, target)
        raw = self.record.cells.get(field_id)
        if raw is None or isinstance(raw, int | float):
            return raw
        if isinstance(raw, str):
            return _from_text(target.type, raw)
        if target.type == "multipleRecordLinks":
            return [as_text(view.cell(view.table.primary_field_id)) for view in linked_rows(self, target)]
        return _from_objects(raw)


@lru_cache(maxsize=65_536)
def _from_text(kind: str, raw: str) -> Value:
    if kind == "date":
        return date.fromisoformat(raw)
    return parse_iso(raw) if kind == "dateTime" else raw


def _from_objects(raw: object) -> Value:
    """Files, people and barcodes by the name that the interface shows; a multiple select by its option names."""
    if isinstance(raw, list):
        return [item if isinstance(item, str) else _from_objects(item) for item in raw]
    if isinstance(raw, Mapping):
        return str(raw.get("filename") or raw.get("name") or raw.get("text") or "")
    return None


def linked_rows(view: RowView, link: Field) -> list[RowView]:
    """The rows a link cell points at, in its order."""
    target = view.reading.base.link_target(link)
    if target is None:
        return []
    ids = ids_in(view.record.cells.get(link.id))
    return [view.reading.row(target, target.records[one]) for one in ids if one in target.records]


def computed_value(view: RowView, target: Field) -> Value:
    """The value of a computed field for formulas; raises FormulaError where the cell shows an error."""
    key = (target.id, view.record.id)
    if key in view.reading.underway:
        raise FormulaError("the field refers to itself")
    view.reading.underway.add(key)
    try:
        return _compute(view, target)
    finally:
        view.reading.underway.discard(key)


def _compute(view: RowView, target: Field) -> Value:
    match target.type:
        case "formula":
            return _formula_value(view, target)
        case "multipleLookupValues":
            return [value for row, field_id in _lookup(view, target) for value in _items(row.cell(field_id))]
        case "count":
            link = view.table.fields.get(target.option("recordLinkFieldId"))
            return len(linked_rows(view, link)) if link else 0
        case "createdTime":
            return view.created_at
        case "lastModifiedTime":
            return view.modified_at(_referenced(view.table, target))
        case "createdBy" | "lastModifiedBy":
            return str(view.reading.owner["name"])
        case "autoNumber":
            number = view.record.cells.get(target.id)
            return number if isinstance(number, int) else None
    return None


def _referenced(table: Table, target: Field) -> list[str]:
    referenced = target.options.get("referencedFieldIds")
    ids = [one for one in referenced if one in table.fields] if isinstance(referenced, list) else []
    writable = {one.id for one in table.fields.values() if not one.computed}
    return [] if set(ids) >= writable else ids


def _formula_value(view: RowView, target: Field) -> Value:
    formula = view.table.formulas.get(target.id)
    if formula is None:
        try:
            formula = compile_formula(target.option("formula"), view.table)
        except InvalidFormulaError as exc:
            raise FormulaError(str(exc)) from exc
        view.table.formulas[target.id] = formula
    return formula(view)


def _items(value: Value) -> list[Value]:
    if isinstance(value, list):
        return value
    return [] if value is None or value is False or value == "" else [value]


def _lookup(view: RowView, target: Field) -> list[tuple[RowView, str]]:
    """The linked rows of a lookup, each with the field that is looked up in it."""
    link = view.table.fields.get(target.option("recordLinkFieldId"))
    field_id = target.option("fieldIdInLinkedTable")
    if link is None:
        return []
    return [(row, field_id) for row in linked_rows(view, link) if field_id in row.table.fields]


def computed_cell(view: RowView, target: Field) -> object:
    """A computed cell as the API answers it; None or empty where it is absent (§2.3)."""
    if target.type in {"createdBy", "lastModifiedBy"}:
        return dict(view.reading.owner)
    if target.type == "button":
        return {"label": target.name, "url": None}
    if target.type == "multipleLookupValues":
        return [item for row, field_id in _lookup(view, target) for item in _cell_items(row, field_id)]
    try:
        return as_cell(computed_value(view, target), target)
    except FormulaError:
        return ERROR


def _cell_items(view: RowView, field_id: str) -> list[object]:
    target = view.table.fields[field_id]
    cell = computed_cell(view, target) if target.computed else view.record.cells.get(field_id)
    if isinstance(cell, list):
        return cell
    return [] if cell is None or cell is False or cell == "" else [cell]


def as_cell(value: Value, target: Field) -> object:
    """A formula value in JSON; dates by the field's result type, numbers that are none as a special value."""
    if isinstance(value, float) and not math.isfinite(value):
        return {"specialValue": as_text(value)}
    if isinstance(value, date):
        return _date_cell(value, target)
    if isinstance(value, list):
        return [as_cell(item, target) for item in value]
    return value


def _date_cell(value: date, target: Field) -> object:
    result = target.options.get("result")
    kind = result.get("type") if isinstance(result, dict) else None
    moment = as_instant(value)
    if kind == "date" or (kind is None and not isinstance(value, datetime)) or moment is None:
        return value.strftime("%Y-%m-%d")
    return instant_text(moment)
