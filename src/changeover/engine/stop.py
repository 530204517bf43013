"""The emergency stop (E-1): three levels in a file, on PostgreSQL in a row too; it stops nothing, it is asked."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from changeover.store import facts
from changeover.store.database import Database

FILE_NAME = "stop.json"
FACT = "stop"


class StopLevel(StrEnum):
    """How much stands still, from nothing to everything (E-2 … E-9)."""

    NONE = "none"
    PAUSE = "pause"
    READ_ONLY = "read-only"
    FULL = "full"

    @property
    def rank(self) -> int:
        return tuple(StopLevel).index(self)


@dataclass(frozen=True, slots=True)
class Stop:
    """A stop in force, with what a person said when setting it."""

    level: StopLevel
    why: str = ""
    who: str = ""
    at: datetime | None = None

    @property
    def starts(self) -> bool:
        """Whether a run may start (E-2)."""
        return self.level is StopLevel.NONE

    @property
    def writes(self) -> bool:
        """Whether outside writes may go out; under `pause` runs in progress and deliveries go on (E-3, E-7)."""
        return self.level.rank < StopLevel.READ_ONLY.rank

    @property
    def reads(self) -> bool:
        """Whether the outside may be asked anything at all (E-8)."""
        return self.level is not StopLevel.FULL


class Stopped(Exception):
    """The stop switch forbids it."""

    def __init__(self, stop: Stop) -> None:
        super().__init__(f"stopped: {stop.level}" + (f" ({stop.why})" if stop.why else ""))
        self.stop = stop


class StopSwitch:
    """The switch of one environment. The file is read at each question: anyone may put it there at any time."""

    def __init__(self, folder: Path, database: Database | None = None) -> None:
        self.path = folder / FILE_NAME
        self._shared = None if database is None or database.sqlite else database

    def state(self) -> Stop:
        """The strictest of file and row; what cannot be read counts as `full`."""
        return max(self._in_file(), self._in_row(), key=lambda stop: stop.level.rank)

    def check_writes(self) -> None:
        """Raises Stopped when no outside write may go out; asked before each."""
        stop = self.state()
        if not stop.writes:
            raise Stopped(stop)

    def set(self, stop: Stop) -> bool:
        """Puts the stop into force, in the file first: that needs no database. False when the row could not be written.

        Raises OSError when not even the file could be.
        """
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        body = json.dumps(_plain(stop), indent=1) + "\n"
        aside = self.path.with_name(f".{FILE_NAME}.{os.getpid()}")
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(self.path)
        if self._shared is None:
            return True
        try:
            with self._shared.begin() as connection:
                facts.put(connection, FACT, _plain(stop), stop.at or datetime.now(UTC))
        except SQLAlchemyError:
            return False
        return True

    def clear(self) -> None:
        """Lifts the stop everywhere. The row goes first: when the database cannot be reached, all stays stopped."""
        if self._shared is not None:
            with self._shared.begin() as connection:
                facts.forget(connection, FACT)
        self.path.unlink(missing_ok=True)

    def _in_file(self) -> Stop:
        try:
            text = self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return Stop(StopLevel.NONE)
        except (OSError, UnicodeDecodeError):
            return Stop(StopLevel.FULL, f"{FILE_NAME} cannot be read")
        try:
            return _parse(json.loads(text))
        except ValueError:
            return Stop(StopLevel.FULL, f"{FILE_NAME} is not understood")

    def _in_row(self) -> Stop:
        if self._shared is None:
            return Stop(StopLevel.NONE)
        try:
            with self._shared.read() as connection:
                fact = facts.read(connection, FACT)
        except SQLAlchemyError:
            return Stop(StopLevel.FULL, "the database cannot be asked")
        if fact is None:
            return Stop(StopLevel.NONE)
        try:
            return _parse(fact.value)
        except ValueError:
            return Stop(StopLevel.FULL, "the database's stop is not understood")


def _parse(value: object) -> Stop:
    """A stop from its JSON; only `level` is required, as people write the file by hand. Raises ValueError."""
    if not isinstance(value, Mapping):
        raise ValueError(value)  # noqa: TRY004 - callers ask one question: was it understood
    level = StopLevel(str(value.get("level")))
    at = value.get("at")
    return Stop(level, str(value.get("why", "")), str(value.get("who", "")), _instant(at))


def _instant(at: object) -> datetime | None:
    """When it was set; a time nobody can read must not turn a pause into a full stop."""
    try:
        found = datetime.fromisoformat(str(at))
    except ValueError:
        return None
    return found if found.tzinfo else None


def _plain(stop: Stop) -> dict[str, facts.Json]:
    at = {} if stop.at is None else {"at": stop.at.isoformat()}
    return {"level": str(stop.level), "why": stop.why, "who": stop.who, **at}
