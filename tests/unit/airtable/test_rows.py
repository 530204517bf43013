"""Rows of Reservations as stays, and back."""

from collections.abc import Callable
from dataclasses import fields, replace
from datetime import UTC, date, datetime

import pytest

from changeover.airtable import rows
from changeover.airtable.rows import BadRow, SourceIndex, changed_cells, to_cells, to_stay, to_stays
from changeover.airtable.schema import BaseSpec
from changeover.core.stay import EntryType, Status, Stay
from changeover.store.mirror import Record
from changeover.store.written_types import WrittenTypes

SOURCES = SourceIndex.of([("recFEED0000000001", "https://feeds.example/ics/secret-token.ics")])


def test_a_row_becomes_the_stay_it_shows(row: Callable[..., Record], stay: Stay) -> None:
    assert to_stay(row(), SOURCES, {}) == stay


def test_every_cell_of_a_stay_survives_the_way_there_and_back(stay: Stay) -> None:
    full = replace(
        stay,
        status=Status.MODIFIED,
        entry_type=EntryType.BLOCK,
        block_type="Owner Stay",
        change_summary="Check-out 2026-03-13 → 2026-03-14",
        also_seen_in="VRBO · recFEED0000000002 · u9",
        last_updated=datetime(2026, 3, 4, 15, tzinfo=UTC),
        missing_count=2,
        missing_since=datetime(2026, 3, 3, 15, tzinfo=UTC),
        last_seen=datetime(2026, 3, 2, 15, tzinfo=UTC),
        suspected_cancel=True,
        itrip_info="gate",
        itrip_next_guest=date(2026, 3, 14),
        same_day=True,
        overlapping=True,
        owner_arriving=True,
        long_term=True,
        next_guest=date(2026, 3, 14),
        final_service_time=datetime(2026, 3, 14, 17, tzinfo=UTC),
        sync_status="Not Created",
    )
    there = Record(full.record_id, full.created, to_cells(full))
    assert to_stay(there, SOURCES, {}) == full


def test_every_attribute_of_a_stay_but_its_memory_stands_in_a_cell() -> None:
    known = {column.attribute for column in rows._COLUMNS}
    other = {"record_id", "source", "created", "wrote_service_type", "wrote_block_type"}
    assert {each.name for each in fields(Stay)} == known | other


def test_every_field_of_the_mapping_is_in_the_schema_file(spec: BaseSpec) -> None:
    names = {each.name for each in spec.table("Reservations").fields}
    assert {column.field for column in rows._COLUMNS} | set(rows.RESTORED) <= names


def test_the_uid_is_kept_whole_whatever_it_holds(row: Callable[..., Record]) -> None:
    """V-20: a uid with `_`, `+`, `/`, `=` is never split."""
    uid = "a_b+c/d=_e@x_recCASA0000000001"
    found = to_stay(row(Reservation_UID=uid), SOURCES, {})
    assert isinstance(found, Stay)
    assert found.uid == uid


def test_what_a_sync_wrote_last_stands_beside_what_the_row_holds(row: Callable[..., Record]) -> None:
    written = {"recSTAY0000000001": WrittenTypes("recSTAY0000000001", "Turnover", "")}
    found = to_stay(row(Service_Type="Deep Clean"), SOURCES, written)
    assert isinstance(found, Stay)
    assert (found.service_type, found.wrote_service_type, found.wrote_block_type) == ("Deep Clean", "Turnover", "")


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"Status": None}, "no_status"),
        ({"Status": "Gone"}, "no_status"),
        ({"Entry Type": None}, "no_entry_type"),
        ({"Property ID": None}, "no_property"),
        ({"Property ID": ["recA", "recB"]}, "several_properties"),
        ({"Check-in Date": None}, "no_dates"),
        ({"Check-out Date": "2026-03-10"}, "no_nights"),
        ({"Check-out Date": "soon"}, "unreadable_cell"),
    ],
)
def test_a_row_that_is_no_stay_is_named_with_its_reason(
    row: Callable[..., Record], cells: dict[str, str], reason: str
) -> None:
    assert to_stay(row(**cells), SOURCES, {}) == BadRow("recSTAY0000000001", reason, ours=True)


@pytest.mark.parametrize("cells", [{"ICS URL": None}, {"Entry Source": "HCP"}])
def test_a_row_without_url_or_from_hcp_is_kept_by_people(row: Callable[..., Record], cells: dict[str, str]) -> None:
    found = to_stay(row(**cells), SOURCES, {})
    assert isinstance(found, Stay)
    assert found.kept_by_people


def test_a_url_that_no_feed_has_gives_a_key_that_does_not_show_it(row: Callable[..., Record]) -> None:
    found = to_stay(row(ICS_URL="https://feeds.example/ics/other-secret.ics"), SOURCES, {})
    assert isinstance(found, Stay)
    assert found.source is not None
    assert found.source.startswith("orphan:")
    assert "secret" not in found.source


def test_a_row_made_under_an_earlier_url_is_still_the_feeds() -> None:
    assert SourceIndex.of([("recA", "")]).by_url == {}
    index = SourceIndex.of(
        [("recB", "https://new"), ("recA", "https://new")], [("recB", "https://old"), ("recC", "https://new")]
    )
    assert index.key("https://old") == "recB"
    assert index.key("https://new") == "recA"
    assert index.key("csv_itrip") == "csv_itrip"


def test_history_is_no_stay_and_bad_rows_are_told_apart(row: Callable[..., Record]) -> None:
    stays, bad = to_stays([row("rec1"), row("rec2", Status="Old"), row("rec3", Status=None)], SOURCES, {})
    assert [each.record_id for each in stays] == ["rec1"]
    assert bad == [BadRow("rec3", "no_status", ours=True)]


def test_only_what_differs_is_written(stay: Stay) -> None:
    after = replace(stay, check_out=date(2026, 3, 15), status=Status.MODIFIED)
    assert changed_cells(stay, after) == {"Check-out Date": "2026-03-15", "Status": "Modified"}


def test_an_emptied_cell_is_written_as_null_and_an_unticked_box_as_false(stay: Stay) -> None:
    before = replace(stay, missing_since=datetime(2026, 3, 3, tzinfo=UTC), suspected_cancel=True, missing_count=2)
    after = replace(before, missing_since=None, suspected_cancel=False, missing_count=0)
    assert changed_cells(before, after) == {"Missing Since": None, "Suspected Cancel": False, "Missing Count": 0}


def test_a_run_that_changes_nothing_writes_nothing(stay: Stay) -> None:
    """V-26: equal stays give no write, so nothing can fight every hour."""
    assert changed_cells(stay, replace(stay)) == {}


def test_peoples_and_job_fields_are_never_written(stay: Stay) -> None:
    after = replace(stay, custom_service_time="9:30 AM", job_id="job_1")
    assert changed_cells(stay, after) == {}


def test_final_service_time_is_left_alone_where_the_base_computes_it(stay: Stay) -> None:
    after = replace(stay, final_service_time=datetime(2026, 3, 14, 17, tzinfo=UTC))
    assert changed_cells(stay, after, final_service_time=False) == {}
    assert changed_cells(stay, after) == {"Final Service Time": "2026-03-14T17:00:00.000Z"}


def test_long_text_is_cut_to_what_a_cell_holds(stay: Stay) -> None:
    text = to_cells(replace(stay, itrip_info="x" * 100_001))["iTrip Report Info"]
    assert isinstance(text, str)
    assert len(text) == 100_000
