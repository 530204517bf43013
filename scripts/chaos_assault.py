"""A town under attack: runs killed, ended and cut off, each followed by a quiet one; it judges, it mends nothing."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from bench_world import ROOT
from chaos_town import Town

RUNNER = ROOT / "src" / "run_automation_dev.py"
MORTAL = Path(__file__).with_name("chaos_points.py")
GIVEN_UP = 4  # clean runs in a row that do not end well
PATIENCE = 240.0  # a penalty is half a minute, and there may be several
LONGEST = 700.0  # a step's deadline and its last word: a storm may keep a run busy for so long (C-32)
OUTLIVED = 3  # runs in a row that had ended before their point: then every point has had its turn
OK, STOPPED, UNREACHABLE = 0, 6, 75
SPOILED_ENDINGS = (0, 2, 3, 6, 75)
KILLED_AT_RANDOM, KILLED_AT_A_WRITE = "killed at a random instant", "killed at a write"


@dataclass(slots=True)
class Tally:
    """What was done to the program, and what it cost."""

    done: Counter[str] = field(default_factory=Counter)
    points: Counter[str] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    damage: Counter[str] = field(default_factory=Counter)

    @property
    def kills(self) -> int:
        return self.done[KILLED_AT_RANDOM] + self.done[KILLED_AT_A_WRITE] + self.points.total()


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

    def every_write_point(self, first: int, *, fresh: bool, until: float) -> None:
        """Kills one run at this write point of it, the next one at the following, and so on to the last.

        With `fresh` each begins without a state database, so that the points of making its tables are among them.
        """
        number, outlived = first - 1, 0
        while outlived < OUTLIVED and time.monotonic() < until:
            number += 1
            self.town.live_on()
            if fresh:
                shutil.rmtree(self.town.business.folder / "var" / "dev", ignore_errors=True)
            point = self._dies_at(number)
            outlived = outlived + 1 if point is None else 0
            if point is not None:
                self.tally.points[f"{point}, from nothing" if fresh else point] += 1
            self.recover(f"killed at write point {number}: {point}")
            _say(f"{number}: {point}")
            self.town.give_jobs()

    def recover(self, name: str) -> None:
        for _ in range(GIVEN_UP):
            code = self._ended(self.start())
            if code == OK:
                break
        else:
            self._damage(f"no quiet run after: {name}")
        found = self.town.damage()
        for what in ("lost", "doubled", "ownerless", "untrue", "jobs_lost", "versions_off"):
            self.tally.damage[what] += getattr(found, what)
        if found.any:
            _say(f"\n{name}: {found}")

    def start(self, *command: str) -> subprocess.Popen[bytes]:
        line = [sys.executable, *(command or (str(RUNNER),))]
        variables = self.town.business.variables(self.env)
        return subprocess.Popen(line, env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603

    # -- what is done to a run ---------------------------------------------------------------------------------------

    def _ways(self) -> list[tuple[str, Callable[[], None]]]:
        kills = [(KILLED_AT_RANDOM, self._kill_at_random), (KILLED_AT_A_WRITE, self._kill_at_a_write)]
        others = [
            ("ended by SIGTERM", self._end),
            ("two at once", self._two_at_once),
            ("answers dropped after the commit", lambda: self._run_with("drop-after-commit", None, "")),
            ("503 for a while", lambda: self._run_with("status", "503", "")),
            ("a storm of 503", self._storm),
            ("requests dropped", lambda: self._run_with("drop-before", None, "")),
            ("rate limit hit, penalty", lambda: self._run_with("rate-limit", None, "")),
        ]
        return [*kills * 7, *others]

    def _kill_at_random(self) -> None:
        run = self.start()
        time.sleep(self.chance.uniform(0.05, 6.0))
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

    def _dies_at(self, number: int) -> str | None:
        """The name of the write point that a run died at; None when it ended before."""
        with tempfile.TemporaryDirectory() as folder:
            said = Path(folder) / "point"
            code = self._ended(self.start(str(MORTAL), str(number), str(said)))
            return said.read_text() if code == -signal.SIGKILL and said.exists() else None

    def _end(self) -> None:
        """From the first moment on at which it can listen, it ends in order (C-33)."""
        run = self.start()
        while run.poll() is None and not _listens(run.pid):
            time.sleep(0.001)
        time.sleep(self.chance.choice((0.0, self.chance.uniform(0.0, 5.0))))
        run.send_signal(signal.SIGTERM)
        self._expect(self._ended(run), (OK, STOPPED), "an end by SIGTERM out of order")

    def _two_at_once(self) -> None:
        runs = [self.start(), self.start()]
        codes = sorted(self._ended(each) for each in runs)
        self._expect(codes[0], (OK,), "none of two runs at once succeeded")
        self._expect(codes[1], (OK, 5), "the second of two runs at once neither waited its turn nor was refused")

    def _run_with(self, mode: str, value: str | None, method: str) -> None:
        self.town.spoil(mode, self.chance.randint(1, 3), value, method)
        self._expect(self._ended(self.start()), SPOILED_ENDINGS, f"an odd end of a run with {mode}")

    def _storm(self) -> None:
        """No answer but 503, from the first request or from some write on, to the end of the run."""
        self.town.spoil("status", None, "503", self.chance.choice(("", "POST", "PATCH")))
        code = self._ended(self.start(), LONGEST)
        self._expect(code, (2, 3, UNREACHABLE), "a run in a storm claims success, or does not end")

    def _expect(self, code: int, wanted: tuple[int, ...], otherwise: str) -> None:
        if code not in wanted:
            self._damage(f"{otherwise}: exit {code}")

    def _damage(self, text: str) -> None:
        self.tally.damage[text] += 1
        _say(f"\n{text}")

    def _ended(self, run: subprocess.Popen[bytes], patience: float = PATIENCE) -> int:
        try:
            code = run.wait(patience)
        except subprocess.TimeoutExpired:
            run.kill()
            code = run.wait()
            self.tally.damage["did not end"] += 1
        self.tally.codes[f"exit {code}"] += 1
        return code

    def full_disk(self) -> None:
        """A data folder without room: the run is refused and nothing is lost. Needs the right to mount."""
        home = self.town.business.folder / "var"
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
                shutil.copytree(home, small, dirs_exist_ok=True)
                self.town.live_on()
                _fill(small / "ballast")
                variables = {**self.town.business.variables(self.env), "CHANGEOVER_HOME": str(small)}
                done = subprocess.run([sys.executable, str(RUNNER)], env=variables, capture_output=True, check=False)  # noqa: S603
                self.tally.codes[f"exit {done.returncode} on a full disk"] += 1
                self.tally.damage["success claimed on a full disk"] += done.returncode == OK
            finally:
                subprocess.run(["umount", str(small)], check=True)  # noqa: S603, S607
        self.tally.done["full disk"] += 1
        self.recover("full disk")


def _fill(path: Path) -> None:
    try:
        with path.open("wb") as file:
            while True:
                file.write(bytes(1 << 20))
    except OSError:
        return


def _listens(pid: int) -> bool:
    """Whether a process has a handler for SIGTERM of its own."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return False
    caught = next((line.split()[1] for line in lines if line.startswith("SigCgt")), "0")
    return bool(int(caught, 16) >> (signal.SIGTERM - 1) & 1)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
