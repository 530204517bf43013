"""The records API over HTTP (airtable.md §2.2); what the requests do is decided elsewhere."""

from collections.abc import Mapping, Sequence

from aiohttp import web

from changeover_sandbox.airtable import errors, listing, parameters, records
from changeover_sandbox.airtable.cells import refuse_more_than
from changeover_sandbox.airtable.context import (
    answer,
    object_of,
    origin_of,
    reading_of,
    record_of,
    renderer_of,
    state_of,
    table_of,
    write_of,
)
from changeover_sandbox.airtable.model import Field, Table
from changeover_sandbox.airtable.parameters import ListQuery, flag, style
from changeover_sandbox.airtable.records import Entry, Upserted
from changeover_sandbox.airtable.render import Renderer, Style

BATCH = 10
MERGE_FIELDS = 3
_GET_PARAMETERS = frozenset({"cellFormat", "timeZone", "userLocale", "returnFieldsByFieldId"})
_WRITE_PARAMETERS = frozenset({"fields", "records", "typecast", "returnFieldsByFieldId"})


def add_routes(router: web.UrlDispatcher) -> None:
    """Serve the records of all tables."""
    router.add_get("/v0/{base:app[^/]*}/{table}", list_records)
    router.add_post("/v0/{base:app[^/]*}/{table}/listRecords", list_records_by_post)
    router.add_get("/v0/{base:app[^/]*}/{table}/{record}", get_record)
    router.add_post("/v0/{base:app[^/]*}/{table}", create_records)
    for method in ("PATCH", "PUT"):
        router.add_route(method, "/v0/{base:app[^/]*}/{table}", update_records)
        router.add_route(method, "/v0/{base:app[^/]*}/{table}/{record}", update_record)
    router.add_delete("/v0/{base:app[^/]*}/{table}", delete_records)
    router.add_delete("/v0/{base:app[^/]*}/{table}/{record}", delete_record)


async def list_records(request: web.Request) -> web.Response:
    """`GET /{base}/{table}`."""
    return _listed(request, parameters.from_query(request.query.items()))


async def list_records_by_post(request: web.Request) -> web.Response:
    """`POST /{base}/{table}/listRecords`, for lists whose URL would be too long."""
    body = await object_of(request)
    return _listed(request, parameters.from_body(body, request.query.items()))


def _listed(request: web.Request, query: ListQuery) -> web.Response:
    base, table = table_of(request)
    state = state_of(request)
    reading = reading_of(request, base)
    only = None if query.fields is None else _fields(table, query.fields)
    page = listing.page(reading, table, query, state.cursors, state.clock())
    renderer = Renderer(reading, table, origin_of(request), query.style, only)
    shown = renderer.records(table.records[one] for one in page.ids)
    if query.count_comments:
        shown = [one | {parameters.COMMENT_COUNT: state.comment_count(base, str(one["id"]))} for one in shown]
    body: dict[str, object] = {"records": shown}
    return answer(body | ({"offset": page.offset} if page.offset else {}))


def _fields(table: Table, names: Sequence[str]) -> list[Field]:
    found = {}
    for name in names:
        one = table.find_field(name)
        if one is None:
            raise errors.unknown_field(name)
        found[one.id] = one
    return list(found.values())


async def get_record(request: web.Request) -> web.Response:
    """`GET /{base}/{table}/{record}`."""
    if not set(request.query) <= _GET_PARAMETERS:
        raise errors.invalid_request()
    base, table = table_of(request)
    renderer = renderer_of(request, base, table, style(request.query))
    return answer(renderer.record(record_of(request, table)))


