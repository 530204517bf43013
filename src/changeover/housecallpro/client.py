"""Sends requests to one Housecall Pro company: paced, counted, retried by our rules; it knows no job and no rule."""

from __future__ import annotations

import math
import random
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from typing import Final, TypeAlias, TypeVar

import requests
from urllib3.exceptions import MaxRetryError, NewConnectionError

from changeover.housecallpro.errors import (
    Ambiguous,
    BadPayload,
    Gone,
    Halted,
    HcpError,
    Json,
    LeftAlone,
    NotFound,
    RateLimited,
    Server,
    Transport,
    Validation,
    read,
)
from changeover.settings.model import is_loopback
from changeover.store.circuit import CircuitOpen
from changeover.store.hcp_gate import HcpGate, NoRoom, Purpose

Object: TypeAlias = Mapping[str, Json]
T = TypeVar("T")
Query: TypeAlias = Sequence[tuple[str, str]]

PAGE_SIZE: Final = 200
PAGES: Final = 500
_ID: Final = re.compile(r"[a-z]+_[0-9A-Za-z]{1,64}")


@dataclass(frozen=True, slots=True)
class Tries:
    """How often a call is made and how long is waited in between, in seconds (HC-21, HC-35, HC-93)."""

    number: int = 5
    waits: tuple[float, ...] = (0.5, 1, 2, 4)
    rate_waits: tuple[float, ...] = (2, 4, 8, 16)
    jitter: float = 0.1  # of the wait
    timeout: tuple[float, float] = (5, 30)


@dataclass(slots=True)
class Numbers:
    """What was sent so far, for the run's numbers (HC-96): calls, refusals by rate, and repeats."""

    calls: int = 0
    rate_limited: int = 0
    repeated: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def add(self, *, calls: int = 0, rate_limited: int = 0, repeated: int = 0) -> None:
        with self._lock:
            self.calls += calls
            self.rate_limited += rate_limited
            self.repeated += repeated


@dataclass(frozen=True, slots=True)
class Wiring:
    """What a client works with, apart from its key. `guard` is called before every write and raises to forbid it.

    `clock` gives epoch seconds, `monotonic` seconds of a clock that nobody sets, `sleep` may raise to end a wait early.
    """

    gate: HcpGate
    guard: Callable[[], None] = lambda: None
    tries: Tries = Tries()
    clock: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


@dataclass(frozen=True, slots=True)
class _Call:
    method: str
    path: str
    query: Query = ()
    body: Object | None = None
    empty: bool = False  # an answer without content is one

    @property
    def writes(self) -> bool:
        return self.method != "GET"

    @property
    def repeatable(self) -> bool:
        return self.method != "POST"


