"""`changeover events`: what came in is listed, shown without guests, and worked again (CM-11, R-18)."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from changeover.cli import events as command
from changeover.cli import main
from changeover.settings import load
from changeover.settings.model import Settings
from changeover.store import events, hooks
from changeover.store.database import Database
from changeover.store.events import Event, EventKind, EventState
from plugins.mailbag import now

MAIL = "mail-" + "0" * 32
HOOK = "hcp-" + "3" * 32
JOB = "job_00000000000000000000000000000001"
ROW = "csv-" + "1" * 20
FILE = "csv-" + "2" * 20


@dataclass
class Said:
    """What a command left."""

    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)


def mail(state: EventState, number: int = 0, **payload: object) -> Event:
    sha256 = f"{number}" * 64
    told = {"sha256": sha256, "content_type": "", "path": "raw/mail/x", "size": 12, **payload}
    ended = None if state is EventState.RECEIVED else now()
    event_id = f"mail-{sha256[:32]}"
    return Event(event_id, EventKind.MAIL, state, now(), f"12 bytes — {state}", told, ended)


def row() -> Event:
    payload = {
        "source": "csv_itrip",
        "file": "day.csv",
        "line": 2,
        "reason": "missing_date",
        "header": ["Reservation ID", "Tenant Name"],
        "cells": ["7000001", "Guest Example"],
    }
    return Event(ROW, EventKind.CSV_ROW, EventState.WAITING, now() - timedelta(hours=1), "day.csv line 2", payload)


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, str], Settings]:
    """Settings, proved apart from prod's once for all tests."""
    root = tmp_path_factory.mktemp("events")
    (root / "config").mkdir()
    lines = "AIRTABLE_API_KEY=patDEV0000000001.secret\nAIRTABLE_BASE_ID=appDEV00000000001\n"
    (root / "config" / "dev.env").write_text(lines)
    variables = {"CHANGEOVER_CONFIG": str(root / "config"), "CHANGEOVER_HOME": str(root / "var")}
    return variables, load("dev", {**os.environ, **variables})


