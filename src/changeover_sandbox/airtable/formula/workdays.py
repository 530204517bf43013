"""Counting days from Monday to Friday that are no holidays; it never reads a clock."""

from collections.abc import Set as AbstractSet
from datetime import date, timedelta
from typing import Final

from changeover_sandbox.airtable.formula.values import FormulaError

# A formula runs once per row: a count of centuries is a mistake, not a plan.
MAX_DAYS: Final = 40_000
_DAY: Final = timedelta(days=1)
_SATURDAY: Final = 5


def is_workday(day: date, holidays: AbstractSet[date]) -> bool:
    """Whether people work on this day."""
    return day.weekday() < _SATURDAY and day not in holidays


def shift(start: date, count: int, holidays: AbstractSet[date]) -> date:
    """`WORKDAY`: so many working days after the start, or before it; raises FormulaError."""
    if abs(count) > MAX_DAYS:
        raise FormulaError("too many days")
    step, day, left = _DAY if count >= 0 else -_DAY, start, abs(count)
    while left:
        try:
            day += step
        except OverflowError as exc:
            raise FormulaError("date out of range") from exc
        left -= is_workday(day, holidays)
    return day


def between(first: date, last: date, holidays: AbstractSet[date]) -> int:
    """`WORKDAY_DIFF`: the working days from one day to the other, both counted; negative when they are reversed."""
    if last < first:
        return -between(last, first, holidays)
    days = (last - first).days + 1
    if days > MAX_DAYS:
        raise FormulaError("too many days")
    return sum(is_workday(first + timedelta(days=number), holidays) for number in range(days))
