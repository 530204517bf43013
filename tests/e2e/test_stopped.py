"""Stop switch, full disk, another run, a wrong command line, signals and sudden death."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from changeover import controller
from changeover.airtable.client import AirtableClient
from changeover.engine import disk
from changeover.engine.lease import Lease
from changeover.exits import Exit
from plugins.outsider import AUTOMATION, Business, Calendar


def house(business: Business) -> Calendar:
    (calendar,) = business.house("Casa Uno")
    calendar.stay("a1@x", 2, 5)
    assert business.run().code == Exit.OK
    return calendar.stay("a2@x", 8, 9)


@pytest.mark.parametrize("level", ["pause", "full"])
def test_a_stop_lets_no_run_begin(business: Business, level: str) -> None:
    """Z-17: nothing could stop the schedule (E-2)."""
    house(business)
    (business.data() / "stop.json").write_text(json.dumps({"level": level, "why": "moving house"}))
    ran = business.run()
    assert (ran.code, ran.state) == (Exit.STOPPED, "stopped")
    assert f"stopped at level {level}: moving house" in str(ran.result.problem)
    assert (ran.calls, ran.downloads) == ([], [])
    (business.data() / "stop.json").unlink()
    assert business.run().code == Exit.OK
    assert business.office.nights == [(2, 5), (8, 9)]


def test_a_read_only_stop_plans_and_writes_nothing(business: Business) -> None:
    """E-2: a dry run, the plan kept, exit 6."""
    house(business)
    before = business.office.records(), business.office.automation()
    (business.data() / "stop.json").write_text('{"level": "read-only"}')
    ran = business.run()
    assert (ran.code, ran.state) == (Exit.STOPPED, "stopped")
    assert (ran.writes, len(ran.downloads)) == ([], 1)
    assert ran.plan.counts.of("new") == 1
    assert (business.office.records(), business.office.automation()) == before


def test_a_stop_file_that_nobody_understands_counts_as_full(business: Business) -> None:
    """E-1."""
    house(business)
    (business.data() / "stop.json").write_text("please stop")
    ran = business.run()
    assert (ran.code, ran.state) == (Exit.STOPPED, "stopped")
    assert (ran.calls, ran.downloads) == ([], [])


@pytest.mark.parametrize("level", ["read-only", "full"])
def test_a_stop_set_while_a_run_delivers_lets_no_write_follow(
    business: Business, level: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """E-3, AT-29: it ends stopped; what was planned waits and is written once after the stop."""
    calendar = house(business)
    for number in range(25):
        calendar.stay(f"b{number}@x", 10 + number, 11 + number)
    create = AirtableClient.create

    def then_stop(*arguments, **more):
        made = create(*arguments, **more)
        (business.data() / "stop.json").write_text(json.dumps({"level": level}))
        return made

    monkeypatch.setattr(AirtableClient, "create", then_stop)
    ran = business.run()
    assert (ran.code, ran.only.state) == (Exit.STOPPED, "stopped")
    assert ran.writes == [("POST", "Reservations")]
    assert len(business.office.live) == 11
    monkeypatch.undo()
    (business.data() / "stop.json").unlink()
    assert business.run().code == Exit.OK
    assert len(business.office.live) == len({row["Reservation UID"] for row in business.office.live}) == 27


def test_a_full_disk_blocks_the_run_and_with_space_back_all_goes_on(
    business: Business, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F-4, C-22, Z-37: a check that cannot run is no better than a full disk."""
    house(business)
    real = os.statvfs
    found = real(business.data())
    full = os.statvfs_result((*found[:3], 10, 10, *found[5:]))
    monkeypatch.setattr(disk.os, "statvfs", lambda _: full)
    ran = business.run()
    assert (ran.code, ran.state) == (Exit.FAILED, "blocked")
    assert f"the disk of {business.data()} is full" in str(ran.result.problem)
    assert (ran.calls, ran.downloads) == ([], [])

    def broken(_: Path) -> os.statvfs_result:
        raise OSError

    monkeypatch.setattr(disk.os, "statvfs", broken)
    assert business.run().state == "blocked"
    monkeypatch.setattr(disk.os, "statvfs", real)
    assert business.run().code == Exit.OK
    assert business.office.nights == [(2, 5), (8, 9)]


def test_a_data_folder_that_cannot_be_made_blocks_the_run(business: Business) -> None:
    business.data().mkdir(parents=True)
    (business.data() / "csv").write_text("a file in the way")
    result = controller.run(business.settings(), controller.RunRequest(at=business.now))
    assert (result.exit_code, result.state) == (Exit.FAILED, "blocked")
    assert "cannot be used" in str(result.problem)


