"""A cycle's own decisions against real servers: what goes wrong in a step, in the middle of it, and at its edges."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from changeover import controller
from changeover.airtable.client import AirtableClient
from changeover.airtable.errors import (
    BadRequest,
    BillingBlocked,
    Forbidden,
    NotFound,
    RateLimited,
    Unauthorized,
    Unavailable,
)
from changeover.engine import automations, calendars, cycle
from changeover.engine.automations import Automation
from changeover.engine.base import failure_of
from changeover.engine.outcome import Outcome
from changeover.engine.process import this_process
from changeover.engine.work import Done, Work
from changeover.exits import Exit
from changeover.store import alerts, leases
from changeover.store.gate import Gate
from changeover.store.runs import RunState
from plugins.outsider import AUTOMATION, Business, Calendar

OTHER = "CSV Files"


def house(business: Business) -> Calendar:
    (calendar,) = business.house("Casa Uno")
    calendar.stay("a1@x", 2, 5)
    assert business.run().code == Exit.OK
    return calendar.stay("a2@x", 8, 9)


@pytest.fixture
def steps(business: Business, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Puts steps of one's own in the place of the program's; the base has a ticked row for each."""
    business.office.add("Automation", Name=OTHER, Active=True)

    def register(*runs: Callable[[Work], Done], deadline: timedelta = timedelta(minutes=1)) -> None:
        named = zip((AUTOMATION, OTHER), runs, strict=False)
        monkeypatch.setattr(controller, "REGISTRY", tuple(Automation(name, deadline, run) for name, run in named))

    return register


def good(_: Work) -> Done:
    return Done(Outcome(RunState.SUCCEEDED, "all of it"))


def test_a_step_that_crashes_fails_alone_and_the_next_one_runs(business: Business, steps: Callable[..., None]) -> None:
    """C-6; Z-4: a fatal error was swallowed, exit 0; its message stays in the log, for it may hold anything."""

    def crash(_: Work) -> Done:
        raise RuntimeError("the secret is 1234")

    steps(crash, good)
    ran = business.run()
    assert (ran.code, ran.state) == (Exit.PARTIAL, "partial")
    first, second = ran.result.automations
    assert (first.state, first.error_code, first.error_text) == (
        "failed",
        "internal_error",
        "RuntimeError, see the log",
    )
    assert second.state == "succeeded"
    assert business.office.automation(OTHER)["Sync Details"] == second.text
    assert "1234" not in str(ran.result)
    only = business.run(only=(AUTOMATION,))
    assert (only.code, only.state) == (Exit.FAILED, "failed")


@pytest.mark.parametrize(
    ("states", "code", "state"),
    [
        ((RunState.SUCCEEDED, RunState.SUCCEEDED), Exit.OK, "succeeded"),
        ((RunState.SUCCEEDED, RunState.PARTIAL), Exit.PARTIAL, "partial"),
        ((RunState.FAILED, RunState.FAILED), Exit.FAILED, "failed"),
    ],
)
def test_the_state_of_a_cycle_is_what_its_exit_code_says(
    business: Business, steps: Callable[..., None], states: tuple[RunState, ...], code: Exit, state: str
) -> None:
    steps(*(lambda _, each=each: Done(Outcome(each, "text")) for each in states))
    ran = business.run()
    assert (ran.code, ran.state) == (code, state)


