"""The base's scripts, run by node against a real server, with a stand-in of Airtable's scripting objects (J-107)."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

from changeover.engine.stop import Stop, StopLevel
from changeover.web.remedies import REMEDIES
from plugins.asking import ENV, KEY, Counter

SCRIPTS = Path(__file__).resolve().parents[3] / "deploy" / "airtable"
AIRTABLE = Path(__file__).with_name("airtable.mjs")
JOBS = ("create-job", "update-schedule", "delete-schedule", "update-service-line")
NAMES = (*JOBS, "reconcile-jobs", "run-now")
COMMON = "// ---- the same in all scripts from here on ----\n"

needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="no node here: the base's scripts were not run")


def text_of(name: str) -> str:
    return (SCRIPTS / f"{name}.js").read_text()


def run(counter: Counter, name: str, record: str | None = None, press: str = "Yes", **settings: str) -> dict:
    """As a button in a scripting extension."""
    given = {"server": counter.url, "environment": ENV, "apiKey": KEY, **settings}
    return node(name, {"settings": given, "record": record, "press": press})


def automated(counter: Counter, name: str, **variables: object) -> dict:
    given = {"server": counter.url, "environment": ENV, **variables}
    return node(name, {"automation": True, "variables": given, "secrets": {"apiKey": KEY}})


def node(name: str, world: dict) -> dict:
    command = ["node", str(AIRTABLE), str(SCRIPTS / f"{name}.js"), json.dumps(world)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    return json.loads(done.stdout)


def stay(counter: Counter, **cells: object) -> str:
    """One of a home of its own, so that no test sees another's job."""
    return counter.business.stay(counter.business.home(), **cells)


def test_there_is_one_script_for_each_action_and_they_differ_in_their_head_alone():
    assert sorted(each.stem for each in SCRIPTS.glob("*.js")) == sorted(NAMES)
    assert len({text_of(name).split(COMMON)[1] for name in NAMES}) == 1


def test_scripts_know_a_remedy_for_every_word_of_the_api_and_hold_no_key():
    """JX-50."""
    common = text_of("create-job").split(COMMON)[1]
    assert json.loads(re.search(r"const REMEDIES = (\{.*?\n\});", common, re.DOTALL)[1]) == REMEDIES
    assert not re.search(r"apiKey\w*\s*[:=]\s*[\"'`]", common)


@needs_node
def test_the_button_creates_a_job_and_prints_all_that_came_of_it(counter):
    """JX-1: what lies in the folder is what runs."""
    record = stay(counter)
    told = run(counter, "create-job", record)
    job = counter.business.job_of(record)
    assert told["failed"] is None
    said = "\n".join(told["said"]).replace("\\", "")
    for shown in (job["id"], "Turnover STR Next Guest Unknown", "Sync Status: Synced", "Schedules in sync", "10:15"):
        assert shown in said
    assert [each["key"] for each in told["settings"]] == ["server", "environment", "apiKey"]


@needs_node
def test_a_refusal_is_printed_with_its_word_its_sentence_and_what_to_do(counter):
    told = run(counter, "create-job", stay(counter, Service_Type="No Service"))
    said = "\n".join(told["said"]).replace("\\", "")
    assert "not_eligible" in said
    assert "Service Type No Service gets no job." in said
    assert REMEDIES["not_eligible"] in said


@needs_node
def test_a_schedule_is_deleted_only_by_who_says_yes_and_then_moved_back_and_renamed(counter):
    record = stay(counter)
    run(counter, "create-job", record)
    assert run(counter, "delete-schedule", record, press="No")["said"] == ["Not confirmed; nothing was done."]
    assert counter.business.job_of(record)["schedule"]["scheduled_start"] is not None
    run(counter, "delete-schedule", record)
    assert counter.business.job_of(record)["schedule"]["scheduled_start"] is None
    run(counter, "update-schedule", record)
    assert counter.business.job_of(record)["schedule"]["scheduled_start"] is not None
    counter.business.edit(record, Custom_Service_Line_Instructions="Check hot tub")
    told = run(counter, "update-service-line", record)
    assert "Check hot tub - Turnover" in "\n".join(told["said"]).replace("\\", "")


@needs_node
@pytest.mark.parametrize(
    ("settings", "said", "calls"),
    [
        ({"apiKey": "of-nobody"}, "unauthorized", 1),
        ({"apiKey": ""}, "unauthorized", 1),
        ({"server": "http://changeover.example"}, "The setting Server must be", 0),
        ({"server": "https://changeover.example/api/"}, "The setting Server must be", 0),
        ({"environment": "staging"}, "must be dev or prod", 0),
        ({"server": "http://127.0.0.1:9"}, "❌", 1),
    ],
)
def test_wrong_settings_are_said_and_no_key_is_printed(counter, settings, said, calls):
    told = run(counter, "create-job", "recNOBODY00000001", **settings)
    assert (said in "\n".join(told["said"]), told["calls"], told["failed"]) == (True, calls, None)
    assert KEY not in json.dumps(told)


