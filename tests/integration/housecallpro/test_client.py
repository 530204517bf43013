"""The client on the wire: keys, retries, waits, the hour, lists, no blind repeat (housecallpro.md HC-90 … HC-96)."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from aiohttp import web

from changeover.housecallpro import directory, jobs, schedule
from changeover.housecallpro.client import HousecallPro, Tries, checked_id
from changeover.housecallpro.errors import (
    Ambiguous,
    Auth,
    BadPayload,
    Halted,
    NotFound,
    RateLimited,
    Server,
    Transport,
    Validation,
)
from changeover.store.hcp_gate import Purpose
from plugins.housecallpro import DEV
from plugins.housecallpro import Server as Running


@contextmanager
def answering(*answers: web.Response) -> Iterator[tuple[str, list[dict[str, str]]]]:
    """A server that gives these answers in turn, the last one for ever; its URL and the requests' headers."""
    left, seen = list(answers), []

    async def handle(request: web.Request) -> web.Response:
        seen.append(dict(request.headers))
        answer = left.pop(0) if len(left) > 1 else left[0]
        return web.Response(status=answer.status, headers=dict(answer.headers), body=answer.body)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    running = Running(app)
    yield running.url, seen
    running.stop()


def json(text: str, status: int = 200) -> web.Response:
    return web.Response(text=text, status=status, content_type="application/json")


# -- keys and addresses ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", [DEV.api_key, f"Token {DEV.api_key}", f"Bearer oauth-{DEV.api_key}"])
def test_a_key_is_sent_as_a_token_or_as_it_is_given(bench, key):
    """HC-2, HC-116."""
    company = directory.company(bench.make(api_key=key))
    assert (company.id, company.time_zone) == (DEV.company_id, "America/Phoenix")


def test_a_wrong_key_is_refused_once_and_shown_nowhere(bench):
    wrong = bench.make(api_key="wrongkey-0123456789")
    with pytest.raises(Auth) as refusal:
        directory.company(wrong)
    assert "wrongkey" not in repr(wrong) + str(refusal.value)
    assert bench.calls() == [("GET", "/company", 401)]


def test_a_request_says_who_asks_and_nothing_of_a_location(bench):
    """HC-2, HC-3, HC-5: and it carries no key against repeats, as the service knows none."""
    with answering(json('{"id":"tag_1","name":"Pool"}')) as (url, seen):
        directory.create_tag(bench.make(url), "Pool")
    (headers,) = seen
    assert headers["Authorization"] == f"Token {DEV.api_key}"
    assert headers["Content-Type"] == "application/json"
    names = {name.lower() for name in headers}
    assert names.isdisjoint({"x-company-id", "idempotency-key", "cookie", "if-match"})


def test_a_base_url_is_used_with_its_path_and_without_its_last_slash(bench):
    """HC-1, HC-115."""
    assert directory.company(bench.make(f"{bench.service.url}/")).id == DEV.company_id
    with pytest.raises(NotFound):
        directory.company(bench.make(f"{bench.service.url}/v1"))
    assert bench.calls()[-1] == ("GET", "/v1/company", 404)


def test_plain_http_is_for_this_machine_only(bench):
    """HC-90."""
    with pytest.raises(ValueError, match="https"):
        bench.make("http://api.example.com")
    assert isinstance(bench.make("https://api.example.com"), HousecallPro)


def test_no_redirect_is_followed_and_no_cookie_kept(bench):
    """HC-2, HC-90."""
    with answering(web.Response(status=302, headers={"Location": "/company", "Set-Cookie": "a=b"})) as (url, seen):
        client = bench.make(url)
        with pytest.raises(BadPayload):
            directory.company(client)
        assert len(seen) == 1
        assert len(client._session.cookies) == 0


@pytest.mark.parametrize("text", ["", "job_", "job_1/../2", "job_1?x", "Job_1", f"job_{'1' * 65}", "job_1\n"])
def test_what_cannot_be_an_id_is_refused_before_any_call(bench, text):
    """HC-95."""
    with pytest.raises(Validation):
        checked_id(text)
    with pytest.raises(Validation):
        jobs.read(bench.client, text)
    assert bench.calls() == []


# -- repeats ---------------------------------------------------------------------------------------------------------


