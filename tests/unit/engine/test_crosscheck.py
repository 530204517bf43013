"""Where the base computes Final Service Time, its formula is compared with the rules and never written."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from changeover.core.stay import Rules, Status, Stay
from changeover.engine.crosscheck import service_times
from plugins.paper_base import PHOENIX, TODAY, PaperBase, day

RULES = Rules(PHOENIX, writes_service_time=False)
OURS = datetime(2026, 3, 15, 17, 15, tzinfo=UTC)


@pytest.fixture
def stay() -> Stay:
    return replace(PaperBase().add_row(), final_service_time=OURS)


def test_a_formula_that_agrees_to_the_minute_is_no_cause_for_an_alert(stay: Stay) -> None:
    near = replace(stay, final_service_time=OURS + timedelta(seconds=59))
    assert service_times([stay, near], RULES, TODAY) == ()


def test_all_rows_that_differ_are_one_alert(stay: Stay) -> None:
    late, empty = replace(stay, final_service_time=OURS + timedelta(hours=1)), replace(stay, final_service_time=None)
    odd = replace(stay, custom_service_time="when the guest has left")
    (alert,) = service_times([late, empty, odd], RULES, TODAY)
    assert (alert.rule, alert.subject) == ("service_time_differs", "formula")
    assert "3 rows" in alert.text


def test_words_nobody_can_read_agree_with_an_empty_formula(stay: Stay) -> None:
    odd = replace(stay, custom_service_time="when the guest has left", final_service_time=None)
    assert service_times([odd], RULES, TODAY) == ()


def test_past_and_removed_rows_and_fields_of_our_own_are_not_compared(stay: Stay) -> None:
    late = replace(stay, final_service_time=None)
    assert service_times([replace(late, status=Status.REMOVED)], RULES, TODAY) == ()
    assert service_times([late], RULES, day(15)) == ()
    assert service_times([late], replace(RULES, writes_service_time=True), TODAY) == ()
