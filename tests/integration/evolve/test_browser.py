"""A browser's life: what it gets to know, and that nothing of it is left, however it ends (C-32, F-3)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from changeover.sources.evolve import browser as browsers
from changeover.sources.evolve import leftovers
from changeover.sources.evolve.browser import Browser, NoBrowser, Programs, opened
from changeover.sources.evolve.page import Page, told
from changeover.sources.evolve.visit import BrowserEnded
from plugins.portal import Portal

HELD = """
import sys, time
from pathlib import Path
from changeover.sources.evolve.browser import Browser, Programs
browser = Browser(Programs.installed(), Path(sys.argv[1]), "UTC")
print("up", flush=True)
time.sleep(60)
"""


def gone(home: Path) -> bool:
    """Whether all processes of a home have ended; waits for them a while."""
    until = time.monotonic() + 10
    while leftovers.processes(home) and time.monotonic() < until:
        time.sleep(0.05)
    return not leftovers.processes(home)


def environment(pid: int) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0")
    return dict(line.split("=", 1) for line in lines if line)


@pytest.mark.browser
def test_it_knows_nothing_of_ours_but_path_home_language_and_zone(tmp_path, monkeypatch):  # S-5
    monkeypatch.setenv("AIRTABLE_API_KEY_DEV", "patSecret")
    home = tmp_path / "browser" / "run-1"
    with opened(home, "America/Phoenix", lambda: False, 1) as browser:
        (driver,) = [pid for pid in leftovers.processes(home) if "chromedriver" in _command(pid)]
        known = environment(driver)
        assert browser.driver.execute_script("return Intl.DateTimeFormat().resolvedOptions().timeZone") == known["TZ"]
        others = [environment(pid) for pid in leftovers.processes(home)]
    assert known == {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "LANG": "en_US.UTF-8",
        "TZ": "America/Phoenix",
    }
    assert len(others) > 3
    assert not any("patSecret" in each.values() for each in others)
    assert (leftovers.processes(home), home.exists()) == ([], False)


def _command(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_text().split("\0")[0]


@pytest.mark.browser
def test_one_that_dies_in_the_middle_is_said_to_have_ended_and_leaves_nothing(tmp_path):
    home = tmp_path / "run-1"
    with opened(home, "UTC", lambda: False, 1) as browser:
        for pid in leftovers.processes(home):
            if "chromedriver" not in _command(pid):
                os.kill(pid, signal.SIGKILL)
        page = Page(browser.driver, time.sleep, 0.02, time.monotonic() + 5, 5)
        with pytest.raises(BrowserEnded, match="the browser ended by itself"):
            page.open("about:blank")
    assert (leftovers.processes(home), home.exists()) == ([], False)


@pytest.mark.browser
def test_one_that_hangs_when_its_run_is_to_end_is_ended_under_its_hands(tmp_path, portal: Portal):  # C-32, Z-12
    home, asked = tmp_path / "run-1", threading.Event()
    portal.misbehaves("slow", value=20)
    with opened(home, "UTC", asked.is_set, 0.1) as browser:
        asked.set()
        with pytest.raises(BrowserEnded):
            told(lambda: browser.driver.get(portal.url))
    portal.behaves()
    assert (leftovers.processes(home), home.exists()) == ([], False)


@pytest.mark.browser
def test_a_killed_run_takes_its_browser_along_and_its_home_goes_a_day_later(tmp_path):
    home = tmp_path / "browser" / "run-1"
    holder = subprocess.Popen([sys.executable, "-c", HELD, str(home)], stdout=subprocess.PIPE)
    try:
        assert holder.stdout.readline() == b"up\n"
        assert leftovers.processes(home)
    finally:
        holder.kill()
        holder.wait()
        holder.stdout.close()
    assert gone(home)
    assert (home / "profile").is_dir()
    assert leftovers.prune(home.parent, datetime.now(UTC)) == 0
    assert leftovers.prune(home.parent, datetime.now(UTC) + timedelta(days=1, minutes=1)) == 1
    assert list(home.parent.iterdir()) == []


def program(folder: Path, text: str) -> str:
    path = folder / "driver"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o700)
    return str(path)


@pytest.mark.parametrize(
    ("driver", "text"),
    [
        ("exit 1", "Chromium does not start (OSError)"),
        ("exec sleep 5", "Chromium does not start (OSError)"),
        ("echo ChromeDriver was started successfully on port 9.; exec sleep 5", "Chromium does not start (MaxRetry"),
    ],
)
def test_a_driver_that_does_not_work_is_no_browser_and_leaves_nothing(tmp_path, monkeypatch, driver, text):
    monkeypatch.setattr(browsers, "_START_SECONDS", 0.3)
    home = tmp_path / "run-1"
    with pytest.raises(NoBrowser) as none:
        Browser(Programs("/usr/bin/false", program(tmp_path, driver)), home, "UTC")
    assert none.value.text.startswith(text)
    assert (leftovers.processes(home), home.exists()) == ([], False)


def test_a_driver_that_is_not_there_is_no_browser(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoBrowser, match="chromedriver does not start"):
        Browser(Programs("/usr/bin/false", str(tmp_path / "driver")), tmp_path / "run-1", "UTC")
    assert list(tmp_path.iterdir()) == []
