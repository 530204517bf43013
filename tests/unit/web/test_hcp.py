"""Housecall Pro's door by itself: who gets in, what is stored, what is told (J-72 … J-75)."""

from __future__ import annotations

import hashlib
import io
import sqlite3
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from flask.testing import FlaskClient

from changeover.engine import disk
from changeover.engine.disk import Disk, DiskLevel
from changeover.store import hooks
from changeover.web import hcp
from changeover.web.app import create_app
from changeover.web.sites import Deployment
from plugins.front_door import House
from plugins.hooks import COMPANIES, JOB, PATHS, PING, SECRETS, a_hook, enqueued, hook_house, hooks_of, signed

__all__ = ["hook_house"]

QUEUED = {"status": "success", "message": "Webhook queued"}
OF_DEV = {"company_id": COMPANIES["dev"]}


@pytest.fixture
def opened(hook_house: House) -> Iterator[Callable[[], FlaskClient]]:
    """Opens the application over the house as it is by then."""
    deployments: list[Deployment] = []

    def client() -> FlaskClient:
        deployments.append(Deployment.open(hook_house.write().inbound()))
        return create_app(deployments[-1]).test_client()

    client.deployments = deployments
    yield client
    for each in deployments:
        each.close()


def post(client: FlaskClient, body: bytes, headers: dict[str, str] | None = None, path: str = PATHS["prod"]):
    return client.post(path, data=body, headers=signed(body) if headers is None else headers)


# -- who gets in -------------------------------------------------------------------------------------------------------


def test_a_proven_webhook_is_stored_with_its_work_and_acknowledged(hook_house, opened):
    body = a_hook()
    answer = post(opened(), body)
    assert (answer.status_code, answer.json) == (200, QUEUED)
    (event,) = hooks_of(hook_house)
    assert (event.state, event.summary) == ("received", f"job.updated — {JOB} — received")
    assert event.payload["sha256"] == hashlib.sha256(body).hexdigest()
    assert enqueued(hook_house) == {event.id: JOB}
    with hook_house.database() as database, database.read() as connection:
        assert hooks.body(connection, event.id) == body
        assert hooks.job_of(connection, event.id) == JOB
    assert hooks_of(hook_house, "dev") == ()


def test_the_path_names_the_environment_and_its_secret_proves_it(hook_house, opened):
    """J-74, JX-51."""
    client, body = opened(), a_hook(**OF_DEV)
    assert post(client, body, signed(body, SECRETS["prod"]), PATHS["dev"]).status_code == 401
    assert post(client, body, signed(body, SECRETS["dev"]), PATHS["prod"]).status_code == 401
    assert post(client, body, signed(body, SECRETS["dev"]), PATHS["dev"]).json == QUEUED
    assert (len(hooks_of(hook_house, "dev")), len(hooks_of(hook_house))) == (1, 0)


def test_what_is_forged_or_stale_is_401_and_counted(hook_house, opened):
    """J-72, JX-40."""
    client, body = opened(), a_hook()
    good = signed(body)
    tried = [
        good | {"Api-Signature": ""},
        good | {"Api-Timestamp": ""},
        good | {"Api-Signature": "0" * 64},
        good | {"Api-Timestamp": "1772647331"},
        {"X-Internal-Auth": "x"},
        {"X-Internal-Auth": ""},
    ]
    for headers in tried:
        answer = post(client, body, headers)
        assert (answer.status_code, answer.json["code"]) == (401, "unauthorized")
    assert hooks_of(hook_house) == ()
    opened.deployments[0].sites["prod"].hooks.refuse(datetime.now(UTC))  # with it those that came in a storm
    opened.deployments[0].close()
    with hook_house.database() as database, database.read() as connection:
        assert hooks.refused(connection) in range(1, len(tried) + 2)


def test_the_clock_may_differ_by_five_minutes(opened):
    client, body = opened(), a_hook()
    assert post(client, body, signed(body, at=time.time() - 310)).status_code == 401
    assert post(client, body, signed(body, at=time.time() - 290)).status_code == 200


def test_two_secrets_hold_while_one_is_changed(hook_house, opened):
    hook_house.set("prod", HCP_WEBHOOK_SECRET=f"a-newer-secret-of-prod, {SECRETS['prod']}")
    client = opened()
    for number, secret in enumerate(("a-newer-secret-of-prod", SECRETS["prod"])):
        body = a_hook(n=number)
        assert post(client, body, signed(body, secret)).status_code == 200
    assert post(client, a_hook(n=3), signed(a_hook(n=3), "a-newer")).status_code == 401


