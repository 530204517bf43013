"""`changeover runs`: what ran, when, and how it ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from changeover.cli.opening import open_settings, open_store
from changeover.cli.say import EnvOption, JsonOption, refuse, show, show_json, table
from changeover.exits import Exit

if TYPE_CHECKING:
    from changeover.settings import Settings
    from changeover.store.runs import Run

app = typer.Typer(help="Look at past runs.", no_args_is_help=True)


@app.command("list")
def list_runs(
    env: EnvOption,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="How many, newest first.")] = 20,
    automation: Annotated[str | None, typer.Option("--automation", metavar="NAME", help="Only this one's.")] = None,
    as_json: JsonOption = False,
) -> None:
    """List the latest runs, newest first."""
    from changeover.store import runs

    settings = open_settings(env, as_json=as_json, level="WARNING")
    store = open_store(settings)
    found: tuple[Run, ...] = ()
    if store is not None:
        with store.read() as connection:
            found = runs.recent(connection, limit, automation)
    if as_json:
        show_json({"runs": [run_json(run) for run in found]})
    elif not found:
        show("Nothing has run yet.")
    else:
        heads = ("Run", "Automation", "Trigger", "State", "Started", "Took")
        table(heads, (_row(run, settings) for run in found))


@app.command("show")
def show_run(
    run_id: Annotated[str, typer.Argument(metavar="RUN", help="A run's id, as `runs list` shows it.")],
    env: EnvOption,
    as_json: JsonOption = False,
) -> None:
    """Show one run: its outcome, its counters, its first error, how much it wrote."""
    from changeover.store import deliveries, job_writes, runs

    settings = open_settings(env, as_json=as_json, level="WARNING")
    store = open_store(settings)
    run, writes = None, {}
    if store is not None:
        with store.read() as connection:
            run = runs.show(connection, run_id)
            writes = deliveries.counts(connection, run_id) | job_writes.counts(connection, run_id)
    if run is None:
        raise refuse(f"There is no run {run_id} in {env}.", as_json=as_json, code=Exit.FAILED)
    told = run_json(run) | {"writes": writes}
    if as_json:
        show_json(told)
        return
    for name, value in told.items():
        if value not in (None, "", {}):
            show(f"{name:<11} {value}")


def run_json(run: Run) -> dict[str, object]:
    """A run as scripts read it; instants in UTC."""
    return {
        "id": run.id,
        "automation": run.automation,
        "trigger": str(run.trigger),
        "state": str(run.state),
        "started_at": run.started_at.isoformat(),
        "counters": dict(run.counters),
        "ended_at": None if run.ended_at is None else run.ended_at.isoformat(),
        "cycle": run.cycle,
        "dry_run": run.dry_run,
        "who": run.who,
        "error": {"code": run.error_code, "message": run.error_text} if run.error_code else None,
        "version": run.version,
        "host": run.host,
        "pid": run.pid,
    }


def _row(run: Run, settings: Settings) -> tuple[str, ...]:
    started = run.started_at.astimezone(settings.zone).strftime("%Y-%m-%d %H:%M:%S %Z")
    took = "" if run.ended_at is None else f"{(run.ended_at - run.started_at).total_seconds():.1f} s"
    state = f"{run.state} (dry run)" if run.dry_run else str(run.state)
    return run.id, run.automation, str(run.trigger), state, started, took
