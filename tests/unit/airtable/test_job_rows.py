"""Rows of the base as the job rules see them, whatever people's own columns hold."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pytest

from changeover.airtable import job_rows
from changeover.core.job import Home, JobState, JobStatus, SyncStatus
from changeover.core.stay import EntryType, Status
from changeover.store import mirror
from changeover.store.database import Database
from changeover.store.mirror import Record
from changeover.store.tables import metadata

ROOT = Path(__file__).resolve().parents[3]
SCHEMA = json.loads((ROOT / "config" / "airtable_base.json").read_text(encoding="utf-8"))
MADE = datetime(2026, 3, 1, 16, tzinfo=UTC)
FIELDS: mirror.Fields = {
    "Status": "New",
    "Entry Type": "Reservation",
    "Service Type": "Turnover",
    "Property ID": ["recHOME0000000001", "recHOME0000000002"],
    "Check-in Date": "2026-03-01",
    "Check-out Date": "2026-03-04",
    "Ready for Job": True,
    "Next Guest Date": "2026-03-09",
    "Custom Service Time": "2026-03-04T17:15:00.000Z",
    "Last Updated": "2026-03-02T00:00:00.000Z",
    "Service Job ID": " job_1 ",
    "Job Creation Time": "2026-03-01T16:00:00.000Z",
    "Sync Status": "Synced",
}


def record(fields: mirror.Fields = FIELDS, record_id: str = "recSTAY0000000001") -> Record:
    return Record(record_id, MADE, fields)


def test_a_row_is_read_cell_by_cell() -> None:
    row = job_rows.to_row(record())

    assert (row.status, row.entry_type, row.property_id) == (Status.NEW, EntryType.RESERVATION, "recHOME0000000001")
    assert (row.check_in, row.check_out, row.next_guest) == (date(2026, 3, 1), date(2026, 3, 4), date(2026, 3, 9))
    assert row.ready
    assert not row.same_day
    assert row.modified == datetime(2026, 3, 2, tzinfo=UTC)
    assert row.job == JobState(job_id="job_1", created=MADE, sync_status="Synced")


def test_cells_that_cannot_be_read_are_empty() -> None:
    row = job_rows.to_row(record({**FIELDS, "Check-out Date": "soon", "Job Creation Time": "then", "Status": "Odd"}))

    assert (row.check_out, row.job.created, row.status) == (None, None, None)
    assert job_rows.to_row(record({})).modified == MADE


def owned_by_jobs() -> set[str]:
    """The fields of the rule's table that are the service's or the system's."""
    rules = (ROOT / "docs" / "rules" / "jobs.md").read_text(encoding="utf-8").partition("\n- J-1 ")[0]
    table = re.findall(r"^\| ([A-Z][^|]+) \| [^|]+ \| ([^|]+) \| [^|]+ \|$", rules, re.MULTILINE)
    named = {name for names, owner in table if re.search("hcp|system", owner) for name in names.split(", ")}
    return named - {"Service Job Images"}  # untouched


def test_the_job_side_writes_the_services_and_the_systems_fields_and_no_others() -> None:
    """J-1."""
    assert set(job_rows.JOB_FIELDS) == owned_by_jobs()
    assert "Service Line Description" in job_rows.JOB_FIELDS
    reservations = next(each for each in SCHEMA["tables"] if each["name"] == "Reservations")
    assert set(job_rows.JOB_FIELDS) <= {field["name"] for field in reservations["fields"]}


def test_what_goes_out_is_utc_with_z_and_a_select_gets_a_listed_word() -> None:
    """J-2."""
    phoenix = datetime(2026, 3, 4, 10, 15, tzinfo=timezone(timedelta(hours=-7)))
    instants = ("created", "scheduled", "on_my_way", "started", "completed", "synced")
    cells = job_rows.changed_cells(JobState(), JobState(**dict.fromkeys(instants, phoenix)))
    assert set(cells.values()) == {"2026-03-04T17:15:00.000Z"}
    reservations = next(each for each in SCHEMA["tables"] if each["name"] == "Reservations")
    choices = {
        field["name"]: {each["name"] for each in field["options"]["choices"]}
        for field in reservations["fields"]
        if field["type"] == "singleSelect"
    }
    assert set(map(str, JobStatus)) == choices["Job Status"]
    assert set(map(str, SyncStatus)) <= choices["Sync Status"]


def test_only_what_differs_is_written_and_what_became_empty_is_null() -> None:
    """J-1, AT-42."""
    before = JobState(job_id="job_1", assignee="Robin Example", scheduled=MADE, sync_status="Synced")
    after = replace(before, assignee="", scheduled=MADE + timedelta(hours=1), status="Scheduled")

    assert job_rows.changed_cells(before, after) == {
        "Assignee": None,
        "Scheduled Service Time": "2026-03-01T17:00:00.000Z",
        "Job Status": "Scheduled",
    }
    assert job_rows.changed_cells(before, before) == {}


def test_instants_are_compared_as_the_base_keeps_them() -> None:
    state = JobState(started=MADE.replace(microsecond=123_456), completed=None)

    assert job_rows.as_stored(state).started == MADE.replace(microsecond=123_000)


@pytest.fixture
def database(tmp_path: Path) -> Database:
    found = Database(f"sqlite:///{tmp_path / 'state.db'}")
    metadata.create_all(found.engine)
    return found


def test_history_and_rows_without_status_take_part_in_nothing(database: Database) -> None:
    """J-4."""
    with database.begin() as connection:
        old = record({**FIELDS, "Status": "Old", "Service Job ID": "old_job_1"}, "recSTAY0000000002")
        blank = record({**FIELDS, "Status": None}, "recSTAY0000000003")
        removed = record({**FIELDS, "Status": "Removed"}, "recSTAY0000000004")
        mirror.put(connection, "Reservations", [record(), old, blank, removed])

        assert {row.record_id for row in job_rows.mirrored(connection)} == {"recSTAY0000000001", "recSTAY0000000004"}


def test_a_home_has_the_id_of_its_first_customer_and_never_a_records_own(database: Database) -> None:
    """JX-11."""
    customers = {"recCUST0000000001": "cus_1 ", "recCUST0000000002": "recCUST0000000002"}
    linked = {
        "recHOME0000000001": ["recCUST0000000001", "recCUST0000000002"],
        "recHOME0000000002": ["recCUST0000000002"],
        "recHOME0000000003": ["recCUST0000000404"],
        "recHOME0000000004": [],
    }
    with database.begin() as connection:
        mirror.put(connection, "Customers", [record({"HCP Customer ID": cus}, key) for key, cus in customers.items()])
        homes: list[Record] = [
            record({"Property Name": "Cactus House", "HCP Customer ID": list(ids)}, key) for key, ids in linked.items()
        ]
        mirror.put(connection, "Properties", homes)

        found = job_rows.homes(connection)

    assert [home.customer_id for home in found.values()] == ["cus_1", "", "", None]
    assert found["recHOME0000000001"] == Home("recHOME0000000001", "Cactus House", "cus_1")
