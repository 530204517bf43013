"""What may be wrong with a base: said by name, with the right state and exit code; nothing written, nothing lost."""

from __future__ import annotations

import pytest

from changeover.exits import Exit
from changeover_sandbox import seeding
from plugins.outsider import AUTOMATION, Business, day

TYPES = {"multilineText": {}, "singleLineText": {}}


def with_schema(business: Business, table: str, name: str, **field: object) -> None:
    """Gives the base its schema with one field otherwise; without `field` the field is left out."""
    tables = seeding.read_schema()
    fields = next(each for each in tables if each["name"] == table)["fields"]
    position = next(n for n, each in enumerate(fields) if each["name"] == name)  # type: ignore[arg-type,var-annotated]
    fields[position : position + 1] = [{"name": name, **field}] if field else []  # type: ignore[index]
    base = seeding.Base(business.sandbox.url("airtable"), business.office.base_id)
    base.create(tables)
    base.add("Environment", [{"Name": "dev"}])
    base.add("Automation", [{"Name": AUTOMATION, "Active": True}])


def assert_drift(business: Business, table: str, name: str) -> None:
    ran = business.run()
    assert (ran.code, ran.state) == (Exit.FAILED, "failed")
    assert ran.only.error_code == "schema_drift"
    assert f"{table} · {name}" in str(ran.only.error_text)
    assert f"{table} · {name}" in ran.text
    assert business.office.records() == []
    assert [table for _, table in ran.writes if table != "Automation"] == []
    alert = business.alerts()["schema_drift"]
    assert alert.level == "critical"
    assert f"{table} · {name}" in alert.text


@pytest.mark.parametrize(
    ("table", "name", "field"),
    [
        ("Reservations", "Change Summary", {}),
        ("Reservations", "Missing Count", {"type": "singleLineText"}),
        ("Reservations", "Also Seen In", {"type": "formula", "options": {"formula": "1"}}),
        ("Reservations", "Status", {"type": "singleLineText"}),
        (
            "Reservations",
            "Status",
            {"type": "singleSelect", "options": {"choices": [{"name": "New"}, {"name": "Old"}]}},
        ),
        ("ICS Cron", "ICS URL Response", {}),
    ],
    ids=["field gone", "text for a number", "formula for text", "text for a select", "option gone", "other table"],
)
def test_a_base_that_lacks_what_is_needed_is_named_and_not_written(
    business: Business, table: str, name: str, field: dict[str, object]
) -> None:
    """Z-44, R-5, AT-12: a renamed field broke production."""
    with_schema(business, table, name, **field)
    (calendar,) = business.house("Casa Uno")
    calendar.stay("a1@x", 2, 5)
    assert_drift(business, table, name)


def test_a_field_renamed_under_a_running_business_stops_it_and_its_old_name_lets_it_go_on(business: Business) -> None:
    """Z-44: the calendars are right again as soon as the name is."""
    (calendar,) = business.house("Casa Uno")
    calendar.stay("a1@x", 2, 5)
    business.run()
    business.office.rename_field("Reservations", "Check-out Date", "Departure")
    calendar.stay("a2@x", 8, 9)
    ran = business.run()
    assert ran.code in (Exit.PARTIAL, Exit.FAILED)
    again = business.run()
    assert (again.code, again.only.error_code) == (Exit.FAILED, "schema_drift")
    assert "Reservations · Check-out Date" in again.text
    assert [table for _, table in again.writes if table != "Automation"] == []
    business.office.rename_field("Reservations", "Departure", "Check-out Date")
    assert business.run().code == Exit.OK
    assert business.office.nights == [(2, 5), (8, 9)]


def test_columns_of_people_and_optional_fields_stop_nothing(business: Business) -> None:
    with_schema(business, "Reservations", "Service Job Images")
    (calendar,) = business.house("Casa Uno")
    calendar.stay("a1@x", 2, 5)
    assert business.run().code == Exit.OK
    assert business.office.nights == [(2, 5)]


def test_a_final_service_time_that_the_base_computes_is_never_written(business: Business) -> None:
    """AT-10: a formula there is accepted."""
    formula = {"type": "formula", "options": {"formula": "DATEADD({Check-out Date}, 17, 'hours')"}}
    with_schema(business, "Reservations", "Final Service Time", **formula)
    (calendar,) = business.house("Casa Uno")
    calendar.stay("a1@x", 2, 5)
    assert business.run().code == Exit.OK
    calendar.stay("a1@x", 2, 6)
    assert business.run().code == Exit.OK
    assert business.office.only["Final Service Time"] == f"{day(6)}T17:00:00.000Z"


