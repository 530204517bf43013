"""Jobs of Housecall Pro: what a click takes, what a whole business of new stays takes, and answers that are lost."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median
from typing import Any
from urllib.request import Request, urlopen

import requests
from bench_model import Finding, Sizes
from bench_office import RESERVATIONS, Office
from bench_program import serving, working
from bench_world import ROOT, business, call, process
from mail_load import percentile

HCP_SECONDS, AIRTABLE_SECONDS = 0.15, 0.1  # of every call
PACE, WINDOW = 4, 1.05  # our calls to Housecall Pro, in so many seconds
BETWEEN_CLICKS = 1.5  # nobody clicks while the last click's calls still count
BARE_CALLS = 11
WARMING = 2  # clicks that prove the base and check addresses, before those that count
HOMES_OF_CLICKS = 4
LOOKS_SECONDS = 60
HOURS_BETWEEN, PAGE = 4, 200  # cycles as cron starts them, jobs of a list's page


@dataclass(frozen=True, slots=True)
class Click:
    """What one click took: seconds until its answer, how long calls were under way, how long the pace held calls up."""

    seconds: float
    calls_seconds: float
    paced_seconds: float
    hcp: int
    airtable: int

    @property
    def own(self) -> float:
        return self.seconds - self.calls_seconds - self.paced_seconds


def create(sizes: Sizes) -> Iterator[Finding]:
    """A click on Create Job, from the request to the server to its answer, one after the other, each on another stay.

    Server and worker are the real processes. Every call to Housecall Pro takes 150 ms, every call to Airtable 100 ms.
    The other side is its calls alone, each as long as a bare client's call takes here; what is under way at the same
    time counts once. Our own part is the rest, without the time for which our pace of four calls a second held a call
    up.
    """
    with business(1, 0, rows=False) as made:
        office = Office(made)
        office.open(HOMES_OF_CLICKS)
        rows = office.add_stays(sizes.clicks + HOMES_OF_CLICKS * WARMING)
        made.run("--only", "Sync Service Jobs")
        with serving(made) as url, working(made):
            for stand_in, seconds in ((office.hcp, HCP_SECONDS), (made.airtable, AIRTABLE_SECONDS)):
                call(f"{stand_in}/_sandbox/faults", {"mode": "latency", "value": str(seconds), "times": None})
            bare, warming = _bare_calls(office, rows[0]), HOMES_OF_CLICKS * WARMING
            first = [_clicked(office, url, row, bare) for row in rows[:warming]]
            clicks = [_clicked(office, url, row, bare) for row in rows[warming:]]
    yield from _click_findings(clicks)
    yield Finding(
        "… calls to Housecall Pro of a home's first two clicks", _span({each.hcp for each in first}), "–", "–", "≤ 6"
    )


def _click_findings(clicks: Sequence[Click]) -> Iterator[Finding]:
    times, bare = [each.seconds for each in clicks], [each.calls_seconds for each in clicks]
    what = f"{len(clicks)} clicks on Create Job, {{}}, against their calls alone"
    for name, share, aim in ((what.format("median"), 0.5, "≤ 2 s"), ("… p90", 0.9, "≤ 2 s"), ("… slowest", 1.0, "–")):
        ours, theirs = percentile(times, share), percentile(bare, share)
        yield Finding(name, f"{ours:.2f} s", f"{theirs:.2f} s", f"{ours / theirs:.2f}", aim)
    paced = median(each.paced_seconds for each in clicks)
    yield Finding("… our own part, median", f"{median(each.own for each in clicks) * 1000:.0f} ms", "–", "–", "≤ 60 ms")
    yield Finding("… held up by four calls a second, median", f"{paced * 1000:.0f} ms", "–", "–", "–")
    hcp, airtable = {each.hcp for each in clicks}, {each.airtable for each in clicks}
    yield Finding("… calls to Housecall Pro", _span(hcp), "–", "–", "≤ 5")
    yield Finding("… calls to Airtable", _span(airtable), "–", "–", "–")


def _span(numbers: set[int]) -> str:
    return str(min(numbers)) if len(numbers) == 1 else f"{min(numbers)} – {max(numbers)}"


def jobs(sizes: Sizes) -> Iterator[Finding]:
    """Eligible stays and not one job: how long until all have one, within 1,000 calls an hour; then nothing new.

    Hours pass in minutes: the program's cycles run in one process, the real controller, engine and clients over HTTP
    against the stand-ins in threads beside it. Whoever is to wait (for the pace of four calls a second, for Airtable's
    five) moves the clock of both gates and both stand-ins ahead instead. A cycle begins every 65 minutes of that clock,
    when no call of the last one is within the hour any more, so the hours are those of the budget; as shipped a cycle
    begins every four hours. Housecall Pro's stand-in refuses the 1,001st call of any hour and the sixth of a second,
    Airtable's the sixth of a second.
    """
    ran = process([sys.executable, str(ROOT / "scripts" / "bench_hours.py"), str(sizes.stays)], dict(os.environ))
    found = json.loads(ran.out.splitlines()[-1])
    cycles, quiet, stays = found["cycles"], found["quiet"], found["rows"]
    hcp, refused = sum(each["hcp"] for each in cycles), sum(each["refused"] for each in cycles)
    shipped = (len(cycles) - 1) * HOURS_BETWEEN
    yield Finding(
        f"{stays} stays have a job each: cycles, hours",
        f"{len(cycles)}, {found['seconds'] / 3600:.1f} h",
        "–",
        "–",
        "–",
    )
    yield Finding("… with a cycle every four hours as shipped", f"{shipped} h", "–", "–", "–")
    yield Finding(
        "… calls to Housecall Pro, for each job",
        f"{hcp}, {hcp / stays:.2f}",
        "–",
        "–",
        "4 each, 1 a home and day, some a cycle",
    )
    yield Finding("… most of them in one cycle", str(max(each["hcp"] for each in cycles)), "1000", "–", "≤ 800")
    yield Finding("… refusals (429) of both services", str(refused + quiet["refused"]), "–", "–", "0")
    yield Finding(
        "… stays without a job, jobs without a stay", f"{found['without']}, {found['jobs'] - stays}", "–", "–", "0, 0"
    )
    least = -(-stays // PAGE)
    what = f"a cycle over {stays} linked jobs, nothing new: calls to Housecall Pro, against pages of {PAGE}"
    yield Finding(what, str(quiet["hcp"]), str(least), f"{quiet['hcp'] / least:.1f}", f"≤ {least + 3}")
    yield Finding("… requests that write rows", str(quiet["writes"]), "–", "–", "0")
    yield Finding("… seconds, its waits counted", f"{quiet['seconds']:.1f} s", "–", "–", "–")


def _bare_calls(office: Office, record_id: str) -> tuple[float, float]:
    """Seconds that a call to Housecall Pro and one to Airtable take a bare client, medians."""
    airtable = f"{office.made.airtable}/v0/{office.made.base}/{RESERVATIONS}/{record_id}"
    keys = f"Token {office.keys['HCP_API_KEY']}", f"Bearer {office.keys['AIRTABLE_API_KEY']}"
    found = []
    for url, key in zip((f"{office.hcp}/company", airtable), keys, strict=True):
        with requests.Session() as session:
            times = [_timed(session, url, key) for _ in range(BARE_CALLS)]
        found.append(median(times[1:]))  # the first one connects
    return found[0], found[1]


def _timed(session: requests.Session, url: str, key: str) -> float:
    time.sleep(WINDOW / PACE)
    began = time.perf_counter()
    session.get(url, headers={"Authorization": key}, timeout=LOOKS_SECONDS).raise_for_status()
    return time.perf_counter() - began


def _clicked(office: Office, url: str, record_id: str, bare: tuple[float, float]) -> Click:
    """One click and its answer. Raises HTTPError for a refusal."""
    time.sleep(BETWEEN_CLICKS)
    sides = (office.hcp, bare[0]), (office.made.airtable, bare[1])
    before = [office.next(side) for side, _ in sides]
    began = time.time()
    headers = {"Content-Type": "application/json", "X-API-Key": office.keys["API_KEY"]}
    body = json.dumps({"recordId": record_id}).encode()
    with urlopen(Request(f"{url}/api/dev/create-job", body, headers), timeout=LOOKS_SECONDS) as answer:  # noqa: S310 - loopback
        json.load(answer)
    ended = time.time()
    hcp, airtable = (
        [(at, at + seconds) for each in office.requests(side, since)[0] if (at := _at(each)) < ended]
        for (side, seconds), since in zip(sides, before, strict=True)
    )
    under_way = _union([*hcp, *airtable], ended)
    return Click(ended - began, sum(end - at for at, end in under_way), _paced(hcp, under_way), len(hcp), len(airtable))


def _at(request: Mapping[str, Any]) -> float:
    return datetime.fromisoformat(str(request["at"])).astimezone(UTC).timestamp()


def _union(spans: Sequence[tuple[float, float]], ended: float) -> list[tuple[float, float]]:
    """The times in which anything was under way, until the answer."""
    found: list[tuple[float, float]] = []
    for at, end in sorted((at, min(end, ended)) for at, end in spans):
        if found and at <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((at, end))
    return found


def _paced(hcp: Sequence[tuple[float, float]], under_way: Sequence[tuple[float, float]]) -> float:
    """For how long nothing was under way because the next call to Housecall Pro would have been the fifth."""
    starts = sorted(at for at, _ in hcp)
    held = 0.0
    for earlier, at in zip(starts, starts[PACE:], strict=False):
        idle_since = max((end for _, end in under_way if end <= at), default=at)
        held += max(0.0, min(at, earlier + WINDOW) - idle_since)
    return held