def test_a_state_database_that_is_none_ends_as_unreachable(business: Business) -> None:
    """C-26."""
    house(business)
    business.set("dev", DATABASE_URL="postgresql+psycopg://nobody@127.0.0.1:1/nothing?connect_timeout=1")
    ran = business.run()
    assert (ran.code, ran.state) == (Exit.UNREACHABLE, "failed")
    assert "state database" in str(ran.result.problem)


def test_while_another_run_holds_the_lease_nothing_is_touched(business: Business) -> None:
    """Z-11: cycles overlapped (C-24, C-30)."""
    house(business)
    db = business.db
    with Lease.acquire(db, "cycle", "run-of-somebody-else"):
        ran = business.run()
    db.close()
    assert (ran.code, ran.state) == (Exit.LOCKED, "locked")
    assert "run-of-somebody-else holds the lease" in str(ran.result.problem)
    assert (ran.calls, ran.downloads) == ([], [])
    assert business.run().code == Exit.OK


def test_an_unknown_name_starts_nothing_and_lists_the_valid_ones(business: Business) -> None:
    """Z-8: an unknown name ended 0 (C-2)."""
    house(business)
    ran = business.run(only=("ICS Calender",))
    assert (ran.code, ran.calls, ran.downloads) == (Exit.CONFIGURATION, [], [])
    assert f"unknown automation ICS Calender; valid: {AUTOMATION}" in str(ran.result.problem)
    assert business.run(only=(" ics calendar ",)).code == Exit.OK


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("schedule.toml", 'default = "25:99"', "schedule.toml: default"),
        ("schedule.toml", "default = ", "schedule.toml"),
        ("platforms.toml", "[platforms", "platforms.toml"),
        ("airtable_base.json", "{", "airtable_base.json"),
    ],
)
def test_a_rule_file_that_cannot_be_used_is_named_before_anything_is_asked(
    business: Business, name: str, text: str, said: str
) -> None:
    house(business)
    (business.config / name).write_text(text)
    ran = business.run()
    assert ran.code == Exit.CONFIGURATION
    assert said in str(ran.result.problem)
    assert (ran.writes, ran.downloads) == ([], [])
    (business.config / name).unlink()
    assert business.run().code == Exit.OK


def test_all_that_is_wrong_with_the_settings_is_said_at_once_without_values(business: Business) -> None:
    """S-2, S-3, Z-25: a typo meant development."""
    business.set("dev", AIRTABLE_BASE_ID="appTooShort", TIMEZONE="Mars/Olympus", AIRTABLE_API_KEY="")
    done = business.command("run", "--env", "dev")
    assert done.returncode == Exit.CONFIGURATION
    for name in ("AIRTABLE_BASE_ID", "TIMEZONE", "AIRTABLE_API_KEY"):
        assert name in done.stderr
    assert "appTooShort" not in done.stderr
    assert business.command("run", "--env", "prd").returncode == Exit.CONFIGURATION
    assert business.command("run", "--env", "dev", "--no-such-option").returncode == Exit.CONFIGURATION


def slow(business: Business, seconds: float = 1.0) -> None:
    """A run that is long enough to be met in the middle of its writing."""
    calendar = house(business)
    for number in range(30):
        calendar.stay(f"b{number}@x", 10 + number, 11 + number)
    business.sandbox.fault("latency", seconds, method="POST", path="Reservations")


def wait_for_a_write(business: Business, since: int) -> None:
    for _ in range(1000):
        calls = business.sandbox.requests("airtable", since)
        if any(each["method"] == "POST" and "Reservations" in str(each["path"]) for each in calls):
            return
        business.pause()
    raise AssertionError("it never wrote")


def after_a_break(business: Business) -> None:
    """The next run brings everything to its end, nothing twice."""
    business.sandbox.heal()
    assert business.run().code == Exit.OK
    assert len(business.office.live) == len({row["Reservation UID"] for row in business.office.live}) == 32
    assert business.run().writes == [("PATCH", "Automation")]


def test_a_run_asked_to_end_finishes_the_request_on_the_wire_and_nothing_follows(business: Business) -> None:
    """C-33: SIGTERM."""
    slow(business)
    since = business.sandbox.next_request("airtable")
    process = business.start()
    wait_for_a_write(business, since)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == Exit.STOPPED
    writes = [each for each in business.sandbox.requests("airtable", since) if each["method"] == "POST"]
    assert len(writes) == 1
    assert len(business.office.live) == 11
    assert business.runs()[0].state == "stopped"
    after_a_break(business)


def test_a_run_killed_in_mid_delivery_is_interrupted_and_the_next_one_carries_on(business: Business) -> None:
    """C-31: nothing is lost, nothing comes twice, the record says so."""
    slow(business, 0.3)
    since = business.sandbox.next_request("airtable")
    process = business.start()
    wait_for_a_write(business, since)
    process.kill()
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    after_a_break(business)
    states = [each.state for each in business.runs()]
    assert states.count("interrupted") == 1
