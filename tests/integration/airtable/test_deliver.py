"""Delivery against a base that refuses, breaks off and is edited meanwhile."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from changeover.airtable.controls import FeedState, cron_writes
from changeover.airtable.deliver import Delays, Phase, Write, failed, open_runs, pending, send_next
from changeover.airtable.errors import Forbidden
from changeover.core.plan import Change, Verb
from changeover.core.stay import Decision, EntryType, Hold, Kind, Sighting, Status, Stay
from changeover.store import deliveries, holds, mirror, sightings, written_types
from changeover.store.gate import Pacing

Plan = Callable[..., int]


def modified(stay: Stay, **more: Any) -> Change:
    values = {"check_out": stay.check_out + timedelta(days=1), "status": Status.MODIFIED} | more
    return Change(Verb.MODIFY, stay, replace(stay, **values))


def uids(world: Any, status: str = "New") -> list[str]:
    return sorted(each["Reservation UID"] for each in world.base.rows().values() if each["Status"] == status)


def data_calls(world: Any, since: int) -> list[tuple[str, str]]:
    return [(call["method"], call["path"].rsplit("/", 1)[-1]) for call in world.base.calls(since)]


# -- the plain way ---------------------------------------------------------------------------------------------------


def test_new_stays_become_rows_ten_to_a_call_and_enter_the_mirror(world: Any) -> None:
    assert world.new(*range(25)) == 25
    since = world.base.mark()
    progress = world.deliver()
    assert (progress.left, progress.stopped) == (0, "")
    assert len(world.base.calls(since)) == 3
    assert len(uids(world)) == 25
    assert world.agrees()
    assert all(each["Sync Status"] == "Not Created" for each in world.base.rows().values())


def test_a_created_row_takes_over_the_memories_kept_under_its_key(world: Any) -> None:
    stay = world.stay(1)
    now = datetime.now(UTC)
    seen = Sighting(
        "recFEED0000000001", stay.record_id, ("u1",), stay.check_in, stay.check_out, Kind.RESERVATION, "Airbnb"
    )
    hold = Hold("recFEED0000000001", stay.record_id, world.casa, stay.check_in, stay.check_out, now, Decision.WAITING)
    with world.db.begin() as conn:
        sightings.save(conn, [seen])
        holds.replace_all(conn, [hold])
    world.new(1)
    world.deliver()
    (record_id,) = world.base.rows()
    with world.db.read() as conn:
        assert [each.record_id for each in sightings.load_all(conn)] == [record_id]
        assert [each.hold.record_id for each in holds.load_all(conn)] == [record_id]
        written = written_types.load_all(conn)
    assert (written[record_id].service_type, written[record_id].block_type) == ("Turnover", "")
    assert list(written) == [record_id]


def test_a_modified_stay_leaves_one_history_row_and_keeps_its_own(world: Any) -> None:
    """V-10: the live row, its job and its people's fields stay where they are."""
    one = world.row(1, Service_Job_ID="job_7", Assignee="Pat Doe", Ready_for_Job=True)
    world.refresh()
    stay = world.known(one)
    assert world.plan(modified(stay)) == 2
    since = world.base.mark()
    world.deliver()
    assert data_calls(world, since) == [("POST", "Reservations"), ("PATCH", "Reservations")]
    rows = world.base.rows()
    live = rows.pop(one)
    (old,) = rows.values()
    assert (live["Status"], live["Service Job ID"], live["Ready for Job"]) == ("Modified", "job_7", True)
    assert (old["Status"], old["Service Job ID"]) == ("Old", "old_job_7")
    assert old["Check-out Date"] == stay.check_out.isoformat()
    changed = {"Status", "Service Job ID", "Check-out Date"}
    assert {k: v for k, v in old.items() if k not in changed} == {k: v for k, v in live.items() if k not in changed}
    assert world.agrees()


