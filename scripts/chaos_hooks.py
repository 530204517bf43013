"""Kills the server that takes webhooks and the worker that follows them, and compares rows with jobs; mends nothing."""

from __future__ import annotations

import argparse
import hashlib
import hmac
import json
import random
import sqlite3
import sys
import threading
import time
from collections import Counter
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty
from statistics import quantiles

import requests
from bench_world import Business, business
from chaos_company import Company, Post
from chaos_mail import Server, worker

SENDERS = 8
STORED = 200
TIMEOUT = 10
AGAIN_SECONDS = 0.05
WORKER_LIVES = (2.0, 6.0)
MOST_WORKERS_KILLED = 5
BACKLOG = 100  # people in the app wait for the post to get away, or nothing would ever be read while it is changed
PATIENCE = 15.0
ENDED = ("done", "unmatched")


@dataclass(slots=True)
class Sent:
    """Digests of the bodies that were acknowledged, what else was said, and how long each acknowledgement took."""

    acknowledged: set[str] = field(default_factory=set)
    told: Counter[int] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    over: bool = False


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/chaos_hooks.py", description=__doc__)
    parser.add_argument("--webhooks", type=int, default=1000, help="so many different ones are acknowledged")
    parser.add_argument("--jobs", type=int, default=20)
    parser.add_argument("--kills", type=int, default=20, help="of the server, at most")
    parser.add_argument("--seed", type=int, default=1, help="the same seed takes the same decisions")
    options = parser.parse_args()
    return webhooks(options.webhooks, options.jobs, options.kills, options.seed)


def webhooks(number: int, jobs: int, most: int, seed: int) -> int:
    """0 when each that was acknowledged is stored once, worked to its end, and every row says what its job does."""
    chance = random.Random(seed)  # noqa: S311 - chosen misfortunes must be had again
    with business(1, 0, rows=False) as made:
        company, post, sent = Company(made, random.Random(seed)), Post(), Sent()  # noqa: S311
        company.open(jobs)
        post.listen(company)
        began = time.monotonic()
        workers = _Workers(made, chance, min(MOST_WORKERS_KILLED, most))
        workers.start()
        kills = _acknowledged(made, company, post, sent, number, most, chance)
        acknowledging = time.monotonic() - began
        workers.finish()
        damage = _damage(made.folder, sent)
        damage["rows untrue"] = company.untrue()
        reads = _reads(company)
    report = {
        "seed": seed,
        "webhooks acknowledged": len(sent.acknowledged),
        "seconds": round(acknowledging),
        "milliseconds": _milliseconds(sent.seconds),
        "other answers": {str(status or "none"): times for status, times in sent.told.items() if status != STORED},
        "repeats": sent.told[STORED] - len(sent.acknowledged),
        "servers killed": dict(kills),
        "workers killed": workers.killed,
        "reads of jobs": reads,
        "damage": {name: times for name, times in damage.items() if times},
    }
    sys.stdout.write(f"{json.dumps(report, indent=1)}\n")
    return int(bool(report["damage"]) or len(sent.acknowledged) < number)


# -- the server under load ---------------------------------------------------------------------------------------------


