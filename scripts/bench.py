"""Measures what is claimed, both sides in one run, and writes docs/performance.md; it judges nothing in a test."""

from __future__ import annotations

import argparse
import inspect
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

from bench_clients import fetching, upsert
from bench_hooks import webhooks
from bench_jobs import create, jobs
from bench_lost import lost
from bench_mail import mail
from bench_model import QUICK, Finding, Sizes, median_seconds
from bench_page import machine, with_section
from bench_reports import reports
from bench_rivals import installed
from bench_world import ROOT, TODAY, Business, business, process

from changeover_sandbox.feeds.latency import Latency

PAGE = ROOT / "docs" / "performance.md"
ROWS_A_SECOND = 50  # ten rows a request, five requests a second
RIVAL = "vdirsyncer"
MEDIAN, SIGMA, SEED = 0.3, 0.5, 1  # of the calendars' log-normal latency, in seconds
OVERLAP_SECONDS = 125


def cycle(sizes: Sizes) -> Iterator[Finding]:
    """A cycle over calendars of log-normal latency, against the least that network and rate limit allow.

    The least a cycle may take is max(slowest calendar, sum of their times ÷ calendars at once) + rows ÷ 50 s: the
    network and Airtable's five requests of ten rows a second. Latencies are log-normal (median 0.3 s, seeded), fixed
    per calendar.
    """
    yield from _cycle(sizes.small, sizes.events, sizes.changed_small, 20)
    if sizes is not QUICK:
        yield from _cycle(sizes.large, sizes.events, sizes.changed_large, 50)


def _cycle(feeds: int, events: int, changed: int, at_once: int) -> Iterator[Finding]:
    with business(feeds, events) as made:
        settings = {"MAX_CONCURRENT_FEEDS": str(at_once)}
        made.run(env=settings)
        made.latency(MEDIAN, SIGMA, SEED)
        _, since = made.requests(0)
        made.shift(changed)
        ran = made.run(env=settings)
        seconds = ran.json["automations"][0]["seconds"]
        calls, _ = made.requests(since)
        rows = sum(len(each["body"]["records"]) for each in calls if each["method"] in ("POST", "PATCH"))
        wait = Latency(MEDIAN, SIGMA, SEED)
        times = [wait.of(f"bench{number}") for number in range(feeds)]
        limit = max(*times, sum(times) / at_once) + rows / ROWS_A_SECOND
        what = f"cycle: {feeds} calendars × {events} events, {at_once} at once, {changed} changed stays ({rows} rows)"
        yield Finding(what, f"{seconds:.1f} s", f"{limit:.1f} s", f"{seconds / limit:.2f}", "≤ 1.3")
        yield Finding(
            f"peak memory of that process, {feeds} calendars", f"{ran.megabytes:.0f} MB", "–", "–", "≤ 250 MB"
        )
        yield Finding(
            "the whole process, start-up and end included",
            f"{ran.seconds:.1f} s",
            f"{limit:.1f} s",
            f"{ran.seconds / limit:.2f}",
            "–",
        )


def huge(sizes: Sizes) -> Iterator[Finding]:
    """Very many calendars: it ends, and what memory a further calendar costs."""
    peaks = {}
    for feeds in (sizes.large, sizes.huge):
        with business(feeds, 4, rows=False) as made:
            made.run("--dry-run", env={"MAX_CONCURRENT_FEEDS": "50"})
            ran = made.run("--dry-run", env={"MAX_CONCURRENT_FEEDS": "50"})
            peaks[feeds] = ran.megabytes
            what = f"{feeds} calendars × 4 events, dry run from an empty base"
            yield Finding(what, f"{ran.seconds:.1f} s", f"{ran.megabytes:.0f} MB", "–", "ends")
    few, many = sorted(peaks)
    each = (peaks[many] - peaks[few]) / (many - few) * 1024 if many > few else 0.0
    yield Finding("memory a further calendar costs", f"{each:.1f} kB", "–", "–", "–")


