"""How often an address may ask (X-4), keys and their tokens (J-104), and the API's description of itself."""

from __future__ import annotations

import json

import pytest

from changeover.core.job_action import Action
from changeover.settings.inbound import Inbound
from changeover.web import assets, limits
from changeover.web.keys import Verdict, button_token, judge_key, judge_token
from changeover.web.limits import Limits
from changeover.web.openapi import document
from changeover.web.schemas import FailureAnswer, JobAnswer
from plugins.asking import ENV, KEY, OTHER_KEY, STAY, TOKEN, done


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


# -- the counts ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "most", "seconds"), [("/api/dev/runs", 100, 60), ("/button/x", 30, 60), ("/sign-in", 10, 60)]
)
def test_an_address_may_ask_so_often_a_minute_and_then_must_wait(path, most, seconds):
    clock = Clock()
    counted = Limits(clock)
    assert [counted.wait(path, "203.0.113.5") for _ in range(most)] == [None] * most
    clock.now += 15
    assert counted.wait(path, "203.0.113.5") == seconds - 15
    assert counted.wait(path, "203.0.113.6") is None
    clock.now += seconds - 15
    assert counted.wait(path, "203.0.113.5") is None


def test_webhooks_and_direct_calls_have_no_limit():
    counted = Limits(Clock())
    assert [counted.wait("/webhooks/hcp", "203.0.113.5") for _ in range(300)] == [None] * 300
    assert [counted.wait("/api/dev/runs", None) for _ in range(300)] == [None] * 300


def test_ten_failures_in_ten_minutes_shut_an_address_out_of_all_of_them():
    clock = Clock()
    counted = Limits(clock)
    for _ in range(10):
        assert counted.wait("/api/", "203.0.113.5") is None
        counted.failed("203.0.113.5")
        clock.now += 1
    counted.failed(None)
    assert counted.wait("/button/", "203.0.113.5") == 590
    assert counted.wait("/button/", "203.0.113.6") is None
    clock.now += 590
    assert counted.wait("/button/", "203.0.113.5") is None


def test_of_very_many_addresses_the_longest_silent_is_forgotten(monkeypatch):
    monkeypatch.setattr(limits, "_MOST_ADDRESSES", 3)
    counted = Limits(Clock())
    for _ in range(30):
        counted.wait("/button/", "203.0.113.5")
    assert counted.wait("/button/", "203.0.113.5") is not None
    for each in range(4):
        counted.wait("/button/", f"203.0.113.1{each}")
    assert counted.wait("/button/", "203.0.113.5") is None


# -- whom they count -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("peer", "said", "counted"),
    [
        ("127.0.0.1", None, None),
        ("::1", None, None),
        ("", None, None),
        ("127.0.0.1", "203.0.113.5", "203.0.113.5"),
        ("127.0.0.1", "198.51.100.1, 203.0.113.5", "203.0.113.5"),
        ("10.1.2.3", "203.0.113.5", "203.0.113.5"),
        ("127.0.0.1", "not an address", None),
        ("8.8.8.8", "203.0.113.5", "8.8.8.8"),
        ("8.8.8.8", None, "8.8.8.8"),
        ("127.0.0.1", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("127.0.0.1", "::ffff:203.0.113.5", "203.0.113.5"),
    ],
)
def test_an_address_is_the_one_our_proxy_says_and_nobody_elses_word_counts(desk, peer, said, counted):
    """Z-20."""
    headers = {} if said is None else {"X-Forwarded-For": said}
    with desk.client.application.test_request_context(headers=headers, environ_base={"REMOTE_ADDR": peer}):
        assert limits.address() == counted


def test_who_guesses_keys_is_shut_out_and_told_when_to_come_back(desk):
    desk.hire()
    guessed = [desk.do(key=f"guess-{each}", X_Forwarded_For="203.0.113.5") for each in range(5)]
    links = [
        desk.client.get(f"/button/{ENV}/create-job?token=x", headers={"X-Forwarded-For": "203.0.113.5"})
        for _ in range(5)
    ]
    assert {each.status_code for each in (*guessed, *links)} == {401}
    shut = desk.do(X_Forwarded_For="203.0.113.5")  # with the right key
    assert (shut.status_code, shut.json["code"]) == (429, "rate_limited")
    assert 0 < int(shut.headers["Retry-After"]) <= 600
    assert desk.do(X_Forwarded_For="203.0.113.6").status_code == 200
    assert desk.do().status_code == 200


# -- keys ------------------------------------------------------------------------------------------------------------


def inbound(tmp_path, env: str, key: str) -> Inbound:
    return Inbound(environment=env, home=tmp_path, api_key=key)


def test_during_a_rotation_both_keys_and_the_tokens_of_both_are_right(tmp_path):
    """X-1."""
    own, other = inbound(tmp_path, "dev", "new-key-1, old-key-1"), inbound(tmp_path, "prod", OTHER_KEY)
    for key in ("new-key-1", "old-key-1"):
        assert judge_key(key, own, [other]) is Verdict.FITS
        assert judge_token(button_token(key, "dev"), own, [other]) is Verdict.FITS
        assert judge_token(button_token(key, "prod"), own, [other]) is Verdict.UNKNOWN
    assert judge_key("new-key-1, old-key-1", own, [other]) is Verdict.UNKNOWN
    assert judge_key(OTHER_KEY, own, [other]) is Verdict.ELSEWHERE


def test_a_token_gives_no_key_away_and_is_no_key(desk):
    assert KEY not in TOKEN
    assert desk.do(key=TOKEN).status_code == 401


# -- the description -------------------------------------------------------------------------------------------------


def test_the_description_names_every_route_and_schema_and_needs_no_key(desk):
    answer = desk.client.get("/api/openapi.json")
    assert (answer.status_code, answer.json) == (200, json.loads(json.dumps(document())))
    served = {
        rule.rule.replace("<env>", "{env}").replace("<run_id>", "{runId}")
        for rule in desk.client.application.url_map.iter_rules()
        if rule.rule.startswith("/api/<env>")
    }
    assert set(answer.json["paths"]) == served
    schemas = answer.json["components"]["schemas"]
    text = json.dumps(answer.json)
    named = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert named <= set(schemas)
    assert schemas["RecordBody"]["additionalProperties"] is False


def test_answers_are_as_they_are_described(desk):
    JobAnswer.model_validate(done(Action.CREATE, STAY).to_json(), strict=True, extra="forbid")
    FailureAnswer.model_validate(desk.do(key="no").json, strict=True, extra="forbid")
    described = document()["paths"]["/api/{env}/create-job"]["post"]["responses"]
    assert {int(each) for each in described} == {200, 400, 401, 403, 404, 405, 409, 413, 422, 423, 429, 500, 502, 503}


# -- files of pages --------------------------------------------------------------------------------------------------


def test_a_file_is_served_for_a_year_under_a_name_of_its_content_and_under_no_other(desk):
    address = assets.asset("button.css")
    found = desk.client.get(address)
    assert (found.status_code, found.mimetype) == (200, "text/css")
    assert "immutable" in found.headers["Cache-Control"]
    wrong = ("/static/button.css", "/static/button.000000000000.css", "/static/..%2fapp.py", "/static/")
    assert [desk.client.get(each).status_code for each in wrong] == [404] * 4
