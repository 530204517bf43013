"""What is told when, how it is signed, repeated, doubled and delayed (HC-75 to HC-87, HC-113, HC-114)."""

import asyncio
import hashlib
import hmac
import json
import time

import aiohttp
import pytest
import requests
from aiohttp import web

from changeover_sandbox.housecallpro import deliveries
from changeover_sandbox.housecallpro.app import create_app
from plugins.housecallpro import DEV, END, PLACE, PROD, REPEAT_AFTER, START, Clock, Server, Service

LATER, LATER_END = "2026-03-06T17:00:00Z", "2026-03-06T19:30:00Z"
VISIT = {"start_time": LATER, "end_time": LATER_END, "dispatched_employees_ids": []}
A = "job.appointment."
SCHEDULED, RESCHEDULED, DISCARDED = f"{A}scheduled", f"{A}rescheduled", f"{A}appointment_discarded"
ASSIGNED, UNASSIGNED = f"{A}appointment_pros_assigned", f"{A}appointment_pros_unassigned"
CREATED = ["job.created", SCHEDULED, "job.scheduled"]


@pytest.fixture
def heard(service, receiver):
    """What a deed makes the receiver hear, in order."""
    service.listen(receiver.url)

    def events(deed, *arguments: object, **more: object) -> list[str]:
        service.settle()
        receiver.clear()
        deed(*arguments, **more)
        service.settle()
        return receiver.events

    return events


def test_a_saved_address_is_pinged_unsigned(service, receiver) -> None:
    """HC-76, HC-112."""
    service.listen(receiver.url)
    (ping,) = receiver.posts
    assert ping.raw == b'{"foo":"bar"}'
    assert not {"Api-Signature", "Api-Timestamp"} & set(ping.headers)
    assert ping.headers["Content-Type"] == "application/json"


def test_until_an_address_is_set_nothing_is_sent(service, receiver) -> None:
    """HC-112."""
    service.job()
    assert service.settle() == []
    service.listen(receiver.url)
    service.settle()
    assert receiver.events == ["ping"]


@pytest.mark.parametrize(("secret", "key"), [(None, DEV.webhook_secret), ("other", "other"), ("", "")])
def test_events_are_signed_over_timestamp_and_raw_body(service, receiver, secret: str | None, key: str) -> None:
    """HC-79, HC-80, HC-112: with the company's own secret, unless another is set."""
    service.listen(receiver.url, **({} if secret is None else {"secret": secret}))
    service.clock.stopped_at = 1772647331
    service.customer(first_name="Zoë ✨")
    service.settle()
    post = receiver.posts[-1]
    message = post.headers["Api-Timestamp"].encode() + b"." + post.raw
    assert post.headers["Api-Timestamp"] == "1772647331"
    assert post.headers["Api-Signature"] == hmac.new(key.encode(), message, hashlib.sha256).hexdigest()
    assert "Zoë ✨".encode() in post.raw


def test_the_envelope_names_event_time_and_company_but_has_no_id(service, receiver, heard) -> None:
    job = service.job()
    assert heard(service.act, job, "start", at="2026-03-04T18:02:11Z") == ["job.started", "job.updated"]
    body = receiver.posts[0].body
    assert list(body) == ["event", "event_occurred_at", "company_id", "job"]
    assert (body["event_occurred_at"], body["company_id"]) == ("2026-03-04T18:02:11Z", DEV.company_id)
    assert body["job"] == {**service.read(job), "attachments": []}


def test_an_appointment_event_names_job_and_people_as_objects(service, receiver, heard) -> None:
    robin, sasha = service.employee("Robin"), service.employee("Sasha")
    job = service.job(assigned_employee_ids=[robin["id"]])
    path = f"/jobs/{job['id']}/dispatch"
    body = {"dispatched_employees": [{"employee_id": sasha["id"]}]}
    assert heard(service.ok, "PUT", path, body) == [UNASSIGNED, ASSIGNED, "job.updated"]
    left, came = (post.body["appointment"] for post in receiver.posts[:2])
    assert {key: value for key, value in came.items() if key != "dispatched_employees"} == {
        "id": job["schedule"]["appointments"][0]["id"],
        "job_id": job["id"],
        "start_time": START,
        "end_time": END,
        "arrival_window_minutes": 0,
    }
    assert [one["first_name"] for one in left["dispatched_employees"]] == ["Robin"]
    assert [one["first_name"] for one in came["dispatched_employees"]] == ["Sasha"]