def test_a_base_id_nobody_knows_ends_as_a_matter_of_configuration(business: Business) -> None:
    business.set("dev", AIRTABLE_BASE_ID="app" + "0" * 14)
    ran = business.run()
    assert ran.code == Exit.CONFIGURATION
    assert "AIRTABLE_BASE_ID" in str(ran.result.problem)
    assert ran.writes == []


def test_a_revoked_key_ends_as_a_matter_of_configuration_and_everything_waits(business: Business) -> None:
    """AT-52: nothing is dropped."""
    (calendar,) = business.house("Casa Uno")
    calendar.stay("a1@x", 2, 5)
    business.run()
    key = business.sandbox.keys("dev")["api_key"]
    business.set("dev", AIRTABLE_API_KEY="patREVOKEDREVOKE.x")
    calendar.stay("a2@x", 8, 9)
    ran = business.run()
    assert ran.code == Exit.CONFIGURATION
    assert "AIRTABLE_API_KEY" in str(ran.result.problem)
    assert business.alerts()["credential_refused"].level == "critical"
    business.set("dev", AIRTABLE_API_KEY=key)
    assert business.run().code == Exit.OK
    assert business.office.nights == [(2, 5), (8, 9)]
    assert "credential_refused" not in business.alerts()


def test_a_base_that_names_the_other_environment_is_refused_before_anything_else(business: Business) -> None:
    """Z-24: production accepted the base of development (S-6, AT-11)."""
    (calendar,) = business.house("Casa Uno")
    calendar.stay("a1@x", 2, 5)
    mark = business.office.records("Environment")[0]
    business.office.edit("Environment", str(mark["id"]), Name="prod")
    ran = business.run()
    assert ran.code == Exit.CONFIGURATION
    assert "another environment" in str(ran.result.problem)
    assert "dev" in str(ran.result.problem)
    assert (ran.writes, ran.downloads) == ([], [])
    assert business.alerts()["wrong_base"].level == "critical"
    business.office.edit("Environment", str(mark["id"]), Name="dev")
    assert business.run().code == Exit.OK
    assert "wrong_base" not in business.alerts()


def test_a_base_with_two_marks_is_refused(business: Business) -> None:
    business.office.add("Environment", Name="dev")
    ran = business.run()
    assert ran.code == Exit.CONFIGURATION
    assert "two rows" in str(ran.result.problem)
    assert ran.writes == []


def test_a_base_without_a_mark_is_used_with_a_warning_until_it_has_one(business: Business) -> None:
    """AT-11: no row is a warning, until `init`."""
    business.office.table("Environment").delete(str(business.office.records("Environment")[0]["id"]))
    (calendar,) = business.house("Casa Uno")
    calendar.stay("a1@x", 2, 5)
    assert business.run().code == Exit.OK
    assert business.office.nights == [(2, 5)]


def test_an_unticked_automation_is_disabled_and_its_row_is_left_as_it_is(business: Business) -> None:
    """Z-2: skips were counted as failures (C-11)."""
    (calendar,) = business.house("Casa Uno")
    calendar.stay("a1@x", 2, 5)
    business.run()
    business.office.tick(False)
    before = business.office.automation()
    calendar.stay("a2@x", 8, 9)
    ran = business.run()
    assert (ran.code, ran.only.state) == (Exit.OK, "disabled")
    assert (ran.writes, ran.downloads) == ([], [])
    assert business.office.automation() == before
    assert business.office.nights == [(2, 5)]


def test_of_two_rows_of_the_name_an_unticked_one_decides(business: Business) -> None:
    """C-11."""
    business.office.add("Automation", Name="  ics calendar ")
    ran = business.run()
    assert (ran.code, ran.only.state) == (Exit.OK, "disabled")


def test_a_missing_row_is_not_configured_and_no_failure(business: Business) -> None:
    """C-12."""
    business.office.table("Automation").delete(str(business.office.automation()["id"]))
    ran = business.run()
    assert (ran.code, ran.only.state) == (Exit.OK, "not_configured")
    assert ran.downloads == []
    assert business.alerts()["automation_missing"].level == "warning"


def test_a_row_that_cannot_be_used_is_named_and_left_as_it_is_while_the_rest_goes_on(business: Business) -> None:
    (calendar,) = business.house("Casa Uno")
    calendar.stay("a1@x", 2, 5)
    business.run()
    bad = str(business.office.only["id"])
    business.office.edit("Reservations", bad, **{"Property ID": []})
    calendar.stay("a2@x", 8, 9)
    ran = business.run()
    assert (ran.code, ran.only.state) == (Exit.PARTIAL, "partial")
    assert bad in business.alerts()["unusable_row"].text
    assert business.office.row(bad)["Check-in Date"] == str(day(2))
    assert (8, 9) in business.office.nights
