"""Each command against a real base over HTTP: what it says, how it exits, and that it does nothing else."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from urllib.request import Request, urlopen
from zoneinfo import ZoneInfo

import pytest

from changeover.airtable import mirror
from changeover.core.stay import Hold
from changeover.engine.automations import AUTOMATIONS
from changeover.engine.stop import StopSwitch
from changeover.settings import load
from changeover.store import holds, schema
from changeover.store.database import Database


def writes(box, env="dev"):
    """How many writing requests the base of an environment has seen."""
    requests = box.tell("airtable", "GET", "/_sandbox/requests?since=0", None)["requests"]
    base = box.where["airtable"][env]["base_id"]
    return sum(each["method"] != "GET" and base in each["path"] for each in requests)


def calendars(said):
    """The calendars' part of what a run said."""
    return next(each for each in said["automations"] if each["name"] == "ICS Calendar")


def set_lines(box, env, **values):
    path = box.config / f"{env}.env"
    path.write_text(path.read_text() + "".join(f"{name}={value}\n" for name, value in values.items()))


# -- run ----------------------------------------------------------------------------------------------------------


def test_a_runner_file_runs_its_environment_and_says_what_became_of_it(lived_in):
    box, first = lived_in
    assert first.code == 0
    assert first.json["state"] == "succeeded"
    assert first.json["exit_code"] == 0
    automation = calendars(first.json)
    assert [each["name"] for each in first.json["automations"]] == list(AUTOMATIONS)
    assert "4/4 feeds" in automation["text"]
    assert automation["error"] is None
    assert (box.home / "dev" / "identity.json").exists()
    assert not (box.home / "prod" / "state.db").exists()


def test_a_runner_file_takes_no_environment(box):
    answer = box.run("--env", "prod", program=("src/run_automation_dev.py",))
    assert answer.code == 4
    assert "No such option" in answer.err


def test_both_runner_files_are_executable_and_name_their_own_environment():
    for env in ("dev", "prod"):
        path = Path(f"src/run_automation_{env}.py")
        assert path.stat().st_mode & 0o111
        assert f'main("{env}")' in path.read_text()


def test_a_run_with_nothing_new_writes_only_its_report(lived_in):
    box, _ = lived_in
    before = writes(box)
    answer = box.run("run", "--env", "dev")
    assert answer.code == 0
    assert "ICS Calendar" in answer.out
    assert "new 0 (0 res, 0 block)" in answer.out
    assert writes(box) == before + 1


def test_a_dry_run_prints_its_plan_and_writes_nothing(lived_in):  # Z-8
    box, _ = lived_in
    feed = box.tell("feeds", "GET", "/_sandbox/truth", None)["listings"][0]["feeds"][0]["name"]
    came = datetime.now(ZoneInfo("America/Phoenix")).date() + timedelta(days=174)
    went = came + timedelta(days=3)
    event = (
        f"BEGIN:VEVENT\r\nUID:dry-run-1@example.com\r\nDTSTART;VALUE=DATE:{came:%Y%m%d}\r\n"
        f"DTEND;VALUE=DATE:{went:%Y%m%d}\r\nSUMMARY:Reserved\r\nEND:VEVENT\r\n"
    )
    with urlopen(f"{box.where['feeds']['url']}/ics/{feed}.ics", timeout=30) as answer:
        body = answer.read().decode().replace("END:VCALENDAR", f"{event}END:VCALENDAR")
    box.tell("feeds", "PUT", f"/_sandbox/feeds/{feed}", {"body": body, "headers": {"Content-Type": "text/calendar"}})
    before = writes(box)
    as_text = box.run("run", "--env", "dev", "--dry-run")
    now = datetime.now(ZoneInfo("America/Phoenix")).isoformat()
    as_json = box.run("run", "--env", "dev", "--dry-run", "--json", "--at", now)
    box.tell("feeds", "DELETE", f"/_sandbox/feeds/{feed}", None)
    assert as_text.code == as_json.code == 0
    assert f"{came} → {went}" in as_text.out
    assert any(each["check_in"] == came.isoformat() for each in as_json.json["plan"]["changes"])
    assert writes(box) == before


