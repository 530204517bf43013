"""Keeps the two ends of every link in step; it never counts that as a modification (airtable.md §6.5)."""

from collections.abc import Sequence

from changeover_sandbox.airtable.model import Base, Field, Record, Table


def ids_in(cell: object) -> list[str]:
    """The record ids of a link cell."""
    return cell if isinstance(cell, list) else []


def set_links(base: Base, table: Table, record: Record, link: Field, wanted: Sequence[str]) -> None:
    """Point the record at exactly these rows, and those rows back at it."""
    before = ids_in(record.cells.get(link.id))
    _store(record, link.id, list(wanted))
    target, inverse = base.link_target(link), link.option("inverseLinkFieldId")
    if target is None or inverse not in target.fields:
        return
    gone, come = set(before).difference(wanted), set(wanted).difference(before)
    for other_id in (*gone, *come):
        other = target.records.get(other_id)
        if other is not None:
            _mirror(other, inverse, record.id, present=other_id in come)
            base.touch(target, [other_id])
    base.touch(table, [record.id])


def _mirror(other: Record, field_id: str, record_id: str, *, present: bool) -> None:
    held = [one for one in ids_in(other.cells.get(field_id)) if one != record_id]
    _store(other, field_id, [*held, record_id] if present else held)


def _store(record: Record, field_id: str, ids: list[str]) -> None:
    if ids:
        record.cells[field_id] = ids
    else:
        record.cells.pop(field_id, None)


def unlink_everywhere(base: Base, table: Table, record: Record) -> None:
    """Take a record that is about to be deleted out of every cell that names it."""
    for link in [one for one in table.fields.values() if one.type == "multipleRecordLinks"]:
        set_links(base, table, record, link, ())
    for other_table in base.tables.values():
        for link in other_table.fields.values():
            if link.option("linkedTableId") == table.id and link.option("inverseLinkFieldId") not in table.fields:
                _drop_from(base, other_table, link, record.id)


def _drop_from(base: Base, table: Table, link: Field, record_id: str) -> None:
    """A link without inverse, as dumps of real bases have: only a look through all rows finds the record."""
    for other in table.records.values():
        held = ids_in(other.cells.get(link.id))
        if record_id in held:
            _store(other, link.id, [one for one in held if one != record_id])
            base.touch(table, [other.id])
