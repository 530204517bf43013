"""A body becomes observations under uids of their own, with the platform's words (R-42, R-75, P-35)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from changeover.core.stay import Kind
from changeover.sources.ics import read as module
from changeover.sources.ics import reading as readings
from changeover.sources.ics.read import read
from changeover.sources.ics.repair import BrokenBody, repair

TODAY = date(2026, 11, 1)


@pytest.fixture
def reading(calendar, feed, platforms, rules):
    def make(*events: str, head: str = "", **changes: object):
        return read(repair(calendar(*events, head=head)), replace(feed, **changes), platforms, rules, TODAY)

    return make


def uids(found) -> list[str]:
    return [each.uid for each in found.observations]


def event(uid: str, start: str, end: str, summary: str = "Reserved", *more: str) -> str:
    return "|".join([f"UID:{uid}", f"DTSTART:{start}", f"DTEND:{end}", f"SUMMARY:{summary}", *more])


def test_v21_two_stays_under_one_uid_are_two_stays(reading) -> None:
    found = reading(event("a", "20261112", "20261114"), event("a", "20261118", "20261120"))
    assert uids(found) == ["a#20261112", "a#20261118"]


def test_two_ends_for_one_start_are_told_apart(reading) -> None:
    found = reading(event("a", "20261112", "20261115"), event("a", "20261112", "20261114"))
    assert uids(found) == ["a#20261112", "a#20261112-20261115"]


def test_the_same_nights_under_one_uid_are_one_and_a_guest_comes_first(reading) -> None:
    found = reading(event("a", "20261112", "20261114", "Blocked"), event("a", "20261112", "20261114"))
    assert [(each.uid, each.kind) for each in found.observations] == [("a", Kind.RESERVATION)]


def test_the_highest_sequence_stands(reading) -> None:
    found = reading(event("a", "20261112", "20261114", "Reserved", "SEQUENCE:2"), event("a", "20261113", "20261116"))
    assert [(each.uid, each.check_out.day) for each in found.observations] == [("a", 14)]


def test_a_cancellation_or_task_under_a_stays_uid_is_a_relic_of_it(reading) -> None:
    found = reading(
        event("a", "20261112", "20261114", "Reserved", "STATUS:CANCELLED"),
        event("a", "20261118", "20261120"),
        event("a", "20261112", "20261113", "Cleaning"),
    )
    assert [(each.uid, each.check_in.day, each.canceled) for each in found.observations] == [("a", 18, False)]


def test_two_cancellations_under_one_uid_stand_as_they_are(reading) -> None:
    found = reading(
        event("a", "20261112", "20261114", "Cleaning"), event("a", "20261118", "20261120", "x", "STATUS:CANCELLED")
    )
    assert uids(found) == ["a#20261112", "a#20261118"]


def test_v28_the_source_is_the_records_then_the_hosts_then_the_products_never_the_texts(reading) -> None:
    airbnb = "PRODID:-//Airbnb Inc//Hosting Calendar 1.0//EN"
    text = event("a", "20261112", "20261114", "Pat (VRBO)", "DESCRIPTION:Booked through Booking.com")
    assert reading(text).entry_source == "Other"
    assert reading(text, head=airbnb).entry_source == "Airbnb"
    assert reading(text, head=airbnb, url="https://www.vrbo.com/x").entry_source == "VRBO"
    told = reading(text, head=airbnb, url="https://www.vrbo.com/x", entry_source="Hostshare")
    assert (told.entry_source, told.platform) == ("Hostshare", "VRBO")
    known = reading(text, head=airbnb, entry_source="Guesty")
    assert (known.entry_source, known.platform) == ("Guesty", "Guesty")


def test_uids_are_as_stable_as_their_platform_says(reading) -> None:
    def stable(source: str) -> list[bool]:
        found = reading(
            event("a", "20261112", "20261114"),
            event("b", "20261118", "20261120", "Blocked"),
            "DTSTART:20261122|SUMMARY:Reserved",
            entry_source=source,
        )
        return [each.stable_uid for each in found.observations]

    assert stable("Other") == stable("Airbnb") == [True, True, False]
    assert stable("VRBO") == [True, False, False]
    assert stable("Booking.com") == stable("Lodgify") == stable("HostTools") == [False, False, False]


def test_v8_a_rejected_event_is_seen_only_by_a_stable_uid(reading) -> None:
    bad = ["UID:a|DTSTART:x|SUMMARY:Blocked", "UID:b|DTSTART:x|SUMMARY:Reserved"]
    assert [each.still_seen for each in reading(*bad).rejected] == [True, True]
    assert [each.still_seen for each in reading(*bad, entry_source="VRBO").rejected] == [False, True]
    assert reading(*bad).readable
    assert not reading(*bad, entry_source="VRBO").readable


def test_what_was_odd_is_noted_without_any_of_its_text(reading) -> None:
    found = reading(
        event("a", "20261112", "20261114", "Pat", "TRANSP:TRANSPARENT", "secret line"),
        "UID:b|DTSTART;TZID=Mars:20261112T160000|DURATION:P2D",
    )
    assert found.warnings == (
        "1 unreadable lines dropped",
        "1 events in an unknown time zone",
        "1 events that take no time",
    )
    assert [each.kind for each in found.observations] == [Kind.TASK, Kind.UNKNOWN]
    assert found.kept == 1


def test_a_body_that_keeps_a_reader_busy_is_refused(reading, monkeypatch) -> None:
    monkeypatch.setattr(module, "EFFORT_SECONDS", -1.0)
    with pytest.raises(BrokenBody, match="too many events"):
        reading(event("a", "20261112", "20261114"))


def test_a_reading_survives_being_stored(reading) -> None:
    found = reading(
        event("a", "20261112", "20261114", "Blocked - owner"),
        event("c", "20261112", "20271101", "Blocked"),
        event("d", "20261118", "20261120", "Reserved", "STATUS:CANCELLED"),
        "DTSTART:20261122|SUMMARY:Zoë",
        "UID:b|DTSTART:x",
    )
    assert readings.load(readings.dump(found), "recHome0000000001") == found
    assert "recHome" not in readings.dump(found)
    assert "Zoë" not in readings.dump(found)