@pytest.mark.parametrize("secret", ["forwarders-word-of-prod", "wörd-of-the-forwarder"])
def test_a_forwarder_with_the_shared_secret_needs_no_signature(hook_house, opened, secret):
    """HC-123."""
    hook_house.set("prod", SERVATIV_WEBHOOK_SECRET=secret)
    client, body = opened(), a_hook()
    shown = secret.encode().decode("latin-1")
    assert post(client, body, {"X-Internal-Auth": shown}).status_code == 200
    assert post(client, body, {"X-Internal-Auth": shown, "Api-Signature": "wrong"}).status_code == 200
    assert post(client, body, {"X-Internal-Auth": shown + "x"}).status_code == 401
    assert post(client, body, {"X-Internal-Auth": shown}, PATHS["dev"]).status_code == 401


def test_without_any_secret_every_way_in_is_shut_but_a_ping_is_answered(hook_house, opened):
    """X-1, HC-76, JX-52."""
    hook_house.set("prod", HCP_WEBHOOK_SECRET=None)
    client = opened()
    for secret in ("", "None"):
        assert post(client, a_hook(), signed(a_hook(), secret)).status_code == 401
    assert post(client, PING, {}).status_code == 200
    assert post(client, b'{ "foo": "bar" }', {}).status_code == 200
    assert hooks_of(hook_house) == ()


def test_an_environment_that_is_not_set_up_is_unknown(hook_house, opened):
    """JX-40: what is not there is a 404, not a 200."""
    del hook_house.settings["dev"]
    (hook_house.folder / "config" / "dev.env").unlink()
    assert post(opened(), PING, {}, PATHS["dev"]).status_code == 404


# -- what is stored ----------------------------------------------------------------------------------------------------


def test_a_repeat_is_200_counted_and_worked_once(hook_house, opened):
    """J-75."""
    client, body = opened(), a_hook()
    for _ in range(3):
        assert post(client, body).json == QUEUED
    (event,) = hooks_of(hook_house)
    with hook_house.database() as database, database.read() as connection:
        assert hooks.repeats(connection, [event.id]) == {event.id: 2}
    assert list(enqueued(hook_house)) == [event.id]


def test_what_is_proven_but_no_event_is_kept_as_rejected(hook_house, opened):
    """J-73."""
    client = opened()
    bodies = [b"", b"[1]", b"nonsense", b"\xff\xfe\0", b'"text"', b'{"event": 7}']
    for body in bodies:
        assert post(client, body).json == QUEUED
    found = hooks_of(hook_house)
    assert {(each.state, each.summary) for each in found} == {("rejected", "rejected — no event")}
    with hook_house.database() as database, database.read() as connection:
        assert {hooks.body(connection, each.id) for each in found} == set(bodies)
    assert enqueued(hook_house) == {}


def test_another_companys_event_is_kept_told_and_not_worked(hook_house, opened):
    """J-74."""
    client = opened()
    assert post(client, a_hook(**OF_DEV)).json == QUEUED
    assert [each.state for each in hooks_of(hook_house)] == ["foreign"]
    assert enqueued(hook_house) == {}
    assert hook_house.alerts()["foreign_event"].level == "error"
    assert post(client, a_hook()).status_code == 200
    assert "foreign_event" in hook_house.alerts()  # the next one may come in a minute


def test_an_event_that_names_our_company_or_none_is_ours(hook_house, opened):
    client = opened()
    for company in (COMPANIES["prod"].upper(), None, 7):
        assert post(client, a_hook(company_id=company)).json == QUEUED
    assert [each.state for each in hooks_of(hook_house)] == ["received"] * 3


def test_where_no_company_is_set_none_is_compared(hook_house, opened):
    """HC-122."""
    hook_house.set("prod", HCP_COMPANY_ID=None)
    assert post(opened(), a_hook(**OF_DEV)).json == QUEUED
    assert [each.state for each in hooks_of(hook_house)] == ["received"]


def test_what_leads_to_no_job_is_stored_and_done(hook_house, opened):
    """J-79, J-80, JX-54: nothing that somebody wrote gets into a list, a query or a call."""
    client = opened()
    told = {
        ("customer.updated", "cus_1"): "customer.updated — done",
        ("invoice.paid", "inv_1"): "invoice.paid — done",
        ("something.new", ""): "something.new — done",
        ("job.updated", "job_1' OR 1=1"): "job.updated — done — names no job",
        ("job.created", 7): "job.created — done — names no job",
        ("job.appointment.scheduled", "appt_1"): "job.appointment.scheduled — done — names no job",
        ("Call 602-555-0100", ""): "done",
    }
    for event, resource in told:
        assert post(client, a_hook(event, {"id": resource})).json == QUEUED
    found = hooks_of(hook_house)
    assert {(each.state, each.summary) for each in found} == {("done", each) for each in told.values()}
    assert all(each.ended_at for each in found)
    assert enqueued(hook_house) == {}


