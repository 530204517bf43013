"""The stand-in on a loopback port, and a server of bare sockets that keeps whatever reaches it."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
import requests
from aiohttp import web

from changeover_sandbox.cloudmailin.app import create_app

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def answer(status: int, **headers: str) -> bytes:
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {status} Said\r\n{lines}Content-Length: 0\r\n\r\n".encode()


@dataclass
class Caught:
    """One connection: what came before and after the empty line, and whether the other side ended it."""

    head: bytes = b""
    body: bytes = b""
    ended: bool = False

    @property
    def headers(self) -> dict[str, str]:
        lines = self.head.decode().split("\r\n")[1:]
        return {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}

    @property
    def path(self) -> str:
        return self.head.decode().split(" ")[1]


@dataclass
class Catcher:
    """Takes a connection at a time, reads the whole request or to its end, and gives the next answer.

    An empty answer closes the connection; `None` says nothing for as long as the other side waits. The last answer
    is given again and again.
    """

    answers: list[bytes | None] = field(default_factory=lambda: [OK])
    at_once: bool = False
    caught: list[Caught] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}/webhooks/csv-email"

    def stop(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(5)

    def _serve(self) -> None:
        while True:
            try:
                line, _ = self._socket.accept()
            except OSError:
                return
            with line:
                caught = Caught()
                self.caught.append(caught)
                self._take(line, caught)
                said = self.answers[min(len(self.caught), len(self.answers)) - 1]
                if said is None:
                    line.recv(1)
                else:
                    line.sendall(said)

    def _take(self, line: socket.socket, caught: Caught) -> None:
        while b"\r\n\r\n" not in caught.head:
            more = line.recv(65536)
            if not more:
                return
            caught.head += more
        caught.head, _, caught.body = caught.head.partition(b"\r\n\r\n")
        parts = [caught.body]
        size = len(caught.body)
        while not self.at_once and not self._whole(caught, size, parts[-1]):
            parts.append(line.recv(1024 * 1024))
            size += len(parts[-1])
            if not parts[-1]:
                caught.ended = True
                break
        caught.body = b"".join(parts)

    @staticmethod
    def _whole(caught: Caught, size: int, last: bytes) -> bool:
        length = caught.headers.get("content-length")
        return last.endswith(b"0\r\n\r\n") if length is None else size >= int(length)


@pytest.fixture
def catcher() -> Iterator[Callable[..., Catcher]]:
    """Makes servers; all are gone at the test's end."""
    made: list[Catcher] = []

    def make(*answers: bytes | None, at_once: bool = False) -> Catcher:
        made.append(Catcher(list(answers) or [OK], at_once))
        return made[-1]

    yield make
    for each in made:
        each.stop()


@pytest.fixture(scope="module")
def stand_in() -> Iterator[str]:
    """The stand-in's address, served by a thread."""
    loop = asyncio.new_event_loop()
    runner = web.AppRunner(create_app(), access_log=None, shutdown_timeout=0.1)

    async def start() -> str:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{runner.addresses[0][1]}"

    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    yield asyncio.run_coroutine_threadsafe(start(), loop).result(10)
    asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)
    loop.close()


Send = Callable[..., dict[str, object]]


@pytest.fixture
def send(stand_in: str) -> Send:
    """Orders a mail to a target; what became of it."""

    def order(target: str, **more: object) -> dict[str, object]:
        body = {"target": target, "to": "reports@example.test", "from": "desk@itrip.example.test", **more}
        done = requests.post(f"{stand_in}/_sandbox/send", json=body, timeout=30)
        assert done.status_code == 200, done.text
        return done.json()

    return order
