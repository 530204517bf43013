"""What people read about settings, made from the model: `.env.example` and the page of the manual; no values."""

from __future__ import annotations

import re
import textwrap
import types
from collections.abc import Iterator
from enum import StrEnum
from typing import Union, get_args, get_origin

from pydantic.fields import FieldInfo

from changeover.settings.loading import REQUIRED, REQUIRED_WITH_HCP
from changeover.settings.model import NAMES, SECRETS, Settings

# The part of the program that reads them comes later; their names are fixed, their values are checked already.
RESERVED = frozenset({"BATCH_SIZE", "HEARTBEAT_URL", "NOTIFY_URLS"})
_WIDTH = 110
_INTRODUCTION = """\
# Settings

`config/dev.env` and `config/prod.env` hold one `NAME=value` a line, the same names in each. `CHANGEOVER_CONFIG` names
the folder they are in (default `./config`), `CHANGEOVER_HOME` the folder for data (default `./var`).

- A process variable `NAME_DEV` or `NAME_PROD` wins over the file. Nothing in the files is exported.
- A secret may be given as `NAME_FILE`, the path of a file that holds it; a relative path starts at the folder of the
  env file. Giving both is refused.
- A blank value counts as none.
- dev and prod must not share a base, a key, a webhook secret, an `API_KEY`, a data folder or a database: the program
  refuses to start, naming the settings and never a value.
- Everything wrong is listed at once, with exit code 4, before anything outside is called.

Rule files (`airtable_base.json`, `platforms.toml`, `schedule.toml`) ship with the program; a file of the same name in
`CHANGEOVER_CONFIG` replaces one. Rules: [operations](rules/operations.md) S-1 … S-7.

*Reserved* names are checked, but the part of the program that uses them is not there yet.
"""


def env_example() -> str:
    """The file `.env.example`: every setting, its meaning, its default."""
    return "\n".join(_example_lines()) + "\n"


def page() -> str:
    """The page `docs/settings.md`."""
    rows = [f"| `{name}` | {_shape(name)} | {_default(name)} | {_meaning(name)} |" for name in NAMES]
    return "\n".join([_INTRODUCTION, "| Name | Value | Default | Meaning |", "|---|---|---|---|", *rows]) + "\n"


def _example_lines() -> Iterator[str]:
    yield "# Copy to config/dev.env and config/prod.env, with other values in each. chmod 600."
    yield "# Made by `python -m changeover.settings`; more in docs/settings.md."
    for name in NAMES:
        yield ""
        yield from (f"# {line}" for line in textwrap.wrap(_meaning(name).replace("**", ""), _WIDTH))
        yield f"{name}=" if name in REQUIRED else f"#{name}={_plain_default(name)}"


def _field(name: str) -> FieldInfo:
    return Settings.model_fields[name.lower()]


def _meaning(name: str) -> str:
    said = _field(name).description or ""
    if name in REQUIRED:
        said = f"**Required.** {said}"
    if name in REQUIRED_WITH_HCP:
        said = f"{said} Required with any HCP setting."
    if name in SECRETS:
        said = f"{said} Secret."
    return f"Reserved. {said}" if name in RESERVED else said


def _plain_default(name: str) -> str:
    default = _field(name).default
    if name in REQUIRED or default is None:
        return ""
    if isinstance(default, bool):
        return str(default).lower()
    return f"{default:g}" if isinstance(default, float) else str(default)


def _default(name: str) -> str:
    plain = _plain_default(name)
    return f"`{plain}`" if plain else "–"


def _shape(name: str) -> str:
    field = _field(name)
    kind = field.annotation
    if get_origin(kind) in (Union, types.UnionType):
        kind = next(each for each in get_args(kind) if each is not type(None))
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return ", ".join(f"`{each}`" for each in kind)
    if kind is bool:
        return "`true` or `false`"
    bounds = dict(re.findall(r"(ge|gt|le)=([\d.]+)", str(field.metadata)))
    if kind in (int, float) and bounds:
        least = f"{'over ' if 'gt' in bounds else ''}{bounds.get('ge', bounds.get('gt'))}"
        most = f" … {bounds['le']}" if "le" in bounds else " or more"
        return f"{'whole ' if kind is int else ''}number, {least}{most}"
    return "text"
