"""Events become nights under a uid, one bad event at a time (R-37 … R-43)."""

from __future__ import annotations

from datetime import date

import pytest

from changeover.sources.ics import parse as module
from changeover.sources.ics.parse import nameless_uid, parse
from changeover.sources.ics.repair import BrokenBody, repair


def nights(found) -> list[str]:
    return [f"{each.check_in:%m%d}-{each.check_out:%m%d}" for each in found.items]


def reasons(found) -> list[tuple[str, str | None]]:
    return [(each.reason, each.uid) for each in found.faults]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("DTSTART;VALUE=DATE:20261112|DTEND;VALUE=DATE:20261114", "1112-1114"),
        ("DTSTART:20261112|DTEND:20261114", "1112-1114"),
        ("dtstart;value=date: 20261112 |dtend;value=date:20261114", "1112-1114"),
        ("DTSTART;VALUE=DATE:20261112T000000|DTEND;VALUE=DATE:20261114T000000", "1112-1114"),
        ('DTSTART;VALUE="DATE":20261112|DTEND:20261114', "1112-1114"),
        ("DTSTART;VALUE=DATE-TIME:20261112T160000|DTEND:20261114T100000", "1112-1114"),
        ("DTSTART;VALUE=DATE:20261112", "1112-1113"),
        ("DTSTART;VALUE=DATE:20261112|DURATION:P4D", "1112-1116"),
        ("DTSTART;VALUE=DATE:20261112|DURATION:PT36H", "1112-1113"),
        ("DTSTART;VALUE=DATE:20261112|DTEND:20261114|DURATION:P9D", "1112-1114"),
        ("DTSTART:20261112T160000|DURATION:P2D", "1112-1114"),
        ("DTSTART;VALUE=DATE:20261112|DTEND:20261114T100000", "1112-1114"),
        ("DTSTART:20261112|DTSTART:20261120|DTEND:20261114", "1112-1114"),
        ("DTSTART:20261112T233000|DTEND:20261113T003000", "1112-1113"),
    ],
)
def test_the_ways_to_say_nights(parsed, lines: str, expected: str) -> None:
    found = parsed(f"UID:1|{lines}")
    assert nights(found) == [expected]
    assert not found.faults
    assert not found.items[0].text.ends_same_day


def test_v15_times_are_turned_into_the_business_zone_before_they_are_cut(parsed) -> None:
    found = parsed(
        "UID:1|DTSTART:20260316T020000Z|DTEND:20260318T180000Z",
        "UID:2|DTSTART;TZID=America/New_York:20260318T110000|DTEND;TZID=America/New_York:20260320T010000",
    )
    assert nights(found) == ["0315-0318", "0318-0319"]


def test_unknown_zones_are_local_already_and_noted(parsed) -> None:
    found = parsed(
        "UID:1|DTSTART;TZID=Mars/Olympus:20261112T160000|DTEND;TZID=Mars/Olympus:20261116T110000",
        'UID:2|DTSTART;TZID="(UTC-07:00) Arizona":20261120T233000|DTEND:20261123T110000',
        "UID:3|DTSTART;TZID=US Mountain Standard Time:20261126T160000|DTEND:20261128T110000",
    )
    assert nights(found) == ["1112-1116", "1120-1123", "1126-1128"]
    assert found.unknown_zones == 2


ZONE = (
    "BEGIN:VTIMEZONE|TZID:Mine|BEGIN:STANDARD|DTSTART:16010101T000000|TZOFFSETFROM:-1000|TZOFFSETTO:-1000"
    "|END:STANDARD|END:VTIMEZONE"
)


def test_a_zone_that_the_calendar_defines_is_used(parsed) -> None:
    found = parsed("UID:1|DTSTART;TZID=Mine:20261112T230000|DTEND;TZID=Mine:20261114T100000", head=ZONE)
    assert nights(found) == ["1113-1114"]
    assert found.unknown_zones == 0


def test_a_zone_that_the_calendar_defines_badly_is_unknown(parsed) -> None:
    bad = ZONE.replace("TZOFFSETTO:-1000", "TZOFFSETTO:never").replace("TZOFFSETFROM:-1000|", "")
    found = parsed("UID:1|DTSTART;TZID=Mine:20261112T230000|DTEND;TZID=Mine:20261114T100000", head=bad)
    assert nights(found) == ["1112-1114"]
    assert found.unknown_zones == 1


