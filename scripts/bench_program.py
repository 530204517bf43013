"""The program's own processes for the benchmarks: its server, its worker, and the settings they read."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench_world import ROOT, Business

_PATIENCE = 60  # seconds for what is under way when a process is asked to end


def settings_of(folder: Path, env: str = "dev") -> dict[str, str]:
    """The settings of an environment of a sandbox."""
    lines = (folder / "config" / f"{env}.env").read_text("utf-8").splitlines()
    return {name: value for name, _, value in (line.partition("=") for line in lines)}


@contextmanager
def serving(made: Business, bind: str = "127.0.0.1:0") -> Iterator[str]:
    """`changeover serve` on the data of a business; its address."""
    command = [sys.executable, "-m", "changeover.cli", "serve", "--bind", bind, "--json"]
    with _process(command, made.variables({})) as line:
        yield str(json.loads(line)["url"])


@contextmanager
def working(made: Business) -> Iterator[None]:
    """`changeover worker` on the data of a business, at work."""
    command = [sys.executable, "-m", "changeover.cli", "worker", "--env", "dev", "--json"]
    with _process(command, made.variables({"LOG_LEVEL": "WARNING"})):
        yield


@contextmanager
def bare() -> Iterator[str]:
    """A Flask route that reads the body and says ok, on a gunicorn of the same kind."""
    with _process([sys.executable, str(ROOT / "scripts" / "bench_bare.py")], dict(os.environ)) as line:
        yield f"http://127.0.0.1:{int(line)}"


@contextmanager
def _process(command: list[str], variables: dict[str, str]) -> Iterator[str]:
    """A process that says on its first line that it is there; ended afterwards. Raises RuntimeError without a word."""
    pipe, nowhere = subprocess.PIPE, subprocess.DEVNULL
    with subprocess.Popen(command, env=variables, stdout=pipe, stderr=nowhere, text=True) as child:  # noqa: S603
        try:
            line = child.stdout.readline() if child.stdout else ""
            if not line:
                raise RuntimeError(f"{' '.join(command[2:4])} said nothing")
            yield line
        finally:
            child.send_signal(signal.SIGTERM)
            child.wait(_PATIENCE)
