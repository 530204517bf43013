"""One run of the calendars as a cycle does it, committed but with nothing sent; prints its seconds."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from typing import NoReturn

from changeover.engine import calendars
from changeover.engine.base import Base, Reread
from changeover.engine.rules import rule_book
from changeover.engine.work import Delivered, Work
from changeover.ops import logging
from changeover.ops.redaction import Redactor
from changeover.settings import load
from changeover.sources.ics.fetch import FetchSettings
from changeover.store.database import Database


def read_again(tables: Sequence[str], *, whole: bool = False) -> Reread:
    raise NotImplementedError(tables, whole)


def jobs() -> NoReturn:
    raise NotImplementedError("a run of the calendars asks for none")


settings = load("dev", os.environ)
wanted = logging.Logging("bench", "dev", settings.folder / "logs", terminal_level="WARNING")
logging.configure(wanted, Redactor(settings.secret_values))
book = rule_book(settings)
now = datetime.now(UTC)
work = Work(
    settings=settings,
    db=Database(settings.state_url),
    rules=book.rules,
    platforms=book.platforms,
    suppliers=book.suppliers,
    base=Base(),
    run_id=f"bench-{now:%H%M%S%f}",
    now=now,
    dry_run=False,
    observe=True,
    read_again=read_again,
    still_ours=lambda _connection: None,
    deliver=lambda _run_id: Delivered(),
    calls=lambda: 0,
    sleep=time.sleep,
    asked_to_end=lambda: False,
    jobs=jobs,
)
# Starts are spread over a quarter of a second, which would be most of what is measured.
calendars.FetchSettings = partial(FetchSettings, start_jitter_seconds=0.0)  # type: ignore[assignment, attr-defined]
began = time.perf_counter()
with ThreadPoolExecutor(1) as cycle:  # as in a cycle: not in the main thread
    done = cycle.submit(calendars.run, work).result()
seconds = time.perf_counter() - began
if done.plan is None or done.plan.changes:
    raise SystemExit(f"not the run that was to be measured: {done.outcome.text}")
sys.stdout.write(f"{seconds}\n")
