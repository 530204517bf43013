"""What the doctor says of the state database and of outside rows that need nobody to be asked."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from changeover.airtable.schema import Finding, FindingKind
from changeover.core.stay import Hold
from changeover.doctor import examination, outside, state
from changeover.doctor.result import Level
from changeover.engine.stop import Stop, StopLevel, StopSwitch
from changeover.store import deliveries, holds, mirror
from changeover.store.deliveries import Phase, Write
from changeover.store.gate import Purpose


def levels(results):
    return [(each.check, each.level) for each in results]


def test_a_new_database_is_whole_and_nothing_waits(patient):
    assert levels(state.database(patient)) == [("database", Level.OK)]
    assert levels(state.waiting(patient)) == [("deliveries", Level.OK)]
    assert levels(state.stop(patient)) == [("stop", Level.OK)]


def test_a_damaged_file_fails(patient):
    patient.database.close()
    path = patient.settings.folder / "state.db"
    for extra in ("state.db-wal", "state.db-shm"):
        (patient.settings.folder / extra).unlink(missing_ok=True)
    path.write_bytes(path.read_bytes()[:1000] + b"\xff" * 40_000)
    (found,) = state.database(patient)
    assert (found.check, found.level) == ("database", Level.FAIL)


def test_a_failed_integrity_check_fails(patient, monkeypatch):
    monkeypatch.setattr(state, "_whole", lambda _: False)
    assert levels(state.database(patient)) == [("database", Level.FAIL)]


def test_what_waits_is_counted_and_held_removals_lead_to_their_command(patient):
    hold = Hold("rec1", "recRow", "recHome", date(2026, 4, 1), date(2026, 4, 3), patient.now)
    with patient.database.begin() as connection:
        deliveries.add(
            connection, "run-1", [Write(Phase.REPORT, "Automation", {"a": 1}, record_id="rec1")], patient.now
        )
        holds.replace_all(connection, [hold])
    found = list(state.waiting(patient))
    assert levels(found) == [("deliveries", Level.WARN), ("held", Level.WARN)]
    assert "held list --env dev" in found[1].do


def test_a_database_to_migrate_is_not_counted_in(patient):
    with patient.database.begin() as connection:
        connection.exec_driver_sql("DROP TABLE alembic_version")
    assert list(state.waiting(patient)) == []


def test_a_stop_is_said_with_its_reason_and_how_to_lift_it(patient):
    StopSwitch(patient.settings.folder).set(Stop(StopLevel.PAUSE, "painting"))
    (found,) = state.stop(patient)
    assert found.level is Level.WARN
    assert "painting" in found.text
    assert found.do == "changeover resume --env dev"


def test_doubled_live_rows_and_jobs_fail_by_record_id_history_does_not_count(patient, record):
    rows = [
        record("rec1", Status="New", Reservation_UID="u1", Service_Job_ID="job_1"),
        record("rec2", Status="Modified", Reservation_UID="u1", Service_Job_ID="job_2"),
        record("rec3", Status="New", Reservation_UID="u3", Service_Job_ID="job_1"),
        record("rec4", Status="Old", Reservation_UID="u3"),
        record("rec5", Status="New", Reservation_UID="u5"),
    ]
    with patient.database.begin() as connection:
        mirror.put(connection, "Reservations", rows)
    found = list(outside.reservations(patient))
    assert levels(found) == [("reservations", Level.FAIL), ("reservations", Level.FAIL), ("reservations", Level.OK)]
    assert "rec1, rec2" in found[0].text
    assert "rec1, rec3" in found[1].text
    assert "4 live rows" in found[2].text


def test_a_feed_that_cannot_be_fetched_is_named_by_its_record_never_by_its_url(patient, record):
    rows = tuple(
        record(f"rec{number}", ICS_URL=url, Feed_Status="Active", Property_Name=homes)
        for number, (url, homes) in enumerate(
            [
                ("https://rentals.example.com/one.ics", ["recHome1"]),
                ("https://rentals.example.com/one.ics", ["recHome1"]),
                *[("ftp://rentals.example.com/secret.ics", ["recHome1"])] * 4,
            ]
        )
    )
    found = list(outside.feeds(replace(patient, rows={"ICS Feeds": rows})))
    assert [each.level for each in found] == [Level.WARN, Level.WARN, Level.OK]
    text = "\n".join(each.text for each in found)
    assert "and 1 more" in text
    assert "1 active" in text
    assert "example.com" not in text


def test_without_feeds_or_switches_read_those_checks_say_nothing(patient):
    assert list(outside.feeds(patient)) == []
    assert list(outside.automations(patient)) == []
    assert [each.text for each in outside.feeds(replace(patient, rows={"ICS Feeds": ()}))] == ["none active"]


def test_automations_without_a_row_or_with_two_are_named(patient, record):
    rows = (
        record("rec1", Name="ICS Calendar", Active=True),
        record("rec2", Name="Evolve"),
        record("rec3", Name="Evolve"),
    )
    found = list(outside.automations(replace(patient, rows={"Automation": rows})))
    assert {each.level for each in found} == {Level.WARN}
    assert any("Evolve has 2 rows" in each.text for each in found)
    assert any("CSV Files has no row" in each.text for each in found)


def test_what_a_ticked_automation_needs_fails_and_the_rest_only_warns(patient, record):
    needed = Finding(FindingKind.MISSING, "ICS Feeds", "ICS URL", "no such field", error=True)
    other = Finding(FindingKind.OPTION, "Customers", "HCP Customer ID", "options to add: A", error=True)
    by_hand = Finding(FindingKind.MANUAL, "Reservations", "Button", "make by hand")
    ticked = replace(patient, rows={"Automation": (record("rec1", Name="ICS Calendar", Active=True),)})
    found = list(outside._schema(ticked, [needed, other, by_hand]))
    assert [each.level for each in found] == [Level.FAIL, Level.WARN]
    assert found[1].do.endswith("--add-options")
    assert [each.level for each in outside._schema(patient, [needed])] == [Level.WARN]
    assert [each.level for each in outside._schema(patient, [by_hand])] == [Level.OK]


@pytest.mark.parametrize(
    ("calls", "limit", "level"), [(1, 100_000, Level.OK), (60, 100, Level.WARN), (60, 0, Level.OK)]
)
def test_the_months_calls_are_held_beside_the_plan(patient, calls, limit, level):
    settings = patient.settings.model_copy(update={"airtable_monthly_limit": limit})
    gate = patient.client.gate
    month = f"{patient.now:%Y-%m}"
    with patient.database.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO meters (name, month, purpose, calls) VALUES (?, ?, ?, ?)",
            (gate.name, month, str(Purpose.CHECK), calls),
        )
    (found,) = outside.budget(replace(patient, settings=settings))
    assert (found.level, f"{calls} Airtable calls" in found.text) == (level, True)


def test_a_base_that_is_away_fails_and_stops_no_other_check(patient):
    (found,) = outside.base(patient)
    assert (found.check, found.level) == ("airtable", Level.FAIL)


def test_a_check_that_breaks_is_a_failed_line(patient):
    def broken(_):
        raise ZeroDivisionError

    (found,) = examination._results(broken, patient)
    assert (found.check, found.level) == ("broken", Level.FAIL)
