"""Creates and renames tables and fields, and makes the inverse of every link (AT-21); it holds no records."""

from collections.abc import Mapping

from changeover_sandbox.airtable import errors
from changeover_sandbox.airtable.date_dependency import date_dependency
from changeover_sandbox.airtable.fields import is_description, new_field
from changeover_sandbox.airtable.ids import new_id
from changeover_sandbox.airtable.model import Base, Field, SchemaChange, Table, View


def create_table(base: Base, body: object) -> Table:
    """A table with its fields, the first of them primary, and a grid view; raises ApiError and then makes nothing."""
    if not isinstance(body, Mapping) or not set(body) <= {"name", "description", "fields"}:
        raise errors.invalid_request()
    name, description, fields = body.get("name"), body.get("description"), body.get("fields")
    if not isinstance(name, str) or not name.strip() or not is_description(description):
        raise errors.invalid_request()
    if not isinstance(fields, list) or not fields:
        raise errors.invalid_request()
    if base.find_table(name) is not None:
        raise errors.invalid_schema("DUPLICATE_TABLE_NAME", f"A table named {name} exists already")
    made = [new_field(base, one, primary=place == 0) for place, one in enumerate(fields)]
    if len({one.name.lower() for one in made}) != len(made):
        raise errors.invalid_schema("DUPLICATE_OR_EMPTY_FIELD_NAME", "Field names must be unique within a table")
    view = View(new_id("viw"), "Grid view")
    table = Table(
        id=new_id("tbl"),
        name=name,
        primary_field_id=made[0].id,
        fields={one.id: one for one in made},
        views={view.id: view},
        description=str(description) if description else None,
    )
    base.tables[table.id] = table
    for one in made:
        make_inverse(base, table, one)
    base.report(SchemaChange(table.id))
    base.dirty_schema = True
    return table


def create_field(base: Base, table: Table, body: object) -> Field:
    """A field in an existing table; raises ApiError."""
    made = new_field(base, body)
    _refuse_taken(table, made.name)
    table.fields[made.id] = made
    make_inverse(base, table, made)
    table.forget_compiled()
    base.report(SchemaChange(table.id, made.id))
    base.dirty_schema = True
    return made


def _refuse_taken(table: Table, name: str, but: str = "") -> None:
    if any(one.name.lower() == name.lower() and one.id != but for one in table.fields.values()):
        message = f"A field named {name} exists already in this table"
        raise errors.invalid_schema("DUPLICATE_OR_EMPTY_FIELD_NAME", message)


def make_inverse(base: Base, table: Table, link: Field) -> None:
    """Give a new link its other end, named after the table it comes from; a link into its own table has none."""
    target = base.link_target(link) if link.type == "multipleRecordLinks" else None
    if target is None or target is table or link.option("inverseLinkFieldId"):
        return
    inverse = Field(
        id=new_id("fld"),
        name=_free_name(target, table.name),
        type="multipleRecordLinks",
        options={
            "linkedTableId": table.id,
            "isReversed": False,
            "prefersSingleRecordLink": False,
            "inverseLinkFieldId": link.id,
        },
    )
    link.options["inverseLinkFieldId"] = inverse.id
    target.fields[inverse.id] = inverse
    target.forget_compiled()
    base.report(SchemaChange(target.id, inverse.id))


def _free_name(table: Table, wanted: str) -> str:
    taken = {one.name.lower() for one in table.fields.values()}
    name, number = wanted, 2
    while name.lower() in taken:
        name, number = f"{wanted} {number}", number + 1
    return name


def change_table(base: Base, table: Table, body: object) -> None:
    """Give a table another name, description or date dependency; raises ApiError for anything else."""
    name, description = _texts(body, "dateDependencySettings")
    if name is not None and (found := base.find_table(name)) is not None and found is not table:
        raise errors.invalid_schema("DUPLICATE_TABLE_NAME", f"A table named {name} exists already")
    if isinstance(body, Mapping) and "dateDependencySettings" in body:
        table.date_dependency = date_dependency(table, body["dateDependencySettings"])
    before = {"name": table.name, "description": table.description}
    table.name = name or table.name
    table.description = table.description if description is None else description
    base.report(SchemaChange(table.id, before=before))
    base.dirty_schema = True


def change_field(base: Base, table: Table, target: Field, body: object) -> None:
    """Give a field another name or description; its options cannot be edited; raises ApiError."""
    name, description = _texts(body)
    if name is not None:
        _refuse_taken(table, name, but=target.id)
    before = {"name": target.name, "type": target.type}
    target.name = name or target.name
    target.description = target.description if description is None else description
    table.forget_compiled()
    base.report(SchemaChange(table.id, target.id, before))
    base.dirty_schema = True


def drop_view(base: Base, view_id: str) -> None:
    """Delete a view; the last one of a table stays; raises ApiError."""
    for table in base.tables.values():
        if view_id in table.views:
            if len(table.views) == 1:
                raise errors.invalid_request()
            del table.views[view_id]
            base.dirty_schema = True
            return
    raise errors.not_found()


def _texts(body: object, *more: str) -> tuple[str | None, str | None]:
    if not isinstance(body, Mapping) or not body or not set(body) <= {"name", "description", *more}:
        raise errors.invalid_request()
    name, description = body.get("name"), body.get("description")
    if not isinstance(name, str | None) or not is_description(description) or name == "":
        raise errors.invalid_request()
    return name, description
