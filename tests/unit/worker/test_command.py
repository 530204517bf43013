"""`changeover worker`: what it says when it is ready, refused, or asked to end while it starts."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable

import pytest
import typer

from changeover.cli import main
from changeover.cli import worker as command
from changeover.engine import worker
from changeover.engine.results import Refused
from changeover.store.runs import RunState


@pytest.fixture
def works(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[..., None]], None]:
    """Has the command work in this way."""
    monkeypatch.setattr(command, "open_settings", lambda *_, **__: None)
    return lambda run: monkeypatch.setattr(worker, "run", run)


def test_it_says_when_it_takes_work_and_ends_0(works, capsys) -> None:
    works(lambda _settings, _stopping, ready: ready("box-dev-worker-1"))
    assert main(["worker", "--env", "dev"]) == 0
    assert capsys.readouterr().out == "box-dev-worker-1 works what comes in.\n"
    assert main(["worker", "--env", "dev", "--json"]) == 0
    expected = {"worker": "box-dev-worker-1", "env": "dev", "state": "ready"}
    assert json.loads(capsys.readouterr().out) == expected


@pytest.mark.parametrize("code", [3, 4, 5, 75])
def test_a_refusal_is_its_exit_code_and_its_text(works, capsys, code) -> None:
    def refused(*_: object) -> None:
        raise Refused(RunState.FAILED, code, "the disk is full")

    works(refused)
    assert main(["worker", "--env", "dev"]) == code
    assert capsys.readouterr().err == "the disk is full\n"


def test_a_signal_asks_it_to_end(works) -> None:
    """C-33."""
    reasons = []

    def ended(_settings, stopping, _ready) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        reasons.append(stopping.reason)

    works(ended)
    assert main(["worker", "--env", "dev"]) == 0
    assert reasons == ["signal"]


@pytest.mark.parametrize(("sent", "code"), [(True, 0), (False, 4)])
def test_a_signal_while_settings_are_compared_is_no_wrong_setting(monkeypatch, sent, code) -> None:
    def broken(*_: object, **__: object) -> None:
        if sent:
            os.kill(os.getpid(), signal.SIGTERM)
        raise typer.Exit(4)

    monkeypatch.setattr(command, "open_settings", broken)
    assert main(["worker", "--env", "dev"]) == code
