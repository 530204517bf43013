"""Writes the pages that are made from the program: settings, commands, the base. `--check` only says what is stale."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import typer.main
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from changeover.cli.main import build
from changeover.settings import pages as settings_pages

ROOT = Path(__file__).resolve().parents[1]
BASE = ROOT / "config" / "airtable_base.json"
COMMANDS = """\
# Commands

`changeover COMMAND …`. Every command takes `--help`. Results go to stdout, log lines and problems to stderr;
with `--json` stdout holds one JSON object. A wrong command line exits 4, never 2.

| Exit code | Says |
|---|---|
| 0 | done; every automation succeeded, is switched off or has no row |
| 2 | partly done; for `doctor`: warnings |
| 3 | failed |
| 4 | settings, isolation of dev and prod, command line; for `doctor`: something is broken |
| 5 | another run is in progress |
| 6 | stopped by a person |
| 75 | a needed service is down |

`src/run_automation_dev.py` and `src/run_automation_prod.py` are `changeover run` of their environment: they take the
options of `run` except `--env`, so nothing can change their environment.
"""
AIRTABLE = """\
# The base

Made by `changeover airtable init`, compared by `changeover airtable check`. Fields are found by their exact names. The
owner says who may change a field: **human** – people, no sync ever overwrites them; **source** – the feed or report;
**derived** – computed from the live stays; **hcp** – Housecall Pro is right; **system** – the program's bookkeeping.
Service Type and Block Type are human fields that a sync fills in a row it creates and leaves alone once a person has
changed them. Without an optional field its feature is off. Columns not listed here are people's own and never written.
Rules: [airtable](rules/airtable.md).
"""


def commands_page() -> str:
    lines = [COMMANDS]
    for words, command in _commands((), typer.main.get_command(build())):
        shown = [each for each in command.params if isinstance(each, TyperArgument)]
        usage = " ".join(["changeover", *words, *(_argument(each) for each in shown)])
        lines += [f"## `{usage}`", "", " ".join(str(command.help).split()), "", "| Option | Meaning |", "|---|---|"]
        lines += [_option(each) for each in command.params if isinstance(each, TyperOption) and not each.hidden]
        lines.append("")
    return "\n".join(lines)


def airtable_page() -> str:
    lines = [AIRTABLE]
    for table in json.loads(BASE.read_text(encoding="utf-8"))["tables"]:
        heads = ["| Field | Type | Owner | Meaning |", "|---|---|---|---|"]
        lines += [f"## {table['name']}", "", table["description"], "", *heads]
        lines += [_field(field) for field in table["fields"]]
        lines.append("")
    return "\n".join(lines)


def pages_made() -> dict[Path, str]:
    """Every page made from the program, by its place."""
    return {
        ROOT / ".env.example": settings_pages.env_example(),
        ROOT / "docs" / "settings.md": settings_pages.page(),
        ROOT / "docs" / "commands.md": commands_page(),
        ROOT / "docs" / "airtable.md": airtable_page(),
    }


def main() -> int:
    stale = [path for path, text in pages_made().items() if not path.exists() or path.read_text("utf-8") != text]
    for path in stale:
        sys.stdout.write(f"{path.relative_to(ROOT)}\n")
        if "--check" not in sys.argv:
            path.write_text(pages_made()[path], encoding="utf-8")
    return 1 if stale and "--check" in sys.argv else 0


def _commands(words: tuple[str, ...], command: object) -> Iterator[tuple[tuple[str, ...], TyperCommand]]:
    if isinstance(command, TyperGroup):
        for name, child in command.commands.items():
            yield from _commands((*words, name), child)
    elif isinstance(command, TyperCommand):
        yield words, command


def _argument(argument: TyperArgument) -> str:
    name = argument.metavar or str(argument.name).upper()
    return name if argument.required else f"[{name}]"


def _option(option: TyperOption) -> str:
    flag = option.is_flag or isinstance(option.default, bool)
    value = "" if flag else f" {option.metavar or 'N'}".replace("|", "\\|")
    said = str(option.help)
    if option.required:
        said = f"{said} Required."
    elif value and option.default is not None:
        said = f"{said} Default: {option.default}."
    return f"| `{option.opts[0]}{value}` | {said} |"


def _field(field: dict[str, object]) -> str:
    said, _, owner = str(field["description"]).rpartition("Owner: ")
    options = field.get("options")
    choices = [each["name"] for each in options.get("choices", [])] if isinstance(options, dict) else []
    linked = options.get("linkedTable") if isinstance(options, dict) else None
    kind = f"{field['type']} → {linked}" if linked else str(field["type"])
    more = f" One of: {', '.join(choices)}." if choices else ""
    return f"| {field['name']} | {kind} | {owner} | {said.strip()}{more} |"


if __name__ == "__main__":
    raise SystemExit(main())
