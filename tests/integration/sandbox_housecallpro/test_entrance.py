"""Who is let in, and what does not exist (HC-1 to HC-3, HC-25, HC-38, HC-97 to HC-101)."""

import pytest
import requests

from plugins.housecallpro import DEV, PROD

NOBODY = {"error": {"message": "invalid token"}}
NOWHERE = {"error": {"message": "not found"}}


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        DEV.api_key,
        f"Bearer {DEV.api_key}",
        f"Basic {DEV.api_key}",
        f"Token  {DEV.api_key}",
        f"Token oauth-{DEV.api_key}",
        "Token nobody",
        f"Token {DEV.webhook_secret}",
    ],
)
def test_whoever_shows_no_key_in_the_right_form_is_refused(service, header: str | None) -> None:
    """HC-98."""
    headers = {} if header is None else {"Authorization": header}
    answer = requests.get(f"{service.url}/company?api_key={DEV.api_key}", headers=headers, timeout=5)
    assert (answer.status_code, answer.json()) == (401, NOBODY)


@pytest.mark.parametrize("header", [f"Token {DEV.api_key}", f"Bearer oauth-{DEV.api_key}"])
def test_a_key_and_an_oauth_token_open_the_same_company(service, header: str) -> None:
    """HC-2, HC-13, HC-98."""
    answer = requests.get(f"{service.url}/company", headers={"Authorization": header}, timeout=5)
    assert answer.json() == {"id": DEV.company_id, "name": DEV.name, "time_zone": "America/Phoenix"}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/v1/jobs"),
        ("GET", "/v1/company"),
        ("HEAD", "/jobs"),
        ("OPTIONS", "/jobs"),
        ("GET", "/jobs/"),
        ("PATCH", "/jobs/{job}"),
        ("PUT", "/jobs/{job}"),
        ("DELETE", "/jobs/{job}"),
        ("PUT", "/jobs/{job}/cancel"),
        ("POST", "/jobs/{job}/reschedule"),
        ("POST", "/jobs/{job}/schedule"),
        ("PATCH", "/jobs/{job}/schedule"),
        ("GET", "/jobs/{job}/schedule"),
        ("PATCH", "/jobs/{job}/line_items/x"),
        ("GET", "/jobs/{job}/line_items/x"),
        ("GET", "/jobs/{job}/appointments/x"),
        ("GET", "/jobs/{job}/notes"),
        ("GET", "/customers/x/jobs"),
        ("DELETE", "/customers/x"),
        ("PATCH", "/customers/x"),
        ("PUT", "/customers/x/addresses/x"),
        ("DELETE", "/customers/x/addresses/x"),
        ("GET", "/employees/x"),
        ("POST", "/employees"),
        ("GET", "/job_types"),
        ("DELETE", "/job_fields/job_types/x"),
        ("GET", "/appointments"),
        ("GET", "/webhooks"),
        ("GET", "/webhooks/subscription"),
        ("GET", "/estimates"),
    ],
)
def test_what_does_not_exist_is_not_found_whatever_the_method(service, method: str, path: str) -> None:
    """HC-25, HC-38, HC-99."""
    answer = service.call(method, path.format(job="job_x"), {})
    assert answer.status_code == 404
    assert method == "HEAD" or answer.json() == NOWHERE


def test_a_company_finds_nothing_of_another_one(service) -> None:
    """HC-97."""
    other = service.as_(PROD)
    job, customer = service.job(), service.customer()
    for path in (f"/jobs/{job['id']}", f"/jobs/{job['id']}/line_items", f"/customers/{customer['id']}"):
        assert other.call("GET", path).status_code == 404
    assert other.ok("GET", "/jobs")["total_items"] == 0
    assert other.ok("GET", "/customers")["total_items"] == 0
    assert other.ok("GET", "/company")["id"] == PROD.company_id


@pytest.mark.parametrize("raw", [b"{", b"[1]", b'"text"', b'{"name": NaN}', b'{"name": "\\ud800"}', b"\xff"])
def test_a_body_that_is_no_json_object_is_refused(service, raw: bytes) -> None:
    answer = service.session.post(
        f"{service.url}/tags", data=raw, headers={"Content-Type": "application/json"}, timeout=5
    )
    assert answer.status_code == 400
    assert answer.json()["body"] in {"is not JSON", "is not an object"}


def test_a_body_that_is_not_said_to_be_json_is_not_read(service) -> None:
    answer = service.session.post(f"{service.url}/tags", data=b'{"name": "a"}', timeout=5)
    assert (answer.status_code, answer.json()) == (400, {"message": "name is missing", "name": "is missing"})


def test_answers_are_json_in_utf_8(service) -> None:
    answer = service.call("POST", "/tags", {"name": "Café ✨"})
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    assert "Café ✨".encode() in answer.content


def test_an_account_shows_neither_key_nor_secret() -> None:
    assert DEV.api_key not in repr(DEV)
    assert DEV.webhook_secret not in repr(DEV)
