"""dev and prod share nothing, and neither sees the other's values (S-4)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from changeover.settings import ConfigurationError, EnvironmentName, compare, folders, identity, isolation, load
from changeover.settings.reading import Place

SHARED = {
    "AIRTABLE_API_KEY": "patSAMEmadeup1",
    "AIRTABLE_BASE_ID": "appSAMESAMESAME01",
    "HCP_API_KEY": "hcp-same-key-1",
    "HCP_WEBHOOK_SECRET": "hook-same-secret",
    "SERVATIV_WEBHOOK_SECRET": "forward-same-secret",
    "API_KEY": "api-same-key-123",
    "DATABASE_URL": "postgresql+psycopg://me:word@db.example.com/changeover",
}
HCP = {"HCP_STR_NEXT_GUEST_JOB_TYPE_ID": "jbt_1", "HCP_API_KEY": None}


def shared_names(env, process):
    with pytest.raises(ConfigurationError) as caught:
        load(env, process)
    return {problem.name for problem in caught.value.problems if problem.what == isolation.SHARED_WITH}


@pytest.fixture
def locked_out(monkeypatch):
    """The child may not read the other environment's file."""
    monkeypatch.setattr(isolation, "_ask_child", lambda *_: None)


@pytest.mark.parametrize("name", SHARED)
@pytest.mark.parametrize("env", ["dev", "prod"])
def test_whatever_is_shared_is_refused_from_both_sides_by_name_only(write, process, name, env):
    extra = {"HCP_API_KEY": "hcp-{}-key", "HCP_STR_NEXT_GUEST_JOB_TYPE_ID": "jbt_1"} if name.startswith("HCP") else {}
    for each in ("dev", "prod"):
        write(each, {**{key: value.format(each) for key, value in extra.items()}, name: SHARED[name]})
    with pytest.raises(ConfigurationError) as caught:
        load(env, process)
    assert [problem.name for problem in caught.value.problems] == [name]
    assert SHARED[name] not in str(caught.value)


def test_one_shared_value_of_a_rotation_is_enough(write, process):
    write("dev", {"API_KEY": "first-key-aa, second-key-bb"})
    write("prod", {"API_KEY": "third-key-cc,second-key-bb"})
    assert shared_names("dev", process) == {"API_KEY"}


def test_mail_and_portal_logins_may_be_one_account(write, process):
    same = {
        "CLOUDMAILIN_USER": "mail",
        "CLOUDMAILIN_PASSWORD": "mail-word",
        "EVOLVE_USERNAME": "me",
        "EVOLVE_PASSWORD": "word",
    }
    write("dev", same)
    write("prod", same)
    assert load("dev", process).evolve_username == "me"


def test_an_environment_alone_shares_with_nobody(write, process):
    write("dev")
    assert load("dev", process).isolation_unproven is False


def test_values_from_process_variables_are_compared_too(write, process):
    write("dev")
    assert shared_names("dev", {**process, "AIRTABLE_BASE_ID_PROD": "appDEVDEVDEVDEVD1"}) == {"AIRTABLE_BASE_ID"}


def test_values_from_secret_files_are_compared_too(write, process, tmp_path):
    (tmp_path / "config" / "key").write_text("patSAMEmadeup1")
    write("dev", {"AIRTABLE_API_KEY": None, "AIRTABLE_API_KEY_FILE": "key"})
    write("prod", {"AIRTABLE_API_KEY": "patSAMEmadeup1"})
    assert shared_names("prod", process) == {"AIRTABLE_API_KEY"}


def test_one_data_folder_under_two_names_is_refused(write, process, tmp_path):
    write("dev")
    write("prod")
    (tmp_path / "var" / "dev").mkdir(parents=True)
    (tmp_path / "var" / "prod").symlink_to(tmp_path / "var" / "dev")
    assert shared_names("dev", process) == {"CHANGEOVER_HOME", "DATABASE_URL"}


@pytest.mark.parametrize(
    ("dev", "prod"),
    [
        ("postgresql+psycopg://a:x@localhost/one", "postgresql+psycopg://b:y@127.0.0.1:5432/one"),
        ("postgresql+psycopg:///one?host=/run/pg", "postgresql+psycopg://me@/one?host=/run/pg&port=5432"),
    ],
)
def test_a_database_is_known_by_its_place_not_by_its_user(dev, prod):
    home = Path("/nowhere")
    found = [
        identity.identifying(env, home, {"DATABASE_URL": url})["DATABASE_URL"]
        for env, url in ((EnvironmentName.DEV, dev), (EnvironmentName.PROD, prod))
    ]
    assert found[0] == found[1]


def test_two_databases_of_one_server_are_two():
    urls = ("postgresql+psycopg://a@db.example.com/one", "postgresql+psycopg://a@db.example.com/two")
    found = {
        identity.identifying(EnvironmentName.DEV, Path("/x"), {"DATABASE_URL": url})["DATABASE_URL"] for url in urls
    }
    assert len(found) == 2


