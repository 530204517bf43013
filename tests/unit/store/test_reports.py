"""What is remembered of suppliers' reports, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from changeover.store import reports
from changeover.store.reports import FileMove

NOW = datetime(2026, 3, 4, 15, tzinfo=UTC)


@pytest.fixture
def conn(database):
    with database.begin() as connection:
        yield connection


def test_the_newest_import_of_a_source_is_kept_and_an_older_one_changes_nothing(conn) -> None:
    assert reports.imported(conn) == {}
    reports.note_import(conn, "csv_itrip", NOW, NOW)
    reports.note_import(conn, "csv_evolve", NOW, NOW)
    reports.note_import(conn, "csv_itrip", NOW - timedelta(hours=1), NOW)
    reports.note_import(conn, "csv_evolve", NOW + timedelta(hours=1), NOW)
    assert reports.imported(conn) == {"csv_itrip": NOW, "csv_evolve": NOW + timedelta(hours=1)}


def test_every_address_that_was_ever_shown_for_a_listing_is_kept(conn) -> None:
    assert reports.note_addresses(conn, [("510020", "12 E Example Ave"), ("510021", "1 A St")], NOW) == 2
    assert reports.note_addresses(conn, [("510020", "14 E Example Ave"), ("510020", "12 E Example Ave")], NOW) == 2
    assert reports.addresses(conn) == {
        "510020": frozenset({"12 E Example Ave", "14 E Example Ave"}),
        "510021": frozenset({"1 A St"}),
    }


def test_what_is_too_long_to_be_a_listing_or_an_address_is_left_out(conn) -> None:
    assert reports.note_addresses(conn, [("5" * 41, "1 A St"), ("510020", "x" * 301)], NOW) == 0
    assert reports.addresses(conn) == {}


def test_moves_are_kept_until_they_are_made(conn) -> None:
    plain = FileMove("b.csv", "1" * 64, "done", NOW)
    rows = FileMove("a.csv", "2" * 64, "done", NOW, "header\nrow\n")
    assert reports.decide_moves(conn, [plain, rows]) == 2
    assert reports.moves(conn) == (rows, plain)
    reports.moved(conn, "a.csv")
    reports.moved(conn, "nobody.csv")
    assert reports.moves(conn) == (plain,)
