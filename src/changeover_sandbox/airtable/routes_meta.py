"""The schema API over HTTP (AT-21); what it makes is decided elsewhere."""

from aiohttp import web

from changeover_sandbox.airtable import errors, schema
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
