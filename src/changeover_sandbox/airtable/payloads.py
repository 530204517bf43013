"""Turns the changes of one request into what a webhook reports of them (AT-22); it keeps nothing and sends nothing."""

from collections.abc import Iterable, Mapping, Sequence

from changeover_sandbox.airtable.computed import Reading
from changeover_sandbox.airtable.formula import as_text
from changeover_sandbox.airtable.ids import iso
from changeover_sandbox.airtable.model import Cells, Change, ChangeKind, Field, Record, SchemaChange, Table
from changeover_sandbox.airtable.webhooks import Webhook


def payload(hook: Webhook, reading: Reading, number: int, at: int) -> dict[str, object] | None:
    """The payload of a transaction for this webhook, None when nothing in it is watched."""
    tables: dict[str, dict[str, object]] = {}
    for change in reading.base.changes:
        table = reading.base.tables.get(change.table_id)
        if table is not None and _watches(hook, change):
            _enter(tables.setdefault(table.id, {}), hook, reading, table, change)
    made: dict[str, object] = {}
    for edit in reading.base.schema_changes:
        table = reading.base.tables.get(edit.table_id)
        if table is not None and _watches_schema(hook, edit):
            _enter_schema(made, tables, hook, table, edit)
    if not (tables or made):
        return None
    body = _envelope(reading, number, at)
    return body | ({"changedTablesById": tables} if tables else {}) | ({"createdTablesById": made} if made else {})


def _envelope(reading: Reading, number: int, at: int) -> dict[str, object]:
    return {
        "timestamp": iso(at),
        "baseTransactionNumber": number,
        "payloadFormat": "v0",
        "actionMetadata": {
            "source": "publicApi",
            "sourceMetadata": {"user": {**reading.owner, "permissionLevel": "create"}},
        },
    }


def _watches(hook: Webhook, change: Change) -> bool:
    filters = hook.filters()
    kinds, sources, watched = (_names(filters, name) for name in ("changeTypes", "fromSources", "watchDataInFieldIds"))
    return (
        "tableData" in _names(filters, "dataTypes")
        and filters.get("recordChangeScope") in (None, change.table_id)
        and (not kinds or change.kind.value in kinds)
        and (not sources or bool(sources & {"publicApi", "all"}))
        and (change.kind is not ChangeKind.UPDATED or not watched or bool(watched.intersection(change.field_ids)))
    )


def _watches_schema(hook: Webhook, change: SchemaChange) -> bool:
    filters = hook.filters()
    kinds, sources, watched = (
        _names(filters, name) for name in ("changeTypes", "fromSources", "watchSchemasOfFieldIds")
    )
    kind = ChangeKind.CREATED if change.before is None else ChangeKind.UPDATED
    return (
        ("tableMetadata" if change.field_id is None else "tableFields") in _names(filters, "dataTypes")
        and filters.get("recordChangeScope") in (None, change.table_id)
        and (not kinds or kind.value in kinds)
        and (not sources or bool(sources & {"publicApi", "all"}))
        and (change.field_id is None or change.before is None or not watched or change.field_id in watched)
    )


def _enter_schema(
    made: dict[str, object], tables: dict[str, dict[str, object]], hook: Webhook, table: Table, change: SchemaChange
) -> None:
    words = {"name": table.name, "description": table.description}
    if change.field_id is not None:
        one = table.fields[change.field_id]
        current = {"name": one.name, "type": one.type}
        entry = tables.setdefault(table.id, {})
        group = entry.setdefault("createdFieldsById" if change.before is None else "changedFieldsById", {})
        if isinstance(group, dict):
            group[one.id] = current if change.before is None else _field_change(hook, current, change)
    elif change.before is None:
        fields = {one.id: {"name": one.name, "type": one.type} for one in table.fields.values()}
        made[table.id] = {"metadata": words, "fieldsById": fields, "recordsById": {}}
    else:
        tables.setdefault(table.id, {})["changedMetadata"] = {"current": words, "previous": change.before}


def _field_change(hook: Webhook, current: dict[str, str], change: SchemaChange) -> dict[str, object]:
    shown: dict[str, object] = {"current": current}
    return shown | ({"previous": change.before} if hook.includes().get("includePreviousFieldDefinitions") else {})


def _names(parts: Mapping[str, object], name: str) -> set[str]:
    value = parts.get(name)
    return {str(one) for one in value} if isinstance(value, list) else set()


def _enter(entry: dict[str, object], hook: Webhook, reading: Reading, table: Table, change: Change) -> None:
    record = table.records.get(change.record_id)
    if change.kind is ChangeKind.DESTROYED:
        gone = entry.setdefault("destroyedRecordIds", [])
        if isinstance(gone, list):
            gone.append(change.record_id)
    elif record is not None:
        created = change.kind is ChangeKind.CREATED
        group = entry.setdefault("createdRecordsById" if created else "changedRecordsById", {})
        if isinstance(group, dict):
            body = _created(reading, table, record) if created else _changed(hook, reading, table, record, change)
            group[record.id] = body


def _created(reading: Reading, table: Table, record: Record) -> dict[str, object]:
    cells = _cells(reading, table, record.cells, list(table.fields))
    return {"createdTime": iso(record.created), "cellValuesByFieldId": cells}


def _changed(hook: Webhook, reading: Reading, table: Table, record: Record, change: Change) -> dict[str, object]:
    body: dict[str, object] = {
        "current": {"cellValuesByFieldId": _cells(reading, table, record.cells, change.field_ids, blanks=True)}
    }
    includes = hook.includes()
    if includes.get("includePreviousCellValues"):
        before = _cells(reading, table, change.before, change.field_ids, blanks=True)
        body["previous"] = {"cellValuesByFieldId": before}
    wanted = includes.get("includeCellValuesInFieldIds")
    if wanted:
        ids = list(table.fields) if wanted == "all" else list(_names(includes, "includeCellValuesInFieldIds"))
        rest = [one for one in ids if one in table.fields and one not in change.field_ids]
        body["unchanged"] = {"cellValuesByFieldId": _cells(reading, table, record.cells, rest)}
    return body


def _cells(
    reading: Reading, table: Table, cells: Cells, field_ids: Iterable[str], *, blanks: bool = False
) -> dict[str, object]:
    shown = {one: _cell(reading, table.fields[one], cells.get(one)) for one in field_ids if one in table.fields}
    return shown if blanks else {one: value for one, value in shown.items() if value is not None}


def _cell(reading: Reading, target: Field, value: object) -> object:
    """Webhooks tell options and links with their names, unlike the records API."""
    if isinstance(value, list) and target.type == "multipleRecordLinks":
        return [{"id": one, "name": _name(reading, target, one)} for one in value]
    if isinstance(value, list) and target.type == "multipleSelects":
        return [_choice(target, one) for one in value]
    if target.type == "singleSelect" and value is not None:
        return _choice(target, value)
    return value


def _name(reading: Reading, link: Field, record_id: str) -> str:
    linked = reading.base.link_target(link)
    if linked is None or record_id not in linked.records:
        return ""
    return as_text(reading.row(linked, linked.records[record_id]).cell(linked.primary_field_id))


def _choice(target: Field, name: object) -> object:
    found: Sequence[dict[str, object]] = [choice for choice in target.choices() if choice["name"] == name]
    return found[0] if found else {"name": name}
