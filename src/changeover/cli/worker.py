"""`changeover worker`: works what comes in, until SIGTERM."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import typer

from changeover.cli.opening import open_settings
from changeover.cli.say import EnvOption, JsonOption, refuse, show, show_json
from changeover.engine.stopping import Stopping
from changeover.exits import Exit

if TYPE_CHECKING:
    from changeover.settings import Settings


def worker(env: EnvOption, as_json: JsonOption = False) -> None:
    """Work the mails that come in and import their reports at once; ends at SIGTERM."""
    stopping = Stopping()
    with stopping.on_signals():  # first of all: what is asked to end while it starts ends in order as well (C-33)
        _work(env, stopping, as_json=as_json)


def _work(env: str, stopping: Stopping, *, as_json: bool) -> None:
    settings = _settings(env, stopping, as_json=as_json)
    from changeover.engine import worker as workers
    from changeover.engine.results import Refused

    try:
        workers.run(settings, stopping, partial(_ready, env, as_json))
    except Refused as refused:
        raise refuse(refused.text, as_json=as_json, code=Exit(refused.exit_code)) from None


def _settings(env: str, stopping: Stopping, *, as_json: bool) -> Settings:
    """The settings; who ends this process may have ended the child that compares them, which is no wrong setting."""
    try:
        return open_settings(env, as_json=as_json, process="worker")
    except typer.Exit:
        if stopping.reason is None:
            raise
        raise typer.Exit(Exit.OK) from None


def _ready(env: str, as_json: bool, executor: str) -> None:
    if as_json:
        show_json({"worker": executor, "env": env, "state": "ready"})
    else:
        show(f"{executor} works what comes in.")
