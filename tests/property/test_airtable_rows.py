"""Any stay survives being written into a row and read back, and equal stays never give a write."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from changeover.airtable import cells
from changeover.airtable.rows import SourceIndex, changed_cells, to_cells, to_stay
from changeover.core.stay import EntryType, Status, Stay
from changeover.store.mirror import Record

DAYS = st.dates(date(2024, 1, 1), date(2030, 1, 1))
INSTANTS = st.none() | st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1)).map(  # noqa: DTZ001  # made aware at once
    lambda moment: moment.replace(microsecond=moment.microsecond // 1_000 * 1_000, tzinfo=UTC)
)
TEXTS = st.text(max_size=30)
SOURCES = SourceIndex.of([("recFEED0000000001", "https://feeds.example/1")])


@st.composite
def stays(draw: st.DrawFn) -> Stay:
    check_in = draw(DAYS)
    url = draw(st.sampled_from(["https://feeds.example/1", "https://feeds.example/gone", "csv_itrip", ""]))
    texts = {
        name: draw(TEXTS)
        for name in (
            "entry_source",
            "service_type",
            "block_type",
            "change_summary",
            "also_seen_in",
            "itrip_info",
            "sync_status",
        )
    }
    instants = {name: draw(INSTANTS) for name in ("last_updated", "missing_since", "last_seen", "final_service_time")}
    flags = {
        name: draw(st.booleans())
        for name in ("suspected_cancel", "same_day", "overlapping", "owner_arriving", "long_term")
    }
    return Stay(
        record_id="recSTAY0000000001",
        uid=draw(st.text(min_size=1, max_size=80)),
        source=SOURCES.key(url) if url and texts["entry_source"] != "HCP" else None,
        url=url,
        property_id="recCASA0000000001",
        check_in=check_in,
        check_out=check_in + timedelta(days=draw(st.integers(1, 400))),
        entry_type=draw(st.sampled_from(EntryType)),
        status=draw(st.sampled_from(Status)),
        created=datetime(2024, 1, 1, tzinfo=UTC),
        missing_count=draw(st.integers(0, 9)),
        itrip_next_guest=draw(st.none() | DAYS),
        next_guest=draw(st.none() | DAYS),
        **texts,
        **instants,
        **flags,
    )


def as_read(stay: Stay, fields: Any) -> Any:
    """The row as the base gives it back: without its empty cells."""
    row = {name: cell for name, cell in fields.items() if not cells.empty(cell)}
    return to_stay(Record(stay.record_id, stay.created, row), SOURCES, {})


@given(stays())
def test_a_stay_survives_its_row(stay: Stay) -> None:
    assert as_read(stay, to_cells(stay)) == stay


@given(stays())
def test_equal_stays_give_no_write(stay: Stay) -> None:
    assert changed_cells(stay, as_read(stay, to_cells(stay))) == {}


@given(stays(), stays())
def test_the_changed_cells_make_one_row_the_other(before: Stay, after: Stay) -> None:
    row = to_cells(before) | changed_cells(before, after)
    assert as_read(after, row) == after
