"""A run over feeds: one result each, whatever becomes of the others, and what is remembered (P-13, P-36, R-66)."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
import structlog
from aiohttp import web
from sqlalchemy import select, update

from changeover.core.stay import Kind, Window, WindowEdge
from changeover.sources.ics import examine
from changeover.sources.ics.feeds import FeedRow, feed_configs
from changeover.sources.ics.observe import Outcome, observe
from changeover.store.feeds import StoredFeeds
from changeover.store.tables import feeds as table

NOW = datetime(2026, 11, 1, 18, tzinfo=UTC)
STAYS = [f"s{n} 202611{2 * n + 10} 202611{2 * n + 11} Reserved" for n in range(8)]


def nights(result) -> list[tuple[int, int]]:
    return [(each.check_in.day, each.check_out.day) for each in result.batch.observations]


@pytest.fixture
def reads(monkeypatch):
    """How often a body was really read."""
    seen: list[int] = []
    original = examine.read

    def counted(body, *rest):
        seen.append(body.events)
        return original(body, *rest)

    monkeypatch.setattr(examine, "read", counted)
    return seen


def test_a_batch_says_whose_it_is_and_what_it_covers(server, cycle, active, calendar) -> None:
    feed = active(server.answers("a", calendar(STAYS[0])))
    batch = cycle.one(feed).batch
    assert (batch.source.key, batch.source.url, batch.source.entry_source) == (feed.record_id, feed.url, "Other")
    assert (batch.source.name, batch.property_id, batch.at) == ("Quill", feed.property_id, NOW)
    assert batch.window == Window(WindowEdge.CHECK_OUT, date(2026, 11, 1), date(2027, 11, 1))
    assert batch.complete
    assert batch.read == 1
    assert {each.property_id for each in batch.observations} == {feed.property_id}


def test_v14_the_day_is_that_of_the_business_not_of_the_server(server, cycle, active, calendar) -> None:
    feed = active(server.answers("a", calendar(STAYS[0])))
    evening = datetime(2026, 11, 2, 1, tzinfo=UTC)  # 18:00 on the first in Phoenix
    assert cycle.one(feed, now=evening).batch.window.first == date(2026, 11, 1)


def test_one_bad_feed_touches_no_other(server, cycle, active, calendar) -> None:
    feeds = [
        active(server.answers("good", calendar(STAYS[0])), "recA"),
        active(server.answers("gone", "", 404), "recB"),
        active(server.answers("html", "<html>"), "recC"),
        active("https://calendar.example:99/x", "recD"),
    ]
    results = cycle.run(*reversed(feeds), settings=replace(cycle.settings, allow_private=True, attempts=1))
    assert [result.feed.record_id for result in results] == ["recA", "recB", "recC", "recD"]
    assert [result.outcome for result in results[:3]] == [Outcome.OK, Outcome.FAILED, Outcome.FAILED]
    assert [result.batch is None for result in results] == [False, True, True, True]


def test_nothing_of_a_url_or_a_guest_is_in_any_text_or_log(server, cycle, active, calendar) -> None:
    secret = "t0ken-of-a-feed"
    feeds = [
        active(server.answers(f"{secret}/ok", calendar("a 20261112 20261114 Pat Sample 555-0100")), "recA"),
        active(server.answers(f"{secret}/gone", "", 404), "recB"),
        active(server.answers(f"{secret}/bad", "", 302, Location=f"http://[{secret}"), "recC"),
        active(f"http://127.0.0.1:1/{secret}", "recD"),
    ]
    with structlog.testing.capture_logs() as logs:
        results = cycle.run(*feeds)
    said = " ".join([*(f"{result.cause} {result.warnings}" for result in results), str(logs)])
    assert len(logs) == 4
    assert {entry["feed"] for entry in logs} == {"recA", "recB", "recC", "recD"}
    for word in (secret, "http://", "Pat", "555"):
        assert word not in said


def test_a_fault_of_ours_in_one_feed_is_told_and_costs_no_other(server, cycle, active, calendar, monkeypatch) -> None:
    original = examine.read

    def faulty(body, feed, *rest):
        if feed.record_id == "recB":
            message = "Pat Sample"
            raise RuntimeError(message)
        return original(body, feed, *rest)

    monkeypatch.setattr(examine, "read", faulty)
    body = calendar("a 20261112 20261114 Pat Sample")
    with structlog.testing.capture_logs() as logs:
        good, bad = cycle.run(active(server.answers("a", body), "recA"), active(server.answers("b", body), "recB"))
    assert (good.outcome, bad.outcome, bad.cause, bad.batch) == (Outcome.OK, Outcome.FAILED, "unreadable", None)
    (told,) = [entry for entry in logs if entry["event"] == "feed.unreadable"]
    assert (told["feed"], told["error"]) == ("recB", "RuntimeError")
    assert told["at"].startswith("test_observe.py:")
    assert "Pat" not in str(logs)


def test_results_are_told_as_they_come(server, cycle, active, calendar, platforms, rules, quick) -> None:
    told = []
    feeds = [active(server.answers(f"f{n}", calendar(STAYS[0])), f"rec{n}") for n in range(3)]
    memory = StoredFeeds(cycle.database)
    results = asyncio.run(
        observe(feeds, memory, now=NOW, rules=rules, settings=quick, platforms=platforms, on_done=told.append)
    )
    assert sorted(result.feed.record_id for result in told) == [result.feed.record_id for result in results]


def test_no_feeds_give_no_results(cycle) -> None:
    assert cycle.run() == []


# --- feeds as settings


def rows(server, *rows: FeedRow):
    return feed_configs(rows, {"recH": "Quill"})


def test_v48_inactive_says_nothing_and_remove_says_all_is_gone(server, cycle, calendar) -> None:
    url = server.answers("a", calendar(STAYS[0]))
    feeds = rows(server, FeedRow("recA", url, "Inactive", ("recH",)), FeedRow("recB", url, "Remove", ("recH",)))
    (retired,) = cycle.run(*feeds)
    assert (retired.feed.record_id, retired.outcome, retired.memory) == ("recB", Outcome.RETIRED, None)
    assert retired.batch.retired
    assert retired.batch.complete
    assert (retired.batch.property_id, retired.batch.source.entry_source) == ("recH", "Other")
    assert server.requests == []


def test_v48_another_property_linked_is_read_anew_for_it(server, cycle, active, calendar, reads) -> None:
    url = server.answers("a", calendar(STAYS[0]))
    cycle.one(active(url))
    moved = cycle.one(active(url, home="recHome0000000002"))
    assert moved.outcome is Outcome.OK
    assert [each.property_id for each in moved.batch.observations] == ["recHome0000000002"]
    assert len(reads) == 2


def test_a_feed_without_property_is_not_fetched(server, cycle, calendar) -> None:
    url = server.answers("a", calendar(STAYS[0]))
    (result,) = cycle.run(*rows(server, FeedRow("recA", url, "Active")))
    assert (result.outcome, result.cause, result.batch) == (Outcome.MISCONFIGURED, "no property", None)
    assert server.requests == []


def test_a_double_shows_how_the_fetched_one_fared_and_says_nothing_itself(server, cycle, calendar) -> None:
    url = server.answers("a", calendar(STAYS[0]))
    first, double = cycle.run(
        *rows(server, FeedRow("recB", url, "Active", ("recH",)), FeedRow("recA", url, "Active", ("recH",)))
    )
    assert (first.outcome, double.outcome, double.batch, double.memory) == (Outcome.OK, Outcome.OK, None, None)
    assert double.warnings == ("same URL as recA",)
    assert server.asked("a") == 1


def test_a_double_alone_in_a_run_is_unchanged(server, cycle, calendar) -> None:
    url = server.answers("a", calendar(STAYS[0]))
    both = rows(server, FeedRow("recB", url, "Active", ("recH",)), FeedRow("recA", url, "Active", ("recH",)))
    (only,) = cycle.run(both[1])
    assert (only.outcome, only.batch) == (Outcome.UNCHANGED, None)


def test_an_edited_url_is_fetched_without_the_old_ones_validators_and_remembered(
    server, cycle, active, calendar
) -> None:
    old = server.answers("old", calendar(STAYS[0]), ETag='"1"')
    new = server.answers("new", calendar(STAYS[0]), ETag='"2"')
    cycle.one(active(old))
    result = cycle.one(active(new))
    assert "If-None-Match" not in server.requests[-1][1]
    assert result.memory.urls == (new, old)
    assert cycle.one(active(old)).memory.urls == (old, new)


# --- change


def test_the_same_body_on_the_same_day_is_not_read_again(server, cycle, active, calendar, reads) -> None:
    feed = active(server.answers("a", calendar(*STAYS)))
    first, again = cycle.one(feed), cycle.one(feed)
    assert (again.outcome, again.batch, again.events, again.kept) == (Outcome.UNCHANGED, first.batch, 8, 8)
    assert reads == [8]
    assert (again.memory.reading, again.memory.body) == (None, None)


def test_a_new_instant_of_the_fetch_is_no_change(server, cycle, active, calendar, reads) -> None:
    feed = active(server.answers("a", calendar(*STAYS)))
    first = cycle.one(feed)
    server.answers("a", calendar(*reversed(STAYS), stamp="20261101T130000Z"))
    again = cycle.one(feed)
    assert (again.outcome, again.batch.observations) == (Outcome.UNCHANGED, first.batch.observations)
    assert len(reads) == 1
    assert again.memory.body is None


def test_a_new_day_is_read_anew_and_keeps_the_stored_body(server, cycle, active, calendar, reads) -> None:
    feed = active(server.answers("a", calendar(*STAYS)))
    cycle.one(feed)
    tomorrow = cycle.one(feed, now=NOW + timedelta(days=1))
    assert (tomorrow.outcome, len(reads)) == (Outcome.OK, 2)
    assert tomorrow.memory.body is None
    assert tomorrow.batch.window.first == date(2026, 11, 2)


def with_validators(calendar_body: bytes):
    async def handle(request: web.Request) -> web.Response:
        if "If-None-Match" in request.headers:
            return web.Response(status=304)
        return web.Response(body=calendar_body, headers={"ETag": '"1"'})

    return handle


def test_a_304_on_another_day_reads_the_stored_body(server, cycle, active, calendar, reads) -> None:
    feed = active(server.handled("a", with_validators(calendar(*STAYS))))
    cycle.one(feed)
    tomorrow = cycle.one(feed, now=NOW + timedelta(days=1))
    assert (tomorrow.outcome, tomorrow.events, reads) == (Outcome.OK, 8, [8, 8])
    assert server.asked("a") == 2


@pytest.mark.parametrize("stored", [None, b"not packed"])
def test_a_304_without_a_usable_stored_body_is_fetched_again(server, cycle, active, calendar, stored) -> None:
    feed = active(server.handled("a", with_validators(calendar(*STAYS))))
    cycle.one(feed)
    with cycle.database.begin() as connection:
        connection.execute(update(table).values(body=stored))
    tomorrow = cycle.one(feed, now=NOW + timedelta(days=1))
    assert (tomorrow.outcome, tomorrow.events, server.asked("a")) == (Outcome.OK, 8, 3)


def test_a_reading_that_cannot_be_understood_is_made_anew(server, cycle, active, calendar, reads) -> None:
    feed = active(server.answers("a", calendar(*STAYS)))
    cycle.one(feed)
    with cycle.database.begin() as connection:
        connection.execute(update(table).values(observations={"of": "another release"}))
    assert cycle.one(feed).events == 8
    assert len(reads) == 2


@pytest.mark.parametrize("change", [{"entry_source": "VRBO"}, {"closed_means": "Reservation"}])
def test_other_settings_of_the_feed_read_it_anew(server, cycle, active, calendar, reads, change) -> None:
    url = server.answers("a", calendar(*STAYS))
    cycle.one(active(url))
    assert cycle.one(active(url, **change)).outcome is Outcome.OK
    assert len(reads) == 2


def test_bodies_with_rules_and_large_ones_are_read_beside_the_loop(
    server, cycle, active, calendar, monkeypatch
) -> None:
    repeated = calendar(STAYS[0]).replace(b"SUMMARY", b"RRULE:FREQ=WEEKLY;COUNT=3\r\nSUMMARY")
    assert len(cycle.one(active(server.answers("a", repeated))).batch.observations) == 3
    monkeypatch.setattr(examine, "_HEAVY_BYTES", 10)
    assert cycle.one(active(server.answers("b", calendar(*STAYS)), "recB")).kept == 8


# --- trust


def test_failures_are_counted_in_a_row_and_the_last_good_state_stands(server, cycle, active, calendar) -> None:
    feed = active(server.answers("a", calendar(*STAYS)))
    good = cycle.one(feed)
    server.answers("a", "", 404)
    assert [cycle.one(feed).memory.failures for _ in range(3)] == [1, 2, 3]
    with cycle.database.read() as connection:
        row = connection.execute(select(table)).one()
    assert (row.failures, row.trusted_count, row.raw_hash) == (3, 8, good.memory.raw_hash)
    assert row.last_success == good.fetched_at
    assert row.body is not None
    server.answers("a", calendar(*STAYS))
    healed = cycle.one(feed)
    assert (healed.outcome, healed.memory.failures) == (Outcome.UNCHANGED, 0)


@pytest.mark.parametrize("left", [0, 3])
def test_v1_a_feed_that_suddenly_shrinks_is_suspect_once_and_then_believed(
    server, cycle, active, calendar, left: int
) -> None:
    feed = active(server.answers("a", calendar(*STAYS)))
    cycle.one(feed)
    server.answers("a", calendar(*STAYS[:left]))
    suspect, believed, after = cycle.one(feed), cycle.one(feed), cycle.one(feed)
    assert (suspect.outcome, suspect.cause) == (Outcome.SUSPECT, f"suspect: {left} events, 8 before")
    assert not suspect.batch.fully_read
    assert len(suspect.batch.observations) == left
    assert believed.outcome is Outcome.UNCHANGED
    assert believed.batch.complete
    assert (believed.memory.trusted_count, believed.memory.low_count) == (left, None)
    assert after.batch.complete


def test_a_feed_that_shrinks_by_a_few_or_recovers_is_trusted(server, cycle, active, calendar) -> None:
    feed = active(server.answers("a", calendar(*STAYS)))
    cycle.one(feed)
    server.answers("a", calendar(*STAYS[:4]))
    assert cycle.one(feed).outcome is Outcome.OK
    server.answers("a", calendar())
    assert cycle.one(feed).outcome is Outcome.SUSPECT
    server.answers("a", calendar(*STAYS))
    back = cycle.one(feed)
    assert (back.outcome, back.memory.trusted_count, back.memory.low_count) == (Outcome.OK, 8, None)


def test_a_low_feed_that_rises_but_stays_low_is_suspect_once_more(server, cycle, active, calendar) -> None:
    feed = active(server.answers("a", calendar(*STAYS)))
    cycle.one(feed)
    outcomes = []
    for left in (0, 2, 2):
        server.answers("a", calendar(*STAYS[:left]))
        outcomes.append(cycle.one(feed).outcome)
    assert outcomes == [Outcome.SUSPECT, Outcome.SUSPECT, Outcome.UNCHANGED]


def test_an_empty_feed_is_valid(server, cycle, active, calendar) -> None:
    result = cycle.one(active(server.answers("a", calendar())))
    assert (result.outcome, result.events, result.batch.complete) == (Outcome.OK, 0, True)


def test_v8_an_unreadable_event_with_a_stable_uid_leaves_the_batch_complete(server, cycle, active, calendar) -> None:
    body = calendar(STAYS[0], "bad 20261120 20261118 Reserved")
    result = cycle.one(active(server.answers("a", body)))
    assert (result.outcome, result.batch.complete) == (Outcome.OK, True)
    assert [(each.uid, each.reason, each.still_seen) for each in result.batch.rejected] == [("bad", "no_nights", True)]


def test_v8_one_without_makes_it_incomplete_and_stays_so_when_unchanged(server, cycle, active, calendar) -> None:
    body = calendar(STAYS[0], "bad 20261120 20261118 Reserved").replace(b"UID:bad\r\n", b"")
    feed = active(server.answers("a", body))
    for result in (cycle.one(feed), cycle.one(feed)):
        assert (result.outcome, result.cause) == (Outcome.INCOMPLETE, "1 events unreadable")
        assert not result.batch.complete
        assert nights(result) == [(10, 11)]


def test_booking_nights_are_what_the_feed_says(server, cycle, active, calendar) -> None:
    product = r"-//admin.booking.com\, b.v.//NONSGML v1.0//EN"
    body = calendar("a 20261112 20261114 CLOSED - Not available", prodid=product)
    url = server.answers("a", body)
    assert cycle.one(active(url)).batch.observations[0].kind is Kind.BLOCK
    guest = cycle.one(active(url, closed_means="Reservation")).batch
    assert guest.observations[0].kind is Kind.RESERVATION
    assert guest.source.entry_source == "Booking.com"
