"""How deep the properties of the core are tried: "ci" by default, CHANGEOVER_PROPERTIES=deep for a night's run."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

_CALM = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]

settings.register_profile("ci", max_examples=100, stateful_step_count=25, deadline=None, suppress_health_check=_CALM)
settings.register_profile("deep", max_examples=2000, stateful_step_count=50, deadline=None, suppress_health_check=_CALM)


def pytest_configure() -> None:
    settings.load_profile(os.environ.get("CHANGEOVER_PROPERTIES", "ci"))
