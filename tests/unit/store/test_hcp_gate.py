"""Pace, pause and hour of one Housecall Pro key, on both databases (housecallpro.md HC-31 … HC-35, HC-96)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from changeover.store.database import Database
from changeover.store.hcp_gate import HcpGate, HcpPacing, NoRoom, Purpose

START = datetime(2026, 3, 4, 15, 0, 30, tzinfo=UTC).timestamp()
QUICK = HcpPacing(requests=10_000)
BUTTON, WEBHOOK, CYCLE = Purpose.BUTTON, Purpose.WEBHOOK, Purpose.CYCLE
Make = Callable[..., HcpGate]


@dataclass
class Clock:
    """A clock that only sleeping moves."""

    now: float = START
    slept: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


class _OwnClockGate(HcpGate):
    """A gate whose shared clock is the test's on PostgreSQL too."""

    def _now(self, conn: object) -> float:  # type: ignore[override]
        return self._clock()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def gate(database: Database, clock: Clock) -> Make:
    def make(limit: int = 1000, pacing: HcpPacing = HcpPacing()) -> HcpGate:
        return _OwnClockGate(database, hourly_limit=limit, pacing=pacing, clock=clock, sleep=clock.sleep)

    return make


def test_two_processes_send_no_more_than_four_calls_in_any_second(gate: Make, clock: Clock) -> None:
    one, other = gate(), gate()
    sent = []
    for _ in range(5):
        for each in (one, other):
            each.admit(CYCLE)
            sent.append(clock.now)
    assert all(later - earlier >= 1.0 for earlier, later in zip(sent, sent[4:], strict=False))
    assert sent[-1] - sent[0] < 2.5


def test_the_cycle_leaves_the_last_fifth_of_the_hour_to_people_and_webhooks(gate: Make, clock: Clock) -> None:
    """HC-32, J-110."""
    one = gate(10, QUICK)
    for _ in range(8):
        one.admit(CYCLE)
    assert (one.room(CYCLE), one.room(Purpose.CHECK), one.room(WEBHOOK)) == (0, 0, 2)
    with pytest.raises(NoRoom) as refusal:
        one.admit(CYCLE)
    assert refusal.value.hourly
    one.admit(WEBHOOK)
    one.admit(BUTTON)
    with pytest.raises(NoRoom):
        one.admit(BUTTON)
    assert clock.slept == []


def test_no_rolling_hour_sees_more_than_the_limit(gate: Make, clock: Clock) -> None:
    """HC-31."""
    one = gate(3, QUICK)
    for _ in range(3):
        one.admit(BUTTON)
        clock.now += 600
    with pytest.raises(NoRoom) as refusal:
        one.admit(BUTTON)
    clock.now += refusal.value.after - 1
    assert clock.now > START + 3600
    with pytest.raises(NoRoom):
        one.admit(BUTTON)
    clock.now += 1
    one.admit(BUTTON)
    assert one.room(BUTTON) == 0


def test_a_pause_holds_every_caller_and_a_shorter_one_does_not_end_it(gate: Make, clock: Clock) -> None:
    """HC-35."""
    one, other = gate(), gate()
    one.pause(30)
    one.pause(5)
    other.admit(BUTTON)
    assert 30 < clock.now - START < 31
    until = other.state().paused_until
    assert until is not None
    assert until.timestamp() == START + 30


def test_who_has_no_time_to_wait_is_refused_at_once_with_the_time(gate: Make, clock: Clock) -> None:
    one = gate()
    one.pause(30)
    with pytest.raises(NoRoom) as refusal:
        one.admit(BUTTON, patience=20)
    assert not refusal.value.hourly
    assert 30 <= refusal.value.after < 31
    assert clock.slept == []


def test_while_a_button_waits_others_leave_it_one_slot(gate: Make, clock: Clock) -> None:
    """HC-32."""
    pacing = HcpPacing(requests=2)
    one = gate(pacing=pacing)
    one.admit(CYCLE)
    clock.now += 0.5
    one.admit(CYCLE)
    with pytest.raises(NoRoom):
        one.admit(BUTTON, patience=0.1)  # it will ask again when the first slot is free
    clock.now += 0.6
    with pytest.raises(NoRoom):
        one.admit(WEBHOOK, patience=0.1)
    one.admit(BUTTON, patience=0)
    one.admit(WEBHOOK)
    assert clock.now - START < 2


def test_calls_are_counted_by_purpose_for_the_hour_and_forgotten_after_it(gate: Make, clock: Clock) -> None:
    """HC-96."""
    one = gate(pacing=QUICK)
    assert one.state().last_hour == {}
    assert one.room(BUTTON) == 1000
    for purpose in (CYCLE, CYCLE, BUTTON):
        one.admit(purpose)
    assert one.state().last_hour == {"cycle": 2, "button": 1}
    clock.now += 61 * 60
    one.admit(WEBHOOK)
    assert one.state().last_hour == {"webhook": 1}


def test_a_clock_that_was_put_back_blocks_nobody(gate: Make, clock: Clock) -> None:
    one = gate(1, QUICK)
    one.admit(BUTTON)
    clock.now -= 24 * 3600
    one.admit(BUTTON)
    assert clock.slept == []


def test_callers_at_the_same_time_never_pass_the_limit(database: Database) -> None:
    passed: list[Purpose] = []

    def ask() -> None:
        one = HcpGate(database, hourly_limit=12, pacing=QUICK)
        for _ in range(6):
            try:
                one.admit(BUTTON)
            except NoRoom:
                return
            passed.append(BUTTON)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(passed) == 12