class HousecallPro:
    """One company with one key. All methods raise the types of `errors`; waiting happens inside (gate, retries).

    Not to be called inside a transaction of the state database. One client may serve several threads.
    """

    def __init__(self, base_url: str, api_key: str, wiring: Wiring, *, purpose: Purpose = Purpose.CHECK) -> None:
        if not (base_url.startswith("https://") or is_loopback(base_url)):
            raise ValueError("HCP_BASE_URL must be an https:// address (HC-90)")
        self.numbers = Numbers()
        self.wiring, self.purpose = wiring, purpose
        self._base = base_url.rstrip("/")
        self._session = _session(api_key)
        self._until = math.inf

    def __repr__(self) -> str:
        return f"<HousecallPro {self.purpose}>"

    def under(self, purpose: Purpose, seconds: float = math.inf) -> HousecallPro:
        """The same client for a purpose (HC-32), whose calls all together must end within so many seconds from now."""
        other = copy(self)
        other.purpose, other._until = purpose, self.wiring.monotonic() + seconds
        return other

    # -- verbs -------------------------------------------------------------------------------------------------------

    def get(self, path: str, query: Query = ()) -> Object:
        """A GET that answers one object; repeated as HC-93 says."""
        return _object(self._send(_Call("GET", path, query)))

    def put(self, path: str, body: Object) -> Object:
        """A PUT, which changes nothing when made again."""
        return _object(self._send(_Call("PUT", path, body=body)))

    def post(self, path: str, body: Object, accept: Callable[[Object], T], *, empty: bool = False) -> T:
        """A POST, repeated only after a 429. Raises Ambiguous where nobody knows whether it was applied (HC-37).

        `accept` makes something of the answer and raises BadPayload if it cannot: then too nobody knows.
        """
        answer = self._send(_Call("POST", path, body=body, empty=empty))
        try:
            return accept(_object(answer, empty=empty))
        except BadPayload:
            raise Ambiguous from None

    def delete(self, path: str) -> Object:
        """A DELETE. What is gone when it is made again was deleted by it (HC-93)."""
        return _object(self._send(_Call("DELETE", path, empty=True)), empty=True)

    def pages(self, path: str, plural: str, query: Query = (), *, size: int = PAGE_SIZE) -> Iterator[list[Object]]:
        """The pages of a list, each item once by its id (HC-16 … HC-19); end it early by not asking for more.

        Raises BadPayload for what is no page, and after 500 pages: a cut list is never taken for a whole one.
        """
        seen: set[str] = set()
        for number in range(1, PAGES + 1):
            asked = [*query, ("page", str(number)), ("page_size", str(min(size, PAGE_SIZE)))]
            answer = self.get(path, asked)
            items, last = _page(answer, plural)
            fresh = [item for item in items if str(item.get("id")) not in seen]
            seen.update(str(item.get("id")) for item in fresh)
            yield fresh
            if number >= last or not items:
                return
        raise BadPayload("The list has no end.")

    # -- sending -----------------------------------------------------------------------------------------------------

    def _send(self, call: _Call) -> Json:
        """Sends until answered, at most five times and not beyond the deadline (HC-35, HC-93)."""
        tries = self.wiring.tries
        for attempt in range(tries.number):
            last = attempt + 1 >= tries.number
            try:
                return self._once(call)
            except RateLimited as error:
                if error.status is None or not self._pause(error, attempt, last=last):
                    raise
            except LeftAlone:
                raise
            except (Server, Transport) as error:
                wait = _jittered(max(tries.waits[min(attempt, len(tries.waits) - 1)], error.after), tries.jitter)
                if last or not call.repeatable or wait > self._left():
                    raise
                self.wiring.sleep(wait)
            except (NotFound, Gone):
                if call.method == "DELETE" and attempt > 0:
                    return None
                raise
            self.numbers.add(repeated=1)
        raise AssertionError("the last try returns or raises")  # pragma: no cover

    def _pause(self, error: RateLimited, attempt: int, *, last: bool) -> bool:
        """Makes all callers of the key wait as long as was asked; False when this one has to give up."""
        tries = self.wiring.tries
        wait = error.after or tries.rate_waits[min(attempt, len(tries.rate_waits) - 1)]
        wait = _jittered(wait, tries.jitter)
        self.numbers.add(rate_limited=1)
        self.wiring.gate.pause(wait)
        error.after = wait
        return not last and wait <= self._left()

    def _once(self, call: _Call) -> Json:
        try:
            self.wiring.gate.admit(self.purpose, patience=self._left())
        except NoRoom as refused:
            raise RateLimited(after=refused.after) from None
        except CircuitOpen as left:
            raise LeftAlone(after=left.after, sent=False) from None
        if call.writes:
            self._ask_guard()
        self.numbers.add(calls=1)
        try:
            return read(self._request(call), self.wiring.clock(), empty=call.empty)
        except (Server, BadPayload) as error:
            if call.repeatable:
                raise
            raise Ambiguous(status=error.status) from None
        except Transport as error:
            if call.repeatable or not error.sent:
                raise
            raise Ambiguous from None

    def _request(self, call: _Call) -> requests.Response:
        """One request on the wire. What requests says of a failure holds the URL, so it is not passed on (HC-91)."""
        connect, answer = self.wiring.tries.timeout
        left = max(self._left(), _LEAST_TIMEOUT)
        try:
            response = self._session.request(
                call.method,
                f"{self._base}{call.path}",
                params=list(call.query),
                json=None if call.body is None else dict(call.body),
                timeout=(min(connect, left), min(answer, left)),
                allow_redirects=False,
            )
        except requests.RequestException as fault:
            self.wiring.gate.circuit.heard(None)
            raise Transport(sent=_was_sent(fault)) from None
        self.wiring.gate.circuit.heard(response.status_code)
        return response

    def _left(self) -> float:
        return max(0.0, self._until - self.wiring.monotonic())

    def _ask_guard(self) -> None:
        try:
            self.wiring.guard()
        except HcpError:
            raise
        except Exception as refusal:  # whatever it is, the call must not go out
            raise Halted from refusal


_LEAST_TIMEOUT: Final = 0.1


def checked_id(text: str) -> str:
    """An id as part of a path. Raises Validation for one that cannot be an id, before any call (HC-95)."""
    if not _ID.fullmatch(text):
        raise Validation("This is no id of Housecall Pro.")
    return text


def _session(api_key: str) -> requests.Session:
    session = requests.Session()
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.headers["Accept"] = "application/json"
    session.auth = _Key(api_key)
    return session


class _Key(requests.auth.AuthBase):
    """Signs requests (HC-2, HC-116). As an auth object, so that no netrc file ever takes its place."""

    def __init__(self, api_key: str) -> None:
        scheme, _, rest = api_key.partition(" ")
        self._header = api_key if rest and scheme in ("Token", "Bearer") else f"Token {api_key}"

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = self._header
        return request


def _was_sent(fault: requests.RequestException) -> bool:
    reason = fault.args[0] if fault.args else None
    refused = isinstance(reason, MaxRetryError) and isinstance(reason.reason, NewConnectionError)
    return not (refused or isinstance(fault, requests.ConnectTimeout))


def _jittered(seconds: float, share: float) -> float:
    return seconds * (1 + random.uniform(0, share))  # noqa: S311


def _object(answer: Json, *, empty: bool = False) -> Object:
    if answer is None and empty:
        return {}
    if not isinstance(answer, dict):
        raise BadPayload("The answer is no object.")
    return answer


def _page(answer: Object, plural: str) -> tuple[list[Object], int]:
    items, last = answer.get(plural), answer.get("total_pages")
    if not isinstance(items, list) or isinstance(last, bool) or not isinstance(last, int | float):
        raise BadPayload("The answer is no page of a list.")
    return [_object(item) for item in items], int(last)
