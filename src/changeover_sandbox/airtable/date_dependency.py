"""A table's date dependency: which fields hold start, end and duration of a task; it moves no date."""

from collections.abc import Mapping
from typing import Final

from changeover_sandbox.airtable import errors
from changeover_sandbox.airtable.formula.values import ISO
from changeover_sandbox.airtable.model import Table

_DATES: Final = frozenset({"date", "dateTime"})
_TYPES: Final[Mapping[str, frozenset[str]]] = {
    "startDateFieldId": _DATES,
    "endDateFieldId": _DATES,
    "durationFieldId": frozenset({"number", "duration"}),
    "predecessorFieldId": frozenset({"multipleRecordLinks"}),
}
_FLAGS: Final = ("isEnabled", "shouldSkipWeekendsAndHolidays", "isForwardOnly")
_MODES: Final = frozenset({"flexible", "fixed", "none"})
_NEEDED: Final = frozenset({"isEnabled", "startDateFieldId", "endDateFieldId", "durationFieldId", "reschedulingMode"})


def date_dependency(table: Table, given: object) -> dict[str, object]:
    """The settings as they are stored; raises ApiError for fields of other types and for unknown words."""
    if not isinstance(given, Mapping):
        raise errors.invalid_request()
    if not _NEEDED <= set(given) <= {*_TYPES, *_FLAGS, "reschedulingMode", "holidays"}:
        raise errors.invalid_request()
    good = (
        all(_is_field(table, given[name], kinds) for name, kinds in _TYPES.items() if name in given)
        and all(isinstance(given[name], bool) for name in _FLAGS if name in given)
        and given["reschedulingMode"] in _MODES
        and _are_days(given.get("holidays", []))
    )
    if not good:
        raise errors.invalid_request()
    return {"shouldSkipWeekendsAndHolidays": False, "holidays": []} | dict(given)


def _is_field(table: Table, field_id: object, kinds: frozenset[str]) -> bool:
    found = table.fields.get(str(field_id))
    return found is not None and found.type in kinds


def _are_days(days: object) -> bool:
    return isinstance(days, list) and all(isinstance(day, str) and ISO.fullmatch(day) for day in days)
