from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from changeover.airtable.deliver import Progress
from changeover.core.plan import Alert, Level
from changeover.engine.sending import Sending, Sent, send_some
from changeover.engine.stopping import Interrupted, Reason, Stopping
from changeover.store import alerts
from changeover.store.database import Database
from changeover.store.schema import migrate


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Database:
    url = f"sqlite:///{tmp_path_factory.mktemp('sending')}/state.db"
    migrate(url)
    return Database(url)


@pytest.fixture
def sending(database: Database) -> Callable[..., Sending]:
    def make(answers: Sequence[Progress | Exception], seconds: float = 60, stopping: Stopping | None = None) -> Sending:
        told = iter(answers)

        def send(_run_id: str) -> Progress:
            answer = next(told)
            if isinstance(answer, Exception):
                raise answer
            return answer

        return Sending("dev", database, send, stopping or Stopping(), seconds)

    return make


def test_batches_are_sent_until_nothing_is_left(sending) -> None:
    step = sending([Progress(20, sent=10), Progress(10, sent=9, failed=1), Progress(0, sent=10)])
    assert send_some(step, "run-a") == Sent(0, 29, 1)


def test_a_step_ends_after_its_time_with_the_rest_still_left(sending) -> None:
    assert send_some(sending([Progress(20, sent=10)], seconds=0), "run-a") == Sent(20, 10)


def test_what_stands_in_the_way_ends_the_step(sending) -> None:
    step = sending([Progress(20, sent=10), Progress(20, stopped="rate_limited")])
    assert send_some(step, "run-a") == Sent(20, 10, 0, "rate_limited")


def test_nothing_is_begun_once_the_run_is_to_end(sending) -> None:
    stopping = Stopping()
    stopping.ask(Reason.SIGNAL)
    assert send_some(sending([], stopping=stopping), "run-a").stopped == "interrupted"


def test_a_wait_cut_short_ends_the_step_and_keeps_the_count(sending) -> None:
    step = sending([Progress(20, sent=10), Interrupted(Reason.DEADLINE)])
    assert send_some(step, "run-a") == Sent(20, 10, 0, "interrupted")


def test_a_wait_that_is_asked_for_is_waited(sending) -> None:
    past = datetime.now(UTC) - timedelta(seconds=5)
    step = sending([Progress(10, wait_until=past), Progress(0, sent=10)])
    assert send_some(step, "run-a") == Sent(0, 10)


def test_a_wait_that_is_asked_for_can_be_interrupted(database: Database) -> None:
    stopping = Stopping()

    def send(_run_id: str) -> Progress:
        stopping.ask(Reason.SIGNAL)
        return Progress(10, wait_until=datetime.now(UTC) + timedelta(hours=1))

    assert send_some(Sending("dev", database, send, stopping), "run-a").stopped == "interrupted"


def test_a_delivery_that_does_not_move_is_given_up_for_this_time(sending) -> None:
    assert send_some(sending([Progress(10)] * 20), "run-a") == Sent(10, 0, 0, "no_progress")


def test_what_is_told_of_a_batch_is_stored_at_once(sending, database: Database) -> None:
    alert = Alert("dead_letter", "Reservations:rec1", Level.ERROR, "was not written")
    send_some(sending([Progress(0, failed=1, alerts=(alert,))]), "run-a")
    with database.read() as connection:
        (standing,) = alerts.standing(connection)
    assert (standing.key, standing.run_id) == ("dev:dead_letter:Reservations:rec1", "run-a")


def test_an_error_of_ours_comes_out(sending) -> None:
    with pytest.raises(KeyError):
        send_some(sending([KeyError("bug")]), "run-a")
