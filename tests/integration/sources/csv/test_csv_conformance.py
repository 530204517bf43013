"""Suppliers' reports keep to what every source keeps to, read from an inbox on disk, twice."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from changeover import rulefiles
from changeover.core.stay import Batch, Rules
from changeover.sources.csv import inbox, suppliers
from changeover.sources.csv.memory import Memory
from changeover.sources.csv.observe import observe
from changeover.sources.csv.properties import Home, PropertyDirectory
from integration.sources.conformance import SourceConformance

SAMPLES = sorted((Path(__file__).parents[3] / "golden" / "csv").glob("*.csv"))
NOW = datetime(2026, 3, 10, 15, tzinfo=UTC)
RULES = Rules(ZoneInfo("America/Phoenix"))
HOMES = (  # not all of them: some rows are set aside
    Home("recSaguaro", "Saguaro Loft #40000001"),
    Home("recPaloVerde", "Palo Verde Cabin #40000003  Unit B"),
    Home("recQuailRun", "Quail Run Casita #40000005"),
    Home("recOcotillo", "Ocotillo House #510020", "Iris Vandermeer"),
    Home("recIronwood", "Ironwood Villa #510034", "Gideon Hartwell"),
)


class TestReports(SourceConformance):
    @pytest.fixture
    def batches(self, tmp_path: Path) -> Sequence[Batch]:
        forms = suppliers.load(rulefiles.find(name, tmp_path) for name in suppliers.FILES)
        for number, sample in enumerate(SAMPLES):
            shutil.copy(sample, tmp_path / f"20260310_02120{number}_{sample.name}")
        later = NOW + timedelta(minutes=1)
        files = [inbox.take(tmp_path, name, later, RULES.zone) for name in inbox.waiting(tmp_path)]
        results = [
            result
            for _ in range(2)
            for result in observe(files, PropertyDirectory(HOMES), Memory(), now=NOW, rules=RULES, suppliers=forms)
        ]
        return [result.batch for result in results if result.batch is not None]

    @pytest.fixture
    def personal(self) -> Sequence[str]:
        return ["Quillfeather", "Renwick", "Fenwick", "McClean", "Vandermeer", "Pembroke", "example.test", "555-01"]
