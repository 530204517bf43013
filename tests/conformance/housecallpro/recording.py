"""Keeps webhooks as they arrive, raw body and headers, and reads them again; what they say is not looked at."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock, Thread
from typing import Final

AT: Final = "X-Recorded-At"
REFUSED: Final = "X-Recorded-Refused"


@dataclass(frozen=True, slots=True)
class Recorded:
    """One request: `NAME.body` holds the raw body, `NAME.headers` a line `Name: value` for each header."""

    name: str
    headers: dict[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    def header(self, name: str) -> str:
        return self.headers.get(name.lower(), "")


def recorded(folder: Path) -> list[Recorded]:
    """What the folder holds, by name."""
    return [Recorded(path.stem, _headers(path), path.read_bytes()) for path in sorted(folder.glob("*.body"))]


def _headers(path: Path) -> dict[str, str]:
    lines = path.with_suffix(".headers").read_text(encoding="latin-1").splitlines()
    pairs = (line.partition(":") for line in lines if ":" in line)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


class _Handler(BaseHTTPRequestHandler):
    server: Recorder

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(self.server.keep(dict(self.headers), body))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Nothing: what comes in is private."""


class Recorder(ThreadingHTTPServer):
    """Files every POST. Every `nth` body is refused with 500 when it comes first, so that it is seen to be repeated."""

    daemon_threads = True

    def __init__(self, folder: Path, port: int = 0, *, nth: int = 5, clock: Callable[[], float] = time.time) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.folder, self.nth, self.clock = folder, nth, clock
        self.url = f"http://127.0.0.1:{self.server_address[1]}/webhooks/hcp"
        self._seen: Counter[bytes] = Counter()
        self._lock = Lock()

    def keep(self, headers: dict[str, str], body: bytes) -> int:
        """Writes one request; the status to answer it with."""
        with self._lock:
            self._seen[body] += 1
            refused = self._seen[body] == 1 and len(self._seen) % self.nth == 0
            name = f"{self._seen.total():05}"
        lines = {**headers, AT: f"{self.clock():.3f}", REFUSED: "yes" if refused else "no"}
        text = "".join(f"{key}: {value}\n" for key, value in lines.items())
        (self.folder / f"{name}.headers").write_text(text, encoding="latin-1")
        (self.folder / f"{name}.body").write_bytes(body)
        return 500 if refused else 200


@contextmanager
def recording(folder: Path, clock: Callable[[], float] = time.time) -> Iterator[Recorder]:
    """A recorder of this process."""
    recorder = Recorder(folder, clock=clock)
    thread = Thread(target=recorder.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield recorder
    finally:
        recorder.shutdown()
        recorder.server_close()
        thread.join(5)


if __name__ == "__main__":
    Recorder(Path(sys.argv[1]), int(sys.argv[2])).serve_forever()
