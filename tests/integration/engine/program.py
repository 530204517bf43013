"""A process of its own for the tests: takes the lease, starts the engine, delivers; it can be told to die on the way.

The outside world is a file: one line per record that arrived. Started as `python program.py '{"url": …}'`.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog

from changeover.airtable.deliver import Progress
from changeover.engine.durable import Durable
from changeover.engine.lease import Lease, Locked, Timing
from changeover.engine.sending import Sending
from changeover.engine.stopping import Stopping
from changeover.store import deliveries
from changeover.store.database import Database


class Outside:
    """Sends ten writes a call into the file, each once, and stores receipts as the real delivery does."""

    def __init__(self, database: Database, lease: Lease, path: Path, die: Callable[[str], None]) -> None:
        self._database, self._lease, self._path, self._die = database, lease, path, die

    def send(self, run_id: str) -> Progress:
        now = datetime.now(UTC)
        with self._database.begin() as connection:
            self._lease.check(connection)
            marked = deliveries.sending(connection, run_id)
            arrived = self._path.read_text().split() if self._path.exists() else []
            done = [each for each in marked if each.record_id in arrived]
            deliveries.finish(connection, [(each, each.record_id or "") for each in done], now)
            deliveries.release(connection, [each for each in marked if each not in done])
            batch = deliveries.claim(connection, deliveries.next_batch(connection, run_id, [], 10), now)
        self._die("claimed")
        with self._path.open("a") as file:
            file.writelines(f"{each.record_id}\n" for each in batch)
        self._die("written")
        with self._database.begin() as connection:
            self._lease.check(connection)
            deliveries.finish(connection, [(each, each.record_id or "") for each in batch], now)
            left = deliveries.pending(connection, run_id)
        self._die("stored")
        return Progress(left, sent=len(batch))


def killer(where: str | None, at: int) -> Callable[[str], None]:
    """Kills this process, as a power cut would, the n-th time a place is passed."""
    passed = 0

    def die(place: str) -> None:
        nonlocal passed
        passed += place == where
        if place == where and passed == at:
            os.kill(os.getpid(), signal.SIGKILL)

    return die


def say(**facts: object) -> None:
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


def main(order: dict[str, str | int | None]) -> None:
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))  # the tests read what we say on stdout
    database = Database(str(order["url"]))
    folder = Path(str(order["folder"]))
    try:
        lease = Lease.acquire(database, "dev", "run-of-a-process", Timing(expiry=timedelta(seconds=60)))
    except Locked as locked:
        say(locked=locked.holder.pid)
        return
    die = killer(str(order.get("die")), int(order.get("at") or 1))
    outside = Outside(database, lease, folder / "outside.txt", die)
    with lease, Durable(Sending("dev", database, outside.send, Stopping(), step_seconds=0), folder) as durable:
        say(ready=os.getpid())
        if order.get("wait"):
            sys.stdin.readline()
        settled = durable.settle()
        run_id = order.get("run")
        sent = durable.deliver(str(run_id)) if run_id else None
        say(settled=settled.total, dead=settled.dead, sent=sent)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