def rival(sizes: Sizes) -> Iterator[Finding]:
    """Fetch, read and decide, against vdirsyncer's http → singlefile over the same calendars, no latency.

    Its side is always the whole process. Ours is the automation of a cycle up to its commit (known rows loaded,
    calendars fetched, read, reconciled, all of it stored), first without, then with the start of Python and of the
    program. The first run remembers what every calendar shows, the second finds nothing to do, and the third sees by a
    hash of all that a plan depends on that there is nothing to find.
    """
    program = _rival()
    with business(sizes.small, sizes.events) as made, tempfile.TemporaryDirectory() as place:
        config = _rival_config(made, Path(place))
        made.run("--dry-run")  # the base is read; no calendar is known yet
        for name, aim in (("first run", "≥ 5"), ("second run", "–"), ("nothing has changed since", "≥ 20")):
            other = process([program, "-c", str(config), "sync"], dict(os.environ), (0, 1))
            ours = process([sys.executable, str(ROOT / "scripts" / "bench_observe.py")], made.variables({}))
            seconds = float(ours.out.splitlines()[-1])
            what = f"{sizes.small} calendars × {sizes.events} events against {RIVAL}, {name}"
            for part, took in ((f"{what}: observe, reconcile, commit", seconds), ("… whole process", ours.seconds)):
                yield Finding(part, f"{took:.2f} s", f"{other.seconds:.2f} s", f"{other.seconds / took:.1f}", aim)


def _rival() -> str:
    return str(installed(RIVAL) / "bin" / RIVAL)


def _rival_config(made: Business, place: Path) -> Path:
    parts = [f'[general]\nstatus_path = "{place}/status/"\n']
    for n in range(made.feeds):
        parts.append(f'[pair p{n}]\na = "a{n}"\nb = "b{n}"\ncollections = null\nconflict_resolution = "a wins"\n')
        parts.append(f'[storage a{n}]\ntype = "http"\nurl = "{made.url(n)}"\n')
        parts.append(f'[storage b{n}]\ntype = "singlefile"\npath = "{place}/out{n}.ics"\n')
    config = place / "config"
    config.write_text("\n".join(parts))
    process([_rival(), "-c", str(config), "discover"], dict(os.environ), (0, 1))
    return config


def unchanged(sizes: Sizes) -> Iterator[Finding]:
    """What a quiet cycle asks of Airtable."""
    with business(sizes.small, sizes.events) as made:
        made.run()
        if sizes is not QUICK:
            time.sleep(OVERLAP_SECONDS)  # until then a run reads back the rows that were seeded (AT-31)
            made.run()
            time.sleep(1)
        _, since = made.requests(0)
        ran = made.run()
        calls, _ = made.requests(since)
        reads = [each for each in calls if each["method"] == "GET" and not each["path"].endswith("/Automation")]
        rows = [each for each in calls if each["method"] != "GET" and not each["path"].endswith("/Automation")]
        what = f"quiet cycle over {sizes.small} calendars and {sizes.small * sizes.events} rows"
        yield Finding(f"{what}: writes beside its report", str(len(rows)), "–", "–", "0")
        yield Finding("… reads beside the control table", str(len(reads)), "–", "–", "≤ 3")
        yield Finding("… the whole process", f"{ran.seconds:.1f} s, {ran.megabytes:.0f} MB", "–", "–", "–")


