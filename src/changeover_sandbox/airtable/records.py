"""Creating, updating, upserting and deleting records, each request all or nothing (AT-16); it reads no HTTP."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from changeover_sandbox.airtable import errors
from changeover_sandbox.airtable.cells import Casting, accept_fields
from changeover_sandbox.airtable.ids import new_id
from changeover_sandbox.airtable.links import set_links, unlink_everywhere
from changeover_sandbox.airtable.model import (
    Base,
    Cells,
    Change,
    ChangeKind,
    Field,
    FreshFile,
    Record,
    Table,
)

MERGE_TYPES: Final = frozenset({"number", "singleLineText", "multilineText", "singleSelect", "multipleSelects", "date"})


@dataclass(frozen=True, slots=True)
class Write:
    """One writing request: where, when (milliseconds after 1970), by whom, and whether with typecast."""

    base: Base
    table: Table
    now: int
    owner: Mapping[str, object]
    typecast: bool = False

    def casting(self) -> Casting:
        """Room for what typecast will have to make."""
        return Casting(self.base, self.typecast, self.owner)


@dataclass(frozen=True, slots=True)
class Entry:
    """One record of an update: its id, None where an upsert has to find it, and the fields as they were sent."""

    record_id: str | None
    fields: object
    created: int | None = None


@dataclass(frozen=True, slots=True)
class Upserted:
    """What an upsert did: all records in the order of the request, and which of them are new."""

    records: list[Record]
    created: list[str]
    updated: list[str]


def create(write: Write, entries: Sequence[Entry]) -> list[Record]:
    """New records in the order of the entries, under their ids where these are given; raises ApiError."""
    casting = write.casting()
    accepted = [accept_fields(write.table, entry.fields, casting) for entry in entries]
    _settle(write, casting)
    return [
        _insert(write, write.table, cells, entry.created, entry.record_id)
        for entry, cells in zip(entries, accepted, strict=True)
    ]


def update(write: Write, entries: Sequence[Entry], *, replace: bool) -> list[Record]:
    """Merge the fields into the records, or with `replace` clear every writable field that is not sent (AT-15)."""
    return upsert(write, entries, (), replace=replace).records


def upsert(write: Write, entries: Sequence[Entry], merge_on: Sequence[str], *, replace: bool) -> Upserted:
    """Update by id, or by the merge fields; what matches nothing is created; two matches fail all (AT-18)."""
    casting = write.casting()
    keys = _merge_fields(write.table, merge_on)
    accepted = [accept_fields(write.table, entry.fields, casting) for entry in entries]
    targets = [_target(write.table, entry, cells, keys) for entry, cells in zip(entries, accepted, strict=True)]
    _settle(write, casting)
    done = Upserted([], [], [])
    for record, cells in zip(targets, accepted, strict=True):
        if record is None:
            stored = _insert(write, write.table, cells)
            done.created.append(stored.id)
        else:
            stored = _change(write, record, cells, replace=replace)
            done.updated.append(stored.id)
        done.records.append(stored)
    return done


def _merge_fields(table: Table, names: Sequence[str]) -> list[Field]:
    fields = []
    for name in names:
        found = table.find_field(name)
        if found is None:
            raise errors.unknown_field(name)
        if found.type not in MERGE_TYPES:
            raise errors.invalid_request()
        fields.append(found)
    return fields


def _target(table: Table, entry: Entry, cells: Cells, keys: Sequence[Field]) -> Record | None:
    if entry.record_id is not None:
        record = table.records.get(entry.record_id)
        if record is None:
            raise errors.missing_row(entry.record_id)
        return record
    if not keys or not all(key.id in cells for key in keys):
        raise errors.invalid_request()
    matches = [
        record for record in table.records.values() if all(record.cells.get(key.id) == cells[key.id] for key in keys)
    ]
    if len(matches) > 1:
        raise errors.invalid_request("Multiple records match the upsert criteria")
    return matches[0] if matches else None


def delete(write: Write, record_ids: Sequence[str]) -> None:
    """Delete the records and take them out of every link; raises ApiError when one does not exist."""
    for record_id in record_ids:
        if record_id not in write.table.records:
            raise errors.missing_row(record_id)
    for record_id in dict.fromkeys(record_ids):
        record = write.table.records[record_id]
        write.base.report(Change(ChangeKind.DESTROYED, write.table.id, record_id, (), dict(record.cells)))
        unlink_everywhere(write.base, write.table, record)
        write.table.discard(record_id)
        write.base.touch(write.table, [record_id])


def _settle(write: Write, casting: Casting) -> None:
    """Make what typecast asks for: new select options, and rows that links name by their primary text."""
    for field_id, names in casting.new_choices.items():
        choices = write.table.fields[field_id].choices()
        choices.extend({"id": new_id("sel"), "name": name, "color": "blueLight2"} for name in names)
        write.base.dirty_schema = True
    for table, record_id, text in casting.new_rows:
        _insert(write, table, {table.primary_field_id: text}, record_id=record_id)


def _insert(
    write: Write, table: Table, cells: Cells, created: int | None = None, record_id: str | None = None
) -> Record:
    instant = write.now if created is None else created
    record = Record(record_id or new_id("rec"), instant, {}, {}, instant)
    for numbered in table.fields.values():
        if numbered.type == "autoNumber":
            record.cells[numbered.id] = table.next_number
    table.next_number += 1
    table.add(record)
    _store(write, table, record, cells.items())
    write.base.touch(table, [record.id])
    write.base.report(Change(ChangeKind.CREATED, table.id, record.id, tuple(cells)))
    return record


def _change(write: Write, record: Record, cells: Cells, *, replace: bool) -> Record:
    if replace:
        writable = {one.id for one in write.table.fields.values() if not one.computed}
        cells = {field_id: cells.get(field_id) for field_id in (*cells, *record.cells) if field_id in writable}
    before = {field_id: record.cells[field_id] for field_id in cells if field_id in record.cells}
    _store(write, write.table, record, cells.items())
    record.modified.update(dict.fromkeys(cells, write.now))
    record.touched = write.now if cells else record.touched
    write.base.touch(write.table, [record.id])
    write.base.report(Change(ChangeKind.UPDATED, write.table.id, record.id, tuple(cells), before))
    return record


def _store(write: Write, table: Table, record: Record, cells: Iterable[tuple[str, object]]) -> None:
    for field_id, value in cells:
        target = table.fields[field_id]
        if target.type == "multipleRecordLinks":
            set_links(write.base, table, record, target, value if isinstance(value, list) else ())
        elif value is None:
            record.cells.pop(field_id, None)
        else:
            record.cells[field_id] = value
            if target.type == "multipleAttachments":
                _order_files(write.base, table, record, target)


def _order_files(base: Base, table: Table, record: Record, target: Field) -> None:
    held = record.cells[target.id]
    for item in held if isinstance(held, list) else ():
        if "size" not in item:
            base.fresh_files.append(FreshFile(base.id, table.id, record.id, target.id, str(item["id"])))
