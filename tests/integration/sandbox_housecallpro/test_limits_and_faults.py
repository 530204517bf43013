"""Limits, faults and the journal (HC-29, HC-33, HC-108, HC-109; sandbox.md)."""

import pytest
import requests

from plugins.housecallpro import DEV, PROD


def statuses(service, count: int, path: str = "/company") -> list[int]:
    return [service.call("GET", path).status_code for _ in range(count)]


@pytest.fixture
def limited(service):
    """The stand-in with its clock stopped, and how to set its limits."""
    service.clock.stopped_at = 1772647331.0

    def limit(**settings: object) -> None:
        assert service.control("POST", "/limits", settings).status_code == 200

    return limit


def test_nothing_is_limited_until_a_limit_is_set(service) -> None:
    expected = {"enforce": True, "hourly": None, "requests_per_second": None, "penalty_seconds": 0.0}
    assert service.control("GET", "/limits").json() == expected
    assert set(statuses(service, 30)) == {200}


def test_the_hour_is_a_rolling_one_and_each_key_has_its_own(service, limited) -> None:
    limited(hourly=3)
    assert statuses(service, 2) == [200, 200]
    service.clock.ahead += 600
    assert statuses(service, 2) == [200, 429]
    refused = service.call("GET", "/company")
    assert (refused.status_code, refused.content, refused.headers["Retry-After"]) == (429, b"", "3000")
    assert statuses(service.as_(PROD), 1) == [200]
    service.clock.ahead += 3000
    assert statuses(service, 3) == [200, 200, 429]


def test_refused_calls_count_for_nothing(service, limited) -> None:
    limited(hourly=1)
    assert statuses(service, 5) == [200, 429, 429, 429, 429]
    service.clock.ahead += 3600
    assert statuses(service, 1) == [200]


def test_calls_per_second_open_again_after_a_second_or_the_penalty(service, limited) -> None:
    limited(requests_per_second=2)
    assert statuses(service, 3) == [200, 200, 429]
    assert service.call("GET", "/company").headers["Retry-After"] == "1"
    service.clock.ahead += 1
    limited(penalty_seconds=30)
    assert statuses(service, 3) == [200, 200, 429]
    service.clock.ahead += 2
    assert service.call("GET", "/company").headers["Retry-After"] == "28"
    service.clock.ahead += 28
    assert statuses(service, 1) == [200]


def test_a_limit_can_be_nothing_at_all_and_be_switched_off(service, limited) -> None:
    limited(hourly=0)
    assert service.call("GET", "/company").headers["Retry-After"] == "3600"
    limited(enforce=False)
    assert statuses(service, 3) == [200] * 3
    assert service.control("GET", "/limits").json()["hourly"] == 0


def test_a_throttled_call_is_not_applied_and_strangers_use_up_nothing(service, limited) -> None:
    limited(hourly=1)
    requests.get(f"{service.url}/company", timeout=5)
    service.call("GET", "/nowhere")
    assert statuses(service, 1) == [200]
    assert service.call("POST", "/tags", {"name": "A"}).status_code == 429
    limited(hourly=None)
    assert service.ok("GET", "/tags")["tags"] == []


@pytest.mark.parametrize("order", [{"hourly": -1}, {"hourly": "many"}, {"requests_per_second": 0}, {"monthly": 5}, []])
def test_limits_that_cannot_be_meant_are_refused(service, order: object) -> None:
    assert service.control("POST", "/limits", order).status_code == 400


@pytest.mark.parametrize(
    ("header", "name", "content"),
    [
        ("Retry-After: 2", "Retry-After", "2"),
        ("Retry-After: Wed, 04 Mar 2026 18:03:20 GMT", "Retry-After", "Wed, 04 Mar 2026 18:03:20 GMT"),
        ("RateLimit-Reset: 1772647400", "RateLimit-Reset", "1772647400"),
        ("RateLimit-Reset: 2026-03-04T18:03:20Z", "RateLimit-Reset", "2026-03-04T18:03:20Z"),
        ("X-RateLimit-Reset: 1772647400000", "X-RateLimit-Reset", "1772647400000"),
    ],
)
def test_a_rate_limit_fault_carries_the_whole_header(service, header: str, name: str, content: str) -> None:
    service.fault("rate-limit", value=header, method="POST")
    answer = service.call("POST", "/tags", {"name": "A"})
    assert (answer.status_code, answer.content, answer.headers[name]) == (429, b"", content)
    assert service.ok("GET", "/tags")["tags"] == []


