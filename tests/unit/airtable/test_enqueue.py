"""A plan turned into stored writes."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from changeover.airtable.deliver import Phase, Write, enqueue
from changeover.airtable.deliver.enqueue import UnknownRow, history_copy
from changeover.airtable.schema import SchemaFacts
from changeover.core.plan import Change, Plan, Verb, create_key
from changeover.core.stay import Status, Stay
from changeover.store import deliveries, mirror, written_types
from changeover.store.database import Database
from changeover.store.deliveries import Entry
from changeover.store.mirror import Record

Make = Callable[..., Record]


@pytest.fixture
def enqueued(db: Database, schema: SchemaFacts, now: datetime) -> Callable[..., list[Entry]]:
    """Stores a plan's writes and answers all that wait, in the order of sending."""

    def run(*changes: Change, run_id: str = "run-1", extra: tuple[Write, ...] = ()) -> list[Entry]:
        with db.begin() as conn:
            enqueue(conn, run_id, Plan(now=now, changes=changes), extra, schema=schema, now=now)
            found: list[Entry] = []
            while part := deliveries.next_batch(conn, None, (), 10):
                found += deliveries.claim(conn, part, now)
                deliveries.finish(conn, [(each, each.record_id or "recMADE0000000000") for each in part], now)
            return found

    return run


def modified(stay: Stay) -> Change:
    after = replace(stay, check_out=date(2026, 3, 15), status=Status.MODIFIED, change_summary="Check-out …")
    return Change(Verb.MODIFY, stay, after)


def keep(db: Database, *records: Record) -> None:
    with db.begin() as conn:
        mirror.put(conn, "Reservations", records)


def test_a_new_stay_is_one_create_under_its_key(db: Database, stay: Stay, enqueued: Callable[..., list[Entry]]) -> None:
    key = create_key(stay.uid, stay.url, stay.status, stay.check_in, stay.check_out)
    new = replace(stay, record_id=key, sync_status="Not Created", wrote_service_type="Turnover", wrote_block_type="")
    (entry,) = enqueued(Change(Verb.NEW, None, new))
    assert (entry.phase, entry.dedupe_key) == (Phase.CREATE, key)
    assert entry.fields["Reservation UID"] == stay.uid
    assert entry.fields["Property ID"] == [stay.property_id]
    assert entry.fields["Sync Status"] == "Not Created"
    assert "Block Type" not in entry.fields
    with db.read() as conn:
        assert written_types.load_all(conn)[key].service_type == "Turnover"


def test_a_modified_stay_is_a_copy_and_then_only_what_changed(
    db: Database, row: Make, stay: Stay, enqueued: Callable[..., list[Entry]]
) -> None:
    """V-10: the live row keeps its job id; the copy carries the old one."""
    keep(db, row(Service_Job_ID="job_7", Assignee="Pat Doe"))
    copy, update = enqueued(modified(replace(stay, job_id="job_7")))
    assert copy.phase is Phase.HISTORY
    assert (copy.fields["Status"], copy.fields["Service Job ID"], copy.fields["Assignee"]) == (
        "Old",
        "old_job_7",
        "Pat Doe",
    )
    assert copy.fields["Check-out Date"] == "2026-03-14"
    assert update.record_id == stay.record_id
    assert update.fields == {"Check-out Date": "2026-03-15", "Status": "Modified", "Change Summary": "Check-out …"}
    assert update.previous == {"Check-out Date": "2026-03-14", "Status": "New", "Change Summary": None}


def test_an_equal_old_row_left_by_a_killed_run_is_used_instead_of_a_second_copy(
    db: Database, row: Make, stay: Stay, enqueued: Callable[..., list[Entry]]
) -> None:
    keep(db, row(Service_Job_ID="job_7"), row("recOLD00000000001", Status="Old", Service_Job_ID="old_job_7"))
    entries = enqueued(modified(replace(stay, job_id="job_7")))
    assert [each.phase for each in entries] == [Phase.UPDATE]


def test_an_old_row_that_differs_in_any_field_is_not(
    db: Database, row: Make, stay: Stay, enqueued: Callable[..., list[Entry]]
) -> None:
    keep(db, row(), row("recOLD00000000001", Status="Old", Assignee="Pat Doe"))
    assert [each.phase for each in enqueued(modified(stay))] == [Phase.HISTORY, Phase.UPDATE]


