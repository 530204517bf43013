"""Bytes become whole calendars or say why not (P-15 … P-20)."""

from __future__ import annotations

import pytest

from changeover.sources.ics import repair as module
from changeover.sources.ics.repair import BrokenBody, Line, canonical_hash, repair

ONE = (
    b"BEGIN:VCALENDAR\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:1\r\nSUMMARY:R\xc3\xa9serv\xc3\xa9e\r\n"
    b"END:VEVENT\r\nEND:VCALENDAR\r\n"
)


def event(body: bytes, charset: str | None = None) -> tuple[Line, ...]:
    return repair(body, charset).calendars[0].events[0]


def cause(body: bytes) -> str:
    with pytest.raises(BrokenBody) as caught:
        repair(body)
    return caught.value.cause


@pytest.mark.parametrize("ends", [b"\n", b"\r", b"\r\r\n", b"\n\n", b"\r\n\r\n"])
def test_all_line_ends_are_one(ends: bytes) -> None:
    assert repair(ONE.replace(b"\r\n", ends)) == repair(ONE)


def test_a_fold_may_cut_a_character() -> None:
    assert event(ONE.replace(b"\xc3\xa9", b"\xc3\r\n \xa9")) == event(ONE)
    assert event(ONE.replace(b"\xc3\xa9", b"\xc3\n\t\xa9")) == event(ONE)


def test_a_mark_and_blanks_before_the_start_do_not_matter() -> None:
    assert repair(b"\r\n \t\xef\xbb\xbf\r\n" + ONE) == repair(ONE)


@pytest.mark.parametrize(
    ("body", "charset"),
    [
        (ONE, None),
        (ONE, "no-such-charset"),
        (ONE.replace(b"\xc3\xa9", b"\xe9"), None),
        (ONE.replace(b"\xc3\xa9", b"\x82"), "cp850"),
    ],
)
def test_utf8_then_the_declared_charset_then_windows(body: bytes, charset: str | None) -> None:
    assert event(body, charset)[1].value == "Réservée"


@pytest.mark.parametrize("body", [b"", b"   \r\n", b"<html></html>", b'{"a": 1}', b"BEGIN:VCARD\r\nEND:VCARD"])
def test_v1_what_does_not_start_as_a_calendar_is_none(body: bytes) -> None:
    assert cause(body) == "not a calendar"


@pytest.mark.parametrize(
    "body",
    [
        b"BEGIN:VCALENDAR",
        b"BEGIN:VCALENDAR\nBEGIN:VEVENT\nEND:VEVENT\n",
        b"BEGIN:VCALENDAR\nBEGIN:VEVENT\nEND:VCALENDAR",
        b"BEGIN:VCALENDAR\nEND:VCALENDAR\nBEGIN:VCALENDAR\n",
        b"BEGIN:VCALENDAR\nEND:VCALENDAR\nBEGIN:VCAL",
        b"BEGIN:VCALENDAR\nEND:VCALENDAR\nUID:1",
        b"BEGIN:VCALENDAR\nEND:VCALENDAR\n</body>",
        b"BEGIN:VCALENDAR\nEND:VCALENDAR\nEND:VCALENDAR",
        b"BEGIN:VCALENDAR\nBEGIN:VEVENT\nBEGIN:VEVENT\nEND:VEVENT\nEND:VEVENT\nEND:VCALENDAR",
        b"BEGIN:VCALENDAR\nBEGIN:VCALENDAR\nEND:VCALENDAR\nEND:VCALENDAR",
    ],
)
def test_v1_what_is_not_closed_in_order_is_cut_off(body: bytes) -> None:
    assert cause(body) == "cut off"


def test_names_ignore_case_and_blanks_around_values_go() -> None:
    body = b"begin:vcalendar\nBegin:vEvent\n uid: 1 \nuid;x=y: 2 \nEnd:VEVENT \nend:VCALENDAR"
    assert event(body.replace(b"\n uid", b"\nuid")) == (Line("UID", "", "1"), Line("UID", ";x=y", "2"))


def test_a_quoted_parameter_may_hold_a_colon() -> None:
    body = ONE.replace(b"UID:1", b'DTSTART;TZID="(UTC-07:00) Arizona":20261120T160000')
    assert event(body)[0] == Line("DTSTART", ';TZID="(UTC-07:00) Arizona"', "20261120T160000")


def test_only_known_calendar_lines_zones_and_events_are_kept() -> None:
    body = (
        b"BEGIN:VCALENDAR\nX-WR-CALNAME:a\nREFRESH-INTERVAL:broken\njunk\nBEGIN:VTODO\nUID:t\nEND:VTODO\n"
        b"BEGIN:VTIMEZONE\nTZID:z\nBEGIN:STANDARD\nTZOFFSETTO:-0700\nEND:STANDARD\nEND:VTIMEZONE\n"
        b"BEGIN:VEVENT\nUID:1\nno line\nBEGIN:VALARM\nUID:alarm\nEND:VALARM\nEND:VEVENT\nEND:VCALENDAR"
    )
    found = repair(body)
    (only,) = found.calendars
    assert only.events == ((Line("UID", "", "1"),),)
    assert only.lines == (Line("X-WR-CALNAME", "", "a"),)
    assert [line.value for line in only.zones[0]] == ["z", "STANDARD", "-0700", "STANDARD"]
    assert found.notes == (
        "2 unreadable lines dropped",
        "1 calendar lines dropped",
        "1 parts that are no events dropped",
    )


def test_all_calendars_of_a_body_are_read_and_one_may_be_empty() -> None:
    found = repair(b"BEGIN:VCALENDAR\nEND:VCALENDAR\n" + ONE)
    assert (len(found.calendars), found.events, found.prodid) == (2, 1, "x")
    assert repair(b"BEGIN:VCALENDAR\nEND:VCALENDAR").prodid == ""


def test_a_body_with_more_events_than_any_home_has_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_EVENTS", 1)
    assert repair(ONE).events == 1
    assert cause(ONE.replace(b"END:VCALENDAR", b"BEGIN:VEVENT\nEND:VEVENT\nEND:VCALENDAR")) == "too many events"


def test_the_canonical_hash_sees_values_only() -> None:
    second = b"BEGIN:VEVENT\r\nUID:2\r\nDTSTAMP:20261101T000000Z\r\nEND:VEVENT\r\n"
    here = ONE.replace(b"END:VCALENDAR", second + b"END:VCALENDAR")
    there = ONE.replace(b"BEGIN:VEVENT", second.replace(b"20261101", b"20261102") + b"BEGIN:VEVENT", 1)
    assert canonical_hash(repair(here)) == canonical_hash(repair(there))
    assert canonical_hash(repair(here)) != canonical_hash(repair(here.replace(b"UID:2", b"UID:3")))
    assert canonical_hash(repair(here)) != canonical_hash(repair(here.replace(b"PRODID:x", b"METHOD:CANCEL")))


def test_a_name_without_a_value_is_no_line_even_where_the_name_was_met_before() -> None:
    body = ONE.replace(b"END:VEVENT", b"UID\r\nEND:VEVENT")
    assert event(body) == event(ONE)
    assert repair(body).notes == ("1 unreadable lines dropped",)