def test_a_discarded_appointment_tells_only_its_id_and_the_jobs(service, receiver, heard) -> None:
    job = service.job()
    assert heard(service.ok, "DELETE", f"/jobs/{job['id']}/schedule") == [DISCARDED, "job.updated"]
    visit = job["schedule"]["appointments"][0]["id"]
    assert receiver.posts[0].body["appointment"] == {"id": visit, "job_id": job["id"]}


def test_creation_tells_of_job_visit_and_people(service, heard) -> None:
    customer, robin = service.customer(), service.employee()
    people = {"assigned_employee_ids": [robin["id"]]}
    assert heard(service.job, customer=customer) == CREATED
    assert heard(service.job, customer=customer, **people) == [*CREATED, ASSIGNED]
    assert heard(service.job, start=None, customer=customer, **people) == ["job.created"]


def test_a_schedule_tells_whether_there_was_one_before(service, heard) -> None:
    robin, sasha = service.employee("Robin"), service.employee("Sasha")
    job = service.job(start=None, assigned_employee_ids=[robin["id"]])
    path, body = f"/jobs/{job['id']}/schedule", {"start_time": LATER}
    other = {**body, "dispatched_employees": [{"employee_id": sasha["id"]}]}
    assert heard(service.ok, "PUT", path, body) == [SCHEDULED, "job.scheduled", "job.updated"]
    assert heard(service.ok, "PUT", path, body) == [RESCHEDULED, "job.updated"]
    assert heard(service.ok, "PUT", path, other) == [UNASSIGNED, ASSIGNED, RESCHEDULED, "job.updated"]
    assert heard(service.ok, "DELETE", path) == [DISCARDED, "job.updated"]
    assert heard(service.ok, "DELETE", path) == ["job.updated"]
    assert heard(service.ok, "PUT", path, other) == [SCHEDULED, "job.scheduled", ASSIGNED, "job.updated"]
    assert heard(service.act, job, "reschedule", start=START) == [RESCHEDULED, "job.updated"]


def test_an_action_answers_the_events_it_causes(service, heard) -> None:
    robin = service.employee()
    job = service.job(line_items=[{"name": "A"}])
    visit = {"start": LATER, "end": LATER_END}
    for action, more, expected in (
        ("assign", {"employee_ids": [robin["id"]]}, [ASSIGNED, RESCHEDULED, "job.updated"]),
        ("unassign", {"employee_ids": [robin["id"]]}, [UNASSIGNED, RESCHEDULED, "job.updated"]),
        ("rename_line_item", {"name": "B"}, ["job.updated"]),
        ("on_my_way", {}, ["job.on_my_way", "job.updated"]),
        ("start", {}, ["job.started", "job.updated"]),
        ("add_appointment", visit, [SCHEDULED, "job.updated"]),
        ("complete", {}, ["job.completed", "job.updated"]),
        ("delete", {}, ["job.deleted"]),
    ):
        answers = []
        assert heard(lambda a=action, m=more, into=answers: into.append(service.act(job, a, **m))) == expected
        assert answers[0].json()["events"] == expected
    assert heard(service.act, service.job(), "cancel") == ["job.canceled"]
    assert heard(service.act, service.job(start=None), "reschedule", start=START)[-1] == "job.updated"


def test_parts_of_a_job_tell_that_it_was_updated(service, heard) -> None:
    job = service.job(line_items=[{"name": "A"}], notes="N")
    line = f"line_items/{service.lines(job)[0]['id']}"
    tag = service.ok("POST", "/tags", {"name": "Pool"})["id"]
    for method, path, body in (
        ("PUT", line, {"name": "B"}),
        ("DELETE", line, None),
        ("POST", "line_items", {"name": "C"}),
        ("PUT", "line_items/bulk_update", {"line_items": []}),
        ("POST", "notes", {"content": "A"}),
        ("DELETE", f"notes/{job['notes'][0]['id']}", None),
        ("POST", "tags", {"tag_id": tag}),
        ("DELETE", f"tags/{tag}", None),
        ("PUT", "dispatch", {"dispatched_employees": []}),
        ("POST", "lock", None),
    ):
        assert heard(service.ok, method, f"/jobs/{job['id']}/{path}", body) == ["job.updated"], path


