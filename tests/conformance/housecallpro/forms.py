"""The form of a body without its content: what a failing test may print of an account with real people in it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

_TEXTS: Final = {
    "time in UTC": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"),
    "time with offset": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?[+-]\d\d:?\d\d"),
    "time without offset": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?"),
    "day": re.compile(r"\d{4}-\d\d-\d\d"),
    "uuid": re.compile(r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}"),
}
_ID: Final = re.compile(r"([a-z]+_)[0-9A-Za-z]{1,64}")

TIME: Final = {"time in UTC", "time with offset"}
NUMBER: Final = {"int", "float"}


class Forms(dict[str, set[str]]):
    """By path (`schedule.appointments[].id`) the forms that were seen; a path that is not there has none."""

    def __missing__(self, path: str) -> set[str]:
        return set()

    def under(self, start: str) -> set[str]:
        """The paths that begin so."""
        return {path for path in self if path.startswith(start)}


def forms(body: object) -> Forms:
    """Types of all values, and of texts whether they are an id (`job_`), a time, a day or just text."""
    found = Forms()
    for path, form in _walk(body, ""):
        found.setdefault(path, set()).add(form)
    return found


def _walk(value: object, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        yield path, "object"
        for name, part in value.items():
            yield from _walk(part, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list):
        yield path, "list"
        for part in value:
            yield from _walk(part, f"{path}[]")
    else:
        yield path, _form(value)


def _form(value: object) -> str:
    if value is None:
        return "null"
    if not isinstance(value, str):
        return type(value).__name__
    known = next((name for name, pattern in _TEXTS.items() if pattern.fullmatch(value)), "text")
    prefix = _ID.fullmatch(value)
    return prefix[1] if prefix else known