def test_a_second_delivery_of_the_same_plan_writes_no_second_history(world: Any) -> None:
    one = world.row(1)
    world.refresh()
    change = modified(world.known(one))
    world.plan(change)
    send_next(world.delivery(), "run-1")  # the copy alone
    world.plan(change, run_id="run-2")
    world.deliver("run-2")
    assert len(uids(world, "Old")) == 1
    assert world.base.rows()[one]["Status"] == "Modified"


def test_writes_go_out_in_their_order_and_reports_last(world: Any) -> None:
    one = world.row(1)
    world.refresh()
    with world.db.read() as conn:
        (automation, *_) = mirror.load(conn, "Automation")
        cron = cron_writes(conn, [FeedState("https://feeds.example/1", 1, 1, "Success", datetime.now(UTC))])
    report = Write(Phase.REPORT, "Automation", {"Sync Details": "✅"}, record_id=automation.id)
    world.plan(Change(Verb.NEW, None, world.stay(2)), modified(world.known(one)), extra=(report, *cron))
    since = world.base.mark()
    world.deliver()
    assert data_calls(world, since) == [
        ("POST", "Reservations"),
        ("POST", "Reservations"),
        ("PATCH", "Reservations"),
        ("POST", "ICS Cron"),
        ("PATCH", "Automation"),
    ]
    assert len(world.mirrored("ICS Cron")) == 1


def test_receipts_keep_what_was_there_before(world: Any) -> None:
    one = world.row(1)
    world.refresh()
    stay = world.known(one)
    world.plan(Change(Verb.UPDATE, stay, replace(stay, same_day=True, change_summary="x")))
    world.deliver()
    with world.db.read() as conn:
        row = conn.execute(deliveries.deliveries.select()).one()
    assert (row.state, row.record_id, row.previous) == (
        "done",
        one,
        {"Same-day Turnover": None, "Change Summary": None},
    )
    assert row.done_at is not None


def test_a_thousand_updates_are_a_hundred_calls_within_the_rate(world: Any) -> None:
    ids = [world.base.add("Reservations", *_many(world, 1_000))][0]
    world.refresh()
    changes = [Change(Verb.UPDATE, stay, replace(stay, same_day=True)) for stay in map(world.known, ids)]
    world.plan(*changes)
    world.base.limits(enforce=True, requests_per_second=50, penalty_seconds=30)
    client = world.connect(Pacing(requests=50))
    since = world.base.mark()
    progress = world.deliver(context=world.delivery(client=client))
    calls = world.base.calls(since)
    assert progress.left == 0
    assert [call["status"] for call in calls] == [200] * 100
    times = [datetime.fromisoformat(call["at"]) for call in calls]
    assert all(later - earlier > timedelta(seconds=1) for earlier, later in zip(times, times[50:], strict=False))
    assert sum("Same-day Turnover" in each for each in world.base.rows().values()) == 1_000


def _many(world: Any, number: int) -> list[dict[str, Any]]:
    day = datetime.now(UTC).date() + timedelta(days=5)
    return [
        {
            "Reservation UID": f"u{each}_{world.casa}",
            "ICS URL": "https://feeds.example/ics/secret-token.ics",
            "Status": "New",
            "Entry Type": "Reservation",
            "Entry Source": "Airbnb",
            "Property ID": [world.casa],
            "Check-in Date": day.isoformat(),
            "Check-out Date": (day + timedelta(days=3)).isoformat(),
        }
        for each in range(number)
    ]


# -- unclear ends ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "value"),
    [
        ("drop-after-commit", None),
        ("drop-before", None),
        ("status", 500),
        ("status", 503),
        ("html", None),
        ("truncate", None),
    ],
)
def test_a_create_of_unclear_end_leaves_exactly_one_row(world: Any, mode: str, value: object) -> None:
    world.new(1, 2, 3)
    world.base.fault(mode, "POST", 1, value=value)
    progress = world.deliver()
    assert progress.left == 0
    assert uids(world) == [f"u{n}_{world.casa}" for n in (1, 2, 3)]
    assert world.agrees()


