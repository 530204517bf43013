"""Speaks with one base through pyairtable: paced, metered, retried by our rules, answers checked; no cell logic."""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, auto
from typing import Final, Generic, TypeVar

import pyairtable
import requests
from pyairtable.formulas import OR, RECORD_ID, Formula, to_formula_str
from urllib3.exceptions import MaxRetryError, NewConnectionError

from changeover.airtable import answers
from changeover.airtable.errors import (
    AirtableError,
    Ambiguous,
    Answer,
    BillingBlocked,
    Halted,
    Json,
    LeftAlone,
    OffsetExpired,
    RateLimited,
    Unavailable,
    read,
)
from changeover.store.circuit import CircuitOpen
from changeover.store.gate import Blocked, Gate, Purpose
from changeover.store.mirror import Fields, Record

T = TypeVar("T")

BATCH: Final = 10  # records a writing request may hold
FORMULA_LIMIT: Final = 12_000  # characters (AT-26)
_RESTARTS: Final = 3  # of a listing whose offset expired (AT-17)


@dataclass(frozen=True, slots=True)
class Tries:
    """How often a request is made and how long is waited in between, in seconds (AT-25, AT-50)."""

    waits: tuple[float, ...] = (1, 2, 4, 8)
    jitter: float = 0.5
    rate_limits: int = 3
    timeout: tuple[int, int] = (5, 30)


@dataclass(frozen=True, slots=True)
class Reading:
    """A whole listing, each record once, and the base's clock at its first page."""

    records: tuple[Record, ...]
    at: datetime | None


class _Kind(Enum):
    READ = auto()
    REPEATABLE = auto()  # a write that changes nothing when made again
    CREATE = auto()  # a write that must not be repeated blindly (AT-48)

    @property
    def writes(self) -> bool:
        return self is not _Kind.READ


@dataclass(frozen=True, slots=True)
class _Call(Generic[T]):
    """One request and how its answer is understood; `accept` raises Unavailable for a wrong shape (AT-27)."""

    method: str
    url: str
    purpose: Purpose
    kind: _Kind
    accept: Callable[[Answer], T]
    options: Mapping[str, object] = field(default_factory=dict)
    json: Mapping[str, object] | None = None
    fallback: tuple[str, str] | None = None
    meta: bool = False


class _Api(pyairtable.Api):
    """pyairtable's building of requests; answers are read by `errors.read`, which keeps headers and plural errors."""

    def _process_response(self, response: requests.Response) -> Answer:
        return read(response)


