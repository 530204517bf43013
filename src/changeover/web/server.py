"""gunicorn as we run it (K-1): one process, eight threads, and no 4xx of its own to the mail service (CM-8)."""

from __future__ import annotations

import gc
import socket
import struct
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from gunicorn.app.base import BaseApplication
from gunicorn.config import Config
from gunicorn.glogging import Logger
from gunicorn.http.errors import ParseException
from gunicorn.http.message import Request
from gunicorn.workers.gthread import DEFAULT_WORKER_DATA_TIMEOUT, TConn, ThreadWorker

from changeover.ops import logging
from changeover.settings.inbound import Inbound
from changeover.web.answers import HEADERS
from changeover.web.app import create_app
from changeover.web.mail import PATH
from changeover.web.sites import Deployment

if TYPE_CHECKING:
    from types import FrameType

    from flask import Flask

log = logging.get(__name__)

THREADS = 8
_SILENCE = struct.pack("ll", 30, 0)  # seconds a client may send or take nothing in the middle of a request
_LINGER, _GAP = 5.0, 1.0  # seconds a client that is still sending has to take its answer, and may pause meanwhile
_PEEK = 512


class Server(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    """Serves environments on a socket that is bound already.

    `listening` is called once, in the process that serves, when it takes connections and hears signals: before that
    an end that is asked for would only come with `graceful_timeout`.
    """

    def __init__(self, listener: socket.socket, environments: Sequence[Inbound], listening: Callable[[], None]) -> None:
        self._address = f"fd://{listener.detach()}"  # the same when it is asked to reload
        self._environments, self._listening = environments, listening
        self.deployment: Deployment | None = None
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._wanted().items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """The application, opened in the process that serves it: threads and databases do not survive a fork."""
        self.deployment = Deployment.open(self._environments)
        app = create_app(self.deployment)
        gc.freeze()  # what is here stays: to walk through all of it now and then would hold up every request
        return app

    def _wanted(self) -> Mapping[str, object]:
        return {
            "bind": [self._address],
            "workers": 1,
            "worker_class": Worker,
            "threads": THREADS,
            "keepalive": 5,
            "timeout": 60,
            "graceful_timeout": 30,
            "proc_name": "changeover-web",
            "logger_class": _Log,
            "control_socket_disable": True,
            # What a proxy says of the scheme decides nothing here, and must not be a reason to refuse a mail.
            "forwarded_allow_ips": "",
            "secure_scheme_headers": {},
            "post_worker_init": self._begin,
            "worker_exit": lambda _arbiter, _worker: self._close(),
        }

    def _begin(self, worker: ThreadWorker) -> None:
        if worker.age == 1:  # those that follow after a reload serve on and say nothing
            self._listening()

    def _close(self) -> None:
        if self.deployment is not None:
            self.deployment.close()


class Worker(ThreadWorker):  # type: ignore[misc]
    """gunicorn's threads, with three habits of its own.

    What it refuses by itself is 503 unless it is certainly not about a mail; a client that falls silent in the middle
    of a request lets go of its thread; and closing waits for the client in a thread, not where connections are taken.
    """

    def init_process(self) -> None:
        self._first = threading.local()
        super().init_process()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self.app.deployment is not None:
            self.app.deployment.stopping.set()
        super().handle_exit(sig, frame)

    def handle(self, conn: TConn) -> object:
        """One request, from its first byte to its answer."""
        for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            conn.sock.setsockopt(socket.SOL_SOCKET, option, _SILENCE)
        line = _first_line(conn.sock)
        if line:
            conn.data_ready = True  # nothing is to be waited for
        elif not conn.initialized and conn.wait_for_data(DEFAULT_WORKER_DATA_TIMEOUT):
            line = _first_line(conn.sock)
        self._first.line = line
        more = super().handle(conn)
        if more is False:
            _take_leave(conn.sock)
        return more

    def handle_error(self, _req: Request | None, client: socket.socket, _addr: object, exc: Exception) -> None:
        """gunicorn's own refusals: a broken request, headers without end."""
        status = "400 Bad Request" if isinstance(exc, ParseException) else "500 Internal Server Error"
        if not _is_no_mail(self._first.line):
            status = "503 Service Unavailable"
        log.warning("request.refused", status=status, error=type(exc).__name__)
        head = {"Connection": "close", "Content-Type": "text/plain", "Content-Length": "0", **HEADERS}
        lines = (f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in head.items()), "", "")
        with suppress(OSError):
            client.sendall("\r\n".join(lines).encode())


class _Log(Logger):  # type: ignore[misc]
    """gunicorn's lines go where ours go, redacted (L-5); requests are not logged by it."""

    def setup(self, cfg: Config) -> None:
        self.cfg = cfg
        self.error_log.propagate = True

    @property
    def access_log_enabled(self) -> bool:
        return False


def _first_line(client: socket.socket) -> bytes:
    """What lies ready of a request's first line, left where it lies; empty when that cannot be told."""
    try:
        return client.recv(_PEEK, socket.MSG_PEEK | socket.MSG_DONTWAIT).partition(b"\r\n")[0]
    except OSError:
        return b""


def _is_no_mail(line: bytes) -> bool:
    """True only for a first line that without doubt names another route."""
    _, _, target = line.partition(b" ")
    return target.startswith(b"/") and b"%" not in target and not target.startswith(PATH.encode())


def _take_leave(client: socket.socket) -> None:
    """Lets a client take its answer before the connection ends, even one that is still sending a large body.

    Closing at once would make the kernel reset the connection, and the answer might be lost with it.
    """
    deadline = time.monotonic() + _LINGER
    with suppress(OSError):
        client.setblocking(True)
        client.shutdown(socket.SHUT_WR)
        while (left := deadline - time.monotonic()) > 0:
            client.settimeout(min(left, _GAP))
            if not client.recv(1 << 16):
                return
    with suppress(OSError):
        client.shutdown(socket.SHUT_RDWR)
