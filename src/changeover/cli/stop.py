"""`changeover stop` and `resume`: the emergency stop by hand; stopping needs neither network nor sound settings."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from changeover.cli.opening import open_settings, open_store, who
from changeover.cli.say import EnvOption, JsonOption, complain, refuse, show, show_json
from changeover.exits import Exit

if TYPE_CHECKING:
    from changeover.engine.stop import StopSwitch
    from changeover.settings import Settings
    from changeover.store.database import Database

LEVELS = ("pause", "read-only", "full")


def stop(
    env: EnvOption,
    level: Annotated[
        str,
        typer.Option(
            "--level",
            metavar="|".join(LEVELS),
            help="pause: start no run. read-only: change nothing outside. full: do not even ask.",
        ),
    ],
    why: Annotated[str, typer.Option("--why", metavar="TEXT", help="What the others should know.")],
    as_json: JsonOption = False,
) -> None:
    """Stop the environment at once, until `resume`."""
    if level not in LEVELS:
        raise typer.BadParameter(f"--level must be one of {', '.join(LEVELS)}")
    from changeover.engine.stop import Stop, StopLevel

    switch = _switch_without_settings(env, as_json=as_json)
    state = Stop(StopLevel(level), why, who(), datetime.now(UTC))
    try:
        everywhere = switch.set(state)
    except OSError as error:
        text = f"The stop could not be written to {switch.path}: {error.strerror}"
        raise refuse(text, as_json=as_json, code=Exit.FAILED) from None
    if as_json:
        show_json({"environment": env, "level": level, "why": why, "who": state.who, "everywhere": everywhere})
    else:
        show(f"{env} is stopped ({level}): {why}")
    if not everywhere:
        complain("The database could not be told: other machines go on. This machine has stopped.")
        raise typer.Exit(Exit.PARTIAL)


def resume(
    env: EnvOption,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Lift the stop, after showing what waits; deliveries that gave up are begun again by the next run."""
    settings = open_settings(env, as_json=as_json, level="WARNING")
    store = open_store(settings)
    from changeover.engine.stop import StopLevel, StopSwitch

    switch = StopSwitch(settings.folder, store)
    state = switch.state()
    waiting = _waiting(store)
    if state.level is StopLevel.NONE:
        _begin_again(store)
        _say_resumed(env, "is not stopped", waiting, as_json=as_json)
        return
    if not yes:
        said = f"{env} is stopped ({state.level}){f': {state.why}' if state.why else ''}"
        _ask(f"{said}. {waiting} writes wait and will be sent by the next run. Resume?", as_json=as_json)
    switch.clear()
    _begin_again(store)
    _say_resumed(env, "goes on", waiting, as_json=as_json)


def _switch_without_settings(env: str, *, as_json: bool) -> StopSwitch:
    """The switch, even where the settings are wrong: an emergency does not wait for them."""
    from changeover.engine.stop import StopSwitch
    from changeover.settings import ConfigurationError, EnvironmentName, load

    try:
        settings: Settings | None = load(env, os.environ)
    except ConfigurationError as error:
        if env not in tuple(EnvironmentName):
            raise refuse(str(error), as_json=as_json) from None
        settings = None
        complain("The settings cannot be used; the stop is written to the data folder only.")
    if settings is None:
        return StopSwitch(Path(os.environ.get("CHANGEOVER_HOME") or "var").expanduser().absolute() / env)
    return StopSwitch(settings.folder, _shared(settings))


def _shared(settings: Settings) -> Database | None:
    """The database that other machines ask, too; a file of this machine has nothing to add to the stop's own file."""
    from changeover.store.database import Database

    return None if settings.state_url.startswith("sqlite") else Database(settings.state_url)


def _waiting(store: Database | None) -> int:
    if store is None:
        return 0
    from changeover.store import deliveries

    with store.read() as connection:
        return deliveries.pending(connection)


def _begin_again(store: Database | None) -> None:
    """A person has spoken: what gave up after being cut off again and again gets a new start."""
    if store is None:
        return
    from changeover.engine.durable import ask_to_revive, given_up

    with store.begin() as connection:
        if given_up(connection):
            ask_to_revive(connection, datetime.now(UTC))


def _ask(question: str, *, as_json: bool) -> None:
    if as_json or not sys.stdin.isatty():
        raise refuse(f"{question} Say --yes.", as_json=as_json)
    if not typer.confirm(question):
        raise typer.Exit(Exit.STOPPED)


def _say_resumed(env: str, what: str, waiting: int, *, as_json: bool) -> None:
    if as_json:
        show_json({"environment": env, "level": "none", "waiting": waiting})
    else:
        show(f"{env} {what}; {waiting} writes wait for the next run.")
