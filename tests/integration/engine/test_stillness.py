"""A run that has nothing to find is not made, and whatever changes makes it one again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from changeover import program
from changeover.engine import calendars, knowledge, stillness
from changeover.exits import Exit
from changeover.store import facts, sightings
from plugins.outsider import Business, Calendar, Ran

HOUR = timedelta(hours=1)
QUIET = [("PATCH", "Automation")]  # every run reports, and nothing else


@pytest.fixture
def quiet(business: Business) -> Calendar:
    """A house at rest: two stays, both seen again since nothing has changed; two hours to a later run of the day."""
    (calendar,) = business.house("Casa Uno")
    calendar.stay("a1@x", 10, 12)
    calendar.stay("a2@x", 20, 22)
    for _ in range(3):
        assert business.run(beat=HOUR).code == Exit.OK
    return calendar


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Notes every look at the rows of the base."""
    found: list[str] = []

    def load(connection) -> knowledge.Knowledge:
        found.append("rows")
        return knowledge_load(connection)

    knowledge_load = knowledge.load
    monkeypatch.setattr(calendars.knowledge, "load", load)
    return found


def numbers(ran: Ran) -> dict[str, object]:
    return dict(ran.only.counters)


def test_nothing_is_looked_at_twice_and_the_numbers_are_those_of_a_whole_run(
    business: Business, quiet: Calendar, looks: list[str]
) -> None:
    with business.reading() as connection:
        rest = stillness.recall(connection)
    assert rest is not None
    short = business.run(beat=HOUR)
    assert (looks, short.writes) == ([], QUIET)
    with business.db.begin() as connection:
        facts.forget(connection, "calendars.rest")
    whole = business.run(beat=HOUR)
    assert (looks, whole.writes) == (["rows"], QUIET)
    assert numbers(short) == numbers(whole)


def test_the_stays_count_as_seen_by_the_run_that_was_not_made(
    business: Business, quiet: Calendar, looks: list[str]
) -> None:
    at = business.now
    business.run(beat=HOUR)
    assert looks == []
    with business.reading() as connection:
        assert {each.last_seen for each in sightings.load_all(connection)} == {at}
    quiet.drop("a1@x")
    business.run(beat=HOUR)
    (row, _) = business.office.live
    assert (row["Missing Count"], row["Last Seen"]) == (1, at.strftime("%Y-%m-%dT%H:%M:%S.000Z"))


def edit_a_row(business: Business, _: Calendar) -> None:
    business.office.edit("Reservations", str(business.office.live[0]["id"]), **{"Service Type": "Deep Clean"})


def book(_: Business, calendar: Calendar) -> None:
    calendar.stay("a3@x", 30, 33)


def cancel(_: Business, calendar: Calendar) -> None:
    calendar.drop("a1@x")


def let_a_day_pass(business: Business, _: Calendar) -> None:
    business.now += timedelta(hours=24)


def break_the_feed(_: Business, calendar: Calendar) -> None:
    calendar.answers(status=500)


def rewrite_the_memory(business: Business, _: Calendar) -> None:
    with business.db.begin() as connection:
        facts.put(connection, "calendars.rest", {"of": "another release"}, business.now)


@pytest.mark.parametrize(
    "happens", [edit_a_row, book, cancel, let_a_day_pass, break_the_feed, rewrite_the_memory], ids=lambda f: f.__name__
)
def test_whatever_happens_the_rows_are_looked_at_again(
    business: Business, quiet: Calendar, looks: list[str], happens: Callable[[Business, Calendar], None]
) -> None:
    happens(business, quiet)
    business.run(beat=HOUR)
    assert looks == ["rows"]


def test_another_program_looks_for_itself_though_its_number_is_the_same(
    business: Business, quiet: Calendar, looks: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(program, "fingerprint", lambda: "a checkout that was edited")
    assert business.run(beat=HOUR).writes == QUIET
    assert looks == ["rows"]
    business.run(beat=HOUR)
    looks.clear()
    business.run(beat=HOUR)
    assert looks == []


def test_a_rehearsal_goes_the_whole_way_and_leaves_nothing_behind(
    business: Business, quiet: Calendar, looks: list[str]
) -> None:
    with business.reading() as connection:
        before = stillness.recall(connection)
    assert business.run(beat=HOUR, dry_run=True).code == Exit.OK
    assert looks == ["rows"]
    with business.reading() as connection:
        assert stillness.recall(connection) == before


def test_while_a_stay_is_missed_every_run_is_made(business: Business, quiet: Calendar, looks: list[str]) -> None:
    quiet.drop("a1@x")
    for _ in range(3):
        business.run(beat=HOUR)
    assert looks == ["rows"] * 3
    assert business.office.live[0]["Missing Count"] == 3
