"""Sets a base up: creates missing tables and fields and the first rows; it never renames, retypes, deletes or edits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from changeover.airtable.cells import text
from changeover.airtable.client import AirtableClient
from changeover.airtable.errors import Json
from changeover.airtable.schema.check import FindingKind, compare
from changeover.airtable.schema.live import LiveTable, parse
from changeover.airtable.schema.spec import AUTOMATIONS, BaseSpec, FieldSpec, TableSpec
from changeover.airtable.schema.verify import marker
from changeover.store.gate import Purpose
from changeover.store.mirror import Cell


@dataclass(frozen=True, slots=True)
class InitReport:
    """What `init` made, what options it added or could not add, and what stays to be made by hand."""

    created: tuple[str, ...]
    options: tuple[str, ...]
    missing_options: tuple[str, ...]
    manual: tuple[str, ...]

    def lines(self) -> Iterator[str]:
        """For a person, a line each."""
        yield from (f"created   {each}" for each in self.created)
        yield from (f"option    {each}" for each in self.options)
        yield from (f"missing option, add with --add-options: {each}" for each in self.missing_options)
        yield from self.manual


def init(client: AirtableClient, spec: BaseSpec, env: str, *, add_options: bool = False) -> InitReport:
    """Brings a base up to the schema file (AT-7, AT-8). A second call writes nothing.

    Raises WrongBase, before any write, when the base's marker names the other environment (AT-11).
    """
    live = parse(client.meta_tables())
    if "Environment" in live:
        marker(client, env)
    created = list(_tables_and_fields(client, spec, live))
    created += _first_rows(client, env)
    live = parse(client.meta_tables()) if created else live
    added = list(_add_options(client, spec, live)) if add_options else []
    left = compare(spec, parse(client.meta_tables()) if added else live)
    return InitReport(
        created=tuple(created),
        options=tuple(added),
        missing_options=tuple(
            f"{each.table} · {each.field}: {each.text}" for each in left if each.kind == FindingKind.OPTION
        ),
        manual=tuple(str(each) for each in left if each.kind == FindingKind.MANUAL),
    )


def _tables_and_fields(client: AirtableClient, spec: BaseSpec, live: Mapping[str, LiveTable]) -> Iterator[str]:
    ids = {table.name: table.id for table in live.values()}
    for table in spec.tables:
        if table.name not in ids:
            fields = [_body(field, ids) for field in table.fields]
            made = client.create_table({"name": table.name, "description": table.description, "fields": fields})
            ids[table.name] = str(made["id"])
            yield table.name
            continue
        for field in table.fields:
            if field.name not in live[table.name].fields:
                client.create_field(ids[table.name], _body(field, ids))
                yield f"{table.name} · {field.name}"


def _body(field: FieldSpec, ids: Mapping[str, str]) -> dict[str, Json]:
    if not field.linked_table:
        return dict(field.body)
    return {**field.body, "options": {"linkedTableId": ids[field.linked_table]}}


def _first_rows(client: AirtableClient, env: str) -> list[str]:
    """The automations' rows, unticked, and the marker: into empty tables only (AT-7)."""
    made: list[str] = []
    for table, names in (("Automation", AUTOMATIONS), ("Environment", (env,))):
        if not client.read(table, Purpose.CHECK).records:
            client.create(table, [{"Name": name} for name in names], Purpose.CHECK)
            made += [f"{table}: {name}" for name in names]
    return made


def _add_options(client: AirtableClient, spec: BaseSpec, live: Mapping[str, LiveTable]) -> Iterator[str]:
    """Adds missing options by typecast writes to a temporary row, deleted at once (AT-8)."""
    for table in spec.tables:
        missing = _missing_options(table, live[table.name])
        while any(missing.values()):
            fields: dict[str, Cell] = {name: options.pop() for name, options in missing.items() if options}
            row = client.add_options(table.name, fields, Purpose.CHECK)
            client.delete(table.name, row.id, Purpose.CHECK)
            yield from (f"{table.name} · {name}: {text(option)}" for name, option in fields.items())


def _missing_options(table: TableSpec, live: LiveTable) -> dict[str, list[str]]:
    return {
        field.name: [name for name in reversed(field.choices) if name not in live.fields[field.name].choices]
        for field in table.fields
        if field.choices and live.fields[field.name].type == "singleSelect"
    }
