"""Cells as the base gives and takes them."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from changeover.airtable import cells


@pytest.mark.parametrize("cell", [None, "", [], False])
def test_what_the_base_never_returns_counts_as_empty_and_equal(cell: cells.Cell) -> None:
    assert cells.empty(cell)
    assert cells.same(cell, None)


def test_zero_is_a_value_but_equals_an_absent_count() -> None:
    assert not cells.empty(0)
    assert cells.same(0, None)
    assert not cells.same(0, 1)


def test_instants_are_written_in_utc_with_milliseconds() -> None:
    phoenix = timezone(timedelta(hours=-7))
    assert cells.instant_cell(datetime(2026, 3, 4, 10, 15, tzinfo=phoenix)) == "2026-03-04T17:15:00.000Z"


def test_an_instant_is_read_in_utc() -> None:
    assert cells.instant("2026-03-04T17:15:00.000Z") == datetime(2026, 3, 4, 17, 15, tzinfo=UTC)
    assert cells.instant("2026-03-04T10:15:00-07:00") == datetime(2026, 3, 4, 17, 15, tzinfo=UTC)


def test_an_error_of_a_formula_is_no_instant_and_no_text() -> None:
    assert cells.instant({"error": "#ERROR!"}) is None
    assert cells.text({"specialValue": "NaN"}) == ""


@pytest.mark.parametrize(("cell", "expected"), [(3, 3), (2.0, 2), (None, 0), (True, 0), ("4", 0)])
def test_a_number_is_whole_and_absent_is_zero(cell: cells.Cell, expected: int) -> None:
    assert cells.number(cell) == expected


def test_links_are_the_record_ids_of_the_cell() -> None:
    assert cells.links(["recA", "recB"]) == ("recA", "recB")
    assert cells.links(None) == ()


def test_days_are_dates_and_empty_is_none() -> None:
    assert cells.day("2026-03-04") == date(2026, 3, 4)
    assert cells.day(None) is None
    with pytest.raises(ValueError, match="isoformat"):
        cells.day("March 4")


def test_a_new_row_is_sent_without_its_empty_cells() -> None:
    assert cells.compact({"a": "", "b": None, "c": False, "d": 0, "e": "x"}) == {"d": 0, "e": "x"}


def test_records_agree_when_the_named_fields_do() -> None:
    assert cells.agree({"a": 1, "b": None}, {"a": 1, "c": 2}, ["a", "b"])
    assert not cells.agree({"a": 1}, {"a": 2}, ["a"])


def test_a_collaborator_is_the_same_person_whatever_else_is_told_of_them() -> None:
    told: cells.Cell = [{"id": "usr1", "email": "pat@home.example", "name": "Pat"}]
    assert cells.same(told, [{"id": "usr1"}])
    assert not cells.same(told, [{"id": "usr2"}])
    assert cells.writable({"text": "0123", "type": "ean13"}) == {"text": "0123", "type": "ean13"}


def test_a_ticked_box_is_true_and_nothing_else_is() -> None:
    assert cells.flag(True)
    assert not any(map(cells.flag, (None, False, 1, "true")))
