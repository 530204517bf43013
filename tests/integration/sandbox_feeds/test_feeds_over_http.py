"""The feeds stand-in as a calendar client and a test from outside see it."""

import base64
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date
from pathlib import Path

import icalendar
import pytest
import requests

from changeover_sandbox.feeds import events_of
from changeover_sandbox.world import Channel, Feed, World

Serve = Callable[[Path | None, World | None], str]
Restartable = Callable[[World | None], AbstractContextManager[str]]


def _feed(world: World, platform: Channel) -> Feed:
    return next(feed for feed in world.feeds if feed.platform is platform)


def _get(url: str, name: str, **headers: str) -> requests.Response:
    return requests.get(f"{url}/ics/{name}.ics", headers=headers, timeout=5)


def _order(method: str, url: str, **body: object) -> requests.Response:
    return requests.request(method, url, json=body, timeout=5)


def test_every_feed_of_the_world_is_served_as_a_calendar_without_validators(url: str, world: World) -> None:
    for feed in world.feeds:
        answer = _get(url, feed.name)
        assert answer.status_code == 200
        assert answer.headers["Content-Type"] == "text/calendar; charset=utf-8"
        assert not {"ETag", "Last-Modified"} & set(answer.headers)
        assert len(icalendar.Calendar.from_ical(answer.content).events) == len(events_of(world, feed))


def test_an_unknown_feed_is_not_found(url: str) -> None:
    assert _get(url, "nobody").status_code == 404


def test_the_world_lists_its_feeds_with_their_houses(url: str, world: World) -> None:
    feeds = requests.get(f"{url}/_sandbox/feeds", timeout=5).json()["feeds"]
    assert [feed["name"] for feed in feeds] == [feed.name for feed in world.feeds]
    assert requests.get(feeds[0]["url"], timeout=5).status_code == 200
    assert feeds[0]["property"] == world.listings[0].name


def test_lodgifys_uids_are_new_at_every_download(url: str, world: World) -> None:
    name = _feed(world, Channel.LODGIFY).name
    uids = [{str(e["UID"]) for e in icalendar.Calendar.from_ical(_get(url, name).content).events} for _ in range(2)]
    assert uids[0]
    assert not uids[0] & uids[1]


def test_the_stamp_is_the_worlds_day_with_the_clocks_time(url: str, world: World) -> None:
    calendar = icalendar.Calendar.from_ical(_get(url, _feed(world, Channel.VRBO).name).content)
    stamps = {event["DTSTAMP"].dt.date() for event in calendar.events}
    assert stamps <= {date(2026, 11, 2), date(2026, 11, 3)}


def test_a_day_brings_its_happenings_and_other_calendars(url: str, world: World) -> None:
    answer = _order("POST", f"{url}/_sandbox/day", date="2026-11-12", hour=9).json()
    happened = world.advance(date(2026, 11, 12), 9)
    assert (answer["date"], answer["hour"]) == ("2026-11-12", 9)
    for what in ("booked", "blocked", "canceled", "changed"):
        assert [each["stay"] for each in answer[what]] == [e.stay.key for e in happened if e.what == what]
    feed = _feed(world, Channel.BOOKING)
    starts = [event["DTSTART"].dt for event in icalendar.Calendar.from_ical(_get(url, feed.name).content).events]
    assert starts == [event.start for event in events_of(world, feed)]


def test_the_truth_names_the_stays_that_should_be_live_rows(url: str, world: World) -> None:
    answer = requests.get(f"{url}/_sandbox/truth", timeout=5).json()
    assert answer["date"] == "2026-11-02"
    for listing in answer["listings"]:
        expected = [(r.stay.key, r.check_in.isoformat(), r.entry_type) for r in world.truth(listing["listing"])]
        assert [(s["stay"], s["check_in"], s["entry_type"]) for s in listing["stays"]] == expected


