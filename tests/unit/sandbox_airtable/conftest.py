"""A row that formulas run on, without any table behind it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

import pytest

from changeover_sandbox.airtable.formula import Value, compile_formula


@dataclass
class PaperRow:
    """Answers formulas from plain values; field ids are the field names."""

    cells: Mapping[str, Value] = field(default_factory=dict)
    edits: Mapping[str, datetime] = field(default_factory=dict)
    id: str = "recPaperRow000001"
    created_at: datetime = datetime(2026, 3, 1, 12, tzinfo=UTC)
    now: datetime = datetime(2026, 3, 4, 23, 30, tzinfo=UTC)

    def cell(self, field_id: str) -> Value:
        return self.cells[field_id]

    def modified_at(self, field_ids: Sequence[str]) -> datetime:
        times = [one for name, one in self.edits.items() if not field_ids or name in field_ids]
        return max(times, default=self.created_at)

    def field_id(self, name: str) -> str | None:
        return name if name in self.cells else None


Evaluate = Callable[..., Value]


@pytest.fixture
def evaluate() -> Evaluate:
    """Evaluate formula text on a row with these cells; `edits` are instants of the last write per field."""

    def run(text: str, cells: Mapping[str, Value] | None = None, edits: Mapping[str, datetime] | None = None) -> Value:
        row = PaperRow(cells or {}, edits or {})
        return compile_formula(text, row)(row)

    return run


@pytest.fixture
def day() -> date:
    """A date as a date field holds it."""
    return date(2026, 3, 4)
