"""A client of ours beside a running stand-in; waiting moves a clock and takes no time."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from changeover.housecallpro.client import HousecallPro, Tries, Wiring
from changeover.store.database import Database
from changeover.store.hcp_gate import HcpGate, HcpPacing
from plugins.housecallpro import DEV, Service, server, service

__all__ = ["server", "service"]

UNPACED = HcpPacing(requests=100_000)
CALM = Tries(jitter=0.0, timeout=(2, 2))


@dataclass
class Clock:
    """Epoch seconds that only sleeping moves."""

    now: float = 1_772_647_331.0
    slept: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(round(seconds, 1))
        self.now += seconds


@dataclass
class Bench:
    """What a test of the client works with. `client` speaks with the key of dev."""

    service: Service
    clock: Clock
    gate: HcpGate
    make: Callable[..., HousecallPro]
    client: HousecallPro

    since: int = 0

    def forget(self) -> None:
        """From here on only the requests to come are told."""
        self.since = self.service.control("GET", "/requests").json()["next"]

    def told(self) -> list[dict]:
        return self.service.control("GET", "/requests", since=self.since).json()["requests"]

    def calls(self) -> list[tuple[str, str, int | None]]:
        """Every request that arrived, with its answer's status."""
        return [(each["method"], each["path"], each["status"]) for each in self.told()]

    def bodies(self) -> list[dict]:
        """What was sent, of those that sent something."""
        return [each["body"] for each in self.told() if each["body"] is not None]

    def queries(self) -> list[str]:
        return [each["query"] for each in self.told()]


@pytest.fixture
def bench(service: Service, tmp_path: Path, migrated_sqlite: Path) -> Iterator[Bench]:
    shutil.copy(migrated_sqlite, tmp_path / "state.db")
    database = Database(f"sqlite:///{tmp_path / 'state.db'}")
    clock = Clock()
    gate = HcpGate(database, hourly_limit=10_000, pacing=UNPACED, clock=clock, sleep=clock.sleep)

    def make(base_url: str = service.url, api_key: str = DEV.api_key, **wiring: object) -> HousecallPro:
        given = {"gate": gate, "tries": CALM, "clock": clock, "monotonic": clock, "sleep": clock.sleep, **wiring}
        return HousecallPro(base_url, api_key, Wiring(**given))

    yield Bench(service, clock, gate, make, make())
    database.close()
