"""Everything the stand-in knows, in memory and in its file: bases, tokens, limits, lists; it speaks no HTTP."""

import hashlib
import json
import string
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

from changeover_sandbox.airtable import errors
from changeover_sandbox.airtable.comments import Comment, Thread
from changeover_sandbox.airtable.computed import Reading
from changeover_sandbox.airtable.ids import instant
from changeover_sandbox.airtable.limits import Limits
from changeover_sandbox.airtable.listing import Cursors
from changeover_sandbox.airtable.model import Base, Field, FreshFile, Record, Table, View
from changeover_sandbox.airtable.payloads import payload
from changeover_sandbox.airtable.storage import Item, Kind, Storage
from changeover_sandbox.airtable.webhooks import Payload, Webhook

_ALPHABET: Final = string.digits + string.ascii_letters


@dataclass(frozen=True, slots=True)
class Account:
    """A token owner and the base that the token opens."""

    base_id: str
    api_key: str
    base_name: str = ""


@dataclass(frozen=True, slots=True)
class Aftermath:
    """What remains to be done once a request is saved: files to fetch, webhooks to notify."""

    files: Sequence[FreshFile]
    hooks: Sequence[Webhook]


@dataclass(slots=True)
class State:
    """All state of one stand-in; `clock` gives seconds after 1970."""

    storage: Storage
    clock: Callable[[], float]
    bases: dict[str, Base]
    tokens: dict[str, set[str]]
    limits: Limits = field(default_factory=Limits)
    cursors: Cursors = field(default_factory=Cursors)
    threads: dict[tuple[str, str], Thread] = field(default_factory=dict)
    webhooks: dict[str, Webhook] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    transactions: int = 0
    _items: list[Item] = field(default_factory=list)
    _gone: list[Item] = field(default_factory=list)

    def now_ms(self) -> int:
        """The clock in milliseconds."""
        return int(self.clock() * 1000)

    def reading(self, base: Base, token: str) -> Reading:
        """A look at a base at this instant."""
        return Reading(base, instant(self.now_ms()), owner_of(token))

    def keep_base(self, base: Base, token: str) -> None:
        """Take in a base that the API made, and let the token into it."""
        self.bases[base.id] = base
        self.tokens[token].add(base.id)
        parts = {"name": base.name, "created": base.created, "workspace": base.workspace, "token": token}
        self._items.append(Item(Kind.BASE, "", base.id, errors.compact(parts)))

    def hooks_of(self, base_id: str) -> list[Webhook]:
        """The living webhooks of a base; those past their seven days are dropped."""
        now = self.now_ms()
        for hook in [one for one in self.webhooks.values() if one.expires <= now]:
            self.drop_hook(hook)
        return [one for one in self.webhooks.values() if one.base_id == base_id]

    def keep_hook(self, hook: Webhook) -> None:
        """Save a webhook with the request."""
        self.webhooks[hook.id] = hook
        self.bases[hook.base_id].watched = True
        self._items.append(Item(Kind.WEBHOOK, hook.base_id, hook.id, errors.compact(asdict(hook))))

    def drop_hook(self, hook: Webhook) -> None:
        """Forget a webhook."""
        self.webhooks.pop(hook.id, None)
        self._gone.append(Item(Kind.WEBHOOK, hook.base_id, hook.id))
        self.bases[hook.base_id].watched = any(one.base_id == hook.base_id for one in self.webhooks.values())

    def thread(self, base: Base, record: Record) -> Thread:
        """The comments of a record."""
        return self.threads.setdefault((base.id, record.id), Thread())

    def comment_count(self, base: Base, record_id: str) -> int:
        """How many comments a record has."""
        thread = self.threads.get((base.id, record_id))
        return len(thread.comments) if thread else 0

    def keep_thread(self, base: Base, record: Record) -> None:
        """Save the comments of a record with the request."""
        thread = self.thread(base, record)
        self._items.append(Item(Kind.COMMENTS, base.id, record.id, errors.compact(thread.dump())))

    def keep_file(self, base_id: str, attachment_id: str, content: bytes) -> None:
        """Save a file's content with the request."""
        self.files[attachment_id] = content
        self._items.append(Item(Kind.FILE, base_id, attachment_id, content))

    def flush(self, token: str) -> Aftermath:
        """Save what the request changed, in one transaction, and collect what follows from it."""
        files: list[FreshFile] = []
        hooks: list[Webhook] = []
        for base in self.bases.values():
            hooks += self._tell_webhooks(base, token)
            files += base.fresh_files
            base.fresh_files = []
            self._collect(base)
        if self._items or self._gone:
            self._items.append(self._meter())
        self.storage.save(self._items, self._gone)
        self._items, self._gone = [], []
        return Aftermath(files, hooks)

    def _tell_webhooks(self, base: Base, token: str) -> list[Webhook]:
        if not (base.changes or base.schema_changes):
            return []
        self.transactions += 1
        now, told = self.now_ms(), []
        for hook in self.hooks_of(base.id):
            body = payload(hook, self.reading(base, token), self.transactions, now)
            if body is not None:
                hook.payloads.append(Payload(now, body))
                self.keep_hook(hook)
                told.append(hook)
        base.changes, base.schema_changes = [], []
        return told

    def _collect(self, base: Base) -> None:
        if base.dirty_schema:
            self._items.append(Item(Kind.SCHEMA, base.id, base.id, errors.compact(dump_schema(base))))
            base.dirty_schema = False
        for table_id, record_id in base.dirty_records:
            table = base.tables.get(table_id)
            record = table.records.get(record_id) if table else None
            if record is None:
                self._gone.append(Item(Kind.RECORD, base.id, record_id))
            else:
                self._items.append(Item(Kind.RECORD, base.id, record_id, dump_record(table_id, record)))
        base.dirty_records.clear()

    def _meter(self) -> Item:
        meter = {"used": self.limits.used, "month": self.limits.month, "transactions": self.transactions}
        return Item(Kind.METER, "", "meter", json.dumps(meter))

    def reset(self) -> None:
        """Empty every base, tables included; tokens and the settings of the limits stay."""
        made = {base.id for base in self.bases.values() if base.created}
        self.bases = {one.id: Base(one.id, one.name) for one in self.bases.values() if one.id not in made}
        for token, base_ids in self.tokens.items():
            self.tokens[token] = base_ids - made
        self.cursors.by_id.clear()
        self.threads.clear()
        self.webhooks.clear()
        self.files.clear()
        self.limits.reset()
        self._items, self._gone = [], []
        self.storage.clear()

    def close(self) -> None:
        """Save the meter and give the file back."""
        self.storage.save([self._meter()], [])
        self.storage.close()


