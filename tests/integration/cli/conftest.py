"""A sandbox of a few calendars for the whole session, and the program as a person calls it."""

from __future__ import annotations

import json
import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
import structlog

from changeover.cli import main
from changeover.ops.logging import _LineHandler
from plugins.unmeasured import unmeasured


@dataclass(frozen=True)
class Answer:
    """What a command left: its exit code and both outputs."""

    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)


@dataclass(frozen=True)
class Box:
    """A sandbox with a home of its own for each test that asks for one."""

    where: dict
    config: Path
    home: Path

    @property
    def variables(self) -> dict[str, str]:
        return {"CHANGEOVER_CONFIG": str(self.config), "CHANGEOVER_HOME": str(self.home)}

    def run(self, *arguments: str, program: tuple[str, ...] = ("-m", "changeover.cli"), **more: str) -> Answer:
        """The program in a process of its own."""
        command = [sys.executable, *program, *arguments]
        done = subprocess.run(
            command,
            env={**os.environ, **self.variables, **more},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return Answer(done.returncode, done.stdout, done.stderr)

    def tell(self, service: str, method: str, path: str, body: object) -> dict:
        url = f"{self.where[service]['url']}{path}"
        request = Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"}, method=method)
        with urlopen(request, timeout=30) as answer:
            return json.load(answer)


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict]:
    folder = tmp_path_factory.mktemp("sandbox")
    command = [sys.executable, "-m", "changeover_sandbox"]
    up = [*command, "up", "--dir", str(folder), "--feeds", "4", "--seed", "5"]
    # With no browser in reach the portal's automation is not ticked: nothing here is about it, and it takes seconds.
    done = subprocess.run(up, env=unmeasured() | {"PATH": ""}, capture_output=True, text=True, check=True)
    where = json.loads(done.stdout)
    # Every test has a state database of its own, and with it a gate of its own: together they may be over the limit.
    body = json.dumps({"enforce": False}).encode()
    headers = {"Content-Type": "application/json"}
    with urlopen(Request(f"{where['airtable']['url']}/_sandbox/limits", body, headers), timeout=30) as answer:
        assert answer.status == 200
    yield where
    subprocess.run([*command, "down", "--dir", str(folder)], check=True, capture_output=True)


@pytest.fixture(scope="session")
def lived_in(sandbox: dict, tmp_path_factory: pytest.TempPathFactory) -> tuple[Box, Answer]:
    """A box whose dev environment has had its first cycle, and what that cycle said."""
    home = tmp_path_factory.mktemp("home")
    box = Box(sandbox, Path(sandbox["config"]), home)
    return box, box.run("--json", program=("src/run_automation_dev.py",))


@pytest.fixture
def box(sandbox: dict, tmp_path: Path) -> Box:
    """A box with copies of the settings that a test may change, and a fresh home."""
    config = tmp_path / "config"
    shutil.copytree(sandbox["config"], config)
    return Box(sandbox, config, tmp_path / "var")


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Answer]]:
    """The program in this process, for a box."""

    def answer(box: Box, *arguments: str) -> Answer:
        for name, value in box.variables.items():
            monkeypatch.setenv(name, value)
        capsys.readouterr()
        code = main(list(arguments))
        captured = capsys.readouterr()
        return Answer(code, captured.out, captured.err)

    root = logging.getLogger()
    level = root.level
    yield answer
    for handler in [each for each in root.handlers if isinstance(each, _LineHandler)]:
        root.removeHandler(handler)
    root.setLevel(level)
    structlog.reset_defaults()
