"""The control API: journal, faults, seeding, reset (sandbox.md)."""

import time

import pytest
import requests
from pyairtable.api import retrying

STAY = {"fields": {"UID": "a"}}


def journal(sandbox, since: int = 0) -> list[dict]:
    return sandbox.control("GET", "/requests", since=since).json()["requests"]


def test_the_journal_lists_every_call_of_the_real_api_in_order(sandbox) -> None:
    before = sandbox.control("GET", "/requests").json()["next"]
    sandbox.call("POST", "/Stays", STAY)
    sandbox.call("GET", "/Stays?filterByFormula={UID}%3D'a'&pageSize=2")
    sandbox.call("GET", "/Stays/rec" + "x" * 14, headers={})
    sandbox.control("GET", "/limits")
    create, listed, refused = journal(sandbox, before)
    assert (create["method"], create["path"], create["status"]) == ("POST", f"/v0/{sandbox.base_id}/Stays", 200)
    assert (create["key"], create["body"]) == ("patDev", STAY)
    assert (listed["query"], listed["body"]) == ("filterByFormula={UID}='a'&pageSize=2", None)
    assert (refused["status"], refused["key"]) == (401, "")
    assert [one["n"] for one in (create, listed, refused)] == [before, before + 1, before + 2]
    assert create["at"].endswith("Z")
    assert create["at"] <= listed["at"]


def test_the_journal_keeps_json_bodies_up_to_64_kilobytes(sandbox) -> None:
    sandbox.call("POST", "/Stays", {"fields": {"Info": "x" * 66_000}})
    requests.post(f"{sandbox.url}/v0/{sandbox.base_id}/Stays", data=b"not json", timeout=5)
    assert [one["body"] for one in journal(sandbox)[-2:]] == [None, None]


def test_a_since_that_is_no_number_is_refused(sandbox) -> None:
    assert sandbox.control("GET", "/requests", since="yesterday").status_code == 400


@pytest.mark.parametrize(
    ("code", "body"),
    [
        (500, {"error": {"type": "SERVER_ERROR", "message": "The server encountered an unexpected condition"}}),
        (503, {"error": {"type": "RETRIABLE_ERROR", "message": "The server could not process the request in time"}}),
        (404, {"error": "NOT_FOUND"}),
        (502, None),
        (504, None),
    ],
)
def test_a_status_fault_answers_in_the_services_words_and_applies_nothing(sandbox, code: int, body: object) -> None:
    sandbox.fault("status", value=code, times=1)
    answer = sandbox.call("POST", "/Stays", STAY)
    assert answer.status_code == code
    assert (answer.json() if answer.text else None) == body
    assert journal(sandbox)[-1]["status"] == code
    assert sandbox.table("Stays").all() == []
    assert sandbox.call("POST", "/Stays", STAY).status_code == 200


def test_a_status_fault_may_carry_a_header(sandbox) -> None:
    sandbox.fault("status", value="503 Retry-After: 7", times=1)
    sandbox.fault("status", value="502 X-Cut: no", times=1)
    first, second = (sandbox.call("POST", "/Stays", STAY) for _ in range(2))
    assert (first.status_code, first.headers["Retry-After"]) == (503, "7")
    assert first.json()["error"]["type"] == "RETRIABLE_ERROR"
    assert (second.status_code, second.headers["X-Cut"]) == (502, "no")


def test_a_dropped_line_before_the_commit_loses_the_request(sandbox) -> None:
    sandbox.fault("drop-before", times=1)
    with pytest.raises(requests.ConnectionError):
        sandbox.table("Stays").create({"UID": "a"})
    assert journal(sandbox)[-1]["status"] is None
    assert sandbox.table("Stays").all() == []


def test_a_dropped_line_after_the_commit_keeps_the_row(sandbox) -> None:
    sandbox.fault("drop-after-commit", times=1)
    with pytest.raises(requests.ConnectionError):
        sandbox.table("Stays").create({"UID": "a"})
    assert [one["fields"] for one in sandbox.table("Stays").all()] == [{"UID": "a"}]


def test_default_retries_after_dropped_lines_make_the_row_again_and_again(sandbox) -> None:
    sandbox.fault("drop-after-commit", times=2)
    eager = retrying.retry_strategy(total=5, backoff_factor=0)
    sandbox.api.session.mount("http://", requests.adapters.HTTPAdapter(max_retries=eager))
    sandbox.table("Stays").create({"UID": "a"})
    assert len(sandbox.table("Stays").all()) == 3


def test_a_truncated_answer_ends_in_the_middle(sandbox) -> None:
    sandbox.fault("truncate", times=1)
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        sandbox.call("POST", "/Stays", STAY)
    assert len(sandbox.table("Stays").all()) == 1


def test_an_html_fault_looks_like_success(sandbox) -> None:
    sandbox.fault("html", times=1)
    answer = sandbox.call("POST", "/Stays", STAY)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert "Sign in" in answer.text
    assert sandbox.table("Stays").all() == []


def test_latency_delays_and_then_answers(sandbox) -> None:
    sandbox.fault("latency", value=0.05, times=1)
    started = time.monotonic()
    assert sandbox.call("POST", "/Stays", STAY).status_code == 200
    assert time.monotonic() - started >= 0.05


