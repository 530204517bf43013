"""`changeover jobs`: look for jobs that people made and link them to their stays, by hand; and the buttons' links."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

from changeover.cli.cycle import CycleOption, TriggerOption, cycle_settings, show_cycle, tidy_logs
from changeover.cli.opening import open_settings, open_store, who
from changeover.cli.say import EnvOption, JsonOption, complain, refuse, show, show_json, table
from changeover.core.job_action import Action
from changeover.engine import names
from changeover.engine.stopping import Stopping
from changeover.exits import Exit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from changeover.controller import CycleResult
    from changeover.settings import Settings

app = typer.Typer(help="Jobs in Housecall Pro.", no_args_is_help=True)

ExecuteOption = Annotated[bool, typer.Option("--execute", help="Link what is sure; without it nothing is written.")]


@app.command()
def reconcile(
    env: EnvOption,
    execute: ExecuteOption = False,
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, max=10_000, help="So many links and details at most.")
    ] = None,
    trigger: TriggerOption = "cli",
    cycle: CycleOption = None,
    as_json: JsonOption = False,
) -> None:
    """Pair stays without a job with jobs that people made in Housecall Pro; a rehearsal unless --execute is said."""
    stopping = Stopping()
    with stopping.on_signals():
        settings = cycle_settings(env, stopping, as_json=as_json)
        from changeover import controller

        request = controller.RunRequest(
            only=(names.RECONCILIATION,),
            dry_run=not execute,
            trigger=trigger,
            who=who() if trigger == "cli" else None,
            cycle=cycle,
            gated=False,
            limit=limit,
        )
        result = controller.run(settings, request, stopping)
    tidy_logs(settings)
    report = _report(settings, result)
    if as_json:
        show_json({**_told(result), **report})
    else:
        _show(result, report)
    raise typer.Exit(result.exit_code)


@app.command()
def buttons(
    env: EnvOption,
    url: Annotated[str, typer.Option("--url", metavar="URL", help="Where people reach the server, such as https://…")],
    as_json: JsonOption = False,
) -> None:
    """Print the formula of each button of the base; what they open asks before anything is done."""
    settings = open_settings(env, as_json=as_json, level="WARNING")
    from changeover.settings import identity, is_loopback
    from changeover.web.keys import button_token

    if settings.api_key is None:
        raise refuse("Buttons need the setting API_KEY.", as_json=as_json)
    address = urlsplit(url)
    if not address.hostname or not (address.scheme == "https" or is_loopback(url)):
        raise typer.BadParameter("--url needs the address of the server, beginning with https://")
    token = button_token(min(identity.parts(settings.api_key.get_secret_value())), env)
    base = f"{url.rstrip('/')}/button/{env}"
    found = {each: f'"{base}/{each}?record=" & RECORD_ID() & "&token={token}"' for each in Action}
    if as_json:
        show_json({"buttons": found})
    else:
        table(("Button", "Formula of its URL"), found.items())


def _report(settings: Settings, result: CycleResult) -> Mapping[str, object]:
    """What was found (J-93); nothing where the search did not get so far."""
    from changeover.store import plans

    store = open_store(settings)
    if store is None or not result.automations:
        return {}
    with store.read() as connection:
        kept = plans.show(connection, result.automations[0].id)
    store.close()
    return {} if kept is None else kept.body


def _told(result: CycleResult) -> dict[str, object]:
    return {
        "id": result.id,
        "state": str(result.state),
        "exit_code": result.exit_code,
        "problem": result.problem,
        "automations": [{"id": each.id, "state": str(each.state), "text": each.text} for each in result.automations],
    }


def _show(result: CycleResult, report: Mapping[str, object]) -> None:
    details = report.get("details")
    if isinstance(details, list) and details:
        heads = ("Row", "Job", "Confidence", "Minutes apart")
        names_of = ("recordId", "jobId", "confidence", "minutesApart")
        table(heads, [["" if each[name] is None else str(each[name]) for name in names_of] for each in details])
    summary = report.get("summary")
    if isinstance(summary, dict):
        show(", ".join(f"{name} {number}" for name, number in summary.items()))
        if report.get("mode") == "dry_run":
            show("Nothing was written. `--execute` links what is matched.")
    else:
        show_cycle(result)
    if summary is not None and result.exit_code != Exit.OK and result.problem:
        complain(result.problem)
