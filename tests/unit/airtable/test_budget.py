"""When the month's calls run short."""

from datetime import UTC, datetime

import pytest

from changeover.airtable.budget import budget_alert, projection
from changeover.core.plan import Level

MIDDLE = datetime(2026, 4, 16, tzinfo=UTC)  # half of April is over


@pytest.mark.parametrize(
    ("used", "level", "percent"),
    [(25_000, Level.WARNING, "50 %"), (40_000, Level.WARNING, "80 %"), (47_500, Level.CRITICAL, "95 %")],
)
def test_used_or_projected_calls_raise_the_alert_of_their_step(used: int, level: Level, percent: str) -> None:
    alert = budget_alert(used, 100_000, MIDDLE)
    assert alert is not None
    assert (alert.rule, alert.level) == ("airtable_budget", level)
    assert alert.text.endswith(f"over {percent}")


def test_a_quiet_month_raises_none() -> None:
    assert budget_alert(24_000, 100_000, MIDDLE) is None


def test_no_limit_means_no_alert() -> None:
    assert budget_alert(10**9, 0, MIDDLE) is None


def test_the_first_hours_of_a_month_are_not_blown_up() -> None:
    assert projection(100, datetime(2026, 4, 1, 0, 5, tzinfo=UTC)) == 3_000
