"""The schema API over HTTP (AT-21); what it makes is decided elsewhere."""

from aiohttp import web

from changeover_sandbox.airtable import bases, errors, schema
from changeover_sandbox.airtable.context import answer, base_of, json_of, state_of, table_of
from changeover_sandbox.airtable.state import owner_of
from changeover_sandbox.control import credential_of

SCOPES = (
    "data.records:read",
    "data.records:write",
    "data.recordComments:read",
    "data.recordComments:write",
    "schema.bases:read",
    "schema.bases:write",
    "webhook:manage",
)


def add_routes(router: web.UrlDispatcher) -> None:
    """Serve `/v0/meta`."""
    tables = "/v0/meta/bases/{base}/tables"
    router.add_get("/v0/meta/whoami", whoami)
    router.add_get("/v0/meta/bases", list_bases)
    router.add_post("/v0/meta/bases", create_base)
    router.add_get("/v0/meta/bases/{base}", show_base)
    router.add_delete("/v0/meta/bases/{base}/views/{view}", delete_view)
    router.add_get(tables, list_tables)
    router.add_post(tables, create_table)
    router.add_patch(f"{tables}/{{table}}", change_table)
    router.add_post(f"{tables}/{{table}}/fields", create_field)
    router.add_patch(f"{tables}/{{table}}/fields/{{field}}", change_field)


async def whoami(request: web.Request) -> web.Response:
    """`GET /meta/whoami`."""
    owner = owner_of(credential_of(request))
    return answer({"id": owner["id"], "email": owner["email"], "scopes": list(SCOPES)})


async def list_bases(request: web.Request) -> web.Response:
    """`GET /meta/bases`: those that the token opens."""
    state = state_of(request)
    ids = sorted(state.tokens[credential_of(request)])
    bases = [{"id": one, "name": state.bases[one].name, "permissionLevel": "create"} for one in ids]
    return answer({"bases": bases})


async def create_base(request: web.Request) -> web.Response:
    """`POST /meta/bases` `{"name", "workspaceId", "tables"}`: a base that the token opens from now on."""
    state = state_of(request)
    made = bases.create_base(await json_of(request), state.now_ms())
    state.keep_base(made, credential_of(request))
    return answer({"id": made.id, "tables": [table.as_json() for table in made.tables.values()]})


async def show_base(request: web.Request) -> web.Response:
    """`GET /meta/bases/{base}`: the base and, where it is asked for, who works in it."""
    owner = owner_of(credential_of(request))
    return answer(bases.described(base_of(request), owner, set(request.query.getall("include", []))))


async def delete_view(request: web.Request) -> web.Response:
    """`DELETE /meta/bases/{base}/views/{view}`."""
    view_id = request.match_info["view"]
    schema.drop_view(base_of(request), view_id)
    return answer({"id": view_id, "deleted": True})


async def list_tables(request: web.Request) -> web.Response:
    """`GET /meta/bases/{base}/tables`, whole, without paging."""
    visible = any(key.startswith("include") and value == "visibleFieldIds" for key, value in request.query.items())
    tables = base_of(request).tables.values()
    return answer({"tables": [table.as_json(visible_fields=visible) for table in tables]})


async def create_table(request: web.Request) -> web.Response:
    """`POST …/tables`."""
    base = base_of(request)
    return answer(schema.create_table(base, await json_of(request)).as_json())


async def change_table(request: web.Request) -> web.Response:
    """`PATCH …/tables/{table}`: name and description."""
    base, table = table_of(request)
    schema.change_table(base, table, await json_of(request))
    return answer(table.as_json())


async def create_field(request: web.Request) -> web.Response:
    """`POST …/tables/{table}/fields`."""
    base, table = table_of(request)
    return answer(schema.create_field(base, table, await json_of(request)).as_json())


async def change_field(request: web.Request) -> web.Response:
    """`PATCH …/tables/{table}/fields/{field}`: name and description."""
    base, table = table_of(request)
    target = table.find_field(request.match_info["field"])
    if target is None:
        raise errors.not_found()
    schema.change_field(base, table, target, await json_of(request))
    return answer(target.as_json())
