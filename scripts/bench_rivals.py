"""Programs that ours is held against, each in an environment of its own; none of them is a dependency."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def installed(name: str) -> Path:
    """The folder of an environment that holds this package of the registry; made at the first call."""
    folder = Path.home() / ".cache" / "changeover-bench" / name
    done = folder / "done"
    if not done.exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)  # noqa: S603 - our own interpreter
        subprocess.run([str(folder / "bin" / "pip"), "install", "--quiet", name], check=True)  # noqa: S603
        done.touch()
    return folder