def _acknowledged(
    made: Business, company: Company, post: Post, sent: Sent, number: int, most: int, chance: random.Random
) -> Counter[str]:
    """People work in the app, their webhooks are carried to a server that is killed now and then."""
    server, kills = Server(made), Counter[str]()
    url = f"{server.start()}/webhooks/hcp-dev"
    lock = threading.Lock()
    senders = [threading.Thread(target=_send, args=(url, company.secret, post, sent, lock)) for _ in range(SENDERS)]
    people = threading.Thread(target=_live, args=(company, post, sent, number))
    for thread in (*senders, people):
        thread.start()
    try:
        while people.is_alive():
            _wait(sent, chance.randint(1, max(5, number // max(1, most))), people)
            if kills.total() < most and people.is_alive():
                time.sleep(chance.uniform(0.0, 0.05))
                kills[server.kill(chance)] += 1
                if not server.alive():
                    server.start()
        people.join()
        post.settle(company)
        sent.over = True
        for sender in senders:
            sender.join()
    finally:
        sent.over = True
        server.stop()
    return kills


def _live(company: Company, post: Post, sent: Sent, number: int) -> None:
    while len(sent.acknowledged) < number and not sent.over:
        if post.bodies.qsize() < BACKLOG:
            company.act()
        else:
            time.sleep(AGAIN_SECONDS)


def _wait(sent: Sent, more: int, people: threading.Thread) -> None:
    wanted, until = len(sent.acknowledged) + more, time.monotonic() + PATIENCE
    while len(sent.acknowledged) < wanted and time.monotonic() < until and people.is_alive():
        time.sleep(0.005)


def _send(url: str, secret: str, post: Post, sent: Sent, lock: threading.Lock) -> None:
    """Carries one body after the other, each again and again until it is acknowledged."""
    while True:
        try:
            body = post.bodies.get(timeout=0.2)
        except Empty:
            if sent.over:
                return
            continue
        status = 0
        while status != STORED:
            status, seconds = _answer(url, secret, body)
            with lock:
                sent.told[status] += 1
                if status == STORED:
                    sent.acknowledged.add(hashlib.sha256(body).hexdigest())
                    sent.seconds.append(seconds)
            if status != STORED:
                time.sleep(AGAIN_SECONDS)


def _answer(url: str, secret: str, body: bytes) -> tuple[int, float]:
    """The status, 0 where there is none, and the seconds it took."""
    stamp = str(int(time.time()))
    digest = hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    began = time.monotonic()
    with suppress(requests.RequestException):
        headers = {"Api-Timestamp": stamp, "Api-Signature": digest, "Content-Type": "application/json"}
        status = requests.post(url, data=body, headers=headers, timeout=TIMEOUT).status_code
        return status, time.monotonic() - began
    return 0, time.monotonic() - began


# -- the worker --------------------------------------------------------------------------------------------------------


class _Workers(threading.Thread):
    """One worker after the other, the first ones killed, until nothing waits any more."""

    def __init__(self, made: Business, chance: random.Random, most: int) -> None:
        super().__init__()
        self._made, self._chance, self._most = made, random.Random(chance.random()), most  # noqa: S311
        self._last = threading.Event()
        self.killed = 0
        self.failure = ""

    def run(self) -> None:
        while True:
            with worker(self._made) as process:
                until = time.monotonic() + self._chance.uniform(*WORKER_LIVES)
                while self.killed >= self._most or time.monotonic() < until:
                    if process.poll() is not None:
                        self.failure = f"the worker ended with {process.returncode}"
                        return
                    if self._last.is_set() and not _waiting(self._made.folder):
                        process.terminate()
                        process.wait(60)
                        return
                    time.sleep(0.1)
            self.killed += 1

    def finish(self) -> None:
        """Waits until all is worked. Raises RuntimeError for a worker that ended by itself."""
        self._last.set()
        self.join()
        if self.failure:
            raise RuntimeError(self.failure)


# -- what is there -----------------------------------------------------------------------------------------------------


def _damage(folder: Path, sent: Sent) -> Counter[str]:
    events = _events(folder)
    stored = Counter(digest for _, digest in events)
    return Counter(
        {
            "lost": len(sent.acknowledged - stored.keys()),
            "twice": sum(times > 1 for times in stored.values()),
            "not worked": sum(state not in ENDED for state, _ in events),
        }
    )


def _waiting(folder: Path) -> bool:
    return any(state == "received" for state, _ in _events(folder))


def _events(folder: Path) -> list[tuple[str, str]]:
    with closing(sqlite3.connect(folder / "var" / "dev" / "state.db", timeout=PATIENCE)) as database:
        rows = database.execute("SELECT state, payload FROM events WHERE kind = 'hcp'").fetchall()
    return [(state, json.loads(payload)["sha256"]) for state, payload in rows]


def _reads(company: Company) -> int:
    """How often a single job was read: far less than there are webhooks, as a burst is read once (J-76)."""
    seen = requests.get(f"{company.url}/_sandbox/requests", params={"since": 0}, timeout=TIMEOUT).json()["requests"]
    return sum(each["method"] == "GET" and str(each["path"]).startswith("/jobs/job_") for each in seen)


def _milliseconds(seconds: list[float]) -> dict[str, float]:
    if len(seconds) < 2:  # noqa: PLR2004 - what a quantile needs
        return {}
    cuts = quantiles(seconds, n=100)
    return {"p50": round(cuts[49] * 1000, 1), "p99": round(cuts[98] * 1000, 1), "most": round(max(seconds) * 1000, 1)}


if __name__ == "__main__":
    raise SystemExit(main())
