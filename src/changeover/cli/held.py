"""`changeover held`: removals that wait for a person's word, and giving it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from changeover.cli.cycle import cycle_json, show_cycle
from changeover.cli.opening import open_settings, open_store, who
from changeover.cli.say import EnvOption, JsonOption, refuse, show, show_json, table
from changeover.exits import Exit

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from changeover.store.holds import Held

app = typer.Typer(help="Removals that wait for a person.", no_args_is_help=True)
IdsArgument = Annotated[list[str] | None, typer.Argument(metavar="ID…", help="Ids, as `held list` shows them.")]
AllOption = Annotated[bool, typer.Option("--all", help="Every removal that waits.")]


@app.command("list")
def list_held(env: EnvOption, as_json: JsonOption = False) -> None:
    """List the removals that wait, longest waiting first."""
    store = open_store(open_settings(env, as_json=as_json, level="WARNING"))
    rows: list[dict[str, str]] = []
    if store is not None:
        with store.read() as connection:
            rows = _rows(connection)
    if as_json:
        show_json({"held": rows})
    elif not rows:
        show("No removal waits for anybody.")
    else:
        heads = ("Id", "Home", "Check-in", "Check-out", "Waits since", "Decision")
        names = ("id", "property", "check_in", "check_out", "since", "decision")
        table(heads, (tuple(row[name] for name in names) for row in rows))


@app.command()
def approve(env: EnvOption, ids: IdsArgument = None, every: AllOption = False, as_json: JsonOption = False) -> None:
    """Let the named removals happen: their stays are gone."""
    _decide(env, ids, every=every, approved=True, as_json=as_json)


@app.command()
def reject(env: EnvOption, ids: IdsArgument = None, every: AllOption = False, as_json: JsonOption = False) -> None:
    """Keep the named stays: their source is wrong."""
    _decide(env, ids, every=every, approved=False, as_json=as_json)


def _decide(env: str, ids: list[str] | None, *, every: bool, approved: bool, as_json: bool) -> None:
    if every == bool(ids):
        raise typer.BadParameter("name the removals by their ids, or say --all")
    from changeover import controller

    settings = open_settings(env, as_json=as_json, process="cycle")
    outcome = controller.decide_holds(settings, None if every else tuple(ids or ()), approve=approved, who=who())
    word = "approved" if approved else "rejected"
    if as_json:
        run = None if outcome.result is None else cycle_json(outcome.result)
        show_json({word: list(outcome.decided), "unknown": list(outcome.unknown), "run": run})
    else:
        show(f"{word} {len(outcome.decided)}: {', '.join(outcome.decided)}" if outcome.decided else f"Nothing {word}.")
    if outcome.unknown:
        raise refuse(f"Unknown: {', '.join(outcome.unknown)}", as_json=False)
    if outcome.result is not None:
        if not as_json:
            show_cycle(outcome.result)
        raise typer.Exit(outcome.result.exit_code)
    if not as_json and outcome.decided:
        show("A run is in progress or due; the next one carries it out.")
    raise typer.Exit(Exit.OK)


def _rows(connection: Connection) -> list[dict[str, str]]:
    from changeover.airtable import mirror
    from changeover.store import holds

    homes = {each.record_id: each.name for each in mirror.properties(connection)}
    return [_row(held, homes) for held in holds.load_all(connection)]


def _row(held: Held, homes: dict[str, str]) -> dict[str, str]:
    hold = held.hold
    return {
        "id": held.id,
        "source": hold.source,
        "record_id": hold.record_id,
        "property": homes.get(hold.property_id, hold.property_id),
        "check_in": hold.check_in.isoformat(),
        "check_out": hold.check_out.isoformat(),
        "since": hold.since.isoformat(),
        "decision": str(hold.decision),
        "reason": str(hold.reason),
    }
