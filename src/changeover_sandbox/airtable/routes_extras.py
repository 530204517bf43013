"""Comments, attachments and webhooks over HTTP (AT-22); what they hold is decided elsewhere."""

import base64
import binascii
from collections.abc import Mapping

from aiohttp import web

from changeover_sandbox.airtable import errors, webhooks
from changeover_sandbox.airtable.context import (
    answer,
    base_of,
    json_of,
    object_of,
    origin_of,
    record_of,
    state_of,
    table_of,
)
from changeover_sandbox.airtable.ids import iso, new_id
from changeover_sandbox.airtable.model import Base, Change, ChangeKind, Field, Record, Table
from changeover_sandbox.airtable.parameters import flag
from changeover_sandbox.airtable.render import FILES_PATH, URL_LIFE, file_json
from changeover_sandbox.airtable.state import owner_of
from changeover_sandbox.airtable.webhooks import Webhook
from changeover_sandbox.control import credential_of

MAX_UPLOAD = 5 * 1024 * 1024
COMMENTS_PER_PAGE = 100


def add_routes(router: web.UrlDispatcher) -> None:
    """Serve what is neither records nor schema."""
    comments = "/v0/{base:app[^/]*}/{table}/{record:rec[^/]*}/comments"
    router.add_get(comments, list_comments)
    router.add_post(comments, add_comment)
    router.add_patch(f"{comments}/{{comment}}", edit_comment)
    router.add_delete(f"{comments}/{{comment}}", delete_comment)
    router.add_post("/v0/{base:app[^/]*}/{record:rec[^/]*}/{field}/uploadAttachment", upload)
    router.add_get(f"{FILES_PATH}/{{expires:[0-9]+}}/{{attachment}}/{{name}}", download)
    hooks = "/v0/bases/{base}/webhooks"
    router.add_get(hooks, list_webhooks)
    router.add_post(hooks, create_webhook)
    router.add_delete(f"{hooks}/{{webhook}}", delete_webhook)
    router.add_post(f"{hooks}/{{webhook}}/refresh", refresh_webhook)
    router.add_post(f"{hooks}/{{webhook}}/enableNotifications", enable_notifications)
    router.add_get(f"{hooks}/{{webhook}}/payloads", list_payloads)


async def list_comments(request: web.Request) -> web.Response:
    """The comments of a record, newest first: `?pageSize&offset`."""
    base, table = table_of(request)
    size = request.query.get("pageSize", str(COMMENTS_PER_PAGE))
    if not set(request.query) <= {"pageSize", "offset"} or not (
        size.isdecimal() and 1 <= int(size) <= COMMENTS_PER_PAGE
    ):
        raise errors.invalid_request()
    thread = state_of(request).thread(base, record_of(request, table))
    comments, offset = thread.page(request.query.get("offset", ""), int(size))
    return answer({"comments": [one.as_json() for one in comments], "offset": offset})


async def add_comment(request: web.Request) -> web.Response:
    """A new comment by the token's owner."""
    base, table = table_of(request)
    state, record = state_of(request), record_of(request, table)
    author = owner_of(credential_of(request))
    comment = state.thread(base, record).add(await json_of(request), author, state.now_ms())
    state.keep_thread(base, record)
    return answer(comment.as_json())


async def edit_comment(request: web.Request) -> web.Response:
    """Another text for a comment."""
    base, table = table_of(request)
    state, record = state_of(request), record_of(request, table)
    body = await json_of(request)
    comment = state.thread(base, record).edit(request.match_info["comment"], body, state.now_ms())
    state.keep_thread(base, record)
    return answer(comment.as_json())


async def delete_comment(request: web.Request) -> web.Response:
    """A comment goes."""
    base, table = table_of(request)
    state, record = state_of(request), record_of(request, table)
    state.thread(base, record).remove(request.match_info["comment"])
    state.keep_thread(base, record)
    return answer({"id": request.match_info["comment"], "deleted": True})


def _place(request: web.Request, base: Base) -> tuple[Table, Record, Field]:
    """The cell of an upload: its path names the record but not the table."""
    record_id = request.match_info["record"]
    for table in base.tables.values():
        if record_id in table.records:
            target = table.find_field(request.match_info["field"])
            if target is None:
                raise errors.unknown_field(request.match_info["field"])
            if target.type != "multipleAttachments":
                raise errors.invalid_value(target.name)
            return table, table.records[record_id], target
    raise errors.not_found()


