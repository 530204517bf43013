"""Takes over a whole schema, computed fields too: a real base's dump, or tables without ids; it keeps no records."""

import copy
from collections.abc import Mapping, Sequence

from changeover_sandbox.airtable.fields import DATE_FORMATS, TIME_FORMATS
from changeover_sandbox.airtable.ids import is_id, new_id
from changeover_sandbox.airtable.model import SELECT_TYPES, Base, Field, Table, View
from changeover_sandbox.airtable.schema import make_inverse


class InvalidSchemaError(ValueError):
    """A schema that cannot be loaded; the message says where."""


def load_tables(base: Base, tables: object) -> None:
    """Replace the base's schema and drop its records; raises InvalidSchemaError and then changes nothing.

    Takes the shape of `GET /meta/bases/{b}/tables`; ids may be missing, and a link may name its table as
    `{"linkedTable": name}`: then it gets the inverse that the schema API would have made.
    """
    if not isinstance(tables, list):
        raise InvalidSchemaError("tables is a list")
    loaded = [_table(one) for one in tables]
    fresh = Base(base.id, base.name, {table.id: table for table in loaded})
    if len(fresh.tables) != len(loaded):
        raise InvalidSchemaError("two tables share an id")
    for table in loaded:
        for link in [one for one in table.fields.values() if one.type == "multipleRecordLinks"]:
            _resolve_link(fresh, table, link)
    for table in base.tables.values():
        base.touch(table, table.records)
    base.tables = fresh.tables
    base.dirty_schema = True


def _table(body: object) -> Table:
    if not isinstance(body, Mapping) or not isinstance(body.get("name"), str):
        raise InvalidSchemaError("a table needs a name")
    name = str(body["name"])
    fields = [_field(name, one) for one in _list(body.get("fields"))]
    if not fields:
        raise InvalidSchemaError(f"{name} has no fields")
    primary = str(body.get("primaryFieldId") or fields[0].id)
    views = [_view(one) for one in _list(body.get("views"))] or [View(new_id("viw"), "Grid view")]
    description = body.get("description")
    return Table(
        id=_given_id(body, "tbl"),
        name=name,
        primary_field_id=primary if primary in {one.id for one in fields} else fields[0].id,
        fields={one.id: one for one in fields},
        views={view.id: view for view in views},
        description=str(description) if description else None,
    )


def _list(value: object) -> Sequence[object]:
    return value if isinstance(value, list) else []


def _given_id(body: Mapping[str, object], prefix: str) -> str:
    given = body.get("id")
    return given if isinstance(given, str) and is_id(given, prefix) else new_id(prefix)


def _view(body: object) -> View:
    if not isinstance(body, Mapping):
        raise InvalidSchemaError("a view is an object")
    return View(_given_id(body, "viw"), str(body.get("name")), str(body.get("type", "grid")))


def _field(table: str, body: object) -> Field:
    if not isinstance(body, Mapping) or not isinstance(body.get("name"), str) or not isinstance(body.get("type"), str):
        raise InvalidSchemaError(f"a field of {table} lacks its name or type")
    options = body.get("options")
    description = body.get("description")
    loaded = Field(
        id=_given_id(body, "fld"),
        name=str(body["name"]),
        type=str(body["type"]),
        description=str(description) if description else None,
        options=copy.deepcopy(dict(options)) if isinstance(options, Mapping) else {},
    )
    _complete(loaded)
    return loaded


def _complete(loaded: Field) -> None:
    """Add what the service adds to options that came in the create-table shape."""
    options = loaded.options
    if loaded.type in SELECT_TYPES:
        choices = [dict(one) for one in _list(options.get("choices")) if isinstance(one, Mapping)]
        options["choices"] = [{"id": new_id("sel"), "color": "blueLight2"} | choice for choice in choices]
    for option, formats in (("dateFormat", DATE_FORMATS), ("timeFormat", TIME_FORMATS)):
        wanted = options.get(option)
        if isinstance(wanted, Mapping):
            name = str(wanted.get("name"))
            options[option] = {"name": name, "format": wanted.get("format", formats.get(name, ""))}


def _resolve_link(base: Base, table: Table, link: Field) -> None:
    name = link.options.pop("linkedTable", None)
    if name is not None:
        target = base.find_table(str(name))
        if target is None:
            raise InvalidSchemaError(f"{table.name}.{link.name} links to a table that is missing: {name}")
        defaults: dict[str, object] = {"isReversed": False, "prefersSingleRecordLink": False}
        link.options = defaults | link.options | {"linkedTableId": target.id}
        make_inverse(base, table, link)
    elif base.link_target(link) is None:
        raise InvalidSchemaError(f"{table.name}.{link.name} links to a table that is missing")
