"""`changeover serve` from its command line to its end."""

from __future__ import annotations

import json
import os
import socket

import pytest
import requests

from changeover.cli import serve
from changeover.cli.main import main
from plugins.front_door import House, a_form, house, serving

__all__ = ["house"]


@pytest.fixture
def said(house, monkeypatch, capsys):
    """Runs the command line in this process, as far as it goes without serving; exit code and what it said."""
    for name, value in house.variables.items():
        monkeypatch.setenv(name, value)

    def run(*arguments):
        code = main(["serve", *arguments])
        return code, *capsys.readouterr()

    return run


def test_from_nothing_it_makes_the_stores_and_takes_mails_in(tmp_path):
    """LB-4: whoever posts to it finds all tables; nothing is asked of Airtable, whose key it cannot even read."""
    house = House(tmp_path)
    house.set("dev", AIRTABLE_API_KEY_FILE="/nowhere", EVOLVE_PASSWORD="portal-word").write()
    with serving(house) as door:
        assert requests.get(door.url + "/healthz", timeout=9).text == "ok"
        assert requests.get(door.url + "/readyz", timeout=9).json() == {"ready": True, "reasons": []}
        assert door.post(a_form("first")).status_code == 200
    for env in ("dev", "prod"):
        assert house.is_whole(env)
        assert len(house.mails(env)) == 1
    assert house.data().stat().st_mode & 0o777 == 0o700


def test_everything_wrong_is_said_at_once_before_it_listens(house, said):
    house.set("dev", API_KEY=None).set("prod", TIMEZONE="Mars/Base").write()
    code, out, err = said("--json", "--bind", "127.0.0.1:0")
    assert (code, err) == (4, "")
    assert [each["name"] for each in json.loads(out)["problems"]] == ["API_KEY_DEV", "TIMEZONE_PROD"]
    code, out, err = said()
    assert (code, out) == (4, "")
    assert "API_KEY_DEV" in err


@pytest.mark.parametrize("bind", ["8000", "localhost:http", "127.0.0.1:99999", ":80"])
def test_an_address_that_is_none_is_a_usage_error(said, bind):
    code, out, err = said("--bind", bind)
    assert (code, out) == (4, "")
    assert "HOST:PORT" in err


def test_a_taken_address_is_said_and_left_alone(said, monkeypatch):
    monkeypatch.setattr(serve, "_TAKEN_FOR", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        bind = f"127.0.0.1:{taken.getsockname()[1]}"
        code, _, err = said("--bind", bind)
    assert code == 3
    assert err == f"{bind} cannot be listened on: Address already in use.\n"


def test_a_store_that_cannot_be_reached_is_said(house, said, tmp_path):
    house.set("dev", DATABASE_URL=f"postgresql+psycopg://nobody@/none?host={tmp_path}").write()
    code, out, _ = said("--json", "--bind", "127.0.0.1:0")
    assert code == 75
    assert json.loads(out)["error"].startswith("The state database of dev cannot be reached or written")


def test_a_data_folder_that_cannot_be_made_is_said(house, said, monkeypatch):
    (house.folder / "no").write_text("a file")
    monkeypatch.setenv("CHANGEOVER_HOME", str(house.folder / "no"))
    code, _, err = said()
    assert code == 4
    assert err.startswith("The data folder cannot be made under CHANGEOVER_HOME")


def test_settings_of_an_outside_service_leave_the_process(monkeypatch, said):
    monkeypatch.setenv("EVOLVE_PASSWORD_DEV", "portal-word")
    monkeypatch.setattr(serve, "_bound", lambda *_: (_ for _ in ()).throw(OSError(1, "no")))
    assert said()[0] == 3
    assert "EVOLVE_PASSWORD_DEV" not in os.environ
