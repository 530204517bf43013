"""What a run of reports knows before and remembers after, apart from any base."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from changeover.core.stay import Batch, EntryType, Kind, Known, Observation, Sighting, Source, Status, Stay
from changeover.engine.report_memory import Remembered, memory
from changeover.sources.csv.inbox import InboxFile, Move
from changeover.sources.csv.observe import Disposition, FileResult, SupplierResult
from changeover.sources.csv.reading import SetAside
from changeover.sources.csv.rows import Reason
from changeover.sources.csv.suppliers import Days, Shape, Supplier, WindowEdge
from changeover.store import events, reports
from changeover.store.events import EventState

NOW = datetime(2026, 3, 10, 15, tzinfo=UTC)
ITRIP = Supplier(
    Shape.ITRIP,
    Source("csv_itrip", "csv_itrip", "iTrip", "iTrip report"),
    frozenset(),
    {},
    WindowEdge.CHECK_OUT,
    Days(0, 14),
)
OTHER = replace(ITRIP, source=Source("csv_evolve", "csv_evolve", "Evolve", "Evolve Tab 1"))
STAY = Stay(
    record_id="rec1",
    uid="8000001_recCASA",
    source="csv_itrip",
    url="csv_itrip",
    property_id="recCASA",
    check_in=date(2026, 3, 12),
    check_out=date(2026, 3, 15),
    entry_type=EntryType.RESERVATION,
    status=Status.NEW,
    entry_source="iTrip",
    created=NOW,
)


def shown(known: Known, database, *sources: str) -> list[tuple[str, str, str]]:
    with database.read() as connection:
        found = memory(connection, known, sources or ("csv_itrip", "csv_evolve", "csv_evolve_blocks"))
    return sorted((each.source, each.uid, str(each.kind)) for each in found.stays)


@pytest.fixture
def rejected(tmp_path):
    folder = tmp_path / "csv"
    (folder / "rejected").mkdir(parents=True)
    return folder


def test_what_a_source_has_shown_is_known_by_all_its_ids(database) -> None:
    nights = STAY.check_in, STAY.check_out
    seen = Sighting("csv_itrip", "rec1", ("8000009", "8000001"), *nights, Kind.OWNER_STAY, "iTrip", last_seen=NOW)
    lost = Sighting("csv_itrip", "recGone", ("7",), *nights, Kind.RESERVATION, "iTrip")
    found = shown(Known(stays=(STAY,), sightings=(seen, lost)), database)
    assert found == [
        ("csv_itrip", "8000001", "owner stay"),
        ("csv_itrip", "8000001", "reservation"),
        ("csv_itrip", "8000009", "owner stay"),
    ]


def test_without_sightings_the_rows_themselves_tell(database) -> None:
    guest = replace(STAY, also_seen_in="Evolve · csv_evolve · 30000001")
    owner = replace(STAY, record_id="rec2", uid="3_recCASA", entry_type=EntryType.BLOCK, block_type="Owner Stay")
    block = replace(STAY, record_id="rec3", uid="4_recCASA", entry_type=EntryType.BLOCK)
    peoples = replace(STAY, record_id="rec4", source=None, url="", uid="5_recCASA")
    assert shown(Known(stays=(guest, owner, block, peoples)), database) == [
        ("csv_evolve", "30000001", "reservation"),
        ("csv_itrip", "3", "owner stay"),
        ("csv_itrip", "4", "block"),
        ("csv_itrip", "8000001", "reservation"),
    ]
    assert shown(Known(stays=(guest,)), database, "csv_evolve") == [("csv_evolve", "30000001", "reservation")]


def file(name: str = "report.csv", hours_ago: int = 0) -> InboxFile:
    return InboxFile(name, NOW - timedelta(hours=hours_ago), b"x", f"{name:0<64}")


def result(*aside: SetAside, uids: tuple[str, ...] = (), supplier: Supplier = ITRIP, **more) -> SupplierResult:
    taken = more.get("file", file())
    nights = STAY.check_in, STAY.check_out
    observations = tuple(Observation(uid, "recCASA", *nights, Kind.RESERVATION) for uid in uids)
    return SupplierResult(
        supplier,
        (FileResult(taken, Disposition.IMPORTED, Move(taken.name, taken.sha256, "done", NOW), set_aside=aside),),
        batch=Batch(supplier.source, NOW, None, fully_read=True, observations=observations) if uids else None,
        imported=more.get("imported", taken.received),
    )


def aside(uid: str | None = "7002", line: int = 3) -> SetAside:
    return SetAside(line, Reason.UNKNOWN_PROPERTY, ("7002", "Nowhere"), uid, "Casa")


def waiting(rejected, *results: SupplierResult) -> tuple[events.Event, ...]:
    return Remembered.of(results, (), rejected, NOW).waiting


def states(rejected, before, *results: SupplierResult) -> list[EventState]:
    return list(Remembered.of(results, before, rejected, NOW).ended.values())


def test_a_row_that_is_imported_after_all_waits_no_more(rejected) -> None:
    before = waiting(rejected, result(aside()))
    assert states(rejected, before, result(uids=("7002",), imported=None)) == [EventState.IMPORTED]


def test_a_newer_report_of_the_source_overtakes_a_row_and_an_older_one_does_not(rejected) -> None:
    before = waiting(rejected, result(aside(None), file=file(hours_ago=5)))
    older = result(file=file("old.csv", hours_ago=9), uids=("1",))
    assert states(rejected, before, older) == []
    assert states(rejected, before, result(supplier=OTHER)) == []
    assert states(rejected, before, result(imported=None)) == []
    assert states(rejected, before, result()) == [EventState.SUPERSEDED]


def test_the_same_stay_waits_once_and_rows_without_id_each_for_themselves(rejected) -> None:
    first = result(aside(), aside(None, 4), aside(None, 5))
    assert len(waiting(rejected, first)) == 3
    again = Remembered.of([result(aside(line=9), file=file("next.csv"))], waiting(rejected, first), rejected, NOW)
    assert [(each.payload["file"], each.payload["line"]) for each in again.waiting] == [("next.csv", 9)]
    assert len(again.ended) == 2


def test_no_summary_and_no_alert_holds_a_cell(rejected) -> None:
    cells = SetAside(3, Reason.BAD_DATE, ("7002", "Nadia Quillfeather", "(480) 555-0101"), "7002")
    found = Remembered.of([result(cells)], (), rejected, NOW)
    said = " ".join([*(each.summary for each in found.waiting), *(each.text for each in found.alerts("csv_warning"))])
    assert said == "report.csv line 3: bad_date 1 rows of report.csv were set aside: bad_date; see csv/rejected"


def test_everything_is_stored_in_the_callers_transaction(database, rejected) -> None:
    tab = replace(result(aside(), supplier=OTHER), addresses=frozenset({("510020", "1 A St")}))
    found = Remembered.of([tab, result(supplier=ITRIP, imported=None)], (), rejected, NOW)
    with database.begin() as connection:
        found.store(connection)
    with database.read() as connection:
        assert reports.imported(connection) == {"csv_evolve": NOW}
        assert reports.addresses(connection) == {"510020": frozenset({"1 A St"})}
        assert [each.name for each in reports.moves(connection)] == ["report.csv"]
        assert events.waiting(connection) == found.waiting
