"""The shapes a good answer may have (AT-27): anything else raises Unavailable, and nothing is ever taken for empty."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from changeover.airtable.errors import Answer, Json, Unavailable
from changeover.store.mirror import Record


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a listing; no `offset` on the last one (AT-17)."""

    records: list[Record]
    offset: str | None
    at: datetime | None


def page(answer: Answer) -> Page:
    """A page of a listing."""
    offset = answer.body.get("offset")
    return Page(records(answer), offset if isinstance(offset, str) else None, answer.at)


def records(answer: Answer) -> list[Record]:
    """The records of a listing or of a write."""
    return [record(each) for each in objects(answer.body.get("records"))]


def as_many_as(number: int) -> Callable[[Answer], list[Record]]:
    """A create's answer: as many records as were sent, in their order."""

    def accept(answer: Answer) -> list[Record]:
        made = records(answer)
        if len(made) != number:
            raise Unavailable("unexpected_answer")
        return made

    return accept


def of_ids(ids: Sequence[str]) -> Callable[[Answer], list[Record]]:
    """An update's answer: the records of these ids and no others, in this order."""

    def accept(answer: Answer) -> list[Record]:
        by_id = {each.id: each for each in records(answer)}
        if set(by_id) != set(ids):
            raise Unavailable("unexpected_answer")
        return [by_id[each] for each in ids]

    return accept


def objects(value: Json) -> list[Mapping[str, Json]]:
    """A list of objects; anything else is no answer, above all not an empty one (AT-27)."""
    if not isinstance(value, list):
        raise Unavailable("unexpected_answer")
    return list(_only_objects(value))


def _only_objects(values: list[Json]) -> Iterator[Mapping[str, Json]]:
    for each in values:
        if not isinstance(each, dict):
            raise Unavailable("unexpected_answer")
        yield each


def record(body: Mapping[str, Json]) -> Record:
    """A record with its id, its creation in UTC and its fields."""
    key, created, fields = body.get("id"), body.get("createdTime"), body.get("fields")
    if not (isinstance(key, str) and isinstance(created, str) and isinstance(fields, dict)):
        raise Unavailable("unexpected_answer")
    try:
        return Record(key, datetime.fromisoformat(created).astimezone(UTC), fields)
    except ValueError:
        raise Unavailable("unexpected_answer") from None


def with_id(answer: Answer) -> Mapping[str, Json]:
    """What the metadata API answers for a new table or field."""
    if not isinstance(answer.body.get("id"), str):
        raise Unavailable("unexpected_answer")
    return answer.body
