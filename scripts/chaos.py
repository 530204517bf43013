"""Kills real runs wherever they write and spoils their lines, then compares the base with the truth; mends nothing."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench_world import ROOT, business
from chaos_assault import Assault
from chaos_hooks import webhooks
from chaos_mail import mails
from chaos_town import Town

CALENDARS = 10
HOOKED_JOBS, HOOK_KILLS = 60, 100


def main() -> int:
    options = _options()
    failed = 0
    if options.kills or options.write_points:
        failed |= _kills(options)
    if options.steps or options.replay:
        failed |= _lives(options)
    if options.mails:
        failed |= mails(options.mails, options.seed)
    if options.hooks:
        failed |= webhooks(options.hooks, HOOKED_JOBS, HOOK_KILLS, options.seed)
    return int(bool(failed))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/chaos", description=__doc__)
    parser.add_argument("--kills", type=int, default=None, help="real runs to kill (30; 0 when others are asked for)")
    parser.add_argument(
        "--write-points", choices=["", "all", "from-nothing"], default="", help="also kill a run at each of its writes"
    )
    parser.add_argument("--first-point", type=int, default=1, help="with --write-points: go on at this one")
    parser.add_argument("--steps", type=int, default=0, help="steps of businesses lived through at random")
    parser.add_argument("--mails", type=int, default=0, help="mails acknowledged by servers that are killed")
    parser.add_argument("--hooks", type=int, default=0, help="webhooks taken and worked by processes that are killed")
    parser.add_argument("--minutes", type=float, default=60.0, help="no new kill after so long")
    parser.add_argument("--seed", type=int, default=1, help="the same seed takes the same decisions")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--processes", type=int, default=1, help="with --steps: share them among so many processes")
    parser.add_argument("--engine", choices=["plain", "durable"], default="plain", help="with --steps")
    parser.add_argument("--lines", choices=["direct", "http"], default="direct", help="with --steps")
    parser.add_argument("--replay", type=Path, help="take the steps of the file that a broken life has left")
    parser.add_argument("--shrink", action="store_true", help="with --steps: look for a shorter way to what broke")
    options = parser.parse_args()
    if options.kills is None:
        others = options.steps, options.write_points, options.replay, options.mails, options.hooks
        options.kills = 0 if any(others) else 30
    return options


def _lives(options: argparse.Namespace) -> int:
    command = [sys.executable, "-m", "stateful", f"--steps={options.steps}", f"--seed={options.seed}"]
    command += [f"--processes={options.processes}", f"--engine={options.engine}", f"--lines={options.lines}"]
    command += [f"--database={options.database}", *(["--shrink"] if options.shrink else [])]
    command += [f"--replay={options.replay.resolve()}"] if options.replay else []
    variables = {**os.environ, "PYTHONPATH": str(ROOT / "tests")}
    return subprocess.run(command, env=variables, check=False).returncode  # noqa: S603


def _kills(options: argparse.Namespace) -> int:
    chance = random.Random(options.seed)  # noqa: S311 - chosen misfortunes must be had again
    until = time.monotonic() + options.minutes * 60
    with _database(options.database) as env, business(CALENDARS, 0, rows=False) as made:
        assault, began = Assault(Town(made, chance), chance, env), time.monotonic()
        while assault.tally.kills < options.kills and time.monotonic() < until:
            assault.round()
            _say(f"\r{assault.tally.kills} kills", end="")
        if options.write_points:
            fresh = options.write_points == "from-nothing"
            assault.every_write_point(options.first_point, fresh=fresh, until=until)
        assault.full_disk()
    tally = assault.tally
    report = {
        "seed": options.seed,
        "database": options.database,
        "kills": tally.kills,
        "minutes": round((time.monotonic() - began) / 60, 1),
        "done": dict(tally.done),
        "write points": dict(tally.points),
        "endings": dict(tally.codes),
        "damage": {name: number for name, number in tally.damage.items() if number},
        "stays": len(assault.town.stays),
    }
    _say(f"\n{json.dumps(report, indent=1)}")
    return int(any(tally.damage.values()))


@contextmanager
def _database(kind: str) -> Iterator[dict[str, str]]:
    """The variables that name the state database; for PostgreSQL a cluster of its own, stopped afterwards."""
    if kind == "sqlite":
        yield {}
        return
    sys.path.insert(0, str(ROOT / "tests"))
    plugin = importlib.import_module("plugins.postgres")
    with tempfile.TemporaryDirectory(prefix="changeover-pg-") as folder:
        cluster = plugin.Cluster(Path(folder))
        cluster.start()
        try:
            with cluster.database("migrated") as url:
                yield {"DATABASE_URL": url}
        finally:
            cluster.stop()


def _say(text: str, end: str = "\n") -> None:
    sys.stdout.write(text + end)
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main())
