"""What killed runs leave: processes found by their home, homes gone after a day (F-3, Z-38)."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from changeover.sources.evolve import leftovers

NOW = datetime(2026, 3, 4, 15, tzinfo=UTC)
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(leftovers, "_END_SECONDS", 0.2)


@pytest.fixture
def homes(tmp_path):
    folder = tmp_path / "browser"
    for name, age in (("run-old", timedelta(days=1, minutes=1)), ("run-young", timedelta(hours=23))):
        (folder / name / "profile").mkdir(parents=True)
        instant = (NOW - age).timestamp()
        os.utime(folder / name, (instant, instant))
    return folder


def test_homes_go_after_a_day_and_not_before(homes):
    assert leftovers.prune(homes, NOW) == 1
    assert [path.name for path in homes.iterdir()] == ["run-young"]


def test_where_there_never_was_a_browser_there_is_nothing_to_do(tmp_path):
    assert leftovers.prune(tmp_path / "browser", NOW) == 0


def test_processes_of_a_home_are_ended_and_no_others(homes):
    home, other = homes / "run-young", homes / "run-younger"
    ours, others = (
        subprocess.Popen([sys.executable, "-c", STUBBORN], env={"HOME": str(each)}, stdout=subprocess.PIPE)
        for each in (home, other)
    )
    try:
        assert (ours.stdout.readline(), others.stdout.readline()) == (b"up\n", b"up\n")
        assert leftovers.processes(home) == [ours.pid]
        leftovers.prune(homes, NOW)
        assert ours.wait(5) == -9
        assert others.poll() is None
        assert home.exists()
    finally:
        for each in (ours, others):
            each.kill()
            each.wait()
            each.stdout.close()


def test_the_socket_beside_other_temporary_files_goes_with_its_profile(tmp_path):
    home, socket = tmp_path / "home", tmp_path / "org.chromium.Chromium.abc" / "SingletonSocket"
    socket.parent.mkdir()
    (home / "profile").mkdir(parents=True)
    (home / "profile" / "SingletonSocket").symlink_to(socket)
    leftovers.remove(home)
    assert list(tmp_path.iterdir()) == []


def test_a_link_to_anywhere_else_is_not_followed(tmp_path):
    home, precious = tmp_path / "home", tmp_path / "precious"
    precious.mkdir()
    (home / "profile").mkdir(parents=True)
    (home / "profile" / "SingletonSocket").symlink_to(precious / "SingletonSocket")
    leftovers.remove(home)
    assert list(tmp_path.iterdir()) == [precious]
