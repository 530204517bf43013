"""The portal's stand-in over HTTP, without a browser: who gets in, what is answered, how it misbehaves."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest
import requests

from plugins.portal import PASSWORD, Portal, served, tab1, tab2

BOOKINGS = "/s/booking/Booking__c/Recent"
DAY = date(2026, 3, 9)


@pytest.fixture
def portal() -> Iterator[Portal]:
    with served() as portal:
        yield portal


@pytest.fixture
def inside(portal: Portal) -> Portal:
    portal.sign_in()
    return portal


def test_a_stranger_is_sent_to_the_sign_in_and_sees_no_booking(portal):
    assert portal.get("/").url.endswith("/s/login")
    assert portal.get(BOOKINGS).url.endswith("/s/login")
    assert portal.get("/s/api/bookings?tab=1").status_code == 401
    assert portal.get("/s/export?tab=1").status_code == 401


def test_the_right_words_lead_to_the_bookings_and_wrong_ones_back_to_the_form(portal):
    refused = portal.sign_in(password="wrong")
    assert (refused.status_code, "log you in" in refused.text) == (200, True)
    entered = portal.sign_in()
    assert f"{BOOKINGS}?tabset-" in entered.url
    assert portal.get("/").url == entered.url


def test_rows_and_exports_are_those_of_the_asked_tab_and_range(inside):
    inside.shows([tab1(1, DAY), tab1(2, date(2026, 9, 1))], [tab2(3, DAY)])
    rows = inside.get("/s/api/bookings?tab=1&from=2026-03-01&to=2026-04-30").json()
    assert rows["columns"][1] == "Booking #"
    assert [row[1] for row in rows["rows"]] == ["1"]
    whole = inside.get("/s/export?tab=1")
    assert whole.headers["Content-Disposition"] == 'attachment; filename="Booking_Export.csv"'
    assert whole.content.startswith(b"\xef\xbb\xbfGuest Name,Booking #")
    assert whole.content.count(b"\n") == 3
    assert b"\n3," in inside.get("/s/export?tab=2").content


@pytest.mark.parametrize(("query", "status"), [("", 400), ("tab=x", 400), ("tab=3", 404), ("tab=1&from=a&to=b", 400)])
def test_a_question_that_cannot_be_meant_is_refused(inside, query, status):
    assert inside.get(f"/s/export?{query}").status_code == status


def test_orders_that_cannot_be_meant_are_refused_with_the_reason(portal):
    def refused(method: str, path: str, body: object) -> str:
        answer = portal.http.request(method, f"{portal.url}/_sandbox/{path}", json=body, timeout=10)
        assert answer.status_code == 400
        return str(answer.json()["error"])

    assert "tab 1 has no column Colour" in refused("PUT", "bookings", {"tab1": [{"Colour": "red"}]})
    assert "tab3" in refused("PUT", "bookings", {"tab3": []})
    assert "mode" in refused("POST", "misbehaviour", {"mode": "sulking"})


def test_bookings_and_misbehaviour_are_shown_and_a_reset_forgets_them(portal):
    portal.shows([tab1(1, DAY)])
    portal.misbehaves("slow", value=0.01, times=3)
    assert [row["Booking #"] for row in portal.control("GET", "bookings")["tab1"]] == ["1"]
    assert portal.control("GET", "misbehaviour")["misbehaviour"][0]["mode"] == "slow"
    portal.control("POST", "reset")
    assert portal.control("GET", "bookings") == {"tab1": [], "tab2": []}
    assert portal.control("GET", "misbehaviour") == {"misbehaviour": []}


def test_the_journal_shows_calls_and_no_password(portal):
    portal.sign_in()
    assert [(each["method"], each["path"]) for each in portal.requests()][:1] == [("POST", "/s/login")]
    assert PASSWORD not in str(portal.requests())


@pytest.mark.parametrize(
    ("mode", "path", "seen"),
    [
        ("wrong-tab", "/s/export?tab=2", b"Guest Name,Booking #"),
        ("changed-header", "/s/export?tab=2", b"Who,Where,Property Owner"),
        ("html-file", "/s/export?tab=2", b"<form"),
        ("stale-filter", "/s/export?tab=1&from=2026-03-01&to=2026-03-31", b"09-04-2026"),
        ("stale-filter", "/s/api/bookings?tab=1&from=2026-03-01&to=2026-03-31", b"09-04-2026"),
        ("late-file", "/s/export?tab=2", b"Reservation"),
        ("changed-page", BOOKINGS, b"Save as"),
    ],
)
def test_a_misbehaving_portal_answers_as_ordered_and_then_again_as_it_should(inside, mode, path, seen):
    inside.shows([tab1(1, DAY), tab1(2, date(2026, 9, 1))], [tab2(3, DAY)])
    inside.misbehaves(mode, times=1, value=0.01)
    assert seen in inside.get(path).content
    if mode != "late-file":
        assert seen not in inside.get(path).content


def test_a_refusing_portal_refuses_the_right_words_too(portal):
    portal.misbehaves("refused-sign-in", times=1)
    assert "log you in" in portal.sign_in().text
    assert BOOKINGS in portal.sign_in().url


def test_a_session_can_end_in_the_middle(inside):
    inside.misbehaves("signed-out", times=1)
    assert inside.get("/s/api/bookings?tab=1").status_code == 401
    assert inside.get(BOOKINGS).url.endswith("/s/login")


def test_no_file_and_half_a_file_are_what_they_are_called(inside):
    inside.shows([], [tab2(3, DAY)])
    inside.misbehaves("no-file", times=1)
    assert inside.get("/s/export?tab=2").status_code == 204
    inside.misbehaves("half-file", times=1)
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        inside.get("/s/export?tab=2")


def test_a_table_that_never_loads_keeps_one_waiting(inside):
    inside.misbehaves("never-loading")
    with pytest.raises(requests.exceptions.ReadTimeout):
        inside.http.get(f"{inside.url}/s/api/bookings?tab=1", timeout=0.2)


def test_misbehaviour_can_be_called_off_and_may_concern_one_tab_only(inside):
    inside.shows([tab1(1, DAY)], [tab2(3, DAY)])
    inside.misbehaves("changed-header", tab=2)
    assert b"Who,Where" not in inside.get("/s/export?tab=1").content
    inside.behaves()
    assert b"Who,Where" not in inside.get("/s/export?tab=2").content


def test_the_script_and_the_icon_are_served_to_everybody(portal):
    assert "drawBookings" in portal.get("/s/resource/portal.js").text
    assert portal.get("/favicon.ico").status_code == 204
