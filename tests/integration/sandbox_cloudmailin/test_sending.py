"""Mails on a real line: what arrives, what the sender is told, and everything that goes wrong on purpose."""

import io
import socket
import zipfile
from base64 import b64encode
from collections.abc import Callable

import pytest
import requests

from changeover.sources.mail.read import read
from changeover_sandbox.cloudmailin import post
from plugins.mail_lines import OK, Catcher, Send, answer

DELIVERED = {"outcome": "delivered", "status": 200}


def _file(content: bytes, name: str = "report.csv", **more: object) -> dict[str, object]:
    return {"file_name": name, "content_base64": b64encode(content).decode(), **more}


def _zip(content: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        file.writestr("report.csv", content)
    return packed.getvalue()


# -- what arrives ------------------------------------------------------------------------------------------------------

CSV = b"Checkin,Checkout\r\n2026-03-04,2026-03-08\n\n"
MAILS: dict[str, dict[str, object]] = {
    "nothing but a file, empty plain": {"attachments": [_file(CSV)], "plain": ""},
    "UTF-8 file name": {"attachments": [_file(CSV, "Übersicht 三月.csv")]},
    "latin-1 file name": {"attachments": [_file(CSV, "Übersicht.csv", file_name_charset="latin-1")]},
    "2 MB of HTML": {"attachments": [_file(CSV)], "html": "<p>ü</p>" * 230_000},
    "1,500 headers": {"attachments": [_file(CSV)], "headers": {f"X-Trace-{n}": f"v{n}" for n in range(1500)}},
    "inline image beside the CSV": {
        "attachments": [
            _file(bytes(range(256)), "logo.png", content_type="image/png", disposition="inline", content_id="<logo>"),
            _file(CSV),
        ]
    },
    "zipped CSV": {"attachments": [_file(_zip(CSV), "report.zip", content_type="application/zip")]},
    "25 MB": {"attachments": [_file(CSV * (25 * 1024 * 1024 // len(CSV)))]},
}


@pytest.mark.parametrize("name", [pytest.param(name, id=name) for name in MAILS])
def test_the_program_reads_back_byte_for_byte_what_was_ordered(
    name: str, catcher: Callable[..., Catcher], send: Send, tmp_path
) -> None:
    for wanted in ("multipart", "json", "raw"):
        order = MAILS[name]
        if name == "25 MB" and wanted == "raw":
            continue  # 25 MB in base64 in a form: the same code as any other raw message, and slow
        server = catcher()
        assert send(server.url, format=wanted, subject="Checkouts Report", **order) == DELIVERED
        (caught,) = server.caught
        assert len(caught.body) == int(caught.headers["content-length"])
        (tmp_path / wanted).write_bytes(caught.body)
        mail = read(tmp_path / wanted, caught.headers["content-type"])
        assert (mail.envelope.to, mail.headers["subject"]) == ("reports@example.test", ("Checkouts Report",))
        files: list[dict[str, object]] = order["attachments"]  # type: ignore[assignment]
        assert [each.name for each in mail.attachments] == [each["file_name"] for each in files]
        contents = [b64encode(each.content or b"").decode() for each in mail.attachments]
        assert contents == [each["content_base64"] for each in files]
        for header, value in order.get("headers", {}).items():  # type: ignore[union-attr, attr-defined]
            assert mail.headers[header.lower().replace("-", "_")] == (value,)
        if "html" in order:
            assert mail.html.strip() == order["html"]


def test_the_request_is_one_that_any_server_takes(catcher: Callable[..., Catcher], send: Send) -> None:
    server = catcher()
    assert send(f"{server.url}?x=1", user="u", password="p") == DELIVERED
    (caught,) = server.caught
    assert caught.head.startswith(b"POST /webhooks/csv-email?x=1 HTTP/1.1\r\n")
    headers = caught.headers
    assert headers["host"] == server.url.split("/")[2]
    assert headers["authorization"] == "Basic dTpw"
    assert headers["content-type"].startswith("multipart/form-data; boundary=")
    assert (headers["connection"], headers["user-agent"]) == ("close", "CloudMailin Server")


@pytest.mark.parametrize(
    ("login", "more", "header"),
    [
        ("", {}, None),
        ("a%40b:p%2Fw@", {}, "Basic YUBiOnAvdw=="),
        ("other:login@", {"user": "u", "password": "p"}, "Basic dTpw"),
        ("", {"user": "u"}, "Basic dTo="),
        ("", {"password": "p"}, "Basic OnA="),
    ],
)
def test_credentials_come_from_the_order_or_the_address(
    catcher: Callable[..., Catcher], send: Send, login: str, more: dict[str, str], header: str | None
) -> None:
    server = catcher()
    assert send(server.url.replace("//", f"//{login}"), **more) == DELIVERED
    assert server.caught[0].headers.get("authorization") == header
    assert "@" not in server.caught[0].headers["host"]


def test_the_same_mail_again_has_other_bytes_and_the_same_id(catcher: Callable[..., Catcher], send: Send) -> None:
    server = catcher(answer(503), OK)
    mail = {"message_id": "<m@x.test>", "date": "Wed, 04 Mar 2026 09:12:00 +0000", "format": "json"}
    assert send(server.url, **mail) == {"outcome": "deferred", "status": 503}
    assert send(server.url, **mail) == DELIVERED
    first, second = (caught.body for caught in server.caught)
    assert first != second
    assert all(b'"message_id": "<m@x.test>"' in body for body in (first, second))


# -- what the sender is told -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (answer(204), {"outcome": "delivered", "status": 204}),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + OK, DELIVERED),
        (b"HTTP/1.1 200 OK\r\n\r\n", DELIVERED),
        (answer(401), {"outcome": "bounced", "status": 401}),
        (answer(429), {"outcome": "bounced", "status": 429}),
        (answer(500), {"outcome": "deferred", "status": 500}),
        (answer(307, Location="/x"), {"outcome": "deferred", "status": 307}),
        (answer(302), {"outcome": "deferred", "status": 302}),
        (b"", {"outcome": "deferred", "status": 0}),
        (b"220 mail.example.test\r\n\r\n", {"outcome": "deferred", "status": 0}),
        (b"HTTP/1.1 nonsense\r\n\r\n", {"outcome": "deferred", "status": 0}),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok", {"outcome": "deferred", "status": 0}),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000 + b"\r\n\r\n", {"outcome": "deferred", "status": 0}),
    ],
)
def test_an_answer_is_what_becomes_of_the_mail(
    catcher: Callable[..., Catcher], send: Send, said: bytes, expected: dict[str, object]
) -> None:
    assert send(catcher(said).url) == expected


def test_nobody_there_and_nobody_answering_defer(catcher: Callable[..., Catcher], send: Send) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    assert send(f"http://127.0.0.1:{port}/x") == {"outcome": "deferred", "status": 0}
    assert send(catcher(None).url, timeout=0.1) == {"outcome": "deferred", "status": 0}


def test_a_server_that_speaks_no_tls_defers(catcher: Callable[..., Catcher], send: Send) -> None:
    assert send(catcher(b"").url.replace("http:", "https:"), timeout=0.2) == {"outcome": "deferred", "status": 0}


def test_an_answer_before_the_body_is_read_counts(catcher: Callable[..., Catcher], send: Send) -> None:
    server = catcher(answer(401), at_once=True)
    assert send(server.url, attachments=[_file(b"x" * 300_000)]) == {"outcome": "bounced", "status": 401}


def test_three_redirects_are_followed_with_mail_and_login(catcher: Callable[..., Catcher], send: Send) -> None:
    server = catcher(
        answer(301, Location="/a"), answer(302, Location="b?c"), answer(302, Location="//u2:p2@HOST/d"), OK
    )
    server.answers[2] = answer(302, Location=f"//u2:p2@{server.url.split('/')[2]}/d")
    assert send(server.url, user="u", password="p") == DELIVERED
    assert [each.path for each in server.caught] == ["/webhooks/csv-email", "/a", "/b?c", "/d"]
    assert len({each.body for each in server.caught}) == 1
    assert [each.headers["authorization"] for each in server.caught] == [*["Basic dTpw"] * 3, "Basic dTI6cDI="]


def test_a_fourth_redirect_defers(catcher: Callable[..., Catcher], send: Send) -> None:
    server = catcher(answer(302, Location="/again"))
    assert send(server.url) == {"outcome": "deferred", "status": 302}
    assert len(server.caught) == 4


# -- what goes wrong on purpose ----------------------------------------------------------------------------------------

MAIL = {"attachments": [_file(b"x" * 40_000)], "format": "json"}


def test_truncate_breaks_the_line_in_the_middle_and_still_hears_the_answer(
    catcher: Callable[..., Catcher], send: Send
) -> None:
    server = catcher(answer(503))
    assert send(server.url, fault="truncate", **MAIL) == {"outcome": "deferred", "status": 503}
    (caught,) = server.caught
    assert caught.ended
    assert len(caught.body) == int(caught.headers["content-length"]) // 2


def test_wrong_length_announces_more_than_comes(catcher: Callable[..., Catcher], send: Send) -> None:
    server = catcher(answer(503))
    assert send(server.url, fault="wrong-length", **MAIL) == {"outcome": "deferred", "status": 503}
    (caught,) = server.caught
    assert caught.ended
    assert caught.body.endswith(b"}")
    assert len(caught.body) == int(caught.headers["content-length"]) - 100


def test_chunked_says_no_length_and_comes_whole(catcher: Callable[..., Catcher], send: Send) -> None:
    plain, chunked = catcher(), catcher()
    mail = {"message_id": "<m@x.test>", "date": "never", "headers": {"Received": "by a"}, **MAIL}
    for server, fault in ((plain, None), (chunked, "chunked")):
        assert send(server.url, fault=fault, **mail) == DELIVERED
    (caught,) = chunked.caught
    assert caught.headers["transfer-encoding"] == "chunked"
    assert "content-length" not in caught.headers
    joined, rest = b"", caught.body
    while not rest.startswith(b"0\r\n"):
        size, _, rest = rest.partition(b"\r\n")
        joined, rest = joined + rest[: int(size, 16)], rest[int(size, 16) + 2 :]
    assert len(joined) == len(plain.caught[0].body)
    assert joined.startswith(b'{"headers"')
    assert joined.endswith(b"}")


def test_drop_answer_lets_the_server_say_it_is_stored_and_hears_nothing(
    catcher: Callable[..., Catcher], send: Send
) -> None:
    server = catcher(OK)
    assert send(server.url, fault="drop-answer", **MAIL) == {"outcome": "deferred", "status": 0}
    (caught,) = server.caught
    assert len(caught.body) == int(caught.headers["content-length"])


def test_slow_gives_a_hundred_bytes_ten_times_a_second(catcher: Callable[..., Catcher], send: Send) -> None:
    server = catcher()
    assert send(server.url, fault="slow", timeout=0.25, **MAIL) == {"outcome": "deferred", "status": 0}
    assert server.caught[0].headers["content-length"]
    assert len(server.caught[0].body) <= 400


def test_a_slow_mail_arrives_when_there_is_time(
    catcher: Callable[..., Catcher], send: Send, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(post, "SLICE_SECONDS", 0)
    server = catcher()
    assert send(server.url, fault="slow", **MAIL) == DELIVERED
    assert len(server.caught[0].body) == int(server.caught[0].headers["content-length"])


# -- orders and the journal --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (b'{"target": "http://127.0.0.1:1/x", "to": "a@b.test", "colour": "red"}', "colour"),
        (b'{"target": "http://127.0.0.1:1/x", "to": "a@b.test", "attachments": [{"content_base64": "?"}]}', "attach"),
        (b'{"target": "http://127.0.0.1:1/x", "to": "a@b.test", "format": "raw", "subject": "a\\nB: c"}', "header"),
        (b"nonsense", "JSON"),
    ],
)
def test_an_order_that_cannot_be_meant_is_400_with_the_reason(stand_in: str, body: bytes, named: str) -> None:
    refused = requests.post(f"{stand_in}/_sandbox/send", data=body, timeout=5)
    assert refused.status_code == 400
    assert named in refused.json()["error"]


def test_the_journal_shows_what_was_posted_and_no_body(
    catcher: Callable[..., Catcher], send: Send, stand_in: str
) -> None:
    server = catcher(answer(401), OK)
    since = requests.get(f"{stand_in}/_sandbox/requests", timeout=5).json()["next"]
    send(f"{server.url}?x=1", user="changeover-dev", password="secret", format="json")
    send(server.url, fault="drop-answer")
    journal = requests.get(f"{stand_in}/_sandbox/requests?since={since}", timeout=5).json()
    assert journal["next"] == since + 2
    first, second = journal["requests"]
    assert first.pop("at").endswith("Z")
    assert first == {
        "n": since,
        "method": "POST",
        "path": "/webhooks/csv-email",
        "query": "x=1",
        "status": 401,
        "key": "change",
        "body": None,
        "format": "json",
        "fault": None,
        "outcome": "bounced",
    }
    assert (second["key"], second["fault"], second["outcome"], second["status"]) == ("", "drop-answer", "deferred", 0)
    assert requests.post(f"{stand_in}/_sandbox/reset", timeout=5).json() == {"reset": True}
    assert requests.get(f"{stand_in}/_sandbox/requests", timeout=5).json()["requests"] == []