@pytest.mark.parametrize(
    ("call", "body", "reason"),
    [
        ("day", {"date": "2026-10-01"}, "already at"),
        ("day", {"date": "soon"}, "date"),
        ("day", {"date": "2026-12-01", "hour": 24}, "hour"),
        ("latency", {"median": -1}, "median"),
        ("world", {"seed": 1, "feeds": 3}, "date"),
    ],
)
def test_an_order_that_cannot_be_meant_is_refused_with_its_reason(
    url: str, call: str, body: object, reason: str
) -> None:
    answer = requests.post(f"{url}/_sandbox/{call}", json=body, timeout=5)
    assert answer.status_code == 400
    assert reason in answer.json()["error"]


def test_any_name_can_be_given_a_feed_where_there_is_no_world(serve: Serve) -> None:
    url = serve(None, None)
    answer = _order("PUT", f"{url}/_sandbox/feeds/casa", body="BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n")
    assert answer.json() == {"url": f"{url}/ics/casa.ics"}
    served = requests.get(answer.json()["url"], timeout=5)
    assert (served.status_code, served.content) == (200, b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n")
    assert served.headers["Content-Type"] == "text/calendar; charset=utf-8"
    assert requests.get(f"{url}/_sandbox/truth", timeout=5).json() == {"date": None, "listings": []}
    assert requests.get(f"{url}/_sandbox/feeds", timeout=5).json() == {"feeds": []}
    assert "no business" in _order("POST", f"{url}/_sandbox/day", date="2026-11-03").json()["error"]


def test_a_feed_can_answer_broken_bytes_any_status_and_headers(url: str, world: World) -> None:
    name, raw = world.feeds[0].name, b"\xff\xfe\x00BEGIN"
    body = base64.b64encode(raw).decode()
    _order(
        "PUT", f"{url}/_sandbox/feeds/{name}", status=503, headers={"Retry-After": "7"}, body_base64=body, delay=0.01
    )
    answer = _get(url, name)
    assert (answer.status_code, answer.headers["Retry-After"], answer.content) == (503, "7", raw)


def test_a_feed_is_given_back_to_the_world(url: str, world: World) -> None:
    name = world.feeds[0].name
    _order("PUT", f"{url}/_sandbox/feeds/{name}", headers={"content-type": "text/html"}, body="<html>")
    assert _get(url, name).headers["Content-Type"] == "text/html"
    assert requests.delete(f"{url}/_sandbox/feeds/{name}", timeout=5).json()["restored"] is True
    assert requests.delete(f"{url}/_sandbox/feeds/{name}", timeout=5).json()["restored"] is False
    assert _get(url, name).text.startswith("BEGIN:VCALENDAR")


@pytest.mark.parametrize(
    "body", [{"status": 99}, {"body_base64": "%%%"}, {"delay": -1}, {"colour": "red"}, {"headers": "none"}]
)
def test_an_override_that_cannot_be_meant_is_refused(url: str, body: dict[str, object]) -> None:
    assert _order("PUT", f"{url}/_sandbox/feeds/x", **body).status_code == 400
    assert _get(url, "x").status_code == 404


VALIDATORS = {"ETag": '"v1"', "Last-Modified": "Sun, 01 Nov 2026 10:00:00 GMT"}


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"If-None-Match": '"v1"'}, 304),
        ({"If-None-Match": '"v0", W/"v1"'}, 304),
        ({"If-None-Match": '"v2"', "If-Modified-Since": "Sun, 01 Nov 2026 10:00:00 GMT"}, 200),
        ({"If-Modified-Since": "Sun, 01 Nov 2026 10:00:00 GMT"}, 304),
        ({"If-Modified-Since": "Sun, 01 Nov 2026 09:59:59 GMT"}, 200),
        ({"If-Modified-Since": "yesterday"}, 200),
        ({}, 200),
    ],
)
def test_a_feed_with_validators_answers_304_to_a_client_that_has_it(
    url: str, asked: dict[str, str], status: int
) -> None:
    _order("PUT", f"{url}/_sandbox/feeds/x", headers=VALIDATORS, body="BEGIN:VCALENDAR")
    answer = _get(url, "x", **asked)
    assert answer.status_code == status
    assert answer.headers["ETag"] == '"v1"'
    assert bool(answer.content) == (status == 200)


