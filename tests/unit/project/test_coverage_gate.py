"""The coverage gate asks for what it says."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def gate():
    spec = importlib.util.spec_from_file_location("coverage_gate", ROOT / "scripts" / "coverage_gate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("shares", "code"),
    [
        ({"total": 96.0, "src/changeover/core/a.py": 100.0, "src/changeover/ops/b.py": 95.0}, 0),
        ({"total": 94.9, "src/changeover/core/a.py": 100.0}, 1),
        ({"total": 99.0, "src/changeover/core/a.py": 99.9}, 1),
        ({"total": 99.0, "src/changeover/ops/b.py": 94.9}, 1),
    ],
)
def test_the_gate_closes_for_total_core_and_each_file(gate, monkeypatch, capsys, shares, code):
    monkeypatch.setattr(gate, "measured", lambda: shares)
    assert gate.main() == code
    assert capsys.readouterr().out


def test_every_exception_has_a_reason_and_is_about_a_file_that_exists(gate):
    for path, (limit, why) in gate.EXCEPTIONS.items():
        assert (ROOT / path).exists()
        assert 0 < limit < gate.limit("total")
        assert len(why) > 20