def test_appointments_tell_what_became_of_them(service, heard) -> None:
    job, robin = service.job(), service.employee()
    path = f"/jobs/{job['id']}/appointments"
    assert heard(service.ok, "POST", path, VISIT) == [SCHEDULED, "job.updated"]
    second = f"{path}/{service.visits(job)[1]['id']}"
    assert heard(service.ok, "PUT", second, VISIT) == [RESCHEDULED, "job.updated"]
    people = {**VISIT, "dispatched_employees_ids": [robin["id"]]}
    assert heard(service.ok, "PUT", second, people) == [ASSIGNED, RESCHEDULED, "job.updated"]
    assert heard(service.ok, "DELETE", second) == [DISCARDED, "job.updated"]
    assert heard(service.ok, "POST", path, VISIT) == [SCHEDULED, "job.updated"]
    assert heard(service.ok, "DELETE", f"/jobs/{job['id']}/schedule") == [DISCARDED, DISCARDED, "job.updated"]


def test_customers_tell_that_they_were_created_and_changed(service, receiver, heard) -> None:
    assert heard(service.customer) == ["customer.created"]
    customer = receiver.posts[0].body["customer"]
    path = f"/customers/{customer['id']}"
    assert heard(service.ok, "PUT", path, {"last_name": "Example"}) == ["customer.updated"]
    assert heard(service.ok, "POST", f"{path}/addresses", PLACE) == ["customer.updated"]
    assert receiver.posts[0].body["customer"] == service.ok("GET", path)


def test_reading_and_refused_writes_tell_nothing(service, heard) -> None:
    job = service.job()
    service.act(job, "cancel")
    assert heard(service.ok, "GET", "/jobs") == []
    assert heard(service.call, "PUT", f"/jobs/{job['id']}/schedule", {"start_time": LATER}) == []
    assert heard(service.act, job, "start") == []
    assert heard(service.employee) == []


def test_what_is_not_accepted_is_repeated_with_a_fresh_timestamp_and_the_same_body(service, receiver) -> None:
    """HC-77, HC-114."""
    service.listen(receiver.url)
    receiver.statuses[:] = [500, 302, 200]
    service.clock.step = 1.0
    service.customer()
    made = [one for one in service.settle() if one["event"] == "customer.created"]
    assert [(one["attempt"], one["status"]) for one in made] == [(0, 500), (1, 302), (2, 200)]
    posts = [post for post in receiver.posts if post.event == "customer.created"]
    assert len({post.raw for post in posts}) == 1
    assert len({post.headers["Api-Timestamp"] for post in posts}) == 3
    assert len({post.headers["Api-Signature"] for post in posts}) == 3


def test_after_three_repeats_an_event_is_lost(service, receiver) -> None:
    service.listen(receiver.url)
    receiver.statuses[:] = [503]
    service.customer()
    assert [one["status"] for one in service.settle()[1:]] == [503] * (1 + len(REPEAT_AFTER))


def test_a_receiver_that_is_not_there_is_tried_as_well(service) -> None:
    service.listen("http://127.0.0.1:1/webhooks")
    service.customer()
    assert [one["status"] for one in service.settle()] == [None] * 5


def test_a_receiver_that_takes_too_long_is_tried_again_and_holds_up_no_request(monkeypatch) -> None:
    """HC-77, HC-114."""
    assert deliveries.TIMEOUT.total == 10
    monkeypatch.setattr(deliveries, "TIMEOUT", aiohttp.ClientTimeout(total=0.05))

    async def hold(_request: web.Request) -> web.Response:
        await asyncio.sleep(60)
        return web.Response()

    app = web.Application()
    app.router.add_post("/{path:.*}", hold)
    slow, sender = Server(app), Server(create_app(None, [DEV], repeat_after=REPEAT_AFTER))
    service = Service(sender.url, Clock())
    try:
        service.listen(slow.url)
        service.customer()
        assert service.control("GET", "/deliveries").json()["waiting"] > 0
        made = [one for one in service.settle() if one["event"] == "customer.created"]
        assert [(one["attempt"], one["status"]) for one in made] == [(number, None) for number in range(4)]
    finally:
        sender.stop()
        slow.stop()


def test_later_events_do_not_wait_for_repeats_of_earlier_ones(receiver) -> None:
    patient = Server(create_app(None, [DEV], repeat_after=(3600.0,)))
    service = Service(patient.url, Clock())
    try:
        service.listen(receiver.url)
        receiver.statuses[:] = [500, 200]
        service.job()
        service.until(lambda: receiver.events == ["ping", "customer.created", *CREATED])
        assert service.control("GET", "/deliveries").json()["waiting"] == 1
    finally:
        patient.stop()