async def create_records(request: web.Request) -> web.Response:
    """`POST /{base}/{table}`, one record or up to ten."""
    base, table = table_of(request)
    body = await object_of(request)
    if not set(body) <= _WRITE_PARAMETERS or ("fields" in body) == ("records" in body):
        raise errors.invalid_request()
    entries = _entries(body["records"]) if "records" in body else [Entry(None, body["fields"])]
    if any(entry.record_id is not None for entry in entries):
        raise errors.invalid_request()
    made = records.create(write_of(request, base, table, typecast=flag(body.get("typecast"))), entries)
    rendered = renderer_of(request, base, table, _style(body)).records(made)
    return answer({"records": rendered} if "records" in body else rendered[0])


def _style(body: Mapping[str, object]) -> Style:
    return Style(flag(body.get("returnFieldsByFieldId")))


def _entries(items: object) -> list[Entry]:
    """The records of a body; raises ApiError for more than ten and for anything that is not `{"id"?, "fields"}`."""
    if not isinstance(items, list):
        raise errors.invalid_request()
    refuse_more_than(BATCH, items)
    return [_entry(item) for item in items]


def _entry(item: object) -> Entry:
    if not isinstance(item, Mapping) or "fields" not in item or not set(item) <= {"id", "fields"}:
        raise errors.invalid_request()
    record_id = item.get("id")
    if not isinstance(record_id, str | None):
        raise errors.invalid_request()
    return Entry(record_id, item["fields"])


async def update_record(request: web.Request) -> web.Response:
    """`PATCH` (merge) or `PUT` (replace) of one record."""
    base, table = table_of(request)
    body = await object_of(request)
    if "fields" not in body or not set(body) <= _WRITE_PARAMETERS - {"records"}:
        raise errors.invalid_request()
    entry = Entry(record_of(request, table).id, body["fields"])
    write = write_of(request, base, table, typecast=flag(body.get("typecast")))
    changed = records.update(write, [entry], replace=request.method == "PUT")
    return answer(renderer_of(request, base, table, _style(body)).record(changed[0]))


async def update_records(request: web.Request) -> web.Response:
    """`PATCH` or `PUT` of up to ten records, with `performUpsert` also those that have yet to be found or made."""
    base, table = table_of(request)
    body = await object_of(request)
    if not set(body) <= (_WRITE_PARAMETERS - {"fields"}) | {"performUpsert"}:
        raise errors.invalid_request()
    entries = _entries(body.get("records"))
    upserting = "performUpsert" in body
    merge_on = _merge_on(body["performUpsert"]) if upserting else []
    if not upserting and any(entry.record_id is None for entry in entries):
        raise errors.invalid_request()
    write = write_of(request, base, table, typecast=flag(body.get("typecast")))
    done = records.upsert(write, entries, merge_on, replace=request.method == "PUT")
    rendered = renderer_of(request, base, table, _style(body)).records(done.records)
    return answer((_upserted(done) if upserting else {}) | {"records": rendered})


def _upserted(done: Upserted) -> dict[str, object]:
    return {"createdRecords": done.created, "updatedRecords": done.updated}


def _merge_on(order: object) -> list[str]:
    names = order.get("fieldsToMergeOn") if isinstance(order, Mapping) else None
    if (
        not isinstance(names, list)
        or not 1 <= len(names) <= MERGE_FIELDS
        or not all(isinstance(name, str) for name in names)
    ):
        raise errors.invalid_request()
    return names


async def delete_record(request: web.Request) -> web.Response:
    """`DELETE /{base}/{table}/{record}`."""
    base, table = table_of(request)
    record = record_of(request, table)
    records.delete(write_of(request, base, table, typecast=False), [record.id])
    return answer({"id": record.id, "deleted": True})


async def delete_records(request: web.Request) -> web.Response:
    """`DELETE /{base}/{table}?records[]=…`, up to ten."""
    base, table = table_of(request)
    ids = [value for key, value in request.query.items() if key.partition("[")[0] == "records"]
    refuse_more_than(BATCH, ids)
    records.delete(write_of(request, base, table, typecast=False), ids)
    return answer({"records": [{"id": one, "deleted": True} for one in ids]})
