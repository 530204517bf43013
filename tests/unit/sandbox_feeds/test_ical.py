"""Bytes of calendars: folding, escaping, dates, and what differs at each download."""

from datetime import UTC, date, datetime, timedelta, timezone

import icalendar
import pytest

from changeover_sandbox.feeds.ical import Event, escape, fold, write

AT = datetime(2026, 11, 2, 8, 30, tzinfo=timezone(timedelta(hours=-7)))
ORDER = ("UID", "DTSTAMP", "DTSTART", "DTEND", "SUMMARY", "DESCRIPTION", "extra")


def _lines(event: Event) -> list[str]:
    body = write(("VERSION:2.0",), ORDER, [event]).body(AT).decode()
    return body.split("\r\n")


def test_a_short_line_is_left_alone() -> None:
    assert fold("SUMMARY:Reserved") == "SUMMARY:Reserved"


@pytest.mark.parametrize("letter", ["x", "é", "☀"])
def test_a_long_line_is_cut_at_75_octets_between_characters(letter: str) -> None:
    line = "SUMMARY:" + letter * 200
    folded = fold(line).split("\r\n")
    assert all(len(piece.encode()) <= 75 for piece in folded)
    assert "".join([folded[0], *(piece[1:] for piece in folded[1:])]) == line


def test_a_line_of_75_octets_is_not_cut() -> None:
    assert fold("x" * 75) == "x" * 75
    assert "\r\n" in fold("é" * 38)


def test_text_is_escaped() -> None:
    assert escape("a,b;c\\d\ne") == "a\\,b\\;c\\\\d\\ne"


def test_every_line_ends_with_cr_and_lf() -> None:
    body = write((), ORDER, [Event("u", date(2026, 11, 3), date(2026, 11, 5), "Reserved")]).body(AT)
    assert body.count(b"\n") == body.count(b"\r\n") == 9
    assert body.endswith(b"END:VCALENDAR\r\n")


def test_the_stamp_is_the_instant_of_the_download_in_utc() -> None:
    assert "DTSTAMP:20261102T153000Z" in _lines(Event("u", date(2026, 11, 3), date(2026, 11, 5), "Reserved"))


def test_a_stamped_event_keeps_its_day() -> None:
    event = Event("u", date(2026, 11, 3), date(2026, 11, 5), "Reserved", stamped=date(2026, 10, 1))
    assert "DTSTAMP:20261001T120000Z" in _lines(event)


def test_dates_instants_and_local_times_are_written_each_in_its_way() -> None:
    day = Event("u", date(2026, 11, 3), datetime(2026, 11, 5, 17, tzinfo=UTC), "x")
    local = Event("u", datetime(2026, 11, 3, 16), datetime(2026, 11, 5, 10), "x", tzid="America/Phoenix")  # noqa: DTZ001
    floating = Event("u", datetime(2026, 11, 3, 16), datetime(2026, 11, 5, 10), "x")  # noqa: DTZ001
    assert {"DTSTART;VALUE=DATE:20261103", "DTEND:20261105T170000Z"} <= set(_lines(day))
    assert "DTSTART;TZID=America/Phoenix:20261103T160000" in _lines(local)
    assert "DTSTART:20261103T160000" in _lines(floating)


def test_further_lines_come_as_they_are_and_no_empty_description() -> None:
    lines = _lines(Event("u", date(2026, 11, 3), date(2026, 11, 5), "x", extra=("STATUS:CONFIRMED",)))
    assert "STATUS:CONFIRMED" in lines
    assert not any(line.startswith("DESCRIPTION") for line in lines)


def test_an_event_without_uid_gets_a_fresh_one_at_every_download() -> None:
    calendar = write((), ORDER, [Event(None, date(2026, 11, 3), date(2026, 11, 5), "x")] * 2)
    uids = [str(event["UID"]) for _ in range(2) for event in icalendar.Calendar.from_ical(calendar.body(AT)).events]
    assert len(set(uids)) == 4
    assert all(len(uid) == 36 for uid in uids)