def test_removed_retired_and_updated_rows_leave_no_history(
    db: Database, row: Make, stay: Stay, enqueued: Callable[..., list[Entry]]
) -> None:
    keep(db, row())
    for verb, after in (
        (Verb.REMOVE, replace(stay, status=Status.REMOVED)),
        (Verb.RETIRE, replace(stay, status=Status.OLD)),
        (Verb.UPDATE, replace(stay, same_day=True)),
    ):
        (entry,) = enqueued(Change(verb, stay, after))
        assert entry.phase is Phase.UPDATE
        assert len(entry.fields) == 1


def test_a_change_that_no_cell_shows_is_not_written(
    db: Database, row: Make, stay: Stay, enqueued: Callable[..., list[Entry]]
) -> None:
    keep(db, row())
    assert enqueued(Change(Verb.UPDATE, stay, replace(stay, custom_service_time="9:30 AM"))) == []


def test_a_restored_stay_gets_back_its_job_and_what_people_had_set(
    db: Database, row: Make, stay: Stay, now: datetime, enqueued: Callable[..., list[Entry]]
) -> None:
    keep(db, row(Service_Job_ID="job_7", Service_Type="Deep Clean", Ready_for_Job=True, Change_Summary="older"))
    with db.begin() as conn:
        mirror.bury(conn, "Reservations", [stay.record_id], now)
    (entry,) = enqueued(Change(Verb.NEW, None, replace(stay, record_id="key"), restores=stay.record_id))
    assert entry.fields["Service Job ID"] == "job_7"
    assert entry.fields["Service Type"] == "Deep Clean"
    assert entry.fields["Ready for Job"] is True
    assert entry.fields["Status"] == "New"
    assert entry.fields["Change Summary"] == "Row restored after deletion"


def test_a_create_still_on_its_way_is_not_planned_again(
    db: Database, schema: SchemaFacts, stay: Stay, now: datetime
) -> None:
    plan = Plan(now=now, changes=(Change(Verb.NEW, None, stay),))
    with db.begin() as conn:
        assert enqueue(conn, "run-1", plan, schema=schema, now=now) == 1
        assert enqueue(conn, "run-2", plan, schema=schema, now=now) == 0
        assert deliveries.pending(conn) == 1


def test_a_history_copy_still_on_its_way_is_waited_for_and_not_made_twice(
    db: Database, row: Make, schema: SchemaFacts, stay: Stay, now: datetime
) -> None:
    keep(db, row())
    plan = Plan(now=now, changes=(modified(stay),))
    with db.begin() as conn:
        assert enqueue(conn, "run-1", plan, schema=schema, now=now) == 2
        assert enqueue(conn, "run-2", plan, schema=schema, now=now) == 1
        assert deliveries.next_batch(conn, "run-2", (), 10) == []


def test_a_plan_of_another_mirror_is_refused(stay: Stay, enqueued: Callable[..., list[Entry]]) -> None:
    with pytest.raises(UnknownRow):
        enqueued(modified(stay))
    with pytest.raises(UnknownRow):
        enqueued(Change(Verb.UPDATE, None, stay))


def test_an_update_without_what_was_before_is_refused(
    db: Database, row: Make, stay: Stay, enqueued: Callable[..., list[Entry]]
) -> None:
    keep(db, row())
    with pytest.raises(UnknownRow):
        enqueued(Change(Verb.UPDATE, None, stay))


def test_a_later_report_takes_the_place_of_one_that_waits(db: Database, schema: SchemaFacts, now: datetime) -> None:
    def report(text: str) -> Write:
        return Write(Phase.REPORT, "Automation", {"Sync Details": text}, record_id="recAUTO0000000001")

    with db.begin() as conn:
        enqueue(conn, "run-1", Plan(now=now), [report("old")], schema=schema, now=now)
        enqueue(conn, "run-2", Plan(now=now), [report("new")], schema=schema, now=now + timedelta(minutes=1))
        assert [each.fields for each in deliveries.next_batch(conn, None, (), 10)] == [{"Sync Details": "new"}]


def test_a_collaborator_is_copied_by_id_and_a_job_free_row_gets_no_old_job() -> None:
    record = Record(
        "recA",
        datetime(2026, 1, 1, tzinfo=UTC),
        {"Who": [{"id": "usr1", "email": "a@b.example"}], "Status": "New", "N": 0, "X": "y"},
    )
    assert history_copy(record, ["Who", "Status", "N"]) == {"Who": [{"id": "usr1"}], "Status": "Old", "N": 0}
