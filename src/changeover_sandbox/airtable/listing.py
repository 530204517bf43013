"""Listing records: which rows answer, in which order, page by page (AT-14, AT-17); it changes nothing."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from changeover_sandbox.airtable import errors
from changeover_sandbox.airtable.computed import Reading, RowView
from changeover_sandbox.airtable.formula import (
    Formula,
    FormulaError,
    InvalidFormulaError,
    as_text,
    compile_formula,
    truthy,
)
from changeover_sandbox.airtable.ids import new_id
from changeover_sandbox.airtable.model import Field, Table
from changeover_sandbox.airtable.parameters import ListQuery, SortKey

OFFSET_LIFE: Final = 300.0
FORMULA_CACHE: Final = 256


@dataclass(slots=True)
class Cursor:
    """The rest of a list that is being paged through; `expires` is in seconds after 1970."""

    table_id: str
    ids: Sequence[str]
    expires: float


@dataclass(slots=True)
class Cursors:
    """All lists that are being paged through."""

    by_id: dict[str, Cursor] = field(default_factory=dict)

    def open(self, table: Table, ids: Sequence[str], now: float) -> str:
        """Remember a list; the answer is the first half of its offsets."""
        for cursor_id in [one for one, cursor in self.by_id.items() if cursor.expires <= now]:
            del self.by_id[cursor_id]
        cursor_id = new_id("itr")
        self.by_id[cursor_id] = Cursor(table.id, ids, now + OFFSET_LIFE)
        return cursor_id

    def resume(self, offset: str, table: Table, now: float) -> tuple[str, Sequence[str], int]:
        """The list an offset belongs to and where to go on; raises ApiError when it is gone (AT-17)."""
        cursor_id, _, record_id = offset.partition("/")
        cursor = self.by_id.get(cursor_id)
        if cursor is None or cursor.expires <= now or cursor.table_id != table.id or record_id not in cursor.ids:
            raise errors.iterator_gone()
        cursor.expires = now + OFFSET_LIFE
        return cursor_id, cursor.ids, cursor.ids.index(record_id)


@dataclass(frozen=True, slots=True)
class Page:
    """The ids of one page; `offset` is None on the last."""

    ids: list[str]
    offset: str | None


def page(reading: Reading, table: Table, query: ListQuery, cursors: Cursors, now: float) -> Page:
    """One page of a list; raises ApiError for what the service refuses."""
    if query.offset:
        cursor_id, ids, start = cursors.resume(query.offset, table, now)
    else:
        cursor_id, ids, start = "", matching(reading, table, query), 0
    end = start + query.page_size
    if end >= len(ids):
        return Page(_alive(table, ids[start:end]), None)
    cursor_id = cursor_id or cursors.open(table, ids, now)
    return Page(_alive(table, ids[start:end]), f"{cursor_id}/{ids[end]}")


def _alive(table: Table, ids: Sequence[str]) -> list[str]:
    return [one for one in ids if one in table.records]


def matching(reading: Reading, table: Table, query: ListQuery) -> list[str]:
    """The ids of all rows that answer the query, in its order, cut to maxRecords."""
    ids: Sequence[str] = table.shuffled()
    if query.view:
        view = table.find_view(query.view)
        if view is None:
            raise errors.unknown_view(query.view)
        ids = list(_passing(reading, table, list(table.records), view.formula))
    ids = list(_passing(reading, table, ids, query.formula))
    if query.sort:
        ids = ordered(reading, table, ids, query.sort)
    return ids if query.max_records is None else ids[: query.max_records]


def _passing(reading: Reading, table: Table, ids: Sequence[str], text: str) -> Iterator[str]:
    """The rows for which the formula is true; one that ends in an error is not (AT-20)."""
    if not text.strip():
        yield from ids
        return
    formula, records = _filter(table, text), table.records
    view = RowView(reading, table, next(iter(records.values()))) if records else None
    for one in ids:
        if view is None:
            return
        view.record = records[one]
        if _passes(formula, view):
            yield one


def _passes(formula: Formula, view: RowView) -> bool:
    try:
        return truthy(formula(view))
    except FormulaError:
        return False


def _filter(table: Table, text: str) -> Formula:
    """The compiled filter, kept while the schema stays: a client sends the same text with every page."""
    known = table.filters.get(text)
    if known is not None:
        return known
    try:
        formula = compile_formula(text, table)
    except InvalidFormulaError as exc:
        raise errors.invalid_formula(str(exc)) from exc
    if len(table.filters) >= FORMULA_CACHE:
        table.filters.clear()
    table.filters[text] = formula
    return formula


def ordered(reading: Reading, table: Table, ids: Sequence[str], sort: Sequence[SortKey]) -> list[str]:
    """The ids by several keys; blanks come first, or last where the direction is desc."""
    result = list(ids)
    for key in reversed(sort):
        column = table.find_field(key.field)
        if column is None:
            raise errors.unknown_field(key.field)
        rank = _rank(reading, table, column)
        result.sort(key=rank, reverse=key.descending)
    return result


def _rank(reading: Reading, table: Table, column: Field) -> Callable[[str], tuple[int, float, str]]:
    """Numbers by size, selects by the order of their options, all else by text whatever its case."""
    places = {name: place for place, name in enumerate(column.choice_names())}

    def rank(record_id: str) -> tuple[int, float, str]:
        try:
            value = reading.row(table, table.records[record_id]).cell(column.id)
        except FormulaError:
            return (0, 0.0, "")
        if value is None or value in ("", []):
            return (0, 0.0, "")
        if isinstance(value, int | float):
            return (1, float(value), "")
        if isinstance(value, str) and value in places:
            return (1, float(places[value]), "")
        text = as_text(value)
        return (1, 0.0, text.casefold())

    return rank
