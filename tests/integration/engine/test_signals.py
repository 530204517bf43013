"""A signal before the first step of a run: it ends in order, whoever started it, and touches nothing (C-25, C-33)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
import typer

from changeover import controller
from changeover.cli import cycle as command
from changeover.cli.main import main
from changeover.engine import opening
from changeover.exits import Exit
from plugins.outsider import PROGRAM, ROOT, Business

RUNNER = str(ROOT / "src" / "run_automation_dev.py")


def end_ourselves(*_: object, **__: object) -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def house(business: Business) -> None:
    (calendar,) = business.house("Casa Uno")
    calendar.stay("a1@x", 2, 5)


def listens(pid: int) -> bool:
    """Whether a process has a handler for SIGTERM of its own."""
    (caught,) = (
        line.split()[1] for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("SigCgt")
    )
    return bool(int(caught, 16) >> (signal.SIGTERM - 1) & 1)


@pytest.mark.parametrize("line", [(sys.executable, RUNNER), (PROGRAM, "run", "--env", "dev")], ids=["runner", "run"])
def test_a_run_ended_as_soon_as_it_can_listen_says_so_and_asks_nothing(business: Business, line: Sequence[str]) -> None:
    house(business)
    since = business.sandbox.next_request("airtable")
    process = subprocess.Popen(line, env=business.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    while not listens(process.pid):
        assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=60)
    assert process.returncode == Exit.STOPPED
    assert b"ended early: signal" in said
    assert business.sandbox.requests("airtable", since) == []
    assert not (business.data() / "state.db").exists()


@pytest.mark.parametrize("step", ["opening.rule_book", "folders.create", "schema.pending", "Lease.acquire"])
def test_a_signal_in_any_step_of_the_start_keeps_the_next_from_beginning(
    business: Business, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    house(business)
    assert business.run().code == Exit.OK
    place, _, name = step.partition(".")
    owner = {
        "opening": opening,
        "folders": opening.folders,
        "schema": opening.schema,
        "Lease": controller.Lease,
    }[place]
    real = getattr(owner, name)

    def then_end(*arguments: object, **more: object) -> object:
        end_ourselves()
        return real(*arguments, **more)

    monkeypatch.setattr(owner, name, then_end)
    ran = business.run()
    assert (ran.code, ran.state, ran.result.problem) == (Exit.STOPPED, "stopped", "ended early: signal")
    assert (ran.calls, ran.downloads) == ([], [])
    monkeypatch.undo()
    assert business.run().code == Exit.OK


@pytest.mark.parametrize("broken", [RuntimeError("the comparison broke off"), typer.Exit(Exit.CONFIGURATION)])
def test_a_signal_that_also_ended_the_child_that_reads_settings_is_no_wrong_setting(
    broken: Exception, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def both_end(*_: object, **__: object) -> None:
        end_ourselves()
        raise broken

    monkeypatch.setattr(command, "open_settings", both_end)
    assert main(["run", "--env", "dev"]) == Exit.STOPPED
    assert "ended early: signal" in capsys.readouterr().err


def test_without_a_signal_what_is_wrong_with_the_settings_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("the comparison broke off")

    monkeypatch.setattr(command, "open_settings", broken)
    with pytest.raises(RuntimeError):
        main(["run", "--env", "dev"])
