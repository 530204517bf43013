from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from changeover.engine.lease import Lease, LeaseLost, Locked, Timing
from changeover.engine.process import this_process
from changeover.store import facts, leases
from changeover.store.database import Database
from changeover.store.leases import Holder
from changeover.store.tables import leases as table
from changeover.store.tables import metadata

NOW = datetime(2026, 3, 4, 15, tzinfo=UTC)
QUICK = Timing(beat=timedelta(milliseconds=20), expiry=timedelta(seconds=60))
STILL = Timing(beat=timedelta(hours=1), expiry=timedelta(seconds=60))
DYING = Timing(beat=timedelta(hours=1), expiry=timedelta(0))


@pytest.fixture
def taken_by(database: Database) -> Callable[[Holder, timedelta], int]:
    """Puts another holder's lease into the database; returns its token."""

    def take(holder: Holder, lasts: timedelta) -> int:
        with database.begin() as connection:
            return leases.take(connection, leases.lock(connection, "dev"), holder, lasts)

    return take


def test_a_second_run_is_told_at_once_who_holds_the_lease(database: Database) -> None:
    """Z-11: cycles overlapped."""
    with Lease.acquire(database, "dev", "run-a"):
        with pytest.raises(Locked, match="run-a holds the lease: process") as caught:
            Lease.acquire(database, "dev", "run-b")
        me = this_process("run-a")
        assert caught.value.holder == me
        assert caught.value.expires > datetime.now(UTC)


def test_a_released_lease_is_free_and_its_token_rises_at_each_taking(database: Database) -> None:
    tokens = []
    for number in range(3):
        with Lease.acquire(database, "dev", f"run-{number}") as lease:
            assert lease.held()
            tokens.append(lease.token)
        assert not lease.held()
    assert tokens == [1, 2, 3]


def test_leases_of_other_names_do_not_stand_in_the_way(database: Database) -> None:
    with Lease.acquire(database, "dev", "run-a"), Lease.acquire(database, "dev:commit", "run-b") as other:
        assert other.token == 1


def test_a_holder_on_this_host_whose_process_is_gone_is_replaced_at_once(database: Database, taken_by) -> None:
    token = taken_by(replace(this_process("run-dead"), started="12345678:1"), timedelta(hours=1))
    with Lease.acquire(database, "dev", "run-b") as lease:
        assert lease.token == token + 1


def test_a_holder_on_another_host_is_replaced_at_expiry_only(database: Database, taken_by) -> None:
    elsewhere = replace(this_process("run-elsewhere"), host="elsewhere", started="12345678:1")
    taken_by(elsewhere, timedelta(hours=1))
    with pytest.raises(Locked) as caught:
        Lease.acquire(database, "dev", "run-b")
    assert caught.value.holder == elsewhere
    taken_by(elsewhere, timedelta(0))
    with Lease.acquire(database, "dev", "run-b") as lease:
        assert lease.token == 3


def test_a_hung_process_on_this_host_loses_the_lease_at_expiry(database: Database) -> None:
    """Z-12: a cycle that hung held everything up for good."""
    hung = Lease.acquire(database, "dev", "run-hung", DYING)
    with Lease.acquire(database, "dev", "run-b") as lease:
        assert lease.held()
        assert not hung.held()
        hung.release()  # comes back to life: takes nothing from the new holder
        with database.begin() as connection:
            lease.check(connection)


def test_a_commit_under_an_older_token_is_refused_and_leaves_nothing(database: Database) -> None:
    old = Lease.acquire(database, "dev", "run-old", DYING)
    with Lease.acquire(database, "dev", "run-new"):
        with pytest.raises(LeaseLost, match="token 1 is older than 2"):
            commit_under(old)
        with database.read() as connection:
            assert facts.read(connection, "half") is None
    assert old.lost.is_set()
    old.release()


