"""The two scripts about mails at a small size: what they measure or break is said, and nothing is damaged."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from plugins.unmeasured import unmeasured

ROOT = Path(__file__).parents[2]


def _script(name: str, *options: str) -> str:
    command = [sys.executable, str(ROOT / "scripts" / name), *options]
    done = subprocess.run(command, env=unmeasured(), capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_benchmark_of_mails_says_what_it_found() -> None:
    said = _script("bench.py", "--quick", "--only", "mail").splitlines()
    findings = dict(zip(said[1::2], said[2::2], strict=False)) | dict(zip(said[2::2], said[3::2], strict=False))
    for what, aim in (("20 mails/s for 1 s: not acknowledged", "0"), ("… acknowledged, p99, against the p99", "≤ 3")):
        (found,) = (numbers for name, numbers in findings.items() if name.startswith(what))
        assert found.endswith(f"aim {aim}")
    stored, acknowledged = findings["mails in the database, mails acknowledged"].split("|")[:2]
    assert int(stored) == int(acknowledged) > 0


def test_no_mail_is_lost_or_doubled_when_servers_and_workers_are_killed() -> None:
    report = json.loads(_script("chaos.py", "--mails", "30", "--seed", "4"))
    assert report["mails acknowledged"] == 30
    assert sum(report["servers killed"].values()) > 0
    assert report["damage"] == {}
