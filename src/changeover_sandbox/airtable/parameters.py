"""Reads the parameters of a list, from a query string or from a listRecords body (AT-14); it knows no table."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from changeover_sandbox.airtable import errors
from changeover_sandbox.airtable.render import PLAIN, Style

MAX_PAGE: Final = 100
_BRACKETS: Final = re.compile(r"\[([^\]]*)\]")
_SCALARS: Final = frozenset(
    {
        "pageSize",
        "maxRecords",
        "offset",
        "view",
        "filterByFormula",
        "cellFormat",
        "returnFieldsByFieldId",
        "timeZone",
        "userLocale",
    }
)
COMMENT_COUNT: Final = "commentCount"
_QUERY_ONLY: Final = frozenset({"timeZone", "userLocale"})


@dataclass(frozen=True, slots=True)
class SortKey:
    """One key of a sort."""

    field: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class ListQuery:
    """A list as it was asked for; `fields` None means all of them."""

    page_size: int = MAX_PAGE
    max_records: int | None = None
    offset: str = ""
    view: str = ""
    formula: str = ""
    fields: tuple[str, ...] | None = None
    sort: tuple[SortKey, ...] = ()
    style: Style = PLAIN
    count_comments: bool = False


def from_query(pairs: Iterable[tuple[str, str]]) -> ListQuery:
    """Read a query string; bracket keys may come in any order; raises ApiError for what the service does not know."""
    values: dict[str, object] = {}
    fields: dict[str, list[str]] = {}
    sort: dict[str, dict[str, object]] = {}
    metadata: list[object] = []
    for key, value in pairs:
        name, brackets = key.partition("[")[0], _BRACKETS.findall(key)
        if name == "fields":
            fields.setdefault(brackets[0] if brackets else "", []).append(value)
        elif name == "recordMetadata":
            metadata.append(value)
        elif name == "sort" and brackets[1:]:
            sort.setdefault(brackets[0], {})[brackets[-1]] = value
        elif key in _SCALARS:
            values[key] = value
        else:
            raise errors.invalid_request()
    if fields:
        values["fields"] = [one for index in sorted(fields, key=_index) for one in fields[index]]
    values["recordMetadata"] = metadata
    values["sort"] = [sort[index] for index in sorted(sort, key=_index)]
    return _query(values)


def _index(text: str) -> int:
    return int(text) if text.isdigit() else -1


def from_body(body: Mapping[str, object], pairs: Iterable[tuple[str, str]]) -> ListQuery:
    """Read a listRecords body; timeZone and userLocale stay in the query string; raises ApiError."""
    if not set(body) <= (_SCALARS - _QUERY_ONLY) | {"fields", "sort", "recordMetadata"}:
        raise errors.invalid_request()
    query = {key: value for key, value in pairs if key in _QUERY_ONLY}
    return _query({**body, **query})


def _query(values: Mapping[str, object]) -> ListQuery:
    page_size = _number(values.get("pageSize"), MAX_PAGE)
    if not 1 <= page_size <= MAX_PAGE:
        raise errors.invalid_request()
    limit = values.get("maxRecords")
    max_records = None if limit is None else _number(limit, 0)
    if max_records is not None and max_records < 1:
        raise errors.invalid_request()
    return ListQuery(
        page_size=page_size,
        max_records=max_records,
        offset=_text(values, "offset"),
        view=_text(values, "view"),
        formula=_text(values, "filterByFormula"),
        fields=_fields(values.get("fields")),
        sort=_sort(values.get("sort")),
        style=style(values),
        count_comments=_counts_comments(values.get("recordMetadata")),
    )


def _counts_comments(wanted: object) -> bool:
    """`recordMetadata` knows one word; raises ApiError for any other."""
    if wanted is None:
        return False
    if not isinstance(wanted, list) or not all(one == COMMENT_COUNT for one in wanted):
        raise errors.invalid_request()
    return bool(wanted)


def _number(value: object, default: int) -> int:
    if value is None:
        return default
    if isinstance(value, bool) or not re.fullmatch(r"\d+", str(value), re.ASCII):
        raise errors.invalid_request()
    return int(str(value))


def _text(values: Mapping[str, object], name: str) -> str:
    value = values.get(name)
    if value is not None and not isinstance(value, str):
        raise errors.invalid_request()
    return value or ""


def _fields(value: object) -> tuple[str, ...] | None:
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise errors.invalid_request()
    return tuple(value) or None


def _sort(value: object) -> tuple[SortKey, ...]:
    if value is None:
        return ()
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise errors.invalid_request()
    return tuple(_sort_key(one) for one in value)


def _sort_key(one: object) -> SortKey:
    if not isinstance(one, Mapping) or not isinstance(one.get("field"), str):
        raise errors.invalid_request()
    direction = one.get("direction", "asc")
    if direction not in ("asc", "desc"):
        raise errors.invalid_request()
    return SortKey(str(one["field"]), direction == "desc")


def flag(value: object) -> bool:
    """A boolean as clients send it, in a query string or in JSON; raises ApiError."""
    if value is None or value in (False, "", "0", "false"):
        return False
    if value in (True, "1", "true"):
        return True
    raise errors.invalid_request()


def style(values: Mapping[str, object]) -> Style:
    """`cellFormat`, `returnFieldsByFieldId`; text cells need timeZone and userLocale (AT-14); raises ApiError."""
    by_field_id = flag(values.get("returnFieldsByFieldId"))
    cell_format = values.get("cellFormat") or "json"
    if cell_format == "json":
        return Style(by_field_id)
    if cell_format != "string" or not values.get("userLocale"):
        raise errors.invalid_request()
    try:
        return Style(by_field_id, ZoneInfo(str(values["timeZone"])))
    except (KeyError, ValueError, ZoneInfoNotFoundError) as exc:
        raise errors.invalid_request() from exc
