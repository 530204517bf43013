"""The gate of a base: pacing, pause, block and meter, on both databases."""

import itertools
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from changeover.store.database import Database
from changeover.store.gate import Blocked, Gate, Pacing, Purpose

WINDOW = 1.0499  # 1.05 but for the rounding of floats
START = datetime(2026, 3, 4, 15, tzinfo=UTC).timestamp()


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


class _OwnClockGate(Gate):
    """A gate whose shared clock is the test's on PostgreSQL too."""

    def _now(self, conn: object) -> float:  # type: ignore[override]
        return self._clock()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def gate(database: Database, clock: Clock) -> Callable[..., Gate]:
    def make(pacing: Pacing = Pacing()) -> Gate:
        return _OwnClockGate(database, "appBASE0000000000", pacing=pacing, clock=clock, sleep=clock.sleep)

    return make


def stamps(gate: Gate, clock: Clock, number: int, purpose: Purpose = Purpose.DELIVER) -> list[float]:
    sent = []
    for _ in range(number):
        ticket = gate.admit(purpose)
        sent.append(clock.now)
        gate.answered(ticket)
    return sent


def test_no_more_than_five_requests_leave_in_any_window(gate: Callable[..., Gate], clock: Clock) -> None:
    sent = stamps(gate(), clock, 23)
    assert all(later - earlier >= WINDOW for earlier, later in zip(sent, sent[5:], strict=False))
    assert sent[-1] - sent[0] == pytest.approx(4 * 1.05, abs=0.1)


def test_two_processes_share_one_gate(gate: Callable[..., Gate], clock: Clock) -> None:
    one, other = gate(), gate()
    sent = list(itertools.chain.from_iterable(stamps(each, clock, 1) for _ in range(6) for each in (one, other)))
    assert all(later - earlier >= WINDOW for earlier, later in zip(sent, sent[5:], strict=False))


def test_a_request_that_took_long_counts_from_when_it_may_have_arrived(gate: Callable[..., Gate], clock: Clock) -> None:
    one = gate(Pacing(requests=1))
    first = one.admit(Purpose.OTHER)
    clock.now += 0.8
    one.answered(first)
    answered = clock.now
    one.answered(one.admit(Purpose.OTHER))
    assert clock.now - answered >= 1.05 - 0.05


def test_a_pause_holds_for_every_process_and_at_least_thirty_seconds(gate: Callable[..., Gate], clock: Clock) -> None:
    one, other = gate(), gate()
    one.pause(2)
    other.admit(Purpose.DELIVER)
    assert clock.now - START >= 30


def test_the_base_may_ask_for_a_longer_pause_and_a_shorter_one_does_not_cut_it(
    gate: Callable[..., Gate], clock: Clock
) -> None:
    one = gate()
    one.pause(90)
    one.pause(0)
    one.admit(Purpose.DELIVER)
    assert clock.now - START >= 90


def test_after_a_refusal_four_requests_a_window_for_an_hour(gate: Callable[..., Gate], clock: Clock) -> None:
    one = gate()
    one.pause()
    slow = stamps(one, clock, 9)
    assert all(later - earlier >= WINDOW for earlier, later in zip(slow, slow[4:], strict=False))
    clock.now = START + 3_601
    fast = stamps(one, clock, 5)
    assert fast[-1] - fast[0] < 0.001


def test_a_batch_leaves_one_slot_while_a_click_waits(gate: Callable[..., Gate], clock: Clock) -> None:
    batch, click = gate(), gate()
    stamps(batch, clock, 5)
    order: list[str] = []

    def sleep(seconds: float) -> None:
        clock.now += seconds
        if not order:
            order.append("batch may go")
            with batch._db.begin() as conn:
                outcomes = [batch._try(conn, Purpose.DELIVER, meta=False) for _ in range(5)]
            order.append(str(sum(not isinstance(each, float) for each in outcomes)))

    click._sleep = sleep
    click.admit(Purpose.CLICK)
    assert order == ["batch may go", "4"]
    assert clock.now - START < 1.2


def test_a_click_that_was_served_gives_its_slot_back(gate: Callable[..., Gate], clock: Clock) -> None:
    one = gate()
    stamps(one, clock, 5)
    one.admit(Purpose.CLICK)
    clock.now += 2
    sent = stamps(one, clock, 5)
    assert sent[-1] == sent[0]


def test_a_blocked_base_is_probed_every_six_hours_by_one_process_only(gate: Callable[..., Gate], clock: Clock) -> None:
    one, other = gate(), gate()
    one.block()
    with pytest.raises(Blocked):
        other.admit(Purpose.REFRESH)
    clock.now += timedelta(hours=6).total_seconds()
    assert other.admit(Purpose.REFRESH).probes
    with pytest.raises(Blocked):
        one.admit(Purpose.CLICK)


def test_a_blocked_base_is_probed_at_the_months_start(gate: Callable[..., Gate], clock: Clock) -> None:
    clock.now = datetime(2026, 3, 31, 23, 59, tzinfo=UTC).timestamp()
    one = gate()
    one.block()
    clock.now = datetime(2026, 4, 1, 0, 1, tzinfo=UTC).timestamp()
    assert one.admit(Purpose.REFRESH).probes


def test_a_blocked_base_still_answers_about_its_schema_and_that_proves_nothing(
    gate: Callable[..., Gate], clock: Clock
) -> None:
    one = gate()
    one.block()
    assert not one.admit(Purpose.CHECK, meta=True).probes
    assert one.state().blocked_at is not None
    one.unblock()
    assert one.state().blocked_at is None
    assert not one.admit(Purpose.REFRESH).probes


def test_requests_are_counted_by_month_and_purpose(gate: Callable[..., Gate], clock: Clock) -> None:
    one = gate()
    stamps(one, clock, 3, Purpose.REFRESH)
    stamps(one, clock, 1, Purpose.CLICK)
    clock.now = datetime(2026, 4, 1, tzinfo=UTC).timestamp()
    stamps(one, clock, 1, Purpose.REFRESH)
    assert one.calls("2026-03") == {"refresh": 3, "click": 1}
    assert one.calls("2026-04") == {"refresh": 1}


def test_a_clock_put_back_does_not_shut_the_gate(gate: Callable[..., Gate], clock: Clock) -> None:
    one = gate()
    stamps(one, clock, 5)
    clock.now -= 3_600
    one.admit(Purpose.OTHER)
    assert clock.slept == []


def test_a_gate_nobody_has_used_stands_open(gate: Callable[..., Gate]) -> None:
    state = gate().state()
    assert (state.paused_until, state.slow_until, state.blocked_at) == (None, None, None)


def test_many_threads_never_get_more_slots_than_there_are(database: Database) -> None:
    pacing = Pacing(requests=3, window=0.1)
    gates = [Gate(database, "appBASE0000000000", pacing=pacing) for _ in range(4)]
    tickets: list[float] = []

    def run(one: Gate) -> None:
        for _ in range(4):
            tickets.append(one.admit(Purpose.DELIVER).stamp)  # noqa: PERF401  # the list is shared

    threads = [threading.Thread(target=run, args=(each,)) for each in gates]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    tickets.sort()
    assert len(tickets) == 16
    assert all(later - earlier >= 0.0999 for earlier, later in zip(tickets, tickets[3:], strict=False))
