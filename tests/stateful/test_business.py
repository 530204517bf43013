"""Thousands of steps of a business: whatever happens, rows, jobs and people's words stay true (ARCHITECTURE §8)."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from stateful import program
from stateful.business import Business
from stateful.driver import live_through, stand_ins


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """A folder in memory where there is one: thousands of small transactions need not wait for a disk."""
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(dir=memory if memory.is_dir() else None))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module", autouse=True)
def world(place: Path) -> Iterator[None]:
    with stand_ins(place):
        yield


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_a_business_stays_true_whatever_happens(seed: int) -> None:
    assert live_through(seed, steps=2_500) >= 2_500


def test_a_business_stays_true_under_the_durable_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Business, "durable", True)
    assert live_through(7, steps=100) >= 100


def test_a_business_stays_true_on_postgresql(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Business, "database_url", postgres_url)
    assert live_through(9, steps=250) >= 250


def test_every_way_of_going_wrong_was_taken() -> None:
    """The machine is only as good as what it reaches."""
    taken = Business.statistics
    for what in ("overtaken runs", "committed although disturbed", "rows made again", "databases lost", "second runs that had nothing to do"):
        assert taken[what] > 0, (what, taken)
    assert program.Straight is not None
