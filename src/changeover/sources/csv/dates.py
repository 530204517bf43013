"""Dates as suppliers write them (R-16); it never guesses which number is the month."""

from __future__ import annotations

import re
from datetime import date

_YEAR_FIRST = r"(?P<y>[0-9]{4})-(?P<m>[0-9]{1,2})-(?P<d>[0-9]{1,2})"
_MONTH_FIRST = r"(?P<m2>[0-9]{1,2})(?P<sep>[-/])(?P<d2>[0-9]{1,2})(?P=sep)(?P<y2>[0-9]{4})"
_TIME = r"(?:(?:T|\s+)[0-9]{1,2}:[0-9]{2}.*)?"
_DATE = re.compile(f"(?:{_YEAR_FIRST}|{_MONTH_FIRST}){_TIME}")


def read_date(text: str) -> date:
    """The day of `2026-03-08`, `03-08-2026` or `3/8/2026`, with or without a time. Raises ValueError for all else."""
    match = _DATE.fullmatch(text)
    if match is None:
        raise ValueError("not a date of a known form")
    year, month, day = match.group("y", "m", "d") if match["y"] else match.group("y2", "m2", "d2")
    return date(int(year), int(month), int(day))
