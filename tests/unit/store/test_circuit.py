"""The circuit of a service that does not answer, shared by all processes of an environment (operations.md C-65)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from changeover.store.circuit import CircuitOpen, CircuitState
from changeover.store.database import Database
from changeover.store.gate import Gate, Pacing
from changeover.store.gate import Purpose as BasePurpose
from changeover.store.hcp_gate import HcpGate, HcpPacing, Purpose

START = datetime(2026, 3, 4, 15, tzinfo=UTC)
ANSWERS = (200, 404, 429, 500)


@dataclass
class Clock:
    now: float = START.timestamp()

    def __call__(self) -> float:
        return self.now


class _BaseGate(Gate):
    def _now(self, conn: object) -> float:  # type: ignore[override]
        return self._clock()


class _HcpGate(HcpGate):
    def _now(self, conn: object) -> float:  # type: ignore[override]
        return self._clock()


@pytest.fixture
def clock() -> Clock:
    return Clock()


Process = Callable[[], tuple[Callable[[], object], Gate | HcpGate]]


@pytest.fixture(params=["airtable", "housecallpro"])
def process(request: pytest.FixtureRequest, database: Database, clock: Clock) -> Process:
    """Another process: how it asks for leave to send, and its gate."""

    def of_the_base() -> tuple[Callable[[], object], Gate]:
        gate = _BaseGate(database, "appBASE0000000000", pacing=Pacing(requests=1000), clock=clock)
        return lambda: gate.admit(BasePurpose.CLICK), gate

    def of_hcp() -> tuple[Callable[[], object], HcpGate]:
        gate = _HcpGate(database, hourly_limit=1000, pacing=HcpPacing(requests=1000), clock=clock)
        return lambda: gate.admit(Purpose.BUTTON), gate

    return of_the_base if request.param == "airtable" else of_hcp


def lose(ask: Callable[[], object], gate: Gate | HcpGate, *ends: int | None) -> None:
    """Requests that end so."""
    for status in ends:
        ask()
        gate.circuit.heard(status)


def test_five_requests_in_a_row_without_an_answer_are_enough(process: Process, clock: Clock) -> None:
    """Any answer in between starts the count anew, a refusal too."""
    ask, gate = process()
    lose(ask, gate, 200)
    assert gate.circuit.state() == CircuitState()
    for status in ANSWERS:
        lose(ask, gate, None, 502, 503, 504, status)
        assert gate.circuit.state() == CircuitState()
    lose(ask, gate, None, 502, 503, 504)
    ask()  # still asked, four are not enough
    gate.circuit.heard(None)
    with pytest.raises(CircuitOpen) as left:
        ask()
    assert left.value.after == 30
    assert gate.circuit.state() == CircuitState(5, datetime.fromtimestamp(clock.now, UTC))


def test_one_request_in_half_a_minute_asks_how_the_service_is(process: Process, clock: Clock) -> None:
    (ask, gate), (other_asks, other) = process(), process()
    other_asks()
    lose(ask, gate, *[None] * 5)
    clock.now += 29
    for each in (ask, other_asks):
        with pytest.raises(CircuitOpen):
            each()
    clock.now += 1
    other_asks()
    with pytest.raises(CircuitOpen):  # the other's answer is not here yet
        ask()
    other.circuit.heard(503)
    clock.now += 30
    assert gate.circuit.state() == CircuitState(6, START)
    ask()
    gate.circuit.heard(200)
    other_asks()
    assert other.circuit.state() == CircuitState()


def test_a_process_that_begins_asks_once_for_itself(process: Process) -> None:
    ask, gate = process()
    lose(ask, gate, *[None] * 5)
    later, its = process()
    lose(later, its, None)
    with pytest.raises(CircuitOpen):
        later()
