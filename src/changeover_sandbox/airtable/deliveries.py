"""What the stand-in does after an answer: fetch files that cells name, notify webhooks; no failure reaches a client."""

import asyncio
import json
import mimetypes
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Final

import aiohttp
from aiohttp import web

from changeover_sandbox.airtable.context import STATE
from changeover_sandbox.airtable.ids import iso
from changeover_sandbox.airtable.model import FreshFile
from changeover_sandbox.airtable.state import Aftermath, State
from changeover_sandbox.airtable.webhooks import Webhook

TIMEOUT: Final = aiohttp.ClientTimeout(total=10)
RETRY_AFTER: Final = (1.0, 4.0, 16.0)


@dataclass(slots=True)
class Deliveries:
    """The tasks under way."""

    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def start(self, work: Coroutine[object, object, None]) -> None:
        """Run beside the requests."""
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def stop(self) -> None:
        """Give up what is under way."""
        tasks = list(self.tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


DELIVERIES: Final = web.AppKey("deliveries", Deliveries)


def begin(app: web.Application, aftermath: Aftermath) -> None:
    """Start what follows from a saved request."""
    state, running = app[STATE], app[DELIVERIES]
    for file in aftermath.files:
        running.start(fetch(state, file))
    for hook in aftermath.hooks:
        if hook.notifies and hook.url:
            running.start(notify(state, hook, hook.url))


async def fetch(state: State, file: FreshFile) -> None:
    """Fetch a file into its cell; a failure takes it out of the cell (airtable.md §2.3)."""
    held = _cell(state, file)
    item = next((one for one in held if one["id"] == file.attachment_id), None)
    if item is None:
        return
    try:
        async with aiohttp.ClientSession(timeout=TIMEOUT) as session, session.get(str(item["source"])) as response:
            response.raise_for_status()
            content = await response.read()
            kind = response.content_type
    except (aiohttp.ClientError, TimeoutError, ValueError):
        keep_file(state, file, None, "")
        return
    keep_file(state, file, content, kind or mimetypes.guess_type(str(item["filename"]))[0] or "")


def _cell(state: State, file: FreshFile) -> list[dict[str, object]]:
    table = state.bases[file.base_id].tables.get(file.table_id)
    record = table.records.get(file.record_id) if table else None
    cell = record.cells.get(file.field_id) if record else None
    return cell if isinstance(cell, list) else []


def keep_file(state: State, file: FreshFile, content: bytes | None, kind: str) -> None:
    """Complete the attachment, or drop it when there is no content, and save."""
    base, held = state.bases[file.base_id], _cell(state, file)
    if not held:
        return
    kept = [one for one in held if content is not None or one["id"] != file.attachment_id]
    if content is not None:
        size = {"size": len(content), "type": kind}
        kept = [one | size if one["id"] == file.attachment_id else one for one in kept]
        state.keep_file(base.id, file.attachment_id, content)
    record = base.tables[file.table_id].records[file.record_id]
    record.cells[file.field_id] = kept
    if not kept:
        del record.cells[file.field_id]
    base.touch(base.tables[file.table_id], [file.record_id])
    state.flush("")


async def notify(state: State, hook: Webhook, url: str) -> None:
    """Post the notification, signed; repeat it after growing pauses until the receiver accepts it."""
    body = json.dumps(
        {"base": {"id": hook.base_id}, "webhook": {"id": hook.id}, "timestamp": iso(state.now_ms())}
    ).encode("ascii")
    headers = {"Content-Type": "application/json", "X-Airtable-Content-MAC": hook.signature(body)}
    for number, pause in enumerate((*RETRY_AFTER, None)):
        failure = await _post(url, body, headers)
        _note(state, hook, number, failure, will_repeat=pause is not None and failure is not None)
        if failure is None or pause is None:
            return
        await asyncio.sleep(pause)


async def _post(url: str, body: bytes, headers: dict[str, str]) -> str | None:
    """None when the receiver accepted it, else what went wrong."""
    try:
        async with (
            aiohttp.ClientSession(timeout=TIMEOUT) as session,
            session.post(url, data=body, headers=headers) as response,
        ):
            return None if response.ok else f"The receiver answered {response.status}"
    except (aiohttp.ClientError, TimeoutError, ValueError) as exc:
        return f"The receiver could not be reached: {type(exc).__name__}"


def _note(state: State, hook: Webhook, number: int, failure: str | None, *, will_repeat: bool) -> None:
    now = state.now_ms()
    hook.last_result = {
        "success": failure is None,
        "completionTimestamp": iso(now),
        "durationMs": 1.0,
        "retryNumber": number,
    }
    if failure is None:
        hook.last_success = now
    else:
        hook.last_result |= {"error": {"message": failure}, "willBeRetried": will_repeat}
    if hook.id in state.webhooks:
        state.keep_hook(hook)
        state.flush("")
