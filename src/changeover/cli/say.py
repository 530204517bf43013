"""How commands speak: results on stdout, text or one JSON object; problems on stderr; never a secret."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from changeover.exits import Exit

if TYPE_CHECKING:
    from changeover.settings import Problem

EnvOption = Annotated[str, typer.Option("--env", metavar="dev|prod", help="The environment to work on.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]


def show(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def show_json(value: object) -> None:
    show(json.dumps(value, ensure_ascii=False, default=str))


def complain(*lines: str) -> None:
    sys.stderr.write("\n".join(lines) + "\n")
    sys.stderr.flush()


def refuse(message: str, *, as_json: bool, code: Exit = Exit.CONFIGURATION) -> typer.Exit:
    """Says why a command does nothing; the caller raises what this returns."""
    if as_json:
        show_json({"error": message, "exit_code": int(code)})
    else:
        complain(message)
    return typer.Exit(code)


def refuse_all(problems: Sequence[Problem], *, as_json: bool) -> typer.Exit:
    """Lists everything wrong with the settings at once, by name (S-2)."""
    if as_json:
        listed = [{"name": problem.name, "what": problem.what} for problem in problems]
        show_json({"error": "configuration", "problems": listed, "exit_code": int(Exit.CONFIGURATION)})
    else:
        complain("The settings cannot be used:", *(f"  {problem}" for problem in problems))
    return typer.Exit(Exit.CONFIGURATION)


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Columns for a person, as wide as their widest cell."""
    lines = [list(heads), *(list(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(heads))]
    for line in lines:
        show("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