def owner_of(token: str) -> Mapping[str, str]:
    """The person behind a token: made up, but always the same for the same token."""
    number = int.from_bytes(hashlib.sha256(token.encode()).digest()[:16])
    digits = "".join(_ALPHABET[number // 62**place % 62] for place in range(14))
    return {"id": f"usr{digits}", "email": f"{digits[:6].lower()}@example.com", "name": "Sandbox Owner"}


def open_state(folder: Path | None, accounts: Sequence[Account], clock: Callable[[], float]) -> State:
    """The state as the folder has it, or an empty one."""
    bases = {one.base_id: Base(one.base_id, one.base_name or one.base_id) for one in accounts}
    tokens: dict[str, set[str]] = {}
    for one in accounts:
        tokens.setdefault(one.api_key, set()).add(one.base_id)
    state = State(Storage(folder), clock, bases, tokens)
    for item in state.storage.load(Kind.BASE, ""):
        parts = json.loads(item.body)
        bases[item.id] = Base(item.id, parts["name"], created=parts["created"], workspace=parts["workspace"])
        tokens.setdefault(parts["token"], set()).add(item.id)
    for base in bases.values():
        _restore(state, base)
    for item in state.storage.load(Kind.METER, ""):
        meter = json.loads(item.body)
        state.limits.used, state.limits.month = meter["used"], meter["month"]
        state.transactions = meter["transactions"]
    return state


def _restore(state: State, base: Base) -> None:
    for item in state.storage.load(Kind.SCHEMA, base.id):
        base.tables = load_schema(json.loads(item.body))
    records = [load_record(item.id, json.loads(item.body)) for item in state.storage.load(Kind.RECORD, base.id)]
    for table_id, record in sorted(records, key=lambda one: (one[1].place, one[1].created)):
        base.tables[table_id].add(record)
    for table in base.tables.values():
        _renumber(table)
    for item in state.storage.load(Kind.COMMENTS, base.id):
        comments = [Comment(**one) for one in json.loads(item.body)]
        state.threads[base.id, item.id] = Thread(comments)
    for item in state.storage.load(Kind.WEBHOOK, base.id):
        stored = json.loads(item.body)
        payloads = [Payload(**one) for one in stored.pop("payloads")]
        state.webhooks[item.id] = Webhook(**stored, payloads=payloads)
        base.watched = True
    for item in state.storage.load(Kind.FILE, base.id):
        state.files[item.id] = item.body if isinstance(item.body, bytes) else item.body.encode()


def _renumber(table: Table) -> None:
    """Go on with the auto numbers where the records stand."""
    for numbered in [one for one in table.fields.values() if one.type == "autoNumber"]:
        numbers = [record.cells.get(numbered.id) for record in table.records.values()]
        table.next_number = 1 + max((one for one in numbers if isinstance(one, int)), default=0)


def dump_record(table_id: str, record: Record) -> str:
    """A record as it is stored."""
    parts = [table_id, record.created, record.touched, record.modified, record.cells, record.place]
    return errors.compact(parts)


def load_record(record_id: str, stored: list[object]) -> tuple[str, Record]:
    """A stored record with the id of its table; a file of an older sandbox lacks the place."""
    table_id, created, touched, modified, cells, *place = stored
    return str(table_id), Record(record_id, created, cells, modified, touched, *place)  # type: ignore[arg-type]


def dump_schema(base: Base) -> list[dict[str, object]]:
    """A base's tables as they are stored, without records."""
    return [
        {
            "id": table.id,
            "name": table.name,
            "primary_field_id": table.primary_field_id,
            "description": table.description,
            "next_number": table.next_number,
            "date_dependency": table.date_dependency,
            "fields": [asdict(one) for one in table.fields.values()],
            "views": [asdict(view) for view in table.views.values()],
        }
        for table in base.tables.values()
    ]


def load_schema(stored: list[dict[str, object]]) -> dict[str, Table]:
    """Stored tables, by id."""
    tables = {}
    for one in stored:
        fields: list[Field] = [Field(**parts) for parts in one.pop("fields")]  # type: ignore[attr-defined]
        views: list[View] = [View(**parts) for parts in one.pop("views")]  # type: ignore[attr-defined]
        parts = {"fields": {item.id: item for item in fields}, "views": {view.id: view for view in views}}
        table = Table(**one, **parts)  # type: ignore[arg-type]
        tables[table.id] = table
    return tables
