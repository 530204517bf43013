"""The shorter benchmarks work: each says its findings over small sizes; how fast anything is, no test judges."""

from __future__ import annotations

import importlib
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
        ("reading", "read and classified"),
        ("startup", "changeover --help"),
        ("jobs", "… stays without a job, jobs without a stay\n    0, 0"),
    ],
)
def test_a_benchmark_says_what_it_found(name: str, said: str) -> None:
    before = PAGE.read_bytes() if PAGE.exists() else b""
    command = [sys.executable, str(ROOT / "scripts" / "bench.py"), "--quick", "--only", name]
    done = subprocess.run(command, env=unmeasured(), capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert said in done.stdout
    assert (PAGE.read_bytes() if PAGE.exists() else b"") == before


def test_a_benchmark_replaces_its_own_section_and_leaves_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    page, model = importlib.import_module("bench_page"), importlib.import_module("bench_model")
    about = {"first": "One thing.\n\nAnd how.", "second": "Another thing."}
    seconds = [model.Finding("rows", f"{number} s", "–", "–", "–") for number in (1, 2, 3)]
    once = page.with_section("", about, "second", seconds[:1])
    assert once.index("## first\n\nOne thing.\n\nAnd how.\n\nNot measured yet.") < once.index("| rows | 1 s |")
    both = page.with_section(once, about, "first", seconds[1:2])
    assert both.index("| rows | 2 s |") < both.index("## second") < both.index("| rows | 1 s |")
    again = page.with_section(both, about, "first", seconds[2:])
    assert again == both.replace("| rows | 2 s |", "| rows | 3 s |")
    assert "second" not in page.with_section(again, {"first": "One thing."}, "first", seconds[2:])
