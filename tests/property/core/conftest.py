"""How deep the properties of the core are tried: "ci" by default, CHANGEOVER_PROPERTIES=deep for a night's run."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

_CALM = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
_COMMON = settings(deadline=None, suppress_health_check=_CALM, report_multiple_bugs=False, database=None)

settings.register_profile("ci", _COMMON, max_examples=100, stateful_step_count=30, derandomize=True)
settings.register_profile("deep", _COMMON, max_examples=2000, stateful_step_count=50)


def pytest_configure() -> None:
    settings.load_profile(os.environ.get("CHANGEOVER_PROPERTIES", "ci"))
