"""The buttons' pages by themselves: they ask, act once, tell, and change nothing when fetched (J-108, X-3, X-11)."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from changeover.core.job_action import Action
from changeover.engine.jobs.operations import Answer
from changeover.engine.stop import Stop, StopLevel
from changeover.store import mirror
from changeover.store.mirror import Record
from changeover.web import buttons, forms
from changeover.web.keys import button_token
from plugins.asking import ENV, OTHER_KEY, STAY, TOKEN, Desk, done, fields_of

OURS = {"Origin": "http://localhost"}
AT = datetime(2026, 3, 1, 15, tzinfo=UTC)


def ask(desk: Desk, action: str = "create-job", record: str = STAY, token: str = TOKEN, **headers: str) -> TestResponse:
    return desk.client.get(f"/button/{ENV}/{action}?record={record}&token={token}", headers=headers)


def send(desk: Desk, page: TestResponse, action: str = "create-job", client: FlaskClient | None = None, **more: object):
    """Sends the form of a page as it is, but for `more`; headers are those of a browser on our page."""
    headers = more.pop("headers", OURS)
    return (client or desk.client).post(f"/button/{ENV}/{action}", data=fields_of(page.text) | more, headers=headers)


def press(desk: Desk, action: str = "create-job", **more: object) -> TestResponse:
    answer = send(desk, ask(desk, action), action, **more)
    return desk.client.get(answer.location) if answer.status_code == 303 else answer


def row(desk: Desk, **cells: object) -> None:
    """A row as a cycle has read it."""
    given = {"Property ID": ["recHOME0000000001"], "Check-in Date": "2026-03-01", "Check-out Date": "2026-03-04"}
    with desk.database.begin() as connection:
        mirror.put(connection, "Properties", [Record("recHOME0000000001", AT, {"Property Name": "Cactus <House>"})])
        mirror.put(connection, "Reservations", [Record(STAY, AT, given | cells)])


# -- asking ----------------------------------------------------------------------------------------------------------


def test_the_page_shows_the_row_and_asks_and_changes_nothing_however_often_it_is_fetched(desk):
    row(desk, Status="New", **{"Guest Name": "Ada Guest", "Scheduled Service Time": "2026-03-04T17:15:00.000Z"})
    desk.hire()
    for _ in range(3):
        page = ask(desk)
    assert (page.status_code, page.headers["Cache-Control"]) == (200, "no-store")
    for shown in ("Create the job", "Cactus &lt;House&gt;", "March 1 → March 4", "March 4 at 10:15 AM", "dev"):
        assert shown in page.text
    assert "Ada Guest" not in page.text
    assert "<script" not in page.text
    assert desk.operations() == ()


def test_a_row_that_no_cycle_has_read_and_one_with_odd_cells_can_be_asked_for(desk):
    assert "has not been read yet" in ask(desk).text
    row(
        desk,
        **{"Check-in Date": "soon", "Scheduled Service Time": "later", "Service Job ID": "job_1", "Property ID": []},
    )
    assert "? → March 4" in ask(desk).text
    row(desk, **{"Property ID": ["recNOHOME00000001"]})
    assert f"Row {STAY}" in ask(desk).text


@pytest.mark.parametrize("action", list(Action))
def test_each_action_asks_its_own_question(desk, action):
    assert buttons.QUESTIONS[action].button in ask(desk, action).text


@pytest.mark.parametrize(
    ("token", "status"),
    [("", 401), ("guessed", 401), ("é", 401), (button_token(OTHER_KEY, "prod"), 403), (TOKEN + "0", 401)],
)
def test_only_the_environments_link_opens_the_page_and_none_acts(desk, token, status):
    """JX-51."""
    page = ask(desk, token=token)
    assert (page.status_code, "Not done" in page.text) == (status, True)
    assert send(desk, ask(desk), token=token).status_code == status
    assert desk.operations() == ()


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"/button/staging/create-job?record={STAY}&token={TOKEN}", 404),
        (f"/button/{ENV}/delete-everything?record={STAY}&token={TOKEN}", 404),
        (f"/button/{ENV}/create-job?record=nobody&token={TOKEN}", 404),
        (f"/button/{ENV}/create-job?token={TOKEN}", 404),
        (f"/button/{ENV}/create-job/0123?token={TOKEN}", 404),
    ],
)
def test_a_link_that_leads_nowhere_is_no_success(desk, path, status):
    page = desk.client.get(path)
    assert (page.status_code, page.mimetype) == (status, "text/html")


# -- acting once -----------------------------------------------------------------------------------------------------


def test_the_form_acts_once_however_often_it_is_sent_and_its_answer_can_be_fetched_again(desk):
    """JX-4."""
    clerk, page = desk.hire(), ask(desk)
    first, second = send(desk, page), send(desk, page)
    assert (first.status_code, first.location) == (303, second.location)
    for _ in range(2):
        told = desk.client.get(first.location)
        assert (told.status_code, "✓ Create job: done" in told.text) == (200, True)
    assert f"job_of_{STAY}" in told.text
    assert "&lt;b&gt;in sync&lt;/b&gt;" in told.text
    assert clerk.asked == [("create-job", STAY)]
    assert desk.operations()[0].who == "button"
    assert len(desk.operations()) == 1
    assert desk.client.get(first.location.replace("create-job", "delete-schedule")).status_code == 404


def test_a_refusal_is_told_with_its_status_and_what_to_do(desk):
    desk.hire(lambda *_: Answer(False, ENV, code="no_property", error="The row has no Property ID.", http=422))
    told = press(desk)
    assert told.status_code == 422
    for shown in (
        "Not done",
        "The row has no Property ID.",
        "Link the row to its property",
        "Ask again",
        "no_property",
    ):
        assert shown in told.text


def test_when_to_try_again_is_told(desk):
    desk.hire(lambda *_: Answer(False, ENV, code="rate_limited", error="Wait.", http=429, after=7))
    assert press(desk).headers["Retry-After"] == "7"


def test_what_is_under_way_is_shown_until_it_is_done(desk, monkeypatch):
    monkeypatch.setattr(buttons, "WAIT_SECONDS", 0.02)
    go = threading.Event()
    clerk = desk.hire(lambda *given: (go.wait(10), done(*given))[1])
    told = press(desk)
    assert (told.status_code, "looks again by itself" in told.text) == (202, True)
    assert '<meta http-equiv="refresh" content="2">' in told.text
    assert "Under way on this row: Create job" in ask(desk, "delete-schedule").text
    other = press(desk, "delete-schedule")
    assert (other.status_code, "is under way on this row" in other.text) == (409, True)
    go.set()
    monkeypatch.setattr(buttons, "WAIT_SECONDS", 10.0)
    assert press(desk).status_code == 200
    clerk.go()


def test_without_a_worker_the_page_says_so(desk):
    told = press(desk)
    assert (told.status_code, "No worker runs" in told.text) == (202, True)


@pytest.mark.parametrize("level", [StopLevel.READ_ONLY, StopLevel.FULL])
def test_a_stop_lets_nothing_be_asked_or_sent(desk, level):
    page = ask(desk)
    desk.switch.set(Stop(level, "the roof leaks"))
    for answer in (ask(desk), send(desk, page)):
        assert (answer.status_code, "the roof leaks" in answer.text) == (423, True)
    assert desk.operations() == ()


# -- whose form it is (X-10, X-11) -----------------------------------------------------------------------------------


def test_another_browser_a_changed_form_and_an_old_one_do_nothing(desk, monkeypatch):
    page = ask(desk)
    stranger = desk.client.application.test_client()
    sent = [
        send(desk, page, client=stranger),
        send(desk, page, "delete-schedule"),
        send(desk, page, record="recOTHER000000001"),
        send(desk, page, mark="0" * 40),
        send(desk, page, ticket="x"),
        send(desk, page, issued="0"),
    ]
    monkeypatch.setattr(forms.time, "time", lambda now=time.time: now() + forms.LASTS_SECONDS + 2)
    sent.append(send(desk, page))
    assert [each.status_code for each in sent] == [403] * len(sent)
    assert all("open it again from Airtable" in each.text for each in sent)
    assert desk.operations() == ()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "http://localhost"}, 303),
        ({"Origin": "http://localhost:80"}, 303),
        ({}, 303),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "http://localhost:81"}, 403),
        ({"Origin": "https://localhost"}, 403),
        ({"Origin": "http://localhost:99999"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
    ],
)
def test_a_form_is_taken_from_our_own_pages_alone(desk, headers, status):
    assert send(desk, ask(desk), headers=headers).status_code == status


def test_behind_a_proxy_with_tls_the_cookie_is_for_that_host_alone(desk):
    behind = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.5"}
    page = desk.client.get(
        f"/button/{ENV}/create-job?record={STAY}&token={TOKEN}", headers=behind, base_url="https://localhost"
    )
    cookie = page.headers["Set-Cookie"]
    assert cookie.startswith("__Host-changeover-form=")
    for part in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"):
        assert part in cookie
    plain = ask(desk).headers["Set-Cookie"]
    assert plain.startswith("changeover-form=")
    assert "Secure" not in plain
    sent = desk.client.post(
        f"/button/{ENV}/create-job",
        data=fields_of(page.text),
        headers={**behind, "Origin": "https://localhost"},
        base_url="https://localhost",
    )
    assert sent.status_code == 303


def test_a_browser_keeps_its_word(desk):
    first, second = (ask(desk).headers["Set-Cookie"] for _ in range(2))
    assert first == second


def test_a_form_of_more_than_16_kb_is_not_read(desk):
    answer = send(desk, ask(desk), padding="x" * 17_000)
    assert (answer.status_code, answer.mimetype) == (413, "text/html")
