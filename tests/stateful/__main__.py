"""`python -m stateful --steps N --seed S`: lives through businesses as long as asked; exit 0 when all stayed true."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections import Counter
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir

from stateful.business import Business
from stateful.driver import STEPS_A_LIFE, Broken, Record, Ways, live_again, live_through, shrink, world


def main() -> int:
    options = _options()
    if options.processes > 1:
        return _in_parallel(options)
    began = time.monotonic()
    with ExitStack() as stack:
        stack.enter_context(world(_ways(options, stack)))
        try:
            if options.replay:
                live_again(Record.load(options.replay))
            else:
                live_through(options.seed, options.steps)
        except Broken as broken:
            return _tell(broken, shorter=options.shrink)
    told = {"seed": options.seed, "seconds": round(time.monotonic() - began, 1)}
    sys.stdout.write(f"{json.dumps(told | dict(sorted(Business.statistics.items())))}\n")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="stateful", description=__doc__)
    parser.add_argument("--steps", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1, help="of the first life; each of 250 steps has the next one")
    parser.add_argument("--processes", type=int, default=1, help="share the steps among so many processes")
    parser.add_argument("--engine", choices=["plain", "durable"], default="plain", help="what drives deliveries")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--lines", choices=["direct", "http"], default="direct", help="how the outside is asked")
    parser.add_argument("--replay", type=Path, help="take the steps of a file that a broken life has left")
    parser.add_argument("--shrink", action="store_true", help="look for a shorter way to what broke (minutes)")
    return parser.parse_args()


def _ways(options: argparse.Namespace, stack: ExitStack) -> Ways:
    ways = Ways(served=options.lines == "http", durable=options.engine == "durable")
    if options.database == "sqlite":
        return ways
    from plugins.postgres import Cluster

    cluster = Cluster(Path(stack.enter_context(TemporaryDirectory(prefix="changeover-pg-"))))
    cluster.start()
    stack.callback(cluster.stop)
    return Ways(ways.served, ways.durable, partial(cluster.database, "migrated"))


def _tell(broken: Broken, *, shorter: bool) -> int:
    record = shrink(broken.record) if shorter else broken.record
    path = Path(gettempdir()) / f"changeover-life-{record.seed}.json"
    record.save(path)
    sys.stderr.write(f"\n{broken}\nor: scripts/chaos --replay {path} ({len(record.steps)} steps)\n")
    return 1


def _in_parallel(options: argparse.Namespace) -> int:
    """The same lives as one process would live, each by one of several."""
    lives = -(-options.steps // STEPS_A_LIFE)
    share = -(-lives // options.processes)
    shared = [f"--engine={options.engine}", f"--database={options.database}", f"--lines={options.lines}"]
    shared += ["--shrink"] if options.shrink else []
    children = []
    for first in range(0, lives, share):
        steps = min(options.steps - first * STEPS_A_LIFE, share * STEPS_A_LIFE)
        numbers = [f"--steps={steps}", f"--seed={options.seed + first}"]
        command = [sys.executable, "-m", "stateful", *numbers, *shared]
        children.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
    told = [child.communicate()[0] for child in children]
    if any(child.returncode for child in children):
        return 1
    total = Counter[str]()
    for each in told:
        total.update({name: number for name, number in json.loads(each).items() if name not in ("seed", "seconds")})
    seconds = max(json.loads(each)["seconds"] for each in told)
    seeds = f"{options.seed} … {options.seed + lives - 1}"
    sys.stdout.write(f"{json.dumps({'seeds': seeds, 'seconds': seconds} | dict(sorted(total.items())))}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
