"""What of a run's sightings must be stored: what changed, and one word per source for all it merely showed again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from operator import attrgetter

from changeover.core.stay import Sighting

Key = tuple[str, str]  # source, record id


@dataclass(frozen=True, slots=True)
class Seen:
    """All sightings of `source` that were last seen at `before` are last seen at `at`."""

    source: str
    before: datetime
    at: datetime


def to_store(
    known: Mapping[Key, Sighting], now: Mapping[Key, Sighting], apart: Iterable[str]
) -> tuple[tuple[Seen, ...], tuple[Sighting, ...]]:
    """(seen, sightings) that make `known` equal to `now`, in this order, for every key of `now`.

    A calendar that shows its forty stays again is one word rather than forty rows. `apart` are sources of which nothing
    may be said as a whole.
    """
    pairs = [(sighting, known.get(key)) for key, sighting in now.items()]
    alike = {id(new) for new, old in pairs if old is not None and (old is new or _LASTING(old) == _LASTING(new))}
    seen = _commonest(((old, new) for new, old in pairs if old is not None and id(new) in alike), frozenset(apart))
    changed = [
        new for new, old in pairs if old is None or id(new) not in alike or new.last_seen != _then_seen(old, seen)
    ]
    return (
        tuple(seen[source] for source in sorted(seen)),
        tuple(sorted(changed, key=lambda each: (each.source, each.record_id))),
    )


def _commonest(pairs: Iterable[tuple[Sighting, Sighting]], apart: frozenset[str]) -> dict[str, Seen]:
    """By source, the step from one instant to another that most of its sightings take; the later of equals."""
    steps = Counter(
        (old.source, old.last_seen, new.last_seen)
        for old, new in pairs
        if old.last_seen is not None and new.last_seen is not None and old.last_seen != new.last_seen
    )
    ranked = sorted((number, before, at, source) for (source, before, at), number in steps.items())
    return {source: Seen(source, before, at) for _, before, at, source in ranked if source not in apart}


def _then_seen(old: Sighting, seen: Mapping[str, Seen]) -> datetime | None:
    step = seen.get(old.source)
    return step.at if step is not None and old.last_seen == step.before else old.last_seen


_LASTING = attrgetter(*(each.name for each in fields(Sighting) if each.name != "last_seen"))
