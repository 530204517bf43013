"""What is being made, kept durably before and after each step (J-48, J-50); it makes nothing itself."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from pydantic import TypeAdapter

from changeover.core.job_order import JobOrder, Line
from changeover.store.jobs import Intent, IntentState


@dataclass(frozen=True, slots=True)
class Wanted:
    """A job as it is to be: the order and its lines. `replaces`: the job it takes the place of (J-57).

    `another_that_day`: HCP has one more on that day (J-90). `made_at`: when HCP says that the job was made.
    `renamed`: what a person has called its first line since we wrote it, "" where nobody has. `unmarked`: the job was
    found without our marker; `theirs`: and it has lines of a person's, which are left alone.
    """

    order: JobOrder
    lines: tuple[Line, ...]
    replaces: str = ""
    another_that_day: bool = False
    made_at: datetime | None = None
    renamed: str = ""
    unmarked: bool = False
    theirs: bool = False


_CODEC: Final = TypeAdapter(Wanted)


@dataclass(frozen=True, slots=True)
class Making:
    """An intent with its order read. `attempts` counts the POSTs that may have been applied (J-53)."""

    wanted: Wanted
    state: IntentState
    created_at: datetime
    posted_at: datetime
    job_id: str = ""
    attempts: int = 1
    error: str = ""

    @property
    def record_id(self) -> str:
        return self.wanted.order.record_id

    def stored(self) -> Intent:
        return Intent(
            record_id=self.record_id,
            state=self.state,
            wanted=_CODEC.dump_python(self.wanted, mode="json"),
            created_at=self.created_at,
            posted_at=self.posted_at,
            job_id=self.job_id,
            attempts=self.attempts,
            error=self.error,
        )

    def to(self, state: IntentState, job_id: str = "", error: str = "") -> Making:
        """The next step."""
        return replace(self, state=state, job_id=job_id or self.job_id, error=error)


def making_of(intent: Intent) -> Making:
    """A stored intent as it was."""
    return Making(
        wanted=_CODEC.validate_python(intent.wanted),
        state=intent.state,
        created_at=intent.created_at,
        posted_at=intent.posted_at,
        job_id=intent.job_id,
        attempts=intent.attempts,
        error=intent.error,
    )
