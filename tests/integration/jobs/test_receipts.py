"""Every write that work on jobs makes leaves a receipt with what was there before (operations.md B-9)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from changeover.engine.jobs import adding, lining
from changeover.engine.jobs.operations import Action, perform
from changeover.store import job_writes
from changeover.store.job_writes import JobWrite, Receipt, WriteKind
from plugins.job_house import House

RUN = "run-00000000000000000001"  # as a cycle of the house calls itself


def receipts(house: House, cause: str) -> list[Receipt]:
    with house.desk.db.read() as connection:
        return list(job_writes.of(connection, cause))


def applied(house: House, cause: str) -> list[JobWrite]:
    return [each.write for each in receipts(house, cause) if not each.refused]


def kinds(house: House, cause: str) -> list[str]:
    return [str(each.kind) for each in applied(house, cause)]


def made(house: House) -> str:
    stay = house.stay()
    assert perform(house.desk, Action.CREATE, stay).success
    with house.desk.db.begin() as connection:
        job_writes.prune(connection, datetime.now(UTC) + timedelta(minutes=1))
    return stay


def test_a_creation_in_a_cycle_can_be_told_from_its_receipts(house: House) -> None:
    stay = house.stay()
    house.cycle(adding)
    job, row = house.job_of(stay), house.row(stay)
    order, first, lines, last = applied(house, RUN)
    assert kinds(house, RUN) == ["job", "row", "lines", "row"]
    assert {each.job_id for each in (order, first, lines, last)} == {job["id"]}
    assert {each.record_id for each in (order, first, lines, last)} == {stay}
    assert (order.before, order.after["customer_id"]) == ({}, house.ids["customer"])
    assert (first.before["Service Job ID"], first.after["Service Job ID"]) == (None, job["id"])
    assert lines.after["names"][0] == row["Service Line Description"]
    assert (last.before["Sync Status"], last.after["Sync Status"]) == ("Not Created", "Synced")
    with house.desk.db.read() as connection:
        assert job_writes.counts(connection, RUN) == {"job": 1, "lines": 1, "row": 2}
    house.cycle()
    assert len(receipts(house, RUN)) == 4  # nothing to do, nothing to keep


def test_what_a_button_moves_is_kept_with_its_times_and_people(house: House) -> None:
    stay = made(house)
    before = house.job_of(stay)
    house.edit(stay, Custom_Service_Time="11:30 AM")
    assert perform(house.desk, Action.UPDATE, stay).success
    moved, row = applied(house, "button")
    assert (moved.kind, moved.job_id) == (WriteKind.SCHEDULE, before["id"])
    assert instant(moved.before["start"]) == instant(before["schedule"]["scheduled_start"])
    assert instant(moved.after["start"]) == instant(house.job_of(stay)["schedule"]["scheduled_start"])
    assert moved.before["employee_ids"] == [each["id"] for each in before["assigned_employees"]]
    assert "Scheduled Service Time" in row.before

    assert perform(house.desk, Action.DELETE, stay).success
    taken = applied(house, "button")[2]
    assert (taken.kind, taken.after) == (WriteKind.SCHEDULE, {"visit_id": ""})
    assert taken.before["start"] == moved.after["start"]


def test_of_several_visits_the_one_that_is_moved_is_kept(house: House) -> None:
    stay = made(house)
    job = house.job_of(stay)
    day = house.today + timedelta(days=9)
    house.service.act(job, "add_appointment", start=f"{day}T20:00:00Z", end=f"{day}T21:00:00Z")
    house.edit(stay, Custom_Service_Time="11:30 AM")
    assert perform(house.desk, Action.UPDATE, stay).success
    moved = applied(house, "button")[0]
    assert moved.before["visit_id"] == house.row(stay)["Service Appointment ID"]
    assert moved.before["start"] != moved.after["start"]


def test_a_line_is_kept_as_people_had_it(house: House) -> None:
    stay = made(house)
    house.service.act(house.job_of(stay), "rename_line_item", name="")
    house.edit(stay, Custom_Service_Line_Instructions="Check hot tub")
    house.cycle(lining)
    named = next(each for each in applied(house, RUN) if each.kind is WriteKind.NAME)
    assert named.after["name"].startswith("Check hot tub - ")
    assert named.before["line_item_id"] == named.after["line_item_id"]


def test_a_job_that_is_revived_leaves_a_receipt_too(house: House) -> None:
    stay = made(house)
    house.service.act(house.job_of(stay), "cancel")
    assert perform(house.desk, Action.CREATE, stay).success
    found = receipts(house, "button")
    assert [(str(each.write.kind), each.refused) for each in found[:2]] == [("schedule", True), ("job", False)]
    assert found[1].write.job_id == house.job_of(stay)["id"]


def test_what_was_refused_is_no_write(house: House) -> None:
    stay = house.stay()
    house.service.fault("status", times=None, method="POST", path="^/jobs$", value="400")
    assert not perform(house.desk, Action.CREATE, stay).success
    assert [(str(each.write.kind), each.write.job_id, each.refused) for each in receipts(house, "button")] == [
        ("job", "", True)
    ]
    house.heal()
    house.break_airtable(times=None, value=422)
    perform(house.desk, Action.CREATE, stay)
    found = receipts(house, "button")[1:]
    assert [(str(each.write.kind), each.refused) for each in found] == [("job", False), ("row", True)]


def test_a_job_whose_answer_was_lost_gets_its_id_when_it_is_found(house: House) -> None:
    """J-53: there is one job, and one receipt of it."""
    stay = house.stay()
    house.service.fault("drop-after-commit", method="POST", path="^/jobs$")
    assert perform(house.desk, Action.CREATE, stay).success
    jobs = [each for each in applied(house, "button") if each.kind is WriteKind.JOB]
    assert [each.job_id for each in jobs] == [house.job_of(stay)["id"]]


def test_a_write_of_which_nobody_knows_whether_it_was_applied_stands(house: House) -> None:
    stay = made(house)
    house.edit(stay, Custom_Service_Time="11:30 AM")
    house.service.fault("drop-after-commit", method="PUT", path="schedule", times=None)
    assert perform(house.desk, Action.UPDATE, stay).success
    assert kinds(house, "button") == ["schedule", "row"]


def test_a_row_that_follows_its_job_leaves_one(house: House) -> None:
    stay = made(house)
    house.service.act(house.job_of(stay), "start")
    house.cycle()
    (row,) = applied(house, RUN)
    assert (row.before["Job Status"], row.after["Job Status"]) == ("Scheduled", "In Progress")


def instant(text: object) -> datetime:
    return datetime.fromisoformat(str(text))