def test_a_step_past_its_deadline_is_given_up_and_its_late_result_refused(
    business: Business, steps: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Z-12: a request without limit hung the cycle (C-32)."""
    hang = threading.Event()

    def hangs(_: Work) -> Done:
        hang.wait(20)
        return Done(Outcome(RunState.SUCCEEDED, "too late"))

    monkeypatch.setattr(automations, "_LAST_WORD", timedelta(0))
    steps(hangs, good, deadline=timedelta(milliseconds=50))
    ran = business.run()
    hang.set()
    first, second = ran.result.automations
    assert (first.state, first.error_code, second.state) == ("timed_out", "timed_out", "succeeded")
    assert "not finished within" in first.text
    assert ran.code == Exit.PARTIAL
    assert str(business.office.automation()["Sync Details"]).startswith("❌")


def test_a_step_that_ends_within_its_grace_is_believed(
    business: Business, steps: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = threading.Event()

    def slow(_: Work) -> Done:
        asked.wait(0.15)
        return Done(Outcome(RunState.PARTIAL, "half of it"))

    steps(slow, deadline=timedelta(milliseconds=20))
    assert business.run().only.state == "partial"


def test_two_bad_runs_in_a_row_are_told_and_a_good_one_ends_it(business: Business, steps: Callable[..., None]) -> None:
    """A-3, A-4."""

    def bad(_: Work) -> Done:
        return Done(Outcome(RunState.FAILED, "no"))

    steps(bad)
    business.run()
    assert business.alerts()["cycle_failed"].subject == "cycle"
    assert "automation_failing" not in business.alerts()
    business.run(dry_run=True)
    business.run()
    business.run()
    assert business.alerts()["automation_failing"].subject == AUTOMATION
    steps(good)
    business.run()
    assert not {"automation_failing", "cycle_failed"} & set(business.alerts())


# -- the lease ---------------------------------------------------------------------------------------------------------


def take_the_lease_away(business: Business) -> None:
    """What another machine does when it believes this one dead (C-30)."""
    db = business.db
    with db.begin() as connection:
        row = leases.lock(connection, "cycle")
        leases.take(connection, row, replace(this_process("run-of-another"), pid=1, started=1), timedelta(minutes=1))
    db.close()


def test_a_run_that_loses_its_lease_before_committing_keeps_nothing(
    business: Business, monkeypatch: pytest.MonkeyPatch
) -> None:
    """C-30: a commit with an older token is refused."""
    house(business)
    reconcile = calendars.reconcile

    def then_lose(*arguments: object) -> object:
        plan = reconcile(*arguments)  # type: ignore[arg-type]
        take_the_lease_away(business)
        return plan

    monkeypatch.setattr(calendars, "reconcile", then_lose)
    ran = business.run()
    assert (ran.code, ran.only.state) == (Exit.STOPPED, "stopped")
    assert ran.writes == []
    assert business.office.nights == [(2, 5)]


def test_a_run_that_loses_its_lease_in_mid_delivery_sends_nothing_more(
    business: Business, monkeypatch: pytest.MonkeyPatch
) -> None:
    """C-30: nor is a receipt of it stored; what was on the wire is found by the next."""
    calendar = house(business)
    for number in range(15):
        calendar.stay(f"b{number}@x", 20 + number, 21 + number)
    create = AirtableClient.create

    def then_lose(*arguments: object, **more: object) -> object:
        made = create(*arguments, **more)  # type: ignore[arg-type]
        take_the_lease_away(business)
        return made

    monkeypatch.setattr(AirtableClient, "create", then_lose)
    ran = business.run()
    assert (ran.code, ran.only.state) == (Exit.STOPPED, "stopped")
    assert ran.writes == [("POST", "Reservations")]
    monkeypatch.setattr(AirtableClient, "create", create)
    db = business.db
    with db.begin() as connection:
        leases.free(connection, "cycle", leases.lock(connection, "cycle").token)
    db.close()
    assert business.run().code == Exit.OK
    assert len(business.office.live) == len({row["Reservation UID"] for row in business.office.live}) == 17


def test_a_lease_lost_between_two_steps_lets_the_second_not_begin(
    business: Business, steps: Callable[..., None]
) -> None:
    """C-6."""

    def loses(_: Work) -> Done:
        take_the_lease_away(business)
        return good(_)

    steps(loses, good)
    ran = business.run()
    assert ran.code == Exit.STOPPED
    assert [each.name for each in ran.result.automations] == [AUTOMATION]
    assert ("PATCH", "Automation") not in ran.writes


def test_a_run_without_word_from_its_lease_for_too_long_ends_itself(
    business: Business, steps: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """C-30: it must not believe itself the holder longer than others do."""

    def loses(_: Work) -> Done:
        monkeypatch.setattr(cycle.Lease, "held", lambda _: False)
        return good(_)

    steps(loses, good)
    ran = business.run()
    assert ran.code == Exit.STOPPED
    assert [each.name for each in ran.result.automations] == [AUTOMATION]


# -- signals while the base is read ------------------------------------------------------------------------------------


@pytest.mark.parametrize("table", ["Automation", "Reservations"])
def test_a_run_asked_to_end_while_it_waits_for_the_base_ends_at_once_and_is_stopped(
    business: Business, table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """C-25, C-33: no wait outlives the wish to end."""
    house(business)
    pause = Gate.pause

    def then_end(*arguments: float) -> None:
        pause(*arguments)  # type: ignore[arg-type]
        os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(Gate, "pause", then_end)
    business.sandbox.fault("rate-limit", "", method="GET", path=f"/{table}$", times=1)
    ran = business.run()
    assert (ran.code, ran.state) == (Exit.STOPPED, "stopped")
    assert (ran.result.automations, ran.writes, ran.downloads) == ((), [], [])
    monkeypatch.undo()
    assert "airtable_down" not in business.alerts()


# -- the base in the middle of a run -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "code", "error"),
    [
        (503, Exit.UNREACHABLE, "airtable_error"),
        (400, Exit.FAILED, "airtable_error"),
        (401, Exit.CONFIGURATION, "credential_refused"),
    ],
)
def test_rows_that_cannot_be_read_mean_no_plan_although_the_switches_could(
    business: Business, value: int, code: Exit, error: str
) -> None:
    """C-5."""
    house(business)
    business.sandbox.fault("status", value, method="GET", path="/Reservations$")
    ran = business.run()
    assert (ran.code, ran.only.error_code) == (code, error)
    assert len(ran.downloads) == 1
    assert ran.writes == [("PATCH", "Automation")]
    assert business.office.automation()["Sync Details"] == ran.text


def test_a_dry_run_on_an_unreadable_base_keeps_nothing_at_all(business: Business) -> None:
    """C-34: no counter or status changed."""
    house(business)
    business.sandbox.fault("status", 503)
    before = business.alerts()
    ran = business.run(dry_run=True)
    assert (ran.code, ran.writes) == (Exit.UNREACHABLE, [])
    assert business.alerts() == before


def test_a_dry_run_leaves_the_state_as_it_is(business: Business) -> None:
    """C-34: the next real run does what it would have done."""
    calendar = house(business)
    calendar.drop("a1@x")
    rehearsed = business.run(dry_run=True, beat=timedelta(0))
    assert (rehearsed.code, rehearsed.writes, business.misses()) == (Exit.OK, [], 0)
    ran = business.run()
    assert ran.plan.counts == rehearsed.plan.counts
    assert business.misses() == 1


def test_a_dry_run_keeps_the_last_good_body_of_a_feed(business: Business) -> None:
    house(business)
    feeds = business.feed_states()
    business.run(dry_run=True)
    assert business.feed_states() == feeds


@pytest.mark.parametrize(
    ("error", "code", "text", "unreachable", "configuration"),
    [
        (Unauthorized("AUTHENTICATION_REQUIRED"), "credential_refused", "AIRTABLE_API_KEY", False, True),
        (Forbidden("INVALID_PERMISSIONS_OR_MODEL_NOT_FOUND"), "credential_refused", "AIRTABLE_BASE_ID", False, True),
        (Forbidden("INVALID_PERMISSIONS", field="Status"), "airtable_error", "Status", False, False),
        (BillingBlocked("PUBLIC_API_BILLING_LIMIT_EXCEEDED"), "billing_blocked", "used up", True, False),
        (RateLimited("RATE_LIMIT_REACHED"), "rate_limited", "429", True, False),
        (Unavailable("timeout"), "airtable_error", "does not answer (timeout)", True, False),
        (NotFound("NOT_FOUND"), "airtable_error", "NOT_FOUND", False, False),
        (BadRequest("HTTP 400"), "airtable_error", "HTTP 400", False, False),
    ],
)
def test_every_error_of_the_base_has_its_word_its_text_and_whose_it_is_to_mend(
    error: Exception, code: str, text: str, unreachable: bool, configuration: bool
) -> None:
    failure = failure_of(error)  # type: ignore[arg-type]
    assert (failure.code, failure.unreachable, failure.configuration) == (code, unreachable, configuration)
    assert text in failure.text


def test_half_of_the_months_calls_used_is_an_alert_of_its_month(business: Business) -> None:
    """A-12, AT-38."""
    business.set("dev", AIRTABLE_MONTHLY_LIMIT="5")
    house(business)
    assert business.alerts()["airtable_budget"].level == "critical"
    business.set("dev", AIRTABLE_MONTHLY_LIMIT="0")
    business.run()
    assert "airtable_budget" not in business.alerts()


def test_a_feed_silent_for_half_a_day_is_told_at_its_first_failure(business: Business) -> None:
    """A-5: 3 failed fetches in a row, or 12 hours without success."""
    calendar = house(business)
    other = business.house("Casa Dos")[0].stay("b1@x", 3, 4)
    business.run(beat=timedelta(hours=13))
    calendar.answers(status=404)
    business.run()
    with business.reading() as connection:
        (alert,) = [each for each in alerts.standing(connection) if each.rule == "feed_failing"]
    assert "Casa Uno" in alert.text
    assert other.url not in alert.text
