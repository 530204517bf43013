"""How often an address may ask (X-4), counted in memory; it knows no caller but by address, and forgets soon."""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from flask import Flask, Response, request

from changeover.ops import logging
from changeover.web.answers import failure

log = logging.get(__name__)

_MOST_ADDRESSES = 4096
_ONE_CUSTOMER = 64  # bits of an IPv6 address that one customer of a provider has in common


@dataclass(frozen=True, slots=True)
class Rate:
    """So many within so many seconds."""

    most: int
    seconds: float


RATES = {"/api/": Rate(100, 60), "/button/": Rate(30, 60), "/sign-in": Rate(10, 60)}
"""By the beginning of the path (NG-3, NG-4)."""
FAILURES = Rate(10, 600)


class Limits:
    """The counts of one process. `clock` is monotonic, in seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._asked = {path: _Counts(rate) for path, rate in RATES.items()}
        self._failed = _Counts(FAILURES)

    def wait(self, path: str, address: str | None) -> float | None:
        """Seconds until this address may ask for this path; None, and the call is counted, when it may now."""
        counts = next((each for begin, each in self._asked.items() if path.startswith(begin)), None)
        if counts is None or address is None:
            return None
        with self._lock:
            now = self._clock()
            seconds = self._failed.wait(address, now) or counts.wait(address, now)
            if seconds is None:
                counts.add(address, now)
            return seconds

    def failed(self, address: str | None) -> None:
        """Counts a caller who showed nothing, or the wrong thing."""
        if address is not None:
            with self._lock:
                self._failed.add(address, self._clock())


class _Counts:
    """When each address asked lately; of very many addresses the longest silent is forgotten."""

    def __init__(self, rate: Rate) -> None:
        self._rate = rate
        self._times: OrderedDict[str, deque[float]] = OrderedDict()

    def wait(self, address: str, now: float) -> float | None:
        times = self._times.get(address, deque())
        while times and now - times[0] >= self._rate.seconds:
            times.popleft()
        return times[0] + self._rate.seconds - now if len(times) >= self._rate.most else None

    def add(self, address: str, now: float) -> None:
        self._times.setdefault(address, deque(maxlen=self._rate.most)).append(now)
        self._times.move_to_end(address)
        if len(self._times) > _MOST_ADDRESSES:
            self._times.popitem(last=False)


def install(app: Flask, limits: Limits) -> None:
    """Refuses, before anything else is looked at, who asks too often."""

    def check() -> Response | None:
        seconds = limits.wait(request.path, address())
        if seconds is None:
            return None
        log.warning("request.limited", path=request.path)
        answer = failure(429, "rate_limited", "Too many requests from this address; wait a little.")
        answer.headers["Retry-After"] = str(max(1, math.ceil(seconds)))
        return answer

    app.before_request(check)


def address() -> str | None:
    """Whom a request is counted for; None for a direct call from this machine.

    One hop is trusted (NG-10): what the proxy before us says, if it calls from this machine or its own network.
    """
    peer = _parsed(request.remote_addr or "")
    said = _parsed(said_by_proxy("X-Forwarded-For"))
    if said is not None:
        return _grouped(said)
    return None if peer is None or peer.is_loopback else _grouped(peer)


def said_by_proxy(header: str) -> str:
    """The last value of a header that a proxy sets; empty where the caller is none of ours."""
    peer = _parsed(request.remote_addr or "")
    trusted = peer is None or peer.is_private
    return request.headers.get(header, "").rpartition(",")[2].strip() if trusted else ""


def _grouped(found: IPv4Address | IPv6Address) -> str:
    if isinstance(found, IPv6Address):
        return str(IPv6Network((found, _ONE_CUSTOMER), strict=False))
    return str(found)


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    try:
        found = ip_address(text)
    except ValueError:
        return None
    return (found.ipv4_mapped or found) if isinstance(found, IPv6Address) else found
