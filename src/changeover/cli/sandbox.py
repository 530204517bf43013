"""`changeover sandbox`: starts the stand-ins as a process of their own; the program never imports them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from changeover.cli.say import JsonOption

app = typer.Typer(help="Local stand-ins for the outside services, for trying and testing.", no_args_is_help=True)
DirOption = Annotated[
    Path, typer.Option("--dir", metavar="DIR", help="Folder of the sandbox: its settings, data and state.")
]
FeedsOption = Annotated[int, typer.Option("--feeds", min=0, help="How many calendar feeds the business has.")]
SeedOption = Annotated[int, typer.Option("--seed", help="Another number gives another business.")]
DateOption = Annotated[
    str | None, typer.Option("--date", metavar="YYYY-MM-DD", help="The business's first day; today by default.")
]


@app.command()
def up(
    directory: DirOption,
    feeds: FeedsOption = 246,
    seed: SeedOption = 1,
    empty: Annotated[bool, typer.Option("--empty", help="Tables and marker rows only, no business.")] = False,
    date: DateOption = None,
    as_json: JsonOption = False,  # noqa: ARG001 - the answer is JSON already
) -> None:
    """Start every stand-in in the background and print where they are, as one JSON object."""
    _relay("up", directory, *_business(feeds, seed, date), *(["--empty"] if empty else []))


@app.command("seed")
def fill(
    directory: DirOption,
    feeds: FeedsOption = 246,
    seed: SeedOption = 1,
    date: DateOption = None,
    as_json: JsonOption = False,  # noqa: ARG001 - the answer is JSON already
) -> None:
    """Fill an empty sandbox with a plausible business."""
    _relay("seed", directory, *_business(feeds, seed, date))


@app.command()
def status(directory: DirOption, as_json: JsonOption = False) -> None:  # noqa: ARG001 - the answer is JSON already
    """Print whether the sandbox runs and where, as one JSON object."""
    _relay("status", directory)


@app.command()
def down(directory: DirOption, as_json: JsonOption = False) -> None:  # noqa: ARG001 - the answer is JSON already
    """Stop the sandbox; its state stays in the folder."""
    _relay("down", directory)


def _business(feeds: int, seed: int, date: str | None) -> list[str]:
    return ["--feeds", str(feeds), "--seed", str(seed), *(["--date", date] if date else [])]


def _relay(command: str, directory: Path, *options: str) -> None:
    arguments = [sys.executable, "-m", "changeover_sandbox", command, "--dir", str(directory.absolute()), *options]
    # Our own interpreter and module, no shell. Its answer is JSON already, with --json and without.
    raise typer.Exit(subprocess.run(arguments, check=False).returncode)  # noqa: S603