def test_a_feed_without_validators_never_answers_304(url: str) -> None:
    _order("PUT", f"{url}/_sandbox/feeds/x", body="BEGIN:VCALENDAR")
    assert (
        _get(url, "x", **{"If-None-Match": '""', "If-Modified-Since": VALIDATORS["Last-Modified"]}).status_code == 200
    )


def test_headers_that_would_break_the_connection_are_left_out(url: str) -> None:
    _order("PUT", f"{url}/_sandbox/feeds/x", headers={"Content-Length": "999"}, body="abc")
    assert _get(url, "x").content == b"abc"


def test_latency_is_set_and_switched_off(url: str, world: World) -> None:
    assert _order("POST", f"{url}/_sandbox/latency", median=0.005, sigma=0.1, seed=3).json()["median"] == 0.005
    assert _get(url, world.feeds[0].name).status_code == 200
    assert _order("POST", f"{url}/_sandbox/latency").json() == {"median": 0.0, "sigma": 0.0, "seed": 0}


def test_requests_are_listed_and_faults_spoil_them(url: str, world: World) -> None:
    name = world.feeds[0].name
    fault = {"method": "GET", "path": "/ics/", "mode": "html", "times": 1}
    requests.post(f"{url}/_sandbox/faults", json=fault, timeout=5)
    assert _get(url, name).headers["Content-Type"].startswith("text/html")
    assert _get(url, name).headers["Content-Type"].startswith("text/calendar")
    listed = requests.get(f"{url}/_sandbox/requests", timeout=5).json()["requests"]
    assert [(each["method"], each["path"]) for each in listed] == [("GET", f"/ics/{name}.ics")] * 2


def test_reset_goes_back_to_the_first_day_with_nothing_overridden(url: str, world: World) -> None:
    _order("POST", f"{url}/_sandbox/day", date="2026-11-20")
    _order("PUT", f"{url}/_sandbox/feeds/{world.feeds[0].name}", body="x")
    requests.post(f"{url}/_sandbox/reset", timeout=5)
    assert requests.get(f"{url}/_sandbox/truth", timeout=5).json()["date"] == "2026-11-02"
    assert _get(url, world.feeds[0].name).text.startswith("BEGIN:VCALENDAR")


def test_reset_without_a_world_drops_the_overrides(serve: Serve) -> None:
    url = serve(None, None)
    _order("PUT", f"{url}/_sandbox/feeds/casa", body="x")
    requests.post(f"{url}/_sandbox/reset", timeout=5)
    assert _get(url, "casa").status_code == 404


def test_a_business_can_be_founded_in_a_running_stand_in(serve: Serve) -> None:
    url = serve(None, None)
    _order("POST", f"{url}/_sandbox/world", seed=9, feeds=4, date="2026-11-05")
    assert _get(url, World(9, 4, date(2026, 11, 5)).feeds[3].name).status_code == 200


def test_after_a_restart_the_day_and_the_overrides_are_what_they_were(restartable: Restartable) -> None:
    with restartable(World(5, 26, date(2026, 11, 2))) as url:
        _order("POST", f"{url}/_sandbox/day", date="2026-11-09", hour=14)
        _order("PUT", f"{url}/_sandbox/feeds/casa", status=410, headers={"X-Why": "gone"}, body="bye")
        before = requests.get(f"{url}/_sandbox/truth", timeout=5).json()
    with restartable(None) as url:
        assert requests.get(f"{url}/_sandbox/truth", timeout=5).json() == before
        answer = _get(url, "casa")
        assert (answer.status_code, answer.headers["X-Why"], answer.text) == (410, "gone", "bye")
