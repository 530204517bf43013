"""Real runs, killed and cut off: the script that does it at length, for a moment."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from changeover.exits import Exit
from plugins.outsider import Business
from plugins.unmeasured import unmeasured

SCRIPTS = Path(__file__).parents[2] / "scripts"


def test_runs_that_are_killed_lose_and_double_nothing() -> None:
    done = subprocess.run(
        [sys.executable, str(SCRIPTS / "chaos.py"), "--kills", "1", "--seed", "5"],
        env=unmeasured(),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout[done.stdout.index("{") :])
    assert report["kills"] == 1
    assert report["damage"] == {}
    assert report["stays"] > 0


@pytest.mark.parametrize(("point", "name"), [(3, "before a commit"), (10_000, "")])
def test_a_run_dies_at_the_write_point_it_was_told_and_at_no_other(
    business: Business, tmp_path: Path, point: int, name: str
) -> None:
    (calendar,) = business.house("Casa Uno")
    calendar.stay("a1@x", 2, 5)
    business._prepare("dev")
    said = tmp_path / "point"
    line = [sys.executable, str(SCRIPTS / "chaos_points.py"), str(point), str(said), "--at", business.now.isoformat()]
    done = subprocess.run(line, env=business.environment(), capture_output=True, timeout=90, check=False)
    assert done.returncode == (-signal.SIGKILL if name else Exit.OK), done.stderr
    assert (said.read_text() if said.exists() else "") == name
    assert business.run().code == Exit.OK
    assert len(business.office.live) == 1
