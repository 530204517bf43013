"""Webhooks of the stand-in, in any order and any number: the row says what is so, by few calls (J-76 … J-82)."""

from __future__ import annotations

import random

import pytest

from changeover.engine.stop import Stop, StopLevel
from changeover.store import jobs as job_store
from changeover.store.events import EventState
from plugins.hook_bench import Bench, shuffled

READ_ONLY = Stop(StopLevel.READ_ONLY, "a drill")


def test_a_change_of_people_is_one_read_and_one_update_whatever_repeats_and_disorder(bench: Bench) -> None:
    """J-76, J-77, J-109, HC-87."""
    bench.make_job()
    bench.house.service.listen(bench.receiver.url, duplicate=True, reorder=True)
    bench.receiver.clear()
    bench.act("assign", employee_ids=[bench.house.service.employee("Sage")["id"]])
    posts = bench.sent()
    ids = bench.take(posts)
    assert len(posts) == 2 * len(set(ids)) > 4
    assert bench.repeats() == len(set(ids))
    mark = bench.house.mark()
    for each in ids:
        assert bench.work(each) == ()
    base, company = bench.house.calls(mark)
    assert [each for each in base if each.startswith("PATCH")] == ["PATCH /v0/appDEV00000000001/Reservations"] * 1
    assert company == [f"GET /jobs/{bench.job['id']}"]
    assert bench.row()["Assignee"] == "Robin Example, Sage Example"
    assert {each.state for each in bench.events()} == {EventState.DONE}
    assert bench.is_true()


ACTIONS = ("on_my_way", "start", "complete", "cancel", "reschedule", "assign", "unassign", "add_appointment")


def do_something(bench: Bench, chance: random.Random) -> None:
    """Something that a person does in the app, as chance will have it."""
    action, start = chance.choice(ACTIONS), bench.house.start(chance.randint(1, 9))
    people = [each["id"] for each in bench.house.service.ok("GET", "/employees")["employees"]]
    times = {"start": start.isoformat(), "end": start.replace(hour=start.hour + 1).isoformat()}
    more = {
        "reschedule": times,
        "add_appointment": times,
        "assign": {"employee_ids": [chance.choice(people)]},
        "unassign": {"employee_ids": [chance.choice(people)]},
    }
    bench.act(action, **more.get(action, {}))


@pytest.mark.parametrize("seed", range(4))
def test_in_any_order_and_any_number_events_end_alike(bench: Bench, seed: int) -> None:
    """HC-78: whatever came late, twice or never, the row is what a look at the job would have made of it."""
    chance = random.Random(seed)
    bench.make_job()
    bench.house.service.employee("Sage")
    on_the_way: list[object] = []
    for _ in range(5):
        do_something(bench, chance)
        on_the_way = shuffled(chance, [*on_the_way, *bench.sent()])
        some = chance.randint(0, len(on_the_way))
        for each in bench.take(on_the_way[:some]):
            if chance.random() < 0.7:
                bench.work(each)
        on_the_way = on_the_way[some:]
    ids = bench.take(on_the_way)
    chance.shuffle(ids)
    for each in (*ids, *(each.id for each in bench.events())):
        bench.work(each)
    assert {each.state for each in bench.events()} == {EventState.DONE}
    assert bench.is_true()


def test_of_lost_events_the_last_is_enough(bench: Bench) -> None:
    """JX-43."""
    bench.make_job()
    for action in ("on_my_way", "start", "complete"):
        bench.act(action)
    bench.work(*bench.take(bench.sent()[:1]))
    assert bench.row()["Job Status"] == "Completed"
    assert bench.is_true()


def test_a_deleted_job_is_gone_and_its_id_stays(bench: Bench) -> None:
    bench.make_job()
    bench.act("delete")
    (event_id,) = bench.take(bench.sent())
    bench.work(event_id)
    row = bench.row()
    assert (row["Job Status"], row["Sync Status"], row["Service Job ID"]) == (
        "Canceled",
        "Not Created",
        bench.job["id"],
    )
    assert bench.event(event_id).payload["record_id"] == bench.stay


def test_a_job_that_no_row_has_is_kept_and_not_read(bench: Bench) -> None:
    """J-82, J-6."""
    job = bench.house.hand_made()
    ids = bench.take([each for each in bench.sent() if each.event.startswith("job.")])
    mark = bench.house.mark()
    for each in ids:
        bench.work(each)
    assert bench.house.calls(mark) == ([], [])
    assert {bench.event(each).state for each in ids} == {EventState.UNMATCHED}
    with bench.database.read() as connection:
        kept = job_store.cached(connection, job["id"])
    assert kept is not None
    assert kept.body["id"] == job["id"]


def test_read_only_the_job_is_looked_at_and_the_row_waits_for_the_end_of_it(bench: Bench) -> None:
    """E-5."""
    bench.make_job()
    before = bench.row()
    bench.desk.switch.set(READ_ONLY)
    bench.act("start")
    ids = bench.take(bench.sent())
    mark = bench.house.mark()
    assert [round(each.seconds) for each in bench.work(ids[0])] == [60]
    assert bench.house.calls(mark) == ([], [f"GET /jobs/{bench.job['id']}"])
    assert bench.row() == before
    with bench.database.read() as connection:
        assert job_store.cached(connection, bench.job["id"]).body["work_status"] == "in progress"
    bench.desk.switch.clear()
    bench.act("complete")
    late, *_ = bench.take(bench.sent())
    assert bench.work(late) == ()
    assert bench.row()["Job Status"] == "Completed"
    assert {each.state for each in bench.events()} == {EventState.DONE}


@pytest.mark.parametrize("of_base", [False, True])
def test_while_a_service_is_down_they_wait_and_then_the_row_is_what_it_should_be(bench: Bench, of_base: bool) -> None:
    """J-78, JX-42."""
    bench.make_job()
    bench.act("start")
    if of_base:
        bench.house.break_airtable("status", times=9, value=503)
    else:
        bench.house.service.fault("status", times=9, value=503)
    first, *_ = bench.take(bench.sent())
    (again,) = bench.work(first)
    assert (again.event_id, again.attempt, round(again.seconds)) == (first, 2, 60)
    assert bench.row()["Job Status"] == "Scheduled"
    bench.house.heal()
    bench.act("complete")
    late, *_ = bench.take(bench.sent())
    assert bench.work(late) == ()
    assert bench.row()["Job Status"] == "Completed"
    assert {each.state for each in bench.events()} == {EventState.DONE}
