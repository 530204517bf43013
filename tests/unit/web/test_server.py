"""What the server does before and after the application is asked."""

from __future__ import annotations

import os
import socket
import threading

import pytest
from gunicorn.http.errors import InvalidHeader

from changeover.web import server
from changeover.web.answers import HEADERS
from changeover.web.server import Server, Worker


@pytest.fixture
def pair():
    ours, theirs = socket.socketpair()
    yield ours, theirs
    ours.close()
    theirs.close()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"GET /healthz HTTP/1.1", True),
        (b"POST /webhooks/hcp HTTP/1.1", True),
        (b"POST /webhooks/csv-email HTTP/1.1", False),
        (b"POST /webhooks/csv-email/prod", False),
        (b"POST /webhooks/csv%2Demail HTTP/1.1", False),
        (b"POST http://x/healthz HTTP/1.1", False),
        (b"nonsense", False),
        (b"", False),
    ],
)
def test_a_request_is_about_no_mail_only_when_that_is_certain(line, expected):
    assert server._is_no_mail(line) is expected


def test_the_first_line_is_looked_at_and_left_where_it_lies(pair):
    ours, theirs = pair
    assert server._first_line(ours) == b""
    theirs.sendall(b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n")
    assert server._first_line(ours) == b"GET /a HTTP/1.1"
    assert ours.recv(3) == b"GET"


@pytest.mark.parametrize(
    ("line", "error", "status"),
    [
        (b"GET /a HTTP/1.1", InvalidHeader("x"), b"400 Bad Request"),
        (b"GET /a HTTP/1.1", KeyError("secret"), b"500 Internal Server Error"),
        (b"POST /webhooks/csv-email HTTP/1.1", InvalidHeader("x"), b"503 Service Unavailable"),
        (b"", KeyError("secret"), b"503 Service Unavailable"),
    ],
)
def test_its_own_refusals_are_guarded_like_any_answer(pair, line, error, status):
    worker = Worker.__new__(Worker)
    worker._first = threading.local()
    worker._first.line = line
    worker.handle_error(None, pair[0], None, error)
    answer = pair[1].recv(4096)
    assert answer.startswith(b"HTTP/1.1 " + status + b"\r\n")
    assert answer.endswith(b"\r\n\r\n")
    assert all(f"{name}: {value}\r\n".encode() in answer for name, value in HEADERS.items())
    assert b"secret" not in answer


def test_a_reload_keeps_the_address():
    listener = socket.create_server(("127.0.0.1", 0))
    app = Server(listener, (), lambda: None)
    before = app.cfg.address
    app.reload()
    assert app.cfg.address == before == [int(str(app.cfg.bind[0]).rpartition("/")[2])]
    os.close(before[0])


def test_leaving_takes_in_what_a_client_still_sends(pair):
    ours, theirs = pair
    sender = threading.Thread(target=lambda: (theirs.sendall(b"x" * 5_000_000), theirs.close()))
    sender.start()
    server._take_leave(ours)
    sender.join()
    assert ours.recv(1) == b""


@pytest.mark.parametrize(("linger", "gap"), [(0.05, 0.02), (0.0, 0.02)])
def test_leaving_waits_for_no_client_for_long(pair, monkeypatch, linger, gap):
    monkeypatch.setattr(server, "_LINGER", linger)
    monkeypatch.setattr(server, "_GAP", gap)
    server._take_leave(pair[0])
    assert pair[1].recv(1) == b""
    with pytest.raises(BrokenPipeError):
        pair[1].sendall(b"x")


def test_leaving_a_client_that_has_gone_is_nothing(pair):
    pair[0].close()
    server._take_leave(pair[0])
    assert server._first_line(pair[0]) == b""
