"""The shorter benchmarks work: each says its findings over small sizes; how fast anything is, no test judges."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from plugins.unmeasured import unmeasured

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "performance.md"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("cycle", "changed stays"),
        ("reading", "read and classified"),
        ("upsert", "… refusals (429)\n    0  |  0"),
        ("startup", "changeover --help"),
    ],
)
def test_a_benchmark_says_what_it_found(name: str, said: str) -> None:
    before = PAGE.read_bytes() if PAGE.exists() else b""
    command = [sys.executable, str(ROOT / "scripts" / "bench.py"), "--quick", "--only", name]
    done = subprocess.run(command, env=unmeasured(), capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert said in done.stdout
    assert (PAGE.read_bytes() if PAGE.exists() else b"") == before