@pytest.mark.parametrize("mode", ["drop-after-commit", "drop-before"])
def test_a_history_copy_of_unclear_end_leaves_exactly_one_row(world: Any, mode: str) -> None:
    ids = [world.row(number, Service_Job_ID=f"job_{number}") for number in range(12)]
    world.refresh()
    world.plan(*(modified(world.known(each)) for each in ids))
    world.base.fault(mode, "POST", 2)
    assert world.deliver().left == 0
    assert len(uids(world, "Old")) == len(set(uids(world, "Old"))) == 12
    assert len(uids(world, "Modified")) == 12
    assert world.agrees()


def test_an_unclear_cron_row_is_found_by_its_url(world: Any) -> None:
    with world.db.read() as conn:
        states = [FeedState(f"https://feeds.example/{n}", n, n, "Success", datetime.now(UTC)) for n in range(3)]
        writes = tuple(cron_writes(conn, states))
    world.plan(extra=writes)
    world.base.fault("drop-after-commit", "POST", 1)
    assert world.deliver().left == 0
    assert len(world.base.rows("ICS Cron")) == 3


def test_an_unclear_create_is_searched_after_two_seconds_and_again_after_thirty(world: Any) -> None:
    clock = [datetime(2026, 3, 4, 15, tzinfo=UTC)]
    waits: list[float] = []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        clock[0] += timedelta(seconds=seconds)

    world.new(1)
    world.base.fault("drop-before", "POST", 1)
    since = world.base.mark()
    context = world.delivery(delays=Delays(), clock=lambda: clock[0], sleep=sleep)
    assert world.deliver(context=context).left == 0
    assert waits == [2.0, 30.0]
    assert [method for method, _ in data_calls(world, since)] == ["POST", "GET", "GET", "POST"]


def test_a_wait_that_was_cut_short_is_told_and_nothing_is_sent(world: Any) -> None:
    world.new(1)
    world.base.fault("drop-before", "POST", 1)
    context = world.delivery(delays=Delays(), sleep=lambda _: None)
    send_next(context, "run-1")
    since = world.base.mark()
    progress = send_next(context, "run-1")
    assert progress.wait_until is not None
    assert progress.wait_until > datetime.now(UTC)
    assert (progress.left, progress.sent) == (1, 0)
    assert world.base.calls(since) == []


def test_a_search_ten_keys_a_call(world: Any) -> None:
    world.new(*range(10))
    world.base.fault("drop-after-commit", "POST", 1)
    since = world.base.mark()
    world.deliver()
    assert [method for method, _ in data_calls(world, since)] == ["POST", "GET"]


def test_two_rows_from_one_create_the_one_with_a_job_stays(world: Any) -> None:
    world.new(1)
    world.base.fault("drop-after-commit", "POST", 1)
    send_next(world.delivery(), "run-1")
    (first,) = world.base.rows()
    fields = dict(world.base.rows()[first])
    (second,) = world.base.add("Reservations", fields | {"Service Job ID": "job_7"})
    world.deliver()
    rows = world.base.rows()
    assert (rows[first]["Status"], rows[second]["Status"]) == ("Old", "New")
    assert world.alerts == ["duplicate_row"]


def test_a_row_of_other_dates_is_not_taken_for_the_lost_one(world: Any) -> None:
    stay = world.stay(1)
    other = {"Check-in_Date": (stay.check_in + timedelta(days=40)).isoformat()}
    world.row(1, **other, **{"Check-out_Date": (stay.check_out + timedelta(days=40)).isoformat()})
    world.new(1)
    world.base.fault("drop-before", "POST", 1)
    world.deliver()
    assert len(uids(world)) == 2


# -- killed at any instant -------------------------------------------------------------------------------------------


