"""Puts the commands together and turns every ending into an exit code; a wrong command line is 4, never 2."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import typer

from changeover.cli import airtable, cycle, doctor, events, held, history, jobs, sandbox, serve, stop, worker
from changeover.cli.say import complain
from changeover.exits import Exit

INTERRUPTED = 130


def build() -> typer.Typer:
    """The whole program `changeover`; documentation and tests walk through it."""
    app = typer.Typer(
        name="changeover",
        help="Keeps one truthful row per stay in Airtable, from the calendars of short-term rentals.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    app.command("run")(cycle.run)
    app.command("serve")(serve.serve)
    app.command("worker")(worker.worker)
    app.add_typer(events.app, name="events")
    app.add_typer(history.app, name="runs")
    app.add_typer(held.app, name="held")
    app.add_typer(jobs.app, name="jobs")
    app.command("stop")(stop.stop)
    app.command("resume")(stop.resume)
    app.command("doctor")(doctor.doctor)
    app.add_typer(airtable.app, name="airtable")
    app.add_typer(sandbox.app, name="sandbox")
    return app


def call(app: typer.Typer, arguments: Sequence[str], name: str) -> int:
    """Runs one command line and returns its exit code."""
    try:
        code = app(args=list(arguments), prog_name=name, standalone_mode=False)
    except typer.Exit as wanted:
        return wanted.exit_code
    except typer.Abort:
        return INTERRUPTED
    except typer.exceptions.TyperException as wrong:
        complain(f"{name}: {wrong.format_message()}", f"Try '{name} --help'.")
        return Exit.CONFIGURATION
    return code if isinstance(code, int) else Exit.OK


def main(arguments: Sequence[str] | None = None) -> int:
    """The entry point `changeover`."""
    return call(build(), sys.argv[1:] if arguments is None else arguments, "changeover")
