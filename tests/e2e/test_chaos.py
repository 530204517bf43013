"""Real runs, killed and cut off: the script that does it at length, for a moment."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "scripts" / "chaos.py"


def test_runs_that_are_killed_lose_and_double_nothing() -> None:
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "--kills", "3", "--seed", "5"],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout[done.stdout.index("{") :])
    assert report["kills"] == 3
    assert report["damage"] == {}
    assert report["stays"] > 0