class Killed(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("instant", ["before the request", "after the request", "in the receipt"])
def test_a_run_killed_around_a_create_goes_on_with_exactly_one_row(
    world: Any, monkeypatch: pytest.MonkeyPatch, instant: str
) -> None:
    world.new(1, 2)
    real = world.client.create

    def kill(*arguments: Any) -> Any:
        if instant == "before the request":
            raise Killed
        made = real(*arguments)
        if instant == "after the request":
            raise Killed
        return made

    calls: list[int] = []

    def lease(_: Any) -> None:
        calls.append(1)
        if instant == "in the receipt" and len(calls) == 2:
            raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(world.client, "create", kill)
        with pytest.raises(Killed):
            world.deliver(context=world.delivery(check_lease=lease))
    with world.db.read() as conn:
        assert (pending(conn, "run-1"), len(deliveries.sending(conn, "run-1")), open_runs(conn)) == (2, 2, ("run-1",))
    assert world.deliver().left == 0
    assert len(uids(world)) == 2
    assert world.agrees()


def test_a_run_killed_around_an_update_sends_it_again(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    one = world.row(1)
    world.refresh()
    stay = world.known(one)
    world.plan(Change(Verb.UPDATE, stay, replace(stay, same_day=True)))
    real = world.client.update

    def kill(*arguments: Any) -> Any:
        real(*arguments)
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(world.client, "update", kill)
        with pytest.raises(Killed):
            world.deliver()
    assert world.deliver().left == 0
    assert world.base.rows()[one]["Same-day Turnover"] is True
    assert world.agrees()


def test_what_another_run_may_have_on_the_wire_is_left_until_it_cannot_be(world: Any) -> None:
    clock = [datetime.now(UTC)]
    world.new(1)
    with world.db.begin() as conn:
        deliveries.claim(conn, deliveries.next_batch(conn, "run-1", (), 10), clock[0])

    def sleep(seconds: float) -> None:
        clock[0] += timedelta(seconds=seconds)

    asleep = world.delivery(delays=Delays(), clock=lambda: clock[0], sleep=lambda _: None)
    progress = send_next(asleep, None)
    assert progress.wait_until == clock[0] + timedelta(seconds=40)
    context = world.delivery(delays=Delays(), clock=lambda: clock[0], sleep=sleep)
    assert world.deliver(None, context).left == 0
    assert len(uids(world)) == 1


def test_an_older_holder_of_the_lease_stores_nothing(world: Any) -> None:
    class LeaseLost(Exception):
        pass

    def lost(_: Any) -> None:
        raise LeaseLost

    world.new(1)
    since = world.base.mark()
    with pytest.raises(LeaseLost):
        world.deliver(context=world.delivery(check_lease=lost))
    assert world.base.calls(since) == []


# -- refusals --------------------------------------------------------------------------------------------------------


def test_one_bad_row_of_ten_is_set_aside_and_nine_go_through(world: Any) -> None:
    stays = [world.stay(number) for number in range(10)]
    stays[6] = replace(stays[6], entry_source="Nobody's")
    world.plan(*(Change(Verb.NEW, None, each) for each in stays))
    since = world.base.mark()
    assert world.deliver().left == 0
    assert len(uids(world)) == 9
    assert len(world.base.calls(since)) <= 1 + 8
    with world.db.read() as conn:
        (failure,) = failed(conn, "run-1")
    assert failure.code == "INVALID_MULTIPLE_CHOICE_OPTIONS"
    assert failure.dedupe_key == stays[6].record_id
    assert "Nobody" not in failure.text
    assert world.alerts == ["dead_letter"]


def test_a_refused_history_copy_leaves_the_live_row_as_it_is(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """V-9: a create failed, and the old row was retired anyway."""
    ids = [world.row(number) for number in range(3)]
    world.refresh()
    with world.db.begin() as conn:
        record = mirror.find(conn, "Reservations", [ids[1]])[ids[1]]
        mirror.put(conn, "Reservations", [replace(record, fields={**record.fields, "Entry Source": "Nobody's"})])
    world.plan(*(modified(world.known(each)) for each in ids))
    world.deliver()
    rows = world.base.rows()
    assert [rows[each]["Status"] for each in ids] == ["Modified", "New", "Modified"]
    with world.db.read() as conn:
        assert [each.code for each in failed(conn, "run-1")] == ["INVALID_MULTIPLE_CHOICE_OPTIONS", "history_failed"]


def test_a_row_deleted_meanwhile_is_dropped_and_becomes_a_tombstone(world: Any) -> None:
    ids = [world.row(number) for number in range(4)]
    world.refresh()
    stays = [world.known(each) for each in ids]
    world.plan(*(Change(Verb.UPDATE, each, replace(each, same_day=True)) for each in stays))
    world.base.delete(ids[2])
    since = world.base.mark()
    assert world.deliver().left == 0
    assert len(world.base.calls(since)) == 2
    assert sum(bool(each.get("Same-day Turnover")) for each in world.base.rows().values()) == 3
    with world.db.read() as conn:
        assert failed(conn, "run-1") == ()
        assert [each.id for each in mirror.tombstones(conn, "Reservations")] == [ids[2]]


def test_a_link_to_a_home_that_is_gone_sets_that_stay_aside(world: Any) -> None:
    good, bad = world.stay(1), replace(world.stay(2), property_id="recNOBODY00000000")
    world.plan(Change(Verb.NEW, None, good), Change(Verb.NEW, None, bad))
    world.deliver()
    assert uids(world) == [good.uid]
    with world.db.read() as conn:
        assert [each.code for each in failed(conn, "run-1")] == ["ROW_DOES_NOT_EXIST"]


def test_an_unknown_field_stops_its_table_only_and_drops_the_verification(world: Any) -> None:
    write = Write(Phase.CRON, "ICS Cron", {"ICS URL": "https://feeds.example/1", "Nobody's": "x"}, dedupe_key="k")
    with world.db.read() as conn:
        (automation, *_) = mirror.load(conn, "Automation")
    report = Write(Phase.REPORT, "Automation", {"Sync Details": "✅"}, record_id=automation.id)
    world.plan(Change(Verb.NEW, None, world.stay(1)), extra=(write, report))
    since = world.base.mark()
    progress = world.deliver()
    assert (progress.left, progress.stopped) == (1, "schema_drift")
    assert len(world.base.calls(since)) == 3
    assert world.base.rows("Automation")[automation.id]["Sync Details"] == "✅"
    assert world.alerts == ["schema_drift"]
    with world.db.read() as conn:
        assert mirror.cursor(conn, "Reservations") is None
        assert failed(conn, "run-1") == ()


def test_a_rate_refusal_three_times_leaves_the_rest_queued(world: Any) -> None:
    world.new(*range(3))
    world.base.fault("rate-limit", "POST", 3)
    progress = world.deliver()
    assert (progress.left, progress.stopped) == (3, "rate_limited")
    assert world.deliver().left == 0
    assert len(uids(world)) == 3


def test_a_rate_refusal_is_waited_out_and_nothing_is_doubled(world: Any) -> None:
    world.base.limits(enforce=True, requests_per_second=3, penalty_seconds=0.2)
    world.new(*range(60))
    client = world.connect(Pacing(requests=100, slow_requests=2, window=1.0, penalty=0.25))
    since = world.base.mark()
    world.deliver(context=world.delivery(client=client))
    assert 429 in [call["status"] for call in world.base.calls(since)]
    assert len(uids(world)) == len(set(uids(world))) == 60


def test_a_billing_block_stops_the_delivery_and_keeps_everything(world: Any) -> None:
    world.new(1)
    world.base.fault("rate-limit", "POST", 1, value="billing")
    progress = world.deliver()
    assert (progress.left, progress.stopped) == (1, "billing_blocked")
    since = world.base.mark()
    assert world.deliver().stopped == "billing_blocked"
    assert world.base.calls(since) == []
    assert world.alerts[0] == "airtable_budget"
    world.client.gate.unblock()
    assert world.deliver().left == 0


@pytest.mark.parametrize("who", ["revoked", "of the other base"])
def test_a_refused_key_stops_the_delivery_and_drops_nothing(world: Any, who: str) -> None:
    world.new(1)
    key = "patREVOKED.x" if who == "revoked" else "patPRD0000000001.secretsecretsecret"
    progress = world.deliver(context=world.delivery(client=world.connect(key=key)))
    assert (progress.left, progress.stopped) == (1, "credential_refused")
    assert world.alerts == ["credential_refused"]
    assert world.deliver().left == 0


def test_a_storm_of_errors_leaves_updates_queued(world: Any) -> None:
    one = world.row(1)
    world.refresh()
    stay = world.known(one)
    world.plan(Change(Verb.UPDATE, stay, replace(stay, same_day=True)))
    world.base.fault("status", "PATCH", None, value=503)
    progress = world.deliver()
    assert (progress.left, progress.stopped) == (1, "unavailable")
    world.base.heal()
    assert world.deliver().stopped == "unavailable"  # this process leaves it alone for half a minute (C-65)
    assert world.deliver(context=world.delivery(client=world.connect())).left == 0


def test_a_search_that_fails_leaves_the_riddle_for_later(world: Any) -> None:
    world.new(1)
    world.base.fault("drop-after-commit", "POST", 1)
    world.base.fault("status", "GET", None, value=503)
    assert world.deliver().stopped == "unavailable"
    world.base.heal()
    assert world.deliver(context=world.delivery(client=world.connect())).left == 0
    assert len(uids(world)) == 1


def test_a_write_that_was_tried_eight_times_over_six_hours_becomes_a_dead_letter(world: Any) -> None:
    one = world.row(1)
    world.refresh()
    stay = world.known(one)
    world.plan(Change(Verb.UPDATE, stay, replace(stay, same_day=True)))
    world.base.fault("status", "PATCH", None, value=503)
    for _ in range(7):
        world.deliver()
    later = datetime.now(UTC) + timedelta(hours=7)
    assert world.deliver(context=world.delivery(clock=lambda: later)).left == 0
    with world.db.read() as conn:
        assert [each.code for each in failed(conn, "run-1")] == ["dead_letter"]


def test_a_delivery_stopped_among_the_halves_of_a_refused_batch_lets_all_of_it_wait(world: Any) -> None:
    world.new(*range(10))
    world.base.fault("status", "POST", 1, value=422)
    world.base.fault("status", "POST", 1, value=401)
    assert world.deliver().stopped == "credential_refused"
    with world.db.read() as conn:
        assert (deliveries.sending(conn, None), pending(conn)) == ([], 10)
    assert world.deliver().left == 0
    assert len(uids(world)) == 10


def test_a_field_that_is_locked_stops_its_table_and_says_so(world: Any) -> None:
    world.new(1)
    real = world.client.create

    def locked(*_: Any) -> Any:
        raise Forbidden("INVALID_PERMISSIONS", status=403)

    world.client.create = locked
    assert world.deliver().stopped == "forbidden"
    assert world.alerts == ["schema_drift"]
    world.client.create = real
    assert world.deliver().left == 0


def test_the_stop_switch_holds_a_write_back_and_marks_nothing(world: Any) -> None:
    def stopped() -> None:
        raise PermissionError("stopped")

    world.new(1)
    progress = world.deliver(context=world.delivery(client=world.connect(guard=stopped)))
    assert (progress.left, progress.stopped) == (1, "halted")
    with world.db.read() as conn:
        assert deliveries.sending(conn, None) == []
    since = world.base.mark()
    assert world.deliver().left == 0
    assert len(world.base.calls(since)) == 1


# -- people ----------------------------------------------------------------------------------------------------------


def blocked_now(stay: Stay) -> Change:
    return modified(stay, entry_type=EntryType.BLOCK, service_type="Needs Review", block_type="Owner Stay")


def test_a_service_type_that_a_person_chose_after_the_plan_is_left_alone(world: Any) -> None:
    ids = [world.row(number) for number in range(3)]
    world.refresh()
    world.plan(*(blocked_now(world.known(each)) for each in ids))
    world.base.edit(ids[1], Service_Type="Deep Clean")
    since = world.base.mark()
    world.deliver()
    rows = world.base.rows()
    assert [rows[each]["Service Type"] for each in ids] == ["Needs Review", "Deep Clean", "Needs Review"]
    assert [rows[each]["Entry Type"] for each in ids] == ["Block"] * 3
    assert [method for method, _ in data_calls(world, since)] == ["POST", "GET", "PATCH"]
    with world.db.read() as conn:
        written = written_types.load_all(conn)
    assert (written[ids[0]].service_type, written[ids[0]].block_type) == ("Needs Review", "Owner Stay")
    assert (written[ids[1]].service_type, written[ids[1]].block_type) == ("Needs Review", "Owner Stay")


def test_rows_without_a_persons_field_in_the_same_batch_are_not_read_again(world: Any) -> None:
    one, two = world.row(1), world.row(2)
    world.refresh()
    plain, touching = world.known(one), world.known(two)
    world.plan(
        Change(Verb.UPDATE, plain, replace(plain, same_day=True)),
        Change(Verb.UPDATE, touching, replace(touching, service_type="Needs Review")),
    )
    since = world.base.mark()
    world.deliver()
    calls = world.base.calls(since)
    assert [call["method"] for call in calls] == ["GET", "PATCH"]
    assert two in calls[0]["query"]
    assert one not in calls[0]["query"]
    rows = world.base.rows()
    assert (rows[one]["Same-day Turnover"], rows[two]["Service Type"]) == (True, "Needs Review")


def test_an_update_of_nothing_but_a_persons_field_is_not_sent(world: Any) -> None:
    one, two = world.row(1), world.row(2)
    world.refresh()
    world.plan(
        *(Change(Verb.UPDATE, s, replace(s, service_type="Needs Review")) for s in (world.known(one), world.known(two)))
    )
    world.base.edit(one, Service_Type="No Service")
    world.base.delete(two)
    since = world.base.mark()
    assert world.deliver().left == 0
    assert [method for method, _ in data_calls(world, since)] == ["GET"]
    assert world.base.rows()[one]["Service Type"] == "No Service"


def test_a_row_made_again_keeps_its_job_and_its_tombstone_goes(world: Any) -> None:
    one = world.row(1, Service_Job_ID="job_7", Service_Type="Deep Clean")
    world.refresh()
    stay = world.known(one)
    world.base.delete(one)
    world.refresh(force_full=True)
    world.plan(Change(Verb.NEW, None, replace(world.stay(1), service_type="Turnover"), restores=stay.record_id))
    world.deliver()
    ((again, fields),) = world.base.rows().items()
    assert (fields["Service Job ID"], fields["Service Type"], fields["Status"]) == ("job_7", "Deep Clean", "New")
    assert fields["Change Summary"] == "Row restored after deletion"
    with world.db.read() as conn:
        assert mirror.tombstones(conn, "Reservations") == ()
        assert written_types.load_all(conn)[again].service_type == "Turnover"


def test_a_cell_that_was_emptied_is_emptied_in_the_base(world: Any) -> None:
    one = world.row(1, Missing_Count=2, Missing_Since="2026-03-04T15:00:00.000Z", Suspected_Cancel=True)
    world.refresh()
    stay = world.known(one)
    after = replace(stay, missing_count=0, missing_since=None, suspected_cancel=False)
    world.plan(Change(Verb.UPDATE, stay, after))
    world.deliver()
    row = world.base.rows()[one]
    assert row.get("Missing Count", 0) == 0
    assert "Missing Since" not in row
    assert "Suspected Cancel" not in row


def test_dates_are_written_as_dates(world: Any) -> None:
    world.new(1)
    world.deliver()
    (row,) = world.base.rows().values()
    assert date.fromisoformat(row["Check-in Date"]) == world.stay(1).check_in
