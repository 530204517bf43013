"""Calendar feeds keep to what every source keeps to, on all samples, fetched twice."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from changeover.core.stay import Batch
from changeover.sources import REGISTRY
from integration.sources.conformance import SourceConformance

SAMPLES = sorted((Path(__file__).parents[3] / "golden" / "ics").glob("*.ics"))


class TestCalendarFeeds(SourceConformance):
    @pytest.fixture
    def batches(self, server, cycle, active) -> Sequence[Batch]:
        feeds = [
            active(server.answers(sample.name, sample.read_bytes()), f"recFeed{n:010}", f"recHome{n:010}")
            for n, sample in enumerate(SAMPLES)
        ]
        return [result.batch for _ in range(2) for result in cycle.run(*feeds) if result.batch is not None]

    @pytest.fixture
    def personal(self) -> Sequence[str]:
        return ["Pat", "Sample", "Zoë", "McClean", "15555550100", "HMTEST"]


@pytest.mark.parametrize("source", REGISTRY)
def test_every_registered_source_has_its_conformance_tests(source: str) -> None:
    folder = Path(__file__).parents[1] / source
    assert any("SourceConformance" in file.read_text() for file in folder.glob("test_*_conformance.py"))
