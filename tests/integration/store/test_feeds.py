"""What is remembered of feeds comes back as it was, on both databases (P-37)."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime

from changeover.store.database import Database
from changeover.store.feeds import FeedState, StoredFeeds, known_urls, save

STATE = FeedState(
    record_id="recA",
    urls=("https://calendar.example/new", "https://calendar.example/old"),
    etag='"1"',
    last_modified="Sun, 01 Nov 2026 12:00:00 GMT",
    raw_hash="a" * 64,
    canonical_hash="b" * 64,
    settings_hash="c" * 64,
    read_on=date(2026, 11, 1),
    reading='{"events":3,"warnings":["Zoë"]}',
    body=b"packed",
    trusted_count=3,
    low_count=0,
    last_success=datetime(2026, 11, 1, 12, tzinfo=UTC),
    failures=2,
)


def test_a_state_comes_back_without_its_body_which_comes_when_asked_for(database: Database) -> None:
    with database.begin() as connection:
        save(connection, [STATE, FeedState("recB")])
    stored = StoredFeeds(database)
    found = stored.get("recA")
    assert found is not None
    assert replace(found, reading=None) == replace(STATE, reading=None, body=None)
    assert json.loads(found.reading or "") == {"events": 3, "warnings": ["Zoë"]}
    assert stored.body("recA") == b"packed"
    assert stored.get("recB") == FeedState("recB")
    assert stored.body("recB") is None


def test_a_feed_never_fetched_is_unknown(database: Database) -> None:
    stored = StoredFeeds(database)
    assert stored.get("recA") is None
    assert stored.body("recA") is None


def test_states_that_were_read_at_once_come_back_as_one_by_one_and_as_often_as_asked(database: Database) -> None:
    with database.begin() as connection:
        save(connection, [STATE, FeedState("recB")])
    one_by_one, stored = StoredFeeds(database), StoredFeeds(database)
    stored.fetch_all()
    for record_id in ("recA", "recB", "recC", "recA"):
        assert stored.get(record_id) == one_by_one.get(record_id)


def test_a_state_without_body_and_reading_leaves_the_stored_ones_alone(database: Database) -> None:
    with database.begin() as connection:
        save(connection, [STATE])
    with database.begin() as connection:
        save(connection, [replace(STATE, body=None, reading=None, failures=3, etag=None)])
    found = StoredFeeds(database).get("recA")
    assert found is not None
    assert (found.failures, found.etag) == (3, None)
    assert found.reading is not None
    assert StoredFeeds(database).body("recA") == b"packed"


def test_a_url_belongs_to_the_feed_that_has_it_now_before_one_that_had_it(database: Database) -> None:
    with database.begin() as connection:
        save(connection, [STATE, FeedState("recB", urls=("https://calendar.example/old",))])
        assert known_urls(connection) == {
            "https://calendar.example/new": "recA",
            "https://calendar.example/old": "recB",
        }


def test_nothing_of_a_rolled_back_transaction_is_remembered(database: Database) -> None:
    with database.engine.connect() as connection:
        save(connection, [STATE])
        connection.rollback()
    assert StoredFeeds(database).get("recA") is None
