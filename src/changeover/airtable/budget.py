"""Says when the month's calls run short (AT-38); it counts nothing itself."""

from __future__ import annotations

import calendar
from datetime import UTC, datetime
from typing import Final

from changeover.core.plan import Alert, Level

_DAY: Final = 86_400
_STEPS: Final = ((95, Level.CRITICAL), (80, Level.WARNING), (50, Level.WARNING))  # at 50 % the digest says it


def budget_alert(used: int, limit: int, now: datetime) -> Alert | None:
    """The alert for calls used so far in `now`'s UTC month of a limit, 0 meaning none.

    share = max(used, used ÷ share of the month gone) ÷ limit, the month being at least one day old.
    """
    if limit <= 0:
        return None
    projected = projection(used, now)
    share = max(used, projected) * 100 / limit
    for percent, level in _STEPS:
        if share >= percent:
            text = f"{used} of {limit} Airtable calls used this month, {projected} projected: over {percent} %"
            return Alert("airtable_budget", "month", level, text)
    return None


def projection(used: int, now: datetime) -> int:
    """Calls by the end of `now`'s UTC month at this pace."""
    at = now.astimezone(UTC)
    start = at.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    length = calendar.monthrange(at.year, at.month)[1] * _DAY
    gone = max((at - start).total_seconds(), _DAY)
    return round(used * length / gone)