def test_the_other_environments_default_database_is_recognised(write, process):
    write("dev", {"DATABASE_URL": f"sqlite:///{process['CHANGEOVER_HOME']}/prod/state.db"})
    write("prod")
    assert shared_names("dev", process) == {"DATABASE_URL"}


def test_the_child_prints_names_and_never_a_value(write, process):
    write("dev", {"API_KEY": "api-same-key-123"})
    write("prod", {"API_KEY": "api-same-key-123"})
    command = [
        sys.executable,
        "-m",
        "changeover.settings.compare",
        "dev",
        process["CHANGEOVER_CONFIG"],
        process["CHANGEOVER_HOME"],
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env={**os.environ, **process})
    assert json.loads(done.stdout) == ["API_KEY"]
    assert "api-same-key-123" not in done.stdout + done.stderr


def test_the_child_says_by_its_exit_code_that_it_may_not_read(write, process, monkeypatch, capsys):
    write("dev")
    monkeypatch.setattr(sys, "argv", ["compare", "dev", process["CHANGEOVER_CONFIG"], process["CHANGEOVER_HOME"]])

    def refuse(*_):
        raise PermissionError(13, "denied")

    monkeypatch.setattr(compare, "shared", refuse)
    assert compare.main() == isolation.UNREADABLE
    assert capsys.readouterr().out == ""


def test_the_comparison_itself_in_this_process(write, process, monkeypatch, capsys):
    write("dev", {"API_KEY": "api-same-key-123"})
    write("prod", {"API_KEY": "api-same-key-123"})
    monkeypatch.setattr(sys, "argv", ["compare", "prod", process["CHANGEOVER_CONFIG"], process["CHANGEOVER_HOME"]])
    monkeypatch.setattr(os, "environ", process)
    assert compare.main() == 0
    assert json.loads(capsys.readouterr().out) == ["API_KEY"]


@pytest.mark.parametrize(("code", "expected"), [(isolation.UNREADABLE, None), (0, ["API_KEY"])])
def test_the_childs_answer_is_understood(process, monkeypatch, code, expected):
    done = subprocess.CompletedProcess([], code, stdout='["API_KEY"]', stderr="")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: done)
    place = Place(Path(process["CHANGEOVER_CONFIG"]), process)
    assert isolation._ask_child(EnvironmentName.DEV, place, Path("/x")) == expected


def test_a_child_that_breaks_is_never_taken_for_proof(process, monkeypatch):
    done = subprocess.CompletedProcess([], 1, stdout="", stderr="a line of the file")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: done)
    with pytest.raises(RuntimeError) as caught:
        isolation._ask_child(EnvironmentName.DEV, Place(Path(process["CHANGEOVER_CONFIG"]), process), Path("/x"))
    assert "a line of the file" not in str(caught.value)


def test_where_the_other_file_is_closed_its_fingerprints_are_compared(write, process, locked_out):
    write("dev", {"API_KEY": "api-same-key-123"})
    first = load("dev", process)
    folders.create(first)
    folders.write_identity(first)
    write("prod", {"API_KEY": "api-same-key-123"})
    assert shared_names("prod", process) == {"API_KEY"}


def test_without_file_and_fingerprints_the_proof_is_open_and_said_so(write, process, locked_out):
    write("dev")
    write("prod")
    assert load("dev", process).isolation_unproven is True


def test_fingerprints_give_no_value_away_and_stay_when_nothing_changed(write, process):
    write("dev", {"API_KEY": "api-same-key-123"})
    settings = load("dev", process)
    folders.create(settings)
    folders.write_identity(settings)
    path = settings.folder / identity.FILE_NAME
    first = path.read_text()
    assert "api-same-key-123" not in first
    assert path.stat().st_mode & 0o777 == 0o600
    folders.write_identity(settings)
    assert path.read_text() == first
    write("dev", {"API_KEY": "another-key-456"})
    folders.write_identity(load("dev", process))
    assert path.read_text() != first


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"salt": "zz", "fingerprints": {}}'])
def test_broken_fingerprints_prove_nothing(tmp_path, content):
    (tmp_path / "identity.json").write_text(content)
    assert identity.compare({"API_KEY": "x"}, tmp_path / "identity.json") is None


def test_the_data_folder_has_its_layout_closed_to_others_and_keeps_what_is_there(write, process):
    write("dev")
    settings = load("dev", process)
    old = os.umask(0)
    try:
        settings.home.mkdir(mode=0o750)
        root = folders.create(settings)
        folders.create(settings)
    finally:
        os.umask(old)
    assert settings.home.stat().st_mode & 0o777 == 0o750
    for name in ("", *folders.LAYOUT):
        assert (root / name).stat().st_mode & 0o777 == 0o700, name