class AirtableClient:
    """One base with one key. `guard` is called before every writing request and raises to forbid it (AT-29).

    All methods raise the types of `errors`; waiting happens inside (gate, retries). Not to be called inside a
    transaction of the state database: the gate needs one of its own. One client may serve several threads.
    """

    def __init__(
        self,
        base_id: str,
        api_key: str,
        endpoint_url: str,
        gate: Gate,
        *,
        guard: Callable[[], None] = lambda: None,
        tries: Tries = Tries(),
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.base_id = base_id
        self.gate = gate
        self._guard, self._tries, self._sleep = guard, tries, sleep
        self._endpoint = endpoint_url.rstrip("/").removesuffix("/v0")
        self._api = _Api(api_key, timeout=tries.timeout, retry_strategy=None, endpoint_url=self._endpoint)
        self._api.session.max_redirects = 0  # a redirect is a page to sign in, never an answer
        self._key_hash = hashlib.sha256(api_key.encode()).hexdigest()

    def __repr__(self) -> str:
        return f"<AirtableClient {self.base_id}>"

    def fingerprint(self, version: str) -> str:
        """What a verification is valid for: endpoint, base, key and program version (AT-12); shows none of them."""
        text = "\n".join((self._endpoint, self.base_id, self._key_hash, version))
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    # -- records -----------------------------------------------------------------------------------------------------

    def read(
        self,
        table: str,
        purpose: Purpose,
        *,
        formula: Formula | None = None,
        fields: Sequence[str] | None = None,
    ) -> Reading:
        """All records that pass, page by page; a listing whose offset expires starts again (AT-17)."""
        options: dict[str, object] = {"page_size": 100}
        if formula is not None:
            options["formula"] = to_formula_str(formula)
        if fields is not None:
            options["fields"] = list(fields)
        for _ in range(_RESTARTS):
            try:
                return self._pages(table, purpose, options)
            except OffsetExpired:
                continue
        raise Unavailable("offset_expired")

    def read_any(
        self, table: str, conditions: Iterable[Formula], purpose: Purpose, *, fields: Sequence[str] | None = None
    ) -> dict[str, Record]:
        """The records that pass any of these conditions, by id; a call for each 12,000 characters of them (AT-26)."""
        found: dict[str, Record] = {}
        for part in _up_to(FORMULA_LIMIT, conditions):
            reading = self.read(table, purpose, formula=OR(part), fields=fields)
            found.update({each.id: each for each in reading.records})
        return found

    def read_ids(
        self, table: str, record_ids: Iterable[str], purpose: Purpose, *, fields: Sequence[str] | None = None
    ) -> dict[str, Record]:
        """The records of these ids that exist, by id."""
        return self.read_any(table, (RECORD_ID().eq(each) for each in record_ids), purpose, fields=fields)

    def get(self, table: str, record_id: str, purpose: Purpose) -> Record:
        """One record by id; NotFound when there is none."""
        url = self._table(table).urls.record(record_id)
        return self._send(_Call("GET", url, purpose, _Kind.READ, lambda answer: answers.record(answer.body)))

    def create(self, table: str, rows: Sequence[Fields], purpose: Purpose) -> list[Record]:
        """Makes up to ten rows, answered in order. Ambiguous when nobody knows whether they were made (AT-48)."""
        return self._make(table, rows, purpose, typecast=False)

    def add_options(self, table: str, fields: Fields, purpose: Purpose) -> Record:
        """Makes a row with typecast, which adds the options it names: `init --add-options` alone does this (AT-8)."""
        return self._make(table, [fields], purpose, typecast=True)[0]

    def update(self, table: str, rows: Sequence[tuple[str, Fields]], purpose: Purpose) -> list[Record]:
        """Sets the given fields of up to ten rows, answered in order; the other fields stay."""
        body = {"records": [{"id": key, "fields": dict(fields)} for key, fields in rows], "typecast": False}
        accept = answers.of_ids([key for key, _ in rows])
        return self._send(_Call("PATCH", self._table(table).urls.records, purpose, _Kind.REPEATABLE, accept, json=body))

    def delete(self, table: str, record_id: str, purpose: Purpose) -> None:
        """Deletes the temporary row of `add_options`; nothing else is ever deleted."""
        url = self._table(table).urls.record(record_id)
        self._send(_Call("DELETE", url, purpose, _Kind.REPEATABLE, lambda _: None))

    # -- the schema --------------------------------------------------------------------------------------------------

    def meta_tables(self) -> list[Mapping[str, Json]]:
        """The base's tables as `GET /meta/bases/{base}/tables` gives them."""
        return self._send(self._meta("GET", "tables", lambda answer: answers.objects(answer.body.get("tables"))))

    def create_table(self, body: Mapping[str, object]) -> Mapping[str, Json]:
        """Makes a table; answers it with its id."""
        return self._send(self._meta("POST", "tables", answers.with_id, body))

    def create_field(self, table_id: str, body: Mapping[str, object]) -> Mapping[str, Json]:
        """Makes a field; answers it with its id."""
        return self._send(self._meta("POST", f"tables/{table_id}/fields", answers.with_id, body))

    def _meta(
        self, method: str, path: str, accept: Callable[[Answer], T], body: Mapping[str, object] | None = None
    ) -> _Call[T]:
        url = self._api.build_url("meta", "bases", self.base_id, *path.split("/"))
        kind = _Kind.READ if body is None else _Kind.CREATE
        return _Call(method, url, Purpose.CHECK, kind, accept, json=body, meta=True)

    # -- sending -----------------------------------------------------------------------------------------------------

    def _make(self, table: str, rows: Sequence[Fields], purpose: Purpose, *, typecast: bool) -> list[Record]:
        body = {"records": [{"fields": dict(row)} for row in rows], "typecast": typecast}
        accept = answers.as_many_as(len(rows))
        return self._send(_Call("POST", self._table(table).urls.records, purpose, _Kind.CREATE, accept, json=body))

    def _table(self, name: str) -> pyairtable.Table:
        return self._api.table(self.base_id, name)

    def _pages(self, table: str, purpose: Purpose, options: Mapping[str, object]) -> Reading:
        urls = self._table(table).urls
        found: dict[str, Record] = {}  # rows changed while paging may come twice: the later one counts
        first: datetime | None = None
        offset: str | None = None
        while True:
            more = {} if offset is None else {"offset": offset}
            answer = self._send(
                _Call(
                    "GET",
                    urls.records,
                    purpose,
                    _Kind.READ,
                    answers.page,
                    options={**options, **more},
                    fallback=("POST", urls.records_post),
                )
            )
            first = answer.at if offset is None else first
            found.update({each.id: each for each in answer.records})
            if answer.offset is None:
                return Reading(tuple(found.values()), first)
            offset = answer.offset

    def _send(self, call: _Call[T]) -> T:
        """Sends until answered: 3 rate refusals, or the tries of AT-25 for what may be repeated."""
        limited = 0
        waits = iter(self._tries.waits)
        while True:
            try:
                return self._once(call)
            except RateLimited as error:
                self.gate.pause(error.after)
                limited += 1
                if limited >= self._tries.rate_limits:
                    raise
            except LeftAlone:
                raise
            except Unavailable as error:
                wait = next(waits, None)
                if wait is None:
                    raise
                self._sleep(max(wait, error.after) + random.uniform(0, self._tries.jitter))  # noqa: S311

    def _once(self, call: _Call[T]) -> T:
        try:
            ticket = self.gate.admit(call.purpose, meta=call.meta)
        except Blocked as error:
            raise BillingBlocked("PUBLIC_API_BILLING_LIMIT_EXCEEDED") from error
        except CircuitOpen as error:
            raise LeftAlone("left_alone", after=error.after) from None
        if call.kind.writes:
            self._ask_guard()
        try:
            result = call.accept(self._request(call))
        except BillingBlocked:
            self.gate.block()
            raise
        except Unavailable as error:
            if call.kind is _Kind.CREATE and error.code != _NOT_SENT:
                raise Ambiguous(error.code, status=error.status, after=error.after) from None
            raise
        finally:
            self.gate.answered(ticket)
        if ticket.probes:
            self.gate.unblock()
        return result

    def _request(self, call: _Call[T]) -> Answer:
        """One request on the wire. What requests says of a failure holds the URL, so it is not passed on (AT-28)."""
        try:
            answer: Answer = self._api.request(
                call.method,
                call.url,
                fallback=call.fallback,
                options=dict(call.options),
                json=None if call.json is None else dict(call.json),
            )
        except requests.RequestException as fault:
            self.gate.circuit.heard(None)
            raise Unavailable(_transport_code(fault)) from None
        except AirtableError as error:
            self.gate.circuit.heard(error.status)
            raise
        self.gate.circuit.heard(requests.codes.ok)
        return answer

    def _ask_guard(self) -> None:
        try:
            self._guard()
        except AirtableError:
            raise
        except Exception as refusal:  # whatever it is, the request must not go out
            raise Halted("halted") from refusal


_NOT_SENT: Final = "no_connection"


def _transport_code(fault: requests.RequestException) -> str:
    """`no_connection` only where the request cannot have left this machine."""
    if isinstance(fault, requests.ConnectTimeout):
        return _NOT_SENT
    reason = fault.args[0] if fault.args else None
    if isinstance(reason, MaxRetryError) and isinstance(reason.reason, NewConnectionError):
        return _NOT_SENT
    return "timeout" if isinstance(fault, requests.Timeout) else "connection_lost"


def _up_to(limit: int, conditions: Iterable[Formula]) -> Iterator[list[Formula]]:
    """The conditions in groups whose text, joined, stays within the limit; each group has at least one."""
    group: list[Formula] = []
    length = len("OR()")
    for condition in conditions:
        more = len(to_formula_str(condition)) + len(", ")
        if group and length + more > limit:
            yield group
            group, length = [], len("OR()")
        group.append(condition)
        length += more
    if group:
        yield group
