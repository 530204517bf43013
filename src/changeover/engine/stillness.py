"""Whether a run can find anything to do: nothing has changed since one of the same day that found nothing.

It trusts no notice of change. All that a plan depends on is compared under a hash: rows, memory, what the calendars
say, the rules, the program, the business's date. Whatever differs, or is not known, makes the run an ordinary one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from changeover import program
from changeover.core.plan import Counts, Plan
from changeover.core.recollection import Seen
from changeover.engine.work import Work
from changeover.sources.ics.observe import FeedResult
from changeover.store import facts
from changeover.store.digest import digest

_FACT = "calendars.rest"
_TABLES = ("ICS Feeds", "Properties", "Reservations")


@dataclass(frozen=True, slots=True)
class Rest:
    """A run that found nothing to do: what it knew, what the calendars said, and its plan."""

    known: str
    said: str
    plan: Plan


def known_digest(connection: Connection, work: Work) -> str:
    """Of all that a plan depends on beside what the calendars say, the instant within the day left out."""
    around = (program.fingerprint(), work.rules, work.rules.today(work.now), work.platforms.fingerprint)
    return hashlib.sha256(f"{digest(connection, _TABLES)} {around!r}".encode()).hexdigest()


def said_digest(results: Iterable[FeedResult]) -> str:
    """Of all that the batches of a run hold."""
    found = hashlib.sha256()
    for each in results:
        batch = each.batch
        shape = None if batch is None else (batch.fully_read, batch.retired)
        found.update(repr((each.feed, shape, each.said)).encode("utf-8", "surrogatepass"))
    return found.hexdigest()


def recall(connection: Connection) -> Rest | None:
    """The last run of the calendars, where it found nothing to do."""
    fact = facts.read(connection, _FACT)
    try:
        return None if fact is None else _rest(fact.value)
    except (KeyError, TypeError, ValueError):
        return None  # written by hand or by another release


def remember(connection: Connection, rest: Rest | None, now: datetime) -> None:
    """Keeps a run that found nothing to do; after any other there is nothing to go by."""
    if rest is None:
        facts.forget(connection, _FACT)
        return
    value: dict[str, facts.Json] = {
        "known": rest.known,
        "said": rest.said,
        "at": rest.plan.now.isoformat(),
        "seen": [step.source for step in rest.plan.seen],
        "counts": asdict(rest.plan.counts),
    }
    facts.put(connection, _FACT, value, now)


def _rest(value: Any) -> Rest:  # JSON of our own; whatever else it is raises
    at = datetime.fromisoformat(value["at"])
    seen = tuple(Seen(source, at, at) for source in value["seen"])
    return Rest(value["known"], value["said"], Plan(at, seen=seen, counts=Counts(**value["counts"])))
