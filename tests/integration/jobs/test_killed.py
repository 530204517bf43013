"""A creation killed before or after any of its calls, or told nothing at all: one job all the same (J-53 … J-58)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import dropwhile
from typing import Any
from urllib.parse import urlsplit

import pytest

from changeover.engine.jobs.operations import Action, perform
from changeover.store import jobs as store
from plugins.job_house import AT_ONCE, House

MOST_CALLS = 20


class Killed(BaseException):
    """The process ends here."""


@contextmanager
def dying(house: House, at: int, *, answered: bool) -> Iterator[list[str]]:
    """The process dies before its call of this number is sent, or after it was carried out and before anyone knows."""
    made: list[str] = []
    sessions = [house.desk.hcp._session, house.desk.airtable._api.session]

    def wire(request: Callable[..., object]) -> Callable[..., object]:
        def send(method: str, url: str, **more: object) -> object:
            made.append(method)
            if len(made) - 1 == at and not answered:
                raise Killed
            answer = request(method, url, **more)
            if len(made) - 1 == at:
                raise Killed
            return answer

        return send

    for session in sessions:
        session.request = wire(session.request)
    try:
        yield made
    finally:
        for session in sessions:
            del session.request


@dataclass
class Sent:
    """A call to one of the services, and what was durably known of the creation when it was sent."""

    method: str
    path: str
    body: Any
    intent: store.Intent | None

    @property
    def cells(self) -> set[str]:
        """The fields of the one row that it writes."""
        (record,) = self.body["records"]
        return set(record["fields"])


def since_post(sent: list[Sent]) -> list[Sent]:
    """The POST that makes the job, and what came after it."""
    return list(dropwhile(lambda each: (each.method, each.path) != ("POST", "/jobs"), sent))


@contextmanager
def watched(house: House, stay: str, *, lives: int = MOST_CALLS) -> Iterator[list[Sent]]:
    """Every call to both services, in their order; after so many, counted from the POST on, the process dies."""
    sent: list[Sent] = []
    sessions = [house.desk.hcp._session, house.desk.airtable._api.session]

    def wire(request: Callable[..., object]) -> Callable[..., object]:
        def send(method: str, url: str, **more: Any) -> object:
            with house.desk.db.read() as connection:
                intent = store.intent_of(connection, stay)
            if len(since_post(sent)) == lives:
                raise Killed
            sent.append(Sent(method.upper(), urlsplit(url).path, more.get("json"), intent))
            return request(method, url, **more)

        return send

    for session in sessions:
        session.request = wire(session.request)
    try:
        yield sent
    finally:
        for session in sessions:
            del session.request


def killed(house: House, stay: str, at: int, *, answered: bool) -> bool:
    """Whether a press was killed at that call; False when there are not so many."""
    with dying(house, at, answered=answered) as made:
        try:
            assert perform(house.desk, Action.CREATE, stay).success
        except Killed:
            return True
    assert len(made) <= at
    return False


def whole(house: House, stay: str) -> bool:
    """Whether the row has its one job, with every line, and says so; nothing is left to do."""
    mine = [job for job in house.jobs() if any(stay in note["content"] for note in job["notes"])]
    row = house.row(stay)
    with house.desk.db.read() as connection:
        left = store.open_intents(connection)
    assert [job["id"] for job in mine] == [row["Service Job ID"]]
    assert [line["unit_price"] for line in house.service.lines(mine[0])] == [14500, 2500]
    assert row["Service Sync Details"].startswith("✅ Job created for ")
    assert row["Job Creation Time"]
    return not left and row["Sync Status"] == "Synced"


def test_each_step_of_a_creation_is_durable_before_the_next_call(house: House) -> None:
    """J-48, J-50, JX-3: the order before the POST; then the id, at once here and next in the row, before all else."""
    stay = house.stay()

    with watched(house, stay) as sent:
        assert perform(house.desk, Action.CREATE, stay).success

    post, named, lines, read, last = since_post(sent)
    job_id = house.row(stay)["Service Job ID"]
    assert all(each.intent is None for each in sent[: sent.index(post)])
    assert post.intent is not None
    assert (post.intent.state, post.intent.job_id) == (store.IntentState.POSTING, "")
    assert named.intent is not None
    assert (named.intent.state, named.intent.job_id) == (store.IntentState.MADE, job_id)
    assert (named.method, named.cells) == ("PATCH", {"Service Job ID", "Job Creation Time", "Sync Date and Time"})
    assert [(each.method, each.path) for each in (lines, read)] == [
        ("PUT", f"/jobs/{job_id}/line_items/bulk_update"),
        ("GET", f"/jobs/{job_id}"),
    ]
    assert (last.method, "Job Status" in last.cells, "Service Line Description" in last.cells) == ("PATCH", True, True)


@pytest.mark.parametrize(
    ("lives", "then"),
    [
        (1, ["PATCH row", "GET lines", "PUT lines", "GET job", "PATCH row"]),
        (2, ["GET lines", "PUT lines", "GET job", "PATCH row"]),
        (3, ["GET job", "PATCH row"]),
        (4, ["GET job", "PATCH row"]),
    ],
    ids=["id not in the row", "no lines", "lines confirmed", "last write missing"],
)
def test_what_was_cut_off_goes_on_from_where_it_was(house: House, lives: int, then: list[str]) -> None:
    """J-45, J-54, J-55, J-56: the id first, the lines looked at before they are sent, at last the job read and told."""
    stay = house.stay()
    with watched(house, stay, lives=lives), pytest.raises(Killed):
        perform(house.desk, Action.CREATE, stay)

    with watched(house, stay) as sent:
        assert perform(house.desk, Action.CREATE, stay).success

    (job,) = house.jobs()
    told = {f"/jobs/{job['id']}": "job", f"/jobs/{job['id']}/line_items": "lines"}
    told |= {f"/jobs/{job['id']}/line_items/bulk_update": "lines"}
    begun = [f"{each.method} {told.get(each.path, 'row')}" for each in sent]
    assert [each for each in begun if each != "GET row"] == then
    assert whole(house, stay)


@pytest.mark.parametrize("answered", [False, True], ids=["before", "after"])
def test_killed_at_any_call_the_next_press_or_cycle_ends_it_with_one_job(house: House, answered: bool) -> None:
    """J-54, J-55, J-56, JX-3, JX-4: every call of it, from the first to the last, each with a stay of its own."""
    for number in range(MOST_CALLS):
        stay = house.stay(days=3 + number)
        if not killed(house, stay, number, answered=answered):
            assert number > 8
            break
        if number % 2:
            assert perform(house.desk, Action.CREATE, stay).success
        else:
            house.cycle()
        assert whole(house, stay)
    else:
        raise AssertionError("a creation has no end")


@pytest.mark.parametrize("mode", ["drop-after-commit", "truncate", "html", "drop-before", "status"])
def test_a_post_whose_end_nobody_knows_makes_one_job(house: House, mode: str) -> None:
    """J-53, HC-37: found where it was made, sent once more where it was not."""
    stay = house.stay()
    house.service.fault(mode, method="POST", path="^/jobs$", value=503)

    assert perform(house.desk, Action.CREATE, stay).success
    assert whole(house, stay)


def test_what_is_never_found_is_an_alert_and_looked_for_before_all_else(house: House) -> None:
    """J-53, C-62, A-14."""
    stay = house.stay()
    house.service.fault("status", method="POST", path="^/jobs$", value=503, times=2)

    answer = perform(house.desk, Action.CREATE, stay)

    assert (answer.code, house.jobs()) == ("hcp_error", [])
    assert ("job_create_unclear", stay) in house.alerts()
    house.cycle()
    assert whole(house, stay)
    assert ("job_create_unclear", stay) not in house.alerts()


def test_what_was_never_made_is_an_alert_no_more_once_that_is_known(house: House) -> None:
    stay = house.stay(Ready_for_Job=None)
    house.service.fault("status", method="POST", path="^/jobs$", value=503, times=2)
    perform(house.desk, Action.CREATE, stay)

    house.cycle()

    assert (house.jobs(), house.alerts()) == ([], [])


def test_a_job_whose_lines_are_missing_is_followed_all_the_same(house: House) -> None:
    """J-55, J-59."""
    stay = house.stay()
    house.service.fault("status", method="PUT", path="bulk_update", value=409, times=None)
    perform(house.desk, Action.CREATE, stay)

    house.cycle()

    row = house.row(stay)
    assert (row["Job Status"], row["Sync Status"]) == ("Scheduled", "Synced")


def test_a_job_that_shows_up_late_is_adopted_and_not_made_again(house: House) -> None:
    stay = house.stay()
    house.service.fault("status", method="POST", path="^/jobs$", value=503, times=2)
    perform(house.desk, Action.CREATE, stay)
    job = house.hand_made(notes=f"Changeover ref {stay}")

    house.cycle()

    assert house.row(stay)["Service Job ID"] == job["id"]
    assert whole(house, stay)


def test_a_service_that_is_down_while_it_is_looked_for_leaves_the_creation_open(house: House) -> None:
    stay = house.stay()
    house.service.fault("drop-after-commit", method="POST", path="^/jobs$")
    looks = 0

    def down_after_the_post(_seconds: float) -> None:
        nonlocal looks
        looks += 1
        house.service.fault("status", method="GET", path="^/jobs$", value=503, times=2)

    clock = iter(datetime.now(UTC) + timedelta(seconds=number / 100) for number in range(10_000))
    desk = replace(house.desk, pauses=replace(AT_ONCE, unclear=(5.0,)), sleep=down_after_the_post, clock=clock.__next__)

    answer = perform(desk, Action.CREATE, stay)

    assert (answer.code, looks) == ("hcp_error", 1)
    house.heal()
    house.cycle()
    assert whole(house, stay)


def test_overdue_looks_after_a_restart_are_one(house: House) -> None:
    stay = house.stay()
    killed(house, stay, 8, answered=True)
    with house.desk.db.begin() as connection:
        intent = store.open_intents(connection)[0]
        store.save_intent(connection, replace(intent, posted_at=intent.posted_at - timedelta(hours=2)))
    desk = replace(house.desk, pauses=replace(AT_ONCE, unclear=(2.0, 10.0, 30.0)))

    calls = house.hcp_calls(lambda: perform(desk, Action.CREATE, stay))

    assert calls.count("GET /jobs") <= 2
    assert whole(house, stay)


def test_a_row_deleted_while_its_job_was_made_ends_the_creation_and_leaves_an_orphan(house: House) -> None:
    """J-92."""
    stay = house.stay()
    house.service.fault("status", method="PUT", path="bulk_update", value=409)
    perform(house.desk, Action.CREATE, stay)
    house.remove(stay)

    house.cycle()

    (job,) = house.jobs()
    with house.desk.db.read() as connection:
        assert store.open_intents(connection) == ()
    assert ("job_orphan", job["id"]) in house.alerts()


def test_a_base_that_does_not_take_the_id_keeps_the_creation_open(house: House) -> None:
    """J-54, J-58, JX-42."""
    stay = house.stay()
    house.break_airtable(times=3, value=503)

    answer = perform(house.desk, Action.CREATE, stay)

    assert (answer.code, answer.http) == ("airtable_error", 502)
    assert "Service Job ID" not in house.row(stay)
    house.heal()
    house.cycle()
    assert whole(house, stay)


def test_creations_stay_open_while_the_services_are_down(house: House) -> None:
    """C-65: after five calls in a row without an answer the service is left alone, and the step ends."""
    stays = [house.stay(days=3 + number) for number in range(7)]
    for stay in stays:
        house.service.fault("status", method="PUT", path="bulk_update", value=409)
        perform(house.desk, Action.CREATE, stay)
    house.service.fault("status", method="GET", path="line_items$", value=503, times=None)
    house.refresh()

    mark = house.mark()
    adding = house.cycle()[1]

    assert adding.counters["errors"] == 3  # each row is tried twice here
    assert sum("line_items" in call for call in house.calls(mark)[1]) == 5
    house.heal()
    house.cycle()
    assert all(whole(house, stay) for stay in stays)


def test_one_whose_row_is_being_worked_on_is_left_to_whoever_does(house: House) -> None:
    from changeover.engine.jobs.claims import claim

    stay = house.stay()
    house.service.fault("status", method="PUT", path="bulk_update", value=409)
    perform(house.desk, Action.CREATE, stay)

    with claim(house.desk.db, stay, 0, house.desk.sleep):
        results = house.cycle()

    assert results[1].counters["recovered"] == 0
    assert results[1].counters["errors"] == 0