def test_an_unknown_automation_starts_nothing_and_lists_the_valid_names(box):  # Z-8, C-2
    before = writes(box)
    answer = box.run("run", "--env", "dev", "--only", "Nope")
    assert answer.code == 4
    assert "ICS Calendar" in answer.err
    assert writes(box) == before


def test_a_switched_off_automation_is_disabled_and_no_failure(box):  # Z-2
    answer = box.run("run", "--env", "prod", "--json")
    states = {each["name"]: each["state"] for each in answer.json["automations"]}
    assert (answer.code, states["ICS Calendar"]) == (0, "succeeded")
    base = box.where["airtable"]["prod"]
    url = f"/_sandbox/records?base_id={base['base_id']}&table=Automation"
    row = next(
        each for each in box.tell("airtable", "GET", url, None)["records"] if each["fields"]["Name"] == "ICS Calendar"
    )
    _tick(box, "prod", row["id"], active=False)
    try:
        off = box.run("run", "--env", "prod", "--json")
    finally:
        _tick(box, "prod", row["id"], active=True)
    assert off.code == 0
    assert calendars(off.json)["state"] == "disabled"


def _tick(box, env, record, *, active):
    base = box.where["airtable"][env]
    request = Request(
        f"{box.where['airtable']['url']}/v0/{base['base_id']}/Automation/{record}",
        json.dumps({"fields": {"Active": active}}).encode(),
        {"Content-Type": "application/json", "Authorization": f"Bearer {base['api_key']}"},
        method="PATCH",
    )
    with urlopen(request, timeout=30) as answer:
        assert answer.status == 200


def test_the_settings_problems_of_a_run_are_one_list_and_nothing_was_called(box):
    before = box.tell("airtable", "GET", "/_sandbox/requests?since=0", None)["next"]
    set_lines(box, "dev", MISSING_THRESHOLD="many", TIMEZONE="Mars/Olympus")
    as_text = box.run("run", "--env", "dev")
    as_json = box.run("run", "--env", "dev", "--json")
    assert as_text.code == as_json.code == 4
    assert "  MISSING_THRESHOLD: " in as_text.err
    assert "  TIMEZONE: " in as_text.err
    assert [each["name"] for each in as_json.json["problems"]] == ["MISSING_THRESHOLD", "TIMEZONE"]
    assert "many" not in as_text.err + as_json.out
    assert box.tell("airtable", "GET", "/_sandbox/requests?since=0", None)["next"] == before


@pytest.mark.parametrize(
    ("at", "endpoint", "words"),
    [
        ("2026-03-04T08:00:00", None, "offset"),
        ("yesterday", None, "offset"),
        ("2026-03-04T08:00:00-07:00", "https://airtable.example.com", "on this machine"),
    ],
)
def test_the_rehearsal_clock_needs_an_instant_and_stand_ins_only(box, call, at, endpoint, words):
    if endpoint:
        set_lines(box, "dev", AIRTABLE_ENDPOINT_URL=endpoint)
    answer = call(box, "run", "--env", "dev", "--at", at)
    assert answer.code == 4
    assert words in answer.err


def test_variables_of_the_other_environment_are_reported_and_not_used(lived_in):  # Z-23
    box, _ = lived_in
    answer = box.run("run", "--env", "dev", "--only", "Nope", AIRTABLE_API_KEY_PROD="patNOBODYmadeup1")
    assert "settings.foreign_dropped" in answer.err
    assert "AIRTABLE_API_KEY_PROD" in answer.err
    assert "patNOBODY" not in answer.err


def test_logs_and_outputs_of_a_run_hold_no_secret_and_no_feed_url(lived_in):  # L-5, X-13
    box, first = lived_in
    logs = "".join(path.read_text() for path in (box.home / "dev" / "logs").glob("*.jsonl"))
    everything = logs + first.out + first.err
    assert '"event": "cycle.ended"' in logs
    assert box.where["airtable"]["dev"]["api_key"] not in everything
    assert ".ics" not in everything
    assert all("MST" in json.loads(line)["local"] for line in logs.splitlines())  # Z-41


# -- runs, held ---------------------------------------------------------------------------------------------------


