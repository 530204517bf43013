"""Kills the mail server under load and the worker at work, then compares what was acknowledged with what is there."""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

from bench_mail import login
from bench_world import Business, business
from mail_load import Door, numbered_report, request

SENDERS = 8
STORED = 200
PATIENCE = 15.0  # a server of ours is up again by then, and has answered
ANSWER_SECONDS = 10.0
AGAIN_SECONDS = 0.05
WORKER_LIVES = (2.0, 6.0)
MOST_WORKERS_KILLED = 5
UNWORKED = ("received",)
DAYS = "[0-9][0-9][0-9][0-9]/[0-9][0-9]/[0-9][0-9]/*"


@dataclass(slots=True)
class Sent:
    """What the senders know: the digests that were acknowledged by number of the mail, and what else they were told."""

    acknowledged: dict[int, str] = field(default_factory=dict)
    told: Counter[int] = field(default_factory=Counter)
    turns: Iterator[int] = field(default_factory=count)


@dataclass(slots=True)
class Server:
    """`changeover serve` on one address, in a session of its own, through many lives."""

    made: Business
    bind: str = "127.0.0.1:0"
    process: subprocess.Popen[str] | None = None

    def start(self) -> str:
        """Its address, once it serves. Raises RuntimeError when it does not come up."""
        command = [sys.executable, "-m", "changeover.cli", "serve", "--bind", self.bind, "--json"]
        self.process = _started(command, self.made)
        line = self.process.stdout.readline() if self.process.stdout else ""
        if not line:
            raise RuntimeError(f"serve ended with {self.process.wait()}")
        url = str(json.loads(line)["url"])
        self.bind = urlsplit(url).netloc
        return url

    def kill(self, chance: random.Random) -> str:
        """SIGKILL to all of it, to the process that serves, or to the one above it; says which."""
        if self.process is None:
            return "nothing"
        what = chance.choices(("all of it", "the serving process", "the one above it"), (6, 2, 2))[0]
        if what == "all of it":
            self._end_all()
        elif what == "the serving process":
            for pid in _children(self.process.pid):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        else:
            self.process.kill()
            self.process.wait()
        return what

    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def stop(self) -> None:
        """Asked to end; what has no father any more is ended with it."""
        if self.process is None:
            return
        if self.alive():
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(60)
        self._end_all()

    def _end_all(self) -> None:
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


def mails(number: int, seed: int) -> int:
    """So many mails are acknowledged by a server that is killed all the time, then worked by workers that are too.

    0 when nothing is lost, nothing is there twice and all of it is worked; what was found goes to stdout.
    """
    chance = random.Random(seed)  # noqa: S311 - chosen misfortunes must be had again
    with business(1, 1, rows=False) as made:
        began = time.monotonic()
        sent, kills = _acknowledged(made, number, chance)
        acknowledging = time.monotonic() - began
        before = _damage(made.folder, sent)
        workers = _worked(made, chance, most=MOST_WORKERS_KILLED if number >= 1000 else 1)  # noqa: PLR2004 - a long run
        after = _damage(made.folder, sent) + _undone(made.folder, sent)
    report = {
        "seed": seed,
        "mails acknowledged": len(sent.acknowledged),
        "seconds": round(acknowledging),
        "other answers": {str(status or "none"): times for status, times in sent.told.items() if status != STORED},
        "servers killed": dict(kills),
        "workers killed": workers,
        "damage": {name: times for name, times in (before + after).items() if times},
    }
    sys.stdout.write(f"{json.dumps(report, indent=1)}\n")
    return int(bool(report["damage"]) or len(sent.acknowledged) < number)


# -- the server under load ---------------------------------------------------------------------------------------------


