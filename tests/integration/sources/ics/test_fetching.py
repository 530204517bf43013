"""Slow, cut, hostile and forbidding servers over real HTTP (P-7 … P-12)."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from dataclasses import replace

import pytest
from aiohttp import web

from changeover.sources.ics.observe import Outcome

STAY = "a 20261112 20261114 Reserved"


def test_a_calendar_is_a_calendar_whatever_its_content_type_says(server, cycle, active, calendar) -> None:
    result = cycle.one(active(server.answers("a", calendar(STAY), Content_Type="text/html")))
    assert (result.outcome, result.cause, result.events, result.kept) == (Outcome.OK, "Success", 1, 1)


def test_v1_a_sign_in_page_with_200_is_no_calendar_and_is_asked_once(server, cycle, active) -> None:
    url = server.answers("a", "<html>Sign in</html>", Content_Type="text/calendar")
    result = cycle.one(active(url))
    assert (result.outcome, result.cause, result.batch) == (Outcome.FAILED, "not a calendar", None)
    assert server.asked("a") == 1


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_a_link_that_a_person_must_mend_is_asked_once(server, cycle, active, status: int) -> None:
    result = cycle.one(active(server.answers("a", "x", status)))
    assert (result.outcome, result.cause) == (Outcome.FAILED, f"HTTP {status}")
    assert server.asked("a") == 1


@pytest.mark.parametrize("status", [408, 425, 429, 500, 503])
def test_a_fault_that_may_pass_is_asked_three_times(server, cycle, active, status: int) -> None:
    result = cycle.one(active(server.answers("a", "x", status)))
    assert result.cause == f"HTTP {status}"
    assert server.asked("a") == 3


def test_retry_after_is_obeyed_and_the_next_answer_counts(server, cycle, active, calendar) -> None:
    async def handle(request: web.Request) -> web.Response:
        if server.asked("a") == 1:
            return web.Response(status=429, headers={"Retry-After": "0"})
        return web.Response(body=calendar(STAY))

    result = cycle.one(active(server.handled("a", handle)))
    assert (result.outcome, server.asked("a")) == (Outcome.OK, 2)


def test_a_retry_after_beyond_patience_is_left_to_the_next_run(server, cycle, active) -> None:
    result = cycle.one(active(server.answers("a", "", 429, Retry_After="31")))
    assert (result.cause, server.asked("a")) == ("HTTP 429", 1)


def test_a_server_that_never_answers_times_out(server, cycle, active, quick) -> None:
    async def hang(request: web.Request) -> web.Response:
        await asyncio.sleep(30)
        return web.Response()

    result = cycle.one(active(server.handled("a", hang)), settings=replace(quick, timeout_seconds=0.1, attempts=2))
    assert (result.outcome, result.cause) == (Outcome.FAILED, "timeout")
    assert server.asked("a") == 2


def test_a_server_that_drips_times_out_as_a_whole(server, cycle, active, quick) -> None:
    async def drip(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"B")
            await asyncio.sleep(0.02)

    result = cycle.one(active(server.handled("a", drip)), settings=replace(quick, timeout_seconds=0.15, attempts=1))
    assert result.cause == "timeout"


def test_hanging_feeds_cost_no_other_its_answer(server, cycle, active, calendar, quick) -> None:
    async def hang(request: web.Request) -> web.Response:
        await asyncio.sleep(30)
        return web.Response()

    stuck = [active(server.handled(f"h{n}", hang), f"recH{n}") for n in range(3)]
    fine = [active(server.answers(f"f{n}", calendar(STAY)), f"recF{n}") for n in range(20)]
    settings = replace(quick, timeout_seconds=0.2, attempts=1, max_concurrent=4)
    results = cycle.run(*stuck, *fine, settings=settings)
    assert [result.outcome for result in results] == [Outcome.OK] * 20 + [Outcome.FAILED] * 3


@pytest.mark.parametrize("length", ["chunked", "with length"])
def test_v1_a_body_that_the_wire_cuts_is_asked_again(server, cycle, active, calendar, length: str) -> None:
    async def cut(request: web.Request) -> web.StreamResponse:
        if server.asked("a") > 1:
            return web.Response(body=calendar(STAY))
        response = web.StreamResponse()
        if length == "chunked":
            response.enable_chunked_encoding()
        else:
            response.content_length = 10_000
        await response.prepare(request)
        await response.write(calendar(STAY))
        assert request.transport is not None
        request.transport.close()
        return response

    result = cycle.one(active(server.handled("a", cut)))
    assert (result.outcome, result.events, server.asked("a")) == (Outcome.OK, 1, 2)


def test_v1_a_body_cut_without_length_is_a_clean_200_and_still_asked_again(server, cycle, active, calendar) -> None:
    url = server.answers("a", calendar(STAY, STAY)[:-40])
    result = cycle.one(active(url))
    assert (result.outcome, result.cause, result.batch) == (Outcome.FAILED, "cut off", None)
    assert server.asked("a") == 3


def test_a_refused_connection_is_a_failure_without_address(cycle, active) -> None:
    result = cycle.one(active("http://127.0.0.1:1/secret-token"))
    assert (result.outcome, result.cause) == (Outcome.FAILED, "connection failed")


def test_a_server_that_speaks_no_http_is_a_failure(server, cycle, active) -> None:
    async def babble(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.write(b"not http at all\r\n\r\n")
        request.transport.close()
        return web.StreamResponse()

    assert cycle.one(active(server.handled("a", babble))).cause == "connection failed"


@pytest.mark.parametrize(
    ("encoding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress), ("identity", lambda body: body)]
)
def test_packed_calendars_are_unpacked(server, cycle, active, calendar, encoding: str, pack) -> None:
    url = server.answers("a", pack(calendar(STAY)), Content_Encoding=encoding)
    assert cycle.one(active(url)).events == 1


def test_a_gzip_bomb_is_stopped(server, cycle, active) -> None:
    bomb = gzip.compress(b"BEGIN:VCALENDAR\r\n" + bytes(30_000_000))
    result = cycle.one(active(server.answers("a", bomb, Content_Encoding="gzip")))
    assert (result.outcome, result.cause) == (Outcome.FAILED, "too large")
    assert server.asked("a") == 1


def test_a_cut_gzip_body_is_cut_off(server, cycle, active, calendar) -> None:
    result = cycle.one(active(server.answers("a", gzip.compress(calendar(STAY))[:-9], Content_Encoding="gzip")))
    assert result.cause == "cut off"


def test_an_endless_body_is_stopped(server, cycle, active) -> None:
    async def flood(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(200):
            await response.write(bytes(100_000))
        return response

    assert cycle.one(active(server.handled("a", flood))).cause == "too large"


def test_redirects_are_followed_five_times_at_most(server, cycle, active, calendar) -> None:
    for hop in range(6):
        server.answers(f"r{hop}", "", 302, Location=f"/r{hop + 1}")
    server.answers("r6", calendar(STAY))
    assert cycle.one(active(server.url("r1"))).outcome is Outcome.OK
    result = cycle.one(active(server.url("r0"), "recFeed0000000002"))
    assert (result.outcome, result.cause) == (Outcome.FAILED, "too many redirects")


def test_a_redirect_loop_ends(server, cycle, active) -> None:
    result = cycle.one(active(server.answers("a", "", 301, Location="/a")))
    assert (result.cause, server.asked("a")) == ("too many redirects", 6)


@pytest.mark.parametrize("location", ["http://[::1/", "file:///etc/passwd"])
def test_a_redirect_to_what_is_no_web_address_fails(server, cycle, active, location: str) -> None:
    assert cycle.one(active(server.answers("a", "", 302, Location=location))).outcome is Outcome.FAILED


def test_a_redirect_without_target_is_a_status(server, cycle, active) -> None:
    assert cycle.one(active(server.answers("a", "", 302))).cause == "HTTP 302"


@pytest.mark.parametrize(
    ("url", "outcome", "cause"),
    [
        ("http://127.0.0.1/a", Outcome.MISCONFIGURED, "private address"),
        ("http://[::ffff:10.0.0.1]/a", Outcome.MISCONFIGURED, "private address"),
        ("https://calendar.example:8443/a", Outcome.MISCONFIGURED, "port refused"),
        ("http://localhost/a", Outcome.FAILED, "private address"),
    ],
)
def test_private_addresses_are_refused_by_number_and_by_name(cycle, active, quick, url, outcome, cause) -> None:
    result = cycle.one(active(url), settings=replace(quick, allow_private=False, attempts=1))
    assert (result.outcome, result.cause, result.batch) == (outcome, cause, None)


def test_credentials_go_to_their_host_and_to_no_other(server, cycle, active, calendar) -> None:
    server.answers("a", "", 302, Location="/b")
    server.answers("b", "", 302, Location=f"http://localhost:{server.port}/c")
    server.answers("c", calendar(STAY))
    result = cycle.one(active(f"http://user:pass@127.0.0.1:{server.port}/a"))
    assert result.outcome is Outcome.OK
    assert ["Authorization" in headers for _, headers in server.requests] == [True, True, False]


def test_what_a_request_says_of_us(server, cycle, active, calendar, quick) -> None:
    server.answers("a", calendar(STAY), Set_Cookie="session=1")
    cycle.one(active(server.url("a")))
    agent = type(quick)().user_agent
    cycle.one(active(server.url("a")), settings=replace(quick, user_agent=agent))
    headers = server.requests[-1][1]
    assert headers["Accept"] == "text/calendar, */*;q=0.1"
    assert headers["Accept-Encoding"] == "gzip, deflate"
    assert headers["User-Agent"].startswith("Changeover/")
    assert "Cookie" not in headers


def test_a_304_is_the_last_good_body_again(server, cycle, active, calendar) -> None:
    body = calendar(STAY)

    async def handle(request: web.Request) -> web.Response:
        if request.headers.get("If-None-Match") == '"1"':
            return web.Response(status=304)
        return web.Response(body=body, headers={"ETag": '"1"', "Last-Modified": "Sun, 01 Nov 2026 12:00:00 GMT"})

    feed = active(server.handled("a", handle))
    first, again = cycle.one(feed), cycle.one(feed)
    assert (first.outcome, again.outcome, again.events) == (Outcome.OK, Outcome.UNCHANGED, 1)
    assert again.batch == first.batch
    assert server.requests[-1][1]["If-Modified-Since"] == "Sun, 01 Nov 2026 12:00:00 GMT"


def test_a_304_that_was_not_asked_for_is_a_failure(server, cycle, active) -> None:
    assert cycle.one(active(server.answers("a", "", 304))).cause == "HTTP 304"


def test_a_name_without_address_is_a_failure(cycle, active, quick) -> None:
    result = cycle.one(active("http://calendar.invalid/secret"), settings=replace(quick, attempts=1))
    assert (result.outcome, result.cause) == (Outcome.FAILED, "host not found")


def test_a_name_that_cannot_be_looked_up_is_a_failure(cycle, active) -> None:
    result = cycle.one(active(f"http://{'a' * 70}.example/secret"))
    assert (result.outcome, result.cause) == (Outcome.FAILED, "connection failed")
