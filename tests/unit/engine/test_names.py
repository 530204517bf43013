from __future__ import annotations

import subprocess
import sys

from changeover.engine import names
from changeover.engine.names import Role


def test_ids_are_fixed_per_host_environment_and_role() -> None:
    assert names.application("dev") == "changeover-dev"
    assert names.executor("box", "prod", Role.CYCLE) == "box-prod-cycle"
    assert names.executor("box", "prod", Role.CYCLE, 2) == "box-prod-cycle-2"
    assert names.executor("box", "prod", Role.WORKER, 2) == "box-prod-worker-2"
    assert [names.delivery("run-a"), names.delivery("run-a", 2)] == ["deliver:run-a", "deliver:run-a:2"]


def test_importing_the_engine_does_not_load_dbos() -> None:
    """LB-22: it costs 0.4 s and 60 MB, which a command that prints a list should not pay."""
    modules = "durable, lease, stop, disk, sending, names"
    code = f"import sys; from changeover.engine import {modules}; sys.exit('dbos' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=30).returncode == 0
