"""One job's webhooks: done together, tried again, put off, given up, asked for again (J-76 … J-82, C-64, E-5)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from changeover.airtable import errors as airtable_errors
from changeover.core.plan import Alert, Level
from changeover.engine import hook_house, hook_replay, hooks, intake
from changeover.engine.hook_intake import GATHER_SECONDS, HookIntake
from changeover.engine.hooks import WAITS, HookDesk, Next
from changeover.engine.jobs.following import Effect, Followed
from changeover.engine.stop import Stop, StopLevel, StopSwitch
from changeover.engine.stopping import Interrupted, Reason
from changeover.housecallpro import errors as hcp_errors
from changeover.housecallpro.client import Object
from changeover.store import alerts, events
from changeover.store import hooks as store
from changeover.store.alerts import StandingAlert
from changeover.store.database import Database
from changeover.store.events import Event, EventKind, EventState
from changeover.store.writer import Writer
from plugins.hooks import JOB, a_hook

OTHER = JOB[:-1] + "2"
START = datetime(2026, 3, 4, 15, tzinfo=UTC)
RECORD = "recSTAY0000000001"


@dataclass
class Office:
    """An environment's webhooks, and a `follow` that does as it is told: each answer in turn, the last for ever."""

    folder: Path
    database: Database
    now: datetime = START
    answers: list[Followed | Exception] = field(default_factory=lambda: [Followed(Effect.UPDATED, JOB, RECORD)])
    asked: list[tuple[str, list[str], Object | None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.writer = Writer(self.database)
        self.client = intake.client("dev", self.database)
        self.intake = HookIntake(self.folder, self.writer, self.client)
        self.desk = HookDesk("dev", self.database, StopSwitch(self.folder), self._follow, lambda: self.now)

    def _follow(self, job_id: str, names: Sequence[str], payload: Object | None) -> Followed:
        self.asked.append((job_id, list(names), payload))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def take(self, event: str = "job.updated", job_id: str = JOB, at: datetime | None = None, **job: object) -> str:
        resource: dict[str, object] = {"id": job_id, **job}
        if event.startswith("job.appointment."):
            resource = {"id": "appt_1", "job_id": job_id}
        occurred = (at or self.now).isoformat()
        body = a_hook(event, resource, event_occurred_at=occurred)
        self.now += timedelta(milliseconds=1)
        return self.intake.take(body, "", self.now).event_id

    def work(self, event_id: str) -> tuple[Next, ...]:
        return hooks.work(self.desk, event_id)

    def event(self, event_id: str) -> Event:
        with self.database.read() as connection:
            return events.find(connection, [event_id])[0]

    def states(self) -> set[str]:
        with self.database.read() as connection:
            return {str(each.state) for each in events.recent(connection, kinds=(EventKind.HCP,))}

    def alerts(self) -> dict[str, StandingAlert]:
        with self.database.read() as connection:
            return {each.rule: each for each in alerts.standing(connection)}

    def stop(self, level: StopLevel | None) -> None:
        if level is None:
            self.desk.switch.clear()
        else:
            self.desk.switch.set(Stop(level, "a drill"))


@pytest.fixture
def office(tmp_path: Path, migrated_sqlite: Path) -> Iterator[Office]:
    (tmp_path / "state.db").write_bytes(migrated_sqlite.read_bytes())
    database = Database(f"sqlite:///{tmp_path / 'state.db'}")
    found = Office(tmp_path, database)
    yield found
    found.writer.close()
    found.client.destroy()
    database.close()


# -- together ----------------------------------------------------------------------------------------------------------


def test_all_that_wait_for_a_job_are_done_with_one_read(office) -> None:
    """J-76, HC-87: a change of people is four events."""
    names = ["job.appointment.appointment_pros_unassigned", "job.appointment.rescheduled", "job.updated"]
    ids = [office.take(name) for name in names]
    far = office.take("job.updated", OTHER)
    assert office.work(ids[1]) == ()
    assert [each[:2] for each in office.asked] == [(JOB, names)]
    for each in ids:
        event = office.event(each)
        assert (event.state, event.ended_at) == (EventState.DONE, office.now)
        assert (event.payload["effect"], event.payload["record_id"]) == ("updated", RECORD)
        assert office.work(each) == ()
    assert office.event(far).state is EventState.RECEIVED
    assert len(office.asked) == 1


def test_what_comes_while_a_job_is_read_is_not_taken_for_done(office) -> None:
    first = office.take("job.started")
    late: list[str] = []
    follow = office._follow

    def slow(*asked):
        late.append(office.take("job.completed"))
        return follow(*asked)

    object.__setattr__(office.desk, "follow", slow)
    office.work(first)
    assert office.event(first).state is EventState.DONE
    assert office.event(late[0]).state is EventState.RECEIVED


def test_the_job_is_shown_as_the_newest_event_shows_it_in_whatever_order_they_came(office) -> None:
    """J-82, HC-78."""
    newest = office.take(at=START + timedelta(minutes=2), work_status="in progress")
    office.take(at=START, work_status="scheduled")
    office.take("job.appointment.rescheduled", at=START + timedelta(minutes=3))
    office.take(at=START + timedelta(minutes=4), schedule=7)  # in a form that is not understood
    office.work(newest)
    assert office.asked[0][2] == {"id": JOB, "work_status": "in progress"}


def test_without_a_job_object_none_is_shown(office) -> None:
    office.work(office.take("job.appointment.scheduled"))
    assert office.asked[0][2] is None


def test_a_job_that_no_row_has_leaves_its_events_unmatched(office) -> None:
    """J-82."""
    office.answers = [Followed(Effect.UNMATCHED, JOB)]
    event_id = office.take()
    assert office.work(event_id) == ()
    assert office.event(event_id).state is EventState.UNMATCHED
    assert office.event(event_id).summary == f"job.updated — {JOB} — unmatched"


def test_an_event_that_is_no_more_is_over(office) -> None:
    assert office.work("hcp-nobody") == ()


# -- again (C-64) ------------------------------------------------------------------------------------------------------


def test_a_try_that_fails_is_repeated_over_six_hours_and_then_a_dead_letter(office) -> None:
    office.answers = [hcp_errors.Server(status=503)]
    event_id = office.take("job.completed")
    waited = timedelta(0)
    for number, wait in enumerate(WAITS, start=1):
        assert office.work(event_id) == (Next(event_id, number + 1, wait.total_seconds()),)
        event = office.event(event_id)
        assert event.state is EventState.RECEIVED
        assert event.summary == (
            f"job.completed — {JOB} — try {number} failed — Housecall Pro has a problem of its own (503)"
        )
        waited += wait
        office.now += wait
    assert waited == timedelta(hours=6)
    assert office.work(event_id) == ()
    assert len(office.asked) == 8
    assert office.event(event_id).state is EventState.FAILED
    assert office.alerts()["dead_letter"].subject == f"hcp:{JOB}"
    office.answers = [Followed(Effect.UPDATED, JOB)]
    office.work(office.take())
    assert office.alerts() == {}  # the job itself was read: nothing is missing any more


def test_a_new_event_is_tried_at_once_and_uses_up_nobody_elses_tries(office) -> None:
    office.answers = [hcp_errors.Transport()]
    old = office.take("job.started")
    office.work(old)
    office.now += WAITS[0]
    assert office.work(old) == (Next(old, 3, 300.0),)
    office.now += timedelta(seconds=100)
    new = office.take("job.completed")
    assert office.work(new) == (Next(new, 2, 60.0),)
    assert [office.event(each).payload["tries"] for each in (old, new)] == [2, 1]
    assert office.work(old) == ()  # not its time yet: the new one carries both
    office.now += WAITS[0]
    (carried,) = office.work(new)
    assert carried.event_id == old
    assert carried.seconds == pytest.approx(140.0, abs=1)
    office.answers = [Followed(Effect.UNCHANGED, JOB)]
    office.now += timedelta(seconds=140)
    assert office.work(old) == ()
    assert office.states() == {"done"}


def test_when_one_is_given_up_another_carries_those_that_are_left(office) -> None:
    office.answers = [airtable_errors.Unavailable("timeout")]
    old = office.take("job.started")
    for wait in WAITS:
        office.work(old)
        office.now += wait
    new = office.take("job.completed")
    assert office.work(old) == (Next(new, 2, 60.0),)
    assert (office.event(old).state, office.event(new).payload["tries"]) == (EventState.FAILED, 1)


def test_a_service_that_asks_to_wait_is_given_its_time(office) -> None:
    office.answers = [hcp_errors.RateLimited(after=600)]
    event_id = office.take()
    assert office.work(event_id) == (Next(event_id, 2, 600.0),)


def test_whatever_goes_wrong_an_event_waits_for_another_try(office) -> None:
    office.answers = [ZeroDivisionError("secret 602-555-0100")]
    event_id = office.take()
    assert office.work(event_id) == (Next(event_id, 2, 60.0),)
    assert office.event(event_id).payload["reason"] == "ZeroDivisionError"


# -- put off -----------------------------------------------------------------------------------------------------------


def test_at_a_full_stop_nothing_is_asked_and_no_try_is_lost(office) -> None:
    """E-5."""
    event_id = office.take()
    office.stop(StopLevel.FULL)
    for number in range(2, 12):
        assert office.work(event_id) == (Next(event_id, number, 60.0),)
        office.now += hooks.STOPPED
    assert office.asked == []
    assert "tries" not in office.event(event_id).payload
    office.stop(None)
    assert office.work(event_id) == ()
    assert office.states() == {"done"}


@pytest.mark.parametrize("halted", [hcp_errors.Halted(), airtable_errors.Halted("halted")])
def test_read_only_the_job_is_read_once_and_its_row_waits(office, halted) -> None:
    """E-5: the job cache is kept."""
    event_id = office.take()
    office.stop(StopLevel.READ_ONLY)
    office.answers = [halted, Followed(Effect.UPDATED, JOB, RECORD)]
    for _ in range(3):
        ((_, _, seconds),) = office.work(event_id)
        assert seconds == 60.0
        office.now += hooks.STOPPED
    assert len(office.asked) == 1
    office.stop(None)
    office.work(event_id)
    assert (len(office.asked), office.states()) == (2, {"done"})


@pytest.mark.parametrize("left", [hcp_errors.LeftAlone(after=29), airtable_errors.LeftAlone("left_alone", after=29)])
def test_while_a_service_is_left_alone_they_wait_for_the_next_question_and_no_try_is_lost(office, left) -> None:
    """C-65."""
    office.answers = [left]
    event_id = office.take()
    for number in range(2, 12):
        assert office.work(event_id) == (Next(event_id, number, 29.0),)
        office.now += timedelta(seconds=29)
    assert "tries" not in office.event(event_id).payload
    office.answers = [Followed(Effect.UPDATED, JOB)]
    assert office.work(event_id) == ()
    assert office.states() == {"done"}


def test_a_webhook_that_is_worked_says_that_they_come_again(office) -> None:
    """A-9."""
    with office.database.begin() as connection:
        silent = Alert("webhooks_silent", "housecallpro", Level.ERROR, "none came")
        alerts.open_or_repeat(connection, "dev", silent, START)
    office.work(office.take())
    assert office.alerts() == {}


def test_a_paused_environment_works_them(office) -> None:
    office.stop(StopLevel.PAUSE)
    office.work(office.take())
    assert office.states() == {"done"}


def test_a_worker_that_is_to_end_leaves_them_to_the_next_one(office) -> None:
    office.answers = [Interrupted(Reason.SIGNAL)]
    event_id = office.take()
    assert office.work(event_id) == (Next(event_id, 2, 0.0),)
    assert "tries" not in office.event(event_id).payload


@pytest.mark.parametrize(
    ("refusal", "rule"),
    [
        (hcp_errors.Auth(status=401), "hcp_credential_refused"),
        (hcp_errors.Misrouted(), "hcp_error"),
        (airtable_errors.Unauthorized("UNAUTHORIZED"), "credential_refused"),
        (airtable_errors.SchemaDrift("schema_drift", field="Assignee"), "airtable_error"),
        (airtable_errors.BillingBlocked("PUBLIC_API_BILLING_LIMIT_EXCEEDED"), "billing_blocked"),
    ],
)
def test_a_service_that_refuses_us_is_left_alone_for_a_while_and_a_person_told(office, refusal, rule) -> None:
    """C-64: no try is lost."""
    office.answers = [refusal]
    first, second = office.take(), office.take(job_id=OTHER)
    assert office.work(first) == (Next(first, 2, 300.0),)
    office.now += timedelta(seconds=100)
    assert office.work(second)[0].seconds == pytest.approx(200.0)
    assert len(office.asked) == 1
    assert office.alerts()[rule].level == "critical"
    office.now += hooks.PAUSED
    office.answers = [Followed(Effect.UPDATED, JOB)]
    assert office.work(first) == office.work(second) == ()
    assert office.alerts() == {}
    assert office.states() == {"done"}


# -- asked for again, and pruned ---------------------------------------------------------------------------------------


def test_a_person_has_them_worked_again(office) -> None:
    """J-78."""
    failed, waiting, other = (
        office.take("job.started"),
        office.take("job.updated", OTHER),
        office.take("customer.updated"),
    )
    hooks.give_up(office.desk, office.event(failed), "cut off 5 times")
    found = [office.event(each) for each in (failed, waiting, other)]
    asked = hook_replay.replay("dev", office.database, found, office.now)
    assert (asked.again, asked.waiting) == ((failed,), (waiting,))
    assert office.event(failed).summary == f"job.started — {JOB} — asked for again"
    with office.database.read() as connection:
        query = text("SELECT workflow_uuid, queue_partition_key, status FROM workflow_status ORDER BY workflow_uuid")
        rows = [tuple(row) for row in connection.execute(query)]
    assert (f"hook:{failed}:2", JOB, "DELAYED") in rows
    assert len(rows) == 3
    assert GATHER_SECONDS < 5
    office.work(failed)
    assert office.event(failed).state is EventState.DONE
    assert office.alerts() == {}


def test_what_is_foreign_or_no_event_is_not_worked_again(office) -> None:
    foreign = HookIntake(office.folder, office.writer, office.client, "ours")
    ids = [foreign.take(body, "1", office.now).event_id for body in (a_hook(), b"[]")]
    asked = hook_replay.replay("dev", office.database, [office.event(each) for each in ids], office.now)
    assert asked == hook_replay.Asked()
    assert office.states() == {"foreign", "rejected"}


def test_after_thirty_days_what_is_over_goes_with_its_bytes(office) -> None:
    """F-3."""
    done, failed, waiting = (
        office.take("job.started"),
        office.take("job.updated", OTHER),
        office.take("job.paid", "job_3"),
    )
    office.work(done)
    hooks.give_up(office.desk, office.event(failed), "gave up")
    assert hook_house.keep_hooks(office.database, office.now + timedelta(days=29))
    assert not hook_house.keep_hooks(office.database, office.now + timedelta(days=29, hours=23))
    assert office.event(done).state is EventState.DONE
    assert hook_house.keep_hooks(office.database, office.now + timedelta(days=31))
    with office.database.read() as connection:
        left = events.find(connection, [done, failed, waiting])
        assert {each.id for each in left} == {failed, waiting}
        assert store.body(connection, done) is None
        assert json.loads(store.body(connection, waiting) or b"")["event"] == "job.paid"
        assert store.job_of(connection, done) == ""
