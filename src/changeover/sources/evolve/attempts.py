"""The one entry of the portal: two attempts, the second at what failed, within ten minutes (R-79); it knows no page."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import structlog

from changeover.sources.evolve.visit import Brought, PortalFailure, SignInRefused, Tab, Visit

log = structlog.get_logger(__name__)

ATTEMPTS = 2


@dataclass(frozen=True, slots=True)
class Attempt:
    """What one sitting in front of the portal gave."""

    exports: Mapping[Tab, bytes]
    failures: Mapping[Tab, PortalFailure]


Sit: TypeAlias = Callable[[Visit, Iterable[Tab], float], Attempt]


def fetch(visit: Visit, sit: Sit | None = None) -> Brought:
    """Both tabs as verified files, or why not. Raises only what `visit.sleep` raises."""
    sit = sit or _in_a_browser
    ends_at = time.monotonic() + visit.limits.whole
    exports: dict[Tab, bytes] = {}
    failures: dict[Tab, PortalFailure] = {}
    number = 0
    while True:
        number += 1
        missing = [tab for tab in Tab if tab not in exports]
        attempt = sit(visit, missing, ends_at)
        exports |= attempt.exports
        failures = dict(attempt.failures)
        _log(number, attempt)
        if not failures or any(isinstance(each, SignInRefused) for each in failures.values()):
            return Brought(exports, failures, number)
        if number == ATTEMPTS or time.monotonic() + visit.limits.pause >= ends_at:
            return Brought(exports, failures, number)
        visit.sleep(visit.limits.pause)


def _in_a_browser(visit: Visit, tabs: Iterable[Tab], ends_at: float) -> Attempt:
    # Late: Selenium is wanted only where a portal is visited.
    from changeover.sources.evolve.portal import sit

    return sit(visit, tabs, ends_at)


def _log(number: int, attempt: Attempt) -> None:
    for tab, raw in attempt.exports.items():
        log.info("portal.exported", tab=tab.title, attempt=number, bytes=len(raw))
    for tab, failure in attempt.failures.items():
        log.warning("portal.failed", tab=tab.title, attempt=number, code=failure.code, cause=failure.text)
