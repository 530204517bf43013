"""Tests marked `browser` need a Chromium with its driver: without one they are skipped, and a run says so last."""

from __future__ import annotations

import shutil

import pytest

PROGRAMS = ("chromium", "chromedriver")
WITHOUT = "no Chromium with a driver here (apt install chromium chromium-driver): tests that need one were skipped"


def installed() -> bool:
    return all(map(shutil.which, PROGRAMS))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if not installed():
        for item in items:
            if item.get_closest_marker("browser"):
                item.add_marker(pytest.mark.skip(reason=WITHOUT))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not installed():
        terminalreporter.write_line(WITHOUT)