def test_rate_limit_faults_come_of_the_second_or_of_the_month(sandbox) -> None:
    sandbox.fault("rate-limit", times=1)
    sandbox.fault("rate-limit", times=1, value="billing")
    sandbox.fault("rate-limit", times=1, value="Retry-After: 7")
    first, second, third = (sandbox.call("POST", "/Stays", STAY) for _ in range(3))
    assert [one.status_code for one in (first, second, third)] == [429, 429, 429]
    assert first.json()["errors"][0]["error"] == "RATE_LIMIT_REACHED"
    assert second.json()["errors"][0]["error"] == "PUBLIC_API_BILLING_LIMIT_EXCEEDED"
    assert (first.headers.get("Retry-After"), third.headers["Retry-After"]) == (None, "7")
    assert sandbox.table("Stays").all() == []


def test_the_monthly_cap_never_touches_meta(sandbox) -> None:
    sandbox.fault("rate-limit", value="billing", method="GET")
    assert sandbox.call("GET", "/Stays").status_code == 429
    assert sandbox.base.schema(force=True).tables


def test_a_fault_hits_only_its_method_path_and_times(sandbox) -> None:
    sandbox.fault("status", value=503, path="/Homes$", times=1)
    assert sandbox.call("POST", "/Stays", STAY).status_code == 200
    assert sandbox.call("GET", "/Homes").status_code == 200
    assert sandbox.control("GET", "/faults").json()["faults"][0]["times"] == 1
    assert sandbox.call("POST", "/Homes", {"fields": {}}).status_code == 503
    assert sandbox.call("POST", "/Homes", {"fields": {}}).status_code == 200


def test_a_fault_without_times_lasts_until_it_is_cleared(sandbox) -> None:
    sandbox.control("POST", "/faults", {"mode": "status", "value": 500})
    assert [sandbox.call("GET", "/Stays").status_code for _ in range(3)] == [500, 500, 500]
    assert sandbox.control("DELETE", "/faults").json() == {"faults": []}
    assert sandbox.call("GET", "/Stays").status_code == 200


@pytest.mark.parametrize(
    "order",
    [
        [],
        {"mode": "explode"},
        {"mode": "status"},
        {"mode": "status", "value": 99},
        {"mode": "status", "value": "503 Retry-After"},
        {"mode": "status", "value": "503 : 7"},
        {"mode": "status", "value": "soon Retry-After: 7"},
        {"mode": "latency"},
        {"mode": "latency", "value": "long"},
        {"mode": "html", "path": "("},
        {"mode": "html", "times": "often"},
    ],
)
def test_a_fault_that_cannot_be_meant_is_refused(sandbox, order: object) -> None:
    answer = sandbox.control("POST", "/faults", order)
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_rows_are_seeded_edited_dumped_and_deleted_outside_every_limit(sandbox) -> None:
    sandbox.control("POST", "/limits", {"enforce": True})
    known = {"id": "recKnown000000001", "fields": {"UID": "k"}, "createdTime": "2026-01-02T03:04:05.000Z"}
    order = {"base_id": sandbox.base_id, "table": "Stays", "records": [known, STAY]}
    first, second = sandbox.control("POST", "/records", order).json()["ids"]
    assert first == "recKnown000000001"
    edit = {**order, "records": [{"id": second, "fields": {"Count": 5}}]}
    assert sandbox.control("PATCH", "/records", edit).status_code == 200
    dumped = sandbox.control("GET", "/records", base_id=sandbox.base_id, table="Stays").json()["records"]
    assert dumped[0] == {"id": first, "createdTime": "2026-01-02T03:04:05.000Z", "fields": {"UID": "k"}}
    assert dumped[1]["fields"] == {"UID": "a", "Count": 5}
    gone = {**order, "records": [{"id": first}]}
    assert sandbox.control("DELETE", "/records", gone).json() == {"ids": [first]}
    assert len(sandbox.table("Stays").all()) == 1
    assert [one["method"] for one in journal(sandbox)] == ["GET"]


@pytest.mark.parametrize(
    ("path", "order", "status"),
    [
        ("/records", {"base_id": "appNobody00000001", "table": "Stays", "records": []}, 400),
        ("/records", {"base_id": "appDevBase0000001", "table": "Nowhere", "records": []}, 400),
        ("/records", {"base_id": "appDevBase0000001", "table": "Stays", "records": 1}, 400),
        ("/records", {"base_id": "appDevBase0000001", "table": "Stays", "records": [1]}, 422),
        ("/records", {"base_id": "appDevBase0000001", "table": "Stays", "records": [{"fields": {"Zed": 1}}]}, 422),
        ("/records", {"base_id": "appDevBase0000001", "table": "Stays", "records": [{"createdTime": "soon"}]}, 400),
        ("/schema", {"base_id": "appNobody00000001", "tables": []}, 400),
    ],
)
def test_an_order_that_cannot_be_carried_out_is_refused(sandbox, path: str, order: object, status: int) -> None:
    assert sandbox.control("POST", path, order).status_code == status


def test_a_reset_empties_everything_but_the_credentials(sandbox) -> None:
    stay = sandbox.seed("Stays", {"UID": "a"})[0]
    sandbox.table("Stays").add_comment(stay, "hello")
    sandbox.fault("html")
    following = sandbox.control("GET", "/requests").json()["next"]
    assert sandbox.control("POST", "/reset").status_code == 200
    assert sandbox.base.schema(force=True).tables == []
    assert sandbox.api.whoami()["id"].startswith("usr")
    assert [one["n"] for one in journal(sandbox)] == [following, following + 1]
    assert sandbox.control("GET", "/limits").json()["enforce"] is False


def test_an_unknown_control_call_is_not_found(sandbox) -> None:
    assert sandbox.control("GET", "/unheard-of").status_code == 404
