"""The schema file, and a base compared with it."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from changeover.airtable.errors import Unavailable
from changeover.airtable.schema import (
    AUTOMATIONS,
    BaseSpec,
    Finding,
    FindingKind,
    Owner,
    SchemaFacts,
    blocked,
    compare,
    load,
)
from changeover.airtable.schema.facts import NotVerified, load_facts
from changeover.airtable.schema.live import LiveField, LiveTable, parse
from changeover.airtable.schema.spec import BadSchemaFile
from changeover.store.database import Database

Live = dict[str, LiveTable]
BUTTONS = ["Create Job & Sync Status", "Add/Update Schedule", "Delete Job Schedule"]


@pytest.fixture
def live(spec: BaseSpec) -> Live:
    """A base exactly as the schema file has it, buttons made."""
    tables = {}
    for number, table in enumerate(spec.tables):
        fields = {each.name: LiveField(each.name, each.type, frozenset(each.choices)) for each in table.fields}
        tables[table.name] = LiveTable(f"tbl{number:014}", table.name, fields)
    buttons = {name: LiveField(name, "button", frozenset()) for name in BUTTONS}
    tables["Reservations"] = replace(tables["Reservations"], fields=tables["Reservations"].fields | buttons)
    return tables


def with_field(live: Live, table: str, name: str, field: LiveField | None) -> Live:
    fields = {key: value for key, value in live[table].fields.items() if key != name}
    if field is not None:
        fields[field.name] = field
    return live | {table: replace(live[table], fields=fields)}


def test_the_schema_file_says_who_owns_each_field(spec: BaseSpec) -> None:
    assert [each.name for each in spec.tables][:2] == ["Customers", "Properties"]
    fields = {each.name: each for each in spec.table("Reservations").fields}
    assert fields["Service Type"].owner is Owner.HUMAN
    assert "No Service" in fields["Service Type"].choices
    assert fields["Property ID"].linked_table == "Properties"
    assert fields["Service Job Images"].optional
    assert spec.table("Property Guest Overrides").optional


@pytest.mark.parametrize(
    "body",
    [
        "nonsense",
        "[]",
        '{"tables": [{"name": "T", "fields": [{"name": "F", "type": "x", "description": "no owner"}]}]}',
        '{"tables": [{"name": "T", "fields": [{"name": "F", "type": "x", "description": "Owner: nobody"}]}]}',
        '{"tables": [{"name": "T", "fields": {}}]}',
    ],
)
def test_a_schema_file_that_says_too_little_is_refused_by_its_name(tmp_path: Path, body: str) -> None:
    path = tmp_path / "airtable_base.json"
    path.write_text(body)
    with pytest.raises(BadSchemaFile, match=r"airtable_base\.json"):
        load(path)


def test_a_base_made_after_the_file_has_no_findings(spec: BaseSpec, live: Live) -> None:
    assert compare(spec, live) == []


def test_a_renamed_field_is_missing_and_stops_who_needs_it(spec: BaseSpec, live: Live) -> None:
    found = compare(spec, with_field(live, "Reservations", "Same-day Turnover", None))
    assert found == [Finding(FindingKind.MISSING, "Reservations", "Same-day Turnover", "no such field", error=True)]
    assert set(blocked(found)) == set(AUTOMATIONS)
    assert str(found[0]) == "missing   Reservations · Same-day Turnover: no such field"


def test_a_field_of_jobs_stops_only_the_automations_about_jobs(spec: BaseSpec, live: Live) -> None:
    found = compare(spec, with_field(live, "Reservations", "Service Appointment ID", None))
    assert set(blocked(found)) == set(AUTOMATIONS[3:])


def test_a_field_of_reports_does_not_stop_the_calendars(spec: BaseSpec, live: Live) -> None:
    found = compare(spec, with_field(live, "Reservations", "iTrip Report Info", None))
    assert set(blocked(found)) == {"CSV Files", "Evolve"}


def test_a_missing_table_stops_who_needs_it_and_a_missing_marker_nobody(spec: BaseSpec, live: Live) -> None:
    assert set(blocked(compare(spec, {k: v for k, v in live.items() if k != "ICS Cron"}))) == {"ICS Calendar"}
    found = compare(spec, {k: v for k, v in live.items() if k != "Environment"})
    assert [(each.kind, each.error) for each in found] == [(FindingKind.MISSING, False)]


def test_what_is_optional_may_be_missing(spec: BaseSpec, live: Live) -> None:
    base = with_field(
        {k: v for k, v in live.items() if k != "Property Guest Overrides"}, "Properties", "HCP Address", None
    )
    found = compare(spec, base)
    assert {each.kind for each in found} == {FindingKind.OPTIONAL}
    assert blocked(found) == {}


@pytest.mark.parametrize(
    ("table", "name", "kind"),
    [
        ("Reservations", "Change Summary", "multilineText"),
        ("Reservations", "Final Service Time", "formula"),
        ("Reservations", "Custom Service Time", "dateTime"),
        ("Reservations", "Missing Count", "currency"),
        ("Customers", "Full Name", "formula"),
        ("ICS Feeds", "ICS URL", "url"),
    ],
)
def test_other_types_that_do_are_accepted(spec: BaseSpec, live: Live, table: str, name: str, kind: str) -> None:
    assert compare(spec, with_field(live, table, name, LiveField(name, kind, frozenset()))) == []


def test_more_options_are_accepted_and_missing_ones_listed(spec: BaseSpec, live: Live) -> None:
    status = LiveField("Status", "singleSelect", frozenset({"New", "Modified", "Old", "Parked"}))
    found = compare(spec, with_field(live, "Reservations", "Status", status))
    assert [(each.kind, each.text, each.error) for each in found] == [
        (FindingKind.OPTION, "options to add: Removed", True)
    ]


def test_missing_options_of_a_field_we_only_read_are_no_error(spec: BaseSpec, live: Live) -> None:
    status = LiveField("Feed Status", "singleSelect", frozenset({"Active", "Inactive"}))
    found = compare(spec, with_field(live, "ICS Feeds", "Feed Status", status))
    assert [(each.kind, each.error) for each in found] == [(FindingKind.OPTION, False)]


@pytest.mark.parametrize(
    ("table", "name", "kind", "expected"),
    [
        ("Reservations", "Status", "singleLineText", FindingKind.TYPE),
        ("Reservations", "Check-in Date", "dateTime", FindingKind.TYPE),
        ("Reservations", "Next Guest Date", "formula", FindingKind.READ_ONLY),
        ("Properties", "Property Name", "formula", FindingKind.TYPE),
    ],
)
def test_types_that_will_not_do_are_errors(
    spec: BaseSpec, live: Live, table: str, name: str, kind: str, expected: FindingKind
) -> None:
    found = compare(spec, with_field(live, table, name, LiveField(name, kind, frozenset())))
    assert [(each.kind, each.error) for each in found] == [(expected, True)]


def test_what_no_program_can_make_is_listed_last(spec: BaseSpec, live: Live) -> None:
    found = compare(spec, with_field(live, "Reservations", BUTTONS[0], None))
    assert [(each.kind, each.field, each.error) for each in found] == [(FindingKind.MANUAL, BUTTONS[0], False)]


def test_the_bases_own_schema_is_read_once_into_types() -> None:
    body: list[dict[str, Any]] = [
        {
            "id": "tbl1",
            "name": "T",
            "fields": [{"name": "F", "type": "singleSelect", "options": {"choices": [{"name": "A"}]}}],
        }
    ]
    assert parse(body) == {"T": LiveTable("tbl1", "T", {"F": LiveField("F", "singleSelect", frozenset({"A"}))})}


@pytest.mark.parametrize(
    "body", [[{}], [{"id": "tbl1", "name": "T", "fields": {}}], [{"id": "t", "name": "T", "fields": [{}]}]]
)
def test_a_schema_of_another_shape_is_no_empty_base(body: list[dict[str, Any]]) -> None:
    with pytest.raises(Unavailable):
        parse(body)


def test_a_history_copy_takes_what_can_be_written_and_no_attachments() -> None:
    types = {
        "A": "singleLineText",
        "B": "formula",
        "C": "multipleAttachments",
        "D": "multipleRecordLinks",
        "E": "autoNumber",
    }
    facts = SchemaFacts({"Reservations": types})
    assert facts.copied("Reservations") == ("A", "D")
    assert facts.copied("Unknown") == ()
    assert facts.computed("Reservations", "B")
    assert not facts.final_service_time


def test_without_a_verification_there_are_no_facts(db: Database) -> None:
    with db.read() as conn, pytest.raises(NotVerified):
        load_facts(conn)


def test_the_schema_file_is_plain_json_for_the_create_table_call(spec: BaseSpec) -> None:
    for table in spec.tables:
        assert table.fields[0].type == "singleLineText"
        assert json.dumps([dict(field.body) for field in table.fields])
