"""Mails at the door: how soon they are acknowledged, against the same server bare and against the disk's own fsync."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from bench_model import Finding, Sizes
from bench_program import bare, serving, settings_of
from bench_world import Business, Ran, business
from mail_load import Door, Load, Seen, client, percentile, posted, rendered

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
            load = Load(replace(door, url=f"{url}{door.url}"), sizes.mails, sizes.mail_seconds)
            sides = by_turns(load, f"{other}{door.url}", made.folder)
            yield from acknowledgements(f"{sizes.mails} mails/s for {sizes.mail_seconds} s", sides)
            first = sizes.mails * (sizes.mail_seconds + 1)
            seen, ran = _beside_a_cycle(sizes, made, replace(load, seconds=CYCLE_SECONDS, first=first))
            yield from _busy(sizes, seen, ran)
        sent = sum(each.accepted for each in (*sides.ours, seen))
        yield Finding(
            "mails in the database, mails acknowledged", str(stored(made.folder, "mail")), str(sent), "–", "all"
        )


def by_turns(whole: Load, bare_url: str, folder: Path) -> Sides:
    """A load on us, on the bare server and on the disk, in some rounds each."""
    sides = Sides([], [], [])
    seconds = whole.seconds / ROUNDS
    for turn in range(ROUNDS):
        load = replace(whole, seconds=seconds, first=whole.first + int(turn * whole.rate * seconds))
        sides.disk += fsyncs(folder / "var" / "dev", load)
        sides.bare.append(posted(replace(load, door=replace(load.door, url=bare_url))))
        sides.ours.append(posted(load))
    return sides


def acknowledgements(what: str, sides: Sides) -> Iterator[Finding]:
    """How soon all of it was acknowledged."""
    ours, bare = together(sides.ours), together(sides.bare)
    disk = percentile(sides.disk, ENOUGH)
    refused = len(ours.statuses) - ours.accepted
    yield Finding(f"{what}: not acknowledged", str(refused), f"{len(bare.statuses) - bare.accepted}", "–", "0")
    yield Finding(
        "… acknowledged, median, against a bare Flask route",
        milliseconds(ours.at(0.5)),
        milliseconds(bare.at(0.5)),
        f"{ours.at(0.5) / bare.at(0.5):.1f}",
        "–",
    )
    yield Finding(
        "… acknowledged, p99, against a bare Flask route",
        milliseconds(ours.at(ENOUGH)),
        milliseconds(bare.at(ENOUGH)),
        f"{ours.at(ENOUGH) / bare.at(ENOUGH):.1f}",
        "–",
    )
    yield Finding(
        "… acknowledged, p99, against the p99 of one write and fsync of the same bytes",
        milliseconds(ours.at(ENOUGH)),
        milliseconds(disk),
        f"{ours.at(ENOUGH) / disk:.1f}",
        "≤ 3",
    )
    yield Finding("… how late the client was at worst", milliseconds(ours.latest), milliseconds(bare.latest), "–", "–")


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
    yield Finding(f"… acknowledged, p99 of {len(seen.statuses)}", milliseconds(seen.at(ENOUGH)), "–", "–", "≤ 100 ms")
    yield Finding(
        "… acknowledged, median and slowest",
        f"{milliseconds(seen.at(0.5))}, {milliseconds(seen.at(1.0))}",
        "–",
        "–",
        "–",
    )


def together(parts: list[Seen]) -> Seen:
    """What was seen in several rounds, as one."""
    return Seen(
        [each for part in parts for each in part.answered],
        [each for part in parts for each in part.statuses],
        max(part.latest for part in parts),
    )


# -- the sides ---------------------------------------------------------------------------------------------------------


def fsyncs(folder: Path, load: Load) -> list[float]:
    """Seconds of writing and fsyncing one body of this load, at its rate, as a file of its own in the folder."""
    body = rendered(load, load.first).raw
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
    settings = settings_of(folder)
    return Door("/webhooks/csv-email/dev", settings["CLOUDMAILIN_USER"], settings["CLOUDMAILIN_PASSWORD"])


def stored(folder: Path, kind: str) -> int:
    """Events of a kind in the database."""
    with closing(sqlite3.connect(folder / "var" / "dev" / "state.db")) as database:
        return int(database.execute("SELECT count(*) FROM events WHERE kind = ?", (kind,)).fetchone()[0])


def milliseconds(seconds: float) -> str:
    """As the page says it."""
    return f"{seconds * 1000:.1f} ms"