@pytest.fixture
def settings(loaded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    found = loaded[1].model_copy(update={"home": tmp_path / "var"})
    (found.folder / "csv" / "inbox").mkdir(parents=True)
    monkeypatch.setattr(command, "open_settings", lambda *_, **__: found)
    return found


@pytest.fixture
def db(settings: Settings, migrated_sqlite: Path):
    (settings.folder / "state.db").write_bytes(migrated_sqlite.read_bytes())
    db = Database(settings.state_url)
    yield db
    db.close()


@pytest.fixture
def call(settings, capsys) -> Callable[..., Said]:
    def said(*line: str) -> Said:
        code = main(["events", *line, "--env", "dev"])
        captured = capsys.readouterr()
        return Said(code, captured.out, captured.err)

    return said


def put(db: Database, *found: Event) -> None:
    with db.begin() as connection:
        events.put(connection, found)


def state(db: Database, event_id: str) -> Event:
    with db.read() as connection:
        return events.find(connection, [event_id])[0]


# -- list --------------------------------------------------------------------------------------------------------------


def test_what_came_in_is_listed_newest_first(call, db) -> None:
    put(db, mail(EventState.HELD), row())
    listed = call("list", "--json").json["events"]
    assert [each["id"] for each in listed] == [MAIL, ROW]
    assert set(listed[0]) == {"id", "kind", "state", "received_at", "summary"}
    assert (listed[0]["kind"], listed[0]["state"]) == ("mail", "held")
    text = call("list")
    assert (text.code, MAIL in text.out, "Guest" in text.out) == (0, True, False)


@pytest.mark.parametrize(
    ("options", "ids"),
    [
        (["--kind", "mail"], [MAIL]),
        (["--kind", "CSV_ROW"], [ROW]),
        (["--state", "held"], [MAIL]),
        (["--state", "done"], []),
        (["--limit", "1"], [MAIL]),
    ],
)
def test_the_list_is_narrowed_by_kind_state_and_number(call, db, options, ids) -> None:
    put(db, mail(EventState.HELD), row())
    assert [each["id"] for each in call("list", "--json", *options).json["events"]] == ids


@pytest.mark.parametrize("option", ["--kind", "--state"])
def test_an_unknown_word_is_refused_with_those_there_are(call, option) -> None:
    said = call("list", option, "nonsense")
    assert said.code == 4
    assert ("mail" if option == "--kind" else "needs_attention") in said.err


def test_before_the_first_run_nothing_has_come_in(call) -> None:
    assert call("list").out == "Nothing has come in yet.\n"
    assert call("list", "--state", "held").out == "There is no such event.\n"
    assert call("list", "--json").json == {"events": []}


# -- show --------------------------------------------------------------------------------------------------------------


def test_an_event_is_shown_without_what_it_holds_of_guests(call, db) -> None:
    put(db, mail(EventState.DONE, supplier="iTrip", files=["a.csv"], reason=""), row())
    shown = call("show", MAIL, "--json").json
    assert (shown["supplier"], shown["files"], shown["size"]) == ("iTrip", ["a.csv"], 12)
    assert shown["ended_at"]
    assert "payload" not in shown
    text = call("show", ROW).out
    assert "missing_date" in text
    assert "Guest Example" not in text
    assert "ended_at" not in text


def test_only_with_payload_it_is_shown_whole(call, db) -> None:
    put(db, row())
    assert call("show", ROW, "--payload", "--json").json["payload"]["cells"] == ["7000001", "Guest Example"]
    assert "Guest Example" in call("show", ROW, "--payload").out


def test_an_unknown_event_is_named(call, db) -> None:
    said = call("show", "mail-nobody")
    assert (said.code, said.err) == (3, "There is no event mail-nobody in dev.\n")


def test_before_the_first_run_there_is_no_event(call) -> None:
    assert call("show", MAIL, "--json").code == 3


# -- replay ------------------------------------------------------------------------------------------------------------


def test_a_held_mail_is_accepted_and_waits_for_a_worker(call, db) -> None:
    put(db, mail(EventState.HELD))
    said = call("replay", MAIL)
    assert (said.code, said.out) == (0, f"{MAIL} is worked again as soon as a worker runs.\n")
    event = state(db, MAIL)
    assert (event.state, event.ended_at) == (EventState.RECEIVED, None)
    assert (event.payload["accepted"], event.payload["attempt"]) == (True, 2)
    with db.read() as connection:
        query = "SELECT workflow_uuid, status, queue_name, name FROM workflow_status"
        assert connection.exec_driver_sql(query).all() == [(f"mail:{MAIL}:2", "ENQUEUED", "mails", "mail.v1")]


@pytest.mark.parametrize("ended", ["ignored", "done", "needs_attention", "failed", "duplicate"])
def test_every_other_mail_is_judged_anew(call, db, ended) -> None:
    put(db, mail(EventState(ended), attempt=3, tries=8, reason="x", files=["a.csv"]))
    asked = {"mails": [MAIL], "webhooks": [], "clicks": [], "waiting": [], "files": [], "unknown": []}
    assert call("replay", MAIL, "--json").json == asked
    event = state(db, MAIL)
    assert "accepted" not in event.payload
    assert set(event.payload) == {"sha256", "content_type", "path", "size", "attempt", "asked_at"}
    assert event.payload["attempt"] == 4


def test_a_mail_that_was_accepted_once_stays_so(call, db) -> None:
    put(db, mail(EventState.FAILED, accepted=True))
    call("replay", MAIL)
    assert state(db, MAIL).payload["accepted"] is True


def test_a_mail_that_waits_anyway_is_not_worked_twice(call, db) -> None:
    put(db, mail(EventState.RECEIVED))
    assert call("replay", MAIL).out == f"{MAIL} waits for its next try anyway.\n"
    with db.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM workflow_status").scalar() == 0


def test_a_row_that_was_set_aside_goes_into_the_inbox(call, db, settings) -> None:
    put(db, row(), mail(EventState.IGNORED))
    said = call("replay", ROW, MAIL)
    (file,) = (settings.folder / "csv" / "inbox").iterdir()
    assert said.code == 0
    assert f"{file.name} is in the inbox; the next run reads it." in said.out
    assert "Guest Example" in file.read_text()


def test_what_cannot_be_replayed_is_named_and_the_rest_is_done(call, db) -> None:
    whole = Event(FILE, EventKind.CSV_FILE, EventState.WAITING, now(), "x", {"file": "a.csv", "reason": "unreadable"})
    put(db, mail(EventState.HELD), whole)
    said = call("replay", MAIL, FILE, "mail-nobody")
    assert (said.code, said.err) == (3, f"Nothing to replay in dev: {FILE}, mail-nobody\n")
    assert state(db, MAIL).state is EventState.RECEIVED
    assert call("replay", "mail-nobody", "--json").json["unknown"] == ["mail-nobody"]


def test_before_the_first_run_nothing_can_be_replayed(call) -> None:
    assert call("replay", MAIL).code == 3


def test_replacing_a_mail_keeps_when_it_came(call, db) -> None:
    before = mail(EventState.HELD)
    put(db, before)
    call("replay", MAIL)
    assert state(db, MAIL).received_at == replace(before).received_at


# -- webhooks ----------------------------------------------------------------------------------------------------------


def take(db: Database, state: EventState = EventState.FAILED, job_id: str = JOB) -> None:
    """A webhook that came twice."""
    payload = {"event": "job.updated", "job_id": job_id, "size": 9, "sha256": "3" * 64, "reason": "gave up", "tries": 8}
    event = Event(HOOK, EventKind.HCP, state, now(), f"job.updated — {job_id} — {state}", payload, now())
    with db.begin() as connection:
        assert hooks.receive(connection, event, job_id, b"Guest \xff")
        assert not hooks.receive(connection, event, job_id, b"Guest \xff")


def test_a_webhook_is_listed_and_shown_without_its_body(call, db) -> None:
    take(db)
    put(db, row())
    assert [each["id"] for each in call("list", "--kind", "hcp", "--json").json["events"]] == [HOOK]
    shown = call("show", HOOK, "--json").json
    assert {each: shown[each] for each in ("event", "job_id", "reason", "tries", "repeats")} == {
        "event": "job.updated",
        "job_id": JOB,
        "reason": "gave up",
        "tries": 8,
        "repeats": 1,
    }
    assert "Guest" not in call("show", HOOK).out
    assert call("show", HOOK, "--payload", "--json").json["body"] == "Guest \ufffd"
    assert "repeats" not in call("show", ROW, "--json").json


def test_a_webhook_is_worked_again_after_others_of_its_job(call, db) -> None:
    """J-78."""
    take(db)
    assert call("replay", HOOK, "--json").json["webhooks"] == [HOOK]
    assert call("replay", HOOK).out == f"{HOOK} waits for its next try anyway.\n"
    with db.read() as connection:
        query = "SELECT workflow_uuid, queue_name, queue_partition_key, name FROM workflow_status"
        assert connection.exec_driver_sql(query).all() == [(f"hook:{HOOK}:2", "hooks", JOB, "hook.v1")]


@pytest.mark.parametrize(("ended", "job_id"), [(EventState.FOREIGN, JOB), (EventState.DONE, "")])
def test_a_webhook_with_which_nothing_is_to_be_done_is_not_worked_again(call, db, ended, job_id) -> None:
    take(db, ended, job_id)
    said = call("replay", HOOK)
    assert (said.code, said.err) == (3, f"Nothing to replay in dev: {HOOK}\n")


# -- clicks ------------------------------------------------------------------------------------------------------------


def test_a_click_is_listed_shown_and_asked_for_again(call, db) -> None:
    """J-78, C-64: as an operation of its own, for which another event stands."""
    payload = {"operation": "1" * 32, "action": "create-job", "record_id": "recSTAY0000000001", "who": "api"}
    told = {**payload, "reason": "hcp_error: It is down.", "tries": 8}
    put(db, Event(f"click-{'1' * 32}", EventKind.CLICK, EventState.FAILED, now(), "create-job — failed", told, now()))
    (listed,) = call("list", "--kind", "click", "--json").json["events"]
    shown = call("show", listed["id"], "--json").json
    assert (shown["action"], shown["who"], shown["reason"]) == ("create-job", "api", "hcp_error: It is down.")
    assert call("replay", listed["id"]).out == f"{listed['id']} is worked again as soon as a worker runs.\n"
    states = {each["state"] for each in call("list", "--kind", "click", "--json").json["events"]}
    assert states == {"failed", "received"}
    with db.read() as connection:
        assert connection.exec_driver_sql("SELECT queue_name, name FROM workflow_status").all() == [
            ("clicks", "click.v1")
        ]
