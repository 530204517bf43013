"""The stored writes and their receipts, on both databases."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection

from changeover.store import deliveries
from changeover.store.database import Database
from changeover.store.deliveries import Entry, Method, Phase, State, Write

NOW = datetime(2026, 3, 4, 15, tzinfo=UTC)
TABLE = "Reservations"


@pytest.fixture
def conn(database: Database) -> Iterator[Connection]:
    with database.begin() as connection:
        yield connection


def update(record_id: str, phase: Phase = Phase.UPDATE, after: int | None = None, table: str = TABLE) -> Write:
    return Write(phase, table, {"Status": "Modified"}, record_id=record_id, previous={"Status": "New"}, after=after)


def create(key: str, phase: Phase = Phase.CREATE) -> Write:
    return Write(phase, TABLE, {"Reservation UID": key}, dedupe_key=key)


def batch(conn: Connection, run_id: str | None = "run-1", skip: tuple[str, ...] = (), size: int = 10) -> list[Entry]:
    return deliveries.next_batch(conn, run_id, skip, size)


def names(entries: list[Entry]) -> list[str | None]:
    return [each.record_id or each.dedupe_key for each in entries]


def test_writes_go_out_by_phase_and_then_as_they_were_stored(conn: Connection) -> None:
    writes = [update("rec1"), create("k1"), create("h1", Phase.HISTORY), create("k2")]
    ids = deliveries.add(conn, "run-1", writes, NOW)
    assert len(set(ids)) == 4
    first = batch(conn)
    assert names(first) == ["h1"]
    deliveries.finish(conn, [(first[0], "recH")], NOW)
    second = batch(conn)
    assert names(second) == ["k1", "k2"]
    deliveries.finish(conn, [(each, f"rec{each.dedupe_key}") for each in second], NOW)
    assert names(batch(conn)) == ["rec1"]


def test_a_batch_is_of_one_table_and_method_and_holds_each_record_once(conn: Connection) -> None:
    writes = [update("rec1"), update("rec2"), update("rec1"), update("rec3", table="ICS Cron"), update("rec4")]
    deliveries.add(conn, "run-1", writes, NOW)
    assert names(batch(conn)) == ["rec1", "rec2", "rec4"]
    assert names(batch(conn, size=2)) == ["rec1", "rec2"]
    assert names(batch(conn, skip=(TABLE,))) == ["rec3"]


def test_an_update_waits_for_the_receipt_of_its_history_copy(conn: Connection) -> None:
    (copy,) = deliveries.add(conn, "run-1", [create("h1", Phase.HISTORY)], NOW)
    deliveries.add(conn, "run-1", [update("rec1", after=copy)], NOW)
    entries = deliveries.claim(conn, batch(conn), NOW)
    assert batch(conn) == []
    deliveries.finish(conn, [(entries[0], "recH")], NOW)
    assert names(batch(conn)) == ["rec1"]


def test_a_refused_history_copy_leaves_the_live_row_alone(conn: Connection) -> None:
    """V-9: when the copy fails the old row is not touched."""
    (copy,) = deliveries.add(conn, "run-1", [create("h1", Phase.HISTORY)], NOW)
    deliveries.add(conn, "run-1", [update("rec1", after=copy)], NOW)
    deliveries.fail(conn, batch(conn)[0], "INVALID_VALUE_FOR_COLUMN", "why", NOW)
    assert deliveries.pending(conn, "run-1") == 0
    failures = deliveries.failed(conn, "run-1")
    assert [(each.record_id, each.code) for each in failures] == [
        (None, "INVALID_VALUE_FOR_COLUMN"),
        ("rec1", "history_failed"),
    ]


def test_a_write_is_claimed_by_one_sender_only(conn: Connection) -> None:
    deliveries.add(conn, "run-1", [create("k1"), create("k2")], NOW)
    entries = batch(conn)
    assert deliveries.claim(conn, entries, NOW) == entries
    assert deliveries.claim(conn, entries, NOW) == []
    marked = deliveries.sending(conn, "run-1")
    assert [(each.state, each.attempts, each.sent_at) for each in marked] == [(State.SENDING, 1, NOW)] * 2
    deliveries.release(conn, marked)
    assert deliveries.sending(conn, None) == []
    assert names(batch(conn)) == ["k1", "k2"]


def test_runs_do_not_see_each_others_writes(conn: Connection) -> None:
    deliveries.add(conn, "run-2", [create("k2")], NOW)
    deliveries.add(conn, "run-1", [create("k1")], NOW)
    assert names(batch(conn, "run-1")) == ["k1"]
    assert names(batch(conn, None)) == ["k2", "k1"]
    assert (deliveries.pending(conn, "run-1"), deliveries.pending(conn)) == (1, 2)
    assert deliveries.open_runs(conn) == ("run-2", "run-1")


def test_a_create_on_its_way_is_known_by_its_key_until_it_ends(conn: Connection) -> None:
    (one, two) = deliveries.add(conn, "run-1", [create("k1"), create("k2")], NOW)
    assert deliveries.open_keys(conn, ["k1", "k2", "k3"]) == {"k1": one, "k2": two}
    deliveries.finish(conn, [(batch(conn)[0], "rec1")], NOW)
    assert deliveries.open_keys(conn, ["k1", "k2"]) == {"k2": two}


def test_what_a_person_changed_is_taken_out_and_an_empty_write_ends(conn: Connection) -> None:
    fields = {"Service Type": "Turnover", "Status": "Modified"}
    deliveries.add(conn, "run-1", [Write(Phase.UPDATE, TABLE, fields, record_id="rec1")], NOW)
    rest = deliveries.leave_out(conn, batch(conn)[0], {"Service Type"}, NOW)
    assert rest is not None
    assert rest.fields == {"Status": "Modified"}
    assert batch(conn)[0].fields == {"Status": "Modified"}
    assert deliveries.leave_out(conn, rest, {"Status"}, NOW) is None
    assert deliveries.pending(conn) == 0
    assert deliveries.failed(conn, "run-1") == ()


def test_a_newer_report_replaces_one_that_still_waits(conn: Connection) -> None:
    deliveries.add(conn, "run-1", [update("recA", Phase.REPORT, table="Automation"), update("recA")], NOW)
    deliveries.supersede(conn, Phase.REPORT, ["recA"], NOW)
    assert [each.phase for each in batch(conn)] == [Phase.UPDATE]
    assert deliveries.pending(conn) == 1


def test_receipts_are_kept_until_they_are_pruned_and_open_writes_for_ever(conn: Connection) -> None:
    deliveries.add(conn, "run-1", [create("k1"), create("k2")], NOW)
    one, two = batch(conn)
    deliveries.finish(conn, [(one, "rec1")], NOW)
    assert deliveries.prune(conn, NOW) == 0
    assert deliveries.prune(conn, NOW + timedelta(days=91)) == 1
    assert names(batch(conn)) == ["k2"]
    deliveries.drop(conn, two, "ROW_DOES_NOT_EXIST", NOW)
    assert deliveries.pending(conn) == 0


def test_a_thousand_writes_are_stored_in_order(conn: Connection) -> None:
    ids = deliveries.add(conn, "run-1", [update(f"rec{number:04}") for number in range(1_000)], NOW)
    assert ids == sorted(ids)
    assert names(batch(conn))[:2] == ["rec0000", "rec0001"]
    assert {each.method for each in batch(conn)} == {Method.UPDATE}
    assert batch(conn)[0].subject == "Reservations:rec0000"
