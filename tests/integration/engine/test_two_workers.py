"""Two real processes on one database, asked at the same time: a plan is delivered once, who is late is refused."""

from __future__ import annotations

import fcntl
import json
import signal
import subprocess
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime

import pytest
from sqlalchemy import select, update

from changeover.engine import names
from changeover.engine.process import host_name
from changeover.exits import Exit
from changeover.store.database import Database
from changeover.store.tables import leases, metadata
from plugins.outsider import Business

STAYS = 25


@pytest.fixture
def crowded(business: Business, database: Database) -> Business:
    """A house with so many new stays that a run writes for a while."""
    business.set("dev", DATABASE_URL=database.url)
    (calendar,) = business.house("Casa Uno")
    for number in range(STAYS):
        calendar.stay(f"b{number}@x", 10 + number, 11 + number)
    return business


def created(business: Business, since: int) -> Counter[str]:
    """How often each stay was sent to the base as a new row."""
    sent: Counter[str] = Counter()
    for call in business.sandbox.requests("airtable", since):
        if (call["method"], str(call["path"]).rpartition("/")[2]) == ("POST", "Reservations"):
            body: Mapping[str, Sequence[Mapping[str, Mapping[str, str]]]] = call["body"]  # type: ignore[assignment]
            sent.update(record["fields"]["Reservation UID"] for record in body["records"])
    return sent


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    said, complaints = process.communicate(timeout=90)
    return process.returncode, said + complaints


def once_each(business: Business, since: int) -> bool:
    sent = created(business, since)
    return len(sent) == STAYS and set(sent.values()) == {1} and len(business.office.live) == STAYS


def test_of_two_runs_at_the_same_time_one_delivers_and_the_other_is_locked_out(crowded: Business) -> None:
    """C-24, C-30."""
    crowded.sandbox.fault("latency", 0.5, method="POST", path="Reservations")
    since = crowded.sandbox.next_request("airtable")
    said = dict(map(ended, [crowded.start(), crowded.start()]))
    assert said.keys() == {Exit.OK, Exit.LOCKED}
    assert "holds the lease" in said[Exit.LOCKED]
    assert once_each(crowded, since)
    crowded.sandbox.heal()
    assert crowded.run().writes == [("PATCH", "Automation")]


def test_a_run_that_sleeps_past_its_lease_finds_its_token_too_old_when_it_wakes(
    crowded: Business, database: Database
) -> None:
    """C-30, C-31: another one takes over what it had begun; the request it had on the wire is adopted, not repeated."""
    crowded.sandbox.fault("latency", 0.3, method="POST", path="Reservations")
    since = crowded.sandbox.next_request("airtable")
    sleeper = crowded.start()
    while not created(crowded, since):
        assert sleeper.poll() is None
        crowded.pause()
    sleeper.send_signal(signal.SIGSTOP)
    try:
        with database.begin() as connection:  # as a minute without a heartbeat leaves it
            connection.execute(update(leases).values(expires=datetime(2026, 3, 1, tzinfo=UTC)))
        successor, said = ended(crowded.start())
        crowded.sandbox.heal()
        with database.read() as connection:
            plans = connection.execute(select(metadata.tables["plans"])).all()
    finally:
        sleeper.send_signal(signal.SIGCONT)
    late = crowded.sandbox.next_request("airtable")
    assert ended(sleeper)[0] == Exit.STOPPED
    assert successor == Exit.OK, said
    writes = [call for call in crowded.sandbox.requests("airtable", late) if call["method"] != "GET"]
    assert writes == []
    with database.read() as connection:
        assert connection.execute(select(metadata.tables["plans"])).all() == plans
    assert once_each(crowded, since)
    assert {row.state for row in crowded.runs()} <= {"succeeded", "disabled", "not_configured", "interrupted"}


def test_what_a_dead_process_left_is_delivered_once_by_one_of_two_that_come_at_once(
    processes, commit: Callable[[str, int], list[str]]
) -> None:
    """C-4: an executor's unfinished work begins again where its id is used next, so only one may use it."""
    expected = commit("run-aaa", 45)
    assert processes.run(run="run-aaa", die="written", at=2)[0] == -signal.SIGKILL
    line = processes._command({})
    both = [subprocess.Popen(line, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = [json.loads(process.communicate(timeout=60)[0].splitlines()[-1]) for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert any("settled" in each for each in said)
    assert sorted(processes.arrived()) == expected


@pytest.mark.parametrize(("hanging", "code"), [(1, Exit.OK), (9, Exit.LOCKED)])
def test_runs_that_hang_without_a_lease_keep_their_ids_and_the_next_takes_another(
    business: Business, hanging: int, code: Exit
) -> None:
    """C-4, C-30: while one is left."""
    (calendar,) = business.house("Casa Uno")
    calendar.stay("a1@x", 2, 5)
    business.data().mkdir(parents=True, mode=0o700)
    with ExitStack() as held:
        for number in range(1, hanging + 1):
            name = names.executor(host_name(), "dev", names.Role.CYCLE, number)
            file = held.enter_context((business.data() / f"{name}.lock").open("w"))
            fcntl.flock(file, fcntl.LOCK_EX)
        ran = business.run()
    assert (ran.code, len(business.office.live)) == (code, int(code is Exit.OK))
    assert business.run().code == Exit.OK
