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
_HUES: Final = ("blue", "cyan", "teal", "green", "yellow", "orange", "red", "pink", "purple", "gray")
_COLORS: Final = tuple(f"{hue}{tone}" for tone in ("Light2", "Light1", "Bright", "Dark1") for hue in _HUES)
_BRIGHT: Final = frozenset(f"{hue}Bright" for hue in _HUES)
_RATING_ICONS: Final = frozenset({"star", "heart", "thumbsUp", "flag", "dot"})
_CHECKBOX_ICONS: Final = _RATING_ICONS | {"check", "xCheckbox"}
_DURATION_FORMATS: Final = frozenset({"h:mm", "h:mm:ss", "h:mm:ss.S", "h:mm:ss.SS", "h:mm:ss.SSS"})
MAX_DESCRIPTION: Final = 20_000

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
    if not isinstance(kind, str) or not is_description(description):
        raise errors.invalid_request()
    if kind in COMPUTED_TYPES or (kind not in _OPTIONS and kind not in TEXT_TYPES):
        message = f"Creating {kind} fields is not supported at this time"
        raise errors.invalid_schema("UNSUPPORTED_FIELD_TYPE_FOR_CREATE", message)
    if primary and kind not in PRIMARY_TYPES:
        message = f"A field of type {kind} cannot be the primary field"
        raise errors.invalid_schema("INVALID_FIELD_TYPE_OPTIONS_FOR_CREATE", message)
    options = _options(base, name, kind, body.get("options"))
    return Field(new_id("fld"), name, kind, str(description) if description else None, options)


def is_description(value: object) -> bool:
    """Whether a field or table may be described like this."""
    return value is None or (isinstance(value, str) and len(value) <= MAX_DESCRIPTION)


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


def _only(given: Options, *known: str) -> None:
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise _InvalidOptionsError(f"{', '.join(unknown)} is not an option of this type")


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


def _one_of(given: Options, name: str, known: frozenset[str]) -> str:
    value = _text(given, name)
    if value not in known:
        raise _InvalidOptionsError(f"{name} must be one of {', '.join(sorted(known))}")
    return value


def _named(given: Options, option: str, formats: Mapping[str, str]) -> Options:
    wanted = given.get(option)
    name = wanted.get("name") if isinstance(wanted, Mapping) else None
    if not isinstance(name, str) or name not in formats:
        raise _InvalidOptionsError(f"{option} must be one of {', '.join(formats)}")
    shape: Options = {"name": name, "format": formats[name]}
    if not (isinstance(wanted, Mapping) and wanted.items() <= shape.items()):
        raise _InvalidOptionsError(f"{option} {name} has the format {formats[name]}")
    return shape


def _number(_base: Base, given: Options) -> Options:
    _only(given, "precision")
    return {"precision": _whole(given, "precision", 0, 8)}


def _currency(_base: Base, given: Options) -> Options:
    _only(given, "precision", "symbol")
    return {"precision": _whole(given, "precision", 0, 7), "symbol": _text(given, "symbol")}


def _duration(_base: Base, given: Options) -> Options:
    _only(given, "durationFormat")
    return {"durationFormat": _one_of(given, "durationFormat", _DURATION_FORMATS)}


def _rating(_base: Base, given: Options) -> Options:
    _only(given, "icon", "max", "color")
    icon, color = _one_of(given, "icon", _RATING_ICONS), _one_of(given, "color", _BRIGHT)
    return {"icon": icon, "max": _whole(given, "max", 1, 10), "color": color}


def _checkbox(_base: Base, given: Options) -> Options:
    _only(given, "icon", "color")
    return {"icon": _one_of(given, "icon", _CHECKBOX_ICONS), "color": _one_of(given, "color", _BRIGHT)}


def _date(_base: Base, given: Options) -> Options:
    _only(given, "dateFormat")
    return {"dateFormat": _named(given, "dateFormat", DATE_FORMATS)}


def _date_time(_base: Base, given: Options) -> Options:
    _only(given, "dateFormat", "timeFormat", "timeZone")
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
    _only(given, "choices")
    choices = given.get("choices")
    if not isinstance(choices, list):
        raise _InvalidOptionsError("choices are missing")
    made = [_choice(choice, place) for place, choice in enumerate(choices)]
    if len({choice["name"] for choice in made}) != len(made):
        raise _InvalidOptionsError("choices need names, each once")
    return {"choices": made}


def _choice(given: object, place: int) -> Options:
    if not isinstance(given, Mapping):
        raise _InvalidOptionsError("a choice is an object")
    choice = dict(given)
    _only(choice, "name", "color")
    color = choice.get("color", _COLORS[place % len(_HUES)])
    if color not in _COLORS:
        raise _InvalidOptionsError("color is not one of the colors of a choice")
    return {"id": new_id("sel"), "name": _text(choice, "name"), "color": color}


def _link(base: Base, given: Options) -> Options:
    _only(given, "linkedTableId", "viewIdForRecordSelection")
    linked = base.tables.get(_text(given, "linkedTableId"))
    if linked is None:
        raise _InvalidOptionsError("linkedTableId is not a table of this base")
    options: Options = {"linkedTableId": linked.id, "isReversed": False, "prefersSingleRecordLink": False}
    if "viewIdForRecordSelection" not in given:
        return options
    view = _text(given, "viewIdForRecordSelection")
    if view not in linked.views:
        raise _InvalidOptionsError("viewIdForRecordSelection is not a view of the linked table")
    return options | {"viewIdForRecordSelection": view}


def _files(_base: Base, given: Options) -> Options:
    _only(given, "isReversed")
    return {"isReversed": bool(given.get("isReversed", False))}


def _ignored(_base: Base, _given: Options) -> Options:
    """A person's field may be given options; the service keeps none that it tells."""
    return {}


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
    "singleCollaborator": _ignored,
    "multipleCollaborators": _ignored,
    "barcode": _none,
}