def test_runs_are_listed_newest_first_and_shown_one_by_one(lived_in, call):  # Z-42
    box, first = lived_in
    listed = call(box, "runs", "list", "--env", "dev", "--limit", "1000", "--json").json["runs"]
    assert {"id", "automation", "trigger", "state", "started_at", "counters"} <= listed[0].keys()
    assert listed[-1]["id"] == calendars(first.json)["id"]
    assert listed[-1]["trigger"] == "cron"
    assert [each["started_at"] for each in listed] == sorted((each["started_at"] for each in listed), reverse=True)
    shown = call(box, "runs", "show", listed[-1]["id"], "--env", "dev", "--json").json
    assert shown["writes"]["Reservations"] > 0
    assert shown["id"] == listed[-1]["id"]
    text = call(box, "runs", "list", "--env", "dev", "--limit", "1").out
    assert "MST" in text
    assert len(text.splitlines()) == 2
    assert "ICS Calendar" in call(box, "runs", "show", listed[-1]["id"], "--env", "dev").out


def test_before_the_first_run_there_is_nothing_to_list_and_nothing_is_made(box, call):
    assert call(box, "runs", "list", "--env", "dev").out == "Nothing has run yet.\n"
    assert call(box, "held", "list", "--env", "dev").out == "No removal waits for anybody.\n"
    assert call(box, "runs", "list", "--env", "dev", "--json").json == {"runs": []}
    assert call(box, "held", "list", "--env", "dev", "--json").json == {"held": []}
    assert not (box.home / "dev" / "state.db").exists()


def test_a_database_without_tables_counts_as_none(box, call, tmp_path):
    set_lines(box, "dev", DATABASE_URL=f"sqlite:///{tmp_path}/empty.db")
    assert call(box, "runs", "list", "--env", "dev", "--json").json == {"runs": []}


def test_a_run_nobody_knows_is_a_failure(lived_in, call):
    box, _ = lived_in
    answer = call(box, "runs", "show", "run-nobody", "--env", "dev", "--json")
    assert answer.code == 3
    assert "run-nobody" in answer.json["error"]
    assert call(Box_without_store(box), "runs", "show", "run-nobody", "--env", "dev").code == 3


def Box_without_store(box):  # noqa: N802 - reads as the thing it makes
    return replace(box, home=box.home / "elsewhere")


@pytest.mark.parametrize("word", ["approve", "reject"])
def test_a_decision_about_nothing_is_said_and_an_unknown_id_refused(lived_in, call, word):
    box, _ = lived_in
    nothing = call(box, "held", word, "--env", "dev", "--all")
    assert nothing.code == 0
    assert nothing.out.startswith("Nothing ")
    unknown = call(box, "held", word, "--env", "dev", "held-0000000000", "--json")
    assert unknown.code == 4
    assert unknown.json["unknown"] == ["held-0000000000"]


@pytest.mark.parametrize("arguments", [(), ("--all", "held-0000000000")])
def test_a_decision_needs_ids_or_all_and_not_both(box, call, arguments):
    assert call(box, "held", "approve", "--env", "dev", *arguments).code == 4


# -- stop, resume -------------------------------------------------------------------------------------------------


def test_a_stop_holds_the_next_run_until_resumed(box, call):
    stopped = call(box, "stop", "--env", "dev", "--level", "full", "--why", "rehearsal")
    assert stopped.code == 0
    assert "rehearsal" in stopped.out
    refused = box.run("run", "--env", "dev", "--json")
    assert refused.code == 6
    assert "rehearsal" in refused.json["problem"]
    asked = call(box, "resume", "--env", "dev")
    assert asked.code == 4
    assert "--yes" in asked.err
    resumed = call(box, "resume", "--env", "dev", "--yes", "--json")
    assert resumed.json == {"environment": "dev", "level": "none", "waiting": 0}
    assert "is not stopped" in call(box, "resume", "--env", "dev").out


def test_a_person_at_a_terminal_is_asked_before_resuming(box, call, monkeypatch):
    call(box, "stop", "--env", "dev", "--level", "pause", "--why", "rehearsal", "--json")
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("typer.confirm", lambda _: False)
    assert call(box, "resume", "--env", "dev").code == 6
    monkeypatch.setattr("typer.confirm", lambda _: True)
    assert call(box, "resume", "--env", "dev").code == 0


