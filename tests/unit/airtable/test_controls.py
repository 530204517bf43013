"""Switches read, results and feed states written."""

from datetime import UTC, datetime, timedelta

from changeover.airtable.controls import FeedState, Result, cron_writes, foreign_results, read_flags, result_writes
from changeover.store import deliveries, mirror
from changeover.store.database import Database
from changeover.store.deliveries import Phase, Write
from changeover.store.flags import Flag
from changeover.store.mirror import Cell, Record

NOW = datetime(2026, 3, 4, 15, tzinfo=UTC)
URL = "https://feeds.example/ics/secret.ics"


def put(db: Database, table: str, *rows: dict[str, Cell]) -> None:
    with db.begin() as conn:
        records = [Record(f"rec{n:014}", NOW + timedelta(seconds=n), row) for n, row in enumerate(rows)]
        mirror.put(conn, table, records)


def test_a_switch_is_on_when_every_row_of_its_name_is_ticked(db: Database) -> None:
    put(
        db,
        "Automation",
        {"Name": " ics calendar ", "Active": True},
        {"Name": "ICS Calendar", "Active": True},
        {"Name": "CSV Files", "Active": True},
        {"Name": "CSV Files"},
        {"Name": "Something else", "Active": True},
    )
    with db.read() as conn:
        assert read_flags(conn, NOW) == (
            Flag("ICS Calendar", "rec00000000000000", active=True, rows=2, read_at=NOW),
            Flag("CSV Files", "rec00000000000002", active=False, rows=2, read_at=NOW),
        )


def test_a_result_goes_to_every_row_of_its_name_with_what_stood_there(db: Database) -> None:
    put(db, "Automation", {"Name": "Evolve", "Sync Details": "✅ old"}, {"Name": "evolve"})
    results = [Result("Evolve", "⚠️ " + "x" * 2_000, NOW), Result("CSV Files", "no row", None)]
    with db.read() as conn:
        one, other = result_writes(conn, results)
    assert (one.phase, one.table, one.record_id) == (Phase.REPORT, "Automation", "rec00000000000000")
    assert len(str(one.fields["Sync Details"])) == 1_000
    assert one.fields["Last Ran Time"] == "2026-03-04T15:00:00.000Z"
    assert one.previous == {"Sync Details": "✅ old", "Last Ran Time": None}
    assert other.record_id == "rec00000000000001"


def test_a_run_that_was_not_carried_out_leaves_the_last_ran_time(db: Database) -> None:
    put(db, "Automation", {"Name": "Evolve"})
    with db.read() as conn:
        (write,) = result_writes(conn, [Result("Evolve", "❌ stopped", None)])
    assert write.fields == {"Sync Details": "❌ stopped"}


def cron(db: Database, **more: object) -> list[dict[str, Cell]]:
    values: dict[str, object] = {"url": URL, "events": 5, "kept": 4, "response": "Success", "fetched_at": NOW} | more
    with db.read() as conn:
        return [dict(each.fields) for each in cron_writes(conn, [FeedState(**values)])]  # type: ignore[arg-type]


def test_a_result_that_something_else_wrote_over_is_reported_with_both_values(db: Database) -> None:
    put(
        db,
        "Automation",
        {"Name": "Evolve", "Sync Details": "✅ theirs"},
        {"Name": "CSV Files", "Sync Details": "✅ ours"},
    )
    with db.begin() as conn:
        assert foreign_results(conn) == []
        for number, text in ((0, "✅ older"), (0, "✅ ours"), (1, "✅ ours")):
            write = Write(Phase.REPORT, "Automation", {"Sync Details": text}, record_id=f"rec{number:014}")
            deliveries.add(conn, "run-1", [write], NOW)
            (entry,) = deliveries.next_batch(conn, "run-1", (), 1)
            deliveries.finish(conn, [(entry, str(entry.record_id))], NOW)
        (alert,) = foreign_results(conn)
    assert (alert.rule, alert.subject) == ("control_row_changed", "Evolve")
    assert "“✅ theirs” over “✅ ours”" in alert.text


KNOWN: dict[str, Cell] = {
    "ICS URL": URL,
    "ICS URL VEVENTS #": 5,
    "ICS URL VEVENTS Reservations": 4,
    "ICS URL Response": "Success",
    "Last Run": "2026-03-04T11:00:00.000Z",
}


def test_a_feed_without_a_row_gets_one_with_its_first_run(db: Database) -> None:
    (fields,) = cron(db)
    assert fields["First Run"] == fields["Last Run"] == "2026-03-04T15:00:00.000Z"
    assert (fields["ICS URL"], fields["ICS URL VEVENTS #"], fields["ICS URL VEVENTS Reservations"]) == (URL, 5, 4)


def test_the_key_of_a_new_row_does_not_show_the_url(db: Database) -> None:
    with db.read() as conn:
        (write,) = cron_writes(conn, [FeedState(URL, 5, 4, "Success", NOW)])
    assert write.dedupe_key is not None
    assert "secret" not in write.dedupe_key


def test_an_unchanged_feed_is_not_written_again_within_a_day(db: Database) -> None:
    put(db, "ICS Cron", KNOWN)
    assert cron(db) == []
    assert cron(db, fetched_at=NOW + timedelta(hours=21)) == [{"Last Run": "2026-03-05T12:00:00.000Z"}]


def test_a_changed_response_or_count_is_written_at_once(db: Database) -> None:
    put(db, "ICS Cron", KNOWN)
    assert cron(db, response="HTTP 404", events=0) == [
        {"ICS URL Response": "HTTP 404", "ICS URL VEVENTS #": 0, "Last Run": "2026-03-04T15:00:00.000Z"}
    ]


def test_a_row_with_an_unreadable_last_run_is_written(db: Database) -> None:
    put(db, "ICS Cron", KNOWN | {"Last Run": "yesterday"}, KNOWN)
    assert cron(db) == [{"Last Run": "2026-03-04T15:00:00.000Z"}]
