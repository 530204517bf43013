"""Jobs whose creation's answer is lost, each time: run as a process it makes the jobs of some rows, many at a time.

It takes an order as JSON on stdin. The engine's code is the real one; what it waits for before it looks for a job, and
the pace of its calls, are cut short.
"""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench_model import Finding, Sizes
from bench_office import Office
from bench_world import business, call, process

from changeover.airtable.client import AirtableClient
from changeover.core.job_action import Action
from changeover.engine.jobs.desk import JobDesk, Pauses, open_desk
from changeover.engine.jobs.operations import perform
from changeover.engine.stopping import Stopping
from changeover.housecallpro.client import HousecallPro, Wiring
from changeover.ops import logging
from changeover.ops.redaction import Redactor
from changeover.settings import load
from changeover.store.database import Database
from changeover.store.gate import Gate, Pacing
from changeover.store.hcp_gate import HcpGate, HcpPacing

AT_ONCE = 4  # five answers lost in a row would be taken for a service that is away (C-65)
TRIES = 5
HOMES = 100
MARKER = "Changeover ref "
QUICK_AIRTABLE, QUICK_HCP = Pacing(requests=1000, slow_requests=1000), HcpPacing(requests=10_000, window=0.01)


def lost(sizes: Sizes) -> Iterator[Finding]:
    """Jobs are asked for, and of each the answer to the call that makes it is lost: the line is cut once it is made.

    Housecall Pro then has the job and we do not know. The engine's code runs in a process of its own, four rows at a
    time, over HTTP; only its waits before it looks for the job (2, 10, 30 s) and the pace of its calls are cut short.
    """
    with business(1, 0, rows=False) as made:
        office = Office(made)
        with (made.folder / "config" / "dev.env").open("a") as settings:
            settings.write("HCP_HOURLY_LIMIT=10000000\n")
        office.open(min(HOMES, sizes.lost))
        rows = office.add_stays(sizes.lost)
        made.run("--only", "Sync Service Jobs")
        office.limits(made.airtable, enforce=False)
        fault = {"mode": "drop-after-commit", "method": "POST", "path": "^/jobs$", "times": sizes.lost}
        call(f"{office.hcp}/_sandbox/faults", fault)
        order = made.folder / "rows.json"
        order.write_text(json.dumps(rows))
        ran = process([sys.executable, __file__, str(order)], made.variables({}))
        found = json.loads(ran.out.splitlines()[-1])
        (left,) = (each["times"] for each in call(f"{office.hcp}/_sandbox/faults")["faults"])
        yield from _findings(rows, office.jobs(), office.rows(), found, sizes.lost - left)


def _findings(
    rows: Sequence[str], jobs: Sequence[Any], cells: dict[str, Any], found: dict[str, int], lost_answers: int
) -> Iterator[Finding]:
    marked = Counter(_marker(job) for job in jobs)
    once = sum(marked[row] == 1 for row in rows)
    named = {_marker(job): job["id"] for job in jobs}
    true = sum(cells[row].get("Service Job ID") == named.get(row) for row in rows)
    yield Finding(f"answers lost of {len(rows)} creations", str(lost_answers), "–", "–", "all")
    yield Finding("… rows with exactly one job that bears their mark", str(once), "–", "–", "all")
    yield Finding(
        "… jobs that bear a mark", str(sum(n for mark, n in marked.items() if mark)), "–", "–", str(len(rows))
    )
    yield Finding("… rows that name that job", str(true), "–", "–", "all")
    yield Finding(
        "… rows that took more than one try, that failed", f"{found['again']}, {found['failed']}", "–", "–", "0"
    )


def _marker(job: Any) -> str:
    """The row that a job is marked with, if any."""
    notes = [str(each["content"]) for each in job.get("notes") or ()]
    return next((note.removeprefix(MARKER).strip() for note in notes if note.startswith(MARKER)), "")


# -- the process -------------------------------------------------------------------------------------------------------


def _main(order: Path) -> None:
    settings = load("dev", os.environ)
    wanted = logging.Logging("bench", "dev", settings.folder / "logs", terminal_level="CRITICAL")
    logging.configure(wanted, Redactor(settings.secret_values))
    with closing(Database(settings.state_url)) as db, ThreadPoolExecutor(AT_ONCE) as hands:
        desk = _hasty(open_desk(settings, db, Stopping()))
        tries = list(hands.map(lambda row: _created(desk, row), json.loads(order.read_text())))
    found = {"again": sum(each > 1 for each in tries), "failed": sum(each == 0 for each in tries)}
    sys.stdout.write(f"\n{json.dumps(found)}\n")


def _hasty(desk: JobDesk) -> JobDesk:
    """The worker's desk, without its waits."""
    settings = desk.settings
    assert settings.hcp_api_key is not None  # noqa: S101 - for the type checker: the desk was opened with it
    airtable = AirtableClient(
        settings.airtable_base_id,
        settings.airtable_api_key.get_secret_value(),
        settings.airtable_endpoint_url,
        Gate(desk.db, settings.airtable_base_id, pacing=QUICK_AIRTABLE),
    )
    gate = HcpGate(desk.db, hourly_limit=settings.hcp_hourly_limit, pacing=QUICK_HCP)
    hcp = HousecallPro(settings.hcp_base_url, settings.hcp_api_key.get_secret_value(), Wiring(gate))
    return replace(desk, airtable=airtable, hcp=hcp, pauses=Pauses(unclear=(0.0, 0.0, 0.0)))


def _created(desk: JobDesk, record_id: str) -> int:
    """The number of tries until the job was there; 0 when none was good."""
    for number in range(1, TRIES + 1):
        if perform(desk, Action.CREATE, record_id).success:
            return number
    return 0


if __name__ == "__main__":
    _main(Path(sys.argv[1]))
