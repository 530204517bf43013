"""Mails at the door: how soon they are acknowledged, against the same server bare and against the disk's own fsync."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from bench_model import Finding, Sizes
from bench_world import ROOT, Business, Ran, business
from mail_load import Door, Load, Seen, client, numbered_report, percentile, posted, request

ROUNDS = 3
"""The three sides take turns so often, so that what else the machine does falls on all of them."""
ENOUGH = 0.99
CYCLE_SECONDS = 120  # of mails held ready for while a cycle runs


@dataclass(slots=True)
class Sides:
    """What was measured at one rate: our acknowledgements, the bare server's, and writing the same bytes to disk."""

    ours: list[Seen]
    bare: list[Seen]
    disk: list[float]


def mail(sizes: Sizes) -> Iterator[Finding]:
    """Mails of 30 rows arrive whether or not the last one was answered; each is on disk and in the database first."""
    with business(sizes.small, sizes.events) as made:
        door = login(made.folder)
        with serving(made) as url, bare() as other:
            ours, theirs = replace(door, url=f"{url}{door.url}"), replace(door, url=f"{other}{door.url}")
            sides = _sides(sizes, made.folder, ours, theirs)
            yield from _alone(sizes, sides)
            first = sizes.mails * (sizes.mail_seconds + 1)
            seen, ran = _beside_a_cycle(sizes, made, Load(ours, sizes.mails, CYCLE_SECONDS, first=first))
            yield from _busy(sizes, seen, ran)
        sent = sum(each.accepted for each in (*sides.ours, seen))
        yield Finding("mails in the database, mails acknowledged", str(_rows(made.folder)), str(sent), "–", "all")


def _sides(sizes: Sizes, folder: Path, ours: Door, theirs: Door) -> Sides:
    sides = Sides([], [], [])
    seconds = sizes.mail_seconds / ROUNDS
    for turn in range(ROUNDS):
        load = Load(ours, sizes.mails, seconds, first=int(turn * sizes.mails * seconds))
        sides.disk += fsyncs(folder / "var" / "dev" / "raw", load)
        sides.bare.append(posted(replace(load, door=theirs)))
        sides.ours.append(posted(load))
    return sides


def _alone(sizes: Sizes, sides: Sides) -> Iterator[Finding]:
    ours, bare = _together(sides.ours), _together(sides.bare)
    disk = percentile(sides.disk, ENOUGH)
    what = f"{sizes.mails} mails/s for {sizes.mail_seconds} s"
    refused = len(ours.statuses) - ours.accepted
    yield Finding(f"{what}: not acknowledged", str(refused), f"{len(bare.statuses) - bare.accepted}", "–", "0")
    yield Finding(
        "… acknowledged, median, against a bare Flask route",
        _ms(ours.at(0.5)),
        _ms(bare.at(0.5)),
        f"{ours.at(0.5) / bare.at(0.5):.1f}",
        "–",
    )
    yield Finding(
        "… acknowledged, p99, against a bare Flask route",
        _ms(ours.at(ENOUGH)),
        _ms(bare.at(ENOUGH)),
        f"{ours.at(ENOUGH) / bare.at(ENOUGH):.1f}",
        "–",
    )
    yield Finding(
        "… acknowledged, p99, against the p99 of one write and fsync of the same bytes",
        _ms(ours.at(ENOUGH)),
        _ms(disk),
        f"{ours.at(ENOUGH) / disk:.1f}",
        "≤ 3",
    )
    yield Finding("… how late the client was at worst", _ms(ours.latest), _ms(bare.latest), "–", "–")


def _beside_a_cycle(sizes: Sizes, made: Business, load: Load) -> tuple[Seen, Ran]:
    """A cycle's reads, its commit and its deliveries all fall into the seconds of the mails."""
    made.shift(sizes.changed_small)
    mails = client(load)
    mails.begin()
    ran = made.run()
    mails.stop()
    return mails.seen(), ran


def _busy(sizes: Sizes, seen: Seen, ran: Ran) -> Iterator[Finding]:
    what = f"{sizes.mails} mails/s while a cycle over {sizes.small} calendars runs ({ran.seconds:.0f} s)"
    yield Finding(f"{what}: not acknowledged", str(len(seen.statuses) - seen.accepted), "–", "–", "0")
    yield Finding(f"… acknowledged, p99 of {len(seen.statuses)}", _ms(seen.at(ENOUGH)), "–", "–", "≤ 100 ms")
    yield Finding("… acknowledged, median and slowest", f"{_ms(seen.at(0.5))}, {_ms(seen.at(1.0))}", "–", "–", "–")


def _together(parts: list[Seen]) -> Seen:
    return Seen(
        [each for part in parts for each in part.answered],
        [each for part in parts for each in part.statuses],
        max(part.latest for part in parts),
    )


# -- the sides ---------------------------------------------------------------------------------------------------------


def fsyncs(folder: Path, load: Load) -> list[float]:
    """Seconds of writing and fsyncing a mail of this load, at its rate, as a file of its own in the folder."""
    body = request(load.door, 0, 0, numbered_report(load.rows, 0)).raw
    took: list[float] = []
    began = time.perf_counter()
    for number in range(load.number):
        time.sleep(max(0.0, began + number / load.rate - time.perf_counter()))
        started = time.perf_counter()
        descriptor = os.open(folder / "bench", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.write(descriptor, body)
        os.fsync(descriptor)
        os.close(descriptor)
        took.append(time.perf_counter() - started)
        (folder / "bench").unlink()
    return took


def login(folder: Path) -> Door:
    """The path and the login of the dev environment of a sandbox."""
    lines = (folder / "config" / "dev.env").read_text("utf-8").splitlines()
    settings = {name: value for name, _, value in (line.partition("=") for line in lines)}
    return Door("/webhooks/csv-email/dev", settings["CLOUDMAILIN_USER"], settings["CLOUDMAILIN_PASSWORD"])


@contextmanager
def serving(made: Business, bind: str = "127.0.0.1:0") -> Iterator[str]:
    """`changeover serve` on the data of a business; its address."""
    command = [sys.executable, "-m", "changeover.cli", "serve", "--bind", bind, "--json"]
    with _process(command, made.variables({})) as line:
        yield str(json.loads(line)["url"])


@contextmanager
def bare() -> Iterator[str]:
    """A Flask route that reads the body and says ok, on a gunicorn of the same kind."""
    with _process([sys.executable, str(ROOT / "scripts" / "bench_bare.py")], dict(os.environ)) as line:
        yield f"http://127.0.0.1:{int(line)}"


@contextmanager
def _process(command: list[str], variables: dict[str, str]) -> Iterator[str]:
    """A server that says on its first line where it is; ended afterwards. Raises RuntimeError when it says nothing."""
    with subprocess.Popen(command, env=variables, stdout=subprocess.PIPE, text=True) as child:  # noqa: S603
        try:
            line = child.stdout.readline() if child.stdout else ""
            if not line:
                message = f"{' '.join(command[2:4])} said nothing"
                raise RuntimeError(message)
            yield line
        finally:
            child.send_signal(signal.SIGTERM)


def _rows(folder: Path) -> int:
    with closing(sqlite3.connect(folder / "var" / "dev" / "state.db")) as database:
        return int(database.execute("SELECT count(*) FROM events WHERE kind = 'mail'").fetchone()[0])


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms"
