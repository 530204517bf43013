"""When a cleaning starts (jobs.md J-11 … J-14)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from changeover.core.schedule import Unreadable, custom_time, service_time
from changeover.core.stay import ServiceHours

PHOENIX = ZoneInfo("America/Phoenix")
OUT = date(2026, 3, 12)
HOURS = ServiceHours(default="10:15", same_day="09:30", owner_arriving="08:45")


def start(custom: str = "", *, owner: bool = False, same_day: bool = False) -> datetime | Unreadable:
    return service_time(OUT, custom, owner_arriving=owner, same_day=same_day, hours=HOURS, zone=PHOENIX)


def utc(hour: int, minute: int = 0, day: int = 12) -> datetime:
    return datetime(2026, 3, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("owner", "same_day", "expected"),
    [(False, False, utc(17, 15)), (False, True, utc(16, 30)), (True, False, utc(15, 45)), (True, True, utc(15, 45))],
)
def test_the_flags_decide_the_start_and_the_owner_comes_first(owner: bool, same_day: bool, expected: datetime) -> None:
    """J-11."""
    assert start(owner=owner, same_day=same_day) == expected


def test_a_persons_time_wins_over_the_flags() -> None:
    """J-11."""
    assert start("1:00 PM", owner=True, same_day=True) == utc(20)


def test_blanks_are_no_custom_time() -> None:
    assert start("   ") == utc(17, 15)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("2026-03-13T09:30:00-07:00", utc(16, 30, 13)),
        ("2026-03-13T16:30:00Z", utc(16, 30, 13)),
        ("2026-03-13T16:30:41.5+00:00", utc(16, 30, 13)),
        ("2026-03-13 9:30 AM", utc(16, 30, 13)),
        ("2026-03-13 14:00", utc(21, 0, 13)),
        ("3/13/2026 9:30 am", utc(16, 30, 13)),
        ("03/13/2026 12:00 PM", utc(19, 0, 13)),
        ("3/13/2026   09:30", utc(16, 30, 13)),
        ("9:30 AM", utc(16, 30)),
        ("9:30am", utc(16, 30)),
        ("9:30 a.m.", utc(16, 30)),
        ("12:05 AM", utc(7, 5)),
        ("12:05 PM", utc(19, 5)),
        ("23:59", utc(6, 59, 13)),
        ("0:00", utc(7)),
    ],
)
def test_every_form_of_a_custom_time_is_read(words: str, expected: datetime) -> None:
    """J-12, J-14: seconds are cut, local time is the business's."""
    assert custom_time(words, OUT, PHOENIX) == expected


@pytest.mark.parametrize(
    "words",
    [
        "in the morning",
        "noon",
        "9 AM",
        "24:00",
        "9:60 AM",
        "0:30 AM",
        "13:00 PM",
        "2026-02-30 9:00 AM",
        "13/3/2026 9:00 AM",
        "2026-03-13",
        "2026-03-13T09:30",
        "13.3.2026 9:00",
        "tomorrow 9:00 AM",
        "9999-12-31 11:00 PM",
        "0001-01-01T00:00+14:00",
        "9:30 AM or so",
    ],
)
def test_anything_else_is_unreadable_and_never_a_silent_default(words: str) -> None:
    """J-12."""
    assert custom_time(words, OUT, PHOENIX) == Unreadable(words)
    assert start(words) == Unreadable(words)


def test_the_zones_own_rules_turn_wall_time_into_utc() -> None:
    """J-11: by the zone database, on either side of a change of clocks."""
    denver = ZoneInfo("America/Denver")
    before, after = custom_time("2026-03-07 9:00 AM", OUT, denver), custom_time("2026-03-09 9:00 AM", OUT, denver)
    assert (before, after) == (utc(16, day=7), utc(15, day=9))


def test_a_start_before_the_check_out_is_obeyed() -> None:
    """J-13: held elsewhere, never changed here."""
    assert start("2026-03-11 9:00 AM") == utc(16, day=11)
