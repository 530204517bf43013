"""Finds the rule files (tables of the base, words of the platforms, forms of reports); it never reads an env file."""

from __future__ import annotations

import hashlib
from pathlib import Path

NAMES = (
    "airtable_base.json",
    "platforms.toml",
    "schedule.toml",
    "suppliers/evolve_tab1.toml",
    "suppliers/evolve_tab2.toml",
    "suppliers/itrip.toml",
)
_PACKAGE = Path(__file__).resolve().parent / "config"
_CHECKOUT = Path(__file__).resolve().parents[2] / "config"


def find(name: str, config: Path) -> Path:
    """The rule file in effect: the one in `config` (CHANGEOVER_CONFIG) replaces the one shipped with the program.

    An editable install has no packaged copy and uses the checkout's `config/`. Raises FileNotFoundError.
    """
    for folder in (config, _PACKAGE, _CHECKOUT):
        if (folder / name).is_file():
            return folder / name
    message = f"the rule file {name} is neither in {config} nor in the installed program"
    raise FileNotFoundError(message)


def digest(config: Path) -> str:
    """16 hex digits over all rule files in effect; a run records them, so that it can be explained later (S-1)."""
    total = hashlib.sha256()
    for name in NAMES:
        total.update(name.encode() + b"\0" + hashlib.sha256(find(name, config).read_bytes()).digest())
    return total.hexdigest()[:16]