@needs_node
def test_without_a_row_nothing_is_sent(counter):
    told = run(counter, "create-job", None)
    assert (told["said"], told["calls"]) == (["No row was chosen; nothing was done."], 0)


@needs_node
def test_an_automation_sends_the_row_that_started_it_and_sets_what_came_of_it(counter):
    record = stay(counter)
    assert automated(counter, "create-job", recordId=record)["set"] == {"success": True, "code": ""}
    assert automated(counter, "delete-schedule", recordId=record)["said"] == ["Not confirmed; nothing was done."]
    assert automated(counter, "delete-schedule", recordId=record, confirmed="yes")["set"]["success"] is True
    other = automated(counter, "create-job", recordId="recNOBODY00000001")
    assert other["set"] == {"success": False, "code": "not_found"}
    wrong = automated(counter, "create-job", recordId=record, environment="both")
    assert "dev or prod" in wrong["failed"]  # so that the automation shows as failed


@needs_node
def test_a_stop_is_told_with_its_reason(counter):
    switch = counter.business.desk.switch
    switch.set(Stop(StopLevel.READ_ONLY, "the roof leaks"))
    try:
        told = run(counter, "run-now")
    finally:
        switch.clear()
    assert "the roof leaks" in "\n".join(told["said"])


@needs_node
def test_an_automation_queues_a_run_once_however_often_it_asks(counter):
    first, second = (automated(counter, "run-now") for _ in range(2))
    assert first["said"] == second["said"]
    assert "run-" in "\n".join(first["said"])
    assert "run-" in "\n".join(automated(counter, "reconcile-jobs")["said"])


@pytest.fixture
def answering() -> Iterator[Answering]:
    server = Answering()
    yield server
    server.close()


class Answering:
    """A server that gives these answers, one after the other."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, object]] = []
        self.asked: list[str] = []
        self._server = make_server("127.0.0.1", 0, Request.application(self._answer))
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def _answer(self, request: Request) -> Response:
        self.asked.append(f"{request.method} {request.path}")
        status, body = self.answers.pop(0)
        return Response(body if isinstance(body, str) else json.dumps(body), status)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@needs_node
def test_a_button_asks_a_busy_server_again_and_an_automation_that_may_not_wait_does_not(answering):
    busy = (503, {"success": False, "code": "busy", "error": "Under way."})
    answering.answers = [busy, busy, (200, {"success": True, "jobId": "job_1"})]
    assert "Job: job\\_1" in run(answering, "create-job", "recSTAY0000000001")["said"]
    answering.answers = [busy]
    assert automated(answering, "create-job", recordId="recSTAY0000000001")["set"]["code"] == "busy"
    assert answering.asked == ["POST /api/dev/create-job"] * 4


@needs_node
def test_a_button_follows_a_run_to_its_end(answering):
    states = [{"success": True, "id": "run-1", "state": state, "result": None} for state in ("queued", "running")]
    done = {"success": True, "id": "run-1", "state": "succeeded", "result": {"mode": "dry_run"}}
    answering.answers = [(202, {"success": True, "id": "run-1"}), *((200, each) for each in (*states, done))]
    told = run(answering, "reconcile-jobs")
    assert answering.asked == ["POST /api/dev/jobs/reconcile", *["GET /api/dev/runs/run-1"] * 3]
    assert "✅ Reconcile jobs: succeeded" in told["said"]
    assert 'Found: \\{"mode":"dry\\_run"\\}' in told["said"]


@needs_node
def test_a_run_that_failed_is_not_shown_as_success(answering):
    part = {"automation": "CSV Files", "error": {"code": "csv_rejected", "message": "a.csv: no header"}}
    failed = {"success": True, "id": "run-1", "state": "failed", "runs": [part]}
    answering.answers = [(202, {"success": True, "id": "run-1"}), (200, failed)]
    said = run(answering, "run-now")["said"]
    assert {"❌ Run now: failed", "CSV Files: a.csv: no header"} <= set(said)
    answering.answers = [(202, {"success": True, "id": "run-1"}), (200, failed | {"state": "disabled", "runs": []})]
    assert "⚠️ Run now: disabled" in run(answering, "run-now")["said"]


@needs_node
def test_what_is_no_answer_of_ours_is_not_taken_for_one(answering):
    answering.answers = [(502, "<h1>Bad Gateway</h1>")]
    assert "answered 502" in "\n".join(run(answering, "create-job", "recSTAY0000000001")["said"])