def test_a_read_is_repeated_through_errors_of_the_service_and_lost_connections(bench):
    """HC-93."""
    bench.service.fault("status", value="500")
    bench.service.fault("html")
    bench.service.fault("drop-before")
    bench.service.fault("truncate")
    assert directory.company(bench.client).id == DEV.company_id
    assert len(bench.calls()) == 5
    assert bench.clock.slept == [0.5, 1, 2, 4]
    assert (bench.client.numbers.calls, bench.client.numbers.repeated) == (5, 4)


def test_after_five_tries_the_service_counts_as_unwell(bench):
    bench.service.fault("html", times=None)
    with pytest.raises(Server):
        directory.company(bench.client)
    assert len(bench.calls()) == 5


def test_a_wait_asked_for_with_an_error_is_kept(bench):
    bench.service.fault("status", value="503 Retry-After: 9")
    directory.company(bench.client)
    assert bench.clock.slept == [9]


def test_a_server_that_is_not_there_was_sent_nothing(bench):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(Transport) as refusal:
        jobs.add_note(bench.make(f"http://127.0.0.1:{port}"), "job_1", "x")
    assert not refusal.value.sent
    assert bench.clock.slept == []


@pytest.mark.parametrize("mode", ["html", "drop-after-commit", "truncate", "drop-before"])
def test_a_post_whose_end_is_unclear_is_never_repeated(bench, mode):
    """HC-37, J-53."""
    job = bench.service.job()
    bench.forget()
    bench.service.fault(mode)
    with pytest.raises(Ambiguous):
        jobs.add_note(bench.client, job["id"], "hello")
    assert len(bench.calls()) == 1
    assert bench.clock.slept == []


@pytest.mark.parametrize("body", ["[]", "{}", '{"id": null}', "null"])
def test_a_post_with_a_good_status_and_a_strange_body_is_unclear_too(bench, body):
    with answering(json(body, 201)) as (url, seen), pytest.raises(Ambiguous):
        directory.create_tag(bench.make(url), "x")
    assert len(seen) == 1


def test_a_post_that_was_refused_by_rate_is_repeated(bench):
    """HC-28, HC-37."""
    bench.service.fault("rate-limit", value="Retry-After: 3")
    assert directory.create_tag(bench.client, "x").name == "x"
    assert [status for _, _, status in bench.calls()] == [429, 201]


def test_a_delete_repeated_after_a_lost_answer_has_succeeded(bench):
    """HC-93."""
    job = bench.service.job(start="2026-03-04T17:15:00Z")
    bench.service.call("POST", f"/jobs/{job['id']}/appointments", None)
    note = jobs.add_note(bench.client, job["id"], "x")
    bench.forget()
    bench.service.fault("drop-after-commit")
    jobs.delete_note(bench.client, job["id"], note)
    assert [status for _, _, status in bench.calls()] == [None, 404]


def test_a_delete_of_what_was_never_there_is_an_error(bench):
    with pytest.raises(NotFound):
        jobs.delete_note(bench.client, bench.service.job()["id"], f"nte_{9:032x}")


@pytest.mark.parametrize("body", ["[]", "text", '{"jobs": []}', '{"jobs": {}, "total_pages": 1}'])
def test_what_is_no_page_is_never_an_empty_list(bench, body):
    """HC-30."""
    with answering(json(body)) as (url, seen), pytest.raises(BadPayload):
        jobs.unscheduled(bench.make(url))
    assert len(seen) == 1


# -- rates and the hour ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "waited"),
    [
        ("", 2),
        ("Retry-After: 7", 7),
        ("RateLimit-Reset: 1772647341", 10),
        ("X-RateLimit-Reset: 1772647341000", 10),
        ("Retry-After: Wed, 04 Mar 2026 18:02:21 GMT", 10),
        ("RateLimit-Reset: 2026-03-04T18:02:21Z", 10),
        ("Retry-After: 9999", 120),
        ("Retry-After: soon", 2),
    ],
)
def test_a_429_is_waited_out_in_every_form(bench, header, waited):
    """HC-28, HC-33, HC-34, HC-35, HC-117."""
    bench.service.fault("rate-limit", value=header)
    directory.company(bench.client)
    assert bench.clock.slept == [pytest.approx(waited, abs=0.11)]
    assert bench.client.numbers.rate_limited == 1