def test_resume_says_how_many_writes_wait(lived_in, call):
    box, _ = lived_in
    assert "0 writes wait" in call(box, "resume", "--env", "dev", "--yes").out


def test_stopping_works_with_broken_settings(box, call):
    set_lines(box, "dev", AIRTABLE_BASE_ID="broken")
    answer = call(box, "stop", "--env", "dev", "--level", "read-only", "--why", "now")
    assert answer.code == 0
    assert "data folder only" in answer.err
    assert StopSwitch(box.home / "dev").state().level == "read-only"


def test_a_database_that_cannot_be_told_is_said(box, call):
    set_lines(box, "dev", DATABASE_URL="postgresql+psycopg://me@127.0.0.1:1/none")
    answer = call(box, "stop", "--env", "dev", "--level", "full", "--why", "now")
    assert answer.code == 2
    assert "other machines go on" in answer.err


@pytest.mark.parametrize(("env", "level"), [("dev", "half"), ("Dev", "full")])
def test_a_wrong_level_or_environment_stops_nothing(box, call, env, level):
    assert call(box, "stop", "--env", env, "--level", level, "--why", "x").code == 4
    assert not list(box.home.rglob("stop.json"))


def test_a_stop_that_cannot_be_written_fails_loudly(box, call):
    box.home.write_text("a file where the folder should be")
    answer = call(box, "stop", "--env", "dev", "--level", "full", "--why", "x")
    assert answer.code == 3


# -- airtable -----------------------------------------------------------------------------------------------------


def test_init_makes_what_is_missing_and_a_second_one_nothing(box, call):
    before = writes(box)
    assert call(box, "airtable", "init", "--env", "dev").out.startswith("Nothing was missing")
    again = call(box, "airtable", "init", "--env", "dev", "--json").json
    assert again["created"] == again["options"] == again["missing_options"] == []
    assert writes(box) == before


def test_check_lists_findings_and_says_whether_anything_stops(box, call):
    answer = call(box, "airtable", "check", "--env", "dev")
    assert answer.code == 0
    assert answer.out.endswith("The base has all that is needed.\n")
    listed = call(box, "airtable", "check", "--env", "dev", "--json").json
    assert listed["stopped"] == []
    assert {each["kind"] for each in listed["findings"]} == {"manual"}


def test_the_other_environments_base_is_refused(box, call):  # Z-24
    prod = box.where["airtable"]["prod"]
    text = (box.config / "dev.env").read_text()
    dev = box.where["airtable"]["dev"]
    (box.config / "prod.env").unlink()
    (box.config / "dev.env").write_text(
        text.replace(dev["base_id"], prod["base_id"]).replace(dev["api_key"], prod["api_key"])
    )
    for command in ("init", "check"):
        answer = call(box, "airtable", command, "--env", "dev")
        assert answer.code == 4
        assert "another base" in answer.err
    assert [each["level"] for each in _checks(call(box, "doctor", "--env", "dev", "--json"), "marker")] == ["fail"]


def test_a_refused_key_exits_4_and_a_base_that_is_away_75(box, call):
    key = box.where["airtable"]["dev"]["api_key"]
    path = box.config / "dev.env"
    good = path.read_text()
    path.write_text(good.replace(key, "patNOBODYmadeup1"))
    answer = call(box, "airtable", "check", "--env", "dev")
    assert answer.code == 4
    assert "AIRTABLE_API_KEY" in answer.err
    path.write_text(good)
    box.tell(
        "airtable", "POST", "/_sandbox/faults", {"method": "GET", "path": "/meta/", "mode": "status", "value": 422}
    )
    try:
        assert call(box, "airtable", "check", "--env", "dev").code == 3
    finally:
        box.tell("airtable", "DELETE", "/_sandbox/faults", None)


# -- doctor -------------------------------------------------------------------------------------------------------


def _checks(answer, name):
    return [each for each in answer.json["checks"] if each["check"] == name]


