"""A supplier's report: from bytes to a plan, against a bare pandas read and the reconcile of the same stays."""

from __future__ import annotations

import hashlib
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from bench_model import Finding, Sizes, median_seconds
from bench_rivals import installed
from bench_world import ROOT, TODAY, process

RIVAL = "pandas"
HEADER = (
    'Checkin,Checkout,"Date Booked","Tenant Name","Tenant Phone","Property Name","Property Address","Property Owner",'
    'BR/BA,Size,"Next Booking","Next Tenant Name","Next Tenant Phone","Same Day?","Contractor Info","Reservation ID"'
)
HOMES, NIGHTS, TURN = 200, 4, 5
_BARE_READ = """\
import sys, time, pandas
taken = []
for _ in range(int(sys.argv[2])):
    began = time.perf_counter()
    pandas.read_csv(sys.argv[1], dtype=str, keep_default_na=False)
    taken.append(time.perf_counter() - began)
print(sorted(taken)[len(taken) // 2])
"""


def reports(sizes: Sizes) -> Iterator[Finding]:
    """A supplier's report becomes a plan: reading, homes, dates and reasons, against the least of it."""
    ours, reconciling, _ = _measured(sizes.report_rows, sizes.times)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "report.csv"
        path.write_bytes(report(sizes.report_rows))
        command = [str(installed(RIVAL) / "bin" / "python"), "-c", _BARE_READ, str(path), str(sizes.times)]
        bare = float(process(command, dict(os.environ)).out)
    least = bare + reconciling
    yield Finding(
        f"a report of {sizes.report_rows} rows becomes a plan, against {RIVAL}.read_csv + the reconcile of its stays",
        f"{ours:.2f} s",
        f"{bare:.2f} + {reconciling:.2f} s",
        f"{ours / least:.2f}",
        "≤ 2",
    )
    large = sizes.report_rows * 4
    *_, megabytes = _measured(large, 1)
    yield Finding(f"peak memory of a process that plans {large} rows", f"{megabytes:.0f} MB", "–", "–", "≤ 400 MB")


def report(rows: int) -> bytes:
    """An iTrip report whose stays follow each other at the homes `House 0` and on, one turn after another."""
    lines = [HEADER]
    for number in range(rows):
        home, turn = number % HOMES, number // HOMES
        check_in = TODAY + timedelta(days=1 + TURN * turn % 175)
        check_out, following = check_in + timedelta(days=NIGHTS), check_in + timedelta(days=TURN)
        note = f"Work Order #{number}\nPlease check the patio lights.\nParking on the east side."
        lines.append(
            f"{check_in} 16:00:00,{check_out} 10:00:00,2026-01-05,Guest Q{number},,House {home},{home} N Sample Ln,"
            f'Owner {home % 60},2/2,1100,{following} 16:00:00,Guest N{number},,No,"{note}",{7_000_000 + number}'
        )
    return "\n".join((*lines, "")).encode()


def _measured(rows: int, times: int) -> tuple[float, float, float]:
    """Seconds of the whole way, seconds of its reconcile, peak memory in MB; in a process of its own."""
    ran = process([sys.executable, __file__, str(rows), str(times)], dict(os.environ))
    found = json.loads(ran.out.splitlines()[-1])  # log lines stand before it
    return found["whole"], found["reconcile"], ran.megabytes


def _main(rows: int, times: int) -> None:
    from changeover import rulefiles
    from changeover.core.reconcile import reconcile
    from changeover.core.stay import Known, Rules
    from changeover.sources.csv import suppliers
    from changeover.sources.csv.inbox import InboxFile
    from changeover.sources.csv.memory import Memory
    from changeover.sources.csv.observe import SupplierResult, observe
    from changeover.sources.csv.properties import Home, PropertyDirectory

    raw, now, rules = report(rows), datetime.now(UTC), Rules(ZoneInfo("America/Phoenix"))
    file = InboxFile("report.csv", now, raw, hashlib.sha256(raw).hexdigest())
    known_forms = suppliers.load(rulefiles.find(name, ROOT / "config") for name in suppliers.FILES)
    directory = PropertyDirectory([Home(f"recHOUSE{number:09}", f"House {number}") for number in range(HOMES)])

    def read() -> list[SupplierResult]:
        return observe([file], directory, Memory(), now=now, rules=rules, suppliers=known_forms)

    batches = [each.batch for each in read() if each.batch is not None]
    if sum(len(batch.observations) for batch in batches) != rows:
        message = f"not all of the {rows} rows were read"
        raise RuntimeError(message)

    def decide() -> None:
        reconcile(Known(), batches, now, rules)

    def whole() -> None:
        reconcile(Known(), [each.batch for each in read() if each.batch is not None], now, rules)

    found = {"reconcile": median_seconds(decide, times), "whole": median_seconds(whole, times)}
    sys.stdout.write(f"\n{json.dumps(found)}\n")


if __name__ == "__main__":
    _main(int(sys.argv[1]), int(sys.argv[2]))