def test_five_refusals_by_rate_end_it_with_the_time_to_wait(bench):
    """HC-35."""
    bench.service.fault("rate-limit", times=None, value="")
    with pytest.raises(RateLimited) as refusal:
        directory.company(bench.client)
    assert len(bench.calls()) == 5
    assert [round(wait) for wait in bench.clock.slept] == [2, 4, 8, 16]
    assert refusal.value.after == 16


def test_a_pause_holds_every_client_of_the_key(bench):
    """HC-35."""
    bench.service.fault("rate-limit", value="Retry-After: 30")
    with pytest.raises(RateLimited):
        directory.company(bench.client.under(Purpose.BUTTON, seconds=5))
    began = bench.clock.now
    directory.company(bench.make())
    assert bench.clock.now - began == pytest.approx(30, abs=0.1)


def test_an_hour_that_is_used_up_is_said_at_once_without_a_call(bench):
    """HC-31, HC-117, J-110."""
    used = bench.make(gate=type(bench.gate)(bench.gate._db, hourly_limit=1, clock=bench.clock, sleep=bench.clock.sleep))
    directory.company(used)
    with pytest.raises(RateLimited) as refusal:
        directory.company(used.under(Purpose.CYCLE))
    assert refusal.value.status is None
    assert refusal.value.after > 3500
    assert len(bench.calls()) == 1


def test_calls_together_end_within_their_deadline(bench):
    """J-105."""
    bench.service.fault("html", times=None)
    hurried = bench.client.under(Purpose.BUTTON, seconds=2)
    with pytest.raises(Server):
        directory.company(hurried)
    assert bench.clock.slept == [0.5, 1]
    assert hurried.purpose is Purpose.BUTTON
    assert bench.client.purpose is Purpose.CHECK


# -- the guard -------------------------------------------------------------------------------------------------------


def test_a_guard_forbids_writes_and_lets_reads_pass(bench):
    def forbid() -> None:
        raise RuntimeError("stopped")

    stopped = bench.make(guard=forbid)
    assert directory.company(stopped).id == DEV.company_id
    with pytest.raises(Halted):
        directory.create_tag(stopped, "x")
    assert [method for method, _, _ in bench.calls()] == ["GET"]


def test_a_guard_may_say_itself_why(bench):
    def forbid() -> None:
        raise Halted("The lease is lost.")

    with pytest.raises(Halted, match="lease"):
        schedule.delete(bench.make(guard=forbid), "job_1")


# -- lists -----------------------------------------------------------------------------------------------------------


def test_a_list_is_read_page_by_page_and_each_thing_once(bench):
    """HC-16, HC-19."""
    page = '{"page":1,"page_size":200,"total_pages":3,"total_items":5,"tags":[%s]}'
    one, two, three = (f'{{"id":"tag_{number}","name":"n"}}' for number in (1, 2, 3))
    with answering(json(page % f"{one},{two}"), json(page % f"{two},{three}"), json(page % one)) as (url, seen):
        assert [tag.id for tag in directory.tags(bench.make(url))] == ["tag_1", "tag_2", "tag_3"]
    assert len(seen) == 3


def test_a_list_without_end_is_an_error_and_an_empty_page_ends_it(bench, monkeypatch):
    """HC-19."""
    monkeypatch.setattr("changeover.housecallpro.client.PAGES", 3)
    page = '{"page":1,"page_size":200,"total_pages":999999,"tags":[%s]}'
    with answering(json(page % '{"id":"tag_1"}')) as (url, seen), pytest.raises(BadPayload, match="no end"):
        directory.tags(bench.make(url))
    assert len(seen) == 3
    with answering(json(page % "")) as (url, seen):
        assert directory.tags(bench.make(url)) == ()


def test_a_slow_service_is_not_waited_for_longer_than_allowed(bench):
    """HC-21, JX-56."""
    bench.service.fault("latency", value="0.3")
    with pytest.raises(Transport) as refusal:
        directory.company(bench.make(tries=Tries(number=1, timeout=(0.2, 0.05))))
    assert refusal.value.sent
