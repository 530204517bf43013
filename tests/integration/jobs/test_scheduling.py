"""A person presses Update or Delete Schedule: the job moves, or loses its time, and the row says so (§8)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from changeover.engine.jobs.operations import Action, Answer, perform
from changeover.engine.jobs.trying import Again
from changeover.housecallpro import schedule
from changeover.housecallpro.client import HousecallPro, Tries
from plugins.housecallpro import DEV
from plugins.job_house import House, text


def press(house: House, record_id: str, action: Action) -> Answer:
    return perform(house.desk, action, record_id)


def made(house: House, **cells: object) -> str:
    stay = house.stay(**cells)
    assert press(house, stay, Action.CREATE).success
    return stay


def bodies(house: House, since: int) -> list[dict]:
    answer = house.service.control("GET", "/requests", since=since).json()["requests"]
    return [each["body"] for each in answer if each["method"] == "PUT"]


def test_a_changed_time_moves_the_job_and_tells_nobody(house: House) -> None:
    """J-60, JX-30, JX-31: no customer is notified, the window stays as it is."""
    stay = made(house)
    house.edit(stay, Custom_Service_Time="1:00 PM")
    since = house.mark()

    answer = press(house, stay, Action.UPDATE)

    assert (answer.success, answer.sync_status) == (True, "Synced")
    assert answer.scheduled_time == text(house.start(hour=13, minute=0))
    assert str(answer.sync_details).startswith("✅ Schedule updated successfully. HCP now shows ")
    assert [call.split()[0] for call in house.calls(since)[1]] == ["GET", "PUT", "GET"]
    (body,) = bodies(house, since[1])
    assert (body["notify"], body["notify_pro"], body["arrival_window_in_minutes"]) == (False, False, 0)
    assert "dispatched_employees" not in body
    assert house.row(stay)["Assignee"] == "Robin Example"


def test_a_job_that_is_there_already_is_only_read(house: House) -> None:
    stay = made(house)

    calls = house.hcp_calls(lambda: press(house, stay, Action.UPDATE))

    assert len(calls) == 1
    assert str(press(house, stay, Action.UPDATE).sync_details).startswith("Schedules in sync: ")


def test_a_job_without_a_schedule_gets_one_with_the_employee(house: House) -> None:
    stay = made(house)
    press(house, stay, Action.DELETE)

    answer = press(house, stay, Action.UPDATE)

    assert answer.success
    assert house.row(stay)["Assignee"] == "Robin Example"
    assert house.row(stay)["Job Status"] == "Scheduled"


def test_what_cannot_be_moved_is_refused_with_its_reason(house: House) -> None:
    none, started, deleted, elsewhere = house.stay(), made(house), made(house, days=5), made(house, days=7)
    house.service.act(house.job_of(started), "start")
    house.service.act(house.job_of(deleted), "delete")
    other = house.home("Other House")
    house.edit(elsewhere, Property_ID=[other])
    house.refresh()

    found = [press(house, each, Action.UPDATE) for each in (none, started, deleted, elsewhere)]

    assert [each.code for each in found] == ["not_found", "not_eligible", "not_eligible", "address_mismatch"]
    assert found[0].error == "⚠️ No HCP job exists for this reservation"


def test_a_refused_move_is_failed_and_stays_so_until_the_times_agree(house: House) -> None:
    """J-68, JM-6."""
    stay = made(house)
    house.edit(stay, Custom_Service_Time="1:00 PM")
    house.service.fault("status", method="PUT", path="schedule$", value=409)

    answer = press(house, stay, Action.UPDATE)

    row = house.row(stay)
    assert answer.code == "hcp_error"
    assert row["Sync Status"] == "Failed"
    assert row["Schedule Sync Details"].startswith("❌ Failed to update schedule: ")
    house.cycle()
    assert house.row(stay)["Sync Status"] == "Failed"
    assert press(house, stay, Action.UPDATE).success
    assert "Schedule Sync Details" not in house.row(stay)


@pytest.mark.parametrize(("status", "again"), [(409, Again.NEVER), (503, Again.LATER), (401, Again.ONCE_TAKEN)])
def test_whether_a_refused_move_goes_on_by_itself_depends_on_why(house: House, status: int, again: Again) -> None:
    """C-64: a fault of the moment is tried again, a key that lacks a permission waits for a person."""
    stay = made(house)
    house.edit(stay, Custom_Service_Time="1:00 PM")
    house.service.fault("status", method="PUT", path="schedule$", value=status, times=None)

    answer = press(house, stay, Action.UPDATE)

    assert (answer.code, answer.again) == ("hcp_error", again)
    assert house.row(stay)["Sync Status"] == "Failed"
    house.heal()
    assert press(house, stay, Action.UPDATE).success


def test_a_move_that_was_carried_out_although_nobody_said_so_is_a_success(house: House) -> None:
    stay = made(house)
    house.edit(stay, Custom_Service_Time="1:00 PM")
    house.service.fault("drop-after-commit", method="PUT", path="schedule$", times=2)

    assert press(house, stay, Action.UPDATE).success


def test_a_move_that_is_confirmed_and_not_done_is_failed(house: House, monkeypatch) -> None:
    stay = made(house)
    house.edit(stay, Custom_Service_Time="1:00 PM")
    monkeypatch.setattr(schedule, "put", lambda *_: None)

    assert press(house, stay, Action.UPDATE).code == "hcp_error"
    assert "still has another time" in house.row(stay)["Schedule Sync Details"]


def test_a_limit_that_is_reached_writes_nothing_and_says_when_to_try_again(house: House) -> None:
    stay = made(house)
    house.edit(stay, Custom_Service_Time="1:00 PM")
    before = house.row(stay)
    house.service.fault("rate-limit", method="PUT", path="schedule$", value="Retry-After: 7")
    hcp = house.desk.hcp
    once = HousecallPro(house.service.url, DEV.api_key, replace(hcp.wiring, tries=Tries(number=1)))

    answer = perform(replace(house.desk, hcp=once), Action.UPDATE, stay)

    assert (answer.code, answer.http) == ("rate_limited", 429)
    assert answer.after is not None
    assert answer.after >= 7
    assert house.row(stay) == before


# -- several visits (J-61, JX-35) ------------------------------------------------------------------------------------


def several(house: House) -> tuple[str, dict]:
    stay = made(house)
    job = house.job_of(stay)
    later = house.start() + timedelta(days=1)
    house.service.act(job, "add_appointment", start=text(later), end=text(later + timedelta(hours=1)))
    return stay, house.service.read(job)


def test_of_several_visits_the_rows_own_is_moved(house: House) -> None:
    """J-61, JX-35: several visits are no failure."""
    stay, job = several(house)
    own = house.row(stay)["Service Appointment ID"]
    house.edit(stay, Custom_Service_Time="1:00 PM")

    assert press(house, stay, Action.UPDATE).success
    visits = {each["id"]: each["start_time"] for each in house.service.visits(job)}
    assert visits[own] == text(house.start(hour=13, minute=0))
    assert len(visits) == 2
    assert house.row(stay)["Sync Status"] == "Synced"


def test_of_several_visits_none_is_moved_that_is_not_known_to_be_the_rows(house: House) -> None:
    stay, _ = several(house)
    house.edit(stay, Custom_Service_Time="1:00 PM", Service_Appointment_ID="")

    answer = press(house, stay, Action.UPDATE)

    assert (answer.code, answer.http) == ("multi_visit", 409)
    assert press(house, stay, Action.DELETE).code == "multi_visit"


def test_of_several_visits_the_rows_own_is_taken_away(house: House) -> None:
    stay, job = several(house)
    own = house.row(stay)["Service Appointment ID"]

    assert press(house, stay, Action.DELETE).success
    assert own not in [each["id"] for each in house.service.visits(job)]
    assert len(house.service.visits(job)) == 1


# -- delete (J-62) ---------------------------------------------------------------------------------------------------


def test_a_deleted_schedule_empties_the_row_but_for_the_job(house: House) -> None:
    """JX-34."""
    stay = made(house)
    job = house.row(stay)["Service Job ID"]

    calls = house.hcp_calls(lambda: press(house, stay, Action.DELETE))

    row = house.row(stay)
    assert [call.split()[0] for call in calls] == ["GET", "DELETE", "GET"]
    assert (row["Service Job ID"], row["Job Status"], row["Sync Status"]) == (job, "Unscheduled", "Not Created")
    emptied = ("Scheduled Service Time", "Service Appointment ID", "Assignee", "On My Way Time")
    assert not any(name in row for name in emptied)
    assert row["Service Sync Details"].startswith("Schedule deleted - ")
    again = press(house, stay, Action.DELETE)
    assert (again.success, again.appointment_id, again.scheduled_time) == (True, None, None)


def test_a_schedule_is_not_deleted_where_there_is_none_or_it_is_too_late(house: House) -> None:
    none, started, deleted = house.stay(), made(house), made(house, days=5)
    house.service.act(house.job_of(started), "start")
    house.service.act(house.job_of(deleted), "delete")

    found = [press(house, each, Action.DELETE) for each in (none, started, deleted)]

    assert [each.code for each in found] == ["not_found", "not_eligible", None]
    assert house.row(deleted)["Job Status"] == "Canceled"


def test_a_removed_stays_schedule_can_be_deleted_and_its_alert_ends(house: House) -> None:
    stay = made(house)
    house.edit(stay, Status="Removed")
    house.cycle()
    assert ("removed_with_job", stay) in house.alerts()

    assert press(house, stay, Action.DELETE).success
    assert ("removed_with_job", stay) not in house.alerts()
    house.cycle()
    assert "Schedule Sync Details" not in house.row(stay)


def test_a_schedule_that_stands_although_it_was_deleted_is_failed(house: House, monkeypatch) -> None:
    stay = made(house)
    monkeypatch.setattr(schedule, "delete", lambda *_: None)

    assert press(house, stay, Action.DELETE).code == "hcp_error"
    assert "still has its schedule" in house.row(stay)["Schedule Sync Details"]


def test_a_refused_deletion_says_why(house: House) -> None:
    stay = made(house)
    house.service.fault("status", method="DELETE", path="schedule$", value=409)

    assert press(house, stay, Action.DELETE).code == "hcp_error"
    assert house.row(stay)["Sync Status"] == "Failed"


def test_a_job_deleted_while_it_was_moved_is_gone(house: House, monkeypatch) -> None:
    stay = made(house)
    house.edit(stay, Custom_Service_Time="1:00 PM")
    job = house.job_of(stay)
    monkeypatch.setattr(schedule, "put", lambda *_: house.service.act(job, "delete"))

    assert press(house, stay, Action.UPDATE).code == "hcp_error"
    assert house.row(stay)["Job Status"] == "Canceled"
