from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from changeover.sources.csv import suppliers
from changeover.sources.evolve.visit import Login, Visit
from plugins.outsider import business, empty_state, sandbox
from plugins.portal import BRISK, PASSWORD, USER, Portal, served

__all__ = ["business", "empty_state", "sandbox"]

ROOT = Path(__file__).resolve().parents[3]
FAR_AWAY = "Pacific/Kiritimati"  # 14 hours ahead of UTC


@pytest.fixture(scope="module")
def portal() -> Iterator[Portal]:
    with served() as portal:
        yield portal


@pytest.fixture
def visit(portal: Portal, tmp_path: Path) -> Visit:
    """A visit to the portal by its one partner, with the browser's clock far away."""
    known = suppliers.load(ROOT / "config" / name for name in suppliers.FILES)
    login = Login(portal.url, USER, PASSWORD)
    return Visit(login, tmp_path / "run-1", FAR_AWAY, known, time.sleep, lambda: False, BRISK)


@pytest.fixture
def free_port() -> int:
    """A port of this machine on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
