"""Every answer that the mail service can get, from a real server (CM-7, CM-8)."""

from __future__ import annotations

import base64
import json
import sqlite3

import pytest

from changeover.engine.raw_mails import LARGEST
from changeover.web import answers
from plugins.front_door import PATH, USER, a_form, authorization
from plugins.mailbag import JSON, File, Letter, part

ONE = f"{PATH}/prod"


@pytest.fixture
def untouched(door):
    """Whatever the test posts, nothing of it is stored in either environment."""
    before = [(len(door.house.mails(env)), door.house.files(env)) for env in ("dev", "prod")]
    yield
    assert [(len(door.house.mails(env)), door.house.files(env)) for env in ("dev", "prod")] == before


def test_a_stored_mail_is_200_ok_and_so_are_the_same_bytes_again(door):
    before = len(door.house.mails())
    for _ in range(2):
        answer = door.post(a_form("first"))
        assert (answer.status_code, answer.text) == (200, "ok")
        assert answer.headers["Content-Type"].startswith("text/plain")
        assert answers.HEADERS.items() <= answer.headers.items()
    for env in ("dev", "prod"):
        assert door.house.is_whole(env)
        assert len(door.house.mails(env)) == before + 1


@pytest.mark.parametrize(
    "shown",
    [
        "",
        "Bearer abc",
        "Basic",
        "Basic !!",
        authorization("", "x")["Authorization"],
        authorization(USER, "")["Authorization"],
        authorization("nobody", "x")["Authorization"],
    ],
)
@pytest.mark.usefixtures("untouched")
def test_a_stranger_is_401_on_every_route(door, shown):
    for path in (PATH, f"{PATH}/dev", ONE):
        answer = door.post(a_form("stranger"), path, Authorization=shown)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith("Basic")


@pytest.mark.usefixtures("untouched")
def test_a_stranger_gets_that_answer_however_much_he_sends(door):
    assert door.post(b"x" * 25_000_000, **authorization("nobody", "x")).status_code == 401


@pytest.mark.usefixtures("untouched")
def test_a_known_user_with_a_wrong_password_is_503_and_an_alert(door):
    assert door.post(a_form("wrong"), ONE, **authorization(password="x")).status_code == 503
    assert "mail_auth_failed" in door.house.alerts()


@pytest.mark.usefixtures("untouched")
def test_an_unknown_environment_is_404_and_another_method_405(door):
    import requests

    assert door.post(a_form("where"), f"{PATH}/staging").status_code == 404
    assert door.post(a_form("where"), "/webhooks/csv-emails").status_code == 404
    for method in ("GET", "HEAD", "PUT", "DELETE", "OPTIONS"):
        assert requests.request(method, door.url + PATH, headers=authorization(), timeout=9).status_code == 405


@pytest.mark.usefixtures("untouched")
def test_an_empty_or_cut_body_is_503(door):
    body = a_form("cut")
    assert door.post(b"").status_code == 503
    assert door.raw(door.head(), b"") == 503  # no length, no body
    longer = door.head(**{"Content-Length": str(len(body) + 10)})
    assert door.raw(longer, body, close=True) == 503


def test_a_body_longer_than_its_length_is_503_and_what_came_is_kept_for_a_person(door):
    body, before = a_form("longer"), len(door.house.mails())
    shorter = door.head(**{"Content-Length": str(len(body) - 20), "Connection": "close"})
    assert door.raw(shorter, body) == 503
    assert len(door.house.mails()) == before
    found = [name for name in door.house.files() if "unreadable" in name]
    assert [(door.house.data() / name).read_bytes() for name in found] == [body[:-20]]
    (door.house.data() / found[0]).unlink()


@pytest.mark.usefixtures("untouched")
def test_a_body_that_is_announced_too_large_is_503_unread_and_an_alert(door):
    head = door.head(ONE, **{"Content-Length": str(LARGEST + 1)})
    assert door.raw(head, b"--", close=True) == 503
    assert door.house.alerts()["mail_unreadable"].subject == "too large"


def test_what_is_no_mail_is_503_kept_aside_and_an_alert(door):
    assert door.post(b'{"hello": 1}', ONE, content_type=JSON).status_code == 503
    (found,) = [name for name in door.house.files() if "unreadable" in name]
    assert (door.house.data() / found).read_bytes() == b'{"hello": 1}'
    assert "mail_unreadable" in door.house.alerts()
    (door.house.data() / found).unlink()