async def upload(request: web.Request) -> web.Response:
    """`{"contentType", "filename", "file": base64}` adds a file of at most 5 MB to a cell."""
    base = base_of(request)
    table, record, target = _place(request, base)
    kind, filename, content = _uploaded(await object_of(request))
    state = state_of(request)
    item = {
        "id": new_id("att"),
        "source": f"{origin_of(request)}{FILES_PATH}",
        "filename": filename,
        "size": len(content),
        "type": kind,
    }
    held = record.cells.get(target.id)
    kept = [*(held if isinstance(held, list) else []), item]
    record.cells[target.id] = kept
    record.touched = record.modified[target.id] = state.now_ms()
    base.report(Change(ChangeKind.UPDATED, table.id, record.id, (target.id,), {target.id: held} if held else {}))
    base.touch(table, [record.id])
    state.keep_file(base.id, str(item["id"]), content)
    expires = state.now_ms() + int(URL_LIFE.total_seconds() * 1000)
    shown = [file_json(one, origin_of(request), expires) for one in kept]
    return answer({"id": record.id, "createdTime": iso(record.created), "fields": {target.id: shown}})


def _uploaded(body: Mapping[str, object]) -> tuple[str, str, bytes]:
    kind, filename, encoded = (body.get(name) for name in ("contentType", "filename", "file"))
    if not (isinstance(kind, str) and isinstance(filename, str) and isinstance(encoded, str)):
        raise errors.invalid_request()
    try:
        content = base64.b64decode("".join(encoded.split()), validate=True)
    except binascii.Error as exc:
        raise errors.invalid_request() from exc
    if len(content) > MAX_UPLOAD:
        raise errors.attachment_too_large()
    return kind, filename, content


async def download(request: web.Request) -> web.Response:
    """The content of an attachment, to anyone who has its URL, until it is two hours old."""
    state = state_of(request)
    content = state.files.get(request.match_info["attachment"])
    if content is None or int(request.match_info["expires"]) < state.now_ms():
        return web.Response(status=410)
    return web.Response(body=content, content_type="application/octet-stream")


def _hook(request: web.Request) -> Webhook:
    base = base_of(request)
    for hook in state_of(request).hooks_of(base.id):
        if hook.id == request.match_info["webhook"]:
            return hook
    raise errors.not_found()


async def list_webhooks(request: web.Request) -> web.Response:
    """The webhooks of a base."""
    hooks = state_of(request).hooks_of(base_of(request).id)
    return answer({"webhooks": [hook.as_json() for hook in hooks]})


async def create_webhook(request: web.Request) -> web.Response:
    """A new webhook; its secret is told only here."""
    base, state = base_of(request), state_of(request)
    body = await json_of(request)
    hook = webhooks.create(base.id, body, len(state.hooks_of(base.id)), state.now_ms())
    state.keep_hook(hook)
    return answer({"id": hook.id, "macSecretBase64": hook.secret, "expirationTime": iso(hook.expires)})


async def delete_webhook(request: web.Request) -> web.Response:
    """A webhook goes."""
    state_of(request).drop_hook(_hook(request))
    return web.Response(status=200)


async def refresh_webhook(request: web.Request) -> web.Response:
    """Seven more days."""
    hook, state = _hook(request), state_of(request)
    expires = webhooks.refresh(hook, state.now_ms())
    state.keep_hook(hook)
    return answer({"expirationTime": expires})


async def enable_notifications(request: web.Request) -> web.Response:
    """`{"enable": true|false}`."""
    hook = _hook(request)
    hook.notifies = flag((await object_of(request)).get("enable"))
    state_of(request).keep_hook(hook)
    return web.Response(status=200)


async def list_payloads(request: web.Request) -> web.Response:
    """`?cursor&limit`: at most 50 payloads a call."""
    hook = _hook(request)
    try:
        cursor = int(request.query.get("cursor", "1"))
        limit = min(int(request.query.get("limit", webhooks.PER_CALL)), webhooks.PER_CALL)
    except ValueError as exc:
        raise errors.invalid_request() from exc
    if limit < 1:
        raise errors.invalid_request()
    return answer(hook.page(cursor, limit, state_of(request).now_ms()))
