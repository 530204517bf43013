"""The API by itself: keys, bodies, joining, waiting, stops, runs (J-104 … J-106)."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from changeover.engine import names
from changeover.engine.jobs.operations import Answer
from changeover.engine.stop import Stop, StopLevel
from changeover.store import facts, plans, runs
from changeover.store.runs import Ending, Run, RunState, Trigger
from changeover.web import api
from plugins.asking import ENV, KEY, OTHER_KEY, STAY, done, until

ACTIONS = ("create-job", "update-schedule", "delete-schedule", "update-service-line")


# -- who may ask (J-104) ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "status", "code"),
    [
        (None, 401, "unauthorized"),
        ("", 401, "unauthorized"),
        ("nobody's", 401, "unauthorized"),
        (KEY[:-1], 401, "unauthorized"),
        ("ключ".encode().decode("latin-1"), 401, "unauthorized"),
        (OTHER_KEY, 403, "wrong_environment"),
    ],
)
def test_only_the_environments_own_key_opens_it(desk, key, status, code):
    """JX-50, Z-26: no key for both."""
    for answer in (desk.do(key=key), desk.post("runs", {}, key=key), desk.post("jobs/reconcile", {}, key=key)):
        assert (answer.status_code, answer.json["code"], answer.json["success"]) == (status, code, False)
    assert desk.operations() == ()
    assert answer.json["request_id"] == answer.headers["X-Request-Id"]


def test_an_environment_that_is_not_served_and_another_method_are_no_success(desk):
    """Z-31."""
    assert desk.client.post("/api/staging/create-job", json={}).status_code == 404
    assert desk.client.get(f"/api/{ENV}/create-job").status_code == 405
    assert desk.client.options(f"/api/{ENV}/create-job").status_code == 405
    assert desk.get("runs/run-nobody").status_code == 404


# -- what may be asked (X-5) -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "not_found"),
        (b"{}", 400, "not_found"),
        (b"[]", 400, "not_found"),
        (b'{"recordId": 5}', 400, "not_found"),
        (b'{"recordId": null}', 400, "not_found"),
        (b'{"record', 400, "not_found"),
        (b"\xff\xfe", 400, "not_found"),
        (b"[" * 100_000, 400, "not_found"),
        (b'{"recordId": "recSTAY0000000001", "force": true}', 400, "bad_request"),
        (b'{"recordId": ""}', 404, "not_found"),
        (b'{"recordId": "recSTAY00000000012"}', 404, "not_found"),
        (b'{"recordId": "rec\' OR 1=1 --000"}', 404, "not_found"),
        (b'{"recordId": "' + b"r" * 201 + b'"}', 400, "not_found"),
        (b"{" + b" " * (1 << 20) + b"}", 413, "too_large"),
    ],
)
def test_a_body_that_names_no_row_does_nothing(desk, body, status, code):
    """J-16, J-106, JX-54: what is no id reaches neither the base nor a formula."""
    answer = desk.client.post(f"/api/{ENV}/create-job", data=body, headers={"X-API-Key": KEY})
    assert (answer.status_code, answer.json["code"]) == (status, code)
    assert desk.operations() == ()


# -- answers ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", ACTIONS)
def test_an_action_is_done_by_the_worker_and_answered_as_it_says(desk, action):
    clerk = desk.hire()
    answer = desk.do(action)
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    assert answer.json == done(action, STAY).to_json()
    assert clerk.asked == [(action, STAY)]
    assert desk.operations()[0].who == "api"


@pytest.mark.parametrize(
    ("code", "http", "after"),
    [
        ("no_service_time", 422, None),
        ("address_mismatch", 409, None),
        ("multi_visit", 409, None),
        ("rate_limited", 429, 30),
        ("hcp_error", 502, None),
        ("airtable_error", 502, None),
        ("stopped", 423, None),
    ],
)
def test_a_refusal_has_its_word_its_sentence_and_its_status(desk, code, http, after):
    desk.hire(lambda *_: Answer(False, ENV, code=code, error="It is so.", http=http, after=after))
    answer = desk.do()
    assert (answer.status_code, answer.json["code"], answer.json["error"]) == (http, code, "It is so.")
    assert answer.headers.get("Retry-After") == (None if after is None else str(after))


def test_a_fault_of_ours_is_told_without_its_text(desk):
    def breaks(*_: object) -> Answer:
        raise RuntimeError("the inside")

    desk.hire(breaks)
    answer = desk.do()
    assert (answer.status_code, answer.json["code"]) == (500, "internal_error")
    assert "inside" not in answer.text


# -- joining, waiting (J-105) ----------------------------------------------------------------------------------------


def test_a_double_click_is_one_operation_with_one_answer_and_another_action_is_busy(desk):
    """JX-4."""
    go, begun = threading.Event(), threading.Event()

    def slow(action: str, record_id: str) -> Answer:
        begun.set()
        go.wait(10)
        return done(action, record_id)

    clerk = desk.hire(slow)
    with ThreadPoolExecutor(2) as pool:
        both = [pool.submit(desk.do) for _ in range(2)]
        begun.wait(10)
        other = desk.do("delete-schedule")
        assert (other.status_code, other.json["code"], other.headers["Retry-After"]) == (409, "busy", "5")
        assert desk.do(record_id="recOTHER000000001", key="no").status_code == 401
        go.set()
        answers = [each.result() for each in both]
    assert [each.json["jobId"] for each in answers] == [f"job_of_{STAY}"] * 2
    assert clerk.asked == [("create-job", STAY)]


def test_without_a_worker_it_is_said_at_once_and_kept_for_the_next_who_joins(desk):
    first = desk.do()
    assert (first.status_code, first.json["code"], first.headers["Retry-After"]) == (503, "busy", "5")
    clerk = desk.hire()
    assert desk.do().status_code == 200
    until(lambda: len(clerk.asked) >= 1)
    assert clerk.asked[0] == ("create-job", STAY)


def test_who_waits_too_long_is_told_so_and_may_ask_again(desk, monkeypatch):
    monkeypatch.setattr(api, "WAIT_SECONDS", 0.05)
    go = threading.Event()
    desk.hire(lambda *given: (go.wait(10), done(*given))[1])
    assert desk.do().status_code == 503
    go.set()
    monkeypatch.setattr(api, "WAIT_SECONDS", 10.0)
    assert desk.do().status_code == 200


def test_a_server_that_is_to_end_lets_nobody_wait(desk):
    with desk.database.begin() as connection:
        facts.put(connection, f"{names.WORKER_BEAT}here", True, datetime.now(UTC))
    desk.deployment.stopping.set()
    assert desk.do().status_code == 503


def test_a_worker_silent_for_a_minute_is_none(desk):
    with desk.database.begin() as connection:
        facts.put(connection, f"{names.WORKER_BEAT}here", True, datetime.now(UTC) - timedelta(seconds=61))
    assert desk.do().status_code == 503


def test_those_who_wait_leave_half_of_the_threads_to_mails_and_webhooks(desk):
    go, waiting = threading.Event(), []

    def slow(action: str, record_id: str) -> Answer:
        go.wait(10)
        return done(action, record_id)

    desk.hire(slow)
    with ThreadPoolExecutor(4) as pool:
        waiting = [pool.submit(desk.do, record_id=f"recSTAY000000000{each}") for each in range(4)]
        until(lambda: len(desk.operations()) == 4)
        time.sleep(0.05)  # the last of them is on its way from its row to its wait
        fifth = desk.do(record_id="recSTAY0000000009")
        assert (fifth.status_code, fifth.json["code"]) == (503, "busy")
        go.set()
        assert [each.result().status_code for each in waiting] == [200] * 4


def test_a_request_that_cannot_be_stored_is_to_be_repeated(desk, monkeypatch):
    monkeypatch.setattr(desk.deployment.sites[ENV]._writer, "_patience", 0.05)
    with desk.database.begin():  # as long as another writes
        answers = desk.do(), desk.post("runs", {})
    assert [(each.status_code, each.json["code"], each.headers["Retry-After"]) for each in answers] == [
        (503, "busy", "5"),
        (503, "busy", "5"),
    ]


# -- the emergency stop (E-2, E-4) -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("level", "click", "run", "rehearsal"),
    [
        (StopLevel.PAUSE, 200, 423, 423),
        (StopLevel.READ_ONLY, 423, 423, 202),
        (StopLevel.FULL, 423, 423, 423),
    ],
)
def test_a_stop_forbids_what_its_level_says_and_gives_the_reason(desk, level, click, run, rehearsal):
    desk.hire()
    desk.switch.set(Stop(level, "the roof leaks"))
    asked = desk.do(), desk.post("runs", {}), desk.post("jobs/reconcile", {"mode": "dry_run"})
    assert [each.status_code for each in asked] == [click, run, rehearsal]
    assert desk.post("jobs/reconcile", {"mode": "execute"}).status_code == 423
    for each in asked:
        if each.status_code == 423:
            assert (each.json["code"], "the roof leaks" in each.json["error"]) == ("stopped", True)
    assert desk.get("runs/run-nobody").status_code == 404  # looking is free


# -- runs (C-52) -----------------------------------------------------------------------------------------------------


def test_a_run_is_queued_once_per_automation_and_told_by_its_id(desk):
    one = desk.post("runs", {"automation": " csv FILES "})
    assert one.status_code == 202
    assert desk.post("runs", {"automation": "CSV Files"}).json["id"] == one.json["id"]
    other = desk.post("runs", {"automation": "Evolve"}).json["id"]
    assert other != one.json["id"]
    told = desk.get(f"runs/{one.json['id']}").json
    assert (told["state"], told["runs"][0]["automation"], told["runs"][0]["startedAt"]) == ("queued", "CSV Files", None)
    assert told["result"] is None


def test_a_whole_cycle_is_one_queued_run_of_each_automation(desk):
    cycle = desk.client.post(f"/api/{ENV}/runs", headers={"X-API-Key": KEY}).json["id"]
    assert desk.post("runs", {"automation": None}).json["id"] == cycle
    told = desk.get(f"runs/{cycle}").json
    assert [each["automation"] for each in told["runs"]] == list(names.AUTOMATIONS)
    of_it = next(each["id"] for each in told["runs"] if each["automation"] == "Evolve")
    assert desk.post("runs", {"automation": "Evolve"}).json["id"] == of_it


def test_a_search_for_links_is_a_rehearsal_unless_told_otherwise(desk):
    asked = [desk.post("jobs/reconcile", body).json["id"] for body in ({}, {"mode": "dry_run", "limit": 50.0})]
    assert asked[0] == asked[1]
    told = desk.get(f"runs/{asked[0]}").json
    assert (told["runs"][0]["dryRun"], told["runs"][0]["automation"]) == (True, names.RECONCILIATION)
    real = desk.post("jobs/reconcile", {"mode": "execute", "limit": 3}).json["id"]
    assert real not in (asked[0], desk.post("runs", {"automation": names.RECONCILIATION}).json["id"])


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("runs", {"automation": "Everything"}, 404),
        ("runs", {"automation": 5}, 400),
        ("runs", {"only": "Evolve"}, 400),
        ("runs", [], 400),
        ("jobs/reconcile", {"mode": "real"}, 400),
        ("jobs/reconcile", {"limit": 0}, 400),
        ("jobs/reconcile", {"limit": "50"}, 400),
    ],
)
def test_a_run_that_nobody_can_mean_is_refused(desk, path, body, status):
    answer = desk.post(path, body)
    assert (answer.status_code, answer.json["success"]) == (status, False)


def finished(state: RunState, automation: str = "Evolve", **more: object) -> Run:
    at = datetime(2026, 3, 4, 15, tzinfo=UTC)
    given = {"id": f"run-{automation}-{state}", "cycle": "run-cycle", "env": ENV, "trigger": Trigger.CRON} | more
    return Run(automation=automation, state=state, started_at=at, version="1", host="h", pid=1, **given)


@pytest.mark.parametrize(
    ("states", "whole"),
    [
        (["queued", "queued"], "queued"),
        (["succeeded", "queued"], "running"),
        (["succeeded", "running"], "running"),
        (["succeeded", "succeeded"], "succeeded"),
        (["succeeded", "disabled"], "succeeded"),
        (["disabled", "disabled"], "disabled"),
        (["succeeded", "failed"], "partial"),
        (["failed", "timed_out"], "failed"),
    ],
)
def test_the_state_of_a_cycle_is_never_better_than_its_runs(desk, states, whole):
    with desk.database.begin() as connection:
        for number, state in enumerate(states):
            runs.add(connection, finished(RunState(state), names.AUTOMATIONS[number]))
    assert desk.get("runs/run-cycle").json["state"] == whole


def test_a_run_tells_its_counters_its_error_and_what_it_found(desk):
    run, ended = finished(RunState.RUNNING, names.RECONCILIATION), datetime(2026, 3, 4, 15, 1, tzinfo=UTC)
    with desk.database.begin() as connection:
        runs.add(connection, run)
        runs.finish(
            connection, run.id, Ending(RunState.PARTIAL, ended, {"linked": 2}, "hcp_error", "It did not answer")
        )
        plans.keep(connection, run.id, {"mode": "execute", "summary": {"total": 3}}, ended)
    told = desk.get(f"runs/{run.id}").json
    assert told["result"] == {"mode": "execute", "summary": {"total": 3}}
    assert told["runs"][0] | {"id": run.id} == told["runs"][0]
    assert (told["state"], told["runs"][0]["counters"], told["runs"][0]["error"]) == (
        "partial",
        {"linked": 2},
        {"code": "hcp_error", "message": "It did not answer"},
    )
    assert (told["runs"][0]["startedAt"], told["runs"][0]["endedAt"]) == (
        "2026-03-04T15:00:00+00:00",
        "2026-03-04T15:01:00+00:00",
    )
