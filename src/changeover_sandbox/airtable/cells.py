"""Values on their way into cells: what each field type accepts (airtable.md §2.3); it stores nothing."""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from changeover_sandbox.airtable import errors
from changeover_sandbox.airtable.formula.values import ISO, FormulaError, instant_text, number_text, parse_text
from changeover_sandbox.airtable.ids import is_id, new_id
from changeover_sandbox.airtable.model import NUMBER_TYPES, TEXT_TYPES, Base, Field, Table


@dataclass(slots=True)
class Casting:
    """What a write with typecast makes besides its rows; nothing of it exists until the whole batch is good."""

    base: Base
    typecast: bool
    owner: Mapping[str, object]
    new_choices: dict[str, list[str]] = field(default_factory=dict)
    new_rows: list[tuple[Table, str, str]] = field(default_factory=list)


def accept(target: Field, value: object, casting: Casting) -> object:
    """The value to store, None to clear the cell; raises ApiError where the service refuses (AT-15, §2.3)."""
    if target.computed:
        raise errors.computed_field(target.name)
    if value is None:
        return None
    accepted = _acceptor(target.type)(target, value, casting)
    return None if accepted is False or accepted in ("", []) else accepted


def _acceptor(kind: str) -> "Acceptor":
    if kind in TEXT_TYPES:
        return _text
    if kind in NUMBER_TYPES:
        return _number
    return _ACCEPTORS.get(kind, _refused)


Acceptor = Callable[[Field, object, Casting], object]


def _refused(target: Field, _value: object, _casting: Casting) -> object:
    raise errors.invalid_value(target.name)


def _text(target: Field, value: object, casting: Casting) -> object:
    if isinstance(value, str):
        return value
    if casting.typecast and isinstance(value, int | float):
        return str(value).lower() if isinstance(value, bool) else number_text(value)
    raise errors.invalid_value(target.name)


def _number(target: Field, value: object, casting: Casting) -> object:
    if isinstance(value, str) and casting.typecast:
        value = _cast_number(target, value)
        if value is None:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise errors.invalid_value(target.name)
    if target.type == "rating" and not (value == int(value) and 0 <= value <= _rating_limit(target)):
        raise errors.invalid_value(target.name)
    return int(value) if value == int(value) else value


_CLOCK: Final = re.compile(r"\s*(-?)(\d+):(\d{1,2})(?::(\d{1,2}(?:\.\d+)?))?\s*", re.ASCII)


def _cast_number(target: Field, text: str) -> float | None:
    """The number in a text: `$1,200.50`, `12%` of a percent, `1:30` of a duration; None where there is none."""
    clock = _CLOCK.fullmatch(text) if target.type == "duration" else None
    if clock is not None:
        seconds = int(clock[2]) * 3600 + int(clock[3]) * 60 + float(clock[4] or 0)
        return -seconds if clock[1] else seconds
    digits = re.sub(r"[^0-9.eE+-]", "", text)
    try:
        number = float(digits)
    except ValueError:
        return None
    return number / 100 if target.type == "percent" and text.rstrip().endswith("%") else number


def _rating_limit(target: Field) -> int:
    limit = target.options.get("max")
    return limit if isinstance(limit, int) else 5


def _checkbox(target: Field, value: object, casting: Casting) -> object:
    if isinstance(value, bool):
        return value
    if casting.typecast and isinstance(value, str | int):
        return str(value).strip().lower() in {"true", "1", "checked", "yes"}
    raise errors.invalid_value(target.name)


def _choice(target: Field, value: object, casting: Casting) -> str:
    if not isinstance(value, str):
        raise errors.invalid_value(target.name)
    fresh = casting.new_choices.get(target.id, [])
    if value in target.choice_names() or value in fresh:
        return value
    if not casting.typecast:
        raise errors.unknown_option(value)
    casting.new_choices.setdefault(target.id, []).append(value)
    return value


def _single_select(target: Field, value: object, casting: Casting) -> object:
    return _choice(target, value, casting) if value != "" else ""


def _multiple_selects(target: Field, value: object, casting: Casting) -> object:
    if isinstance(value, str) and casting.typecast:
        value = [part.strip() for part in value.split(",") if part.strip()]
    if not isinstance(value, list):
        raise errors.invalid_value(target.name)
    return list(dict.fromkeys(_choice(target, item, casting) for item in value))


_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def _date(target: Field, value: object, casting: Casting) -> object:
    if value == "":
        return ""
    if isinstance(value, str) and (casting.typecast or _DATE.fullmatch(value)):
        try:
            return parse_text(value.strip()[:10] if ISO.fullmatch(value.strip()) else value).date().isoformat()
        except FormulaError:
            pass
    raise errors.invalid_value(target.name)


def _date_time(target: Field, value: object, casting: Casting) -> object:
    if value == "":
        return ""
    match = ISO.fullmatch(value) if isinstance(value, str) else None
    if not isinstance(value, str) or (match is None and not casting.typecast):
        raise errors.invalid_value(target.name)
    try:
        moment = parse_text(value)
    except FormulaError as exc:
        raise errors.invalid_value(target.name) from exc
    return instant_text(moment if match and match[8] else _in_zone(moment, target))