def test_the_doctor_warns_of_what_is_odd_and_writes_nothing_outside(lived_in, call):
    box, _ = lived_in
    before = writes(box)
    answer = call(box, "doctor", "--env", "dev", "--json")
    assert answer.code == {"ok": 0, "warn": 2}[answer.json["level"]]
    assert {each["check"] for each in answer.json["checks"]} >= {
        "settings",
        "isolation",
        "files",
        "folders",
        "disk",
        "memory",
        "zone",
        "clock",
        "schedule",
        "database",
        "deliveries",
        "stop",
        "airtable",
        "marker",
        "schema",
        "automations",
        "feeds",
        "reservations",
        "budget",
    }
    assert not [each for each in answer.json["checks"] if each["level"] == "fail"]
    assert writes(box) == before
    assert all(each["do"] for each in answer.json["checks"] if each["level"] != "ok")


def test_the_doctor_names_odd_settings_with_the_nearest_known_one(box, call):
    set_lines(box, "dev", MISSING_TRESHOLD="5", QQQ="1")
    text = call(box, "doctor", "--env", "dev").out
    assert "MISSING_TRESHOLD is no setting → did you mean MISSING_THRESHOLD?" in text
    assert "QQQ is no setting → remove it" in text


def test_the_doctor_exits_4_when_the_key_is_refused(box, call):
    key = box.where["airtable"]["dev"]["api_key"]
    path = box.config / "dev.env"
    path.write_text(path.read_text().replace(key, "patNOBODYmadeup1"))
    answer = call(box, "doctor", "--env", "dev", "--json")
    assert answer.code == 4
    assert [each["level"] for each in _checks(answer, "airtable")] == ["fail"]
    assert "patNOBODY" not in answer.out


def test_a_data_folder_that_cannot_be_made_is_a_configuration_problem(box, call):
    box.home.write_text("a file where the folder should be")
    for as_json in ((), ("--json",)):
        answer = call(box, "doctor", "--env", "dev", *as_json)
        assert answer.code == 4
        assert "CHANGEOVER_HOME" in answer.err + answer.out


def test_a_database_of_an_older_release_is_said(lived_in, call, box):
    settings = load("dev", box.variables)
    settings.folder.mkdir(parents=True)
    schema.migrate(settings.state_url)
    database = Database(settings.state_url)
    with database.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0000'")
    database.close()
    answer = call(box, "doctor", "--env", "dev", "--json")
    assert [each["level"] for each in _checks(answer, "database")] == ["warn"]


# -- sandbox ------------------------------------------------------------------------------------------------------


def test_the_sandbox_is_started_as_a_process_and_its_answer_passed_on(tmp_path, box):
    folder = str(tmp_path / "other")
    up = box.run("sandbox", "up", "--dir", folder, "--empty", "--date", "2026-03-04")
    try:
        assert up.code == 0
        assert up.json["config"] == f"{folder}/config"
        assert box.run("sandbox", "status", "--dir", folder, "--json").code == 0
        assert box.run("sandbox", "seed", "--dir", folder, "--feeds", "1").code == 0
    finally:
        down = box.run("sandbox", "down", "--dir", folder)
    assert down.json == {"stopped": True}
    wrong = box.run("sandbox", "up", "--dir", folder, "--date", "never")
    assert wrong.code == 4


def test_a_held_removal_is_listed_decided_by_its_id_and_carried_out_at_once(lived_in, call):
    box, _ = lived_in
    settings = load("dev", box.variables)
    database = Database(settings.state_url)
    with database.begin() as connection:
        row = next(each for each in mirror.reservations(connection) if each.fields["Status"] == "New")
        home = row.fields["Property ID"][0]
        came, went = (date.fromisoformat(row.fields[f"Check-{name} Date"]) for name in ("in", "out"))
        since = datetime.now(ZoneInfo("UTC"))
        holds.replace_all(connection, [Hold("orphan:test", row.id, home, came, went, since)])
    database.close()
    (held,) = call(box, "held", "list", "--env", "dev", "--json").json["held"]
    assert (held["record_id"], held["check_in"], held["decision"]) == (row.id, came.isoformat(), "waiting")
    assert held["property"] != home
    assert held["id"] in call(box, "held", "list", "--env", "dev").out
    answer = box.run("held", "reject", held["id"], "--env", "dev")
    assert answer.code == 0
    assert answer.out.startswith(f"rejected 1: {held['id']}\n")
    assert "ICS Calendar" in answer.out
    assert call(box, "held", "list", "--env", "dev", "--json").json == {"held": []}