@pytest.mark.usefixtures("untouched")
def test_a_locked_database_is_503_within_about_two_seconds_and_an_alert_later(door):
    connection = sqlite3.connect(door.house.data() / "state.db", isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    assert door.post(a_form("locked"), ONE).status_code == 503
    assert door.post(a_form("alive"), "/healthz").status_code == 405
    connection.close()
    import requests

    assert requests.get(door.url + "/readyz", timeout=9).json() == {"ready": True, "reasons": []}
    assert door.house.alerts()["mail_intake_failed"].subject == "database"


# -- bodies past every limit on forms (LB-24) ----------------------------------------------------------------------


def chunks(body, size=10_000):
    for start in range(0, len(body), size):
        yield body[start : start + size]


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (a_form("field", part("html", "<p>" + "x" * 2_000_000)), None),
        (a_form("parts", *(part(f"headers[x_{number}]", "v") for number in range(1_500))), None),
        (a_form("file", part("attachments[]", b"a,b\n" * 6_250_000, '; filename="25.csv"')), None),
        (Letter([File(b"a,b\n" * 6_250_000)], subject="json").body(), JSON),
    ],
)
def test_no_limit_on_forms_keeps_a_mail_out(door, body, content_type):
    before = len(door.house.mails())
    more = {} if content_type is None else {"content_type": content_type}
    assert door.post(body, ONE, **more).status_code == 200
    assert len(door.house.mails()) == before + 1
    assert door.house.is_whole()


def test_a_chunked_mail_is_taken(door):
    body = Letter([File(b"a,b\n" * 10_000)], subject="chunked").body()
    assert door.post(chunks(body), ONE, content_type=JSON).status_code == 200
    assert door.post(chunks(a_form("chunked form")), ONE).status_code == 200
    assert door.house.is_whole()


@pytest.mark.parametrize("tail", ["", "5\r\nab", "zz\r\n", "1\r\nabc\r\n"])
@pytest.mark.usefixtures("untouched")
def test_a_chunked_mail_without_its_end_is_503(door, tail):
    body = a_form("without end")
    head = door.head(ONE, **{"Transfer-Encoding": "chunked"})
    sent = f"{len(body):x}\r\n".encode() + body + b"\r\n" + tail.encode()
    assert door.raw(head, sent, close=True) == 503


@pytest.mark.usefixtures("untouched")
def test_a_chunked_mail_whose_form_is_cut_is_503_and_not_kept(door):
    assert door.post(chunks(a_form("cut form")[:-9]), ONE).status_code == 503
    assert (
        door.post(chunks(json.dumps({"envelope": {"to": "x"}}).encode()[:-1]), ONE, content_type=JSON).status_code
        == 503
    )


# -- what the server refuses before we are asked -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (f"POST {PATH} HTTP/1.1\nHost: x\nX-Long: {'x' * 9000}", 503),
        (f"POST {PATH} HTTP/1.1\n" + "\n".join(f"X-{number}: y" for number in range(150)), 503),
        (f"POST {PATH}?{'x' * 5000} HTTP/1.1\nHost: x", 503),
        (f"POST {PATH} HTTP/1.1\nHost: x\nContent-Length: nine", 503),
        (f"POST {PATH} HTTP/1.1\nHost: x\nBad Header: y", 503),
        (f"POST {PATH.replace('-', '%2D')} HTTP/9.9\nHost: x", 503),
        ("nonsense", 503),
        (f"GET /healthz HTTP/1.1\nHost: x\nX-Long: {'x' * 9000}", 400),
        ("GET /healthz HTTP/1.1\nHost: x\nContent-Length: nine", 400),
    ],
)
@pytest.mark.usefixtures("untouched")
def test_the_servers_own_refusals_bounce_no_mail(door, head, status):
    assert door.raw(head) == status


def test_a_request_id_of_the_proxys_is_in_the_log_and_no_word_of_the_mail(door):
    secret = base64.b32encode(b"subject-nobody-may-log").decode()
    body = Letter([File(b"rows,of,guests")], subject=secret, sender="someone.private@mailer.example").body()
    assert door.post(body, ONE, content_type=JSON, **{"X-Request-Id": "proxy-0001"}).status_code == 200
    (log,) = [name for name in door.house.files("prod", "logs") if "web-" in name]
    text = (door.house.data() / log).read_text()
    line = json.loads(next(line for line in text.splitlines() if "proxy-0001" in line))
    event = door.house.mails()[0]
    assert {each: line[each] for each in ("event", "env", "bytes", "new")} == {
        "event": "mail.stored",
        "env": "prod",
        "bytes": len(body),
        "new": True,
    }
    assert line["event_id"] in {each.id for each in door.house.mails()}
    assert event.payload["size"]
    assert not any(word in text for word in (secret, "private", "guests", "mail-service", "word-1"))
    assert not any(
        "proxy-0001" in (door.house.data("dev") / name).read_text() for name in door.house.files("dev", "logs")
    )
