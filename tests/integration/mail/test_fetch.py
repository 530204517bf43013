"""Attachments in a store are fetched under the rules for feeds, over real HTTP (CM-20, X-6)."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from changeover.engine.mail_fetch import NotFetched, fetch
from changeover.settings import Settings
from changeover.sources.ics.fetch import Retriable
from changeover.sources.mail.mail import Attachment

BODY = b"a,b\n1,2\n"


class Store(BaseHTTPRequestHandler):
    """Answers with the status its path names."""

    def do_GET(self) -> None:
        status = int(self.path.rsplit("/", 1)[-1])
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "http://192.168.0.1/200")
        self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        self.wfile.write(BODY)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture(scope="module")
def store() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Store)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def settings(tmp_path) -> Settings:
    return Settings(
        environment="dev",
        home=tmp_path,
        config=tmp_path,
        airtable_api_key="patExample0.example",
        airtable_base_id="appExample0000000",
        allow_private_feeds=True,
        feed_timeout_seconds=2,
    )


def at(url: str, size: int | None = None) -> Attachment:
    return Attachment("day.csv", "text/csv", None, url, size)


def test_its_bytes_come_as_many_as_were_announced(store, settings) -> None:
    assert fetch(at(f"{store}/200"), settings) == BODY
    assert fetch(at(f"{store}/200", len(BODY)), settings) == BODY


@pytest.mark.parametrize(("path", "size"), [("200", 7), ("503", None), ("429", None)])
def test_what_may_pass_is_worth_another_try(store, settings, path, size) -> None:
    with pytest.raises(Retriable):
        fetch(at(f"{store}/{path}", size), settings)


def test_what_is_gone_is_not(store, settings) -> None:
    with pytest.raises(NotFetched, match="HTTP 404"):
        fetch(at(f"{store}/404"), settings)


@pytest.mark.parametrize(
    ("url", "cause"),
    [
        ("https://127.0.0.1/200", "private address"),
        ("https://[::1]/200", "private address"),
        ("https://store.example:8443/200", "port refused"),
        ("http://store.example/200", "not https"),
        ("file:///etc/passwd", "not https"),
        ("https://", "malformed URL"),
        ("", "not https"),
    ],
)
def test_only_public_addresses_are_asked_and_only_by_https(settings, url, cause) -> None:
    guarded = settings.model_copy(update={"allow_private_feeds": False})
    with pytest.raises(NotFetched, match=cause) as caught:
        fetch(at(url), guarded)
    assert "store.example" not in str(caught.value)
