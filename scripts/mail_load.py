"""Mails and webhooks for the benchmarks: rendered beforehand, posted at fixed instants, each one timed.

As a process it takes an order as JSON on stdin, says `ready`, and posts from the next line on. It ends after its
seconds, or with SIGTERM once what is under way has been answered; then it prints what it saw as one JSON object.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import signal
import subprocess
import sys
from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from urllib.parse import urlsplit

from bench_reports import report
from hook_load import signed_request

from changeover_sandbox.cloudmailin.mail import mail_of
from changeover_sandbox.cloudmailin.orders import Format, SendOrder
from changeover_sandbox.cloudmailin.render import render

HELD_SECONDS = 30.0  # for what is under way at the end
TO = "reports@example.test"


@dataclass(frozen=True, slots=True)
class Door:
    """Where mails are posted, and with which login; of webhooks the company and the secret."""

    url: str
    user: str = ""
    password: str = ""


@dataclass(frozen=True, slots=True)
class Load:
    """`rate` mails a second for `seconds`, numbered from `first` on, each with a report of `rows` rows; or `hooks`."""

    door: Door
    rate: int
    seconds: float
    rows: int = 30
    first: int = 0
    hooks: bool = False

    @property
    def number(self) -> int:
        return int(self.rate * self.seconds)


@dataclass(slots=True)
class Seen:
    """Seconds from the start of sending to the first byte of the answer, statuses, and how late any start was."""

    answered: list[float] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    latest: float = 0.0

    def at(self, share: float) -> float:
        """The percentile of the seconds, e.g. 0.99; of nothing it is 0."""
        return percentile(self.answered, share)

    @property
    def accepted(self) -> int:
        return sum(status == 200 for status in self.statuses)  # noqa: PLR2004 - stored


def percentile(values: Sequence[float], share: float) -> float:
    """The least value that so many are not above; 0 of none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


@dataclass(frozen=True, slots=True)
class Request:
    """A whole POST as bytes, and the digest by which a mail's body is known again."""

    raw: bytes
    sha256: str


def request(door: Door, number: int, turn: int, content: bytes) -> Request:
    """The `turn`-th post of a mail: always the same Message-ID, each time over another server (CM-25)."""
    attachment = {"file_name": f"report{number}.csv", "content_base64": b64encode(content).decode()}
    order = SendOrder.model_validate(
        {
            "target": door.url,
            "to": TO,
            "from": "desk@itrip.example.test",
            "subject": "Checkouts Report",
            "message_id": f"<{number}@itrip.example.test>",
            "attachments": [attachment],
        }
    )
    mail = render(mail_of(order, turn, datetime.now(UTC)), Format.MULTIPART)
    parts = urlsplit(door.url)
    login = b64encode(f"{door.user}:{door.password}".encode()).decode()
    head = (
        f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nAuthorization: Basic {login}\r\n"
        f"Content-Type: {mail.content_type}\r\nContent-Length: {len(mail.body)}\r\nConnection: close\r\n\r\n"
    )
    return Request(head.encode() + mail.body, hashlib.sha256(mail.body).hexdigest())


def rendered(load: Load, number: int) -> Request:
    """What this load posts in the `number`-th place."""
    if not load.hooks:
        return request(load.door, number, number, numbered_report(load.rows, number))
    raw = signed_request(load.door.url, load.door.user, load.door.password, number)
    return Request(raw, "")


def numbered_report(rows: int, number: int) -> bytes:
    """A report that no other mail has."""
    return report(rows).replace(b"Guest Q0,", b"Guest Q%d," % (1_000_000 + number), 1)


@dataclass(slots=True)
class Client:
    """A running process that posts; `begin` lets it start."""

    process: subprocess.Popen[str]

    def begin(self) -> None:
        if self.process.stdin is not None:
            self.process.stdin.write("\n")
            self.process.stdin.flush()

    def stop(self) -> None:
        """No new mail from now on."""
        self.process.send_signal(signal.SIGTERM)

    def seen(self) -> Seen:
        """Waits for its end. Raises RuntimeError when it broke."""
        out, _ = self.process.communicate()
        if self.process.returncode:
            message = f"the client ended with {self.process.returncode}"
            raise RuntimeError(message)
        found = json.loads(out)
        return Seen(found["answered"], found["statuses"], found["latest"])


def client(load: Load) -> Client:
    """A process with all its mails rendered, waiting to begin."""
    pipe = subprocess.PIPE
    process = subprocess.Popen([sys.executable, __file__], stdin=pipe, stdout=pipe, text=True)  # noqa: S603
    if process.stdin is None or process.stdout is None:
        raise RuntimeError(__file__)
    process.stdin.write(f"{json.dumps(asdict(load))}\n")
    process.stdin.flush()
    process.stdout.readline()
    return Client(process)


def posted(load: Load) -> Seen:
    """The whole load, from its first mail to its last answer."""
    running = client(load)
    running.begin()
    return running.seen()


# -- the process -------------------------------------------------------------------------------------------------------


class _Exchange(asyncio.Protocol):
    """Sends one request and takes the status of its answer."""

    def __init__(self, raw: bytes, done: Callable[[int], None]) -> None:
        self._raw, self._done = raw, done
        self._line = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.WriteTransport):
            transport.write(self._raw)

    def data_received(self, data: bytes) -> None:
        self._line += data
        if self._done is not _nothing and len(self._line.split(b" ", 2)) > 2:  # noqa: PLR2004 - version, status, rest
            self._done(int(self._line.split(b" ", 2)[1]))
            self._done = _nothing

    def connection_lost(self, _error: Exception | None) -> None:
        self._done(0)


def _nothing(_status: int) -> None:
    """An answer is counted once."""


async def _post_all(load: Load, requests: Sequence[Request]) -> Seen:
    loop, seen, ended = asyncio.get_running_loop(), Seen(), asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, ended.set)
    parts = urlsplit(load.door.url)
    host, port = str(parts.hostname), parts.port or 80
    underway: set[asyncio.Task[None]] = set()

    async def one(raw: bytes) -> None:
        answer: asyncio.Future[int] = loop.create_future()
        began = loop.time()
        try:
            await loop.create_connection(lambda: _Exchange(raw, answer.set_result), host, port)
            status = await asyncio.wait_for(answer, HELD_SECONDS)
        except OSError:
            status = 0
        seen.statuses.append(status)
        seen.answered.append(loop.time() - began)

    began = loop.time()
    for number, each in enumerate(requests):
        due = began + number / load.rate
        if ended.is_set():
            break
        await asyncio.sleep(max(0.0, due - loop.time()))
        seen.latest = max(seen.latest, loop.time() - due)
        task = loop.create_task(one(each.raw))
        underway.add(task)
        task.add_done_callback(underway.discard)
    if underway:
        await asyncio.wait(underway)
    return seen


def _main() -> None:
    told = json.loads(sys.stdin.readline())
    load = Load(Door(**told.pop("door")), **told)
    requests = [rendered(load, number) for number in range(load.first, load.first + load.number)]
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    seen = asyncio.run(_post_all(load, requests))
    sys.stdout.write(json.dumps(asdict(seen)))


if __name__ == "__main__":
    import gc

    gc.disable()  # a pause of the client would be taken for one of the server
    _main()
