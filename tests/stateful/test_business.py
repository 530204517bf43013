"""Some lives of a business, thousands more with `scripts/chaos --steps`: rows, jobs, people's words stay true (§8)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from plugins.postgres import Cluster
from stateful.business import Business
from stateful.driver import Broken, Record, Taken, Ways, live, live_again, live_through, shrink, world


@contextmanager
def counted(ways: Ways, steps: int) -> Iterator[None]:
    before = Business.statistics["steps"]
    with world(ways):
        yield
    assert Business.statistics["steps"] - before == steps


def test_a_business_stays_true_whatever_happens() -> None:
    with counted(Ways(), 80):
        live_through(12, 80)


def test_a_business_stays_true_over_real_lines_under_the_durable_engine() -> None:
    with counted(Ways(served=True, durable=True), 80):
        live_through(7, 80)


def test_a_business_stays_true_on_postgresql(postgres_cluster: Cluster) -> None:
    with counted(Ways(database=partial(postgres_cluster.database, "migrated")), 60):
        live_through(9, 60)


def test_a_seed_always_means_the_same_life_down_to_the_last_row() -> None:
    pictures = []
    with world():
        for _ in range(2):
            Business.pictures = []
            live(33, 40)
            pictures.append(Business.pictures)
    assert pictures[0] == pictures[1]
    assert len(pictures[0]) > 2


@pytest.fixture
def a_lie(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A proof that fails as soon as two guests have rows."""

    def prove(business: Business, _: object) -> None:
        assert sum(guest.row is not None for guest in business.truth.guests) < 2, "two rows"

    monkeypatch.setattr(Business, "_check_rows", prove)
    with world():
        yield


@pytest.mark.usefixtures("a_lie")
def test_a_life_that_breaks_says_how_to_have_it_again_and_can_be_made_shorter(tmp_path: Path) -> None:
    with pytest.raises(Broken, match=r"two rows[\s\S]*scripts/chaos --steps \d+ --seed 5$") as broken:
        live_through(5, 200)
    broken.value.record.save(tmp_path / "life.json")
    record = Record.load(tmp_path / "life.json")
    assert record == broken.value.record
    shorter = shrink(record, seconds=float("inf"), lives=7)
    assert len(shorter.steps) < len(record.steps)
    with pytest.raises(Broken, match="two rows"):
        live_again(shorter)


def test_a_step_that_cannot_be_taken_any_more_is_left_out() -> None:
    with counted(Ways(), 1):
        live_again(Record(1, (Taken("come_back", {"pick": 1}), Taken("time_passes", {"hours": 1}))))
