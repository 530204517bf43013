"""What may be wrong with a calendar or its row: it is named, it costs nobody else anything, and it removes nothing."""

from __future__ import annotations

import base64
import gzip

import pytest

from changeover.exits import Exit
from plugins.outsider import Business, Calendar

HTML = "<!DOCTYPE html><html><body><form action='/login'>Sign in</form></body></html>"


def two_houses(business: Business) -> tuple[Calendar, Calendar]:
    """Two houses of two stays each, known to the base."""
    (uno,), (dos,) = business.house("Casa Uno"), business.house("Casa Dos")
    uno.stay("u1@x", 2, 5).stay("u2@x", 9, 12)
    dos.stay("d1@x", 3, 6).stay("d2@x", 10, 13)
    assert business.run().code == Exit.OK
    return uno, dos


ALL_FOUR = [(2, 5), (3, 6), (9, 12), (10, 13)]


@pytest.mark.parametrize(
    ("cause", "answer"),
    [
        ("HTTP 404", {"status": 404}),
        ("HTTP 410", {"status": 410}),
        ("HTTP 503", {"status": 503}),
        ("not a calendar", {"body": HTML, "headers": {"Content-Type": "text/html"}}),
        ("not a calendar", {"body": ""}),
        ("not a calendar", {"body": '{"error": "expired"}'}),
        ("cut off", {"body": "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:u1@x\r\nDTSTART;VALUE=DATE:2026"}),
        ("too many redirects", {"status": 302, "headers": {"Location": "/ics/casa-uno.ics"}}),
        ("too large", {"headers": {"Content-Encoding": "gzip"}, "body_base64": "bomb"}),
    ],
    ids=["gone", "gone for good", "down", "sign-in page", "zero bytes", "json", "cut", "redirect loop", "gzip bomb"],
)
def test_one_bad_download_is_named_removes_nothing_and_costs_the_others_nothing(
    business: Business, cause: str, answer: dict[str, object]
) -> None:
    """V-1: an empty, HTML or cut feed removed every stay; Z-7: one bad feed turned 246 red (R-8, R-66, C-16)."""
    uno, dos = two_houses(business)
    if answer.get("body_base64"):
        answer = answer | {"body_base64": base64.b64encode(gzip.compress(b"A" * 30_000_000)).decode()}
    uno.answers(**answer)  # type: ignore[arg-type]
    dos.stay("d3@x", 20, 22)
    for _ in range(3):
        ran = business.run()
        assert (ran.code, ran.only.state) == (Exit.PARTIAL, "partial")
    assert "⚠️ 1/2 feeds" in ran.text
    assert "failing: Casa Uno" in ran.text
    assert cause in str(ran.only.error_text)
    assert business.office.cron(uno.url)["ICS URL Response"] == cause
    assert uno.url not in str(ran.result)
    assert business.office.nights == [*ALL_FOUR, (20, 22)]
    assert business.misses() == 0
    assert "Casa Uno" in business.alerts()["feed_failing"].text
    uno.publish()
    assert business.run().code == Exit.OK
    assert "feed_failing" not in business.alerts()
    assert business.office.cron(uno.url)["ICS URL Response"] == "Success"


def test_a_calendar_that_becomes_empty_is_suspect_first_and_believed_only_when_it_stays_so(business: Business) -> None:
    """V-1, V-2: one miss removed a stay (R-63, R-66)."""
    uno, _ = two_houses(business)
    uno.clear()
    ran = business.run()
    assert (ran.code, ran.only.state) == (Exit.PARTIAL, "partial")
    assert business.office.cron(uno.url)["ICS URL Response"] == "suspect: 0 events, 2 before"
    assert "Casa Uno" in business.alerts()["feed_suspect"].text
    assert business.misses() == 0
    for _ in range(3):  # misses 1, 2, 3: threshold reached, but not twelve hours
        assert business.run().code == Exit.OK
        assert business.office.nights == ALL_FOUR
    ran = business.run()
    assert "removed 2 (2 res, 0 block)" in ran.text
    assert business.office.nights == [(3, 6), (10, 13)]
    assert all("Not seen since" in str(row["Change Summary"]) for row in business.office.rows("Removed"))


