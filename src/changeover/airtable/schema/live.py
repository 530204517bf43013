"""The base's own schema as the metadata API tells it; parsed here once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from changeover.airtable.errors import Json, Unavailable


@dataclass(frozen=True, slots=True)
class LiveField:
    """A field as it is in the base."""

    name: str
    type: str
    choices: frozenset[str]


@dataclass(frozen=True, slots=True)
class LiveTable:
    """A table as it is in the base, its fields by name."""

    id: str
    name: str
    fields: Mapping[str, LiveField]


def parse(tables: Sequence[Mapping[str, Json]]) -> dict[str, LiveTable]:
    """The answer of `GET /meta/bases/{base}/tables` by table name. Raises Unavailable for another shape (AT-27)."""
    try:
        found = [_table(each) for each in tables]
    except (KeyError, TypeError, AttributeError):
        raise Unavailable("unexpected_answer") from None
    return {each.name: each for each in found}


def _table(body: Mapping[str, Json]) -> LiveTable:
    fields = body["fields"]
    if not isinstance(fields, list):
        raise TypeError("fields is no list")
    found = [_field(each) for each in fields if isinstance(each, dict)]
    return LiveTable(str(body["id"]), str(body["name"]), {each.name: each for each in found})


def _field(body: Mapping[str, Json]) -> LiveField:
    options = body.get("options")
    choices = options.get("choices") if isinstance(options, dict) else None
    names = [str(each["name"]) for each in choices if isinstance(each, dict)] if isinstance(choices, list) else []
    return LiveField(str(body["name"]), str(body["type"]), frozenset(names))
