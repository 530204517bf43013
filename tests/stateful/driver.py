"""Lives through a business for a number of steps, from a seed, so that a failure can be had again."""

from __future__ import annotations

import logging
import shutil
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from stateful.business import Business
from stateful.program import Killed, be_quiet, template
from stateful.stand_ins import StandIns

STEPS_A_LIFE = 100
COMMAND = "scripts/chaos --steps {steps} --seed {seed}"


@contextmanager
def stand_ins() -> Iterator[None]:
    """The servers and the folder that all lives of this process share.

    The folder is in memory where there is one: thousands of small transactions need not wait for a disk.
    """
    be_quiet()
    memory = Path("/dev/shm")  # noqa: S108 - made by mkdtemp, for us alone
    folder = Path(tempfile.mkdtemp(prefix="changeover-stateful-", dir=memory if memory.is_dir() else None))
    logging.getLogger("aiohttp").setLevel(logging.CRITICAL)
    before, threading.excepthook = threading.excepthook, _unless_killed
    Business.folder, Business.template, Business.stand_ins = folder, template(folder), StandIns()
    try:
        yield
    finally:
        Business.stand_ins.close()
        threading.excepthook = before
        shutil.rmtree(folder, ignore_errors=True)


def live_through(number: int, steps: int, *, shrink: bool = False) -> int:
    """At least so many steps in lives of fifty; raises what broke, after the command that breaks it again."""
    before = Business.statistics["steps"]
    chosen = settings(
        max_examples=max(1, steps // STEPS_A_LIFE),
        stateful_step_count=STEPS_A_LIFE,
        phases=(Phase.generate, *([Phase.shrink] if shrink else [])),
        report_multiple_bugs=False,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    try:
        while (done := Business.statistics["steps"] - before) < steps:
            run_state_machine_as_test(seed(number + done)(Business), settings=chosen)
    except BaseException:
        sys.stderr.write(f"\nTo have this again: {COMMAND.format(steps=steps, seed=number)}\n")
        raise
    return Business.statistics["steps"] - before


def _unless_killed(arguments: Any) -> None:
    if not isinstance(arguments.exc_value, Killed):
        sys.__excepthook__(arguments.exc_type, arguments.exc_value, arguments.exc_traceback)
