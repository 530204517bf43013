"""A thousand steps of a business, more with `scripts/chaos --steps`: rows, jobs and people's words stay true (§8)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest

from plugins.postgres import Cluster
from stateful.business import Business
from stateful.driver import live_through, stand_ins


@pytest.fixture(scope="module", autouse=True)
def world() -> Iterator[None]:
    with stand_ins():
        yield


@pytest.mark.parametrize("seed", [10, 20_010, 40_010, 60_010])
def test_a_business_stays_true_whatever_happens(seed: int) -> None:
    assert live_through(seed, steps=250) >= 250


def test_a_business_stays_true_under_the_durable_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Business, "durable", True)
    assert live_through(7, steps=100) >= 100


def test_a_business_stays_true_on_postgresql(postgres_cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Business, "database", staticmethod(partial(postgres_cluster.database, "migrated")))
    assert live_through(9, steps=200) >= 200
