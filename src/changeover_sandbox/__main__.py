"""`python -m changeover_sandbox up|seed|status|down --dir DIR`: one JSON object on stdout, and an exit code."""

import argparse
import gc
import json
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import NoReturn

from changeover_sandbox.launch import DEFAULT_FEEDS, DEFAULT_SEED, LaunchError, Wanted, down, seed, status, up

FAILED, USAGE = 3, 4


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """A wrong command line is told like every other failure, with the exit code that means it."""
        _print({"error": message})
        self.exit(USAGE)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; 0 when it did its work, 3 when it could not, 4 for a wrong command line."""
    options = _parser().parse_args(arguments)
    if options.command == "serve":
        # Only the background process needs the servers' code; what it raises belongs whole into its log.
        gc.disable()  # nothing of what is being imported is garbage
        from changeover_sandbox.server import serve

        gc.freeze()
        gc.enable()
        serve(options.dir)
        return 0
    try:
        _print(_run(options))
    except (LaunchError, OSError) as exc:
        _print({"error": str(exc)})
        return FAILED
    return 0


def _run(options: argparse.Namespace) -> dict[str, object]:
    root: Path = options.dir
    match options.command:
        case "up":
            return up(root, Wanted(options.feeds, options.seed, options.empty, options.date))
        case "seed":
            return seed(root, Wanted(options.feeds, options.seed, day=options.date))
        case "status":
            return status(root)
        case _:
            return down(root)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="changeover_sandbox", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, parser_class=_Parser)
    for name in ("up", "seed", "status", "down", "serve"):
        command = commands.add_parser(name)
        command.add_argument("--dir", type=Path, required=True, help="folder of the sandbox")
        if name in {"up", "seed"}:
            command.add_argument("--feeds", type=_count, default=DEFAULT_FEEDS, help="number of calendars")
            command.add_argument("--seed", type=int, default=DEFAULT_SEED, help="another seed, another business")
            command.add_argument("--date", type=date.fromisoformat, help="first day, default today in Phoenix")
        if name == "up":
            command.add_argument("--empty", action="store_true", help="tables only, no business")
    return parser


def _count(text: str) -> int:
    number = int(text)
    if number < 0:
        raise ValueError(text)
    return number


def _print(answer: dict[str, object]) -> None:
    sys.stdout.write(f"{json.dumps(answer)}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