@pytest.mark.parametrize("lines", ["DTSTART:20261114T150000|DTEND:20261114T160000", "DTSTART:20261114T150000"])
def test_a_timed_event_within_a_day_is_marked_and_given_one_night(parsed, lines: str) -> None:
    found = parsed(f"UID:1|{lines}")
    assert nights(found) == ["1114-1115"]
    assert found.items[0].text.ends_same_day


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ("DTSTART:20261112|DTEND:20261112", "no_nights"),
        ("DTSTART:20261112|DTEND:20261110", "no_nights"),
        ("DTSTART:20261112|DURATION:PT4H", "no_nights"),
        ("DTSTART:20261112|DURATION:-P1D", "no_nights"),
        ("DTSTART:20261112T100000|DTEND:20261110T100000", "no_nights"),
        ("DTSTART:20261112|DTEND:20271218", "too_long"),
        ("SUMMARY:x", "missing_date"),
        ("DTSTART:20261399", "bad_date"),
        ("DTSTART:tomorrow", "bad_date"),
        ("DTSTART:100000", "bad_date"),
        ("DTSTART:", "bad_date"),
        ("DTSTART:20261112|DTEND:soon", "bad_date"),
        ("DTSTART:20261112|DURATION:4 nights", "bad_date"),
        ("DTSTART:20261112|DURATION:20261114", "bad_date"),
        ("DTSTART:99991231", "bad_date"),
        ("DTSTART:00010101T000000Z|DTEND:20261112", "bad_date"),
    ],
)
def test_v8_a_bad_event_is_rejected_alone_and_its_uid_counts_as_seen(parsed, lines: str, reason: str) -> None:
    found = parsed("UID:good|DTSTART:20261112|DTEND:20261114", f"UID:bad|{lines}")
    assert [each.uid for each in found.items] == ["good"]
    assert reasons(found) == [(reason, "bad")]
    assert found.faults[0].place == "event 2"


def test_400_nights_are_still_a_stay(parsed) -> None:
    assert nights(parsed("UID:1|DTSTART:20261112|DTEND:20271217")) == ["1112-1217"]


def test_a_bad_event_without_uid_or_with_a_shared_one_is_not_seen(parsed) -> None:
    found = parsed("DTSTART:20261112|DTEND:20261112", "UID:a|DTSTART:20261112|DTEND:20261114", "UID:a|DTSTART:x")
    assert reasons(found) == [("bad_date", None), ("no_nights", None)]


def test_v21_an_event_without_uid_is_named_after_its_nights_and_words(parsed) -> None:
    found = parsed("DTSTART:20261112|DTEND:20261114|SUMMARY:Reserved", "UID: |DTSTART:20261112|DTEND:20261115")
    first, second = found.items
    assert first.uid == nameless_uid(date(2026, 11, 12), date(2026, 11, 14), "Reserved")
    assert first.uid.startswith("nouid-")
    assert len(first.uid) == 22
    assert second.uid != first.uid
    assert not first.named
    assert not second.named


def test_texts_are_unescaped_and_the_first_of_a_repeated_one_counts(parsed) -> None:
    (item,) = parsed(r"UID: a\,b |UID:c|DTSTART:20261112|SUMMARY:x\; \\ \Ny|CATEGORIES:A,B\,C|CATEGORIES:D").items
    assert (item.uid, item.text.summary, item.text.categories) == ("a,b", "x; \\ \ny", ("A", "B,C", "D"))


@pytest.mark.parametrize(("line", "expected"), [("SEQUENCE:3", 3), ("SEQUENCE:x", 0), ("X:1", 0)])
def test_a_sequence_that_is_no_number_is_none(parsed, line: str, expected: int) -> None:
    assert parsed(f"UID:1|DTSTART:20261112|{line}").items[0].sequence == expected


# --- repeated events


def repeated(parsed, rule: str, *more: str) -> list[str]:
    return [each.uid for each in parsed(f"UID:r|DTSTART:20261106|DTEND:20261108|RRULE:{rule}", *more).items]


def test_occurrences_are_named_by_their_day_and_lie_in_the_import_window(parsed) -> None:
    assert repeated(parsed, "FREQ=WEEKLY;COUNT=2") == ["r#20261106", "r#20261113"]
    assert repeated(parsed, "FREQ=YEARLY") == ["r#20261106"]
    long_ago = parsed("UID:r|DTSTART:20200106|DTEND:20200107|RRULE:FREQ=MONTHLY")
    assert long_ago.items[0].check_in == date(2026, 9, 6)
    assert long_ago.items[-1].check_in == date(2027, 4, 6)


def test_there_are_at_most_400_occurrences(parsed, calendar, rules) -> None:
    wide = type(rules)(rules.zone, lookahead_days=3000)
    body = repair(calendar("UID:r|DTSTART:20261106|RRULE:FREQ=DAILY"))
    assert len(parse(body, wide, date(2026, 11, 1)).items) == 400


