from __future__ import annotations

import signal
from collections.abc import Callable

import pytest

from changeover.store import alerts, deliveries
from changeover.store.database import Database

Commit = Callable[[str, int], list[str]]


@pytest.mark.parametrize("place", ["claimed", "written", "stored"])
def test_a_process_killed_in_the_middle_is_carried_on_by_the_next_and_nothing_arrives_twice(
    database: Database, processes, commit: Commit, place: str
) -> None:
    expected = commit("run-aaa", 45)
    code, _ = processes.run(run="run-aaa", die=place, at=3)
    assert code == -signal.SIGKILL
    assert 0 < len(processes.arrived()) < 45
    code, said = processes.run()
    assert code == 0
    assert said["dead"] == []
    assert sorted(processes.arrived()) == expected
    with database.read() as connection:
        assert deliveries.open_runs(connection) == ()


def test_work_committed_but_never_begun_is_delivered_by_the_next_process_in_the_order_of_its_runs(
    processes, commit: Commit
) -> None:
    """Z-33: a queue in memory was lost at every restart."""
    first, second = commit("run-aaa", 12), commit("run-bbb", 5)
    code, said = processes.run()
    assert (code, said["settled"]) == (0, [0, 17, 0, ""])
    assert processes.arrived() == first + second


def test_a_delivery_that_kills_its_process_again_and_again_becomes_a_dead_letter_with_an_alert(
    database: Database, processes, commit: Commit
) -> None:
    commit("run-aaa", 5)
    other = commit("run-bbb", 5)
    code = processes.run(run="run-aaa", die="claimed")[0]
    for _ in range(10):
        if code == 0:
            break
        code, said = processes.run(die="claimed")
    code, said = processes.run()
    assert code == 0
    assert said["dead"] == ["run-aaa"]
    assert processes.arrived() == other
    with database.read() as connection:
        (alert,) = alerts.standing(connection)
        assert deliveries.pending(connection, "run-aaa") == 5
    assert (alert.key, alert.run_id) == ("dev:dead_letter:delivery:run-aaa", "run-aaa")


def test_while_one_process_holds_the_lease_another_is_told_who_and_touches_nothing(processes, commit: Commit) -> None:
    commit("run-aaa", 3)
    with processes.running() as first:
        code, said = processes.run(run="run-aaa")
        assert (code, said) == (0, {"locked": first.pid})
        assert processes.arrived() == []


def test_the_lease_of_a_killed_process_is_free_at_once(processes, commit: Commit) -> None:
    commit("run-aaa", 3)
    with processes.running() as first:
        first.send_signal(signal.SIGKILL)
        first.wait()
        code, said = processes.run()
    assert (code, said["settled"]) == (0, [0, 3, 0, ""])