def test_an_appointments_work_waits_in_its_jobs_queue(hook_house, opened):
    body = a_hook("job.appointment.rescheduled", {"id": "appt_1", "job_id": JOB})
    assert post(opened(), body).status_code == 200
    assert list(enqueued(hook_house).values()) == [JOB]


# -- limits and faults -------------------------------------------------------------------------------------------------


def test_over_2_mb_is_413_and_below_it_is_taken(hook_house, opened):
    client = opened()
    large = a_hook(n="x" * (hcp.LARGEST - 400))
    assert len(large) < hcp.LARGEST
    assert post(client, large).status_code == 200
    assert post(client, large + b" " * 400, signed(large)).status_code == 413
    assert len(hooks_of(hook_house)) == 1


def test_what_cannot_be_stored_is_503_and_is_told(hook_house, opened):
    client = opened()
    site = opened.deployments[0].sites["prod"]
    site._writer._patience = 0.05
    connection = sqlite3.connect(hook_house.data() / "state.db", isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    body = a_hook()
    assert post(client, body).status_code == 503
    connection.close()
    site._writer.submit(lambda _: None)
    assert hook_house.alerts()["webhook_intake_failed"].subject == "database"
    assert post(client, body).status_code == 200
    site._writer.submit(lambda _: None)
    assert "webhook_intake_failed" not in hook_house.alerts()


def test_on_a_full_disk_nothing_is_taken(hook_house, opened, monkeypatch):
    """F-4."""
    client = opened()
    monkeypatch.setattr(disk, "check", lambda _: Disk(DiskLevel.UNDER_FLOOR))
    assert post(client, a_hook()).status_code == 503
    assert hook_house.alerts()["webhook_intake_failed"].level == "critical"
    assert hooks_of(hook_house) == ()


def test_while_it_ends_and_in_trouble_nobody_knows_it_says_503(hook_house, opened, monkeypatch):
    client = opened()
    with monkeypatch.context() as patch:
        patch.setattr(hooks, "receive", lambda *_: 1 / 0)
        assert post(client, a_hook()).status_code == 503
    assert hook_house.alerts()["webhook_intake_failed"].subject == "unexpected"
    opened.deployments[0].close()
    assert post(client, a_hook()).status_code == 503
    assert post(client, a_hook(), {}).status_code == 401


def test_a_body_that_breaks_off_is_400_even_for_those_who_prove_themselves_by_a_word(hook_house, opened):
    """X-5: half an event must not be acknowledged."""
    hook_house.set("prod", SERVATIV_WEBHOOK_SECRET="forwarders-word-of-prod")
    client, half = opened(), a_hook()[:-9]

    class Broken:
        def read(self, _size: int) -> bytes:
            raise OSError

    for stream in (io.BytesIO(half), Broken()):
        environ = {"wsgi.input": stream, "wsgi.input_terminated": True, "CONTENT_LENGTH": str(len(half) + 9)}
        headers = {"X-Internal-Auth": "forwarders-word-of-prod"}
        assert client.post(PATHS["prod"], environ_overrides=environ, headers=headers).status_code == 400
    assert hooks_of(hook_house) == ()


def test_a_body_without_length_is_taken_where_the_server_knows_its_end(hook_house, opened):
    client, body = opened(), a_hook()
    chunked = {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True}

    def send(content: bytes, **more: object) -> int:
        environ = {**chunked, **more, "wsgi.input": io.BytesIO(content)}
        return client.post(PATHS["prod"], environ_overrides=environ, headers=signed(body)).status_code

    assert send(body) == 200
    assert send(b"x" * hcp.LARGEST * 2) == 413
    del chunked["wsgi.input_terminated"]
    assert send(body) == 401  # nothing is read where the end is not known


def test_ten_forged_ones_an_hour_are_an_alert_until_they_cease(hook_house, opened, monkeypatch):
    """A-9."""
    client = opened()
    for number in range(10):
        assert "webhook_forged" not in hook_house.alerts()
        assert post(client, a_hook(n=number), {}).status_code == 401
    assert hook_house.alerts()["webhook_forged"].level == "warning"
    assert post(client, a_hook()).status_code == 200
    assert "webhook_forged" in hook_house.alerts()
    refusals = opened.deployments[0].sites["prod"].hooks._refusals
    refusals._times.extend(each - 2 * hcp._ONCE_AN_HOUR for each in [refusals._times.popleft()])
    refusals._times.rotate(1)
    assert post(client, a_hook(n=1)).status_code == 200
    opened.deployments[0].sites["prod"]._writer.submit(lambda _: None)
    assert "webhook_forged" not in hook_house.alerts()


def test_other_methods_are_405(opened):
    client = opened()
    for method in ("get", "put", "delete", "options"):
        assert getattr(client, method)(PATHS["prod"]).status_code == 405
