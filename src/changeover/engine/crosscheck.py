"""Where the base computes Final Service Time itself: does its formula agree with the rules? It changes nothing."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from changeover.core.plan import Alert, Level
from changeover.core.schedule import Unreadable, service_time
from changeover.core.stay import Rules, Stay

_TOLERANCE = timedelta(minutes=1)


def service_times(stays: Iterable[Stay], rules: Rules, today: date) -> tuple[Alert, ...]:
    """One alert per run when the base's formula and ours differ by over a minute (airtable.md §1.4, J-14)."""
    if rules.writes_service_time:
        return ()
    wrong = [stay for stay in stays if stay.live and stay.check_out >= today and _differs(stay, rules)]
    if not wrong:
        return ()
    first = wrong[0]
    text = (
        f"the formula of Final Service Time differs from the rules on {len(wrong)} rows, "
        f"the first is {first.record_id} with check-out {first.check_out}"
    )
    return (Alert("service_time_differs", "formula", Level.WARNING, text),)


def _differs(stay: Stay, rules: Rules) -> bool:
    ours = service_time(
        stay.check_out,
        stay.custom_service_time,
        owner_arriving=stay.owner_arriving,
        same_day=stay.same_day,
        hours=rules.hours,
        zone=rules.zone,
    )
    theirs = stay.final_service_time
    if isinstance(ours, Unreadable) or theirs is None:
        return (theirs is None) is not isinstance(ours, Unreadable)
    return abs(ours - theirs) > _TOLERANCE
