"""When the automation CSV Files is begun, how often, and how it ends with the worker."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from changeover.engine import importer
from changeover.engine.importer import Importer, Pauses
from changeover.exits import Exit

QUICK = Pauses(locked=0.01, hindered=0.01)
NEVER = 3600.0


@dataclass
class Runs:
    """Begins a shell in place of a run: each line in turn, the last one for ever."""

    folder: Path
    lines: list[str] = field(default_factory=lambda: ["rm -f *.csv"])
    begun: int = 0
    told: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    children: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def begin(self) -> subprocess.Popen[bytes]:
        line = self.lines[min(self.begun, len(self.lines) - 1)]
        self.begun += 1
        if line == "refuse":
            self.told.release()
            raise OSError("no more processes")
        self.children.append(subprocess.Popen(["/bin/sh", "-c", line], cwd=self.folder))
        self.told.release()
        return self.children[-1]

    def wait(self, times: int = 1) -> None:
        for _ in range(times):
            assert self.told.acquire(timeout=10)

    def put(self, name: str = "a.csv") -> None:
        (self.folder / name).touch()


@pytest.fixture
def runs(tmp_path: Path) -> Runs:
    return Runs(tmp_path)


@pytest.fixture
def start(runs: Runs) -> Iterator[Callable[[Pauses], Importer]]:
    started = []

    def begin(pauses: Pauses = QUICK) -> Importer:
        started.append(Importer(runs.folder, runs.begin, pauses))
        started[-1].start()
        return started[-1]

    yield begin
    for each in started:
        each.end()


def test_what_waits_at_the_start_is_imported(runs, start) -> None:
    runs.put()
    start()
    runs.wait()
    assert runs.begun == 1


def test_what_arrives_is_imported(runs, start) -> None:
    imports = start()
    runs.put()
    imports.arrived()
    runs.wait()
    assert runs.children[0].wait(10) == 0


@pytest.mark.parametrize("name", ["", ".a.csv.part", "a.txt"])
def test_an_inbox_without_a_whole_report_is_no_reason(runs, name) -> None:
    if name:
        runs.put(name)
    assert Importer(runs.folder, runs.begin).look() is None
    assert runs.begun == 0


@pytest.mark.parametrize("code", [3, 5, 6, 75, 1, 130])
def test_while_files_wait_it_is_tried_again(runs, start, code) -> None:
    runs.lines = [f"exit {code}", f"exit {code}", "rm -f *.csv"]
    runs.put()
    start()
    runs.wait(3)
    assert runs.children[2].wait(10) == 0


@pytest.mark.parametrize("code", [0, 2, 4])
def test_files_that_a_run_leaves_are_no_reason_for_another(runs, code) -> None:
    """Until new ones come: their automation is off, or they cannot be opened, or the settings are wrong."""
    runs.lines = [f"exit {code}"]
    runs.put()
    assert Importer(runs.folder, runs.begin, QUICK).look() is None
    assert runs.begun == 1


def test_after_a_run_that_took_everything_none_is_due(runs) -> None:
    runs.lines = ["rm -f *.csv; exit 3"]
    runs.put()
    assert Importer(runs.folder, runs.begin, QUICK).look() is None


def test_a_run_that_cannot_be_begun_is_begun_later(runs, start) -> None:
    runs.lines = ["refuse", "rm -f *.csv"]
    runs.put()
    start()
    runs.wait(2)
    assert len(runs.children) == 1


def test_an_inbox_that_cannot_be_read_is_looked_at_later(runs, monkeypatch) -> None:
    def locked(_folder):
        raise PermissionError

    monkeypatch.setattr(importer.inbox, "waiting", locked)
    assert Importer(runs.folder, runs.begin).look() == 60


def test_the_end_asks_the_run_in_progress_to_end(runs, start) -> None:
    runs.lines = ["exec sleep 60"]
    runs.put()
    imports = start(Pauses(NEVER, NEVER))
    runs.wait()
    imports.end()
    assert runs.children[0].returncode == -15


def test_a_run_that_does_not_end_is_killed(runs, start, monkeypatch) -> None:
    monkeypatch.setattr(importer, "_PATIENCE_SECONDS", 0.05)
    runs.lines = ["trap '' TERM; echo > deaf; exec sleep 60"]
    runs.put()
    imports = start()
    runs.wait()
    while not (runs.folder / "deaf").exists():
        threading.Event().wait(0.01)
    imports.end()
    assert runs.children[0].returncode == -9


def test_one_that_was_never_started_can_be_ended(runs) -> None:
    Importer(runs.folder, runs.begin).end()
    assert runs.begun == 0


def test_how_long_it_waits_depends_on_what_stood_in_the_way() -> None:
    pauses = Pauses()
    assert {code: pauses.after(code) for code in Exit} == {
        Exit.OK: None,
        Exit.PARTIAL: None,
        Exit.FAILED: 60,
        Exit.CONFIGURATION: None,
        Exit.LOCKED: 5,
        Exit.STOPPED: 60,
        Exit.UNREACHABLE: 60,
    }


def test_the_run_is_this_program_asked_by_a_mail() -> None:
    line = importer.command("prod")
    assert line[0] == sys.executable
    assert line[3:] == ["run", "--env", "prod", "--only", "CSV Files", "--trigger", "mail", "--json"]
