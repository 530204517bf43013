"""Our two ways to the outside against the bare libraries below them: fetching calendars, writing rows."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from bench_model import Finding, Sizes
from bench_world import Business, business, process

MEDIAN, SIGMA, SEED, AT_ONCE = 0.3, 0.5, 1, 20
A_REQUEST, SPACING = 10, 0.21  # rows of a request, seconds from one to the next: Airtable's limits and a bit
REFUSED = 429


def fetching(sizes: Sizes) -> Iterator[Finding]:
    """Calendars fetched within all our limits (addresses, sizes, hosts, redirects), against aiohttp alone."""
    with business(sizes.small, sizes.events, rows=False) as made:
        for what, latency in (("no latency", 0.0), (f"log-normal latency of {MEDIAN} s", MEDIAN)):
            made.latency(latency, SIGMA, SEED)
            ran = process([sys.executable, __file__, made.calendars, str(made.feeds)], dict(os.environ))
            found = json.loads(ran.out.splitlines()[-1])
            yield Finding(
                f"{made.feeds} calendars fetched, {AT_ONCE} at once, {what}, against bare aiohttp",
                f"{found['ours']:.2f} s",
                f"{found['bare']:.2f} s",
                f"{found['ours'] / found['bare']:.2f}",
                "–",
            )


def upsert(sizes: Sizes) -> Iterator[Finding]:
    """Rows written durably, with receipts, against pyairtable's upsert paced by hand at one request in 0.21 s.

    At exactly five a second pyairtable is refused now and then: what is sent evenly does not arrive evenly.
    """
    feeds = max(1, sizes.upserted // sizes.events)
    with business(feeds, sizes.events, rows=False) as made:
        made.run()
        ours, refused = _written(made, "dev", "POST")
        _upsert_with_pyairtable(made, ours[0])
        theirs, refused_too = _written(made, "prod", "PATCH")
        yield Finding(
            f"{ours[0]} new rows, first to last request, against pyairtable's batch_upsert each {SPACING} s",
            f"{ours[1]:.1f} s",
            f"{theirs[1]:.1f} s",
            f"{ours[1] / theirs[1]:.2f}",
            "–",
        )
        yield Finding("… refusals (429)", str(refused), str(refused_too), "–", "0")


def _written(made: Business, env: str, method: str) -> tuple[tuple[int, float], int]:
    """Rows and seconds of an environment's requests that make reservations, and how many were refused."""
    base = made.where["airtable"][env]["base_id"]
    calls = [each for each in made.requests(0)[0] if each["path"] == f"/v0/{base}/Reservations"]
    writes = [each for each in calls if each["method"] == method]
    stamps = [datetime.fromisoformat(str(each["at"])) for each in writes]
    rows = sum(len(each["body"]["records"]) for each in writes)
    return (rows, (max(stamps) - min(stamps)).total_seconds()), sum(each["status"] == REFUSED for each in calls)


def _upsert_with_pyairtable(made: Business, rows: int) -> None:
    from pyairtable import Api

    keys = made.where["airtable"]["prod"]
    table = Api(keys["api_key"], endpoint_url=made.airtable).table(keys["base_id"], "Reservations")
    wanted: list[dict[str, Any]] = [{"fields": {"Reservation UID": f"bench-{n}", "Status": "New"}} for n in range(rows)]
    for start in range(0, rows, A_REQUEST):
        began = time.monotonic()
        table.batch_upsert(wanted[start : start + A_REQUEST], key_fields=["Reservation UID"])
        time.sleep(max(0.0, SPACING - (time.monotonic() - began)))


async def _ours(urls: Sequence[str]) -> None:
    from changeover.sources.ics.fetch import Fetched, FetchSettings, Validators, open_fetcher

    async def whole(fetched: Fetched) -> int:
        return len(fetched.body or b"")

    settings = FetchSettings(max_concurrent=AT_ONCE, allow_private=True, start_jitter_seconds=0.0)
    async with open_fetcher(settings) as fetcher:
        await asyncio.gather(*(fetcher.fetch(url, Validators(), whole) for url in urls))


async def _bare(urls: Sequence[str]) -> None:
    import aiohttp

    gate = asyncio.Semaphore(AT_ONCE)

    async def one(session: aiohttp.ClientSession, url: str) -> None:
        async with gate, session.get(url) as answer:
            await answer.read()

    async with aiohttp.ClientSession() as session:
        await asyncio.gather(*(one(session, url) for url in urls))


def _main(calendars: str, number: int) -> None:
    urls = [f"{calendars}/ics/bench{n}.ics" for n in range(number)]
    sides: Mapping[str, Callable[[Sequence[str]], Coroutine[Any, Any, None]]] = {"bare": _bare, "ours": _ours}
    taken: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(3):
        for name, side in sides.items():
            began = time.perf_counter()
            asyncio.run(side(urls))
            taken[name].append(time.perf_counter() - began)
    sys.stdout.write(f"\n{json.dumps({name: min(each) for name, each in taken.items()})}\n")


if __name__ == "__main__":
    _main(sys.argv[1], int(sys.argv[2]))
