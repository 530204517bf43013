"""What a benchmark is asked for and what it says, for all of them; it measures nothing by itself."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the page: what was measured against what, the ratio, and the aim it is held against."""

    what: str
    ours: str
    against: str
    ratio: str
    aim: str


@dataclass(frozen=True, slots=True)
class Sizes:
    """How large the benchmarks are: as claimed, or small to see that all of it works."""

    small: int = 246
    large: int = 1000
    huge: int = 10_000
    events: int = 40
    changed_small: int = 60
    changed_large: int = 250
    delivered: int = 10_000
    upserted: int = 1000
    report_rows: int = 5000
    mails: int = 100
    mail_seconds: int = 60
    hooks: int = 100
    hook_seconds: int = 60
    changes: int = 20
    clicks: int = 40
    stays: int = 1500
    lost: int = 1000
    times: int = 3


QUICK = Sizes(
    small=6,
    large=8,
    huge=12,
    events=4,
    changed_small=2,
    changed_large=3,
    delivered=60,
    upserted=60,
    report_rows=50,
    mails=20,
    mail_seconds=1,
    hooks=20,
    hook_seconds=2,
    changes=10,
    clicks=3,
    stays=12,
    lost=8,
    times=1,
)


def median_seconds(work: Callable[[], object], times: int) -> float:
    """Seconds that a piece of work takes on the wall, the median of so many times."""
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)