def test_a_commit_after_the_release_is_refused(database: Database) -> None:
    lease = Lease.acquire(database, "dev", "run-a")
    lease.release()
    with pytest.raises(LeaseLost), database.begin() as connection:
        lease.check(connection)


def test_nobody_takes_the_lease_while_a_checked_transaction_is_open(database: Database) -> None:
    old = Lease.acquire(database, "dev", "run-old", DYING)
    taken: list[Lease] = []
    thread = threading.Thread(target=lambda: taken.append(Lease.acquire(database, "dev", "run-new", STILL)))
    with database.begin() as connection:
        old.check(connection)
        thread.start()
        thread.join(0.15)
        assert taken == []
        facts.put(connection, "whole", 1, NOW)
    thread.join()
    with database.begin() as connection:
        assert facts.read(connection, "whole") is not None
        taken[0].check(connection)
    taken[0].release()
    old.release()


def test_the_answer_does_not_wait_for_the_holders_commit(database: Database) -> None:
    """C-24: who asks while another run holds the lease is told within a second."""
    with Lease.acquire(database, "dev", "run-a", STILL) as lease, database.begin() as connection:
        lease.check(connection)
        with pytest.raises(Locked, match="run-a"):
            Lease.acquire(database, "dev", "run-b")


def test_of_many_who_ask_at_once_one_gets_it(database: Database) -> None:
    got: list[Lease] = []
    locked: list[Locked] = []
    ready = threading.Barrier(6)

    def ask(number: int) -> None:
        ready.wait()
        try:
            got.append(Lease.acquire(database, "dev", f"run-{number}", STILL))
        except Locked as refusal:
            locked.append(refusal)

    threads = [threading.Thread(target=ask, args=[number]) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(got), len(locked)) == (1, 5)
    assert got[0].token == 1
    got[0].release()


def test_the_heartbeat_moves_the_expiry(database: Database) -> None:
    with Lease.acquire(database, "dev", "run-a", QUICK) as lease:
        moved = _until(lambda: _heartbeat(database), differs_from=_heartbeat(database))
        assert moved
        assert lease.held()


def test_the_heartbeat_notices_that_another_has_taken_the_lease(database: Database) -> None:
    with Lease.acquire(database, "dev", "run-a", QUICK) as lease:
        with database.begin() as connection:
            connection.execute(update(table).values(token=99))
        assert lease.lost.wait(10)
        assert not lease.held()


def test_a_database_that_cannot_be_reached_loses_the_lease_at_its_expiry_not_before(database: Database) -> None:
    timing = Timing(beat=timedelta(milliseconds=10), expiry=timedelta(milliseconds=300))
    lease = Lease.acquire(database, "dev", "run-a", timing)
    with database.begin() as connection:
        metadata.drop_all(connection, tables=[table])
    assert lease.lost.wait(10)
    lease.release()
    assert not lease.held()


def test_a_fault_that_passes_costs_nothing(database: Database) -> None:
    lease = Lease.acquire(database, "dev", "run-a", QUICK)
    with database.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE leases RENAME TO elsewhere")
    assert not lease.lost.wait(0.1)
    with database.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE elsewhere RENAME TO leases")
    assert _until(lambda: _heartbeat(database), differs_from=_heartbeat(database))
    assert lease.held()
    lease.release()


def test_the_clock_that_counts_is_the_databases(database: Database) -> None:
    with database.begin() as connection:
        found = leases.database_now(connection)
    assert found.tzinfo is UTC
    assert abs(found - datetime.now(UTC)) < timedelta(minutes=1)


def commit_under(lease: Lease) -> None:
    with lease._database.begin() as connection:
        facts.put(connection, "half", 1, NOW)
        lease.check(connection)


def _heartbeat(database: Database) -> datetime:
    with database.begin() as connection:
        return leases.lock(connection, "dev").heartbeat


def _until(value: Callable[[], datetime], *, differs_from: datetime) -> bool:
    patience = threading.Event()
    for _ in range(500):
        if value() != differs_from:
            return True
        patience.wait(0.02)
    return False
