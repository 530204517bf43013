"""How deep properties are tried: repeatable and quick by default, CHANGEOVER_PROPERTIES=deep for a night's run."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

_CALM = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
_COMMON = settings(deadline=None, suppress_health_check=_CALM, report_multiple_bugs=False, database=None)
_CI = settings(_COMMON, max_examples=60, stateful_step_count=40, derandomize=True)
_DEEP = settings(_COMMON, max_examples=3000, stateful_step_count=50)

DEPTH = _DEEP if os.environ.get("CHANGEOVER_PROPERTIES") == "deep" else _CI
