"""`python -m stateful --steps N --seed S`: lives through a business as long as asked; exit 0 when it stayed true."""

from __future__ import annotations

import argparse
import json
import sys

from stateful.business import Business
from stateful.driver import live_through, stand_ins

CHUNK = 500


def main() -> int:
    parser = argparse.ArgumentParser(prog="stateful", description=__doc__)
    parser.add_argument("--steps", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--shrink", action="store_true", help="look for a shorter way to what broke (minutes)")
    options = parser.parse_args()
    done, seed = 0, options.seed
    with stand_ins():
        while done < options.steps:  # in small parts, so that the part that breaks can be had again alone
            done += live_through(seed, min(CHUNK, options.steps - done), shrink=options.shrink)
            seed += CHUNK
            sys.stderr.write(f"\r{done} steps")
    sys.stderr.write("\n")
    sys.stdout.write(f"{json.dumps(dict(sorted(Business.statistics.items())))}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