def _in_zone(moment: datetime, target: Field) -> datetime:
    """An instant written without offset is read in the field's zone; the zone `client` is UTC to the API."""
    try:
        zone = ZoneInfo(target.option("timeZone"))
    except (ZoneInfoNotFoundError, ValueError):
        return moment
    return moment.replace(tzinfo=zone).astimezone(UTC)


def _links(target: Field, value: object, casting: Casting) -> object:
    linked = casting.base.link_target(target)
    if isinstance(value, str) and casting.typecast:
        value = [part.strip() for part in value.split(",") if part.strip()]
    if not isinstance(value, list) or linked is None:
        raise errors.invalid_value(target.name)
    return list(dict.fromkeys(_link(target, linked, item, casting) for item in value))


def _link(target: Field, linked: Table, item: object, casting: Casting) -> str:
    if isinstance(item, Mapping):
        item = item.get("id")
    if not isinstance(item, str):
        raise errors.invalid_value(target.name)
    if is_id(item, "rec"):
        if item not in linked.records:
            raise errors.missing_row(item)
        return item
    if not casting.typecast:
        raise errors.invalid_value(target.name)
    return _row_by_name(linked, item, casting)


def _row_by_name(linked: Table, name: str, casting: Casting) -> str:
    """With typecast a link may be written as the linked row's primary text; a row that is missing is made."""
    for record in linked.records.values():
        if record.cells.get(linked.primary_field_id) == name:
            return record.id
    for table, record_id, text in casting.new_rows:
        if table is linked and text == name:
            return record_id
    record_id = new_id("rec")
    casting.new_rows.append((linked, record_id, name))
    return record_id


def _attachments(target: Field, value: object, casting: Casting) -> object:
    if not isinstance(value, list):
        raise errors.invalid_value(target.name)
    return [_attachment(target, item, casting) for item in value]


def _attachment(target: Field, item: object, casting: Casting) -> object:
    """`{"id"}` keeps a file the base already holds, `{"url", "filename"?}` is a new one that is fetched later."""
    if isinstance(item, Mapping) and isinstance(item.get("id"), str):
        known = _known_attachment(casting.base, str(item["id"]))
        if known is not None:
            return known
    elif isinstance(item, Mapping) and isinstance(item.get("url"), str):
        url = str(item["url"])
        if re.match(r"https?://", url):
            filename = str(item.get("filename") or urlsplit(url).path.rpartition("/")[2] or "file")
            return {"id": new_id("att"), "source": url, "filename": filename}
    raise errors.invalid_value(target.name)


def _known_attachment(base: Base, attachment_id: str) -> object:
    for table in base.tables.values():
        file_fields = [one.id for one in table.fields.values() if one.type == "multipleAttachments"]
        for record in table.records.values():
            for field_id in file_fields:
                cell = record.cells.get(field_id)
                for held in cell if isinstance(cell, list) else ():
                    if held["id"] == attachment_id:
                        return held
    return None


def _collaborator(target: Field, value: object, casting: Casting) -> object:
    if casting.typecast and isinstance(value, str) and value in casting.owner.values():
        return dict(casting.owner)
    if isinstance(value, Mapping) and (value.get("id") or value.get("email")):
        matches = {"id", "email"} & value.keys()
        if all(value[key] == casting.owner[key] for key in matches):
            return dict(casting.owner)
    raise errors.invalid_value(target.name)


def _collaborators(target: Field, value: object, casting: Casting) -> object:
    if not isinstance(value, list):
        raise errors.invalid_value(target.name)
    return [_collaborator(target, item, casting) for item in value]


def _barcode(target: Field, value: object, casting: Casting) -> object:
    if casting.typecast and isinstance(value, str):
        return {"text": value} if value else None
    if isinstance(value, Mapping) and isinstance(value.get("text"), str):
        return {key: str(value[key]) for key in ("text", "type") if value.get(key)}
    raise errors.invalid_value(target.name)


_ACCEPTORS: Final[Mapping[str, Acceptor]] = {
    "checkbox": _checkbox,
    "singleSelect": _single_select,
    "multipleSelects": _multiple_selects,
    "date": _date,
    "dateTime": _date_time,
    "multipleRecordLinks": _links,
    "multipleAttachments": _attachments,
    "singleCollaborator": _collaborator,
    "multipleCollaborators": _collaborators,
    "barcode": _barcode,
}


def accept_fields(table: Table, fields: object, casting: Casting) -> dict[str, object]:
    """The cells of one record by field id, None for those to clear; raises ApiError for the first that is refused."""
    if not isinstance(fields, Mapping):
        raise errors.invalid_request()
    cells: dict[str, object] = {}
    for name, value in fields.items():
        target = table.find_field(str(name))
        if target is None:
            raise errors.unknown_field(str(name))
        cells[target.id] = accept(target, value, casting)
    return cells


def refuse_more_than(limit: int, items: Sequence[object]) -> None:
    """A request carries at most so many records (AT-13); an empty one is refused too."""
    if not 0 < len(items) <= limit:
        raise errors.invalid_request()
