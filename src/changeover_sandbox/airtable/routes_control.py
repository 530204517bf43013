"""The stand-in's own part of `/_sandbox`: limits, seeding, schemas, views; the program under test never calls it."""

from collections.abc import Mapping
from dataclasses import replace

from aiohttp import web

from changeover_sandbox.airtable import errors, records
from changeover_sandbox.airtable.context import answer, json_of, object_of, origin_of, state_of
from changeover_sandbox.airtable.formula import FormulaError
from changeover_sandbox.airtable.formula.values import parse_iso
from changeover_sandbox.airtable.ids import milliseconds, new_id
from changeover_sandbox.airtable.model import Base, Table, View
from changeover_sandbox.airtable.records import Entry, Write
from changeover_sandbox.airtable.render import Renderer
from changeover_sandbox.airtable.schema_load import InvalidSchemaError, load_tables
from changeover_sandbox.airtable.state import owner_of
from changeover_sandbox.control import PREFIX


def add_routes(router: web.UrlDispatcher) -> None:
    """Serve the control calls that only this stand-in has."""
    router.add_get(f"{PREFIX}/limits", show_limits)
    router.add_post(f"{PREFIX}/limits", change_limits)
    router.add_post(f"{PREFIX}/schema", load_schema)
    router.add_post(f"{PREFIX}/views", add_view)
    router.add_post(f"{PREFIX}/reactions", react)
    router.add_get(f"{PREFIX}/records", dump_records)
    router.add_post(f"{PREFIX}/records", seed_records)
    router.add_patch(f"{PREFIX}/records", edit_records)
    router.add_delete(f"{PREFIX}/records", delete_records)


async def show_limits(request: web.Request) -> web.Response:
    """The limits in force and the calls used this month."""
    return answer(state_of(request).limits.as_json())


async def change_limits(request: web.Request) -> web.Response:
    """`{"enforce"?, "requests_per_second"?, "penalty_seconds"?, "monthly"?}`; every gate opens."""
    try:
        state_of(request).limits.change(await json_of(request))
    except (TypeError, ValueError) as exc:
        raise web.HTTPBadRequest(text=str(exc)) from exc
    return await show_limits(request)


async def load_schema(request: web.Request) -> web.Response:
    """`{"base_id", "tables": […]}` replaces the base's tables; its records are gone."""
    body = await object_of(request)
    base = _base(request, body)
    try:
        load_tables(base, body.get("tables"))
    except InvalidSchemaError as exc:
        raise web.HTTPBadRequest(text=str(exc)) from exc
    return answer({"tables": [table.as_json() for table in base.tables.values()]})


async def add_view(request: web.Request) -> web.Response:
    """`{"base_id", "table", "name", "type"?, "formula"?}`: the public API cannot make views."""
    body = await object_of(request)
    base, table = _table(request, body)
    name, kind, formula = (str(body.get(key) or "") for key in ("name", "type", "formula"))
    view = View(new_id("viw"), name or "View", kind or "grid", formula)
    table.views[view.id] = view
    base.dirty_schema = True
    return answer(view.as_json(), status=201)


async def react(request: web.Request) -> web.Response:
    """`{"base_id", "table", "record", "comment", "emoji"}`: a reaction, which a person gives in the interface."""
    body = await object_of(request)
    base, table = _table(request, body)
    record, emoji = table.records.get(str(body.get("record"))), str(body.get("emoji") or "")
    if record is None or not emoji:
        raise web.HTTPBadRequest(text="no such record, or no emoji")
    state = state_of(request)
    comment = state.thread(base, record).react(str(body.get("comment")), emoji, owner_of(""))
    state.keep_thread(base, record)
    return answer(comment.as_json(), status=201)


def _base(request: web.Request, parts: Mapping[str, object]) -> Base:
    base = state_of(request).bases.get(str(parts.get("base_id")))
    if base is None:
        raise web.HTTPBadRequest(text="no such base_id")
    return base


def _table(request: web.Request, parts: Mapping[str, object]) -> tuple[Base, Table]:
    base = _base(request, parts)
    table = base.find_table(str(parts.get("table")))
    if table is None:
        raise web.HTTPBadRequest(text="no such table")
    return base, table


async def dump_records(request: web.Request) -> web.Response:
    """`?base_id=&table=`: every record of a table in the order of creation."""
    base, table = _table(request, request.query)
    reading = state_of(request).reading(base, "")
    return answer({"records": Renderer(reading, table, origin_of(request)).records(table.records.values())})


async def _order(request: web.Request) -> tuple[Write, list[Entry]]:
    body = await object_of(request)
    base, table = _table(request, body)
    items = body.get("records")
    if not isinstance(items, list):
        raise web.HTTPBadRequest(text="records is a list")
    write = Write(base, table, state_of(request).now_ms(), owner_of(""), typecast=bool(body.get("typecast", False)))
    return write, [_entry(item) for item in items]


def _entry(item: object) -> Entry:
    if not isinstance(item, Mapping):
        raise errors.invalid_request()
    entry = Entry(str(item["id"]) if "id" in item else None, item.get("fields", {}))
    if "createdTime" not in item:
        return entry
    try:
        return replace(entry, created=milliseconds(parse_iso(str(item["createdTime"]))))
    except FormulaError as exc:
        raise web.HTTPBadRequest(text="createdTime is not an instant") from exc


async def seed_records(request: web.Request) -> web.Response:
    """`{"base_id", "table", "records": [{"id"?, "fields", "createdTime"?}…]}`: any number at once; `{"ids": […]}`."""
    write, entries = await _order(request)
    return answer({"ids": [record.id for record in records.create(write, entries)]}, status=201)


async def edit_records(request: web.Request) -> web.Response:
    """`{"base_id", "table", "records": [{"id", "fields"}…]}`: what a person changes in the interface."""
    write, entries = await _order(request)
    return answer({"ids": [record.id for record in records.update(write, entries, replace=False)]})


async def delete_records(request: web.Request) -> web.Response:
    """`{"base_id", "table", "records": [{"id"}…]}`: what a person deletes in the interface."""
    write, entries = await _order(request)
    ids = [entry.record_id for entry in entries if entry.record_id]
    records.delete(write, ids)
    return answer({"ids": ids})
