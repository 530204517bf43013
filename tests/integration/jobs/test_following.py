"""Events of a job end in one read and at most one update of its row, and never write to Housecall Pro (J-76 … J-82)."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from changeover.airtable.errors import RowRejected
from changeover.engine.jobs.claims import claim
from changeover.engine.jobs.following import Effect, follow, row_of
from changeover.engine.jobs.operations import Action, perform
from changeover.engine.jobs.rows import Draft, _put_each, put_together
from changeover.engine.stop import Stop, StopLevel
from changeover.housecallpro.errors import Auth, HcpError, Server
from changeover.store import jobs as store
from plugins.job_house import House, text, with_settings


def made(house: House, **cells: object) -> tuple[str, dict]:
    """A stay with its job, both as the mirror has them."""
    stay = house.stay(**cells)
    assert perform(house.desk, Action.CREATE, stay).success
    house.refresh()
    return stay, house.job_of(stay)


def events(house: House, job: dict, action: str, **more: object) -> list[str]:
    return house.service.act(job, action, **more).json()["events"]


def test_a_burst_of_events_is_one_read_and_one_update(house: House) -> None:
    """J-1, J-109, JX-45, HC-87."""
    stay, job = made(house)
    other = house.service.employee("Sam")
    burst = events(house, job, "assign", employee_ids=[other["id"]])
    mark = house.mark()

    done = follow(house.desk, job["id"], burst)

    base, hcp = house.calls(mark)
    assert (done.effect, done.record_id) == (Effect.UPDATED, stay)
    assert hcp == [f"GET /jobs/{job['id']}"]
    assert [each for each in base if each.startswith("PATCH")] == base
    assert len(base) == 1
    assert house.row(stay)["Assignee"] == "Robin Example, Sam Example"
    assert house.row(stay)["Service Sync Details"].startswith("Assignee updated: Robin Example, Sam Example")
    assert follow(house.desk, job["id"], burst).effect is Effect.UNCHANGED


def test_the_days_of_a_job_are_told_in_its_row(house: House) -> None:
    """J-80, JM-15."""
    stay, job = made(house)
    seen = []
    for action in ("on_my_way", "start", "complete"):
        follow(house.desk, job["id"], events(house, job, action))
        row = house.row(stay)
        seen.append((row["Job Status"], row["Service Sync Details"].split(" - ")[0].split(" on ")[0]))

    assert [status for status, _ in seen] == ["Scheduled", "In Progress", "Completed"]
    assert [said for _, said in seen[1:]] == ["Job in progress", "Job completed"]
    row = house.row(stay)
    assert all(row[name] for name in ("On My Way Time", "Job Started Time", "Job Completed Time"))


def test_a_job_moved_in_the_app_is_a_mismatch_and_nothing_is_moved_back(house: House) -> None:
    """J-63, J-77."""
    stay, job = made(house, days=1)
    moved = house.start(1) + timedelta(hours=2)
    happened = events(house, job, "reschedule", start=text(moved), end=text(moved + timedelta(hours=1)))

    calls = house.hcp_calls(lambda: follow(house.desk, job["id"], happened))

    row = house.row(stay)
    assert row["Sync Status"] == "Wrong Time"
    assert row["Schedule Sync Details"].startswith("Airtable shows 10:15 AM but HCP shows 12:15 PM - ")
    assert ("schedule_mismatch", stay) in house.alerts()
    assert all(call.startswith("GET") for call in calls)
    back = house.start(1)
    follow(house.desk, job["id"], events(house, job, "reschedule", start=text(back)))
    assert house.row(stay)["Sync Status"] == "Synced"
    assert ("schedule_mismatch", stay) not in house.alerts()


@pytest.mark.parametrize(("action", "said"), [("cancel", "Job canceled on "), ("delete", "Job deleted in HCP")])
def test_an_ended_job_leaves_its_id_and_says_so(house: House, action: str, said: str) -> None:
    stay, job = made(house)

    follow(house.desk, job["id"], events(house, job, action))

    row = house.row(stay)
    assert (row["Service Job ID"], row["Job Status"], row["Sync Status"]) == (job["id"], "Canceled", "Not Created")
    assert row["Service Sync Details"].startswith(said)
    assert row["Schedule Sync Details"].startswith(said)


def test_a_removed_row_keeps_receiving_what_happens_to_its_job(house: House) -> None:
    """J-81, JX-37."""
    stay, job = made(house)
    house.edit(stay, Status="Removed")
    house.refresh()

    follow(house.desk, job["id"], ["job.updated"])

    assert house.row(stay)["Schedule Sync Details"].startswith("⚠️ Stay removed but HCP job is still scheduled for ")
    assert ("removed_with_job", stay) in house.alerts()


def test_an_older_state_is_read_once_more_and_then_ignored(house: House) -> None:
    """J-76, JX-43."""
    stay, job = made(house)
    with house.desk.db.begin() as connection:
        known = store.cached(connection, job["id"])
        assert known is not None
        assert known.updated_at is not None
        newer = store.CachedJob(job["id"], stay, known.updated_at + timedelta(hours=1), known.applied_at)
        store.remember(connection, [newer])
    house.service.act(job, "start")

    calls = house.hcp_calls(lambda: follow(house.desk, job["id"], ["job.started"]))

    assert len(calls) == 2
    assert house.row(stay)["Job Status"] == "Scheduled"
    assert follow(house.desk, job["id"], ["job.started"]).effect is Effect.STALE
    assert house.cycle()[2].text == "1/1 jobs verified"
    assert house.row(stay)["Job Status"] == "Scheduled"


def test_other_families_of_events_are_not_read_for(house: House) -> None:
    """J-80."""
    _, job = made(house)

    calls = house.hcp_calls(lambda: follow(house.desk, job["id"], ["customer.updated", "invoice.paid"]))

    assert calls == []
    assert follow(house.desk, job["id"], ["invoice.paid"]).effect is Effect.NOTHING


def test_a_job_that_is_not_readable_yet_is_no_deleted_job(house: House) -> None:
    """J-81."""
    stay, job = made(house)
    house.service.fault("status", method="GET", path=f"jobs/{job['id']}$", value=410)

    done = follow(house.desk, job["id"], ["job.created"])

    assert done.effect is Effect.UNCHANGED
    assert house.row(stay)["Job Status"] == "Scheduled"


def test_a_service_that_is_down_is_an_error_and_never_a_deleted_job(house: House) -> None:
    """J-78, HC-92, JX-42."""
    stay, job = made(house)
    before = house.row(stay)
    house.service.fault("html", method="GET", path="jobs/", times=2)
    with pytest.raises(Server):
        follow(house.desk, job["id"], ["job.deleted"])
    house.service.fault("status", method="GET", path="jobs/", value=401)
    with pytest.raises(Auth):
        follow(house.desk, job["id"], ["job.deleted"])

    assert house.row(stay) == before


@pytest.mark.parametrize("level", [StopLevel.READ_ONLY, StopLevel.FULL])
def test_stopped_nothing_is_written_and_nothing_is_lost(house: House, level: StopLevel) -> None:
    """E-5, E-8."""
    stay, job = made(house)
    happened = events(house, job, "start")
    house.desk.switch.set(Stop(level))
    mark = house.mark()

    with pytest.raises(HcpError):
        follow(house.desk, job["id"], happened)

    base, hcp = house.calls(mark)
    assert base == []
    assert len(hcp) == (1 if level is StopLevel.READ_ONLY else 0)
    house.desk.switch.clear()
    assert follow(house.desk, job["id"], happened).effect is Effect.UPDATED
    assert house.row(stay)["Job Status"] == "In Progress"


def test_of_two_rows_with_one_job_only_the_served_one_is_written(house: House) -> None:
    """J-5."""
    stay, job = made(house, Last_Updated="2026-01-02T00:00:00.000Z")
    copy = house.stay(Service_Job_ID=job["id"], Last_Updated="2026-01-01T00:00:00.000Z")
    house.refresh()

    follow(house.desk, job["id"], events(house, job, "start"))

    assert house.row(stay)["Job Status"] == "In Progress"
    assert "Job Status" not in house.row(copy)


# -- jobs that no row has (J-82) -------------------------------------------------------------------------------------


def test_a_job_nobody_has_is_kept_and_not_read(house: House) -> None:
    job = house.hand_made()
    house.refresh()

    calls = house.hcp_calls(lambda: follow(house.desk, job["id"], ["job.created"], job))

    with house.desk.db.read() as connection:
        kept = store.cached(connection, job["id"])
    assert calls == []
    assert kept is not None
    assert kept.body["id"] == job["id"]
    assert follow(house.desk, job["id"], ["job.created"]).effect is Effect.UNMATCHED
    assert follow(house.desk, job["id"], ["job.created"], {"odd": True}).effect is Effect.UNMATCHED


def test_a_marker_that_names_a_waiting_row_links_the_job(house: House) -> None:
    stay = house.stay()
    house.refresh()
    job = house.hand_made(notes=f"Changeover ref {stay}")

    done = follow(house.desk, job["id"], ["job.created"], job)

    assert (done.effect, done.record_id) == (Effect.LINKED, stay)
    assert house.row(stay)["Service Job ID"] == job["id"]
    assert house.row(stay)["Sync Status"] == "Matched"


def test_a_marker_is_no_proof_against_what_the_row_and_the_job_say(house: House) -> None:
    stay, other = house.stay(), house.stay(days=5)
    house.refresh()
    foreign = house.service.job(notes=f"Changeover ref {stay}")
    mine = house.hand_made(notes=f"Changeover ref {other}")
    house.edit(other, Service_Job_ID="job_of_a_person")
    own = house.hand_made(days=3, notes=f"Changeover ref {stay}")

    found = [follow(house.desk, foreign["id"], ["job.created"], foreign)]
    found.append(follow(house.desk, mine["id"], ["job.created"], mine))
    with claim(house.desk.db, stay, 0, house.desk.sleep):
        found.append(follow(house.desk, own["id"], ["job.created"], own))
    house.desk.switch.set(Stop(StopLevel.READ_ONLY))
    with pytest.raises(HcpError):
        follow(house.desk, own["id"], ["job.created"], own)

    assert [each.effect for each in found] == [Effect.UNMATCHED] * 3
    assert house.row(other)["Service Job ID"] == "job_of_a_person"


def test_removed_stays_are_no_alert_where_their_schedule_is_taken_away_anyway(house: House) -> None:
    from changeover.settings.model import OnRemoved

    stay, job = made(house)
    house.edit(stay, Status="Removed")
    house.refresh()

    follow(with_settings(house, on_removed=OnRemoved.UNSCHEDULE).desk, job["id"], ["job.updated"])

    assert house.alerts() == []


def test_jobs_that_change_at_the_same_moment_share_their_calls(house: House) -> None:
    """J-76: within each service's pace; every row says what its own job says."""
    several = [made(house, days=3 + number) for number in range(6)]
    bursts = [events(house, job, "start") for _, job in several]
    mark, gate = house.mark(), threading.Event()
    send = house.desk.hcp._session.request

    def first_waits(*given: object, **more: object) -> object:
        gate.wait(10)
        return send(*given, **more)

    house.desk.hcp._session.request = first_waits
    with ThreadPoolExecutor(6) as pool:
        done = [
            pool.submit(follow, house.desk, job["id"], burst) for (_, job), burst in zip(several, bursts, strict=True)
        ]
        while len(house.desk.shared.reads._waiting) < 5:
            time.sleep(0.005)
        gate.set()

    base, hcp = house.calls(mark)
    assert {each.result().effect for each in done} == {Effect.UPDATED}
    assert sorted(each.rpartition("/")[0] or each for each in hcp) == ["GET ", "GET /jobs"]
    assert len(base) <= 3
    assert [house.row(stay)["Job Status"] for stay, _ in several] == ["In Progress"] * 6


def test_a_row_that_the_base_refuses_holds_up_none_that_is_written_with_it(house: House) -> None:
    """AT-46."""
    good, bad = made(house), made(house, days=4)
    house.remove(bad[0])
    rows = [row_of(house.desk, each["id"]) for _, each in (good, bad)]
    after = [replace(row.job, assignee="Sam Example") for row in rows]

    found = _put_each(house.desk, [Draft(row, state) for row, state in zip(rows, after, strict=True)])

    assert [type(each).__name__ for each in found] == ["JobRow", "RowRejected"]
    assert house.row(good[0])["Assignee"] == "Sam Example"
    with pytest.raises(RowRejected):
        put_together(house.desk, rows[1], after[1])
