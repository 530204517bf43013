"""Our line, the line last placed and the name in Housecall Pro -> what to write, if anything (J-94 … J-103); pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

from changeover.core.job import JobRow, JobState, JobStatus, ServiceType
from changeover.core.job_order import Line, in_order
from changeover.core.job_texts import LINE_KEPT, LINE_UPDATED
from changeover.core.service_line import JOIN, LONG_TERM, MONTHS, OWNER, LineFacts, Room, fitted, service_line

_TYPES: Final = "|".join(re.escape(each) for each in ServiceType)
_DATES: Final = f"(?:{'|'.join(MONTHS)}) [0-9]{{1,2}}|Unknown"
_OURS_WHOLLY: Final = re.compile(
    rf"(?:{OWNER}{JOIN})?(?:{LONG_TERM}{JOIN})?(?:SAME DAY (?:{_TYPES}) STR|(?:{_TYPES}) STR Next Guest (?:{_DATES}))"
)


class Outcome(StrEnum):
    """What becomes of a name: it stands, it is written, or people have it and keep it."""

    STANDS = "stands"
    WRITE = "write"
    CONFLICT = "conflict"


@dataclass(frozen=True, slots=True)
class Merged:
    """`name` is the whole name as it is to stand, `part` ours within it; `rule` says which case of §12 fitted."""

    outcome: Outcome
    rule: str
    name: str
    part: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """A three-way merge: `base` is Last Synced Service Line, `theirs` the name in HCP, ours is made of `facts`.

    `asked`: a person pressed the button. `code_points` is what a name may hold there.
    """

    base: str
    theirs: str
    facts: LineFacts
    limit: int = 200
    code_points: int = 255
    asked: bool = False

    @property
    def ours(self) -> str:
        """The line as §6 makes it now."""
        return service_line(self.facts, self.limit, self.code_points)


def merge(question: Question) -> Merged:
    """The first case of J-96 … J-100 that fits. Nothing is written where the name would stay as it is (HC-94)."""
    base, theirs, ours = question.base, question.theirs, question.ours
    if theirs == ours or (inside(ours, theirs) and (not inside(base, theirs) or inside(base, ours))):
        return Merged(Outcome.STANDS, "J-96", theirs, ours)
    if theirs in ("", base):
        return Merged(Outcome.WRITE, "J-97", ours, ours)
    if len(places(base, theirs)) == 1:
        return _replaced(question)
    if not base and (question.asked or _OURS_WHOLLY.fullmatch(theirs)):
        return Merged(Outcome.WRITE, "J-99", ours, ours)
    return Merged(Outcome.CONFLICT, "J-100", theirs)


def _replaced(question: Question) -> Merged:
    """J-98, J-101: people's words around our part stay; ours is fitted into what they leave."""
    base, theirs = question.base, question.theirs
    (place,) = places(base, theirs)
    room = Room(question.limit, question.code_points, theirs[:place], theirs[place + len(base) :])
    part = fitted(question.facts, room)
    if part is None:
        return Merged(Outcome.CONFLICT, "J-100", theirs)
    name = f"{room.before}{part}{room.after}"
    return Merged(Outcome.STANDS if name == theirs else Outcome.WRITE, "J-98", name, part)


def base_in(theirs: str, base: str, sent: str) -> str:
    """Our part of a name: what the row knows of (`base`), or what was sent last and the row never heard of.

    Whichever stands in the name; of two the longer, as one then is a part of the other. A base that a person has
    emptied stays empty (J-103).
    """
    if not base:
        return base
    return max((part for part in (base, sent) if inside(part, theirs)), key=len, default=base)


def places(part: str, text: str) -> list[int]:
    """Where a part stands in a text without adjoining a letter or digit (§12, *inside*); nowhere for an empty part."""
    if not part:
        return []
    return [
        place
        for place in range(len(text) - len(part) + 1)
        if text.startswith(part, place) and not (text[:place][-1:].isalnum() or text[place + len(part) :][:1].isalnum())
    ]


def inside(part: str, text: str) -> bool:
    """Whether a part stands in a text as words of its own."""
    return bool(places(part, text))


def due(row: JobRow, question_ours: str, today: date, *, locked: bool = False, asked: bool = False) -> bool:
    """Whether a row's lines have to be read at all (J-94): in a cycle only where ours is not confirmed yet."""
    late = row.check_out is None or row.check_out < today - timedelta(days=1)
    ended = row.job.status in (JobStatus.COMPLETED, JobStatus.CANCELED)
    if not row.live or not row.job_id or late or ended or locked:
        return False
    return asked or question_ours != row.job.line


def the_item(lines: Sequence[Line], base: str) -> Line | None:
    """The item that carries the service line (J-95): the first, or the only other one where our part stands."""
    ordered = in_order(lines)
    if not ordered:
        return None
    holding = [line for line in ordered if inside(base, line.name)]
    return holding[0] if len(holding) == 1 else ordered[0]


def confirmed(state: JobState, merged: Merged, ours: str) -> JobState:
    """The cells once Housecall Pro has the name (J-102), or after a conflict (J-100); texts without stamp."""
    if merged.outcome is Outcome.CONFLICT:
        return replace(state, hcp_line=merged.name, service_details=LINE_KEPT)
    said = LINE_UPDATED if merged.outcome is Outcome.WRITE else state.service_details
    return replace(state, line=ours, last_line=merged.part, hcp_line=merged.name, service_details=said)