def test_excluded_days_are_left_out_in_every_form(parsed) -> None:
    found = parsed(
        "UID:r|DTSTART:20261106T230000Z|DTEND:20261108T180000Z|RRULE:FREQ=WEEKLY;COUNT=5"
        "|EXDATE:20261113T230000Z,20261120T230000Z|EXDATE;VALUE=DATE:20261127|EXDATE:"
    )
    assert [each.uid for each in found.items] == ["r#20261106", "r#20261204"]


def test_a_moved_occurrence_keeps_the_name_of_its_first_day(parsed) -> None:
    moved = "UID:r|DTSTART:20261114|DTEND:20261117|RECURRENCE-ID;VALUE=DATE:20261113"
    found = parsed("UID:r|DTSTART:20261106|DTEND:20261108|RRULE:FREQ=WEEKLY;COUNT=3", moved)
    assert sorted((each.uid, each.check_in.day) for each in found.items) == [
        ("r#20261106", 6),
        ("r#20261113", 14),
        ("r#20261120", 20),
    ]


def test_a_repeated_event_without_uid_is_named_after_the_nights_of_each(parsed) -> None:
    found = parsed("DTSTART:20261106|RRULE:FREQ=WEEKLY;COUNT=2", "DTSTART:20261214|RECURRENCE-ID:20261213|SUMMARY:x")
    assert len({each.uid for each in found.items}) == 3
    assert all(each.uid.startswith("nouid-") for each in found.items)


@pytest.mark.parametrize(
    ("until", "last"),
    [("20261120", 20), ("20261119", 13), ("20261120T235959Z", 20), ("20261121T010000Z", 20), ("20261120T160000", 20)],
)
def test_until_counts_on_the_wall_of_the_event(parsed, until: str, last: int) -> None:
    found = parsed(
        "UID:r|DTSTART;TZID=America/Phoenix:20261106T160000|DTEND;TZID=America/Phoenix:20261108T100000"
        f"|RRULE:FREQ=WEEKLY;UNTIL={until}"
    )
    assert found.items[-1].check_in.day == last


@pytest.mark.parametrize("start", ["20261106", "20261106T160000"])
def test_until_in_utc_is_taken_as_printed_by_days_and_floating_times(parsed, start: str) -> None:
    found = parsed(f"UID:r|DTSTART:{start}|DURATION:P2D|RRULE:FREQ=WEEKLY;UNTIL=20261113T170000Z")
    assert [each.check_in.day for each in found.items] == [6, 13]


@pytest.mark.parametrize(
    "rule",
    [
        "x",
        "FREQ=SECONDLY",
        "FREQ=HOURLY",
        "FREQ=DAILY;INTERVAL=0",
        "FREQ=DAILY;COUNT=0",
        "FREQ=DAILY;COUNT=x",
        "FREQ=DAILY;UNTIL=never",
        "FREQ=DAILY;UNTIL=20269999",
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=DAILY;BYDAY=XX",
        "FREQ=DAILY;X=1",
    ],
)
def test_a_rule_that_no_stay_has_rejects_the_event_and_names_no_uid(parsed, rule: str) -> None:
    found = parsed(f"UID:r|DTSTART:20261106|RRULE:{rule}")
    assert not found.items
    assert reasons(found) == [("unreadable", None)]


def test_until_beyond_the_calendar_is_unreadable(parsed) -> None:
    found = parsed("UID:r|DTSTART;TZID=Asia/Tokyo:20261106T160000|DURATION:P2D|RRULE:FREQ=DAILY;UNTIL=99991231T235959Z")
    assert reasons(found) == [("unreadable", None)]


def test_monthly_rules_may_use_month_days(parsed) -> None:
    assert repeated(parsed, "FREQ=MONTHLY;BYMONTHDAY=6;COUNT=2") == ["r#20261106", "r#20261206"]


def test_a_body_that_takes_too_long_or_shows_too_much_is_refused(calendar, rules, monkeypatch) -> None:
    body = repair(calendar("UID:1|DTSTART:20261112", "UID:2|DTSTART:20261112"))
    with pytest.raises(BrokenBody, match="too many events"):
        parse(body, rules, date(2026, 11, 1), lambda: True)
    late = iter([False, False, True])
    with pytest.raises(BrokenBody, match="too many events"):
        parse(body, rules, date(2026, 11, 1), lambda: next(late))
    monkeypatch.setattr(module, "MAX_ITEMS", 1)
    with pytest.raises(BrokenBody, match="too many events"):
        parse(body, rules, date(2026, 11, 1))


def test_two_feeds_may_mean_different_zones_by_one_name(parsed) -> None:
    lines = "UID:1|DTSTART;TZID=Mine:20261112T230000|DTEND;TZID=Mine:20261114T100000"
    assert nights(parsed(lines, head=ZONE)) == ["1113-1114"]
    assert nights(parsed(lines, head=ZONE.replace("-1000", "-0600"))) == ["1112-1114"]
    assert parsed(lines).unknown_zones == 1