def _acknowledged(made: Business, number: int, chance: random.Random) -> tuple[Sent, Counter[str]]:
    server, sent, kills = Server(made), Sent(), Counter[str]()
    door = login(made.folder)
    door = replace(door, url=f"{server.start()}{door.url}")
    numbers, lock = iter(range(number)), threading.Lock()
    senders = [threading.Thread(target=_send, args=(door, numbers, lock, sent)) for _ in range(SENDERS)]
    for sender in senders:
        sender.start()
    most = max(20, number // 20)
    try:
        while _wait(senders, sent, chance.randint(1, most)):
            time.sleep(chance.uniform(0.0, 0.05))
            kills[server.kill(chance)] += 1
            if not server.alive():
                server.start()
    finally:
        server.stop()
    return sent, kills


def _wait(senders: list[threading.Thread], sent: Sent, more: int) -> bool:
    """Until so many more mails are acknowledged, or for a while; False when the senders have no more."""
    wanted, until = len(sent.acknowledged) + more, time.monotonic() + PATIENCE
    while len(sent.acknowledged) < wanted and time.monotonic() < until:
        if not any(sender.is_alive() for sender in senders):
            return False
        time.sleep(0.005)
    return True


def _send(door: Door, numbers: Iterator[int], lock: threading.Lock, sent: Sent) -> None:
    """Sends one mail after the other, each again and again until it is acknowledged, as its sender's server would."""
    while True:
        with lock:
            number = next(numbers, None)
        if number is None:
            return
        content = numbered_report(1, number)
        while number not in sent.acknowledged:
            with lock:
                turn = next(sent.turns)
            posted = request(door, number, turn, content)
            status = _answer(door, posted.raw)
            with lock:
                sent.told[status] += 1
                if status == STORED:
                    sent.acknowledged[number] = posted.sha256
            if status != STORED:
                time.sleep(AGAIN_SECONDS)


def _answer(door: Door, raw: bytes) -> int:
    """The status of the answer, 0 where there is none."""
    parts = urlsplit(door.url)
    try:
        with socket.create_connection((str(parts.hostname), parts.port or 80), ANSWER_SECONDS) as line:
            line.sendall(raw)
            said = b""
            while b"\r\n" not in said and (more := line.recv(4096)):
                said += more
            return int(said.split(b" ", 2)[1])
    except (OSError, ValueError, IndexError):
        return 0


# -- the worker --------------------------------------------------------------------------------------------------------


def _worked(made: Business, chance: random.Random, most: int) -> int:
    """Lets workers work until nothing waits, killing the first ones; how many were killed."""
    killed = 0
    while True:
        with worker(made) as process:
            until = time.monotonic() + chance.uniform(*WORKER_LIVES)
            while _waiting(made.folder) and (killed >= most or time.monotonic() < until):
                if process.poll() is not None:
                    raise RuntimeError(f"the worker ended with {process.returncode}")
                time.sleep(0.1)
            if killed >= most or not _waiting(made.folder):
                process.send_signal(signal.SIGTERM)
                process.wait(60)
                return killed
            killed += 1


@contextmanager
def worker(made: Business) -> Iterator[subprocess.Popen[str]]:
    """A worker that takes work; killed at the end of the block with all it has started, if it still runs."""
    process = _started([sys.executable, "-m", "changeover.cli", "worker", "--env", "dev", "--json"], made)
    try:
        if process.stdout is None or not process.stdout.readline():
            raise RuntimeError(f"the worker ended with {process.wait()}")
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _started(command: list[str], made: Business) -> subprocess.Popen[str]:
    variables = made.variables({})
    return subprocess.Popen(  # noqa: S603
        command, env=variables, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, start_new_session=True
    )


def _children(pid: int) -> list[int]:
    with suppress(OSError):
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


# -- what is there -----------------------------------------------------------------------------------------------------


def _damage(folder: Path, sent: Sent) -> Counter[str]:
    """Of each mail that was acknowledged there is one row and one file (CM-9)."""
    rows = Counter(str(payload["sha256"]) for _, payload in _events(folder))
    files = Counter(path.name for path in (folder / "var" / "dev" / "raw" / "mail").glob(DAYS))
    acknowledged = sent.acknowledged.values()
    return Counter(
        {
            "rows lost": sum(rows[each] == 0 for each in acknowledged),
            "rows twice": sum(times > 1 for times in rows.values()),
            "files lost": sum(files[each] == 0 for each in acknowledged),
            "files twice": sum(times > 1 for times in files.values()),
            "rows without file": len(rows.keys() - files.keys()),
        }
    )


def _undone(folder: Path, sent: Sent) -> Counter[str]:
    """After the workers no file is without its row, and each report lies in the inbox once, however often it came."""
    events = _events(folder)
    rows = {str(payload["sha256"]) for _, payload in events}
    files = {path.name for path in (folder / "var" / "dev" / "raw" / "mail").glob(DAYS)}
    reports = Counter(_sha256(path.read_bytes()) for path in (folder / "var" / "dev" / "csv").glob("*/*.csv"))
    wanted = {_sha256(numbered_report(1, number)) for number in sent.acknowledged}
    states = Counter(state for state, _ in events)
    return Counter(
        {
            "files without row": len(files - rows),
            "reports lost": len(wanted - reports.keys()),
            "reports twice": sum(times > 1 for times in reports.values()),
            "reports of nobody": len(reports.keys() - wanted),
            "mails not worked": sum(times for state, times in states.items() if state not in ("done", "duplicate")),
            "mails done twice": max(0, states["done"] - len(wanted)),
        }
    )


def _waiting(folder: Path) -> bool:
    return any(state in UNWORKED for state, _ in _events(folder))


def _events(folder: Path) -> list[tuple[str, Mapping[str, object]]]:
    with closing(sqlite3.connect(folder / "var" / "dev" / "state.db", timeout=PATIENCE)) as database:
        rows = database.execute("SELECT state, payload FROM events WHERE kind = 'mail'").fetchall()
    return [(state, json.loads(payload)) for state, payload in rows]


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