def test_when_every_calendar_fails_the_run_has_failed_and_one_alert_says_so(business: Business) -> None:
    """C-22, P-13: `feeds_down` in place of an alert for each."""
    for each in two_houses(business):
        each.answers(status=500)
    ran = business.a_day()
    assert (ran.code, ran.only.state) == (Exit.FAILED, "failed")
    assert ran.text.startswith("❌ 2 of 2 feeds failed — HTTP 500 — run run-")
    assert business.office.nights == ALL_FOUR
    assert business.alerts()["feeds_down"].level == "critical"
    assert "feed_failing" not in business.alerts()
    assert str(business.office.automation()["Sync Details"]).startswith("❌ 2 of 2 feeds failed")


@pytest.mark.parametrize(
    ("cause", "homes"), [("no property", 0), ("several properties", 2)], ids=["no property", "two properties"]
)
def test_a_feed_without_exactly_one_house_is_not_read_and_named(business: Business, cause: str, homes: int) -> None:
    """R-70: nothing of it is touched."""
    two_houses(business)
    lost = business.calendar("lost").stay("l1@x", 2, 5)
    record = business.office.feed(lost, *[str(row["id"]) for row in business.office.records("Properties")][:homes])
    ran = business.run()
    assert (ran.code, ran.only.state) == (Exit.PARTIAL, "partial")
    assert f"failing: feed {record}" in ran.text
    assert cause in str(ran.only.error_text)
    assert record in business.alerts()["feed_misconfigured"].text
    assert not [each for each in ran.downloads if "lost" in str(each["path"])]
    assert business.office.nights == ALL_FOUR


def test_a_house_taken_off_a_feed_leaves_its_rows_as_they_are(business: Business) -> None:
    """R-70, V-48: a feed re-linked left ghosts."""
    uno, _ = two_houses(business)
    feed = next(row for row in business.office.records("ICS Feeds") if row["ICS URL"] == uno.url)
    business.office.edit("ICS Feeds", str(feed["id"]), **{"Property Name": []})
    before = business.office.records()
    business.a_day()
    assert business.office.records() == before
    assert business.misses() == 0


@pytest.mark.parametrize("status", ["Active", "Inactive", "Remove"])
def test_a_calendar_entered_twice_for_one_house_is_fetched_once_and_has_one_voice(
    business: Business, status: str
) -> None:
    """R-70, V-48: a second record of the same address must neither double a stay nor keep it alive for ever."""
    uno, _ = two_houses(business)
    home = next(row for row in business.office.records("Properties") if row["Property Name"] == "Casa Uno")
    for _ in range(3):  # ids are random: some come before the first record's, some after
        business.office.feed(uno, str(home["id"]), status=status)
    ran = business.run()
    assert (ran.code, ran.writes) == (Exit.OK, [("PATCH", "Automation")])
    assert len([each for each in ran.downloads if "casa-uno" in str(each["path"])]) == 1
    assert business.office.nights == ALL_FOUR
    uno.drop("u1@x")
    business.a_day()
    assert business.office.nights == [(3, 6), (9, 12), (10, 13)]


def test_a_feed_deleted_and_entered_anew_goes_on_where_it_was(business: Business) -> None:
    """V-48, R-71: its rows are not doubled, and it can still say that a stay is gone."""
    uno, _ = two_houses(business)
    feed = next(row for row in business.office.records("ICS Feeds") if row["ICS URL"] == uno.url)
    before = business.office.records()
    business.office.table("ICS Feeds").delete(str(feed["id"]))
    assert business.run().writes == [("PATCH", "Automation")]
    business.office.feed(uno, *feed["Property Name"])  # type: ignore[misc]
    assert ("PATCH", "Reservations") not in business.run().writes
    assert business.office.records() == before
    uno.drop("u1@x")
    business.a_day()
    assert business.office.nights == [(3, 6), (9, 12), (10, 13)]


