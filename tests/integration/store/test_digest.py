"""The hash by which a run is left out: nothing that a plan depends on may change without it (on both databases)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import Table, delete, insert, update

from changeover.store.database import Database
from changeover.store.digest import digest
from changeover.store.tables import feeds, holds, mirror_records, sightings, written_types

TABLES = ("ICS Feeds", "Reservations")
NOW = datetime(2026, 3, 4, 15, tzinfo=UTC)
MORE = timedelta(days=1)
ROWS: dict[Table, dict[str, object]] = {
    mirror_records: {
        "table_name": "Reservations",
        "record_id": "recStay0000000001",
        "created_time": NOW,
        "fields": {"Status": "New"},
        "deleted_at": None,
    },
    sightings: {
        "source": "recFeedCasaVerde1",
        "record_id": "recStay0000000001",
        "uids": ["a@example"],
        "check_in": date(2026, 4, 1),
        "check_out": date(2026, 4, 5),
        "kind": "reservation",
        "block_type": "",
        "entry_source": "Airbnb",
        "misses": 0,
        "missing_since": None,
        "last_seen": NOW,
        "gone": False,
        "next_is_owner": False,
    },
    written_types: {"record_id": "recStay0000000001", "service_type": "Turnover", "block_type": ""},
    holds: {
        "source": "recFeedCasaVerde1",
        "record_id": "recStay0000000001",
        "property_id": "recHome0000000001",
        "check_in": date(2026, 4, 1),
        "check_out": date(2026, 4, 5),
        "since": NOW,
        "decision": "waiting",
        "reason": "missing",
    },
    feeds: {"record_id": "recFeedCasaVerde1", "urls": ["https://feeds.example/casa"], "failures": 0, "extra": {}},
}
COUNTED = [
    (table, name)
    for table, row in ROWS.items()
    for name in row
    if (table, name) not in ((sightings, "last_seen"), (feeds, "failures"), (feeds, "extra"))
]


def other(value: object) -> object:
    """Another value of the same kind."""
    match value:
        case bool():
            return not value
        case int():
            return value + 1
        case str():
            return "ICS Feeds" if value == "Reservations" else f"{value}x"
        case list():
            return [*value, "x"]
        case dict():
            return {**value, "x": 1}
        case date():
            return value + MORE
    return NOW


@pytest.fixture
def filled(database: Database) -> Database:
    with database.begin() as connection:
        for table, row in ROWS.items():
            connection.execute(insert(table).values(**row))
    return database


def now(database: Database) -> str:
    with database.read() as connection:
        return digest(connection, TABLES)


def test_every_column_of_every_table_that_a_plan_depends_on_is_in_it() -> None:
    known = {table: {column.name for column in table.c} for table in ROWS if table is not feeds}
    assert {table: set(row) for table, row in ROWS.items() if table is not feeds} == known


def test_whatever_of_it_changes_it_is_another(filled: Database) -> None:
    before = now(filled)
    found = {before}
    for table, name in COUNTED:
        with filled.begin() as connection:
            connection.execute(update(table).values({name: other(ROWS[table][name])}))
        found.add(now(filled))
        with filled.begin() as connection:
            connection.execute(update(table).values({name: ROWS[table][name]}))
        assert now(filled) == before, f"{table.name}.{name}"
    assert len(found) == 1 + len(COUNTED)


def test_a_row_more_or_less_makes_it_another(filled: Database) -> None:
    found = {now(filled)}
    for table in ROWS:
        with filled.begin() as connection:
            connection.execute(delete(table))
        found.add(now(filled))
    assert len(found) == 1 + len(ROWS)


def test_when_a_stay_was_last_seen_and_what_is_no_input_of_a_plan_do_not_change_it(filled: Database) -> None:
    before = now(filled)
    cron = ROWS[mirror_records] | {"table_name": "ICS Cron"}
    with filled.begin() as connection:
        connection.execute(update(sightings).values(last_seen=NOW + MORE))
        connection.execute(update(feeds).values(failures=3, etag='"2"'))
        connection.execute(insert(mirror_records).values(**cron))
    assert now(filled) == before
