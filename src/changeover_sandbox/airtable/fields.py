"""Which fields the schema API creates, and with which options (airtable.md §6.2); it stores nothing."""

from collections.abc import Callable, Mapping
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from changeover_sandbox.airtable import errors
from changeover_sandbox.airtable.ids import new_id
from changeover_sandbox.airtable.model import COMPUTED_TYPES, TEXT_TYPES, Base, Field

DATE_FORMATS: Final = {
    "local": "l",
    "friendly": "LL",
    "us": "M/D/YYYY",
    "european": "D/M/YYYY",
    "iso": "YYYY-MM-DD",
}
TIME_FORMATS: Final = {"12hour": "h:mma", "24hour": "HH:mm"}
PRIMARY_TYPES: Final = TEXT_TYPES | {"number", "percent", "currency", "duration", "date", "dateTime", "barcode"}
_COLORS: Final = ("blueLight2", "cyanLight2", "tealLight2", "greenLight2", "yellowLight2", "orangeLight2", "redLight2")

Options = dict[str, object]


class _InvalidOptionsError(Exception):
    """Options that do not fit the type; the message says which."""


def new_field(base: Base, body: object, *, primary: bool = False) -> Field:
    """A field as the create-field API takes it; raises ApiError. The inverse of a link is not made here."""
    if not isinstance(body, Mapping) or not set(body) <= {"name", "type", "description", "options"}:
        raise errors.invalid_request()
    name, kind, description = body.get("name"), body.get("type"), body.get("description")
    if not isinstance(name, str) or not name.strip():
        raise errors.invalid_schema("DUPLICATE_OR_EMPTY_FIELD_NAME", "Field names must not be empty")
    if not isinstance(kind, str) or not isinstance(description, str | None):
        raise errors.invalid_request()
    if kind in COMPUTED_TYPES or (kind not in _OPTIONS and kind not in TEXT_TYPES):
        message = f"Creating {kind} fields is not supported at this time"
        raise errors.invalid_schema("UNSUPPORTED_FIELD_TYPE_FOR_CREATE", message)
    if primary and kind not in PRIMARY_TYPES:
        message = f"A field of type {kind} cannot be the primary field"
        raise errors.invalid_schema("INVALID_FIELD_TYPE_OPTIONS_FOR_CREATE", message)
    return Field(new_id("fld"), name, kind, description, _options(base, name, kind, body.get("options")))


def _options(base: Base, name: str, kind: str, given: object) -> Options:
    try:
        return _OPTIONS.get(kind, _none)(base, _object(given))
    except _InvalidOptionsError as exc:
        message = f"Invalid options for {name}: {exc}"
        raise errors.invalid_schema("INVALID_FIELD_TYPE_OPTIONS_FOR_CREATE", message) from exc


def _object(given: object) -> Options:
    if not isinstance(given, Mapping | None):
        raise _InvalidOptionsError("options are an object")
    return dict(given or {})


def _none(_base: Base, given: Options) -> Options:
    if given:
        raise _InvalidOptionsError("this type has no options")
    return {}


def _whole(given: Options, name: str, low: int, high: int) -> int:
    value = given.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise _InvalidOptionsError(f"{name} must be a number from {low} to {high}")
    return value


def _text(given: Options, name: str) -> str:
    value = given.get(name)
    if not isinstance(value, str) or not value:
        raise _InvalidOptionsError(f"{name} is missing")
    return value


def _named(given: Options, option: str, formats: Mapping[str, str]) -> Options:
    wanted = given.get(option)
    name = wanted.get("name") if isinstance(wanted, Mapping) else None
    if not isinstance(name, str) or name not in formats:
        raise _InvalidOptionsError(f"{option} must be one of {', '.join(formats)}")
    return {"name": name, "format": formats[name]}


def _number(_base: Base, given: Options) -> Options:
    return {"precision": _whole(given, "precision", 0, 8)}


def _currency(_base: Base, given: Options) -> Options:
    return {"precision": _whole(given, "precision", 0, 7), "symbol": _text(given, "symbol")}


def _duration(_base: Base, given: Options) -> Options:
    return {"durationFormat": _text(given, "durationFormat")}


def _rating(_base: Base, given: Options) -> Options:
    return {"icon": _text(given, "icon"), "max": _whole(given, "max", 1, 10), "color": _text(given, "color")}


def _checkbox(_base: Base, given: Options) -> Options:
    return {"icon": _text(given, "icon"), "color": _text(given, "color")}


def _date(_base: Base, given: Options) -> Options:
    return {"dateFormat": _named(given, "dateFormat", DATE_FORMATS)}


def _date_time(_base: Base, given: Options) -> Options:
    zone = _text(given, "timeZone")
    try:
        known = zone in {"client", "utc"} or bool(ZoneInfo(zone))
    except (ZoneInfoNotFoundError, ValueError):
        known = False
    if not known:
        raise _InvalidOptionsError("timeZone is not known")
    return {
        "dateFormat": _named(given, "dateFormat", DATE_FORMATS),
        "timeFormat": _named(given, "timeFormat", TIME_FORMATS),
        "timeZone": zone,
    }


def _select(_base: Base, given: Options) -> Options:
    choices = given.get("choices")
    if not isinstance(choices, list):
        raise _InvalidOptionsError("choices are missing")
    names = [choice.get("name") if isinstance(choice, Mapping) else None for choice in choices]
    if not all(isinstance(name, str) and name for name in names) or len(set(names)) != len(names):
        raise _InvalidOptionsError("choices need names, each once")
    return {
        "choices": [
            {"id": new_id("sel"), "name": choice["name"], "color": choice.get("color", _COLORS[at % len(_COLORS)])}
            for at, choice in enumerate(choices)
        ]
    }


def _link(base: Base, given: Options) -> Options:
    linked = _text(given, "linkedTableId")
    if linked not in base.tables:
        raise _InvalidOptionsError("linkedTableId is not a table of this base")
    if not set(given) <= {"linkedTableId", "viewIdForRecordSelection"}:
        raise _InvalidOptionsError("a link takes linkedTableId and viewIdForRecordSelection")
    return {"linkedTableId": linked, "isReversed": False, "prefersSingleRecordLink": False} | {
        key: value for key, value in given.items() if key == "viewIdForRecordSelection"
    }


def _files(_base: Base, given: Options) -> Options:
    return {"isReversed": bool(given.get("isReversed", False))}


_OPTIONS: Final[Mapping[str, Callable[[Base, Options], Options]]] = {
    "number": _number,
    "percent": _number,
    "currency": _currency,
    "duration": _duration,
    "rating": _rating,
    "checkbox": _checkbox,
    "date": _date,
    "dateTime": _date_time,
    "singleSelect": _select,
    "multipleSelects": _select,
    "multipleRecordLinks": _link,
    "multipleAttachments": _files,
    "singleCollaborator": _none,
    "multipleCollaborators": _none,
    "barcode": _none,
}