def test_every_event_may_come_twice_and_every_cause_in_reverse(service, receiver) -> None:
    customer = service.customer()
    service.listen(receiver.url, duplicate=True)
    receiver.clear()
    service.job(customer=customer)
    service.settle()
    assert receiver.events == [event for event in CREATED for _ in range(2)]
    service.listen(receiver.url, reorder=True)
    receiver.clear()
    service.job(customer=customer)
    service.settle()
    assert receiver.events == CREATED[::-1]


def test_a_delay_holds_events_but_not_the_answer(service, receiver) -> None:
    service.listen(receiver.url, delay=0.15)
    sent = time.monotonic()
    service.customer()
    assert receiver.events == ["ping"]
    service.settle()
    assert receiver.events == ["ping", "customer.created"]
    assert receiver.posts[-1].at - sent >= 0.15


def test_while_webhooks_are_off_events_are_lost(service, receiver, heard) -> None:
    for off, on in (
        (
            lambda: service.control("POST", "/webhooks", {"enabled": False}),
            lambda: service.control("POST", "/webhooks", {"enabled": True}),
        ),
        (
            lambda: service.call("DELETE", "/webhooks/subscription"),
            lambda: service.call("POST", "/webhooks/subscription"),
        ),
    ):
        assert off().status_code == 200
        assert heard(service.customer) == []
        assert on().status_code == 200
        assert heard(service.customer) == ["customer.created"]


def test_the_subscription_answers_nothing_and_keeps_the_address(service, receiver) -> None:
    service.listen(receiver.url, duplicate=True)
    answer = service.call("DELETE", "/webhooks/subscription")
    assert (answer.status_code, answer.content) == (200, b"")
    dev, prod = service.control("GET", "/webhooks").json()["webhooks"]
    expected = {"env": "dev", "url": receiver.url, "enabled": False, "duplicate": True, "reorder": False, "delay": 0.0}
    assert dev == expected
    assert (prod["url"], prod["enabled"]) == ("", True)


def test_what_is_held_back_is_not_sent_once_webhooks_are_off(service, receiver) -> None:
    service.listen(receiver.url, delay=0.1)
    service.customer()
    service.call("DELETE", "/webhooks/subscription")
    service.settle()
    assert receiver.events == ["ping"]


def test_each_company_tells_only_its_own_with_its_own_secret(service, receiver) -> None:
    other = service.as_(PROD)
    other.listen(receiver.url)
    service.customer()
    other.customer()
    service.settle()
    post = receiver.posts[-1]
    assert receiver.events == ["ping", "customer.created"]
    assert post.body["company_id"] == PROD.company_id
    message = post.headers["Api-Timestamp"].encode() + b"." + post.raw
    expected = hmac.new(PROD.webhook_secret.encode(), message, hashlib.sha256).hexdigest()
    assert post.headers["Api-Signature"] == expected


@pytest.mark.parametrize(
    "order",
    [
        {"url": "ftp://127.0.0.1/"},
        {"url": "nowhere"},
        {"env": "test"},
        {"delay": -1},
        {"delay": 601},
        {"colour": "red"},
        [],
    ],
)
def test_settings_that_cannot_be_meant_are_refused(service, order: object) -> None:
    answer = service.control("POST", "/webhooks", order)
    assert (answer.status_code, "error" in answer.json()) == (400, True)


def test_an_address_can_be_taken_away(service, receiver) -> None:
    service.listen(receiver.url)
    assert service.control("POST", "/webhooks", {"url": ""}).json()["url"] == ""
    service.customer()
    service.settle()
    assert receiver.events == ["ping"]


def test_deliveries_are_listed_since_a_number(service, receiver) -> None:
    service.listen(receiver.url)
    service.customer()
    service.settle()
    told = service.control("GET", "/deliveries").json()
    ping, created = told["deliveries"]
    assert (ping["event"], created["event"], created["env"], created["status"]) == (
        "ping",
        "customer.created",
        "dev",
        200,
    )
    assert service.control("GET", "/deliveries", since=created["n"]).json()["deliveries"] == [created]
    assert service.control("GET", "/deliveries", since=told["next"]).json()["deliveries"] == []
    assert service.control("GET", "/deliveries", since="soon").status_code == 400


def test_a_reset_forgets_address_and_what_is_under_way(service, receiver) -> None:
    service.listen(receiver.url, delay=0.1)
    service.customer()
    service.control("POST", "/reset")
    assert service.settle() == []
    service.listen(receiver.url)
    service.settle()
    assert receiver.events == ["ping", "ping"]
    assert json.loads(requests.get(f"{service.url}/_sandbox/webhooks", timeout=5).text)["webhooks"][0]["delay"] == 0