def test_one_address_on_rows_of_two_houses_is_not_read_for_either(business: Business) -> None:
    """R-70: nobody knows whose stays they are."""
    uno, _ = two_houses(business)
    other = next(row for row in business.office.records("Properties") if row["Property Name"] == "Casa Dos")
    record = business.office.feed(uno, str(other["id"]))
    uno.stay("u3@x", 20, 22)
    ran = business.run()
    assert (ran.code, ran.only.state) == (Exit.PARTIAL, "partial")
    assert "1/3 feeds" in ran.text
    assert "another property" in str(ran.only.error_text)
    assert not [each for each in ran.downloads if "casa-uno" in str(each["path"])]
    assert business.office.nights == ALL_FOUR
    business.office.table("ICS Feeds").delete(record)
    business.run()
    assert business.office.nights == [*ALL_FOUR, (20, 22)]


@pytest.mark.parametrize(
    ("url", "cause"),
    [
        ("ftp://calendars.example/casa.ics", "not a web address"),
        ("https:///casa.ics", "malformed URL"),
        ("http://127.0.0.1/casa.ics", "private address"),
        ("http://169.254.169.254/latest/meta-data", "private address"),
        ("http://[::1]/casa.ics", "private address"),
        ("https://calendars.example:8443/casa.ics", "port"),
    ],
)
def test_an_address_that_must_not_be_asked_is_not_asked(business: Business, url: str, cause: str) -> None:
    """P-11, X-6: addresses come from a table that people edit."""
    home = business.office.home("Casa Uno")
    business.office.feed(url, home)
    business.set("dev", ALLOW_PRIVATE_FEEDS="false")
    ran = business.run()
    assert (ran.code, ran.only.state) == (Exit.FAILED, "failed")
    assert cause in ran.text
    assert url not in str(ran.result)
    assert business.office.cron(url)["ICS URL Response"].startswith(cause)  # type: ignore[attr-defined]
    assert ran.downloads == []


def test_a_redirect_to_a_private_address_is_not_followed_where_private_ones_are_closed(business: Business) -> None:
    """P-11: each redirect is checked anew. `localhost` stands for a name that resolves to this machine."""
    home = business.office.home("Casa Uno")
    url = business.calendar("casa-uno").stay("u1@x", 2, 5).url.replace("127.0.0.1", "localhost")
    business.office.feed(url, home)
    business.set("dev", ALLOW_PRIVATE_FEEDS="false")
    ran = business.run()
    assert (ran.code, ran.downloads) == (Exit.FAILED, [])
    assert business.office.live == []


def test_a_row_that_is_a_label_of_a_report_is_no_feed(business: Business) -> None:
    """R-70: `csv_itrip` is for lookups."""
    two_houses(business)
    business.office.feed("csv_itrip", str(business.office.records("Properties")[0]["id"]))
    ran = business.run()
    assert ran.code == Exit.OK
    assert "2/2 feeds" in ran.text


def test_a_business_without_active_feeds_has_nothing_to_do(business: Business) -> None:
    ran = business.run()
    assert (ran.code, ran.only.state) == (Exit.OK, "succeeded")
    assert ran.text.startswith("✅ no active feeds — ")


def test_an_unreadable_event_leaves_its_own_stay_alone_and_the_others_go_on(business: Business) -> None:
    """V-8: an unreadable event removed its stay (R-8, R-39)."""
    uno, _ = two_houses(business)
    uno.event("u1@x", "UID:u1@x", "DTSTART;VALUE=DATE:20260399", "DTEND;VALUE=DATE:20260309", "SUMMARY:Reserved")
    uno.stay("u3@x", 20, 22)
    ran = business.a_day()
    assert ran.only.counters["rejected"] == {"bad_date": 1}
    assert business.office.nights == [*ALL_FOUR, (20, 22)]
    assert business.misses() == 0


def test_an_unreadable_event_without_a_uid_makes_the_calendar_incomplete_and_nothing_counts_as_missing(
    business: Business,
) -> None:
    """V-8, R-8: nobody can tell which stay it was."""
    uno, _ = two_houses(business)
    uno.drop("u1@x").event("broken", "DTSTART;VALUE=DATE:20260399", "SUMMARY:Reserved")
    for _ in range(5):
        ran = business.run()
        assert (ran.code, ran.only.state) == (Exit.PARTIAL, "partial")
    assert business.office.cron(uno.url)["ICS URL Response"] == "1 events unreadable"
    assert business.office.nights == ALL_FOUR
    assert business.misses() == 0
