"""What a status, a header and a redirect mean (P-10, P-11)."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime

import aiohttp
import pytest
from aiohttp.client_reqrep import ConnectionKey
from yarl import URL

from changeover.sources.ics.fetch import (
    FetchFailed,
    Retriable,
    Validators,
    failure_of_error,
    failure_of_status,
    next_hop,
    same_host,
)
from changeover.sources.ics.guard import Refused

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 599])
def test_a_fault_that_may_pass_is_tried_again(status: int) -> None:
    failure = failure_of_status(status, {})
    assert isinstance(failure, Retriable)
    assert (failure.cause, failure.after) == (f"HTTP {status}", None)


@pytest.mark.parametrize("status", [204, 206, 304, 400, 401, 403, 404, 410])
def test_a_fault_that_a_person_must_mend_is_not(status: int) -> None:
    failure = failure_of_status(status, {"Retry-After": "1"})
    assert not isinstance(failure, Retriable)
    assert failure.cause == f"HTTP {status}"


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        (" 0 ", 0.0),
        ("Sun, 01 Nov 2026 12:00:20 GMT", 20.0),
        ("Sun, 01 Nov 2026 12:00:20 -0000", 20.0),
        ("Sun, 01 Nov 2026 11:00:00 GMT", 0.0),
        ("soon", None),
        ("", None),
    ],
)
def test_retry_after_is_a_number_or_a_date(header: str, seconds: float | None) -> None:
    failure = failure_of_status(429, {"Retry-After": header}, NOW)
    assert isinstance(failure, Retriable)
    assert failure.after == seconds


def test_https_never_falls_to_http() -> None:
    with pytest.raises(Refused, match="redirect from https to http"):
        next_hop(URL("https://calendar.example/a"), "http://calendar.example/a")
    assert next_hop(URL("http://calendar.example/a"), "https://calendar.example/b#c").scheme == "https"


def test_a_redirect_brings_no_credentials_of_its_own() -> None:
    assert str(next_hop(URL("https://a.example/x"), "https://u:p@b.example/y")) == "https://b.example/y"
    assert str(next_hop(URL("https://a.example/x/y"), "../z?t=1")) == "https://a.example/z?t=1"


@pytest.mark.parametrize("location", ["https://", "http://[::1/", "mailto:a"])
def test_a_redirect_to_nowhere_fails(location: str) -> None:
    with pytest.raises((FetchFailed, Refused)):
        next_hop(URL("http://a.example/x"), location)


def test_validators_become_the_headers_they_came_with() -> None:
    assert Validators('"1"', "Sun").headers() == {"If-None-Match": '"1"', "If-Modified-Since": "Sun"}
    assert Validators().headers() == {}


KEY = ConnectionKey(
    "calendar.example", 443, is_ssl=True, ssl=True, proxy=None, proxy_auth=None, proxy_headers_hash=None
)


@pytest.mark.parametrize(
    ("error", "cause", "again"),
    [
        (aiohttp.ClientPayloadError("secret"), "cut off", True),
        (aiohttp.ClientConnectorDNSError(KEY, OSError("secret")), "host not found", True),
        (aiohttp.ClientConnectorCertificateError(KEY, ssl.CertificateError("secret")), "certificate refused", False),
        (aiohttp.InvalidURL("https://secret"), "malformed URL", False),
        (aiohttp.ServerDisconnectedError("secret"), "connection failed", True),
    ],
)
def test_a_fault_of_the_wire_becomes_words_without_its_text(error, cause: str, again: bool) -> None:
    failure = failure_of_error(error)
    assert (str(failure), failure.cause, isinstance(failure, Retriable)) == (cause, cause, again)


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        ("http://a.example/b", True),
        ("https://a.example/b", True),
        ("http://b.example/a", False),
        ("http://a.example:8080/a", False),
        ("http://sub.a.example/a", False),
    ],
)
def test_credentials_stay_with_host_and_port(other: str, expected: bool) -> None:
    assert same_host(URL(other), URL("http://a.example/a")) is expected
