"""One cycle whose process dies at its n-th write point: `chaos_points.py N FILE`; it spares every other point.

Write points are the instants before and after each commit of any database, the engine's own included, each writing
request and each file moved. FILE gets the name of the point, as a dead process cannot tell.
"""

from __future__ import annotations

import functools
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import requests.adapters
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.base import SQLiteDialect

from changeover.cli.cycle import main


class Death:
    """Counts the points of all threads and ends the process at one of them."""

    def __init__(self, number: int, path: Path) -> None:
        self._left, self._path, self._lock = number, path, threading.Lock()

    def point(self, name: str) -> None:
        with self._lock:
            self._left -= 1
            if self._left == 0:
                self._path.write_text(name)
                os.kill(os.getpid(), signal.SIGKILL)
                signal.pause()

    def around(self, owner: Any, method: str, what: Callable[..., str | None]) -> None:
        """Makes a call a write point before and after, unless `what` of its arguments says that it writes nothing."""
        real = getattr(owner, method)

        @functools.wraps(real)
        def mortal(*arguments: Any, **more: Any) -> Any:
            name = what(*arguments)
            if name is None:
                return real(*arguments, **more)
            self.point(f"before {name}")
            answer = real(*arguments, **more)
            self.point(f"after {name}")
            return answer

        setattr(owner, method, mortal)


def _request(_adapter: object, prepared: requests.PreparedRequest, *_: object) -> str | None:
    method = prepared.method or ""
    return None if method == "GET" or str(prepared.url).endswith("/listRecords") else f"a {method}"


def arm(number: int, path: Path) -> None:
    death = Death(number, path)
    for dialect in (SQLiteDialect, PGDialect_psycopg):
        death.around(dialect, "do_commit", lambda *_: "a commit")
    death.around(requests.adapters.HTTPAdapter, "send", _request)
    for move in ("rename", "replace"):
        death.around(os, move, lambda *_: "a file was moved")


if __name__ == "__main__":
    arm(int(sys.argv[1]), Path(sys.argv[2]))
    sys.argv[1:] = sys.argv[3:]
    raise SystemExit(main("dev"))