def delivery(sizes: Sizes) -> Iterator[Finding]:
    """Very many changed rows, against the rate limit alone."""
    feeds = max(1, sizes.delivered // sizes.events)
    with business(feeds, sizes.events, rows=False) as made:
        ran = made.run()
        calls, _ = made.requests(0)
        creates = [each for each in calls if each["method"] == "POST" and each["path"].endswith("/Reservations")]
        rows = sum(len(each["body"]["records"]) for each in creates)
        stamps = [datetime.fromisoformat(str(each["at"])) for each in creates]
        seconds = (max(stamps) - min(stamps)).total_seconds()
        refused = sum(1 for each in calls if each["status"] == 429)  # noqa: PLR2004 - Airtable's refusal
        limit = rows / ROWS_A_SECOND
        yield Finding(f"{rows} new rows: refusals (429)", str(refused), "–", "–", "0")
        yield Finding(
            f"{rows} new rows: first to last request",
            f"{seconds:.1f} s",
            f"{limit:.1f} s",
            f"{seconds / limit:.3f}",
            "≤ 1.05",
        )
        yield Finding("… the whole process", f"{ran.seconds:.1f} s, {ran.megabytes:.0f} MB", "–", "–", "–")


def startup(sizes: Sizes) -> Iterator[Finding]:
    """How long the command line takes to say what it can do."""
    help_ = [sys.executable, "-m", "changeover.cli", "--help"]
    bare = [sys.executable, "-c", "pass"]
    pairs = [
        (process(help_, dict(os.environ)).seconds, process(bare, dict(os.environ)).seconds)
        for _ in range(5 * sizes.times)
    ]
    ours, theirs = (statistics.median(side) for side in zip(*pairs, strict=True))
    yield Finding(
        "`changeover --help` against bare Python", f"{ours:.2f} s", f"{theirs:.2f} s", f"{ours / theirs:.1f}", "≤ 0.4 s"
    )


def reading(sizes: Sizes) -> Iterator[Finding]:
    """Our reading of a calendar, classified and all, against icalendar's parsing of the whole body."""
    from zoneinfo import ZoneInfo

    from icalendar import Calendar

    from changeover.core.stay import Rules
    from changeover.sources.ics import platforms
    from changeover.sources.ics.feeds import FeedConfig
    from changeover.sources.ics.read import read
    from changeover.sources.ics.repair import repair

    made = Business(Path(), {"feeds": {"url": "http://127.0.0.1"}}, 1, sizes.events)
    body, rules = made.body(0).encode(), Rules(ZoneInfo("America/Phoenix"))
    words = platforms.load(ROOT / "config" / "platforms.toml")
    feed = FeedConfig("recBENCH000000000", "http://127.0.0.1/x.ics", "recHOUSE000000000")
    ours = median_seconds(lambda: read(repair(body), feed, words, rules, TODAY), 20 * sizes.times)
    theirs = median_seconds(lambda: Calendar.from_ical(body), 20 * sizes.times)
    what = f"a calendar of {sizes.events} events: repaired, read and classified, against icalendar's parsing alone"
    yield Finding(what, f"{ours * 1000:.1f} ms", f"{theirs * 1000:.1f} ms", f"{theirs / ours:.1f}", "–")


BENCHES: dict[str, Callable[[Sizes], Iterator[Finding]]] = {
    "cycle": cycle,
    "huge": huge,
    "rival": rival,
    "unchanged": unchanged,
    "delivery": delivery,
    "reading": reading,
    "fetching": fetching,
    "upsert": upsert,
    "startup": startup,
    "reports": reports,
    "mail": mail,
    "create": create,
    "jobs": jobs,
    "lost": lost,
    "webhooks": webhooks,
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument(
        "--only", action="append", choices=sorted(BENCHES), help="one of the benchmarks; may be repeated"
    )
    parser.add_argument("--quick", action="store_true", help="small sizes, to see that all of it works; writes no page")
    options = parser.parse_args()
    sizes = QUICK if options.quick else Sizes()
    _say(f"{machine()}\n")
    for name in options.only or BENCHES:
        findings = []
        for finding in BENCHES[name](sizes):
            findings.append(finding)
            _say(f"{finding.what}\n    {finding.ours}  |  {finding.against}  |  {finding.ratio}  |  aim {finding.aim}")
        if not options.quick:
            _keep(name, findings)
    return 0


def _keep(name: str, findings: list[Finding]) -> None:
    """Puts what was found into its place on the page."""
    about = {each: inspect.getdoc(bench) or "" for each, bench in BENCHES.items()}
    page = PAGE.read_text("utf-8") if PAGE.exists() else ""
    PAGE.write_text(with_section(page, about, name, findings), "utf-8")
    _say(f"    → {PAGE.relative_to(ROOT)}\n")


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main())
