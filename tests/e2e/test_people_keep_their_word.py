"""What people write into the base survives every later run, whatever changes at the source meanwhile."""

from __future__ import annotations

from plugins.outsider import Business, Calendar, day

THEIRS = {
    "Service Type": "Deep Clean",
    "Custom Service Time": "9:30 AM",
    "Custom Service Line Instructions": "Key under the blue pot",
    "Ready for Job": True,
    "Service Job ID": "job_4711",
}


def one_house(business: Business) -> Calendar:
    (calendar,) = business.house("Casa Uno")
    calendar.stay("a1@x", 20, 24)
    assert business.run().code == 0
    return calendar


def edit(business: Business, **fields: object) -> str:
    row = str(business.office.only["id"])
    business.office.edit("Reservations", row, **fields)
    return row


def test_edits_survive_ten_runs_with_material_changes_and_every_version_is_one_old_row(business: Business) -> None:
    """Invariant 7; V-10: Modified lost the job id; V-30: a moved stay lost its Deep Clean; R-57, AT-47."""
    office = business.office
    table_id = next(str(each["id"]) for each in office.schema() if each["name"] == "Reservations")
    url = f"{business.sandbox.url('airtable')}/v0/meta/bases/{office.base_id}/tables/{table_id}/fields"
    office.api.request("POST", url, json={"name": "Cleaner's note", "type": "singleLineText"})
    calendar = one_house(business)
    theirs = {**THEIRS, "Cleaner's note": "Allergic to lavender"}
    row = edit(business, **theirs)
    changes = {2: 25, 4: 26, 7: 24}
    for number in range(10):
        if number in changes:
            calendar.stay("a1@x", 20, changes[number])
        assert business.run().code == 0
        live = office.only
        assert live["id"] == row
        assert {name: live.get(name) for name in theirs} == theirs
    assert office.nights == [(20, 24)]
    history = office.rows("Old")
    assert sorted(str(each["Check-out Date"]) for each in history) == [str(day(24)), str(day(25)), str(day(26))]
    for old in history:
        expected = {**theirs, "Service Job ID": "old_job_4711"}
        assert {name: old.get(name) for name in expected} == expected
        assert old["Reservation UID"] == live["Reservation UID"]
    assert live["Status"] == "Modified"
    assert live["Change Summary"] == f"Check-out {day(26)} → {day(24)}"


def test_a_history_row_differs_from_the_row_it_copies_in_status_and_job_id_alone(business: Business) -> None:
    """AT-47: a copy, whatever stood there."""
    calendar = one_house(business)
    row = edit(business, **THEIRS)
    before = business.office.row(row)
    calendar.stay("a1@x", 20, 25)
    business.run()
    (old,) = business.office.rows("Old")
    differing = {name for name in {*before, *old} if before.get(name) != old.get(name)}
    assert differing == {"id", "Status", "Service Job ID"}


def test_a_service_type_that_people_chose_for_a_block_is_never_put_back(business: Business) -> None:
    """V-29: a person's Turnover on a Block was undone every hour (R-59)."""
    (calendar,) = business.house("Casa Uno")
    calendar.stay("b1@x", 20, 24, "Blocked")
    business.run()
    row = edit(business, **{"Service Type": "Turnover", "Block Type": "Owner Stay"})
    for check_out in (24, 25, 25):
        calendar.stay("b1@x", 20, check_out, "Blocked")
        business.run()
    live = business.office.row(row)
    assert (live["Service Type"], live["Block Type"], live["Status"]) == ("Turnover", "Owner Stay", "Modified")


def test_an_edit_made_between_planning_and_writing_wins(business: Business) -> None:
    """AT-43: what a person changed meanwhile is left out of the request."""
    (calendar,) = business.house("Casa Uno")
    calendar.stay("a1@x", 20, 24, "Blocked")
    business.run()
    row = str(business.office.only["id"])
    calendar.stay("a1@x", 20, 24, "Reserved")
    business.sandbox.fault("status", 503, method="POST", path="Reservations")  # the history copy does not get through
    held_up = business.run()
    assert (held_up.code, held_up.only.error_code) == (2, "airtable_error")
    business.sandbox.heal()
    business.office.edit("Reservations", row, **{"Service Type": "Inspection"})
    assert business.run().code == 0
    live = business.office.row(row)
    assert (live["Entry Type"], live["Service Type"]) == ("Reservation", "Inspection")


def test_a_custom_time_that_names_another_day_is_kept_and_told_once(business: Business) -> None:
    """V-38: a custom time was left on the old day, unseen (R-60)."""
    calendar = one_house(business)
    row = edit(business, **{"Custom Service Time": f"{day(24)} 14:00"})
    calendar.stay("a1@x", 20, 26)
    business.run()
    assert business.office.row(row)["Custom Service Time"] == f"{day(24)} 14:00"
    (alert,) = [each for each in business.alerts().values() if "ustom" in each.text]
    assert "Casa Uno" in alert.text
    business.run()
    assert business.alerts()[alert.rule].count == 1


def test_a_row_that_people_keep_is_counted_but_never_touched(business: Business) -> None:
    """A row without ICS URL is theirs: it counts for the flags, and its nights get no second row (R-51)."""
    office = business.office
    (calendar,) = business.house("Casa Uno")
    home = str(office.records("Properties")[0]["id"])
    theirs = {
        "Reservation UID": "by hand",
        "Status": "New",
        "Entry Type": "Reservation",
        "Property ID": [home],
        "Check-in Date": str(day(10)),
        "Check-out Date": str(day(14)),
    }
    kept = office.add("Reservations", **theirs)
    calendar.stay("a1@x", 6, 10).stay("a2@x", 10, 14)
    business.run()
    business.run()
    row = office.row(kept)
    assert {name: row.get(name) for name in theirs} == theirs
    assert "ICS URL" not in row
    assert office.nights == [(6, 10), (10, 14)]
    assert office.live[0]["Same-day Turnover"] is True


def test_a_live_row_deleted_by_a_person_comes_back_with_its_job_and_edits(business: Business) -> None:
    """AT-35: a stay never gets a second job that way."""
    calendar = one_house(business)
    row = edit(business, **THEIRS)
    business.run()
    business.office.table("Reservations").delete(row)
    business.now = business.now.replace(day=business.now.day + 1)  # deletions show in the daily full refresh
    business.run()
    live = business.office.only
    assert live["id"] != row
    assert {name: live.get(name) for name in THEIRS} == THEIRS
    assert (live["Status"], live["Change Summary"]) == ("New", "Row restored after deletion")
    assert calendar.events


def test_a_result_that_something_else_wrote_over_is_reported_with_both_values(business: Business) -> None:
    """Z-10: forgotten automations of the base overwrote results, unseen (C-51)."""
    one_house(business)
    row = business.office.automation()
    business.office.edit("Automation", str(row["id"]), **{"Sync Details": "all fine, says somebody"})
    business.run()
    alert = business.alerts()["control_row_changed"]
    assert "all fine, says somebody" in alert.text
    assert str(row["Sync Details"]) in alert.text
    assert str(business.office.automation()["Sync Details"]).startswith("✅ 1/1 feeds")
    business.run()
    assert "control_row_changed" not in business.alerts()
