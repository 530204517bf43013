"""Kills real runs wherever they write and spoils their lines, then compares the base with the truth; mends nothing."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench_world import ROOT, business
from chaos_town import Town

RUNNER = ROOT / "src" / "run_automation_dev.py"
CALENDARS = 10
GIVEN_UP = 4  # clean runs in a row that do not end well
PATIENCE = 240.0  # a penalty is half a minute, and there may be several
KILLED_AT_RANDOM, KILLED_AT_A_WRITE = "killed at a random instant", "killed at a write"
STOPPED = 6


@dataclass(slots=True)
class Tally:
    """What was done to the program, and what it cost."""

    done: Counter[str] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    damage: Counter[str] = field(default_factory=Counter)

    @property
    def kills(self) -> int:
        return self.done[KILLED_AT_RANDOM] + self.done[KILLED_AT_A_WRITE]


@dataclass(slots=True)
class Assault:
    """One town under attack; `env` are the variables of its runs."""

    town: Town
    chance: random.Random
    env: dict[str, str]
    tally: Tally = field(default_factory=Tally)

    def round(self) -> None:
        """Life goes on, a run is spoiled, then a quiet one must find everything as it is in truth."""
        self.town.live_on()
        name, spoil = self.chance.choice(self._ways())
        self.tally.done[name] += 1
        spoil()
        self.town.heal()
        self.recover(name)
        self.town.give_jobs()

    def recover(self, name: str) -> None:
        for _ in range(GIVEN_UP):
            code = self._ended(self.start())
            if code == 0:
                break
        else:
            self.tally.damage[f"no quiet run after: {name}"] += 1
        found = self.town.damage()
        for what in ("lost", "doubled", "ownerless", "untrue", "jobs_lost", "versions_off"):
            self.tally.damage[what] += getattr(found, what)
        if found.any:
            _say(f"\n{name}: {found}")

    def start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, str(RUNNER)]
        variables = self.town.business.variables(self.env)
        return subprocess.Popen(  # noqa: S603
            command, env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    # -- what is done to a run ---------------------------------------------------------------------------------------

    def _ways(self) -> list[tuple[str, Callable[[], None]]]:
        kills = [(KILLED_AT_RANDOM, self._kill_at_random), (KILLED_AT_A_WRITE, self._kill_at_a_write)]
        others = [
            ("ended by SIGTERM", self._end),
            ("answers dropped after the commit", lambda: self._run_with("drop-after-commit", None, "")),
            ("503 for a while", lambda: self._run_with("status", "503", "")),
            ("requests dropped", lambda: self._run_with("drop-before", None, "")),
            ("rate limit hit, penalty", lambda: self._run_with("rate-limit", None, "")),
        ]
        return [*kills * 7, *others]

    def _kill_at_random(self) -> None:
        run = self.start()
        time.sleep(self.chance.uniform(0.3, 6.0))
        self._kill(run)

    def _kill_at_a_write(self) -> None:
        """Kills while the k-th write is on the wire, or as soon as it has been carried out."""
        k, answered = self.chance.randint(1, 10), self.chance.random() < 0.5  # noqa: PLR2004 - a fair coin
        if not answered:
            self.town.spoil("latency", None, "0.4", "POST" if self.chance.random() < 0.5 else "PATCH")  # noqa: PLR2004
        _, since = self.town.business.requests(0)
        run = self.start()
        until = time.monotonic() + PATIENCE
        while run.poll() is None and time.monotonic() < until:
            writes = [each for each in self.town.writes(since) if not answered or each["status"] is not None]
            if len(writes) >= k:
                break
            time.sleep(0.01)
        self._kill(run)

    def _kill(self, run: subprocess.Popen[bytes]) -> None:
        if run.poll() is not None:
            self.tally.codes["had ended before it was killed"] += 1
        run.kill()
        run.wait()

    def _end(self) -> None:
        run = self.start()
        time.sleep(self.chance.uniform(0.5, 5.0))
        run.send_signal(signal.SIGTERM)
        self._ended(run)

    def _run_with(self, mode: str, value: str | None, method: str) -> None:
        self.town.spoil(mode, self.chance.randint(1, 3), value, method)
        self._ended(self.start())

    def _ended(self, run: subprocess.Popen[bytes]) -> int:
        try:
            code = run.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            run.kill()
            code = run.wait()
            self.tally.damage["did not end"] += 1
        self.tally.codes[f"exit {code}"] += 1
        return code


def main() -> int:
    options = _options()
    failed = 0
    if options.kills:
        failed |= _kills(options)
    if options.steps:
        command = [sys.executable, "-m", "stateful", "--steps", str(options.steps), "--seed", str(options.seed)]
        command += ["--shrink"] if options.shrink else []
        failed |= subprocess.run(command, cwd=ROOT / "tests", check=False).returncode  # noqa: S603
    return int(bool(failed))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/chaos", description=__doc__)
    parser.add_argument("--kills", type=int, default=None, help="real runs to kill (30; 0 when only --steps is given)")
    parser.add_argument("--steps", type=int, default=0, help="steps of businesses lived through at random")
    parser.add_argument("--minutes", type=float, default=60.0, help="no new kill after so long")
    parser.add_argument("--seed", type=int, default=1, help="the same seed takes the same decisions")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--shrink", action="store_true", help="with --steps: look for a shorter way to what broke")
    options = parser.parse_args()
    if options.kills is None:
        options.kills = 0 if options.steps else 30
    return options


def _kills(options: argparse.Namespace) -> int:
    chance = random.Random(options.seed)  # noqa: S311 - chosen misfortunes must be had again
    until = time.monotonic() + options.minutes * 60
    with _database(options.database) as env, business(CALENDARS, 0, rows=False) as made:
        assault = Assault(Town(made, chance), chance, env)
        while assault.tally.kills < options.kills and time.monotonic() < until:
            assault.round()
            _say(f"\r{assault.tally.kills} kills", end="")
        _full_disk(assault)
    tally = assault.tally
    report = {
        "seed": options.seed,
        "database": options.database,
        "kills": tally.kills,
        "done": dict(tally.done),
        "endings": dict(tally.codes),
        "damage": {name: number for name, number in tally.damage.items() if number},
        "stays": len(assault.town.stays),
    }
    _say(f"\n{json.dumps(report, indent=1)}")
    return int(any(tally.damage.values()))


def _full_disk(assault: Assault) -> None:
    """A data folder without room: the run is refused and nothing is lost. Needs the right to mount."""
    home = assault.town.business.folder / "var"
    if os.geteuid() != 0:
        _say("\nfull disk: left out, as only root may mount a small one")
        return
    with tempfile.TemporaryDirectory() as aside:
        small = Path(aside) / "small"
        small.mkdir()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(small)], check=False)  # noqa: S603, S607
        if mounted.returncode:
            _say("\nfull disk: left out, as nothing can be mounted here")
            return
        try:
            subprocess.run(["cp", "-a", f"{home}/.", str(small)], check=True)  # noqa: S603, S607
            assault.town.live_on()
            _fill(small / "ballast")
            variables = {**assault.town.business.variables(assault.env), "CHANGEOVER_HOME": str(small)}
            run = subprocess.Popen(  # noqa: S603
                [sys.executable, str(RUNNER)], env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            code = run.wait(PATIENCE)
            assault.tally.codes[f"exit {code} on a full disk"] += 1
            assault.tally.damage["success claimed on a full disk"] += code == 0
        finally:
            subprocess.run(["umount", str(small)], check=True)  # noqa: S603, S607
    assault.tally.done["full disk"] += 1
    assault.recover("full disk")


def _fill(path: Path) -> None:
    try:
        with path.open("wb") as file:
            while True:
                file.write(bytes(1 << 20))
    except OSError:
        return


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
