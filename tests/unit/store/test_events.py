"""What came from outside and how it ended, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from changeover.store import events
from changeover.store.events import Event, EventKind, EventState

NOW = datetime(2026, 3, 4, 15, tzinfo=UTC)


@pytest.fixture
def conn(database):
    with database.begin() as connection:
        yield connection


def event(name: str, hours: int = 0, **more: object) -> Event:
    values = {"kind": EventKind.CSV_ROW, "state": EventState.WAITING, "summary": name, "payload": {"line": 3}} | more
    return Event(id=name, received_at=NOW + timedelta(hours=hours), **values)


def test_events_wait_oldest_first_and_are_shown_newest_first(conn) -> None:
    assert events.put(conn, [event("b", 2), event("a", 1), event("a", 1)]) == 2
    assert [each.id for each in events.waiting(conn)] == ["a", "b"]
    assert [each.id for each in events.recent(conn)] == ["b", "a"]
    assert [each.id for each in events.recent(conn, 1)] == ["b"]
    assert events.find(conn, ["a", "nobody"]) == (event("a", 1),)


def test_an_ended_event_waits_no_more_and_the_same_thing_again_waits_anew(conn) -> None:
    events.put(conn, [event("a"), event("b")])
    events.finish(conn, ["a", "nobody"], EventState.IMPORTED, NOW)
    assert [each.id for each in events.waiting(conn)] == ["b"]
    (ended,) = events.find(conn, ["a"])
    assert (ended.state, ended.ended_at) == (EventState.IMPORTED, NOW)
    events.put(conn, [event("a", 5)])
    assert events.find(conn, ["a"]) == (event("a", 5),)


def test_what_ended_long_ago_or_waited_too_long_is_deleted(conn) -> None:
    events.put(conn, [event("ended"), event("fresh"), event("old", -100)])
    events.finish(conn, ["ended"], EventState.SUPERSEDED, NOW)
    assert events.prune(conn, NOW, NOW - timedelta(hours=100)) == 0
    assert events.prune(conn, NOW + timedelta(hours=1), NOW - timedelta(hours=99)) == 2
    assert [each.id for each in events.recent(conn)] == ["fresh"]


def test_many_events_are_found_at_once(conn) -> None:
    events.put(conn, [event(f"e{number:04}") for number in range(900)])
    assert len(events.find(conn, [f"e{number:04}" for number in range(900)])) == 900


def test_events_are_listed_by_kind_and_state(conn) -> None:
    mail = event("mail", kind=EventKind.MAIL, state=EventState.RECEIVED)
    events.put(conn, [event("row", -1), mail, event("done", -2, kind=EventKind.MAIL, state=EventState.DONE)])
    assert [each.id for each in events.recent(conn, kinds=[EventKind.MAIL])] == ["mail", "done"]
    assert [each.id for each in events.recent(conn, states=[EventState.RECEIVED, EventState.WAITING])] == [
        "mail",
        "row",
    ]
    assert events.recent(conn, kinds=[EventKind.CSV_ROW], states=[EventState.DONE]) == ()


def test_a_mail_outlives_the_rows_of_its_age_until_it_is_named(conn) -> None:
    events.put(conn, [event("row"), event("mail", kind=EventKind.MAIL, state=EventState.RECEIVED)])
    assert events.prune(conn, NOW, NOW + timedelta(hours=1)) == 1
    assert [each.id for each in events.recent(conn)] == ["mail"]
    assert events.prune(conn, NOW, NOW + timedelta(hours=1), kinds=[EventKind.MAIL]) == 1