def test_a_rate_limit_fault_may_carry_no_header(service) -> None:
    service.fault("rate-limit")
    answer = service.call("GET", "/company")
    assert answer.status_code == 429
    assert not {"retry-after", "ratelimit-reset", "x-ratelimit-reset"} & {name.lower() for name in answer.headers}
    assert statuses(service, 1) == [200]


@pytest.mark.parametrize(
    ("code", "body"),
    [
        (400, {"message": "name is invalid", "name": "is invalid"}),
        (401, {"error": {"message": "invalid token"}}),
        (403, {"error": {"message": "This key does not have the necessary permissions"}}),
        (404, {"error": {"message": "not found"}}),
        (410, None),
        (422, {"errors": {"name": ["is missing"]}}),
        (204, None),
    ],
)
def test_a_status_fault_answers_in_the_services_shapes(service, code: int, body: object) -> None:
    service.fault("status", value=code)
    answer = service.call("GET", "/company")
    assert (answer.status_code, answer.json() if answer.content else None) == (code, body)


@pytest.mark.parametrize("code", [500, 503, 504])
def test_faults_of_the_service_come_as_a_page(service, code: int) -> None:
    service.fault("status", value=f"{code} Retry-After: 7")
    answer = service.call("GET", "/company")
    assert (answer.status_code, answer.headers["Retry-After"]) == (code, "7")
    assert answer.headers["Content-Type"].startswith("text/html")


def test_the_html_fault_is_a_bad_gateway_and_applies_nothing(service) -> None:
    service.fault("html", method="POST")
    answer = service.call("POST", "/tags", {"name": "A"})
    assert (answer.status_code, answer.text[:15]) == (502, "<!DOCTYPE html>")
    assert service.ok("GET", "/tags")["tags"] == []


@pytest.mark.parametrize(("mode", "made"), [("drop-before", 0), ("drop-after-commit", 1)])
def test_a_lost_connection_tells_nothing_about_the_job(service, receiver, mode: str, made: int) -> None:
    customer = service.customer()
    service.listen(receiver.url)
    service.fault(mode, method="POST", path="^/jobs$")
    order = {"customer_id": customer["id"], "address_id": customer["addresses"][0]["id"]}
    with pytest.raises(requests.ConnectionError):
        service.call("POST", "/jobs", order)
    assert service.ok("GET", "/jobs")["total_items"] == made
    service.settle()
    assert receiver.events == ["ping", "job.created"][: 1 + made]


def test_the_journal_lists_calls_of_the_real_api_with_key_and_body(service) -> None:
    since = service.control("GET", "/requests").json()["next"]
    service.call("POST", "/tags", {"name": "A"})
    service.call("GET", "/jobs?work_status[]=scheduled&page=2")
    service.act({"id": "job_x"}, "start")
    requests.get(f"{service.url}/company", timeout=5)
    created, listed, refused = service.control("GET", "/requests", since=since).json()["requests"]
    assert (created["method"], created["path"], created["status"]) == ("POST", "/tags", 201)
    assert (created["key"], created["body"]) == (DEV.api_key[:6], {"name": "A"})
    assert (listed["query"], listed["status"]) == ("work_status[]=scheduled&page=2", 200)
    assert (refused["status"], refused["key"]) == (401, "")


def test_a_fault_of_the_stand_in_itself_is_a_page_too(service, monkeypatch) -> None:
    def broken(*_arguments: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("changeover_sandbox.housecallpro.routes_people.company_json", broken)
    assert service.call("GET", "/company").status_code == 500


@pytest.mark.parametrize("path", ["/tags", "/_sandbox/employees"])
def test_a_body_too_large_for_anyone_is_refused(service, path: str) -> None:
    answer = service.session.post(f"{service.url}{path}", data=b"x" * (16 * 1024 * 1024 + 1), timeout=10)
    assert answer.status_code == 413
