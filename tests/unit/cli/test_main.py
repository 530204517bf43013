"""The command line itself: quick to answer, wrong words exit 4, no secret can be an argument."""

from __future__ import annotations

import subprocess
import sys

import pytest
import typer
from structlog.testing import capture_logs

from changeover.cli import cycle, main
from changeover.cli.main import INTERRUPTED, call
from changeover.cli.opening import who
from changeover.exits import Exit
from changeover.settings import load

HEAVY = ("sqlalchemy", "dbos", "pyairtable", "aiohttp", "icalendar", "alembic", "requests", "structlog")


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["nope"],
        ["run"],
        ["run", "--env"],
        ["run", "--env", "dev", "--nope"],
        ["run", "extra", "--env", "dev"],
        ["runs"],
        ["runs", "list", "--env", "dev", "--limit", "0"],
        ["runs", "show", "--env", "dev"],
        ["sandbox", "up", "--dir", "x", "--feeds", "-1"],
        ["stop", "--env", "dev", "--level", "full"],
    ],
)
def test_a_wrong_command_line_exits_4_never_2_and_says_where_help_is(arguments, capsys):
    assert main(arguments) == Exit.CONFIGURATION
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "--help" in captured.err


@pytest.mark.parametrize(
    "arguments", [["--help"], ["run", "--help"], ["held", "--help"], ["held", "approve", "--help"]]
)
def test_help_exits_0(arguments, capsys):
    assert main(arguments) == 0
    assert "Usage:" in capsys.readouterr().out


def test_help_imports_nothing_heavy():
    program = (
        "import sys; from changeover.cli import main; main(['--help']); "
        f"print([m for m in {HEAVY!r} if m in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"


def test_without_arguments_those_of_the_process_count(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["changeover", "--help"])
    assert main() == 0
    assert "Usage: changeover" in capsys.readouterr().out


def test_a_command_that_ends_quietly_exits_0_and_one_that_is_broken_off_130():
    app = typer.Typer()

    @app.command()
    def quiet():
        pass

    @app.command()
    def broken_off():
        raise typer.Abort

    assert call(app, ["quiet"], "x") == Exit.OK
    assert call(app, ["broken-off"], "x") == INTERRUPTED


def test_hidden_options_are_not_offered(capsys):
    main(["run", "--help"])
    assert "--at" not in capsys.readouterr().out


def test_no_option_takes_a_secret(capsys):  # Z-21
    for command in (["run"], ["doctor"], ["airtable", "init"], ["stop"], ["resume"], ["sandbox", "up"]):
        main([*command, "--help"])
    said = capsys.readouterr().out.lower()
    assert not [word for word in ("password", "--key", "secret", "token") if word in said]


def test_the_person_at_the_terminal_has_a_name_even_without_an_account(monkeypatch):
    assert who()

    def nobody():
        raise KeyError("uid")

    monkeypatch.setattr("getpass.getuser", nobody)
    assert who().isdigit()


def test_logs_that_cannot_be_tidied_spoil_no_run(tmp_path):
    env = {"CHANGEOVER_CONFIG": str(tmp_path), "CHANGEOVER_HOME": str(tmp_path / "var")}
    (tmp_path / "dev.env").write_text("AIRTABLE_API_KEY=patDEVmadeup01\nAIRTABLE_BASE_ID=appDEVDEVDEVDEVD1\n")
    with capture_logs() as said:
        cycle.tidy_logs(load("dev", env))  # there is no folder of logs
    assert [entry["event"] for entry in said] == ["logs.not_tidied"]
